/**
 * X25519: the shared secret of two key pairs, and the public key of a private one. Numbers modulo 2^255 - 19 are 16
 * limbs of 16 bits in 64-bit words, so that products add up without a carry. No branch and no address depends on a
 * secret.
 *
 * [RFC 7748] 5 the X25519 function, 6.1 Curve25519
 */

/** Bytes of a number. */
const GF: usize = 128;
const LIMBS: i32 = 16;
// Parts of the scratch area.
const PRODUCT: usize = 0; // 31 words
const X: usize = 256;
const A: usize = X + GF;
const B: usize = A + GF;
const C: usize = B + GF;
const D: usize = C + GF;
const E: usize = D + GF;
const F: usize = E + GF;
const M: usize = F + GF;
const SCALAR: usize = M + GF;
export const X25519_SCRATCH_BYTES: u32 = 256 + 8 * 128 + 64;
/** (486662 - 2) / 4 */
const A24: i64 = 121665;

/** Carries once around: each limb is left with 16 bits, and what runs over the top comes in again times 38. */
function carry(o: usize): void {
  let c: i64 = 0;
  for (let i: i32 = 0; i < LIMBS; i++) {
    const v = load<i64>(o + (i << 3)) + c;
    c = v >> 16;
    store<i64>(o + (i << 3), v & 0xffff);
  }
  store<i64>(o, load<i64>(o) + 38 * c);
}

function set(o: usize, value: i64): void {
  memory.fill(o, 0, GF);
  store<i64>(o, value);
}

function add(o: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < GF; i += 8) store<i64>(o + i, load<i64>(a + i) + load<i64>(b + i));
}

function subtract(o: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < GF; i += 8) store<i64>(o + i, load<i64>(a + i) - load<i64>(b + i));
}

function multiply(o: usize, a: usize, b: usize, scratch: usize): void {
  const t = scratch + PRODUCT;
  memory.fill(t, 0, 256);
  for (let i: usize = 0; i < GF; i += 8) {
    const x = load<i64>(a + i);
    for (let j: usize = 0; j < GF; j += 8) {
      store<i64>(t + i + j, load<i64>(t + i + j) + x * load<i64>(b + j));
    }
  }
  for (let i: usize = 0; i < GF; i += 8) {
    const high = i < GF - 8 ? load<i64>(t + i + GF) : 0;
    store<i64>(o + i, load<i64>(t + i) + 38 * high);
  }
  carry(o);
  carry(o);
}

/** o = a * a24 */
function multiply_a24(o: usize, a: usize): void {
  for (let i: usize = 0; i < GF; i += 8) store<i64>(o + i, load<i64>(a + i) * A24);
  carry(o);
  carry(o);
}

/** Swaps the two when `bit` is 1. */
function swap(p: usize, q: usize, bit: i64): void {
  const mask = -bit;
  for (let i: usize = 0; i < GF; i += 8) {
    const t = mask & (load<i64>(p + i) ^ load<i64>(q + i));
    store<i64>(p + i, load<i64>(p + i) ^ t);
    store<i64>(q + i, load<i64>(q + i) ^ t);
  }
}

/** o = a to the power of p - 2, which is 1 / a. `o` is not `a`. */
function invert(o: usize, a: usize, scratch: usize): void {
  memory.copy(o, a, GF);
  for (let bit: i32 = 253; bit >= 0; bit--) {
    multiply(o, o, o, scratch);
    if (bit != 2 && bit != 4) multiply(o, o, a, scratch);
  }
}

function unpack(o: usize, from: usize): void {
  for (let i: i32 = 0; i < LIMBS; i++) store<i64>(o + (i << 3), load<u16>(from + (i << 1)));
  store<i64>(o + 120, load<i64>(o + 120) & 0x7fff);
}

/** The number's only form below p, 32 bytes. `m` is scratch. */
function pack(out: usize, n: usize, m: usize): void {
  carry(n);
  carry(n);
  carry(n);
  for (let round = 0; round < 2; round++) {
    let borrow: i64 = 0;
    for (let i: i32 = 0; i < LIMBS; i++) {
      const p: i64 = i == 0 ? 0xffed : i == 15 ? 0x7fff : 0xffff;
      const v = load<i64>(n + (i << 3)) - p - borrow;
      borrow = (v >> 16) & 1;
      store<i64>(m + (i << 3), i == 15 ? v : v & 0xffff);
    }
    swap(n, m, 1 - borrow);
  }
  for (let i: i32 = 0; i < LIMBS; i++) store<u16>(out + (i << 1), <u16>load<i64>(n + (i << 3)));
}

/**
 * `out` = the x-coordinate of `scalar` times the point `point`, 32 bytes each. The scratch area is left full of secrets:
 * the caller clears it. An `out` of zeros says that the point is one of those that no honest key pair has.
 */
export function x25519(out: usize, scalar: usize, point: usize, scratch: usize): void {
  const x = scratch + X;
  const a = scratch + A;
  const b = scratch + B;
  const c = scratch + C;
  const d = scratch + D;
  const e = scratch + E;
  const f = scratch + F;
  const k = scratch + SCALAR;
  memory.copy(k, scalar, 32);
  store<u8>(k, load<u8>(k) & 248);
  store<u8>(k + 31, (load<u8>(k + 31) & 127) | 64);
  unpack(x, point);
  set(a, 1);
  memory.copy(b, x, GF);
  set(c, 0);
  set(d, 1);
  // The Montgomery ladder: a/c is one point, b/d the next; e, f hold what is on its way.
  for (let bit: i32 = 254; bit >= 0; bit--) {
    const r = <i64>((load<u8>(k + (bit >> 3)) >> (<u8>(bit & 7))) & 1);
    swap(a, b, r);
    swap(c, d, r);
    add(e, a, c);
    subtract(a, a, c);
    add(c, b, d);
    subtract(b, b, d);
    multiply(d, e, e, scratch);
    multiply(f, a, a, scratch);
    multiply(a, c, a, scratch);
    multiply(c, b, e, scratch);
    add(e, a, c);
    subtract(a, a, c);
    multiply(b, a, a, scratch);
    subtract(c, d, f);
    multiply_a24(a, c);
    add(a, a, d);
    multiply(c, c, a, scratch);
    multiply(a, d, f, scratch);
    multiply(d, b, x, scratch);
    multiply(b, e, e, scratch);
    swap(a, b, r);
    swap(c, d, r);
  }
  invert(e, c, scratch);
  multiply(a, a, e, scratch);
  pack(out, a, scratch + M);
}

const BASE = memory.data<u8>([
  9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

/** The public key of a private one. */
export function x25519_public(out: usize, scalar: usize, scratch: usize): void {
  x25519(out, scalar, BASE, scratch);
}
