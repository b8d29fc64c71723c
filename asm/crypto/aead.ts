/**
 * AEAD_CHACHA20_POLY1305: encrypts a piece of memory and authenticates it together with 16 bytes that stay in the clear.
 *
 * [RFC 8439] 2.6 the one-time key, 2.8 the AEAD construction
 */
import { CHACHA_SCRATCH_BYTES, chacha20 } from './chacha20';
import { POLY_STATE_BYTES, poly1305_begin, poly1305_blocks, poly1305_end } from './poly1305';

export const AEAD_TAG_BYTES: u32 = 16;
export const AEAD_AAD_BYTES: u32 = 16;
// Parts of the scratch area.
const POLY_AT: usize = CHACHA_SCRATCH_BYTES;
const KEY_AT: usize = POLY_AT + POLY_STATE_BYTES; // one-time key, then the last blocks
const LAST_AT: usize = KEY_AT + 64;
export const AEAD_SCRATCH_BYTES: u32 = CHACHA_SCRATCH_BYTES + POLY_STATE_BYTES + 64 + 32;

/**
 * Encrypts the `bytes` bytes at `from` with the 32 bytes at `key` and the 12 at `nonce`; `aad` has AEAD_AAD_BYTES. The
 * ciphertext lies at `to`, which may be `from`, and the tag behind it.
 */
export function aead_seal(
  key: usize,
  nonce: usize,
  aad: usize,
  from: usize,
  bytes: u32,
  to: usize,
  scratch: usize,
): void {
  const once = scratch + KEY_AT;
  const poly = scratch + POLY_AT;
  const last = scratch + LAST_AT;
  memory.fill(once, 0, 64);
  chacha20(key, nonce, 0, once, 64, once, scratch);
  chacha20(key, nonce, 1, from, bytes, to, scratch);
  poly1305_begin(poly, once);
  poly1305_blocks(poly, aad, AEAD_AAD_BYTES);
  const whole = bytes & ~15;
  poly1305_blocks(poly, to, whole);
  memory.fill(last, 0, 32);
  memory.copy(last, to + whole, bytes - whole);
  if (bytes > whole) poly1305_blocks(poly, last, 16);
  store<u64>(last, AEAD_AAD_BYTES);
  store<u64>(last, bytes, 8);
  poly1305_blocks(poly, last, 16);
  poly1305_end(poly, to + bytes);
}
