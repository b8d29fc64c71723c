/**
 * An end of the link, as the disk I/O module has it: bytes of the line in and out, bytes of channels in and out. It keeps
 * no time of its own. `now` is microseconds.
 *
 * [layout] asm/link/layout.ts
 */
import { type DiskIo, instantiateSync } from '#disk-io';
import * as K from '../../asm/link/layout.ts';

export interface Chunk {
  channel: number;
  bytes: Uint8Array;
}

const WIRE_BYTES = 65536;

export class LinkEnd {
  readonly #io: DiskIo;
  readonly #link: number;
  readonly #buffer: number;
  readonly #bytes: Uint8Array;

  constructor(role: number, nonce: number, now: number) {
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536 });
    this.#io = instantiateSync({ memory });
    this.#link = (this.#io.heap_base() + 15) & ~15;
    this.#buffer = (this.#link + this.#io.link_size() + 15) & ~15;
    if (this.#buffer + WIRE_BYTES > memory.buffer.byteLength) memory.grow(8);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#io.link_init(this.#link, role, nonce, now >>> 0);
  }

  get state(): number {
    return this.#io.link_state(this.#link);
  }

  get lives(): number {
    return this.#io.link_lives(this.#link);
  }

  /** All that was written has been acknowledged. */
  get idle(): boolean {
    return this.#io.link_idle(this.#link) !== 0;
  }

  open(session: number, now: number): void {
    this.#io.link_open(this.#link, session, now >>> 0);
  }

  close(): void {
    this.#io.link_close(this.#link);
  }

  receive(line: Uint8Array, now: number): void {
    for (let at = 0; at < line.length; at += WIRE_BYTES) {
      const part = line.subarray(at, at + WIRE_BYTES);
      this.#bytes.set(part, this.#buffer);
      this.#io.link_receive(this.#link, this.#buffer, part.length, now >>> 0);
    }
  }

  /** One frame for the line; null: nothing is due. */
  transmit(now: number): Uint8Array | null {
    const bytes = this.#io.link_transmit(this.#link, this.#buffer, now >>> 0);
    return bytes === 0 ? null : this.#bytes.slice(this.#buffer, this.#buffer + bytes);
  }

  /** Microseconds until there is one, Infinity if only the far end can change that. */
  due(now: number): number {
    const due = this.#io.link_due(this.#link, now >>> 0) >>> 0;
    return due === K.LINK_NEVER ? Infinity : due;
  }

  /** Returns how many bytes had room and credit. */
  write(channel: number, bytes: Uint8Array): number {
    const part = bytes.subarray(0, WIRE_BYTES);
    this.#bytes.set(part, this.#buffer);
    return this.#io.link_write(this.#link, channel, this.#buffer, part.length);
  }

  flush(): void {
    this.#io.link_flush(this.#link);
  }

  take(): Chunk | null {
    const taken = this.#io.link_take(this.#link, this.#buffer) >>> 0;
    if (taken === K.LINK_NOTHING) return null;
    return {
      channel: taken >>> 16,
      bytes: this.#bytes.slice(this.#buffer, this.#buffer + (taken & 0xffff)),
    };
  }

  silent(now: number): number {
    return this.#io.link_silent(this.#link, now >>> 0) >>> 0;
  }

  count(what: number): number {
    return this.#io.link_count(this.#link, what);
  }
}
