/** The memory of an instance of the disk I/O module: places for this and that, and guards between them. */
import { type DiskIo, instantiateSync } from '#disk-io';

const GAP = 4096;
const GUARD = 0xa5;
const GUARD_WORD = 0xa5a5a5a5 | 0;
const PAGE = 65_536;
const BESIDE_BYTES = 32;

export class Arena {
  readonly call: DiskIo;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly words: Int32Array;
  /** Where the memory ends, and a read beyond it is a trap. */
  readonly end: number;
  readonly #gaps: [number, number][] = [];
  #next: number;

  /** `room` says how many bytes are wanted, of an instance of the module. */
  constructor(room: (call: DiskIo) => number) {
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536 });
    this.call = instantiateSync({ memory });
    const missing = this.call.heap_base() + room(this.call) - memory.buffer.byteLength;
    memory.grow(Math.max(0, Math.ceil(missing / PAGE)));
    this.bytes = new Uint8Array(memory.buffer);
    this.view = new DataView(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.end = memory.buffer.byteLength;
    this.#next = (this.call.heap_base() + 4095) & ~4095;
  }

  /** Room for `bytes`, with a guard on either side. */
  place(bytes: number): number {
    const at = this.#next + GAP;
    this.bytes.fill(GUARD, this.#next, at);
    this.#gaps.push([this.#next, at]);
    this.#next = (at + bytes + 15) & ~15;
    this.bytes.fill(GUARD, at + bytes, this.#next + GAP);
    return at;
  }

  /** Guards all from the last place on to `bytes` before the end. */
  seal(bytes: number): void {
    this.bytes.fill(GUARD, this.#next, this.end - bytes);
    this.#gaps.push([this.#next, this.end - bytes]);
  }

  /** The first byte that is not guarded any more in all the guards there are; -1: none. */
  strayed(): number {
    for (const [from, to] of this.#gaps)
      for (let at = from >> 2; at < to >> 2; at++) if (this.words[at] !== GUARD_WORD) return at * 4;
    return -1;
  }

  /** True if the words next to a place are as they were. */
  holds(at: number, end: number): boolean {
    const w = this.words;
    for (let i = 0; i < 4; i++)
      if (w[(at >> 2) - 1 - i] !== GUARD_WORD || w[(end >> 2) + i] !== GUARD_WORD) return false;
    return true;
  }

  /** Guards a few bytes within a place, until the next time. */
  guard(at: number): void {
    this.bytes.fill(GUARD, at, at + BESIDE_BYTES);
  }
  guarded(at: number): boolean {
    for (let i = 0; i < BESIDE_BYTES; i++) if (this.bytes[at + i] !== GUARD) return false;
    return true;
  }
}
