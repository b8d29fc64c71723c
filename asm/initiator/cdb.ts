/**
 * Commands that a controller sends to a disk, written as CDBs into a submission queue entry.
 *
 * [SPC-4] 6 commands for all device types · [SBC-3] 5 commands for direct-access block devices
 */
import {
  SQE_BYTES,
  SQE_CDB_AT,
  SQE_CDB_LENGTH_AT,
  SQE_DATA_BYTES_AT,
  SQE_DATA_IN,
  SQE_DATA_OUT,
  SQE_FLAGS_AT,
  SQE_SGL_AT,
  SQE_SGL_COUNT_AT,
} from '../layout';
import { store_be16, store_be24, store_be32, store_be64 } from '../bytes/endian';

/** Starts an entry over: all zero, then data direction, length and place. */
function begin(sqe: usize, cdbBytes: u32, flags: u32, data: usize, bytes: u32): usize {
  memory.fill(sqe, 0, SQE_BYTES);
  store<u8>(sqe + SQE_CDB_LENGTH_AT, cdbBytes);
  store<u8>(sqe + SQE_FLAGS_AT, bytes ? flags : 0);
  store<u32>(sqe + SQE_SGL_AT, <u32>data);
  store<u32>(sqe + SQE_DATA_BYTES_AT, bytes);
  return sqe + SQE_CDB_AT;
}

/** TEST UNIT READY 00h, [SPC-4] 6.47 */
export function cdb_test_unit_ready(sqe: usize): void {
  begin(sqe, 6, 0, 0, 0);
}

/** INQUIRY 12h, [SPC-4] 6.6; `page` 0: standard data, else that vital product data page. */
export function cdb_inquiry(sqe: usize, page: u32, data: usize, bytes: u32): void {
  const cdb = begin(sqe, 6, SQE_DATA_IN, data, bytes);
  store<u8>(cdb, 0x12);
  if (page) {
    store<u8>(cdb + 1, 1); // EVPD
    store<u8>(cdb + 2, page);
  }
  store_be16(cdb + 3, bytes);
}

/** READ CAPACITY(16) 9Eh/10h, [SBC-3] 5.16 */
export function cdb_read_capacity16(sqe: usize, data: usize, bytes: u32): void {
  const cdb = begin(sqe, 16, SQE_DATA_IN, data, bytes);
  store<u8>(cdb, 0x9e);
  store<u8>(cdb + 1, 0x10);
  store_be32(cdb + 10, bytes);
}

/** READ(16) 88h, [SBC-3] 5.15 */
export function cdb_read16(sqe: usize, lba: u64, blocks: u32, data: usize, bytes: u32): void {
  const cdb = begin(sqe, 16, SQE_DATA_IN, data, bytes);
  store<u8>(cdb, 0x88);
  store_be64(cdb + 2, lba);
  store_be32(cdb + 10, blocks);
}

/** WRITE(16) 8Ah, [SBC-3] 5.33. With FUA: what is acknowledged is on the medium, whatever the disk's cache is set to. */
export function cdb_write16(sqe: usize, lba: u64, blocks: u32, fua: bool, data: usize, bytes: u32): void {
  const cdb = begin(sqe, 16, SQE_DATA_OUT, data, bytes);
  store<u8>(cdb, 0x8a);
  if (fua) store<u8>(cdb + 1, 0x08);
  store_be64(cdb + 2, lba);
  store_be32(cdb + 10, blocks);
}

/** The same, of data in pieces: `list` has `segments` of them, {address u32, bytes u32} each. */
export function cdb_write16_list(
  sqe: usize,
  lba: u64,
  blocks: u32,
  fua: bool,
  list: usize,
  segments: u32,
  bytes: u32,
): void {
  cdb_write16(sqe, lba, blocks, fua, list, bytes);
  store<u16>(sqe + SQE_SGL_COUNT_AT, segments);
}

/** SYNCHRONIZE CACHE(10) 35h of the whole medium, [SBC-3] 5.21 */
export function cdb_synchronize_cache(sqe: usize): void {
  store<u8>(begin(sqe, 10, 0, 0, 0), 0x35);
}

/** PERSISTENT RESERVE IN 5Eh, [SPC-4] 6.15; service actions 0 READ KEYS, 1 READ RESERVATION. */
export function cdb_reserve_in(sqe: usize, action: u32, data: usize, bytes: u32): void {
  const cdb = begin(sqe, 10, SQE_DATA_IN, data, bytes);
  store<u8>(cdb, 0x5e);
  store<u8>(cdb + 1, action);
  store_be16(cdb + 7, bytes);
}

/** Bytes of the PERSISTENT RESERVE OUT parameter list, [SPC-4] 6.16.3 */
export const RESERVE_LIST_BYTES: u32 = 24;

/**
 * PERSISTENT RESERVE OUT 5Fh, [SPC-4] 6.16. The parameter list is built at `list` (RESERVE_LIST_BYTES), with APTPL
 * where the service action takes it, so that a disk's power loss does not free what a board holds.
 */
export function cdb_reserve_out(
  sqe: usize,
  action: u32,
  type: u32,
  list: usize,
  key: u64,
  service: u64,
): void {
  const cdb = begin(sqe, 10, SQE_DATA_OUT, list, RESERVE_LIST_BYTES);
  store<u8>(cdb, 0x5f);
  store<u8>(cdb + 1, action);
  store<u8>(cdb + 2, type); // scope LU_SCOPE 0h
  store_be24(cdb + 6, RESERVE_LIST_BYTES); // bytes 5 to 8 of the CDB; byte 5 is 0
  memory.fill(list, 0, RESERVE_LIST_BYTES);
  store_be64(list, key);
  store_be64(list + 8, service);
  if (action == PR_REGISTER || action == PR_REGISTER_AND_IGNORE) store<u8>(list + 20, 1); // APTPL
}

/** PERSISTENT RESERVE OUT service actions, [SPC-4] table 202 */
export const PR_REGISTER: u32 = 0x00;
export const PR_RESERVE: u32 = 0x01;
export const PR_RELEASE: u32 = 0x02;
export const PR_CLEAR: u32 = 0x03;
export const PR_PREEMPT: u32 = 0x04;
export const PR_PREEMPT_AND_ABORT: u32 = 0x05;
export const PR_REGISTER_AND_IGNORE: u32 = 0x06;
/** PERSISTENT RESERVE IN service actions, [SPC-4] table 187 */
export const PR_READ_KEYS: u32 = 0x00;
export const PR_READ_RESERVATION: u32 = 0x01;
/** Types, [SPC-4] table 193 */
export const PR_WRITE_EXCLUSIVE: u32 = 1;
export const PR_WRITE_EXCLUSIVE_REGISTRANTS: u32 = 5;
