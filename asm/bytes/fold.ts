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
/** The longer of its two short distances, and the rows that it reaches into. */
const NEAR: u32 = 1565;
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
 * reach over its end; then the last of them in a line, and as many zeros. SHORT works where both lie, from the front.
 */
export const FOLD_BYTES: u32 = 16288 + 5424 + 1264 + 640;
const LINE_AT: usize = 5440;
const FAR_LEFT_AT: usize = 16288;
const SHORT_LEFT_AT: usize = 16288 + 5424;
const FOLDED_AT: usize = 16288 + 5424 + 1264;
const STATIC = memory.data(23616, 16);

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
    fold_short(0, area + FAR_LEFT_AT, FAR_ROWS);
  }
  fold_least(area + SHORT_LEFT_AT);
}

function fold_far(state: u32, ptr: usize, rows: u32): void {
  const ring = area;
  memory.fill(ring, 0, FAR + ROW);
  v128.store(ring, i32x4(state, 0, 0, 0)); // reaches the first row alone: the distance of FAR
  let left = rows - FAR_ROWS;
  for (; left >= FAR_ROWS; left -= FAR_ROWS) {
    far_pass(ring, ptr, FAR_ROWS);
    ptr += FAR;
  }
  if (left) far_pass(ring, ptr, left);
  far_rest(ring, ptr + left * ROW, left);
}

/** Rows in the ring become those of the last `rows` rows, one for one. Each loop wraps other distances around. */
function far_pass(ring: usize, ptr: usize, rows: u32): void {
  v128.store(ring, far_row(ring, ptr));
  v128.store(ring, v128.load(ring), 5424);
  const first = min<u32>(rows, 80);
  const second = min<u32>(rows, 98);
  let to = ring + ROW;
  ptr += ROW;
  let n = first - 1;
  for (; n >= 4; n -= 4) {
    v128.store(to, far_row(to, ptr));
    v128.store(to, far_row(to + 16, ptr + 16), 16);
    v128.store(to, far_row(to + 32, ptr + 32), 32);
    v128.store(to, far_row(to + 48, ptr + 48), 48);
    to += 64;
    ptr += 64;
  }
  for (; n; n--) {
    v128.store(to, far_row(to, ptr));
    to += ROW;
    ptr += ROW;
  }
  to -= 1278;
  for (n = second - first; n; n--) {
    v128.store(to, middle_row(to, ptr), 1278);
    to += ROW;
    ptr += ROW;
  }
  to -= 287;
  for (n = rows - second; n >= 4; n -= 4) {
    v128.store(to, near_row(to, ptr), 1565);
    v128.store(to, near_row(to + 16, ptr + 16), 1581);
    v128.store(to, near_row(to + 32, ptr + 32), 1597);
    v128.store(to, near_row(to + 48, ptr + 48), 1613);
    to += 64;
    ptr += 64;
  }
  for (; n; n--) {
    v128.store(to, near_row(to, ptr), 1565);
    to += ROW;
    ptr += ROW;
  }
}

/** A row of FAR where both shorter distances wrap around, and where the rows lie in a line: its place is FAR after `to`. */
// @ts-ignore: decorator
@inline
function far_row(to: usize, from: usize): v128 {
  return v128.xor(
    v128.xor(v128.load(from), v128.load(to)),
    v128.xor(v128.load(to, 4146), v128.load(to, 3859)),
  );
}

/** Where only the longer one does; its place is 1278 after `to`. */
// @ts-ignore: decorator
@inline
function middle_row(to: usize, from: usize): v128 {
  return v128.xor(
    v128.xor(v128.load(from), v128.load(to, 1278)),
    v128.xor(v128.load(to), v128.load(to, 5137)),
  );
}

/** Where neither does; its place is 1565 after `to`. */
// @ts-ignore: decorator
@inline
function near_row(to: usize, from: usize): v128 {
  return v128.xor(
    v128.xor(v128.load(from), v128.load(to, 1565)),
    v128.xor(v128.load(to, 287), v128.load(to)),
  );
}

/**
 * What is left of FAR: its last FAR bytes, with what the rows before them add: all of the ring, from row `cut` on, and of
 * the shorter distances what is at its end.
 */
function far_rest(ring: usize, ptr: usize, cut: u32): void {
  const left_at = area + FAR_LEFT_AT;
  const line = area + LINE_AT;
  const from = cut * ROW;
  const end = min<u32>(from, NEAR);
  memory.copy(line, ring + FAR + from - NEAR, NEAR - end);
  memory.copy(line + (NEAR - end), ring + from - end, end);
  memory.fill(line + NEAR, 0, NEAR + ROW);
  let own = ring + from;
  let to = left_at;
  const turn = left_at + FAR - from;
  const last = left_at + FAR;
  // Of 1565 bytes a row has 1278 ago, and 1565 ago.
  let near = line;
  for (const stop = left_at + NEAR_ROWS * ROW; to < stop; to += ROW) {
    if (to == turn) own = ring;
    v128.store(
      to,
      v128.xor(v128.xor(v128.load(ptr), v128.load(own)), v128.xor(v128.load(near, 287), v128.load(near))),
    );
    own += ROW;
    ptr += ROW;
    near += ROW;
  }
  for (; to < last; to += ROW) {
    if (to == turn) own = ring;
    v128.store(to, v128.xor(v128.load(ptr), v128.load(own)));
    own += ROW;
    ptr += ROW;
  }
}

/** The row whose place is SHORT after `to`. */
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

function fold_short(state: u32, ptr: usize, rows: u32): void {
  const rows_at = area;
  const left_at = area + SHORT_LEFT_AT;
  memory.fill(rows_at, 0, SHORT);
  v128.store(rows_at, i32x4(state, 0, 0, 0));
  let to = rows_at;
  const count = rows - SHORT_ROWS;
  for (let pairs = count >> 1; pairs; pairs--) {
    v128.store(to, short_row(to, ptr), 1264);
    v128.store(to + 16, short_row(to + 16, ptr + 16), 1264);
    to += 32;
    ptr += 32;
  }
  if (count & 1) {
    v128.store(to, short_row(to, ptr), 1264);
    to += ROW;
    ptr += ROW;
  }
  memory.fill(to + SHORT, 0, SHORT);
  for (let at: usize = 0; at < SHORT; at += ROW) v128.store(left_at + at, short_row(to + at, ptr + at));
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
  memory.fill(to, 0, FOLDED_BYTES);
  for (let n = SHORT_ROWS - LEAST_ROWS; n; n--) {
    v128.store(to, least_row(to, ptr), 640);
    to += ROW;
    ptr += ROW;
  }
  memory.fill(to + FOLDED_BYTES, 0, FOLDED_BYTES);
  for (let at: usize = 0; at < FOLDED_BYTES; at += ROW)
    v128.store(left_at + at, least_row(to + at, ptr + at));
}
