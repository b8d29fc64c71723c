/**
 * Protection information of type 1: eight bytes behind each block as it travels.
 *
 * [SBC-3] 4.22.2.3 type 1 protection, 4.22.3 protection information format, 4.22.4 logical block guard: CRC of
 *         polynomial 8BB7h over the user data, initially 0, not reflected
 */
import { load_be16, load_be32, store_be16, store_be32 } from '../bytes/endian';
import {
  PI_APP_AT,
  PI_BAD_GUARD,
  PI_BAD_REF,
  PI_BYTES,
  PI_GOOD,
  PI_GUARD_AT,
  PI_REF_AT,
  TASK_FLAG_PI_GUARD,
  TASK_FLAG_PI_REF,
} from '../layout';

const POLYNOMIAL: u32 = 0x8bb7;
/** With this application tag nothing of a block is checked when it is read. */
const ESCAPE: u32 = 0xffff;
const TABLE = memory.data(512, 16);

/** Remainders of the 256 bytes. The last of them is not 0 once they are there. */
function fill(): void {
  for (let n: u32 = 0; n < 256; n++) {
    let crc = n << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? POLYNOMIAL : 0);
    store<u16>(TABLE + (n << 1), <u16>crc);
  }
}

/** LOGICAL BLOCK GUARD of `bytes` bytes. */
function guard(at: usize, bytes: u32): u32 {
  if (!load<u16>(TABLE, 510)) fill();
  let crc: u32 = 0;
  for (; bytes; bytes--, at++) {
    crc = ((crc << 8) & 0xffff) ^ load<u16>(TABLE + (((crc >> 8) ^ load<u8>(at)) << 1));
  }
  return crc;
}

/** Makes the protection information behind each block at `at`; `ref` is the LBA's low word of the first. */
export function pi_make(at: u32, blocks: u32, blockBytes: u32, ref: u32): void {
  for (let block: usize = at; blocks; blocks--, ref++) {
    const pi = block + blockBytes;
    store_be16(pi + PI_GUARD_AT, guard(block, blockBytes));
    store_be16(pi + PI_APP_AT, 0);
    store_be32(pi + PI_REF_AT, ref);
    block = pi + PI_BYTES;
  }
}

/**
 * Checks the protection information behind each block as TASK_FLAG_PI_GUARD and TASK_FLAG_PI_REF say; `escape` is 1
 * when the blocks come from the medium. PI_GOOD, or index << 2 | PI_BAD_*.
 */
export function pi_check(at: u32, blocks: u32, blockBytes: u32, ref: u32, flags: u32, escape: u32): u32 {
  let block: usize = at;
  for (let index: u32 = 0; index < blocks; index++) {
    const pi = block + blockBytes;
    if (!escape || load_be16(pi + PI_APP_AT) != ESCAPE) {
      if (flags & TASK_FLAG_PI_GUARD && load_be16(pi + PI_GUARD_AT) != guard(block, blockBytes)) {
        return (index << 2) | PI_BAD_GUARD;
      }
      if (flags & TASK_FLAG_PI_REF && load_be32(pi + PI_REF_AT) != ref + index) {
        return (index << 2) | PI_BAD_REF;
      }
    }
    block = pi + PI_BYTES;
  }
  return PI_GOOD;
}
