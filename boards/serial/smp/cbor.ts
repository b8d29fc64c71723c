/**
 * As much CBOR as SMP needs, strictly bounded: numbers to 2^53, byte and text strings, arrays, maps with text keys,
 * flags; of definite or indefinite length.
 *
 * [RFC 8949] 3, 3.2
 */
export type CborValue = number | boolean | null | string | Uint8Array | CborValue[] | CborMap;
export interface CborMap {
  [key: string]: CborValue;
}

const DEPTH_MAX = 8;
const BREAK = 0xff;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

class Reader {
  #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new RangeError('CBOR ends too early');
    return byte;
  }

  #isBreak(): boolean {
    if (this.#bytes[this.#at] !== BREAK) return false;
    this.#at++;
    return true;
  }

  #take(bytes: number): Uint8Array {
    if (bytes > this.#bytes.length - this.#at) throw new RangeError('CBOR string ends too early');
    this.#at += bytes;
    return this.#bytes.slice(this.#at - bytes, this.#at);
  }

  /** Null: of indefinite length. */
  #argument(info: number): number | null {
    if (info < 24) return info;
    if (info === 31) return null;
    if (info > 27) throw new RangeError('CBOR head is reserved');
    let value = 0;
    for (let n = 1 << (info - 24); n > 0; n--) value = value * 256 + this.#byte();
    if (!Number.isSafeInteger(value)) throw new RangeError('CBOR number is too large');
    return value;
  }

  value(depth = 0): CborValue {
    if (depth > DEPTH_MAX) throw new RangeError('CBOR is too deep');
    const first = this.#byte();
    const type = first >> 5;
    const argument = this.#argument(first & 31);
    switch (type) {
      case 0:
      case 1:
        if (argument === null) break;
        return type === 0 ? argument : -1 - argument;
      case 2:
      case 3: {
        const bytes = argument === null ? this.#chunks(type) : this.#take(argument);
        return type === 2 ? bytes : UTF8.decode(bytes);
      }
      case 4: {
        const items: CborValue[] = [];
        while (argument === null ? !this.#isBreak() : items.length < argument)
          items.push(this.value(depth + 1));
        return items;
      }
      case 5:
        return this.#map(argument, depth);
      case 6:
        if (argument === null) break;
        return this.value(depth + 1); // a tag says nothing here
      default:
        if (first === 0xf4 || first === 0xf5) return first === 0xf5;
        if (first === 0xf6 || first === 0xf7) return null;
    }
    throw new RangeError('CBOR item is none of those that SMP has');
  }

  #chunks(type: number): Uint8Array {
    const parts: Uint8Array[] = [];
    while (!this.#isBreak()) {
      const first = this.#byte();
      const bytes = first >> 5 === type ? this.#argument(first & 31) : null;
      if (bytes === null) throw new RangeError('CBOR string has a chunk that is none');
      parts.push(this.#take(bytes));
    }
    return Buffer.concat(parts);
  }

  #map(count: number | null, depth: number): CborMap {
    const map = Object.create(null) as CborMap;
    for (let n = 0; count === null ? !this.#isBreak() : n < count; n++) {
      const key = this.value(depth + 1);
      if (typeof key !== 'string') throw new RangeError('CBOR map has a key that is no text');
      map[key] = this.value(depth + 1);
    }
    return map;
  }
}

/** The one value that `bytes` hold; RangeError or TypeError when they hold anything else. */
export function cborDecode(bytes: Uint8Array): CborValue {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (!reader.isAtEnd) throw new RangeError('CBOR has bytes behind its end');
  return value;
}

function head(type: number, value: number): number[] {
  const major = type << 5;
  if (value < 24) return [major | value];
  if (value < 0x100) return [major | 24, value];
  if (value < 0x1_0000) return [major | 25, value >> 8, value & 255];
  return [major | 26, (value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

type Scalar = number | boolean | string | Uint8Array;

function encoded(value: Scalar): Uint8Array[] {
  if (typeof value === 'boolean') return [Uint8Array.of(value ? 0xf5 : 0xf4)];
  if (typeof value === 'number') return [Uint8Array.from(head(0, value))];
  const isText = typeof value === 'string';
  const bytes = isText ? Buffer.from(value) : value;
  return [Uint8Array.from(head(isText ? 3 : 2, bytes.length)), bytes];
}

/** A map of scalars; numbers are below 2^32. */
export function cborEncode(map: Readonly<Record<string, Scalar>>): Uint8Array {
  const entries = Object.entries(map);
  return Buffer.concat([
    Uint8Array.from(head(5, entries.length)),
    ...entries.flatMap(([key, value]) => [...encoded(key), ...encoded(value)]),
  ]);
}
