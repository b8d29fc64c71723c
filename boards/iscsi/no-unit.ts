/**
 * A command for a logical unit that does not exist: INQUIRY tells so, REPORT LUNS tells which do, everything else is
 * refused.
 *
 * [SPC-4] 6.6.1 (INQUIRY, peripheral qualifier 011b), 6.33 (REPORT LUNS), 6.39 (REQUEST SENSE)
 * [SAM-5] 5.13 incorrect logical unit numbers
 */
import type { Command } from './command.ts';
import { REPORT_LUNS_UNIT, putLun } from './lun.ts';
import { put32 } from './pdu.ts';
import { LOGICAL_UNIT_NOT_SUPPORTED } from './sense.ts';

const INQUIRY = 0x12;
const REQUEST_SENSE = 0x03;
const REPORT_LUNS = 0xa0;

export function noUnit(command: Command): void {
  const reply = replyOf(command);
  if (reply === null) command.fail(LOGICAL_UNIT_NOT_SUPPORTED);
  else give(command, reply);
  if (!command.receiving) command.finish();
}

function replyOf({ cdb, disk, session }: Command): Uint8Array | null {
  switch (cdb[0]) {
    case INQUIRY:
      if ((cdb[1]! & 3) !== 0) return null;
      return inquiry((cdb[3]! << 8) | cdb[4]!);
    case REQUEST_SENSE:
      return LOGICAL_UNIT_NOT_SUPPORTED.slice(0, cdb[4]);
    case REPORT_LUNS: {
      if (disk !== REPORT_LUNS_UNIT && disk !== 0) return null;
      const allocation = ((cdb[6]! << 24) | (cdb[7]! << 16) | (cdb[8]! << 8) | cdb[9]!) >>> 0;
      return reportLuns(session.around.shelf.disks.length).slice(0, allocation);
    }
    default:
      return null;
  }
}

/** Peripheral qualifier 011b, device type 1Fh. */
function inquiry(allocation: number): Uint8Array {
  const data = new Uint8Array(36);
  data[0] = 0x7f;
  data[2] = 0x06; // SPC-4
  data[3] = 0x02;
  data[4] = 31;
  return data.slice(0, allocation);
}

export function reportLuns(count: number): Uint8Array {
  const data = new Uint8Array(8 + 8 * count);
  put32(data, 0, 8 * count);
  for (let lun = 0; lun < count; lun++) putLun(data, 8 + 8 * lun, lun);
  return data;
}

function give(command: Command, reply: Uint8Array): void {
  const bytes = Math.min(reply.length, command.bytes);
  command.state = 'over';
  command.status = 0;
  command.moved = bytes;
  command.residual = command.bytes - bytes;
  command.overflow = reply.length - bytes;
  if (bytes === 0) return;
  command.room();
  command.memory.set(reply.subarray(0, bytes), command.list[0]);
}
