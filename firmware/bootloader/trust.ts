/** What the factory wrote: the kind of this board, and the key whose images it runs. */
import { SHA256_BYTES, sha256 } from '../../asm/crypto/sha256';
import { flash_read } from './device';
import {
  BOARD_AT,
  BOARD_BYTES,
  BOARD_CHECK_AT,
  BOARD_KEY_AT,
  BOARD_KIND_AT,
  BOARD_MAGIC,
  BOARD_MAGIC_AT,
} from './layout';
import { DIGEST_AT, SCRATCH_AT, TRUST_AT } from './memory';

/** [RFC 8410] 4: what stands before an Ed25519 key in SubjectPublicKeyInfo. */
const SPKI = memory.data<u8>([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]);
const SPKI_BYTES: u32 = 12;
const KEY_BYTES: u32 = 32;

/** Reads the board sector; false when this board trusts nobody. */
export function trust_load(): bool {
  flash_read(BOARD_AT, <u32>TRUST_AT, BOARD_BYTES);
  sha256(TRUST_AT, BOARD_CHECK_AT, DIGEST_AT, SCRATCH_AT);
  return (
    load<u32>(TRUST_AT + BOARD_MAGIC_AT) == BOARD_MAGIC &&
    memory.compare(DIGEST_AT, TRUST_AT + BOARD_CHECK_AT, SHA256_BYTES) == 0
  );
}

export function trust_kind(): u32 {
  return load<u32>(TRUST_AT + BOARD_KIND_AT);
}

/** Address of the 32 bytes of the key. */
export function trust_key(): usize {
  return TRUST_AT + BOARD_KEY_AT;
}

/** What images name that key by. */
export function trust_key_hash(out: usize): void {
  const spki = SCRATCH_AT + 1024;
  memory.copy(spki, SPKI, SPKI_BYTES);
  memory.copy(spki + SPKI_BYTES, trust_key(), KEY_BYTES);
  sha256(spki, SPKI_BYTES + KEY_BYTES, out, SCRATCH_AT);
}
