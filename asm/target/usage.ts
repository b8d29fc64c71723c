/**
 * The CDB usage data of every command that is built in: a bit is 1 where the device server looks at it. A bit set in
 * a CDB where this has 0 is a reserved one, and refused. REPORT SUPPORTED OPERATION CODES speaks in the same terms.
 *
 * [SPC-4] 6.35.3 CDB usage data; 4.2.5 common CDB fields; [SAM-5] 5.2 CONTROL: NACA is 0 here, NORMACA is 0
 * [SBC-3] 5.x, [SPC-4] 6.x: the layout of each CDB
 */
import { cdb_service_action } from '../scsi/cdb';
import {
  INQUIRY,
  MODE_SELECT_10,
  MODE_SELECT_6,
  MODE_SENSE_10,
  MODE_SENSE_6,
  PERSISTENT_RESERVE_IN,
  PERSISTENT_RESERVE_OUT,
  READ_10,
  READ_12,
  READ_16,
  READ_6,
  READ_CAPACITY_10,
  RELEASE_10,
  RELEASE_6,
  REPORT_LUNS,
  REQUEST_SENSE,
  RESERVE_10,
  RESERVE_6,
  SA_READ_CAPACITY_16,
  SERVICE_ACTION_IN_16,
  START_STOP_UNIT,
  SYNCHRONIZE_CACHE_10,
  SYNCHRONIZE_CACHE_16,
  TEST_UNIT_READY,
  VERIFY_10,
  VERIFY_12,
  VERIFY_16,
  WRITE_10,
  WRITE_12,
  WRITE_16,
  WRITE_6,
  WRITE_AND_VERIFY_10,
  WRITE_AND_VERIFY_12,
  WRITE_AND_VERIFY_16,
} from '../scsi/opcode';

const SIX = memory.data<u8>([0xff, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]);
const RW_6 = memory.data<u8>([255, 31, 255, 255, 255, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]);
const INQUIRY_6 = memory.data<u8>([
  255, 1, 255, 255, 255, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
]);
const SENSE_6 = memory.data<u8>([255, 1, 0, 0, 255, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]);
// DBD; page control and page; subpage; allocation length
const MODE_6 = memory.data<u8>([255, 8, 255, 255, 255, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]);
const MODE_10 = memory.data<u8>([255, 24, 255, 255, 0, 0, 0, 255, 255, 0, 255, 255, 255, 255, 255, 255]);
// PF, SP; parameter list length
const SELECT_6 = memory.data<u8>([255, 17, 0, 0, 255, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]);
const SELECT_10 = memory.data<u8>([255, 17, 0, 0, 0, 0, 0, 255, 255, 0, 255, 255, 255, 255, 255, 255]);
// IMMED; power condition modifier; power condition, NO_FLUSH, LOEJ, START
const START_6 = memory.data<u8>([255, 1, 0, 15, 247, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]);
const TEN = memory.data<u8>([255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255]);
// PMI and LBA are obsolete, [SBC-3] 5.15: PMI is refused by the command, the LBA ignored
const CAPACITY_10 = memory.data<u8>([255, 0, 255, 255, 255, 255, 0, 0, 1, 0, 255, 255, 255, 255, 255, 255]);
// RDPROTECT or WRPROTECT, DPO, FUA, RARC, FUA_NV; LBA; group number; length
const READS_10 = memory.data<u8>([
  255, 254, 255, 255, 255, 255, 31, 255, 255, 0, 255, 255, 255, 255, 255, 255,
]);
const WRITES_10 = memory.data<u8>([
  255, 250, 255, 255, 255, 255, 31, 255, 255, 0, 255, 255, 255, 255, 255, 255,
]);
// VRPROTECT or WRPROTECT, DPO, BYTCHK
const VERIFY_10S = memory.data<u8>([
  255, 246, 255, 255, 255, 255, 31, 255, 255, 0, 255, 255, 255, 255, 255, 255,
]);
// SYNC_NV and IMMED
const SYNC_10 = memory.data<u8>([255, 6, 255, 255, 255, 255, 31, 255, 255, 0, 255, 255, 255, 255, 255, 255]);
const PR_IN_10 = memory.data<u8>([255, 31, 0, 0, 0, 0, 0, 255, 255, 0, 255, 255, 255, 255, 255, 255]);
const PR_OUT_10 = memory.data<u8>([255, 31, 255, 0, 0, 255, 255, 255, 255, 0, 255, 255, 255, 255, 255, 255]);
const READS_12 = memory.data<u8>([
  255, 254, 255, 255, 255, 255, 255, 255, 255, 255, 31, 0, 255, 255, 255, 255,
]);
const WRITES_12 = memory.data<u8>([
  255, 250, 255, 255, 255, 255, 255, 255, 255, 255, 31, 0, 255, 255, 255, 255,
]);
const VERIFY_12S = memory.data<u8>([
  255, 246, 255, 255, 255, 255, 255, 255, 255, 255, 31, 0, 255, 255, 255, 255,
]);
const LUNS_12 = memory.data<u8>([255, 0, 255, 0, 0, 0, 255, 255, 255, 255, 0, 0, 255, 255, 255, 255]);
const READS_16 = memory.data<u8>([
  255, 254, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 31, 0,
]);
const WRITES_16 = memory.data<u8>([
  255, 250, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 31, 0,
]);
const VERIFY_16S = memory.data<u8>([
  255, 246, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 31, 0,
]);
const SYNC_16 = memory.data<u8>([255, 6, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 31, 0]);
const CAPACITY_16 = memory.data<u8>([
  255, 31, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0,
]);

/** Not built in. */
export const USAGE_NO_OPCODE: usize = 0;
/** The opcode is, this service action of it is not. */
export const USAGE_NO_SERVICE_ACTION: usize = 1;

/** Address of the 16 bytes of usage data for the CDB, bytes behind the CDB's end all ones; or USAGE_NO_*. */
export function usage_of(cdb: usize): usize {
  switch (<u32>load<u8>(cdb)) {
    case READ_10:
      return READS_10;
    case WRITE_10:
      return WRITES_10;
    case READ_16:
      return READS_16;
    case WRITE_16:
      return WRITES_16;
    case READ_12:
      return READS_12;
    case WRITE_12:
      return WRITES_12;
    case READ_6:
    case WRITE_6:
      return RW_6;
    case TEST_UNIT_READY:
      return SIX;
    case REQUEST_SENSE:
      return SENSE_6;
    case INQUIRY:
      return INQUIRY_6;
    case MODE_SENSE_6:
      return MODE_6;
    case MODE_SENSE_10:
      return MODE_10;
    case MODE_SELECT_6:
      return SELECT_6;
    case MODE_SELECT_10:
      return SELECT_10;
    case START_STOP_UNIT:
      return START_6;
    case RESERVE_6:
    case RELEASE_6:
      return SIX;
    case RESERVE_10:
    case RELEASE_10:
      return TEN;
    case READ_CAPACITY_10:
      return CAPACITY_10;
    case VERIFY_10:
    case WRITE_AND_VERIFY_10:
      return VERIFY_10S;
    case VERIFY_12:
    case WRITE_AND_VERIFY_12:
      return VERIFY_12S;
    case VERIFY_16:
    case WRITE_AND_VERIFY_16:
      return VERIFY_16S;
    case SYNCHRONIZE_CACHE_10:
      return SYNC_10;
    case SYNCHRONIZE_CACHE_16:
      return SYNC_16;
    case PERSISTENT_RESERVE_IN:
      return PR_IN_10;
    case PERSISTENT_RESERVE_OUT:
      return PR_OUT_10;
    case REPORT_LUNS:
      return LUNS_12;
    case SERVICE_ACTION_IN_16:
      return cdb_service_action(cdb) == <u32>SA_READ_CAPACITY_16 ? CAPACITY_16 : USAGE_NO_SERVICE_ACTION;
    default:
      return USAGE_NO_OPCODE;
  }
}

/** Bits of the CDB where its usage data has none: 0 when there are none. */
// @ts-ignore: decorator
@inline
export function reserved_bits(cdb: usize, usage: usize): bool {
  return ((load<u64>(cdb) & ~load<u64>(usage)) | (load<u64>(cdb, 8) & ~load<u64>(usage, 8))) != 0;
}

/** The first byte with reserved bits set. */
export function reserved_byte(cdb: usize, usage: usize): u32 {
  let at: u32 = 0;
  while (at < 15 && !(load<u8>(cdb + at) & ~load<u8>(usage + at))) at++;
  return at;
}

/** The leftmost of them in that byte. */
export function reserved_bit(cdb: usize, usage: usize, byte: u32): u32 {
  return 31 - clz<u32>(load<u8>(cdb + byte) & ~load<u8>(usage + byte));
}
