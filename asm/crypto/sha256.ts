/**
 * SHA-256 of memory, in one piece or several, HMAC and HKDF on it: what the key of a dump is derived with.
 *
 * [FIPS 180-4] 6.2 SHA-256 · [RFC 2104] HMAC · [RFC 5869] HKDF
 */
const K = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);
const H = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

const BLOCK: u32 = 64;
export const SHA256_BYTES: u32 = 32;
// Parts of the scratch area.
const SCHEDULE_AT: usize = 0; // 64 words
const STATE_AT: usize = 256; // 8 words
const TAIL_AT: usize = 288; // two blocks
const INNER_AT: usize = 416; // key block, then at most MESSAGE_MAX bytes
const OUTER_AT: usize = 640; // key block, then a digest
const KEY_AT: usize = 736; // pseudorandom key
/** Bytes of scratch for all that is here. */
export const SHA256_SCRATCH_BYTES: u32 = 768;
const MESSAGE_MAX: u32 = 160;

/** Digest of the `bytes` bytes at `from`, SHA256_BYTES at `out`. */
export function sha256(from: usize, bytes: u32, out: usize, scratch: usize): void {
  sha256_begin(scratch);
  const whole = bytes & ~(BLOCK - 1);
  sha256_blocks(from, whole, scratch);
  sha256_end(from + whole, bytes - whole, bytes, out, scratch);
}

/** The same of what comes in pieces: all but the last are whole blocks of 64 bytes. */
export function sha256_begin(scratch: usize): void {
  memory.copy(scratch + STATE_AT, H, 32);
}

export function sha256_blocks(from: usize, bytes: u32, scratch: usize): void {
  const state = scratch + STATE_AT;
  for (let done: u32 = 0; done < bytes; done += BLOCK) compress(state, from + done, scratch + SCHEDULE_AT);
}

/** The last `rest` bytes, less than a block, of `bytes` in all. */
export function sha256_end(from: usize, rest: u32, bytes: u32, out: usize, scratch: usize): void {
  const state = scratch + STATE_AT;
  // The rest, a 1 bit, zeros, and the length in bits, big-endian: one block or two.
  const tail = scratch + TAIL_AT;
  memory.fill(tail, 0, 2 * BLOCK);
  memory.copy(tail, from, rest);
  store<u8>(tail + rest, 0x80);
  const blocks: u32 = rest < 56 ? 1 : 2;
  store<u64>(tail + blocks * BLOCK - 8, bswap<u64>((<u64>bytes) << 3));
  for (let i: u32 = 0; i < blocks; i++) compress(state, tail + i * BLOCK, scratch + SCHEDULE_AT);
  for (let i: usize = 0; i < 32; i += 4) store<u32>(out + i, bswap<u32>(load<u32>(state + i)));
}

function compress(state: usize, block: usize, w: usize): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(w + i, bswap<u32>(load<u32>(block + i)));
  for (let i: usize = 64; i < 256; i += 4) {
    const a = load<u32>(w + i - 60);
    const b = load<u32>(w + i - 8);
    const s0 = rotr<u32>(a, 7) ^ rotr<u32>(a, 18) ^ (a >> 3);
    const s1 = rotr<u32>(b, 17) ^ rotr<u32>(b, 19) ^ (b >> 10);
    store<u32>(w + i, load<u32>(w + i - 64) + s0 + load<u32>(w + i - 28) + s1);
  }
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  for (let i: usize = 0; i < 256; i += 4) {
    const s1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const t1 = h + s1 + ((e & f) ^ (~e & g)) + load<u32>(K + i) + load<u32>(w + i);
    const s0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}

/** HMAC with a key of at most a block, of a message of at most MESSAGE_MAX bytes. */
function hmac(key: usize, keyBytes: u32, message: usize, bytes: u32, out: usize, scratch: usize): void {
  const inner = scratch + INNER_AT;
  const outer = scratch + OUTER_AT;
  memory.fill(inner, 0x36, BLOCK);
  memory.fill(outer, 0x5c, BLOCK);
  for (let i: u32 = 0; i < keyBytes; i++) {
    const k = load<u8>(key + i);
    store<u8>(inner + i, 0x36 ^ k);
    store<u8>(outer + i, 0x5c ^ k);
  }
  memory.copy(inner + BLOCK, message, bytes);
  sha256(inner, BLOCK + bytes, outer + BLOCK, scratch);
  sha256(outer, BLOCK + SHA256_BYTES, out, scratch);
}

/**
 * HKDF-SHA256 for 32 bytes of key: `salt` of at most 64 bytes, `secret` of at most 160, `info` of at most 127.
 * The scratch area is left full of secrets: the caller clears it. False when one of them is longer.
 */
export function hkdf_sha256(
  salt: usize,
  saltBytes: u32,
  secret: usize,
  secretBytes: u32,
  info: usize,
  infoBytes: u32,
  out: usize,
  scratch: usize,
): bool {
  if (saltBytes > BLOCK || secretBytes > MESSAGE_MAX || infoBytes >= 2 * BLOCK) return false;
  const key = scratch + KEY_AT;
  hmac(salt, saltBytes, secret, secretBytes, key, scratch);
  const last = scratch + TAIL_AT; // info, then the byte 1: the first and only block
  memory.copy(last, info, infoBytes);
  store<u8>(last + infoBytes, 1);
  hmac(key, SHA256_BYTES, last, infoBytes + 1, out, scratch);
  return true;
}
