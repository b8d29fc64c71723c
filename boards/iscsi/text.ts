/**
 * Text segments: key=value pairs, each ended by a NUL.
 *
 * RFC 7143 6.1 (text format): a key has at most 63 bytes, a value at most 255 unless its key says otherwise
 */
export type Pair = readonly [key: string, value: string];

const KEY = /^[A-Za-z][A-Za-z0-9.\-+@_]{0,62}$/;
/** Longest value of any key: CHAP_C and CHAP_R hold 1024 bytes, hexadecimal or base 64. */
const VALUE_MAX = 2 + 2 * 1024;
const PAIRS_MAX = 128;

/** The pairs in order, or null when it is not a text segment. */
export function parseText(bytes: Uint8Array): Pair[] | null {
  const pairs: Pair[] = [];
  let start = 0;
  for (let i = 0; i <= bytes.length; i++) {
    if (i < bytes.length && bytes[i] !== 0) continue;
    if (i > start) {
      if (i === bytes.length || pairs.length === PAIRS_MAX) return null; // cut off, or far too many
      const pair = parsePair(bytes.subarray(start, i));
      if (pair === null) return null;
      pairs.push(pair);
    }
    start = i + 1;
  }
  return pairs;
}

function parsePair(bytes: Uint8Array): Pair | null {
  const equals = bytes.indexOf(0x3d);
  if (equals < 1 || equals > 63 || bytes.length - equals - 1 > VALUE_MAX) return null;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const key = text.slice(0, equals);
  return KEY.test(key) ? [key, text.slice(equals + 1)] : null;
}

export const formatText = (pairs: readonly Pair[]): Uint8Array =>
  Buffer.from(pairs.map(([key, value]) => `${key}=${value}\0`).join(''), 'utf8');
