/**
 * The label: whose disk it is, what for, and who holds it now. The second mark of ownership, beside the reservation.
 * Fields are read and stored at LABEL_*_AT of the layout; here is what makes a label valid.
 *
 * [layout] LABEL_*: two neighbouring copies at LABEL_LBA, the higher sequence number counts
 */
import {
  COPY_BLOCKS,
  COPY_BYTES,
  LABEL_FORMATTED,
  LABEL_LBA,
  LABEL_MAGIC,
  LABEL_NAME_AT,
  LABEL_NAME_BYTES,
  LABEL_NOT_FORMATTED,
  LABEL_OWNER_AT,
  LABEL_HOLDER_AT,
  LABEL_ROLE_AT,
  LABEL_STATE_AT,
  LABEL_VERSION,
  LABEL_VOLUME_AT,
  LABEL_WWN_LO_AT,
  NO_VOLUME,
  ROLE_MAILBOX,
} from '../layout';
import { COPY_NONE, copy_begin, copy_newest, copy_seal, copy_sequence, copy_valid } from '../bytes/copies';

/**
 * A fresh label in the COPY_BYTES at `buf`, formatted and without a name. `wwn` is the disk's NAA; the holder is the
 * owner. Store other fields, then seal.
 */
export function label_begin(buf: usize, role: u32, owner: u32, volume: u32, wwn: u64): void {
  copy_begin(buf, LABEL_MAGIC, LABEL_VERSION);
  store<u32>(buf + LABEL_ROLE_AT, role);
  store<u32>(buf + LABEL_OWNER_AT, owner);
  store<u32>(buf + LABEL_HOLDER_AT, owner);
  store<u32>(buf + LABEL_STATE_AT, LABEL_FORMATTED);
  store<u32>(buf + LABEL_VOLUME_AT, volume);
  store<u64>(buf + LABEL_WWN_LO_AT, wwn);
}

/** Sets the name from `bytes` bytes of ASCII at `name`; what is over LABEL_NAME_BYTES is cut. */
export function label_name(buf: usize, name: usize, bytes: u32): void {
  memory.fill(buf + LABEL_NAME_AT, 0, LABEL_NAME_BYTES);
  memory.copy(buf + LABEL_NAME_AT, name, min<u32>(bytes, LABEL_NAME_BYTES));
}

/** Sets the sequence number and the checksum: the last thing before the write. */
export function label_seal(buf: usize, sequence: u32): void {
  copy_seal(buf, sequence);
}

/** True for a whole label that makes sense: checksum, version, and fields within what the layout names. */
export function label_valid(buf: usize): bool {
  if (!copy_valid(buf, LABEL_MAGIC, LABEL_VERSION)) return false;
  const state = load<u32>(buf + LABEL_STATE_AT);
  return (
    load<u32>(buf + LABEL_ROLE_AT) <= <u32>ROLE_MAILBOX &&
    (state == LABEL_FORMATTED || state == LABEL_NOT_FORMATTED) &&
    load<u32>(buf + LABEL_VOLUME_AT) <= <u32>NO_VOLUME
  );
}

/** 0 or 1, the copy that counts of the two at `copies` (2 * COPY_BYTES, as read from LABEL_LBA), or COPY_NONE. */
export function label_newest(copies: usize): i32 {
  const other = copies + COPY_BYTES;
  return copy_newest(copies, other, label_valid(copies), label_valid(other));
}

/** 0 or 1, the copy to overwrite next: the older, or one that does not count. */
export function label_victim(copies: usize): i32 {
  return label_newest(copies) == 0 ? 1 : 0;
}

/** The sequence number that the next label must carry, given both copies as read. */
export function label_next_sequence(copies: usize): u32 {
  const newest = label_newest(copies);
  return newest == COPY_NONE ? 1 : copy_sequence(copies + newest * COPY_BYTES) + 1;
}

/** First block of copy 0 or 1. */
export function label_lba(copy: u32): u32 {
  return LABEL_LBA + copy * COPY_BLOCKS;
}
