/**
 * The basic header segment: what lies where in the 48 bytes that each PDU begins with. Numbers are big-endian.
 *
 * RFC 7143 11.2 (PDU template), 11.3 to 11.20 (each PDU)
 */
export const BHS_BYTES = 48;
export const DIGEST_BYTES = 4;
/** Of the AHS, in words; RFC 7143 11.2.1.5. */
export const AHS_WORDS_MAX = 255;

export const OPCODE_MASK = 0x3f;
export const IMMEDIATE = 0x40;
export const FINAL = 0x80;

/** Initiator opcodes, 11.2.1.2. */
export const NOP_OUT = 0x00;
export const SCSI_COMMAND = 0x01;
export const TASK_MANAGEMENT = 0x02;
export const LOGIN_REQUEST = 0x03;
export const TEXT_REQUEST = 0x04;
export const DATA_OUT = 0x05;
export const LOGOUT_REQUEST = 0x06;
export const SNACK = 0x10;

/** Target opcodes. */
export const NOP_IN = 0x20;
export const SCSI_RESPONSE = 0x21;
export const TASK_MANAGEMENT_RESPONSE = 0x22;
export const LOGIN_RESPONSE = 0x23;
export const TEXT_RESPONSE = 0x24;
export const DATA_IN = 0x25;
export const LOGOUT_RESPONSE = 0x26;
export const R2T = 0x31;
export const ASYNC_MESSAGE = 0x32;
export const REJECT = 0x3f;

export const FLAGS_AT = 1;
export const AHS_WORDS_AT = 4;
export const DATA_BYTES_AT = 5; // 24 bits
export const LUN_AT = 8;
export const ITT_AT = 16;
export const TTT_AT = 20;
export const EXPECTED_BYTES_AT = 20; // SCSI command: Expected Data Transfer Length
export const CMD_SN_AT = 24;
export const EXP_STAT_SN_AT = 28;
export const CDB_AT = 32;
export const CDB_BYTES = 16;
/** Target PDUs. */
export const STAT_SN_AT = 24;
export const EXP_CMD_SN_AT = 28;
export const MAX_CMD_SN_AT = 32;
export const DATA_SN_AT = 36; // and R2TSN
export const BUFFER_OFFSET_AT = 40;
export const RESIDUAL_AT = 44; // and R2T's Desired Data Transfer Length

export const NO_TAG = 0xffffffff;

/** SCSI command flags, 11.3.1. */
export const COMMAND_READ = 0x40;
export const COMMAND_WRITE = 0x20;
export const COMMAND_ATTRIBUTES = 0x07;
/** SCSI response and Data-In flags, 11.4.1 and 11.7.1. */
export const FLAG_OVERFLOW = 0x04;
export const FLAG_UNDERFLOW = 0x02;
export const FLAG_STATUS = 0x01;

export const u24 = (b: Uint8Array, at: number): number => (b[at]! << 16) | (b[at + 1]! << 8) | b[at + 2]!;

export const u32 = (b: Uint8Array, at: number): number =>
  ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0;

export function put24(b: Uint8Array, at: number, n: number): void {
  b[at] = n >>> 16;
  b[at + 1] = n >>> 8;
  b[at + 2] = n;
}

export function put32(b: Uint8Array, at: number, n: number): void {
  b[at] = n >>> 24;
  b[at + 1] = n >>> 16;
  b[at + 2] = n >>> 8;
  b[at + 3] = n;
}

/** Rounded up to words, 11.1. */
export const padded = (bytes: number): number => (bytes + 3) & ~3;

/** Serial number arithmetic, RFC 1982 as RFC 7143 4.2.2.1 has it: how far `a` is ahead of `b`. */
export const serialDelta = (a: number, b: number): number => (a - b) | 0;
