/**
 * How a port that carries the link is read. A read costs the host far more than the bytes that it brings: of a long
 * frame there are to be many at a time, while a short one, for which somebody waits, is not to wait.
 */
import type { Host } from '../host.ts';
import type { Binding, BindingPort } from '../serial/binding.ts';

/** A frame of so many bytes is a long one: no call and no return of the firmware is. */
const LONG_BYTES = 128;
/** So many bytes come while a read waits: line disciplines keep 4,095. */
const WAIT_BYTES = 1200;
const WAIT_MAX_MS = 4;
const BITS_A_BYTE = 10;

export interface Reading {
  push(bytes: Uint8Array): void;
  /** The next read is to wait. */
  readonly waits: boolean;
}

/** Looks at what comes for frames, which end with a zero. */
export class Pace implements Reading {
  #bytes = 0;
  #wasLong = false;

  push(bytes: Uint8Array): void {
    const end = bytes.lastIndexOf(0) + 1;
    if (end > 0) {
      const start = bytes.subarray(0, end - 1).lastIndexOf(0) + 1;
      this.#wasLong = end - start + (start === 0 ? this.#bytes : 0) >= LONG_BYTES;
      this.#bytes = 0;
    }
    this.#bytes += bytes.length - end;
  }

  /** In the middle of a long frame, or of one that comes after a long one. */
  get waits(): boolean {
    return this.#bytes >= LONG_BYTES || (this.#bytes > 0 && this.#wasLong);
  }
}

/**
 * Of a port of @serialport/bindings-cpp under Unix. Once its poller has waited for room for a write, it looks for data and
 * for room in turn (src/poller.cpp, onData), without a pause as long as data lie there that nobody reads. A read that finds
 * nothing starts it again.
 */
interface Polled {
  poller?: { poller?: { stop?: () => void } };
  writeOperation?: unknown;
}

function quiet({ poller, writeOperation }: Polled): void {
  if (writeOperation === null) poller?.poller?.stop?.();
}

/** The same binding; ports that it opens are read at this pace. */
export function paced(binding: Binding, host: Host, pace: Reading = new Pace()): Binding {
  return {
    list: () => binding.list(),
    open: async (options) => {
      const port: BindingPort = await binding.open(options);
      const read = port.read.bind(port);
      const bytesMs = options.baudRate / BITS_A_BYTE / 1000;
      const ms = Math.max(1, Math.min(WAIT_MAX_MS, Math.floor(WAIT_BYTES / bytesMs)));
      port.read = async (buffer, offset, length) => {
        if (pace.waits) {
          quiet(port as Polled);
          await new Promise<void>((resolve) => host.after(ms, resolve));
        }
        const done = await read(buffer, offset, length);
        pace.push(buffer.subarray(offset, offset + done.bytesRead));
        return done;
      };
      return port;
    },
  };
}
