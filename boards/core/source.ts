/** What every reader here reads from, and what it says of a file that it cannot make sense of. */

/** The `bytes` bytes at `at`; fewer only where the source ends. */
export type Read = (at: number, bytes: number) => Uint8Array;

export type Format = 'core file' | 'exFAT volume' | 'dump image';

/** The input is not what it should be: a fact about the input, never a bug of the reader. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
  readonly format: Format;
  /** Byte offset in the source of what is wrong. */
  readonly at: number;

  constructor(format: Format, at: number, what: string) {
    super(`${format}: at byte ${at}: ${what}`);
    this.format = format;
    this.at = at;
  }
}

/** No structure of these formats is larger; a size past it is a lie. */
const PIECE_MAX = 1 << 26;

/** A little-endian structure at a known place. Reading past its end throws Malformed. */
export class Fields {
  readonly format: Format;
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(format: Format, at: number, bytes: Uint8Array) {
    this.format = format;
    this.at = at;
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Throws Malformed when the source has not all of it. */
  static read(format: Format, read: Read, at: number, bytes: number): Fields {
    if (!Number.isSafeInteger(at) || at < 0 || bytes < 0 || bytes > PIECE_MAX) {
      throw new Malformed(format, Number.isSafeInteger(at) ? at : 0, `a structure of ${bytes} bytes`);
    }
    const got = read(at, bytes);
    if (got.length !== bytes) throw new Malformed(format, at, `ends after ${got.length} of ${bytes} bytes`);
    return new Fields(format, at, got);
  }

  fail(at: number, what: string): never {
    throw new Malformed(this.format, this.at + at, what);
  }

  #room(at: number, bytes: number): void {
    if (at < 0 || at + bytes > this.bytes.length) this.fail(this.bytes.length, 'ends within a field');
  }

  u8(at: number): number {
    this.#room(at, 1);
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    this.#room(at, 2);
    return this.#view.getUint16(at, true);
  }

  u32(at: number): number {
    this.#room(at, 4);
    return this.#view.getUint32(at, true);
  }

  u64(at: number): bigint {
    this.#room(at, 8);
    return this.#view.getBigUint64(at, true);
  }

  /** A u64 that a file or disk of this world can have; a larger one throws Malformed. */
  size(at: number): number {
    const value = this.u64(at);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(at, `a size of ${value}`);
    return Number(value);
  }

  part(at: number, bytes: number): Fields {
    this.#room(at, bytes);
    return new Fields(this.format, this.at + at, this.bytes.subarray(at, at + bytes));
  }

  /** Text up to the first NUL, as UTF-8; what is none becomes U+FFFD. */
  text(at: number, bytes: number): string {
    const part = this.part(at, bytes).bytes;
    const end = part.indexOf(0);
    return new TextDecoder().decode(end < 0 ? part : part.subarray(0, end));
  }
}
