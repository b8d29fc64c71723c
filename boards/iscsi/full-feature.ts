/** The full feature phase: each PDU to who serves it. RFC 7143 11.2.1.2 (opcodes), 4.2.2.1 (command numbers). */
import { logout } from './logout.ts';
import { nopOut } from './nop.ts';
import {
  CMD_SN_AT,
  DATA_OUT,
  IMMEDIATE,
  ITT_AT,
  LOGIN_REQUEST,
  LOGOUT_REQUEST,
  NOP_OUT,
  NO_TAG,
  OPCODE_MASK,
  SCSI_COMMAND,
  SNACK,
  TASK_MANAGEMENT,
  TEXT_REQUEST,
  u32,
} from './pdu.ts';
import {
  REJECT_DATA_DIGEST,
  REJECT_NOT_SUPPORTED,
  REJECT_PROTOCOL_ERROR,
  REJECT_SNACK,
  reject,
} from './reject.ts';
import { scsiCommand } from './scsi-command.ts';
import type { Session } from './session.ts';
import { taskManagement } from './task-management.ts';
import { textRequest } from './text-request.ts';
import { damagedData, dataOut } from './transfer.ts';

/** What is left to do for the connection. */
export type After = 'nothing' | 'close' | 'close all of the target';

export function fullFeature(
  session: Session,
  buf: Uint8Array,
  at: number,
  ahsBytes: number,
  dataAt: number,
  dataBytes: number,
): After {
  const opcode = buf[at]! & OPCODE_MASK;
  if (opcode === SCSI_COMMAND && session.identity.nexus !== null) {
    scsiCommand(session, buf, at, ahsBytes, dataAt, dataBytes);
    return 'nothing';
  }
  if (opcode === DATA_OUT && session.identity.nexus !== null) {
    dataOut(session, buf, at, dataAt, dataBytes);
    return 'nothing';
  }
  return others(session, opcode, buf, at, dataAt, dataBytes);
}

function others(
  session: Session,
  opcode: number,
  buf: Uint8Array,
  at: number,
  dataAt: number,
  dataBytes: number,
): After {
  switch (opcode) {
    case NOP_OUT:
      if (counts(session, buf, at)) nopOut(session, buf, at, dataAt, dataBytes);
      return 'nothing';
    case TEXT_REQUEST:
      if (counts(session, buf, at)) textRequest(session, buf, at, dataAt, dataBytes);
      return 'nothing';
    case LOGOUT_REQUEST:
      return counts(session, buf, at) && logout(session, buf, at) ? 'close' : 'nothing';
    case TASK_MANAGEMENT:
      if (!counts(session, buf, at)) return 'nothing';
      if (session.identity.nexus === null) reject(session, REJECT_PROTOCOL_ERROR, buf, at);
      else if (taskManagement(session, buf, at)) return 'close all of the target';
      return 'nothing';
    case SNACK: // ErrorRecoveryLevel 0, 11.16
      reject(session, REJECT_SNACK, buf, at);
      return 'nothing';
    case LOGIN_REQUEST: // 11.12: none in the full feature phase
    case SCSI_COMMAND: // a discovery session has no tasks, 4.3
    case DATA_OUT:
      reject(session, REJECT_PROTOCOL_ERROR, buf, at);
      return 'nothing';
    default:
      reject(session, REJECT_NOT_SUPPORTED, buf, at);
      return 'nothing';
  }
}

/** Takes the command number of a PDU that has one; false when the PDU is outside of the window. */
function counts(session: Session, buf: Uint8Array, at: number): boolean {
  if ((buf[at]! & IMMEDIATE) !== 0) return true;
  // A NOP-Out without a tag is immediate by rule, 11.18
  if ((buf[at]! & OPCODE_MASK) === NOP_OUT && u32(buf, at + ITT_AT) === NO_TAG) {
    reject(session, REJECT_PROTOCOL_ERROR, buf, at);
    return false;
  }
  return session.takeCmdSn(u32(buf, at + CMD_SN_AT));
}

/** The data segment's digest is wrong, RFC 7143 7.8: the PDU counts as not received. */
export function damaged(session: Session, buf: Uint8Array, at: number): void {
  reject(session, REJECT_DATA_DIGEST, buf, at);
  if ((buf[at]! & OPCODE_MASK) === DATA_OUT) damagedData(session, buf, at);
}
