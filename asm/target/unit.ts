/**
 * The state of one logical unit: one block of memory at an address of the host's choice. No pointer lies in it, so a
 * copy of the block is a snapshot. Nexuses and registrations are numbered from 0; a field that may name none holds
 * the number plus one.
 *
 * [SAM-5] 4.5.19 logical unit, 4.7 I_T nexus
 * [SPC-4] 5.13 reservations, 7.5 mode parameters
 */
import {
  LUN_BYTES,
  LUN_MAX,
  LU_CONFIG_BYTES,
  NEXUS_MAX,
  REGISTRATION_MAX,
  SANITIZE_PATTERN_MAX,
  TARGET_NAME_BYTES,
  TRANSPORT_ID_BYTES,
} from '../layout';

export const MODE_BYTES: u32 = 160;
/** Of the echo buffer, [SPC-4] 6.17.9. */
export const ECHO_BYTES: u32 = 512;
/** Self-test results, 20 of 16 bytes, the newest first; [SPC-4] 7.3.17. */
const SELF_TESTS_BYTES: u32 = 320;
export const ATTENTION_MAX: u32 = 12;
/** Of a sanitize operation, [SBC-3] 4.11: with AUSE its failure is unrestricted, EXIT FAILURE MODE ends it. */
export const SANITIZE_IDLE: u32 = 0;
export const SANITIZE_RUNNING: u32 = 1;
export const SANITIZE_HAS_FAILED: u32 = 2;
export const SANITIZE_HAS_FAILED_UNRESTRICTED: u32 = 3;
export const SANITIZE_RUNNING_UNRESTRICTED: u32 = 4;
export const NEXUS_UNUSED: u32 = 0;
export const NEXUS_LOGGED_IN: u32 = 1;
/** Logged out; its identity and its unit attentions are kept until the slot is needed. */
export const NEXUS_REMEMBERED: u32 = 2;

// @ts-ignore: decorator
@unmanaged
export class LogicalUnit {
  blocks: u64;
  blockBytes: u32;
  maxTransferBlocks: u32;
  /** 1: stopped by START STOP UNIT, [SBC-3] 5.25. */
  stopped: u32;
  /** 1: WP of the configuration or SWP of the control mode page. */
  writeProtected: u32;
  /** 1: WCE is 0, a write is on the medium before its status. */
  writeThrough: u32;
  descriptorSense: u32;
  flags: u32;
  /** Type of the persistent reservation, 0: none. */
  reservationType: u32;
  /** Registration of the holder plus one; 0 with an all registrants type. */
  holder: u32;
  registrations: u32;
  generation: u32;
  /** The most recent APTPL bit, [SPC-4] 5.13.5.1. */
  aptpl: u32;
  /** Slot of the image written last, and its sequence number. */
  nvSlot: u32;
  nvSequence: u32;
  /** 1: the newest image holds registrations, so that it must be rewritten when APTPL goes. */
  nvHeld: u32;
  /** Nexus with a reservation of RESERVE(6) or (10), plus one. */
  spc2Holder: u32;
  /** LUNs of the target that the host told; 0: none, so LUN 0 alone. */
  luns: u32;
  /** Bytes of the names of target ports 1 and 2; 0: none. */
  name1Bytes: u32;
  name2Bytes: u32;
  /** LU_CONTROL_* by the control mode page. */
  control: u32;
  /** 1: RCD is 1, a read comes from the medium. */
  readThrough: u32;
  /** Code that an informational exception is reported with, 0: there is none; and 1 if REQUEST SENSE reports it. */
  exception: u32;
  exceptionPolled: u32;
  /** POWER CONDITION of the last START STOP UNIT, idle or standby; 0: active. */
  powerCondition: u32;
  startStops: u32;
  /** SANITIZE_IDLE and so on, and how much of it is done, of 65536; [SBC-3] 4.11. */
  sanitize: u32;
  sanitizeProgress: u32;
  /** Of the echo buffer: the bytes in it, which nexus wrote them, which have ever written; a bit a nexus. */
  echoBytes: u32;
  /** Of the pattern that a sanitize operation overwrites with; 0: it erases. */
  patternBytes: u32;
  echoOwner: u64;
  echoWriters: u64;
  /** What the log pages count. */
  readBytes: u64;
  readErrors: u64;
  writtenBytes: u64;
  writeErrors: u64;
  verifiedBytes: u64;
}

// @ts-ignore: decorator
@unmanaged
export class Nexus {
  state: u32;
  /** Relative target port identifier. */
  port: u32;
  /** Its registration plus one. */
  registration: u32;
  idBytes: u32;
  /** Pending unit attention conditions, oldest first within a precedence. */
  attentions: u32;
  unused: u32;
  // ATTENTION_MAX u16 at NEXUS_ATTENTION_AT, TRANSPORT_ID_BYTES at NEXUS_ID_AT
}

// @ts-ignore: decorator
@unmanaged
export class Registration {
  key: u64;
  used: u32;
  port: u32;
  idBytes: u32;
  unused: u32;
  // TRANSPORT_ID_BYTES at REGISTRATION_ID_AT
}

/** Results of an EXTENDED COPY, held for RECEIVE COPY RESULTS, [SPC-4] 5.17.4. */
// @ts-ignore: decorator
@unmanaged
export class CopyRecord {
  /** Of the nexus that sent it, plus one; 0: unused. */
  nexus: u32;
  listIdentifier: u32;
  /** COPY MANAGER STATUS, [SPC-4] table 157: 0 in progress, 1 done, 2 done with errors. */
  status: u32;
  segments: u32;
  bytes: u64;
  /** Order in which they began. */
  sequence: u32;
  /** Sense code of the error, and the segment it is about. */
  code: u32;
}

export const COPY_MAX: u32 = 8;

export const NEXUS_ATTENTION_AT: usize = offsetof<Nexus>();
export const NEXUS_ID_AT: usize = NEXUS_ATTENTION_AT + 24;
const NEXUS_BYTES: usize = NEXUS_ID_AT + <usize>TRANSPORT_ID_BYTES;
export const REGISTRATION_ID_AT: usize = offsetof<Registration>();
const REGISTRATION_BYTES: usize = REGISTRATION_ID_AT + <usize>TRANSPORT_ID_BYTES;

/** Of the non-volatile image: a record a registration, its id behind it padded to 8 bytes. */
export const NV_RECORD_BYTES: usize = 16;
/** Whole blocks of 512 bytes, and room for every registration and the pattern of a sanitize operation. */
export const NV_SLOT_BYTES: u32 = 22016;

const CONFIG_AT: usize = offsetof<LogicalUnit>();
const MODE_CURRENT_AT: usize = CONFIG_AT + <usize>LU_CONFIG_BYTES;
const MODE_SAVED_AT: usize = MODE_CURRENT_AT + <usize>MODE_BYTES;
const NEXUSES_AT: usize = MODE_SAVED_AT + <usize>MODE_BYTES;
const REGISTRATIONS_AT: usize = NEXUSES_AT + <usize>NEXUS_MAX * NEXUS_BYTES;
const NV_AT: usize = REGISTRATIONS_AT + <usize>REGISTRATION_MAX * REGISTRATION_BYTES;
const LUNS_AT: usize = NV_AT + 2 * <usize>NV_SLOT_BYTES;
const NAMES_AT: usize = LUNS_AT + <usize>LUN_MAX * <usize>LUN_BYTES;
const SELF_TESTS_AT: usize = (NAMES_AT + 2 * <usize>TARGET_NAME_BYTES + 7) & ~7;
const COPIES_AT: usize = (SELF_TESTS_AT + <usize>SELF_TESTS_BYTES + 7) & ~7;
const ECHO_AT: usize = (COPIES_AT + <usize>COPY_MAX * offsetof<CopyRecord>() + 7) & ~7;
const PATTERN_AT: usize = (ECHO_AT + <usize>ECHO_BYTES + 7) & ~7;
export const UNIT_BYTES: usize = PATTERN_AT + <usize>SANITIZE_PATTERN_MAX;

export function unit_at(lu: usize): LogicalUnit {
  return changetype<LogicalUnit>(lu);
}

export function config_at(unit: LogicalUnit): usize {
  return changetype<usize>(unit) + CONFIG_AT;
}

export function mode_current_at(unit: LogicalUnit): usize {
  return changetype<usize>(unit) + MODE_CURRENT_AT;
}

export function mode_saved_at(unit: LogicalUnit): usize {
  return changetype<usize>(unit) + MODE_SAVED_AT;
}

export function nexus_at(unit: LogicalUnit, index: u32): Nexus {
  return changetype<Nexus>(changetype<usize>(unit) + NEXUSES_AT + <usize>index * NEXUS_BYTES);
}

export function registration_at(unit: LogicalUnit, index: u32): Registration {
  return changetype<Registration>(
    changetype<usize>(unit) + REGISTRATIONS_AT + <usize>index * REGISTRATION_BYTES,
  );
}

export function echo_at(unit: LogicalUnit): usize {
  return changetype<usize>(unit) + ECHO_AT;
}

/** The pattern of a sanitize operation. */
export function pattern_at(unit: LogicalUnit): usize {
  return changetype<usize>(unit) + PATTERN_AT;
}

export function self_test_at(unit: LogicalUnit): usize {
  return changetype<usize>(unit) + SELF_TESTS_AT;
}

/** LUNs of the target as REPORT LUNS lists them. */
export function luns_at(unit: LogicalUnit): usize {
  return changetype<usize>(unit) + LUNS_AT;
}

/** Name of relative target port 1 or 2. */
export function name_at(unit: LogicalUnit, port: u32): usize {
  return changetype<usize>(unit) + NAMES_AT + (port == 2 ? <usize>TARGET_NAME_BYTES : 0);
}

export function copy_at(unit: LogicalUnit, index: u32): CopyRecord {
  return changetype<CopyRecord>(changetype<usize>(unit) + COPIES_AT + <usize>index * offsetof<CopyRecord>());
}

export function nv_slot_at(unit: LogicalUnit, slot: u32): usize {
  return changetype<usize>(unit) + NV_AT + <usize>slot * <usize>NV_SLOT_BYTES;
}
