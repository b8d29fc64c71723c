/**
 * Is the image in a slot one that this board may run? Read as strictly as the host reads it; every length is checked
 * against the slot before it is used.
 *
 * [MCUboot] bootutil/src/image_validate.c
 */
import { ed25519_verify } from '../../asm/crypto/ed25519';
import { SHA256_BYTES, sha256_begin, sha256_blocks, sha256_end } from '../../asm/crypto/sha256';
import { counter_read } from './counter';
import { flash_read } from './device';
import {
  HEADER_BYTES,
  HEADER_FLAGS_AT,
  HEADER_IMAGE_AT,
  HEADER_LOAD_AT,
  HEADER_MAGIC_AT,
  HEADER_MAX,
  HEADER_PROTECTED_AT,
  HEADER_SIZE_AT,
  IMAGE_BOARD,
  IMAGE_DIGEST,
  IMAGE_DOWNGRADE,
  IMAGE_GOOD,
  IMAGE_KEY,
  IMAGE_MAGIC,
  IMAGE_MALFORMED,
  IMAGE_MAX,
  IMAGE_NONE,
  IMAGE_SIGNATURE,
  IMAGE_UNPROVISIONED,
  TLV_AREA_MAX,
  TLV_BOARD,
  TLV_BYTES,
  TLV_ED25519,
  TLV_INFO_BYTES,
  TLV_INFO_MAGIC,
  TLV_KEYHASH,
  TLV_PROTECTED_MAGIC,
  TLV_SEC_CNT,
  TLV_SHA256,
} from './layout';
import { COPY_AT, COPY_BYTES, DIGEST_AT, HEADER_AT, SCRATCH_AT, TLV_AT, state } from './memory';
import { slot_at } from './trailer';
import { trust_key, trust_key_hash, trust_kind, trust_load } from './trust';

// Parts of the TLV area of RAM.
const SHA_VALUE: usize = TLV_AT;
const KEY_VALUE: usize = TLV_AT + 32;
const SIGNATURE_VALUE: usize = TLV_AT + 64;
const WORD_VALUE: usize = TLV_AT + 128;

const SEEN_SHA: u32 = 1;
const SEEN_KEY: u32 = 2;
const SEEN_SIGNATURE: u32 = 4;
const SEEN_COUNTER: u32 = 8;
const SEEN_BOARD: u32 = 16;
const SEEN_ALL: u32 = 31;

/** Whoever changes anything in a slot says so. */
export function image_forget(slot: u32): void {
  state().sound &= ~(1 << slot);
}

/**
 * IMAGE_GOOD, or the first thing that is wrong. Leaves the header at HEADER_AT. Digest and signature take a small CPU long:
 * what was found good is not looked at again until it changes.
 */
export function image_check(slot: u32): u32 {
  const at = slot_at(slot);
  flash_read(at, <u32>HEADER_AT, HEADER_BYTES);
  if (load<u32>(HEADER_AT + HEADER_MAGIC_AT) != IMAGE_MAGIC) return IMAGE_NONE;
  const signed = signed_bytes(at);
  if (signed == 0) return IMAGE_MALFORMED;
  if ((state().sound & (1 << slot)) == 0) {
    digest_of(at, signed, DIGEST_AT);
    if (memory.compare(DIGEST_AT, SHA_VALUE, SHA256_BYTES) != 0) return IMAGE_DIGEST;
    const trust = image_trust();
    if (trust != IMAGE_GOOD) return trust;
    state().sound |= 1 << slot;
  }
  return state().counter < counter_read() ? IMAGE_DOWNGRADE : IMAGE_GOOD;
}

/** Is it signed by our key, and for us? */
function image_trust(): u32 {
  const digest = TLV_AT + 160; // DIGEST_AT is used on the way
  memory.copy(digest, DIGEST_AT, SHA256_BYTES);
  if (!trust_load()) return IMAGE_UNPROVISIONED;
  trust_key_hash(DIGEST_AT);
  if (memory.compare(DIGEST_AT, KEY_VALUE, SHA256_BYTES) != 0) return IMAGE_KEY;
  if (!ed25519_verify(SIGNATURE_VALUE, digest, SHA256_BYTES, trust_key(), SCRATCH_AT)) return IMAGE_SIGNATURE;
  return state().board == trust_kind() ? IMAGE_GOOD : IMAGE_BOARD;
}

/** Reads header and TLVs. Bytes that the digest covers, 0 when anything is malformed. */
function signed_bytes(at: u32): u32 {
  const headerBytes: u32 = load<u16>(HEADER_AT + HEADER_SIZE_AT);
  const protectedBytes: u32 = load<u16>(HEADER_AT + HEADER_PROTECTED_AT);
  const payloadBytes = load<u32>(HEADER_AT + HEADER_IMAGE_AT);
  if (headerBytes < HEADER_BYTES || headerBytes > HEADER_MAX) return 0;
  if (load<u32>(HEADER_AT + HEADER_LOAD_AT) != 0 || load<u32>(HEADER_AT + HEADER_FLAGS_AT) != 0) return 0;
  if (payloadBytes > IMAGE_MAX - headerBytes) return 0;
  const end = headerBytes + payloadBytes;
  const shielded = read_area(at, end, TLV_PROTECTED_MAGIC, 0);
  if (shielded == NONE) return 0;
  const open = read_area(at, shielded, TLV_INFO_MAGIC, seen_of(shielded - end, protectedBytes));
  return open == NONE ? 0 : shielded;
}

const NONE: u32 = 0xffffffff;
/** No TLV has this bit: an area that begins with it is refused. */
const SEEN_NOTHING: u32 = 32;

/** What the protected area must have held, or nothing that can be completed. */
function seen_of(bytes: u32, said: u32): u32 {
  return bytes == said ? SEEN_COUNTER | SEEN_BOARD : SEEN_NOTHING;
}

/**
 * Reads an area of TLVs at `from` of the slot, and returns where it ends. `seen` is what the one before held: the second
 * must complete it. NONE when it is malformed.
 */
function read_area(at: u32, from: u32, magic: u32, seen: u32): u32 {
  if (from > IMAGE_MAX - TLV_INFO_BYTES) return NONE;
  flash_read(at + from, <u32>COPY_AT, TLV_INFO_BYTES);
  const size: u32 = load<u16>(COPY_AT, 2);
  if (load<u16>(COPY_AT) != magic || size < TLV_INFO_BYTES || size > TLV_AREA_MAX) return NONE;
  if (size > IMAGE_MAX - from) return NONE;
  flash_read(at + from, <u32>COPY_AT, size);
  const isProtected = magic == TLV_PROTECTED_MAGIC;
  for (let next: u32 = TLV_INFO_BYTES; next < size;) {
    if (size - next < TLV_BYTES) return NONE;
    const type: u32 = load<u16>(COPY_AT + next);
    const length: u32 = load<u16>(COPY_AT + next, 2);
    const value = next + TLV_BYTES;
    if (length > size - value) return NONE;
    const bit = take(type, length, COPY_AT + value, isProtected);
    if (bit == NONE || (bit & seen) != 0) return NONE;
    seen |= bit;
    next = value + length;
  }
  const wanted: u32 = isProtected ? SEEN_COUNTER | SEEN_BOARD : SEEN_ALL;
  return seen == wanted ? from + size : NONE;
}

/** Keeps a value. Its bit, 0 of a type that does not matter here, NONE when it is malformed or in the wrong area. */
function take(type: u32, length: u32, value: usize, isProtected: bool): u32 {
  switch (type) {
    case TLV_SHA256:
      return isProtected ? NONE : keep(SHA_VALUE, value, length, SHA256_BYTES, SEEN_SHA);
    case TLV_KEYHASH:
      return isProtected ? NONE : keep(KEY_VALUE, value, length, SHA256_BYTES, SEEN_KEY);
    case TLV_ED25519:
      return isProtected ? NONE : keep(SIGNATURE_VALUE, value, length, 64, SEEN_SIGNATURE);
    case TLV_SEC_CNT: {
      const bit = isProtected ? keep(WORD_VALUE, value, length, 4, SEEN_COUNTER) : NONE;
      if (bit != NONE) state().counter = load<u32>(WORD_VALUE);
      return bit;
    }
    case TLV_BOARD: {
      const bit = isProtected ? keep(WORD_VALUE, value, length, 4, SEEN_BOARD) : NONE;
      if (bit != NONE) state().board = load<u32>(WORD_VALUE);
      return bit;
    }
    default:
      return 0;
  }
}

function keep(to: usize, value: usize, length: u32, wanted: u32, bit: u32): u32 {
  if (length != wanted) return NONE;
  memory.copy(to, value, wanted);
  return bit;
}

/** SHA-256 of the first `bytes` bytes from `at` of the flash. */
export function digest_of(at: u32, bytes: u32, out: usize): void {
  sha256_begin(SCRATCH_AT);
  let done: u32 = 0;
  for (; bytes - done >= COPY_BYTES; done += COPY_BYTES) {
    flash_read(at + done, <u32>COPY_AT, COPY_BYTES);
    sha256_blocks(COPY_AT, COPY_BYTES, SCRATCH_AT);
  }
  const rest = bytes - done;
  flash_read(at + done, <u32>COPY_AT, rest);
  const whole = rest & ~63;
  sha256_blocks(COPY_AT, whole, SCRATCH_AT);
  sha256_end(COPY_AT + whole, rest - whole, bytes, out, SCRATCH_AT);
}

/** Where the digest of the image last checked lies. */
export function image_digest(): usize {
  return SHA_VALUE;
}
