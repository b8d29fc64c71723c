/**
 * Ed25519: is this signature of this message by this key? Strictly: S below the group's order, the key's point in its
 * only form, R compared as bytes. All of it is public, so time may depend on it.
 *
 * [RFC 8032] 5.1.3 decoding, 5.1.4 point addition, 5.1.7 verify
 */
import { GF, PRODUCT_BYTES, add, invert, multiply, pack, set, subtract, unpack } from './field25519';
import { SHA512_BYTES, SHA512_SCRATCH_BYTES, sha512 } from './sha512';

const D = memory.data<u8>([
  0xa3, 0x78, 0x59, 0x13, 0xca, 0x4d, 0xeb, 0x75, 0xab, 0xd8, 0x41, 0x41, 0x4d, 0x0a, 0x70, 0x00, 0x98, 0xe8,
  0x79, 0x77, 0x79, 0x40, 0xc7, 0x8c, 0x73, 0xfe, 0x6f, 0x2b, 0xee, 0x6c, 0x03, 0x52,
]);
const D2 = memory.data<u8>([
  0x59, 0xf1, 0xb2, 0x26, 0x94, 0x9b, 0xd6, 0xeb, 0x56, 0xb1, 0x83, 0x82, 0x9a, 0x14, 0xe0, 0x00, 0x30, 0xd1,
  0xf3, 0xee, 0xf2, 0x80, 0x8e, 0x19, 0xe7, 0xfc, 0xdf, 0x56, 0xdc, 0xd9, 0x06, 0x24,
]);
/** A square root of -1. */
const ROOT = memory.data<u8>([
  0xb0, 0xa0, 0x0e, 0x4a, 0x27, 0x1b, 0xee, 0xc4, 0x78, 0xe4, 0x2f, 0xad, 0x06, 0x18, 0x43, 0x2f, 0xa7, 0xd7,
  0xfb, 0x3d, 0x99, 0x00, 0x4d, 0x2b, 0x0b, 0xdf, 0xc1, 0x4f, 0x80, 0x24, 0x83, 0x2b,
]);
const BASE_X = memory.data<u8>([
  0x1a, 0xd5, 0x25, 0x8f, 0x60, 0x2d, 0x56, 0xc9, 0xb2, 0xa7, 0x25, 0x95, 0x60, 0xc7, 0x2c, 0x69, 0x5c, 0xdc,
  0xd6, 0xfd, 0x31, 0xe2, 0xa4, 0xc0, 0xfe, 0x53, 0x6e, 0xcd, 0xd3, 0x36, 0x69, 0x21,
]);
const BASE_Y = memory.data<u8>([
  0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
  0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
]);
/** The order of the group. */
const L = memory.data<u8>([
  0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0x00, 0x00,
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10,
]);

/** A point in extended coordinates: X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z. */
const POINT: usize = 4 * GF;
const Y: usize = GF;
const Z: usize = 2 * GF;
const T: usize = 3 * GF;

// Parts of the scratch area.
const TEMPS: usize = PRODUCT_BYTES; // 9 numbers
const TEMP_COUNT: usize = 9;
const D2_AT: usize = TEMPS + TEMP_COUNT * GF;
const SUM_AT: usize = D2_AT + GF; // points: the sum, the base, the key's negative, both together
const BASE_AT: usize = SUM_AT + POINT;
const KEY_AT: usize = BASE_AT + POINT;
const BOTH_AT: usize = KEY_AT + POINT;
const WIDE_AT: usize = BOTH_AT + POINT; // 64 words, while a digest is reduced
const HASH_AT: usize = WIDE_AT + 512; // a digest, then the scalar it becomes
const BYTES_AT: usize = HASH_AT + SHA512_BYTES; // two packed numbers
const SHA_AT: usize = BYTES_AT + 64;
const MESSAGE_AT: usize = SHA_AT + SHA512_SCRATCH_BYTES; // R, key, message
/** Longest message: what is signed here is a digest. */
export const ED25519_MESSAGE_MAX: u32 = 64;
export const ED25519_SCRATCH_BYTES: u32 = <u32>MESSAGE_AT + 64 + ED25519_MESSAGE_MAX;

/** `signature` of 64 bytes, `key` of 32; no message that is longer than ED25519_MESSAGE_MAX has a valid one here. */
export function ed25519_verify(
  signature: usize,
  message: usize,
  bytes: u32,
  key: usize,
  scratch: usize,
): bool {
  if (bytes > ED25519_MESSAGE_MAX || !below_order(signature + 32)) return false;
  unpack(scratch + D2_AT, D2);
  if (!decode_negative(scratch + KEY_AT, key, scratch)) return false;
  const base = scratch + BASE_AT;
  unpack(base, BASE_X);
  unpack(base + Y, BASE_Y);
  set(base + Z, 1);
  multiply(base + T, base, base + Y, scratch);
  const said = scratch + MESSAGE_AT;
  memory.copy(said, signature, 32);
  memory.copy(said + 32, key, 32);
  memory.copy(said + 64, message, bytes);
  const hash = scratch + HASH_AT;
  sha512(said, 64 + bytes, hash, scratch + SHA_AT);
  reduce(hash, scratch + WIDE_AT);
  // R = S B - k A
  multiply_both(signature + 32, hash, scratch);
  encode(scratch + BYTES_AT, scratch + SUM_AT, scratch);
  return memory.compare(scratch + BYTES_AT, signature, 32) == 0;
}

/** Is the number of 32 bytes below L? */
function below_order(scalar: usize): bool {
  for (let i: i32 = 31; i >= 0; i--) {
    const a = load<u8>(scalar + i);
    const b = load<u8>(L + i);
    if (a != b) return a < b;
  }
  return false;
}

/** The 64 bytes of a digest, as a number, modulo L: 32 bytes in the same place. */
function reduce(hash: usize, wide: usize): void {
  for (let i: i32 = 0; i < 64; i++) store<i64>(wide + (i << 3), load<u8>(hash + i));
  // 2^252 is L less a number of 125 bits: a byte above comes in below, times -16 of that.
  for (let i: i32 = 63; i >= 32; i--) {
    const top = load<i64>(wide + (i << 3));
    let carry: i64 = 0;
    for (let j: i32 = i - 32; j < i - 12; j++) {
      const v = load<i64>(wide + (j << 3)) + carry - 16 * top * load<u8>(L + (j - (i - 32)));
      carry = (v + 128) >> 8;
      store<i64>(wide + (j << 3), v - (carry << 8));
    }
    const end = wide + ((i - 12) << 3);
    store<i64>(end, load<i64>(end) + carry);
    store<i64>(wide + (i << 3), 0);
  }
  const high = load<i64>(wide + 248) >> 4;
  let carry: i64 = 0;
  for (let j: i32 = 0; j < 32; j++) {
    const v = load<i64>(wide + (j << 3)) + carry - high * load<u8>(L + j);
    carry = v >> 8;
    store<i64>(wide + (j << 3), v & 255);
  }
  let over: i64 = 0;
  for (let j: i32 = 0; j < 32; j++) {
    const v = load<i64>(wide + (j << 3)) - carry * load<u8>(L + j) + over;
    over = v >> 8;
    store<u8>(hash + j, <u8>v);
  }
}

/** `sum` += `point`. The formula is complete: the two may be the same, or the neutral point. */
function add_point(sum: usize, point: usize, scratch: usize): void {
  const a = scratch + TEMPS;
  const b = a + GF;
  const c = b + GF;
  const d = c + GF;
  const t = d + GF;
  const e = t + GF;
  const f = e + GF;
  const g = f + GF;
  const h = g + GF;
  subtract(a, sum + Y, sum);
  subtract(t, point + Y, point);
  multiply(a, a, t, scratch);
  add(b, sum, sum + Y);
  add(t, point, point + Y);
  multiply(b, b, t, scratch);
  multiply(c, sum + T, point + T, scratch);
  multiply(c, c, scratch + D2_AT, scratch);
  multiply(d, sum + Z, point + Z, scratch);
  add(d, d, d);
  subtract(e, b, a);
  subtract(f, d, c);
  add(g, d, c);
  add(h, b, a);
  multiply(sum, e, f, scratch);
  multiply(sum + Y, h, g, scratch);
  multiply(sum + Z, g, f, scratch);
  multiply(sum + T, e, h, scratch);
}

/** The sum at SUM_AT = `s` times the base + `k` times the point at KEY_AT, bit by bit of both at once. */
function multiply_both(s: usize, k: usize, scratch: usize): void {
  const sum = scratch + SUM_AT;
  const both = scratch + BOTH_AT;
  memory.copy(both, scratch + BASE_AT, POINT);
  add_point(both, scratch + KEY_AT, scratch);
  memory.fill(sum, 0, POINT); // the neutral point (0, 1)
  set(sum + Y, 1);
  set(sum + Z, 1);
  for (let bit: i32 = 252; bit >= 0; bit--) {
    add_point(sum, sum, scratch);
    const inBase = (load<u8>(s + (bit >> 3)) >> (<u8>(bit & 7))) & 1;
    const inKey = (load<u8>(k + (bit >> 3)) >> (<u8>(bit & 7))) & 1;
    if (inBase == 0 && inKey == 0) continue;
    add_point(sum, inKey == 0 ? scratch + BASE_AT : inBase == 0 ? scratch + KEY_AT : both, scratch);
  }
}

/** y, and the lowest bit of x above it. */
function encode(out: usize, point: usize, scratch: usize): void {
  const inverse = scratch + TEMPS;
  const x = inverse + GF;
  const y = x + GF;
  const m = y + GF;
  invert(inverse, point + Z, scratch);
  multiply(x, point, inverse, scratch);
  multiply(y, point + Y, inverse, scratch);
  pack(out, y, m);
  store<u8>(out + 31, load<u8>(out + 31) | (odd(x, scratch) << 7));
}

/** The lowest bit of a number in its only form; it is changed to an equal one. */
function odd(n: usize, scratch: usize): u8 {
  pack(scratch + BYTES_AT + 32, n, scratch + TEMPS + 8 * GF);
  return load<u8>(scratch + BYTES_AT + 32) & 1;
}

/** The negative of the point that the 32 bytes at `from` name; false when they name none, or not in its only form. */
function decode_negative(point: usize, from: usize, scratch: usize): bool {
  const d = scratch + TEMPS;
  const numerator = d + GF;
  const denominator = numerator + GF;
  const t = denominator + GF;
  const u = t + GF;
  const y = point + Y;
  unpack(y, from);
  if (!is_canonical(from, y, scratch)) return false;
  // x^2 = (y^2 - 1) / (d y^2 + 1)
  set(point + Z, 1);
  unpack(d, D);
  multiply(numerator, y, y, scratch);
  multiply(denominator, numerator, d, scratch);
  subtract(numerator, numerator, point + Z);
  add(denominator, denominator, point + Z);
  // The candidate root: (u/v)^((p+3)/8) = u v^3 (u v^7)^((p-5)/8)
  multiply(t, denominator, denominator, scratch);
  multiply(u, t, t, scratch);
  multiply(u, u, t, scratch); // v^6
  multiply(t, u, numerator, scratch);
  multiply(t, t, denominator, scratch); // u v^7
  power_p58(u, t, scratch);
  multiply(u, u, numerator, scratch);
  multiply(u, u, denominator, scratch);
  multiply(u, u, denominator, scratch);
  multiply(point, u, denominator, scratch);
  if (!is_root(point, numerator, denominator, scratch)) {
    unpack(t, ROOT);
    multiply(point, point, t, scratch);
    if (!is_root(point, numerator, denominator, scratch)) return false;
  }
  memory.copy(t, point, GF);
  const sign = load<u8>(from + 31) >> 7;
  const isOdd = odd(t, scratch);
  if (sign == 1 && isOdd == 0 && is_zero_packed(scratch + BYTES_AT + 32)) return false; // -0
  if (isOdd == sign) {
    set(t, 0);
    subtract(point, t, point);
  }
  multiply(point + T, point, y, scratch);
  return true;
}

/** Is y below p? Its top bit is the sign of x. */
function is_canonical(from: usize, y: usize, scratch: usize): bool {
  const n = scratch + TEMPS;
  memory.copy(n, y, GF);
  pack(scratch + BYTES_AT, n, n + GF);
  for (let i: usize = 0; i < 31; i++) {
    if (load<u8>(scratch + BYTES_AT + i) != load<u8>(from + i)) return false;
  }
  return load<u8>(scratch + BYTES_AT + 31) == (load<u8>(from + 31) & 127);
}

function is_zero_packed(bytes: usize): bool {
  return (load<u64>(bytes) | load<u64>(bytes, 8) | load<u64>(bytes, 16) | load<u64>(bytes, 24)) == 0;
}

/** Is x^2 v = u? */
function is_root(x: usize, u: usize, v: usize, scratch: usize): bool {
  const t = scratch + TEMPS + 5 * GF;
  multiply(t, x, x, scratch);
  multiply(t, t, v, scratch);
  subtract(t, t, u);
  pack(scratch + BYTES_AT, t, t + GF);
  return is_zero_packed(scratch + BYTES_AT);
}

/** o = a to the power of (p - 5) / 8. `o` is not `a`. */
function power_p58(o: usize, a: usize, scratch: usize): void {
  memory.copy(o, a, GF);
  for (let bit: i32 = 250; bit >= 0; bit--) {
    multiply(o, o, o, scratch);
    if (bit != 1) multiply(o, o, a, scratch);
  }
}
