/** The medium behind a disk: bytes that stay, in memory or in a sparse file. Offsets and lengths in bytes. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { EXIT_BAD_IMAGE, EXIT_CANNOT_WRITE, InputError } from '../input-error.ts';

export interface Medium {
  readonly bytes: number;
  /** Fills `count` bytes of `into` from `at` on; what was never written reads as zero. */
  read(offset: number, into: Uint8Array, at: number, count: number): void;
  write(offset: number, from: Uint8Array, at: number, count: number): void;
  /** Writes pieces of `memory`, pairs of address and bytes, one after the other, where that is quicker than each alone. */
  gather?: (offset: number, memory: Uint8Array, list: readonly number[], bytes: number) => void;
  /**
   * A medium that writes while its host goes on: takes `bytes` bytes out of pieces of `memory`, pairs of address and
   * bytes, and calls when it has. Of the real world only: when that is depends on the host.
   */
  post?:
    | ((
        offset: number,
        memory: Uint8Array,
        list: readonly number[],
        bytes: number,
        done: (good: boolean) => void,
      ) => void)
    | undefined;
  /** These bytes read as zero from now on; a thin medium forgets them. */
  unmap(offset: number, count: number): void;
  /** All of the medium is this block, again and again. Its size divides the medium's and 256 KiB. */
  fill(block: Uint8Array): void;
  /** What lies at `offset`, and for how many bytes at least it goes on so. */
  extent(offset: number): Extent;
  /** What was written is durable. */
  flush(): void;
  close(): void;
}

export interface Extent {
  mapped: boolean;
  bytes: number;
}

const PIECE = 1 << 18;
/** Only read. */
const ZEROS = new Uint8Array(PIECE);

/** A piece of nothing but this block. */
function pieceOf(block: Uint8Array): Uint8Array {
  const piece = new Uint8Array(PIECE);
  for (let at = 0; at < PIECE; at += block.length) piece.set(block, at);
  return piece;
}

/** Most reads are of a page, and making a view for each takes a third of such a read: they are kept. */
const PAGE = 4096;

class Piece {
  readonly bytes: Uint8Array;
  readonly #pages: Uint8Array[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  part(start: number, count: number): Uint8Array {
    if (count !== PAGE || start % PAGE !== 0) return this.bytes.subarray(start, start + count);
    return (this.#pages[start / PAGE] ??= this.bytes.subarray(start, start + PAGE));
  }
}

/** Forgotten where blank is not zero. */
const HOLE = new Piece(ZEROS);

/** Pieces of 256 KiB, made when first written. */
export class MemoryMedium implements Medium {
  readonly bytes: number;
  #pieces = new Map<number, Piece>();
  /** What a piece is that was not made yet; null: zeros. */
  #blank: Piece | null = null;

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  read(offset: number, into: Uint8Array, at: number, count: number): void {
    for (let done = 0; done < count;) {
      const index = Math.floor((offset + done) / PIECE);
      const start = offset + done - index * PIECE;
      const part = Math.min(PIECE - start, count - done);
      const piece = this.#pieces.get(index) ?? this.#blank;
      if (piece === null) into.fill(0, at + done, at + done + part);
      else into.set(piece.part(start, part), at + done);
      done += part;
    }
  }

  write(offset: number, from: Uint8Array, at: number, count: number): void {
    for (let done = 0; done < count;) {
      const index = Math.floor((offset + done) / PIECE);
      const start = offset + done - index * PIECE;
      const part = Math.min(PIECE - start, count - done);
      this.#made(index).bytes.set(from.subarray(at + done, at + done + part), start);
      done += part;
    }
  }

  #made(index: number): Piece {
    let piece = this.#pieces.get(index);
    if (piece === undefined || piece === HOLE) {
      const blank = piece === undefined ? this.#blank : null;
      piece = new Piece(blank === null ? new Uint8Array(PIECE) : blank.bytes.slice());
      this.#pieces.set(index, piece);
    }
    return piece;
  }

  unmap(offset: number, count: number): void {
    if (this.#blank === null && count >= this.#pieces.size * PIECE) return this.#forget(offset, count);
    for (let done = 0; done < count;) {
      const index = Math.floor((offset + done) / PIECE);
      const start = offset + done - index * PIECE;
      const part = Math.min(PIECE - start, count - done);
      if (part === PIECE && this.#blank === null) this.#pieces.delete(index);
      else if (part === PIECE) this.#pieces.set(index, HOLE);
      else if (this.#blank !== null || this.#pieces.has(index))
        this.#made(index).bytes.fill(0, start, start + part);
      done += part;
    }
  }

  /** Goes over the pieces that there are, not over those that there might be. */
  #forget(offset: number, count: number): void {
    for (const [index, piece] of this.#pieces) {
      const start = Math.max(0, offset - index * PIECE);
      const end = Math.min(PIECE, offset + count - index * PIECE);
      if (start === 0 && end === PIECE) this.#pieces.delete(index);
      else if (start < end) piece.bytes.fill(0, start, end);
    }
  }

  fill(block: Uint8Array): void {
    this.#pieces.clear();
    this.#blank = block.some((byte) => byte !== 0) ? new Piece(pieceOf(block)) : null;
  }

  extent(offset: number): Extent {
    return { mapped: true, bytes: this.bytes - offset };
  }

  flush(): void {}
  close(): void {}
}

/** That a system takes in one call: IOV_MAX. */
export const VECTORS_MAX = 1024;

/** Views of the first `bytes` bytes of pieces of `memory`, pairs of address and bytes. */
export function piecesOf(memory: Uint8Array, list: readonly number[], bytes: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let i = 0, rest = bytes; i < list.length && rest > 0; i += 2) {
    const part = Math.min(list[i + 1]!, rest);
    pieces.push(memory.subarray(list[i]!, list[i]! + part));
    rest -= part;
  }
  return pieces;
}

/** The host cannot write an image: its file system is full, for instance. */
export class ImageError extends InputError {
  constructor(path: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${path}: cannot be written (${why})`, EXIT_CANNOT_WRITE);
  }
}

/** A sparse file: a raw image that `dd`, `sgdisk` and `qemu-img` read. */
export class FileMedium implements Medium {
  readonly bytes: number;
  readonly path: string;
  #file: number;

  /** Opens the image at `path`, which must have `bytes` bytes; with `create` it is made, and must not exist. */
  constructor(path: string, bytes: number, create: boolean) {
    this.path = path;
    this.bytes = bytes;
    this.#file = openSync(path, create ? 'wx+' : 'r+');
    if (create) ftruncateSync(this.#file, bytes);
    const size = fstatSync(this.#file).size;
    if (size !== bytes) {
      closeSync(this.#file);
      throw new InputError(
        `${path}: has ${size} bytes where the scenario's disk has ${bytes}; use the scenario that made it, or another folder`,
        EXIT_BAD_IMAGE,
      );
    }
  }

  read(offset: number, into: Uint8Array, at: number, count: number): void {
    for (let done = 0; done < count;) {
      const got = readSync(this.#file, into, at + done, count - done, offset + done);
      if (got === 0)
        throw new InputError(
          `${this.path}: ended before byte ${offset + count}; it was cut while in use`,
          EXIT_BAD_IMAGE,
        );
      done += got;
    }
  }

  write(offset: number, from: Uint8Array, at: number, count: number): void {
    try {
      for (let done = 0; done < count;) {
        done += writeSync(this.#file, from, at + done, count - done, offset + done);
      }
    } catch (error) {
      throw new ImageError(this.path, error);
    }
  }

  gather(offset: number, memory: Uint8Array, list: readonly number[], bytes: number): void {
    const pieces = piecesOf(memory, list, bytes);
    let written: number;
    try {
      written = pieces.length > VECTORS_MAX ? 0 : writevSync(this.#file, pieces, offset);
    } catch (error) {
      throw new ImageError(this.path, error);
    }
    let at = offset;
    for (const piece of pieces) {
      const done = Math.min(piece.length, Math.max(0, offset + written - at));
      this.write(at + done, piece, done, piece.length - done); // the host may take less than it was given
      at += piece.length;
    }
  }

  unmap(offset: number, count: number): void {
    for (let done = 0; done < count; done += PIECE) {
      this.write(offset + done, ZEROS, 0, Math.min(PIECE, count - done));
    }
  }

  fill(block: Uint8Array): void {
    if (block.every((byte) => byte === 0)) {
      ftruncateSync(this.#file, 0); // nothing but a hole
      return ftruncateSync(this.#file, this.bytes);
    }
    const piece = pieceOf(block);
    for (let at = 0; at < this.bytes; at += PIECE) {
      this.write(at, piece, 0, Math.min(PIECE, this.bytes - at));
    }
  }

  extent(offset: number): Extent {
    return { mapped: true, bytes: this.bytes - offset };
  }

  flush(): void {
    try {
      fsyncSync(this.#file);
    } catch (error) {
      throw new ImageError(this.path, error);
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}
