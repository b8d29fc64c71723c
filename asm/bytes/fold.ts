/**
 * CRC32C by folding: nothing but loads and exclusive or of 16-byte rows.
 *
 * The bytes are a polynomial in y = x^128 with the rows as coefficients. A multiple of Castagnoli's polynomial with few
 * terms, all powers of y, divides it row by row: r[i] = d[i] ^ r[i - k1] ^ r[i - k2] ^ ... The remainder, as many rows
 * as the largest k, has the checksum that all the bytes have, and is short enough for the tables. Two such multiples
 * serve, both found by search: one of few terms with a long remainder, one of more terms with a short remainder.
 *
 *   y^209 + y^144 + y^54 + y^39 + y^14 + 1                    distances 65, 155, 170, 195, 209
 *   y^79 + y^75 + y^71 + y^58 + y^18 + y^12 + y + 1           distances 4, 8, 21, 61, 67, 78, 79
 *
 * [iSCSI] RFC 7143 13.1: the polynomial 1EDC6F41h; both sums are 0 modulo it
 */

const LONG: u32 = 209;
const SHORT: u32 = 79;
const LONG_BYTES: u32 = 3344;
/** Bytes of the remainder that fold leaves. */
export const FOLDED_BYTES: u32 = 1264;
/** Below these the next shorter way is as fast. */
const LONG_MIN: u32 = 8192;
export const FOLD_MIN: u32 = 2048;
/** Rows between two moves of the history to the front. */
const BLOCK: u32 = 1024;

/** Bytes that the kernel works in: the history and a block of rows, the remainder, what is left in the end. */
export const FOLD_BYTES: u32 = 3344 + 16384 + 3344 + 1264;
const REMAINDER_AT: usize = 3344 + 16384;
const FOLDED_AT: usize = 3344 + 16384 + 3344;
const STATIC = memory.data(24336, 16);

// A wasm global: a panic handler moves the work out of the memory that it dumps without writing to that memory.
let area: usize = STATIC;

/** Works in the FOLD_BYTES at `at`, aligned to 16, from now on. */
export function fold_in(at: usize): void {
  area = at;
}

/** Where fold leaves its FOLDED_BYTES. */
export function folded(): usize {
  return area + FOLDED_AT;
}

/** The row whose place is LONG rows after `to`. */
// @ts-ignore: decorator
@inline
function long_row(to: usize, from: usize): v128 {
  return v128.xor(
    v128.xor(v128.load(from), v128.load(to)),
    v128.xor(
      v128.xor(v128.load(to, 224), v128.load(to, 624)),
      v128.xor(v128.load(to, 864), v128.load(to, 2304)),
    ),
  );
}

/** The row whose place is SHORT rows after `to`. */
// @ts-ignore: decorator
@inline
function short_row(to: usize, from: usize): v128 {
  return v128.xor(
    v128.xor(v128.xor(v128.load(from), v128.load(to)), v128.xor(v128.load(to, 16), v128.load(to, 192))),
    v128.xor(
      v128.xor(v128.load(to, 288), v128.load(to, 928)),
      v128.xor(v128.load(to, 1136), v128.load(to, 1200)),
    ),
  );
}

/**
 * Leaves at folded() what has, from inner state 0, the same inner state after it as `rows` rows (at least FOLD_MIN bytes)
 * at `ptr` have from `state`.
 */
export function fold(state: u32, ptr: usize, rows: u32): void {
  if (rows < LONG_MIN >> 4) return fold_short(state, ptr, rows);
  fold_long(state, ptr, rows);
  fold_short(0, area + REMAINDER_AT, LONG);
}

function fold_long(state: u32, ptr: usize, rows: u32): void {
  const rows_at = area;
  const remainder = area + REMAINDER_AT;
  memory.fill(rows_at, 0, LONG_BYTES);
  v128.store(rows_at, i32x4(state, 0, 0, 0)); // reaches the first row alone: the distance of LONG
  for (let left = rows - LONG; left;) {
    const count = min<u32>(left, BLOCK);
    long_block(ptr, count);
    memory.copy(rows_at, rows_at + ((<usize>count) << 4), LONG_BYTES);
    ptr += (<usize>count) << 4;
    left -= count;
  }
  memory.fill(rows_at + LONG_BYTES, 0, LONG_BYTES);
  for (let at: usize = 0; at < LONG_BYTES; at += 16)
    v128.store(remainder + at, long_row(rows_at + at, ptr + at));
}

function long_block(ptr: usize, count: u32): void {
  let to = area;
  for (let fours = count >> 2; fours; fours--) {
    v128.store(to, long_row(to, ptr), 3344);
    v128.store(to + 16, long_row(to + 16, ptr + 16), 3344);
    v128.store(to + 32, long_row(to + 32, ptr + 32), 3344);
    v128.store(to + 48, long_row(to + 48, ptr + 48), 3344);
    to += 64;
    ptr += 64;
  }
  for (count &= 3; count; count--) {
    v128.store(to, long_row(to, ptr), 3344);
    to += 16;
    ptr += 16;
  }
}

function fold_short(state: u32, ptr: usize, rows: u32): void {
  const rows_at = area;
  const left_at = area + FOLDED_AT;
  memory.fill(rows_at, 0, FOLDED_BYTES);
  v128.store(rows_at, i32x4(state, 0, 0, 0));
  let to = rows_at;
  const count = rows - SHORT;
  for (let pairs = count >> 1; pairs; pairs--) {
    v128.store(to, short_row(to, ptr), 1264);
    v128.store(to + 16, short_row(to + 16, ptr + 16), 1264);
    to += 32;
    ptr += 32;
  }
  if (count & 1) {
    v128.store(to, short_row(to, ptr), 1264);
    to += 16;
    ptr += 16;
  }
  memory.fill(to + FOLDED_BYTES, 0, FOLDED_BYTES);
  for (let at: usize = 0; at < FOLDED_BYTES; at += 16) v128.store(left_at + at, short_row(to + at, ptr + at));
}
