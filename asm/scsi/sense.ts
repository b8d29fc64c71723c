/**
 * Sense data: a code is one integer, sense key << 16 | additional sense code << 8 | its qualifier.
 *
 * [SPC-4] 4.5.2 descriptor format, 4.5.3 fixed format, 4.5.6 sense keys, annex E.2 additional sense codes
 */
import { load_be32, load_be64, store_be16, store_be32, store_be64 } from '../bytes/endian';

export const KEY_NO_SENSE = 0x0;
export const KEY_NOT_READY = 0x2;
export const KEY_MEDIUM_ERROR = 0x3;
export const KEY_HARDWARE_ERROR = 0x4;
export const KEY_ILLEGAL_REQUEST = 0x5;
export const KEY_UNIT_ATTENTION = 0x6;
export const KEY_DATA_PROTECT = 0x7;
export const KEY_COPY_ABORTED = 0xa;
export const KEY_ABORTED_COMMAND = 0xb;
export const KEY_MISCOMPARE = 0xe;

export const SENSE_NONE = 0x000000;
export const SENSE_IDLE_BY_COMMAND = 0x005e03;
export const SENSE_STANDBY_BY_COMMAND = 0x005e04;
export const SENSE_FALSE_FAILURE_PREDICTION = 0x005dff;
export const SENSE_NOT_READY = 0x020400;
export const SENSE_INITIALIZING_COMMAND_REQUIRED = 0x020402;
export const SENSE_SANITIZE_IN_PROGRESS = 0x02041b;
export const SENSE_WRITE_ERROR = 0x030c00;
export const SENSE_UNRECOVERED_READ_ERROR = 0x031100;
export const SENSE_FAILED_SELF_TEST = 0x043e03;
export const SENSE_SANITIZE_FAILED = 0x033103;
export const SENSE_DEFECT_LIST_NOT_FOUND = 0x011c00;
export const SENSE_INTERNAL_TARGET_FAILURE = 0x044400;
export const SENSE_INVALID_FIELD_IN_COMMAND_UNIT = 0x050e03;
export const SENSE_PARAMETER_LIST_LENGTH = 0x051a00;
export const SENSE_INVALID_OPERATION_CODE = 0x052000;
export const SENSE_LBA_OUT_OF_RANGE = 0x052100;
export const SENSE_INVALID_FIELD_IN_CDB = 0x052400;
export const SENSE_LUN_NOT_SUPPORTED = 0x052500;
export const SENSE_INVALID_FIELD_IN_LIST = 0x052600;
export const SENSE_TOO_MANY_CSCD_DESCRIPTORS = 0x052606;
export const SENSE_UNSUPPORTED_CSCD_DESCRIPTOR = 0x052607;
export const SENSE_TOO_MANY_SEGMENT_DESCRIPTORS = 0x052608;
export const SENSE_UNSUPPORTED_SEGMENT_DESCRIPTOR = 0x052609;
export const SENSE_INLINE_DATA_LENGTH_EXCEEDED = 0x05260b;
export const SENSE_INVALID_RELEASE = 0x052604;
export const SENSE_COMMAND_SEQUENCE = 0x052c00;
export const SENSE_SAVING_NOT_SUPPORTED = 0x053900;
export const SENSE_INSUFFICIENT_REGISTRATION_RESOURCES = 0x055504;
export const SENSE_RESET_OCCURRED = 0x062900;
export const SENSE_POWER_ON = 0x062901;
export const SENSE_BUS_RESET = 0x062902;
export const SENSE_DEVICE_RESET_FUNCTION = 0x062903;
export const SENSE_INTERNAL_RESET = 0x062904;
export const SENSE_I_T_NEXUS_LOSS = 0x062907;
export const SENSE_MODE_PARAMETERS_CHANGED = 0x062a01;
export const SENSE_LOG_PARAMETERS_CHANGED = 0x062a02;
export const SENSE_RESERVATIONS_PREEMPTED = 0x062a03;
export const SENSE_RESERVATIONS_RELEASED = 0x062a04;
export const SENSE_REGISTRATIONS_PREEMPTED = 0x062a05;
export const SENSE_COMMANDS_CLEARED = 0x062f00;
export const SENSE_REPORTED_LUNS_CHANGED = 0x063f0e;
export const SENSE_WRITE_PROTECTED = 0x072700;
export const SENSE_THIRD_PARTY_DEVICE_FAILURE = 0x0a0d01;
export const SENSE_COPY_TARGET_NOT_REACHABLE = 0x0a0d02;
export const SENSE_INCORRECT_COPY_TARGET_DEVICE_TYPE = 0x0a0d03;
export const SENSE_UNEXPECTED_INEXACT_SEGMENT = 0x0a260a;
export const SENSE_GUARD_CHECK_FAILED = 0x0b1001;
export const SENSE_REFERENCE_TAG_CHECK_FAILED = 0x0b1003;
export const SENSE_ECHO_BUFFER_OVERWRITTEN = 0x0b3f0f;
export const SENSE_ABORTED_INTERNAL = 0x0b4400;
export const SENSE_MISCOMPARE = 0x0e1d00;

export const FIXED_SENSE_BYTES = 18;
export const FIXED_CURRENT = 0x70;
export const DESCRIPTOR_CURRENT = 0x72;
/** Sense key specific bytes that name a field: valid, in the CDB, bit pointer valid; [SPC-4] 4.5.2.4.2. */
export const FIELD_SKSV = 0x800000;
export const FIELD_IN_CDB = 0x400000;
export const FIELD_BPV = 0x080000;
/** As `bit` of sense_field: the whole byte. */
export const WHOLE_BYTE = 8;

/** Sense key specific bytes, as 24 bits, for an error in `byte`, from its bit `bit` down (WHOLE_BYTE: no bit). */
export function sense_field(inCdb: bool, byte: u32, bit: u32): u32 {
  return (
    FIELD_SKSV |
    (inCdb ? FIELD_IN_CDB : 0) |
    (bit < <u32>WHOLE_BYTE ? FIELD_BPV | (bit << 16) : 0) |
    (byte & 0xffff)
  );
}

/**
 * Writes fixed format sense data, 18 bytes, [SPC-4] 4.5.3. `specific` are the sense key specific bytes (0: none).
 * INFORMATION is valid only if it fits in 32 bits.
 */
export function sense_fixed(
  buf: usize,
  code: u32,
  specific: u32,
  hasInformation: bool,
  information: u64,
): u32 {
  memory.fill(buf, 0, FIXED_SENSE_BYTES);
  const valid = hasInformation && information <= 0xffffffff;
  store<u8>(buf, valid ? FIXED_CURRENT | 0x80 : FIXED_CURRENT);
  store<u8>(buf, code >> 16, 2);
  if (valid) store_be32(buf + 3, <u32>information);
  store<u8>(buf, FIXED_SENSE_BYTES - 8, 7);
  store_be16(buf + 12, code);
  store<u8>(buf, specific >> 16, 15);
  store_be16(buf + 16, specific);
  return FIXED_SENSE_BYTES;
}

/** Writes descriptor format sense data, 8 to 28 bytes, [SPC-4] 4.5.2. */
export function sense_descriptors(
  buf: usize,
  code: u32,
  specific: u32,
  hasInformation: bool,
  information: u64,
): u32 {
  store<u32>(buf, DESCRIPTOR_CURRENT | ((code >> 16) << 8));
  store_be16(buf + 2, code);
  store<u32>(buf, 0, 4);
  let at: u32 = 8;
  if (hasInformation) {
    store<u32>(buf + at, 0x800a00); // type 00h, ADDITIONAL LENGTH 0Ah, VALID; [SPC-4] 4.5.2.2
    store_be64(buf + at + 4, information);
    at += 12;
  }
  if (specific) {
    store<u64>(buf + at, 0x0602); // type 02h, ADDITIONAL LENGTH 06h; [SPC-4] 4.5.2.4
    store<u8>(buf + at, specific >> 16, 4);
    store_be16(buf + at + 5, specific);
    at += 8;
  }
  store<u8>(buf, at - 8, 7);
  return at;
}

/** Code of current or deferred sense data in either format; SENSE_NONE when it is too short or of another format. */
export function sense_code(buf: usize, bytes: u32): u32 {
  if (bytes < 4) return SENSE_NONE;
  const response: u32 = load<u8>(buf) & 0x7f;
  if (response >= <u32>DESCRIPTOR_CURRENT && response <= 0x73) {
    return (((<u32>load<u8>(buf, 1)) & 15) << 16) | ((<u32>load<u8>(buf, 2)) << 8) | load<u8>(buf, 3);
  }
  if (response != 0x70 && response != 0x71) return SENSE_NONE;
  const key = ((<u32>load<u8>(buf, 2)) & 15) << 16;
  return bytes < 14 ? key : key | ((<u32>load<u8>(buf, 12)) << 8) | load<u8>(buf, 13);
}

/** INFORMATION of sense data, most often the first LBA that failed; -1 (all ones) when there is none. */
export function sense_information(buf: usize, bytes: u32): u64 {
  if (bytes < 8) return u64.MAX_VALUE;
  const response: u32 = load<u8>(buf);
  if (response == 0xf0 || response == 0xf1) return load_be32(buf + 3);
  if ((response & 0x7f) == <u32>DESCRIPTOR_CURRENT && bytes >= 20 && load<u8>(buf, 8) == 0) {
    return load<u8>(buf, 10) & 0x80 ? load_be64(buf + 12) : u64.MAX_VALUE;
  }
  return u64.MAX_VALUE;
}
