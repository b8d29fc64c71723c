/**
 * What became of a command: one word out of host status, SCSI status and sense, so that callers decide on outcomes and
 * not on bytes.
 *
 * [SAM-5] 5.3.1 status codes · [SPC-4] 4.5 sense data, table 57 sense keys
 */
import {
  CQE_HOST_STATUS_AT,
  CQE_SENSE_AT,
  CQE_SENSE_LENGTH_AT,
  CQE_STATUS_AT,
  HOST_ABORTED,
  HOST_NO_TARGET,
  HOST_OK,
  HOST_TIMEOUT,
} from '../layout';

export const OUTCOME_GOOD: u32 = 0;
/** RESERVATION CONFLICT 18h: somebody else holds the disk. */
export const OUTCOME_CONFLICT: u32 = 1;
/** UNIT ATTENTION: told once, then the command may be sent again. */
export const OUTCOME_ATTENTION: u32 = 2;
/** BUSY 08h or TASK SET FULL 28h: send again later. */
export const OUTCOME_BUSY: u32 = 3;
/** MEDIUM ERROR or HARDWARE ERROR: this disk cannot do it. */
export const OUTCOME_MEDIUM: u32 = 4;
/** Nobody answered on this path. */
export const OUTCOME_PATH: u32 = 5;
/** Ended by a reset, an abort or a preemption. */
export const OUTCOME_ABORTED: u32 = 6;
/** NOT READY. */
export const OUTCOME_NOT_READY: u32 = 7;
/** All else, ILLEGAL REQUEST above all: sending it again will not help. */
export const OUTCOME_REFUSED: u32 = 8;

/** No answer within the time set: the command was lost, or another initiator aborted it. It may be sent again. */
export const OUTCOME_LOST: u32 = 9;

export function outcome_of(cqe: usize): u32 {
  const host = <u32>load<u8>(cqe + CQE_HOST_STATUS_AT);
  if (host == HOST_NO_TARGET) return OUTCOME_PATH;
  if (host == HOST_TIMEOUT) return OUTCOME_LOST;
  if (host == HOST_ABORTED) return OUTCOME_ABORTED;
  if (host != HOST_OK) return OUTCOME_REFUSED;
  switch (load<u8>(cqe + CQE_STATUS_AT)) {
    case 0x00:
      return OUTCOME_GOOD;
    case 0x02: // CHECK CONDITION
      return of_sense_key(sense_key(cqe));
    case 0x08: // BUSY
    case 0x28: // TASK SET FULL
      return OUTCOME_BUSY;
    case 0x18:
      return OUTCOME_CONFLICT;
    case 0x40: // TASK ABORTED
      return OUTCOME_ABORTED;
    default:
      return OUTCOME_REFUSED;
  }
}

function of_sense_key(key: u32): u32 {
  switch (key) {
    case 0x1: // RECOVERED ERROR
      return OUTCOME_GOOD;
    case 0x2:
      return OUTCOME_NOT_READY;
    case 0x3:
    case 0x4: // HARDWARE ERROR
      return OUTCOME_MEDIUM;
    case 0x6:
      return OUTCOME_ATTENTION;
    case 0xb: // ABORTED COMMAND
      return OUTCOME_ABORTED;
    default:
      return OUTCOME_REFUSED;
  }
}

/** Sense key, [SPC-4] 4.5.2 (descriptor, 72h) and 4.5.3 (fixed, 70h); 0 without sense data. */
export function sense_key(cqe: usize): u32 {
  if (load<u8>(cqe + CQE_SENSE_LENGTH_AT) < 4) return 0;
  const descriptor = (load<u8>(cqe + CQE_SENSE_AT) & 0x7f) >= 0x72;
  return load<u8>(cqe + CQE_SENSE_AT + (descriptor ? 1 : 2)) & 0x0f;
}

/** Additional sense code << 8 | qualifier. */
export function sense_code(cqe: usize): u32 {
  const sense = cqe + CQE_SENSE_AT;
  const length = load<u8>(cqe + CQE_SENSE_LENGTH_AT);
  if (length < 4) return 0;
  if ((load<u8>(sense) & 0x7f) >= 0x72) return ((<u32>load<u8>(sense + 2)) << 8) | load<u8>(sense + 3);
  return length < 14 ? 0 : ((<u32>load<u8>(sense + 12)) << 8) | load<u8>(sense + 13);
}
