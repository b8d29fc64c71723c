/**
 * The emulated board on a real port, usually one end of a PTY pair. Who holds it opens the port anew when it was gone:
 * the board does not notice, as no board notices a cable.
 */
import { type SerialEnd, ignore } from '../end.ts';
import type { Port } from '../port.ts';
import { FlashRig, type RigOptions } from './rig.ts';

export class RigOnPort {
  readonly rig: FlashRig;
  /** Bytes that came from the host. */
  received = 0;
  #line: SerialEnd;
  #port: Port | null = null;

  constructor(options: Omit<RigOptions, 'line'>) {
    this.#line = {
      onData: ignore,
      onClose: ignore,
      isOpen: true,
      queued: 0,
      write: (bytes) => this.#port?.write(bytes),
    };
    this.rig = new FlashRig({ ...options, line: this.#line });
  }

  get isConnected(): boolean {
    return this.#port?.isOpen === true;
  }

  connect(port: Port): void {
    this.#port = port;
    port.onData = (bytes) => {
      this.received += bytes.length;
      this.#line.onData(bytes);
    };
    port.onClose = (reason) => {
      this.#port = null;
      this.#line.onClose(reason);
    };
  }

  async close(): Promise<void> {
    this.rig.powerOff();
    await this.#port?.close();
  }
}
