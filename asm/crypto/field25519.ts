/**
 * Numbers modulo p = 2^255 - 19: 16 limbs of 16 bits in 64-bit words, so that products add up without a carry. No branch
 * and no address depends on a number.
 *
 * [RFC 7748] 4.1, 5
 */

/** Bytes of a number. */
export const GF: usize = 128;
const LIMBS: i32 = 16;
/** Where products add up, 31 words: the beginning of every scratch area that comes here. */
const PRODUCT: usize = 0;
export const PRODUCT_BYTES: usize = 256;

/** Carries once around: each limb is left with 16 bits, and what runs over the top comes in again times 38. */
export function carry(o: usize): void {
  let c: i64 = 0;
  for (let i: i32 = 0; i < LIMBS; i++) {
    const v = load<i64>(o + (i << 3)) + c;
    c = v >> 16;
    store<i64>(o + (i << 3), v & 0xffff);
  }
  store<i64>(o, load<i64>(o) + 38 * c);
}

export function set(o: usize, value: i64): void {
  memory.fill(o, 0, GF);
  store<i64>(o, value);
}

export function add(o: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < GF; i += 8) store<i64>(o + i, load<i64>(a + i) + load<i64>(b + i));
}

export function subtract(o: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < GF; i += 8) store<i64>(o + i, load<i64>(a + i) - load<i64>(b + i));
}

export function multiply(o: usize, a: usize, b: usize, scratch: usize): void {
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

/** Swaps the two when `bit` is 1. */
export function swap(p: usize, q: usize, bit: i64): void {
  const mask = -bit;
  for (let i: usize = 0; i < GF; i += 8) {
    const t = mask & (load<i64>(p + i) ^ load<i64>(q + i));
    store<i64>(p + i, load<i64>(p + i) ^ t);
    store<i64>(q + i, load<i64>(q + i) ^ t);
  }
}

/** o = a to the power of p - 2, which is 1 / a. `o` is not `a`. */
export function invert(o: usize, a: usize, scratch: usize): void {
  memory.copy(o, a, GF);
  for (let bit: i32 = 253; bit >= 0; bit--) {
    multiply(o, o, o, scratch);
    if (bit != 2 && bit != 4) multiply(o, o, a, scratch);
  }
}

export function unpack(o: usize, from: usize): void {
  for (let i: i32 = 0; i < LIMBS; i++) store<i64>(o + (i << 3), load<u16>(from + (i << 1)));
  store<i64>(o + 120, load<i64>(o + 120) & 0x7fff);
}

/** The number's only form below p, 32 bytes. `m` is scratch. */
export function pack(out: usize, n: usize, m: usize): void {
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
