/**
 * LZ4 block compression of a chunk, greedy, with one table of 2^13 positions: the choices of the reference at acceleration
 * 1, but that no position within a match is remembered, which makes blocks a few tenths of a per cent larger or smaller,
 * and is faster. It writes nowhere but to the output and the table, and stops when the output is full.
 *
 * Positions are 16 bits, so a block has at most 64 KiB. The last byte of a memory of 4 GiB has no address behind it:
 * what lies at the end is counted, never compared with.
 *
 * [LZ4] "LZ4 Block Format Description": end of block conditions; "MINMATCH" 4
 */

/** The largest block. */
export const LZ4_BLOCK_MAX: u32 = 65536;
const HASH_BITS: u32 = 13;
/** Bytes of the table that lz4_compress works in, aligned to 16. */
export const LZ4_TABLE_BYTES: u32 = 2 << 13;

const MIN_MATCH: u32 = 4;
/** The last match begins so many bytes before the end of the block, at least. */
const MATCH_LIMIT: u32 = 12;
/** And the last bytes are literals. */
const LAST_LITERALS: u32 = 5;
const RUN_MASK: u32 = 15;
/** After so many misses (as a power of 2) the search goes on in steps one longer. */
const SKIP: u32 = 6;

// @ts-ignore: decorator
@inline
function hash(sequence: u32): usize {
  return (<usize>((sequence * 2654435761) >> (32 - HASH_BITS))) << 1;
}

/** Bytes that `at` and `match` have in common, up to `end`, which no match of a block reaches past. */
// @ts-ignore: decorator
@inline
function common(at: usize, match: usize, end: usize): u32 {
  const start = at;
  const last = end - 7;
  while (at < last) {
    const differ = load<u64>(at) ^ load<u64>(match);
    if (differ) return <u32>(at - start) + ((<u32>ctz<u64>(differ)) >> 3);
    at += 8;
    match += 8;
  }
  while (at < end && load<u8>(at) == load<u8>(match)) {
    at++;
    match++;
  }
  return <u32>(at - start);
}

/** Copies in steps of 8 bytes: up to 7 bytes more than asked for are read and written, 8 for none. */
// @ts-ignore: decorator
@inline
function copy_wild(to: usize, from: usize, bytes: u32, far: bool): void {
  const end = to + bytes;
  if (ASC_FEATURE_SIMD) {
    if (far) {
      v128.store(to, v128.load(from));
      while (bytes > 16) {
        to += 16;
        from += 16;
        bytes -= 16;
        v128.store(to, v128.load(from));
      }
      return;
    }
  }
  do {
    store<u64>(to, load<u64>(from));
    to += 8;
    from += 8;
  } while (to < end);
}

/** The rest of a length that its token has no room for. */
// @ts-ignore: decorator
@inline
function put_length(out: usize, rest: u32): usize {
  while (rest >= 255) {
    store<u8>(out++, 255);
    rest -= 255;
  }
  store<u8>(out, rest);
  return out + 1;
}

/** At least the bytes that put_length needs for a length in a block: a 255th of it and one, without a division. */
// @ts-ignore: decorator
@inline
function length_bytes(length: u32): u32 {
  return (length >> 8) + 2;
}

/** The most bytes that a run of literals can take up, with its token and length. */
// @ts-ignore: decorator
@inline
function run_bytes(literals: u32): u32 {
  return 1 + literals + length_bytes(literals);
}

/**
 * Compresses the `bytes` bytes at `from` (1 to LZ4_BLOCK_MAX) into the `room` bytes at `to`, which must have 8 bytes
 * more that may be overwritten. Returns the bytes of the block, or 0 when it does not fit: then it is better stored.
 */
export function lz4_compress(from: usize, bytes: u32, to: usize, room: u32, table: usize): u32 {
  if (bytes > LZ4_BLOCK_MAX) return 0;
  let out = to;
  const end = to + room;
  let anchor = from;
  if (bytes > MATCH_LIMIT) {
    memory.fill(table, 0, LZ4_TABLE_BYTES);
    const limit = from + (bytes - MATCH_LIMIT);
    let at = from;
    // The search ends when the next place is further from the start than this.
    const reach = bytes - MATCH_LIMIT + 1;
    store<u16>(table + hash(load<u32>(at)), 0);
    let next = at + 1;
    let nextHash = hash(load<u32>(next));
    for (;;) {
      let match: usize;
      let step: u32 = 1;
      let tries: u32 = 1 << SKIP;
      let found = false;
      // Twice the same: half as many turns of the loop.
      for (;;) {
        at = next;
        let place = table + nextHash;
        next = at + step;
        if (<u32>(next - from) > reach) break;
        step = tries++ >> SKIP;
        match = from + load<u16>(place);
        nextHash = hash(load<u32>(next));
        store<u16>(place, <u16>(at - from));
        if (load<u32>(match) == load<u32>(at)) {
          found = true;
          break;
        }
        at = next;
        place = table + nextHash;
        next = at + step;
        if (<u32>(next - from) > reach) break;
        step = tries++ >> SKIP;
        match = from + load<u16>(place);
        nextHash = hash(load<u32>(next));
        store<u16>(place, <u16>(at - from));
        if (load<u32>(match) == load<u32>(at)) {
          found = true;
          break;
        }
      }
      if (!found) break;
      while (at > anchor && match > from && load<u8>(at - 1) == load<u8>(match - 1)) {
        at--;
        match--;
      }
      const literals = <u32>(at - anchor);
      let token = out++;
      let high: u32 = literals << 4;
      if (<i32>(end - out) < <i32>(run_bytes(literals) + 2 + 1 + LAST_LITERALS)) return 0;
      if (literals >= RUN_MASK) {
        high = RUN_MASK << 4;
        out = put_length(out, literals - RUN_MASK);
      }
      copy_wild(out, anchor, literals, at + 4 <= limit);
      out += literals;
      // One match after another, as long as the next one follows at once.
      for (;;) {
        store<u16>(out, <u16>(at - match));
        out += 2;
        // Most matches end within the next eight bytes.
        let extra: u32;
        const differ = at + 7 <= limit ? load<u64>(at, 4) ^ load<u64>(match, 4) : 0;
        if (differ) extra = (<u32>ctz<u64>(differ)) >> 3;
        else extra = common(at + MIN_MATCH, match + MIN_MATCH, limit + (MATCH_LIMIT - LAST_LITERALS));
        at += extra + MIN_MATCH;
        if (<i32>(end - out) < <i32>(1 + LAST_LITERALS + length_bytes(extra))) return 0;
        if (extra >= RUN_MASK) {
          store<u8>(token, high | RUN_MASK);
          out = put_length(out, extra - RUN_MASK);
        } else store<u8>(token, high | extra);
        anchor = at;
        if (at > limit) break;
        const place = table + hash(load<u32>(at));
        match = from + load<u16>(place);
        store<u16>(place, <u16>(at - from));
        if (load<u32>(match) != load<u32>(at)) break;
        token = out++;
        high = 0;
      }
      if (at > limit) break;
      next = at + 1;
      nextHash = hash(load<u32>(next));
    }
  }
  const last = bytes - <u32>(anchor - from);
  if (<i32>(end - out) < <i32>run_bytes(last)) return 0;
  if (last >= RUN_MASK) {
    store<u8>(out++, RUN_MASK << 4);
    out = put_length(out, last - RUN_MASK);
  } else store<u8>(out++, last << 4);
  memory.copy(out, anchor, last);
  return <u32>(out - to) + last;
}
