/**
 * How a port that carries the link is read. A read costs the host far more than the bytes that it brings: of a long
 * frame there are to be many at a time, while a short one, for which somebody waits, is not to wait.
 */
import type { Host } from '../host.ts';
import type { Binding, BindingPort } from '../serial/binding.ts';

/** A frame of so many bytes is a long one: no call and no return of the firmware is. */
const LONG_BYTES = 128;
/** At 3 Mbaud that is 600 bytes: line disciplines keep 4,095. */
const WAIT_MS = 2;

/** Looks at what comes for frames, which end with a zero. */
export class Pace {
  #bytes = 0;
  #wasLong = false;

  push(bytes: Uint8Array): void {
    const end = bytes.lastIndexOf(0) + 1;
    if (end > 0) {
      this.#wasLong = this.#bytes + bytes.indexOf(0) >= LONG_BYTES || end > LONG_BYTES;
      this.#bytes = 0;
    }
    this.#bytes += bytes.length - end;
  }

  /** The next read is to wait: in the middle of a long frame, or of one that comes after a long one. */
  get waits(): boolean {
    return this.#bytes >= LONG_BYTES || (this.#bytes > 0 && this.#wasLong);
  }
}

/** The same binding; ports that it opens are read at this pace. */
export function paced(binding: Binding, host: Host): Binding {
  return {
    list: () => binding.list(),
    open: async (options) => {
      const port: BindingPort = await binding.open(options);
      const read = port.read.bind(port);
      const pace = new Pace();
      port.read = async (buffer, offset, length) => {
        if (pace.waits) await new Promise<void>((resolve) => host.after(WAIT_MS, resolve));
        const done = await read(buffer, offset, length);
        pace.push(done.buffer.subarray(offset, offset + done.bytesRead));
        return done;
      };
      return port;
    },
  };
}
