/**
 * A SCSI Command PDU becomes a task of a disk. A command whose data came with it is handed to the disk where it lies, and
 * is usually over before the next PDU is looked at; any other waits in the session's table.
 *
 * RFC 7143 11.3 (SCSI command), 11.2.2 (additional headers), 4.2.2.1 (numbering)
 */
import type { Disk } from '../shelf/disk.ts';
import { ACA, HEAD_OF_QUEUE, ORDERED, SIMPLE } from '../shelf/task-set.ts';
import { DIRECTION_IN, DIRECTION_NONE, DIRECTION_OUT } from '../shelf/task.ts';
import { Command, CDB_MAX } from './command.ts';
import { lunOf } from './lun.ts';
import { noUnit } from './no-unit.ts';
import {
  BHS_BYTES,
  CDB_AT,
  CDB_BYTES,
  CMD_SN_AT,
  COMMAND_ATTRIBUTES,
  COMMAND_READ,
  COMMAND_WRITE,
  EXPECTED_BYTES_AT,
  FINAL,
  FLAGS_AT,
  IMMEDIATE,
  ITT_AT,
  LUN_AT,
  padded,
  u32,
} from './pdu.ts';
import {
  REJECT_IN_PROGRESS,
  REJECT_INVALID_FIELD,
  REJECT_NOT_SUPPORTED,
  REJECT_TOO_MANY_IMMEDIATE,
  reject,
} from './reject.ts';
import { INVALID_MESSAGE } from './sense.ts';
import type { Session } from './session.ts';
import { refuseForRoom, write } from './write.ts';

/** Task attributes by their numbers in the PDU, 11.3.1: untagged, simple, ordered, head of queue, ACA. */
const ATTRIBUTES = [SIMPLE, SIMPLE, ORDERED, HEAD_OF_QUEUE, ACA];

const AHS_EXTENDED_CDB = 0x01;

export function scsiCommand(
  session: Session,
  buf: Uint8Array,
  at: number,
  ahsBytes: number,
  dataAt: number,
  dataBytes: number,
): void {
  const flags = buf[at + FLAGS_AT]!;
  const immediate = (buf[at]! & IMMEDIATE) !== 0;
  const itt = u32(buf, at + ITT_AT);
  const isRead = (flags & COMMAND_READ) !== 0;
  const isWrite = (flags & COMMAND_WRITE) !== 0;
  if (!immediate && !session.takeCmdSn(u32(buf, at + CMD_SN_AT))) return;
  if (immediate && session.immediates >= session.around.limits.immediates) {
    return reject(session, REJECT_TOO_MANY_IMMEDIATE, buf, at);
  }
  if (session.commands.has(itt)) return reject(session, REJECT_IN_PROGRESS, buf, at);
  const attribute = ATTRIBUTES[flags & COMMAND_ATTRIBUTES];
  if (attribute === undefined || (!isWrite && (dataBytes > 0 || (flags & FINAL) === 0))) {
    return reject(session, REJECT_INVALID_FIELD, buf, at);
  }
  if (isRead && isWrite) return reject(session, REJECT_NOT_SUPPORTED, buf, at); // bidirectional
  let more: Uint8Array | null = null;
  if (ahsBytes > 0) {
    more = extendedCdb(buf, at + BHS_BYTES, ahsBytes);
    if (more === null) return reject(session, REJECT_NOT_SUPPORTED, buf, at);
  }

  const command = session.idle.pop() ?? new Command(session);
  command.reset();
  command.nexus = session.identity.nexus!;
  command.tag = itt;
  command.immediate = immediate;
  command.attribute = attribute;
  command.lunHi = u32(buf, at + LUN_AT);
  command.lunLo = u32(buf, at + LUN_AT + 4);
  command.disk = lunOf(buf, at + LUN_AT);
  command.expected = isRead || isWrite ? u32(buf, at + EXPECTED_BYTES_AT) : 0;
  command.bytes = Math.min(command.expected, session.around.limits.commandBytes);
  command.direction = isRead ? DIRECTION_IN : isWrite ? DIRECTION_OUT : DIRECTION_NONE;
  command.takeCdb(buf, at + CDB_AT, more);
  const unit = session.around.shelf.disks[command.disk];
  if (isWrite) return write(command, unit, buf, dataAt, dataBytes, (flags & FINAL) !== 0);
  if (unit === undefined) return noUnit(command);
  if (attribute === ACA) return refuse(command, INVALID_MESSAGE);
  read(command, unit);
}

/** The CDB bytes behind the first 16, padded to CDB_MAX; null for anything else than one extended CDB. */
function extendedCdb(buf: Uint8Array, at: number, bytes: number): Uint8Array | null {
  const length = (buf[at]! << 8) | buf[at + 1]!;
  if (buf[at + 2] !== AHS_EXTENDED_CDB || length < 1 || padded(length + 3) !== bytes) return null;
  if (length - 1 > CDB_MAX - CDB_BYTES) return null;
  return buf.slice(at + 4, at + 3 + length);
}

function refuse(command: Command, sense: Uint8Array): void {
  command.fail(sense);
  command.finish();
}

/** From so many bytes on an answer is looked at before it is put into the output. */
const LARGE_READ_BYTES = 1 << 19;

function read(command: Command, unit: Disk): void {
  // Those who do not read what they asked for must not fill the memory of the host together.
  if (command.bytes > LARGE_READ_BYTES && !command.session.around.budget.has(command.bytes)) {
    refuseForRoom(command);
    return command.finish();
  }
  if (!unit.config.immediate && command.bytes > 0) {
    if (!command.hold(command.bytes)) {
      refuseForRoom(command);
      return command.finish();
    }
  }
  command.unit = unit;
  unit.submit(command);
  if (command.state !== 'over') command.enlist();
}
