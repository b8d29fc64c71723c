/**
 * The key that dumps are encrypted with: made at boot out of a key pair of this life and the recipient's public key, so
 * that nothing need be computed in a panic. The board's own private key is forgotten at once; the key itself lies among
 * the secrets, which no dump shows, and the panic handler takes it to its work area before these are cleared.
 *
 * [layout] CIPHER_X25519_STORED
 */
import { crc32c } from '../asm/bytes/crc32c';
import { CIPHER_AREA_BYTES } from '../asm/dump/writer-state';
import { SHA256_BYTES, SHA256_SCRATCH_BYTES, hkdf_sha256, sha256 } from '../asm/crypto/sha256';
import { X25519_SCRATCH_BYTES, x25519, x25519_public } from '../asm/crypto/x25519';
import {
  CIPHER_INFO_BYTES,
  CIPHER_X25519,
  CIPHER_X25519_STORED,
  HEADER_CIPHER_AT,
  HEADER_CIPHER_ATTEMPT_AT,
  HEADER_CIPHER_ID_AT,
  HEADER_CIPHER_PUBLIC_AT,
} from '../asm/layout';
import { nvram_read, random_word, timer_work } from './board';
import { DUMP_CIPHER, dump } from './dump-state';
import { CORE_AT, KEYS_AT, NV_CIPHER, NV_DUMP_KEY, WORK_CURVE } from './layout';
import { log } from './log';
import { SECRET_DUMP_KEY, secret_add } from './secrets';

const KEY_BYTES: u32 = 32;
const ID_BYTES: u32 = 16;
const KEY_AT: usize = KEYS_AT + 0x100;
// What is no secret: checksum of all, own public key, id of the recipient's.
const NAMES_AT: usize = CORE_AT + 0xe40;
const SUM_AT: usize = 0;
const PUBLIC_AT: usize = 16;
const ID_AT: usize = PUBLIC_AT + KEY_BYTES;
const NAMES_BYTES: u32 = 64;
// Where it is made.
const PRIVATE_AT: usize = KEYS_AT + 0x200;
const SHARED_AT: usize = PRIVATE_AT + KEY_BYTES;
const SALT_AT: usize = SHARED_AT + KEY_BYTES; // both public keys
const DIGEST_AT: usize = SALT_AT + 2 * KEY_BYTES;
const SCRATCH_AT: usize = KEYS_AT + 0x400;
const MADE_BYTES: u32 = 0xe00; // from PRIVATE_AT to the end of the region
const INFO = memory.data<u8>([
  0x73, 0x70, 0x61, 0x72, 0x65, 0x63, 0x6f, 0x72, 0x65, 0x20, 0x64, 0x75, 0x6d, 0x70, 0x20, 0x31,
]); // "sparecore dump 1"

/** What the dump does with it: nothing, encrypts, or may not go on, because there should be a key and is none. */
export const KEY_NONE: u32 = 0;
export const KEY_GOOD: u32 = 1;
export const KEY_LOST: u32 = 2;

/** At boot, when a recipient is configured. */
export function dump_key_init(): void {
  if (nvram_read(NV_CIPHER) != <u32>CIPHER_X25519) return;
  secret_add(<u32>KEY_AT, KEY_BYTES, SECRET_DUMP_KEY);
  for (let i: u32 = 0; i < KEY_BYTES; i += 4) {
    store<u32>(PRIVATE_AT + i, random_word());
    store<u32>(SALT_AT + KEY_BYTES + i, nvram_read(NV_DUMP_KEY + i));
  }
  x25519_public(SALT_AT, PRIVATE_AT, SCRATCH_AT);
  x25519(SHARED_AT, PRIVATE_AT, SALT_AT + KEY_BYTES, SCRATCH_AT);
  timer_work(WORK_CURVE, 2);
  if (is_point()) make();
  else log('the key for dumps is no public key: a panic will not be dumped');
  memory.fill(PRIVATE_AT, 0, MADE_BYTES);
}

/** A point of low order gives a secret of zeros, that anybody knows. */
function is_point(): bool {
  let any: u64 = 0;
  for (let i: u32 = 0; i < KEY_BYTES; i += 8) any |= load<u64>(SHARED_AT + i);
  return any != 0;
}

function make(): void {
  assert(SCRATCH_AT + max<u32>(SHA256_SCRATCH_BYTES, X25519_SCRATCH_BYTES) <= PRIVATE_AT + MADE_BYTES);
  hkdf_sha256(SALT_AT, 2 * KEY_BYTES, SHARED_AT, KEY_BYTES, INFO, CIPHER_INFO_BYTES, KEY_AT, SCRATCH_AT);
  sha256(SALT_AT + KEY_BYTES, KEY_BYTES, DIGEST_AT, SCRATCH_AT);
  assert(ID_BYTES <= SHA256_BYTES);
  memory.copy(NAMES_AT + PUBLIC_AT, SALT_AT, KEY_BYTES);
  memory.copy(NAMES_AT + ID_AT, DIGEST_AT, ID_BYTES);
  store<u32>(NAMES_AT + SUM_AT, checksum());
}

function checksum(): u32 {
  return crc32c(crc32c(0, KEY_AT, KEY_BYTES), NAMES_AT + PUBLIC_AT, NAMES_BYTES - <u32>PUBLIC_AT);
}

/** In the panic, before the secrets are cleared: KEY_*. */
export function dump_key_state(): u32 {
  if (nvram_read(NV_CIPHER) != <u32>CIPHER_X25519) return KEY_NONE;
  const made = (word(0) | word(1) | word(2) | word(3)) != 0;
  return made && load<u32>(NAMES_AT + SUM_AT) == checksum() ? KEY_GOOD : KEY_LOST;
}

/** Part 0 to 3 of the key: until memory is frozen the work area must stay zero, and the handler keeps them itself. */
export function word(part: u32): u64 {
  return load<u64>(KEY_AT + <usize>part * 8);
}

export function dump_key_put(part: u32, value: u64): void {
  store<u64>(DUMP_CIPHER + <usize>part * 8, value);
}

/** The dump is over: RAM may stay for somebody to look at, and the cipher's scratch has the key, too. */
export function dump_key_forget(): void {
  memory.fill(DUMP_CIPHER, 0, CIPHER_AREA_BYTES);
}

export function dump_key_header(header: usize): void {
  const d = dump();
  if (d.cipher != KEY_GOOD) return;
  store<u32>(header + HEADER_CIPHER_AT, CIPHER_X25519_STORED);
  memory.copy(header + HEADER_CIPHER_PUBLIC_AT, NAMES_AT + PUBLIC_AT, KEY_BYTES);
  memory.copy(header + HEADER_CIPHER_ID_AT, NAMES_AT + ID_AT, ID_BYTES);
  store<u32>(header + HEADER_CIPHER_ATTEMPT_AT, d.attempt);
}
