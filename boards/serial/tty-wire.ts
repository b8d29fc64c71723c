/**
 * The wire of a board that is a process of its own, on a terminal device: read and written without waiting, and slept on
 * in between. The agent never gives the thread back, so there is no event loop that could bring bytes.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { type Host, realHost } from '../host.ts';
import { EXIT_BAD_PORT, InputError } from '../input-error.ts';
import type { Wire } from './peer.ts';

/** Looks at the line are so far apart, ms: short after bytes have come, longer when nobody talks. */
const NAP_MIN_MS = 0.05;
const NAP_MAX_MS = 5;
const BUSY_US = 20_000;
const ROOM = 65536;

export class TtyWire implements Wire {
  readonly #fd: number;
  readonly #host: Host = realHost();
  readonly #buffer = new Uint8Array(ROOM);
  readonly #nap = new Int32Array(new SharedArrayBuffer(4));
  #at = 0;
  #end = 0;
  #heardAt = 0;

  constructor(path: string) {
    try {
      this.#fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    } catch (error) {
      throw new InputError(`${path}: cannot be opened: ${(error as Error).message}`, EXIT_BAD_PORT);
    }
  }

  now(): number {
    return Math.floor(this.#host.now() / 1000);
  }

  read(into: Uint8Array): number {
    if (this.#at === this.#end) this.#fill();
    const part = this.#buffer.subarray(this.#at, Math.min(this.#end, this.#at + into.length));
    into.set(part);
    this.#at += part.length;
    return part.length;
  }

  #fill(): void {
    this.#at = 0;
    this.#end = this.#without(() => readSync(this.#fd, this.#buffer));
    if (this.#end > 0) this.#heardAt = this.now();
  }

  write(bytes: Uint8Array): number {
    return this.#without(() => writeSync(this.#fd, bytes));
  }

  /** Without waiting: 0 when it would. */
  #without(call: () => number): number {
    try {
      return call();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
      throw error;
    }
  }

  wait(us: number): void {
    const from = this.now();
    for (let nap = NAP_MIN_MS; ; nap = Math.min(nap * 2, NAP_MAX_MS)) {
      if (this.#at === this.#end) this.#fill();
      const now = this.now();
      if (this.#at !== this.#end || now - from >= us) return;
      const busy = now - this.#heardAt < BUSY_US;
      Atomics.wait(this.#nap, 0, 0, Math.min(busy ? NAP_MIN_MS : nap, (us - (now - from)) / 1000));
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}
