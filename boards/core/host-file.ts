/** A file of the host that the readers read from. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { EXIT_BAD_CORE, InputError } from '../input-error.ts';
import type { Read } from './source.ts';

export class HostFile {
  readonly path: string;
  readonly bytes: number;
  readonly #file: number;

  constructor(path: string) {
    this.path = path;
    try {
      this.#file = openSync(path, 'r');
    } catch (error) {
      throw refused(path, error);
    }
    const stat = fstatSync(this.#file);
    if (!stat.isFile()) {
      closeSync(this.#file);
      const what = stat.isDirectory()
        ? 'a folder: name the image or core file in it'
        : 'not a regular file: copy it to one';
      throw new InputError(`${path}: is ${what}`, EXIT_BAD_CORE);
    }
    this.bytes = stat.size;
  }

  /** Fewer bytes where the file ends, or where the host's disk would not give them. */
  readonly read: Read = (at, bytes) => {
    const into = new Uint8Array(Math.max(0, Math.min(bytes, this.bytes - at)));
    let done = 0;
    try {
      while (done < into.length) {
        const got = readSync(this.#file, into, done, into.length - done, at + done);
        if (got === 0) break;
        done += got;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error;
    }
    return into.subarray(0, done);
  };

  close(): void {
    closeSync(this.#file);
  }
}

function refused(path: string, error: unknown): InputError {
  const { code } = error as NodeJS.ErrnoException;
  const why = code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`;
  return new InputError(`${path}: ${why}`, EXIT_BAD_CORE);
}
