/**
 * Fields of CDBs. Both ends use these, so that a CDB is built and read by one hand.
 *
 * [SPC-4] 4.2.2 fixed length CDBs: opcode in byte 0; LBA and length fields by size of the CDB
 * [SPC-4] 4.3.4 the group code is the top three bits of the opcode
 */
import {
  load_be16,
  load_be24,
  load_be32,
  load_be64,
  store_be16,
  store_be32,
  store_be64,
} from '../bytes/endian';

/** Bytes of a CDB of this opcode by its group code, [SPC-4] 4.2.5.1; 0: no fixed length. */
export function cdb_bytes(opcode: u32): u32 {
  switch (opcode >> 5) {
    case 0:
      return 6;
    case 1:
    case 2:
      return 10;
    case 4:
      return 16;
    case 5:
      return 12;
    default:
      return 0;
  }
}

export function cdb_service_action(cdb: usize): u32 {
  return load<u8>(cdb, 1) & 0x1f;
}

export function cdb6_lba(cdb: usize): u64 {
  return load_be24(cdb + 1) & 0x1fffff;
}

/** 0 means 256 blocks, [SBC-3] 5.10 READ(6). */
export function cdb6_blocks(cdb: usize): u32 {
  const blocks: u32 = load<u8>(cdb, 4);
  return blocks ? blocks : 256;
}

export function cdb10_lba(cdb: usize): u64 {
  return load_be32(cdb + 2);
}

/** Transfer, allocation and parameter list length of a 10-byte CDB. */
export function cdb10_length(cdb: usize): u32 {
  return load_be16(cdb + 7);
}

export function cdb12_lba(cdb: usize): u64 {
  return load_be32(cdb + 2);
}

export function cdb12_length(cdb: usize): u32 {
  return load_be32(cdb + 6);
}

export function cdb16_lba(cdb: usize): u64 {
  return load_be64(cdb + 2);
}

export function cdb16_length(cdb: usize): u32 {
  return load_be32(cdb + 10);
}

/** A 10-byte CDB in the 16 bytes at `cdb`; `flags` is byte 1. */
export function cdb10_put(cdb: usize, opcode: u32, flags: u32, lba: u32, length: u32): void {
  store<u64>(cdb, opcode | (flags << 8));
  store<u64>(cdb, 0, 8);
  store_be32(cdb + 2, lba);
  store_be16(cdb + 7, length);
}

/** A 16-byte CDB at `cdb`; `flags` is byte 1. */
export function cdb16_put(cdb: usize, opcode: u32, flags: u32, lba: u64, length: u32): void {
  store<u64>(cdb, opcode | (flags << 8));
  store_be64(cdb + 2, lba);
  store_be32(cdb + 10, length);
  store<u16>(cdb, 0, 14);
}
