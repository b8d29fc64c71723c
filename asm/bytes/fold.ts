/**
 * CRC32C by folding: nothing but loads and exclusive or of 16-byte rows.
 *
 * The bytes are a polynomial in z = x^8. A multiple of Castagnoli's polynomial with few terms, all powers of z, divides
 * it: r[i] = d[i] ^ r[i - k1] ^ r[i - k2] ^ ..., sixteen bytes at a time where no distance is shorter than a row. The
 * remainder, as many bytes as the largest k, has the checksum that all the bytes have, and goes to the next multiple,
 * and in the end to the tables. Two serve, both found by search: the fewer terms, the longer the remainder.
 *
 *   FAR    4 terms, the only one below 7,000 bytes one of whose distances is within five rows: these stay in registers,
 *          and a row costs three loads. Distances 76, 4989, 5572 bytes
 *   NEAR   6 terms, the shortest: distances 65, 155, 170, 195, 209 bytes
 *
 * FAR goes to the end of the rows, and NEAR takes what FAR would add to as many rows of zeros behind them: so all that is
 * read is read at one pace, which is what a CPU fetches ahead best. The zeros are undone by one multiplication.
 *
 * No distance is of whole rows, and a load of parts of two rows that were stored a moment ago waits until both are in the
 * cache: so rows are loaded whole and put together. All of it works in some 6 KiB that stay in the first cache beside
 * what streams through it.
 *
 * [iSCSI] RFC 7143 13.1: the polynomial 1EDC6F41h; both sums are 0 modulo it
 */

const ROW: u32 = 16;
/** Of the remainder of FAR. */
const FAR_ROWS: u32 = 349;
/** Rows that the distance of 76 reaches into: as many as are done in one turn of the loop. */
const TURN: u32 = 5;
const TURN_BYTES: u32 = TURN * ROW;
const NEAR_ROWS: u32 = 14;
/** Bytes of the remainder that fold leaves. */
export const FOLDED_BYTES: u32 = NEAR_ROWS * ROW;
/** Below these the next shorter way is as fast. */
const FAR_MIN_ROWS: u32 = 768;
export const FOLD_MIN: u32 = 512;

/**
 * FAR keeps its rows in a ring. Behind it are copies of its first two rows, and before it copies of its last ones, so
 * that a distance wraps around only where a turn begins; and zeros, where what NEAR takes out of the ring ends.
 */
const RING_ROWS: u32 = 350;
const RING: u32 = RING_ROWS * ROW;
const BEFORE: u32 = NEAR_ROWS * ROW;
const BEHIND_ROWS: u32 = 39;
/** Bytes that the kernel works in. */
export const FOLD_BYTES: u32 = BEFORE + RING + BEHIND_ROWS * ROW;
/** From this row of the ring on, what lies 4989 bytes ago is at its beginning again: whole turns. */
const WRAP_ROW: u32 = 310;
/** That 4989 bytes reach back, to the row that holds their end. */
const MIDDLE: u32 = 311 * ROW;
const STATIC = memory.data(FOLD_BYTES, 16);

// A wasm global: a panic handler moves the work out of the memory that it dumps without writing to that memory.
let area: usize = STATIC;

/** Works in the FOLD_BYTES at `at`, aligned to 16, from now on. */
export function fold_in(at: usize): void {
  area = at;
}

/** Where fold leaves its FOLDED_BYTES. */
export function folded(): usize {
  return area;
}

/**
 * Leaves at folded() what has, from inner state 0, the same inner state after it as `rows` rows (at least FOLD_MIN bytes)
 * at `ptr` have from `state`; if true, with FAR_ROWS rows of zeros behind them.
 */
export function fold(state: u32, ptr: usize, rows: u32): bool {
  if (rows < FAR_MIN_ROWS) {
    fold_near(state, ptr, rows);
    return false;
  }
  fold_far(state, ptr, rows);
  fold_rest();
  return true;
}

/**
 * The inner state that is `state` after FAR_ROWS rows of zeros: times z to the power of -5584. Bits 31, 23, 15 and 7 of it
 * are looked at together, and so on down.
 */
export function before_zeros(state: u32): u32 {
  let bits = i32x4(state, state << 8, state << 16, state << 24);
  let power = i32x4(0x3bcaa977, 0xa569fa4f, 0x1fcd4862, 0x80e22edd); // for bit 31, and x^8, x^16, x^24 times that
  let sum = i64x2(0, 0);
  for (let n = 8; n; n--) {
    sum = v128.xor(sum, v128.and(power, i32x4.shr_s(bits, 31)));
    bits = i32x4.shl(bits, 1);
    const carry = i32x4.neg(v128.and(power, i32x4.splat(1)));
    power = v128.xor(i32x4.shr_u(power, 1), v128.and(carry, i32x4.splat(0x82f63b78)));
  }
  const half = i64x2.extract_lane(sum, 0) ^ i64x2.extract_lane(sum, 1);
  return <u32>(half ^ (half >> 32));
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

// @ts-ignore: decorator
@inline
function xor3(a: v128, b: v128, c: v128): v128 {
  return v128.xor(v128.xor(a, b), c);
}

/** Sixteen bytes of two rows, `a` before `b`, from that byte of `a` on. One for each: the lanes must be literals. */
// @ts-ignore: decorator
@inline
function from3(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18);
}
// @ts-ignore: decorator
@inline
function from4(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19);
}
// @ts-ignore: decorator
@inline
function from5(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20);
}
// @ts-ignore: decorator
@inline
function from6(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21);
}
// @ts-ignore: decorator
@inline
function from12(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27);
}
// @ts-ignore: decorator
@inline
function from13(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
}
// @ts-ignore: decorator
@inline
function from15(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}

/** FAR over `rows` rows at `ptr`; the last one becomes the last row of the ring. */
function fold_far(state: u32, ptr: usize, rows: u32): void {
  const end = ptr + rows * ROW;
  const ring = area + BEFORE;
  clear(area, NEAR_ROWS + RING_ROWS + 2);
  // The first revolution begins where the last one ends with the ring, and with a turn.
  let row = RING_ROWS - 1 - ((rows - 1) % RING_ROWS);
  let to = ring + row * ROW;
  if (row % TURN == 0)
    store<u32>(to, state, 28); // reaches the first row alone, by the longest distance
  else {
    // Nothing reaches the first four rows of all: they are what comes in.
    v128.store(to, i32x4(state, 0, 0, 0));
    for (; row % TURN; row++) {
      v128.store(to, v128.xor(v128.load(to), v128.load(ptr)));
      to += ROW;
      ptr += ROW;
    }
  }
  for (;;) {
    if (row < WRAP_ROW) {
      far_turns(to, to + (RING - MIDDLE), ptr, WRAP_ROW - row);
      ptr += (WRAP_ROW - row) * ROW;
      to = ring + WRAP_ROW * ROW;
      row = WRAP_ROW;
    }
    copy_first(ring);
    far_turns(to, to - MIDDLE, ptr, RING_ROWS - row);
    ptr += (RING_ROWS - row) * ROW;
    if (ptr == end) return;
    copy_last(ring);
    to = ring;
    row = 0;
  }
}

function copy_first(ring: usize): void {
  v128.store(ring, v128.load(ring), RING);
  v128.store(ring, v128.load(ring, 16), RING + 16);
}

function copy_last(ring: usize): void {
  for (let n: usize = 0; n < TURN_BYTES; n += ROW)
    v128.store(ring - TURN_BYTES + n, v128.load(ring + n, RING - TURN_BYTES));
}

/** Whole turns; `middle`: the row that holds the end of what lies 4989 bytes before `to`. */
function far_turns(to: usize, middle: usize, ptr: usize, rows: u32): void {
  let a = v128.load(to - 80);
  let b = v128.load(to - 64);
  let c = v128.load(to - 48);
  let d = v128.load(to - 32);
  let e = v128.load(to - 16);
  let f = v128.load(to, 16); // 349 rows ago
  let m = v128.load(middle - 16);
  for (; rows; rows -= TURN) {
    let f1 = v128.load(to, 32);
    let m1 = v128.load(middle);
    a = v128.xor(v128.xor(v128.load(ptr), from4(a, b)), v128.xor(from12(f, f1), from3(m, m1)));
    v128.store(to, a);
    f = v128.load(to, 48);
    m = v128.load(middle, 16);
    b = v128.xor(v128.xor(v128.load(ptr, 16), from4(b, c)), v128.xor(from12(f1, f), from3(m1, m)));
    v128.store(to, b, 16);
    f1 = v128.load(to, 64);
    m1 = v128.load(middle, 32);
    c = v128.xor(v128.xor(v128.load(ptr, 32), from4(c, d)), v128.xor(from12(f, f1), from3(m, m1)));
    v128.store(to, c, 32);
    f = v128.load(to, 80);
    m = v128.load(middle, 48);
    d = v128.xor(v128.xor(v128.load(ptr, 48), from4(d, e)), v128.xor(from12(f1, f), from3(m1, m)));
    v128.store(to, d, 48);
    f1 = v128.load(to, 96);
    m1 = v128.load(middle, 64);
    e = v128.xor(v128.xor(v128.load(ptr, 64), from4(e, a)), v128.xor(from12(f, f1), from3(m, m1)));
    v128.store(to, e, 64);
    f = f1;
    m = m1;
    to += TURN_BYTES;
    middle += TURN_BYTES;
    ptr += TURN_BYTES;
  }
}

/** What NEAR adds to the row whose place is BEFORE after `to`. */
// @ts-ignore: decorator
@inline
function near(to: usize): v128 {
  const r13 = v128.load(to, 16);
  const r10 = v128.load(to, 64);
  return v128.xor(
    xor3(from15(v128.load(to), r13), from13(r13, v128.load(to, 32)), from6(v128.load(to, 48), r10)),
    v128.xor(from5(r10, v128.load(to, 80)), from15(v128.load(to, 144), v128.load(to, 160))),
  );
}

/**
 * NEAR of what FAR leaves, as if FAR_ROWS rows of zeros had come in behind the last one: what the rows before them add,
 * which are in the ring. It takes the ring's rows one by one, and needs none that it has taken.
 */
function fold_rest(): void {
  const ring = area + BEFORE;
  clear(area, NEAR_ROWS);
  clear(ring + RING, BEHIND_ROWS);
  let to = area;
  for (let n: u32 = 0; n < 7; n++) {
    const last = from4(v128.load(to, BEFORE + RING - 80), v128.load(to, BEFORE + RING - 64));
    v128.store(to, xor3(rest(to), last, near(to)), BEFORE);
    to += ROW;
  }
  near_turns(to, FAR_ROWS - NEAR_ROWS - 7);
  to = area + (FAR_ROWS - NEAR_ROWS) * ROW;
  for (let at: usize = 0; at < BEFORE; at += ROW) v128.store(area + at, rest(to + at));
  clear(to + BEFORE, NEAR_ROWS);
  for (let at: usize = 0; at < BEFORE; at += ROW)
    v128.store(area + at, v128.xor(v128.load(area + at), near(to + at)));
}

/** What the two longer distances add to the row whose place is BEFORE after `to`. */
// @ts-ignore: decorator
@inline
function rest(to: usize): v128 {
  return v128.xor(
    from12(v128.load(to, BEFORE + 16), v128.load(to, BEFORE + 32)),
    from3(v128.load(to, BEFORE + RING - MIDDLE - 16), v128.load(to, BEFORE + RING - MIDDLE)),
  );
}

/** Rows of what NEAR and the two longer distances of FAR add, four a turn: what two of them need is loaded once. */
function near_turns(to: usize, rows: u32): void {
  let e = v128.load(to, BEFORE - 80);
  let d = v128.load(to, BEFORE - 64);
  let c = v128.load(to, BEFORE - 48);
  let b = v128.load(to, BEFORE - 32);
  let a = v128.load(to, BEFORE - 16);
  let f = v128.load(to, BEFORE + 16);
  let m = v128.load(to, BEFORE + RING - MIDDLE - 16);
  for (; rows; rows -= 4) {
    let x = v128.load(to);
    let y = v128.load(to, 16);
    const r12 = v128.load(to, 32);
    const r11 = v128.load(to, 48);
    const r10 = v128.load(to, 64);
    const r9 = v128.load(to, 80);
    let f1 = v128.load(to, BEFORE + 32);
    let m1 = v128.load(to, BEFORE + RING - MIDDLE);
    const s = v128.xor(
      xor3(from12(f, f1), from3(m, m1), from15(e, d)),
      v128.xor(v128.xor(from15(x, y), from13(y, r12)), v128.xor(from6(r11, r10), from5(r10, r9))),
    );
    v128.store(to, s, BEFORE);
    e = a;
    x = v128.load(to, 96); // r8
    f = v128.load(to, BEFORE + 48);
    m = v128.load(to, BEFORE + RING - MIDDLE + 16);
    const t = v128.xor(
      xor3(from12(f1, f), from3(m1, m), from15(d, c)),
      v128.xor(v128.xor(from15(y, r12), from13(r12, r11)), v128.xor(from6(r10, r9), from5(r9, x))),
    );
    v128.store(to, t, BEFORE + 16);
    y = v128.load(to, 112); // r7
    f1 = v128.load(to, BEFORE + 64);
    m1 = v128.load(to, BEFORE + RING - MIDDLE + 32);
    const u = v128.xor(
      xor3(from12(f, f1), from3(m, m1), from15(c, b)),
      v128.xor(v128.xor(from15(r12, r11), from13(r11, r10)), v128.xor(from6(r9, x), from5(x, y))),
    );
    v128.store(to, u, BEFORE + 32);
    const r6 = v128.load(to, 128);
    f = v128.load(to, BEFORE + 80);
    m = v128.load(to, BEFORE + RING - MIDDLE + 48);
    a = v128.xor(
      xor3(from12(f1, f), from3(m1, m), from15(b, a)),
      v128.xor(v128.xor(from15(r11, r10), from13(r10, r9)), v128.xor(from6(x, y), from5(y, r6))),
    );
    v128.store(to, a, BEFORE + 48);
    d = s;
    c = t;
    b = u;
    to += 64;
  }
}

/** NEAR over `rows` rows at `ptr`, as many at a time as there is room for in the ring. */
function fold_near(state: u32, ptr: usize, rows: u32): void {
  clear(area, NEAR_ROWS);
  store<u32>(area, state, 15); // reaches the first row alone, by the longest distance
  for (let left = rows - NEAR_ROWS; ;) {
    const part = min<u32>(left, RING_ROWS - NEAR_ROWS);
    let to = area;
    for (let n = part; n; n--) {
      v128.store(to, v128.xor(v128.load(ptr), near(to)), BEFORE);
      to += ROW;
      ptr += ROW;
    }
    left -= part;
    if (!left) {
      const end = folded();
      clear(to + BEFORE, NEAR_ROWS);
      for (let at: usize = 0; at < BEFORE; at += ROW)
        v128.store(end + at, v128.xor(v128.load(ptr + at), near(to + at)));
      return;
    }
    memory.copy(area, to, BEFORE);
  }
}
