/**
 * X25519: the shared secret of two key pairs, and the public key of a private one. No branch and no address depends on a
 * secret.
 *
 * [RFC 7748] 5 the X25519 function, 6.1 Curve25519
 */
import {
  GF,
  PRODUCT_BYTES,
  add,
  carry,
  invert,
  multiply,
  pack,
  set,
  subtract,
  swap,
  unpack,
} from './field25519';

// Parts of the scratch area.
const X: usize = PRODUCT_BYTES;
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

/** o = a * a24 */
function multiply_a24(o: usize, a: usize): void {
  for (let i: usize = 0; i < GF; i += 8) store<i64>(o + i, load<i64>(a + i) * A24);
  carry(o);
  carry(o);
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
