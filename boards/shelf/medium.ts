/** The medium behind a disk: bytes that stay, in memory or in a sparse file. Offsets and lengths in bytes. */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { EXIT_BAD_IMAGE, InputError } from '../input-error.ts';

export interface Medium {
  readonly bytes: number;
  /** Fills `count` bytes of `into` from `at` on; what was never written reads as zero. */
  read(offset: number, into: Uint8Array, at: number, count: number): void;
  write(offset: number, from: Uint8Array, at: number, count: number): void;
  /** What was written is durable. */
  flush(): void;
  close(): void;
}

const PIECE = 1 << 18;

/** Pieces of 256 KiB, made when first written. */
export class MemoryMedium implements Medium {
  readonly bytes: number;
  #pieces: (Uint8Array | undefined)[];

  constructor(bytes: number) {
    this.bytes = bytes;
    this.#pieces = Array.from({ length: Math.ceil(bytes / PIECE) });
  }

  read(offset: number, into: Uint8Array, at: number, count: number): void {
    for (let done = 0; done < count;) {
      const start = (offset + done) % PIECE;
      const part = Math.min(PIECE - start, count - done);
      const piece = this.#pieces[Math.floor((offset + done) / PIECE)];
      if (piece === undefined) into.fill(0, at + done, at + done + part);
      else into.set(piece.subarray(start, start + part), at + done);
      done += part;
    }
  }

  write(offset: number, from: Uint8Array, at: number, count: number): void {
    for (let done = 0; done < count;) {
      const index = Math.floor((offset + done) / PIECE);
      const start = (offset + done) % PIECE;
      const part = Math.min(PIECE - start, count - done);
      const piece = (this.#pieces[index] ??= new Uint8Array(PIECE));
      piece.set(from.subarray(at + done, at + done + part), start);
      done += part;
    }
  }

  flush(): void {}
  close(): void {}
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
    for (let done = 0; done < count;) {
      done += writeSync(this.#file, from, at + done, count - done, offset + done);
    }
  }

  flush(): void {
    fsyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}
