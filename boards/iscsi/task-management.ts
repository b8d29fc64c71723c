/**
 * Task management functions.
 *
 * RFC 7143 11.5 (request), 11.6 (response), 4.2.3.2 and following (tasks affected); RFC 7144 3 (functions of
 * SAM-4 and later) · [SAM-5] 7
 */
import * as L from '../../asm/layout.ts';
import type { Disk } from '../shelf/disk.ts';
import { lunOf } from './lun.ts';
import { FINAL, FLAGS_AT, ITT_AT, LUN_AT, TASK_MANAGEMENT_RESPONSE, TTT_AT, put32, u32 } from './pdu.ts';
import type { Session } from './session.ts';

const ABORT_TASK = 1;
const ABORT_TASK_SET = 2;
const CLEAR_ACA = 3;
const CLEAR_TASK_SET = 4;
const LOGICAL_UNIT_RESET = 5;
const TARGET_WARM_RESET = 6;
const TARGET_COLD_RESET = 7;
const TASK_REASSIGN = 8;
const QUERY_TASK = 9;
const QUERY_TASK_SET = 10;
const I_T_NEXUS_RESET = 11;
const QUERY_ASYNC_EVENT = 12;

/** Responses, 11.6.1. */
const COMPLETE = 0;
const TASK_DOES_NOT_EXIST = 1;
const LUN_DOES_NOT_EXIST = 2;
const REASSIGN_NOT_SUPPORTED = 4;
const NOT_SUPPORTED = 5;
const SUCCEEDED = 7; // RFC 7144: a query found what it asked for
const REJECTED = 255;

const REFERENCED_TAG_AT = TTT_AT;

/** The functions of the device server for a whole logical unit. */
const OF_UNIT: Readonly<Record<number, number>> = {
  [ABORT_TASK_SET]: L.TMF_ABORT_TASK_SET,
  [CLEAR_TASK_SET]: L.TMF_CLEAR_TASK_SET,
  [LOGICAL_UNIT_RESET]: L.TMF_LOGICAL_UNIT_RESET,
};

/** Returns true when every connection of the target must end, after a TARGET COLD RESET. */
export function taskManagement(session: Session, buf: Uint8Array, at: number): boolean {
  const what = buf[at + FLAGS_AT]! & 0x7f;
  const itt = u32(buf, at + ITT_AT);
  const tag = u32(buf, at + REFERENCED_TAG_AT);
  const lun = lunOf(buf, at + LUN_AT);
  const response = perform(session, what, lun, tag);
  const { output } = session.link;
  const out = output.begin(TASK_MANAGEMENT_RESPONSE, FINAL, 0);
  output.buf[out + 2] = response;
  put32(output.buf, out + ITT_AT, itt);
  session.stamp(output.buf, out, true);
  output.end(out, 0);
  return what === TARGET_COLD_RESET && response === COMPLETE;
}

function perform(session: Session, what: number, lun: number, tag: number): number {
  const { shelf } = session.around;
  const nexus = session.identity.nexus!;
  switch (what) {
    case ABORT_TASK: {
      const command = session.commands.get(tag);
      if (command === undefined || command.disk !== lun) return TASK_DOES_NOT_EXIST;
      command.withdraw();
      return COMPLETE;
    }
    case QUERY_TASK: {
      const command = session.commands.get(tag);
      return command === undefined || command.disk !== lun ? COMPLETE : SUCCEEDED;
    }
    case TARGET_WARM_RESET:
    case TARGET_COLD_RESET:
      for (const disk of shelf.disks) disk.reset(what === TARGET_COLD_RESET);
      withdrawDeferred(session, -1);
      return COMPLETE;
    case I_T_NEXUS_RESET:
      for (const disk of shelf.disks) disk.manage(nexus, L.TMF_I_T_NEXUS_RESET);
      withdrawDeferred(session, -1);
      return COMPLETE;
    case TASK_REASSIGN:
      return REASSIGN_NOT_SUPPORTED; // ErrorRecoveryLevel 0, 11.5.1
    case CLEAR_ACA: // NORMACA is 0
    case QUERY_ASYNC_EVENT:
      return NOT_SUPPORTED;
    case ABORT_TASK_SET:
    case CLEAR_TASK_SET:
    case LOGICAL_UNIT_RESET:
    case QUERY_TASK_SET: {
      const disk = shelf.disks[lun];
      if (disk === undefined) return LUN_DOES_NOT_EXIST;
      return ofUnit(session, what, disk, nexus);
    }
    default:
      return REJECTED;
  }
}

function ofUnit(session: Session, what: number, disk: Disk, nexus: number): number {
  if (what === QUERY_TASK_SET) return disk.hasTasks(nexus) ? SUCCEEDED : COMPLETE;
  if (disk.manage(nexus, OF_UNIT[what]!) !== L.TMF_COMPLETE) return NOT_SUPPORTED;
  withdrawDeferred(session, disk.number);
  return COMPLETE;
}

/** Commands that the disk has answered, but that still wait for the end of their data: they are aborted, too. */
function withdrawDeferred(session: Session, disk: number): void {
  for (const command of Array.from(session.commands.values())) {
    if (disk < 0 || command.disk === disk) command.withdraw();
  }
}
