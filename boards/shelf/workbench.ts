/**
 * A stretch of the disk I/O module's memory for the time of an action, and what the module computes there: it
 * compares, ors, and makes and checks protection information.
 */
import type { DiskIo } from '#disk-io';
import * as L from '../../asm/layout.ts';

/** A block whose protection information is wrong: its index, and PI_BAD_*. */
export interface BadBlock {
  index: number;
  what: number;
}

export class Workbench {
  #io: DiskIo;
  #at: number;
  #half: number;
  #bytes: Uint8Array;

  /** `bytes` of the module's memory from `at` on; the memory does not grow any more. */
  constructor(io: DiskIo, at: number, bytes: number) {
    this.#io = io;
    this.#at = at;
    this.#half = bytes / 2;
    this.#bytes = new Uint8Array(io.memory.buffer, at, bytes);
  }

  /** Offset of the first byte that differs; -1 when none does. Both are of one length. */
  firstDifference(one: Uint8Array, other: Uint8Array): number {
    for (let done = 0; done < one.length; done += this.#half) {
      const part = Math.min(this.#half, one.length - done);
      this.#bytes.set(one.subarray(done, done + part));
      this.#bytes.set(other.subarray(done, done + part), this.#half);
      const at = this.#io.first_difference(this.#at, this.#at + this.#half, part);
      if (at < part) return done + at;
    }
    return -1;
  }

  or(into: Uint8Array, from: Uint8Array): void {
    for (let done = 0; done < into.length; done += this.#half) {
      const part = Math.min(this.#half, into.length - done);
      this.#bytes.set(into.subarray(done, done + part));
      this.#bytes.set(from.subarray(done, done + part), this.#half);
      this.#io.or_into(this.#at, this.#at + this.#half, part);
      into.set(this.#bytes.subarray(0, part), done);
    }
  }

  /** Makes the protection information behind each block of `wire`; the first is block `lba`. */
  make(wire: Uint8Array, lba: number, blockBytes: number): void {
    this.#each(wire, blockBytes, (first, blocks, from, to) => {
      this.#io.pi_make(this.#at, blocks, blockBytes, (lba + first) % 2 ** 32);
      wire.set(this.#bytes.subarray(0, to - from), from);
      return null;
    });
  }

  /** The first block whose protection information is not as TASK_FLAG_PI_* ask for. */
  check(
    wire: Uint8Array,
    lba: number,
    blockBytes: number,
    flags: number,
    fromMedium: boolean,
  ): BadBlock | null {
    return this.#each(wire, blockBytes, (first, blocks) => {
      const ref = (lba + first) % 2 ** 32;
      const answer = this.#io.pi_check(this.#at, blocks, blockBytes, ref, flags, fromMedium ? 1 : 0) >>> 0;
      return answer === L.PI_GOOD ? null : { index: first + (answer >>> 2), what: answer & 3 };
    });
  }

  /** Puts the blocks on the bench, as many at a time as it holds, until `use` finds something. */
  #each(
    wire: Uint8Array,
    blockBytes: number,
    use: (first: number, blocks: number, from: number, to: number) => BadBlock | null,
  ): BadBlock | null {
    const stride = blockBytes + L.PI_BYTES;
    const most = Math.floor(this.#bytes.length / stride);
    const all = wire.length / stride;
    for (let first = 0; first < all; first += most) {
      const blocks = Math.min(most, all - first);
      const from = first * stride;
      const to = from + blocks * stride;
      this.#bytes.set(wire.subarray(from, to));
      const found = use(first, blocks, from, to);
      if (found !== null) return found;
    }
    return null;
  }
}
