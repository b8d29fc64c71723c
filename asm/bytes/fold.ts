/**
 * CRC32C by folding: nothing but loads and exclusive or of 16-byte rows.
 *
 * The bytes are a polynomial in z = x^8. A multiple of Castagnoli's polynomial with few terms, all powers of z, divides
 * it: r[i] = d[i] ^ r[i - k1] ^ r[i - k2] ^ ..., sixteen bytes at a time where no distance is shorter than a row. The
 * remainder, as many bytes as the largest k, has the checksum that all the bytes have, and goes to the next multiple,
 * and in the end to the tables. Three serve, all found by search: the fewer terms, the longer the remainder.
 *
 *   FAR    4 terms in z, the only one below 6,000 bytes with a distance of whole rows: distances 1278, 1565, 5424
 *   SHORT  8 terms in y = z^16: distances 4, 8, 21, 61, 67, 78, 79 rows
 *   LEAST  12 terms in y: distances 2, 4, 5, 7, 10, 13, 20, 27, 33, 39, 40 rows
 *
 * [iSCSI] RFC 7143 13.1: the polynomial 1EDC6F41h; all three sums are 0 modulo it
 */

const FAR: u32 = 5424;
const FAR_ROWS: u32 = 339;
/** Rows that the longer of its two short distances reaches into. */
const NEAR_ROWS: u32 = 98;
const SHORT: u32 = 1264;
const SHORT_ROWS: u32 = 79;
const LEAST_ROWS: u32 = 40;
/** Bytes of the remainder that fold leaves. */
export const FOLDED_BYTES: u32 = 640;
/** Below these the next shorter way is as fast. */
const FAR_MIN: u32 = 12288;
export const FOLD_MIN: u32 = 2048;
const ROW: u32 = 16;

/**
 * Bytes that the kernel works in. FAR keeps its rows in a ring, followed by a copy of its first row so that a load may
 * reach over its end, and by zeros. SHORT works behind that, or, where there is no FAR, from the front.
 */
export const FOLD_BYTES: u32 = 16288 + 1264 + 640;
const SHORT_ROWS_AT: usize = 7040;
const SHORT_LEFT_AT: usize = 16288;
const FOLDED_AT: usize = 16288 + 1264;
const STATIC = memory.data(18192, 16);

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

/**
 * Leaves at folded() what has, from inner state 0, the same inner state after it as `rows` rows (at least FOLD_MIN bytes)
 * at `ptr` have from `state`.
 */
export function fold(state: u32, ptr: usize, rows: u32): void {
  if (rows < FAR_MIN / ROW) fold_short(state, ptr, rows);
  else {
    fold_far(state, ptr, rows);
    fold_far_short(ptr + (rows - FAR_ROWS) * ROW);
  }
  fold_least(area + SHORT_LEFT_AT);
}

function fold_far(state: u32, ptr: usize, rows: u32): void {
  const ring = area;
  clear(ring, FAR_ROWS + NEAR_ROWS + 2);
  let left = rows - FAR_ROWS;
  // What is no whole pass comes first, so that the last row of all is the last of the ring.
  const odd = left % FAR_ROWS;
  const first = odd ? FAR_ROWS - odd : 0;
  v128.store(ring + first * ROW, i32x4(state, 0, 0, 0)); // reaches the first row alone: the distance of FAR
  if (odd) far_pass(ring, ptr, first);
  ptr += odd * ROW;
  for (left -= odd; left; left -= FAR_ROWS) {
    far_pass(ring, ptr, 0);
    ptr += FAR;
  }
}

/**
 * Rows in the ring, from row `first` to its end, become those of the rows at `ptr`, one for one. Neither shorter distance
 * is of whole rows, and a load of parts of two rows that were stored a moment ago waits until both are in the cache: so
 * each row is loaded whole, once for each distance, and put together with the one before it. Each loop wraps other
 * distances around. Only a ring that holds nothing yet may begin in its middle.
 */
function far_pass(ring: usize, ptr: usize, first: u32): void {
  let middle = v128.load(ring, 4144); // 1280 bytes ago
  let near = v128.load(ring, 3856); // 1568 bytes ago
  let to = ring + first * ROW;
  if (first) middle = near = i64x2(0, 0);
  for (let n = first < 80 ? 80 - first : 0; n; n--) {
    const m1 = v128.load(to, 4160);
    const n1 = v128.load(to, 3872);
    v128.store(to, far_row(v128.load(ptr), v128.load(to), after2(middle, m1), after3(near, n1)));
    if (to == ring) v128.store(ring, v128.load(ring), 5424);
    middle = m1;
    near = n1;
    to += ROW;
    ptr += ROW;
  }
  to -= 1264;
  for (let n = first < 98 ? 98 - max<u32>(first, 80) : 0; n; n--) {
    const m1 = v128.load(to);
    const n1 = v128.load(to, 5136);
    v128.store(to, far_row(v128.load(ptr), v128.load(to, 1264), after2(middle, m1), after3(near, n1)), 1264);
    middle = m1;
    near = n1;
    to += ROW;
    ptr += ROW;
  }
  to -= 288;
  let n = FAR_ROWS - max<u32>(first, 98);
  for (; n >= 4; n -= 4) {
    const m1 = v128.load(to, 288);
    const n1 = v128.load(to);
    v128.store(to, far_row(v128.load(ptr), v128.load(to, 1552), after2(middle, m1), after3(near, n1)), 1552);
    const m2 = v128.load(to, 304);
    const n2 = v128.load(to, 16);
    v128.store(to, far_row(v128.load(ptr, 16), v128.load(to, 1568), after2(m1, m2), after3(n1, n2)), 1568);
    const m3 = v128.load(to, 320);
    const n3 = v128.load(to, 32);
    v128.store(to, far_row(v128.load(ptr, 32), v128.load(to, 1584), after2(m2, m3), after3(n2, n3)), 1584);
    middle = v128.load(to, 336);
    near = v128.load(to, 48);
    v128.store(
      to,
      far_row(v128.load(ptr, 48), v128.load(to, 1600), after2(m3, middle), after3(n3, near)),
      1600,
    );
    to += 64;
    ptr += 64;
  }
  for (; n; n--) {
    const m1 = v128.load(to, 288);
    const n1 = v128.load(to);
    v128.store(to, far_row(v128.load(ptr), v128.load(to, 1552), after2(middle, m1), after3(near, n1)), 1552);
    middle = m1;
    near = n1;
    to += ROW;
    ptr += ROW;
  }
}

/** A row of FAR: what comes in, the row at its place in the ring, and those of the shorter distances. */
// @ts-ignore: decorator
@inline
function far_row(row: v128, far: v128, middle: v128, near: v128): v128 {
  return v128.xor(v128.xor(row, far), v128.xor(middle, near));
}

/** Sixteen bytes from byte 2 of two rows on, and from byte 3. */
// @ts-ignore: decorator
@inline
function after2(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17);
}
// @ts-ignore: decorator
@inline
function after3(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18);
}

function clear(to: usize, rows: u32): void {
  for (; rows >= 4; rows -= 4) {
    v128.store(to, i64x2(0, 0));
    v128.store(to, i64x2(0, 0), 16);
    v128.store(to, i64x2(0, 0), 32);
    v128.store(to, i64x2(0, 0), 48);
    to += 64;
  }
  for (; rows; rows--) {
    v128.store(to, i64x2(0, 0));
    to += ROW;
  }
}

/** What SHORT adds to a row, whose place is SHORT after `to`. */
// @ts-ignore: decorator
@inline
function short_row(to: usize, row: v128): v128 {
  return v128.xor(
    v128.xor(v128.xor(row, v128.load(to)), v128.xor(v128.load(to, 16), v128.load(to, 192))),
    v128.xor(
      v128.xor(v128.load(to, 288), v128.load(to, 928)),
      v128.xor(v128.load(to, 1136), v128.load(to, 1200)),
    ),
  );
}

/**
 * SHORT of what is left of FAR: of its last FAR bytes, at `ptr`, with what the rows before them add: all of the ring, and
 * of the shorter distances what is at its end.
 */
function fold_far_short(ptr: usize): void {
  let ring = area;
  let to = area + SHORT_ROWS_AT;
  v128.store(ring, i64x2(0, 0), 5424); // the copy of the first row: zeros follow the ring
  clear(to, SHORT_ROWS);
  // Of 1565 bytes a row has 1278 ago, and 1565 ago.
  for (let n = NEAR_ROWS; n; n--) {
    const row = far_row(v128.load(ptr), v128.load(ring), v128.load(ring, 4146), v128.load(ring, 3859));
    v128.store(to, short_row(to, row), 1264);
    ring += ROW;
    ptr += ROW;
    to += ROW;
  }
  for (let pairs = (FAR_ROWS - NEAR_ROWS - SHORT_ROWS) >> 1; pairs; pairs--) {
    v128.store(to, short_row(to, v128.xor(v128.load(ptr), v128.load(ring))), 1264);
    v128.store(to, short_row(to + 16, v128.xor(v128.load(ptr, 16), v128.load(ring, 16))), 1280);
    ring += 32;
    ptr += 32;
    to += 32;
  }
  clear(to + SHORT, SHORT_ROWS);
  const left_at = area + SHORT_LEFT_AT;
  for (let at: usize = 0; at < SHORT; at += ROW)
    v128.store(left_at + at, short_row(to + at, v128.xor(v128.load(ptr + at), v128.load(ring + at))));
}

function fold_short(state: u32, ptr: usize, rows: u32): void {
  const rows_at = area;
  const left_at = area + SHORT_LEFT_AT;
  clear(rows_at, SHORT_ROWS);
  v128.store(rows_at, i32x4(state, 0, 0, 0));
  let to = rows_at;
  const count = rows - SHORT_ROWS;
  for (let pairs = count >> 1; pairs; pairs--) {
    v128.store(to, short_row(to, v128.load(ptr)), 1264);
    v128.store(to + 16, short_row(to + 16, v128.load(ptr, 16)), 1264);
    to += 32;
    ptr += 32;
  }
  if (count & 1) {
    v128.store(to, short_row(to, v128.load(ptr)), 1264);
    to += ROW;
    ptr += ROW;
  }
  clear(to + SHORT, SHORT_ROWS);
  for (let at: usize = 0; at < SHORT; at += ROW)
    v128.store(left_at + at, short_row(to + at, v128.load(ptr + at)));
}

/** The row whose place is FOLDED_BYTES after `to`. */
// @ts-ignore: decorator
@inline
function least_row(to: usize, from: usize): v128 {
  return v128.xor(
    v128.xor(
      v128.xor(v128.xor(v128.load(from), v128.load(to)), v128.xor(v128.load(to, 16), v128.load(to, 112))),
      v128.xor(
        v128.xor(v128.load(to, 208), v128.load(to, 320)),
        v128.xor(v128.load(to, 432), v128.load(to, 480)),
      ),
    ),
    v128.xor(
      v128.xor(v128.load(to, 528), v128.load(to, 560)),
      v128.xor(v128.load(to, 576), v128.load(to, 608)),
    ),
  );
}

/** SHORT bytes at `ptr`, from inner state 0. */
function fold_least(ptr: usize): void {
  const left_at = area + FOLDED_AT;
  let to = area;
  clear(to, LEAST_ROWS);
  v128.store(to, least_row(to, ptr), 640);
  to += ROW;
  ptr += ROW;
  for (let pairs = (SHORT_ROWS - LEAST_ROWS) >> 1; pairs; pairs--) {
    v128.store(to, least_row(to, ptr), 640);
    v128.store(to, least_row(to + 16, ptr + 16), 656);
    to += 32;
    ptr += 32;
  }
  clear(to + FOLDED_BYTES, LEAST_ROWS);
  for (let at: usize = 0; at < FOLDED_BYTES; at += ROW)
    v128.store(left_at + at, least_row(to + at, ptr + at));
}
