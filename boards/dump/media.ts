/**
 * Media for measuring dumps by: memory that was touched before, and a file that takes its blocks while firmware goes
 * on, as a disk's DMA does. Neither is of use to a run that a seed governs: what the second does depends on the host.
 */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
  writev,
} from 'node:fs';
import { type Extent, type Medium, VECTORS_MAX, piecesOf } from '../shelf/medium.ts';

const SLAB = 2 ** 28;

/** Memory that is there: no write is the first one to a page of the host, once `touch` was called. */
export class TouchedMedium implements Medium {
  readonly bytes: number;
  readonly #slabs: Uint8Array[] = [];

  constructor(bytes: number) {
    this.bytes = bytes;
    for (let at = 0; at < bytes; at += SLAB) this.#slabs.push(new Uint8Array(Math.min(SLAB, bytes - at)));
    this.touch();
  }

  /** Makes it zero, by writing it over; a host forgets which pages are there when nobody has used them for a while. */
  touch(): void {
    for (const slab of this.#slabs) slab.fill(1).fill(0);
  }

  #each(offset: number, count: number, use: (part: Uint8Array, done: number) => void): void {
    for (let done = 0; done < count;) {
      const slab = this.#slabs[Math.floor((offset + done) / SLAB)]!;
      const start = (offset + done) % SLAB;
      const part = Math.min(slab.length - start, count - done);
      use(slab.subarray(start, start + part), done);
      done += part;
    }
  }

  read(offset: number, into: Uint8Array, at: number, count: number): void {
    this.#each(offset, count, (part, done) => into.set(part, at + done));
  }

  write(offset: number, from: Uint8Array, at: number, count: number): void {
    this.#each(offset, count, (part, done) => part.set(from.subarray(at + done, at + done + part.length)));
  }

  unmap(offset: number, count: number): void {
    this.#each(offset, count, (part) => part.fill(0));
  }

  fill(block: Uint8Array): void {
    for (let at = 0; at < this.bytes; at += block.length) this.write(at, block, 0, block.length);
  }

  extent(offset: number): Extent {
    return { mapped: true, bytes: this.bytes - offset };
  }

  flush(): void {}
  close(): void {}
}

/** A write that the host does not have yet. */
interface Posted {
  offset: number;
  bytes: number;
  pieces: Uint8Array[];
  done: (good: boolean) => void;
}

/**
 * A file whose writes are posted: the host's threads take them straight out of the initiator's memory, and the command
 * ends when they have. Until then that memory must stay as it is, which is what DMA asks of firmware anyway.
 */
export class PostedMedium implements Medium {
  readonly bytes: number;
  /** Writes that are on their way. */
  inFlight = 0;
  /** Writes ever posted. */
  posted = 0;
  /** Only while it is told to post. */
  post: Medium['post'];
  /** Called after each write that has ended. */
  onDone: () => void = () => {};
  readonly #file: number;
  readonly #waiting: Posted[] = [];
  #isWriting = false;

  constructor(path: string, bytes: number) {
    this.bytes = bytes;
    this.#file = openSync(path, 'wx+');
    ftruncateSync(this.#file, bytes);
    if (fstatSync(this.#file).size !== bytes) throw new Error(`${path}: no room`);
  }

  /** From now on writes are posted, or they are not. */
  posting(on: boolean): void {
    this.post = on
      ? (offset, memory, list, bytes, done) => this.#post(offset, memory, list, bytes, done)
      : undefined;
  }

  /**
   * Pieces of `memory`, in pairs of address and bytes, one after the other to `offset`. One call of the host at a time,
   * because a file takes no two and a thread that waits for it spins; what comes meanwhile and goes on where the last
   * one ends is one call, too.
   */
  #post(
    offset: number,
    memory: Uint8Array,
    list: readonly number[],
    bytes: number,
    done: (good: boolean) => void,
  ): void {
    this.inFlight++;
    this.posted++;
    this.#waiting.push({ offset, bytes, pieces: piecesOf(memory, list, bytes), done });
    if (!this.#isWriting) this.#next();
  }

  #next(): void {
    const writes = this.#waiting.splice(0, this.#row());
    this.#isWriting = writes.length > 0;
    if (!this.#isWriting) return;
    const pieces = writes.flatMap((write) => write.pieces);
    const { offset } = writes[0]!;
    const bytes = writes.reduce((sum, write) => sum + write.bytes, 0);
    writev(this.#file, pieces, offset, (error, written) => {
      const good = error === null && (written === bytes || this.#rest(offset, pieces, written));
      this.#next();
      for (const write of writes) {
        this.inFlight--;
        write.done(good);
      }
      this.onDone();
    });
  }

  /** How many of those that wait follow each other, and fit into a call. */
  #row(): number {
    let count = 0;
    let pieces = 0;
    for (const [n, write] of this.#waiting.entries()) {
      const before = this.#waiting[n - 1];
      pieces += write.pieces.length;
      if (before !== undefined && (before.offset + before.bytes !== write.offset || pieces > VECTORS_MAX))
        break;
      count++;
    }
    return count;
  }

  /** The host has taken less than it was given. */
  #rest(offset: number, pieces: readonly Uint8Array[], written: number): boolean {
    let at = offset;
    try {
      for (const piece of pieces) {
        const done = Math.min(piece.length, Math.max(0, offset + written - at));
        this.write(at + done, piece, done, piece.length - done);
        at += piece.length;
      }
      return true;
    } catch {
      return false;
    }
  }

  read(offset: number, into: Uint8Array, at: number, count: number): void {
    for (let done = 0; done < count;) {
      const got = readSync(this.#file, into, at + done, count - done, offset + done);
      if (got === 0) throw new Error(`the image ended before byte ${offset + count}`);
      done += got;
    }
  }

  write(offset: number, from: Uint8Array, at: number, count: number): void {
    for (let done = 0; done < count;)
      done += writeSync(this.#file, from, at + done, count - done, offset + done);
  }

  unmap(offset: number, count: number): void {
    const zeros = new Uint8Array(Math.min(count, 1 << 18));
    for (let done = 0; done < count; done += zeros.length)
      this.write(offset + done, zeros, 0, Math.min(zeros.length, count - done));
  }

  fill(block: Uint8Array): void {
    for (let at = 0; at < this.bytes; at += block.length) this.write(at, block, 0, block.length);
  }

  extent(offset: number): Extent {
    return { mapped: true, bytes: this.bytes - offset };
  }

  flush(): void {
    fdatasyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}
