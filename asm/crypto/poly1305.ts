/**
 * Poly1305: a one-time authenticator. The accumulator and the key's first half are five limbs of 26 bits, whose products
 * and sums stay below 2^64. What comes after the last whole block of 16 bytes is the caller's to pad.
 *
 * [RFC 8439] 2.5 the Poly1305 algorithm
 */
const MASK: u64 = 0x3ffffff;
/** Accumulator (5 limbs), r (5 limbs) and s, the second half of the key. */
const R_AT: usize = 40;
const S_AT: usize = 80;
export const POLY_STATE_BYTES: u32 = 96;

/** `key` has 32 bytes. */
export function poly1305_begin(state: usize, key: usize): void {
  memory.fill(state, 0, R_AT);
  const low = load<u64>(key) & 0x0ffffffc0fffffff;
  const high = load<u64>(key, 8) & 0x0ffffffc0ffffffc;
  store<u64>(state + R_AT, low & MASK);
  store<u64>(state + R_AT, (low >> 26) & MASK, 8);
  store<u64>(state + R_AT, ((low >> 52) | (high << 12)) & MASK, 16);
  store<u64>(state + R_AT, (high >> 14) & MASK, 24);
  store<u64>(state + R_AT, high >> 40, 32);
  memory.copy(state + S_AT, key + 16, 16);
}

/** Takes `bytes` bytes, a multiple of 16. */
export function poly1305_blocks(state: usize, from: usize, bytes: u32): void {
  const r0 = load<u64>(state + R_AT);
  const r1 = load<u64>(state + R_AT, 8);
  const r2 = load<u64>(state + R_AT, 16);
  const r3 = load<u64>(state + R_AT, 24);
  const r4 = load<u64>(state + R_AT, 32);
  const s1 = r1 * 5;
  const s2 = r2 * 5;
  const s3 = r3 * 5;
  const s4 = r4 * 5;
  let h0 = load<u64>(state);
  let h1 = load<u64>(state, 8);
  let h2 = load<u64>(state, 16);
  let h3 = load<u64>(state, 24);
  let h4 = load<u64>(state, 32);
  for (let at: u32 = 0; at < bytes; at += 16) {
    const low = load<u64>(from + at);
    const high = load<u64>(from + at, 8);
    h0 += low & MASK;
    h1 += (low >> 26) & MASK;
    h2 += ((low >> 52) | (high << 12)) & MASK;
    h3 += (high >> 14) & MASK;
    h4 += (high >> 40) | 0x1000000;
    const d0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1;
    let d1 = h0 * r1 + h1 * r0 + h2 * s4 + h3 * s3 + h4 * s2;
    let d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s4 + h4 * s3;
    let d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s4;
    let d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0;
    d1 += d0 >> 26;
    d2 += d1 >> 26;
    d3 += d2 >> 26;
    d4 += d3 >> 26;
    h0 = (d0 & MASK) + (d4 >> 26) * 5;
    h1 = (d1 & MASK) + (h0 >> 26);
    h0 &= MASK;
    h2 = d2 & MASK;
    h3 = d3 & MASK;
    h4 = d4 & MASK;
  }
  store<u64>(state, h0);
  store<u64>(state, h1, 8);
  store<u64>(state, h2, 16);
  store<u64>(state, h3, 24);
  store<u64>(state, h4, 32);
}

/** The tag, 16 bytes at `out`. */
export function poly1305_end(state: usize, out: usize): void {
  let h0 = load<u64>(state);
  let h1 = load<u64>(state, 8);
  let h2 = load<u64>(state, 16);
  let h3 = load<u64>(state, 24);
  let h4 = load<u64>(state, 32);
  for (let round = 0; round < 2; round++) {
    h1 += h0 >> 26;
    h0 &= MASK;
    h2 += h1 >> 26;
    h1 &= MASK;
    h3 += h2 >> 26;
    h2 &= MASK;
    h4 += h3 >> 26;
    h3 &= MASK;
    h0 += (h4 >> 26) * 5;
    h4 &= MASK;
  }
  h1 += h0 >> 26;
  h0 &= MASK;
  // Less p, unless that is below 0: chosen by a mask.
  let g0 = h0 + 5;
  let g1 = h1 + (g0 >> 26);
  let g2 = h2 + (g1 >> 26);
  let g3 = h3 + (g2 >> 26);
  const g4 = h4 + (g3 >> 26) - (1 << 26);
  const keep = <u64>((<i64>g4) >> 63);
  h0 = (h0 & keep) | (g0 & MASK & ~keep);
  h1 = (h1 & keep) | (g1 & MASK & ~keep);
  h2 = (h2 & keep) | (g2 & MASK & ~keep);
  h3 = (h3 & keep) | (g3 & MASK & ~keep);
  h4 = (h4 & keep) | (g4 & MASK & ~keep);
  const low = h0 | (h1 << 26) | (h2 << 52);
  const high = (h2 >> 12) | (h3 << 14) | (h4 << 40);
  const sum = low + load<u64>(state + S_AT);
  store<u64>(out, sum);
  store<u64>(out, high + load<u64>(state + S_AT, 8) + (sum < low ? 1 : 0), 8);
}
