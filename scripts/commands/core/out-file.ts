// A file that is made whole or not at all, with holes where nothing is written.
import {
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { EXIT_BAD_CORE, InputError } from '../../../boards/input-error.ts';
import { EXIT_OUTPUT } from '../../exit-codes.ts';

/** What a file system without hard links says, FAT for instance. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

export class OutFile {
  readonly #path: string;
  readonly #unfinished: string;
  readonly #file: number;
  #end = 0;

  private constructor(path: string) {
    this.#path = path;
    this.#unfinished = `${path}.${process.pid}.unfinished`;
    try {
      this.#file = openSync(this.#unfinished, 'wx');
    } catch (error) {
      throw failed(path, error);
    }
  }

  /** Lends `use` the file; it gets its name when all went well. A file that is there stays unless `force`. */
  static async make(path: string, force: boolean, use: (file: OutFile) => Promise<void>): Promise<void> {
    if (!force && existsSync(path)) throw taken(path);
    const file = new OutFile(path);
    try {
      await use(file);
      ftruncateSync(file.#file, file.#end);
      closeSync(file.#file);
    } catch (error) {
      rmSync(file.#unfinished, { force: true });
      throw error;
    }
    file.#name(force);
  }

  #name(force: boolean): void {
    try {
      if (force) {
        renameSync(this.#unfinished, this.#path);
        return;
      }
      this.#link();
    } catch (error) {
      rmSync(this.#unfinished, { force: true });
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw taken(this.#path);
      throw failed(this.#path, error);
    }
  }

  /** Fails when there is such a file. */
  #link(): void {
    try {
      linkSync(this.#unfinished, this.#path);
      rmSync(this.#unfinished);
    } catch (error) {
      if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      closeSync(openSync(this.#path, 'wx')); // so it takes the name first
      renameSync(this.#unfinished, this.#path);
    }
  }

  readonly write = (at: number, bytes: Uint8Array): void => {
    try {
      for (let done = 0; done < bytes.length;) {
        done += writeSync(this.#file, bytes, done, bytes.length - done, at + done);
      }
    } catch (error) {
      throw failed(this.#path, error);
    }
    this.#end = Math.max(this.#end, at + bytes.length);
  };

  readonly append = (bytes: Uint8Array): void => this.write(this.#end, bytes);

  /** What is between the last byte written and `bytes` is zero. */
  extend(bytes: number): void {
    this.#end = Math.max(this.#end, bytes);
  }

  get bytes(): number {
    return this.#end;
  }
}

const taken = (path: string): InputError =>
  new InputError(`${path}: is there already; --force replaces it`, EXIT_BAD_CORE);

const failed = (path: string, error: unknown): InputError =>
  new InputError(`${path}: cannot be written (${(error as NodeJS.ErrnoException).code})`, EXIT_OUTPUT);
