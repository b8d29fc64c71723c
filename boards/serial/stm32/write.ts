/**
 * An image through the bootloader of STM32's ROM: erase, write, read back, go. A step that fails is taken again; where a
 * block cannot be written anew, because half of it is, all of it begins again.
 */
import { STM32_FLASH_AT } from '../../../firmware/bootloader/layout.ts';
import { EXIT_BAD_BOARD, EXIT_BAD_FLASH_IMAGE, InputError } from '../../input-error.ts';
import { NoAnswer } from '../line-error.ts';
import type { Progress } from '../smp/upload.ts';
import { BLOCK_BYTES, type Identity, Nack, type Stm32Client } from './client.ts';

const EXTENDED_ERASE = 0x44;
const PAGES_AT_ONCE = 64;
const WORD_BYTES = 4;
const TRIES = 6;
const ROUNDS = 3;

/** Bytes of a page by product, where all pages are of one size; [AN2606] 3 and the reference manuals. */
const PAGE_BYTES: ReadonlyMap<number, number> = new Map([
  [0x410, 1024], // F10x medium density
  [0x412, 1024], // F10x low density
  [0x414, 2048], // F10x high density
  [0x415, 2048], // L4x6, and our own bootloader
  [0x420, 1024], // F100 low and medium density
  [0x422, 2048], // F302xB, F303xB
  [0x435, 2048], // L43x
  [0x440, 1024], // F05x
  [0x442, 2048], // F09x
  [0x448, 2048], // F07x
  [0x460, 2048], // G07x
  [0x466, 2048], // G03x
  [0x468, 2048], // G431
]);

export interface WriteOptions {
  image: Uint8Array;
  identity: Identity;
  onProgress?: (progress: Progress) => void;
}

class Writer {
  readonly #client: Stm32Client;
  readonly #options: WriteOptions;
  readonly #padded: Uint8Array;
  #repeats = 0;

  constructor(client: Stm32Client, options: WriteOptions) {
    this.#client = client;
    this.#options = options;
    const words = Math.ceil(options.image.length / WORD_BYTES);
    this.#padded = new Uint8Array(words * WORD_BYTES).fill(0xff);
    this.#padded.set(options.image);
  }

  async run(): Promise<void> {
    for (let round = 1; ; round++) {
      await this.#erase();
      if ((await this.#blocks((at, bytes) => this.#write(at, bytes), 0)) && (await this.#verify())) return;
      if (round === ROUNDS) {
        throw new InputError(
          'the board does not keep what is written to it: is its flash failing?',
          EXIT_BAD_BOARD,
        );
      }
    }
  }

  async #erase(): Promise<void> {
    const { identity } = this.#options;
    const extended = identity.commands.includes(EXTENDED_ERASE);
    const pageBytes = PAGE_BYTES.get(identity.product);
    if (pageBytes === undefined) {
      await this.#again(() => this.#client.eraseAll(extended));
      return;
    }
    const pages = Math.ceil(this.#padded.length / pageBytes);
    for (let first = 0; first < pages; first += PAGES_AT_ONCE) {
      const count = Math.min(PAGES_AT_ONCE, pages - first);
      await this.#again(() => this.#client.erasePages(first, count, extended));
    }
  }

  /** Does something to each block; false as soon as that says false. Writing is one half of the way, reading the other. */
  async #blocks(call: (at: number, bytes: Uint8Array) => Promise<boolean>, before: number): Promise<boolean> {
    const total = this.#padded.length;
    for (let at = 0; at < total; at += BLOCK_BYTES) {
      const block = this.#padded.subarray(at, at + BLOCK_BYTES);
      if (!(await call(at, block))) return false;
      this.#options.onProgress?.({
        done: Math.min(this.#options.image.length, Math.floor((before + at + block.length) / 2)),
        total: this.#options.image.length,
        chunkBytes: BLOCK_BYTES,
        repeats: this.#repeats,
      });
    }
    return true;
  }

  async #write(at: number, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#again(() => this.#client.write(STM32_FLASH_AT + at, bytes));
      return true;
    } catch (error) {
      if (error instanceof Nack) return false; // half of the block was written: it must be erased
      throw error;
    }
  }

  /** What is read has no checksum: a block that differs is read again. */
  #verify(): Promise<boolean> {
    return this.#blocks(async (at, bytes) => {
      for (let n = 0; n < TRIES; n++) {
        const read = await this.#again(() => this.#client.read(STM32_FLASH_AT + at, bytes.length));
        if (Buffer.compare(read, bytes) === 0) return true;
      }
      return false;
    }, this.#padded.length);
  }

  async #again<T>(call: () => Promise<T>): Promise<T> {
    for (let n = 1; ; n++) {
      try {
        return await call();
      } catch (error) {
        if (n >= TRIES || !(error instanceof Nack || error instanceof NoAnswer)) throw error;
        this.#repeats++;
        await this.#client.recover();
      }
    }
  }
}

export const writeImage = (client: Stm32Client, options: WriteOptions): Promise<void> =>
  new Writer(client, options).run();

/** Starts what was written; our own bootloader verifies it first and refuses what it would not boot. */
export async function start(client: Stm32Client): Promise<void> {
  for (let n = 1; ; n++) {
    try {
      return await client.go(STM32_FLASH_AT);
    } catch (error) {
      if (error instanceof Nack && n >= 2) {
        throw new InputError(
          'the board refused to start the image: wrong key, wrong kind of board, or a security counter that is too low',
          EXIT_BAD_FLASH_IMAGE,
        );
      }
      if (n >= TRIES || !(error instanceof Nack || error instanceof NoAnswer)) throw error;
      await client.recover();
    }
  }
}
