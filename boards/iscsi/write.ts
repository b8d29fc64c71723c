/**
 * A command that sends data: the disk takes it where it lies when all of it came with the command, else it is collected.
 *
 * RFC 7143 4.2.4.2, 11.3.4 (immediate data), 11.4.2 (an answer waits for the end of unsolicited data)
 */
import type { Disk } from '../shelf/disk.ts';
import { ACA, STATUS_BUSY, STATUS_TASK_SET_FULL } from '../shelf/task-set.ts';
import type { Command } from './command.ts';
import { noUnit } from './no-unit.ts';
import { INCORRECT_AMOUNT_OF_DATA, INVALID_MESSAGE, UNEXPECTED_UNSOLICITED_DATA } from './sense.ts';
import { settle } from './transfer.ts';

/** Nothing more can be kept for it: BUSY, or TASK SET FULL while others of the session are under way. */
export function refuseForRoom(command: Command): void {
  command.state = 'over';
  const others = command.session.commands.size - (command.listed ? 1 : 0);
  command.status = others > 0 ? STATUS_TASK_SET_FULL : STATUS_BUSY;
  command.residual = command.bytes;
}

export function write(
  command: Command,
  unit: Disk | undefined,
  buf: Uint8Array,
  dataAt: number,
  dataBytes: number,
  isFinal: boolean,
): void {
  command.unsolicited = !isFinal;
  command.fault = faultOf(command, dataBytes, isFinal);
  if (unit === undefined) command.fault = null;
  else if (command.attribute === ACA) command.fault ??= INVALID_MESSAGE;
  if (isFinal && command.fault === null) {
    if (unit === undefined) return noUnit(command);
    if (dataBytes === command.bytes) return direct(command, unit, buf, dataAt, dataBytes);
  }
  collect(command, unit, buf, dataAt, dataBytes);
}

/** What is wrong with the data of the command PDU itself. */
function faultOf(command: Command, dataBytes: number, isFinal: boolean): Uint8Array | null {
  const { immediateData, initialR2T, firstBurst } = command.session.parameters;
  if (dataBytes > 0 && !immediateData) return UNEXPECTED_UNSOLICITED_DATA;
  if (!isFinal && initialR2T) return UNEXPECTED_UNSOLICITED_DATA;
  return dataBytes > Math.min(firstBurst, command.bytes) ? INCORRECT_AMOUNT_OF_DATA : null;
}

/** All of its data came with it: the disk takes it from where it is. */
function direct(command: Command, unit: Disk, buf: Uint8Array, dataAt: number, dataBytes: number): void {
  const { buffers } = command.session.around;
  if (!unit.config.immediate && dataBytes > 0) {
    if (!command.hold(dataBytes)) {
      refuseForRoom(command);
      return command.finish();
    }
  }
  command.unit = unit;
  command.received = command.requested = dataBytes;
  command.memory = buf;
  command.list[0] = dataAt;
  command.list[1] = dataBytes;
  unit.submit(command);
  if (command.state === 'over') return;
  // It stays: the bytes under it will not.
  if (dataBytes > 0) {
    const kept = buffers.take(dataBytes);
    kept.set(buf.subarray(dataAt, dataAt + dataBytes));
    command.buffer = command.memory = kept;
  }
  command.list[0] = 0;
  command.enlist();
}

/** It takes its place in the task set, and its data is asked for. */
function collect(
  command: Command,
  unit: Disk | undefined,
  buf: Uint8Array,
  dataAt: number,
  dataBytes: number,
): void {
  const { buffers } = command.session.around;
  command.waiting = true;
  command.unit = unit ?? null;
  command.enlist();
  if (unit === undefined) return noUnit(command);
  if (command.fault === null) {
    if (!command.hold(command.bytes)) refuseForRoom(command);
    else {
      const kept = buffers.take(Math.max(1, command.bytes));
      kept.set(buf.subarray(dataAt, dataAt + dataBytes));
      command.buffer = command.memory = kept;
      command.list[0] = 0;
      command.list[1] = command.bytes;
      command.received = command.requested = dataBytes;
      unit.submit(command);
    }
  }
  settleUnlessAnswered(command);
}

/** A refused command is over already, unless it must see the end of its data first. */
function settleUnlessAnswered(command: Command): void {
  if (command.listed) settle(command);
}
