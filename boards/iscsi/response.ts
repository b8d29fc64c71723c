/**
 * How a SCSI command ends on the wire: Data-In PDUs, the last with the status where no sense data goes with it, or a
 * SCSI Response. Data is put where it goes out before its headers are there.
 *
 * RFC 7143 11.7 (Data-In: sequences end at MaxBurstLength), 11.4 (response, residuals, sense data)
 */
import { DIRECTION_IN } from '../shelf/task.ts';
import type { Command } from './command.ts';
import {
  BUFFER_OFFSET_AT,
  DATA_IN,
  DATA_SN_AT,
  EXP_CMD_SN_AT,
  FINAL,
  FLAG_OVERFLOW,
  FLAG_STATUS,
  FLAG_UNDERFLOW,
  ITT_AT,
  MAX_CMD_SN_AT,
  NO_TAG,
  RESIDUAL_AT,
  SCSI_RESPONSE,
  TTT_AT,
  put32,
} from './pdu.ts';
import type { Session } from './session.ts';

/** Bytes of data in one Data-In PDU. */
function segmentOf(session: Session): number {
  const { initiatorSegment, maxBurst } = session.parameters;
  return Math.min(initiatorSegment, maxBurst) & ~3;
}

/** `moved` bytes are about to be placed: makes room for them between the headers that they will have. */
export function placeDataIn(command: Command): void {
  const { session, moved } = command;
  const { output } = session.link;
  const segment = segmentOf(session);
  if (moved <= segment) {
    const at = output.reserve(output.sizeOf(moved));
    command.placed = at;
    command.memory = output.buf;
    command.list[0] = output.dataAt(at);
    command.list[1] = moved;
    return;
  }
  const last = moved % segment || segment;
  const count = (moved - last) / segment + 1;
  const stride = output.sizeOf(segment);
  const start = output.reserve((count - 1) * stride + output.sizeOf(last));
  command.placed = start;
  command.memory = output.buf;
  command.list = [];
  for (let i = 0; i < count; i++) {
    command.list.push(output.dataAt(start + i * stride), i < count - 1 ? segment : last);
  }
}

/** Builds the answer. */
export function respond(command: Command): void {
  const { session } = command;
  const transferred =
    command.direction === DIRECTION_IN && command.placed >= 0 ? command.bytes - command.residual : 0;
  let flags = 0;
  let residual = 0;
  if (command.overflow > 0) {
    flags = FLAG_OVERFLOW;
    residual = command.overflow;
  } else {
    residual = command.expected - (command.bytes - command.residual);
    if (residual > 0) flags = FLAG_UNDERFLOW;
  }
  const collapsed = transferred > 0 && (command.sense === null || command.sense.length === 0);
  const sent = transferred > 0 ? sendDataIn(command, transferred, collapsed, flags, residual) : command.r2tSn;
  if (!collapsed) sendResponse(session, command, flags, residual, sent);
}

/** Returns how many PDUs there were. */
function sendDataIn(
  command: Command,
  bytes: number,
  withStatus: boolean,
  residualFlags: number,
  residual: number,
): number {
  const { session } = command;
  const { output } = session.link;
  const { maxBurst } = session.parameters;
  const segment = segmentOf(session);
  let burst = 0;
  let at = command.placed;
  let dataSn = 0;
  for (let offset = 0; offset < bytes; dataSn++) {
    const part = Math.min(segment, bytes - offset);
    const isLast = offset + part === bytes;
    burst += part;
    const endsBurst = isLast || burst + Math.min(segment, bytes - offset - part) > maxBurst;
    if (endsBurst) burst = 0;
    const status = isLast && withStatus;
    output.header(at, DATA_IN, (endsBurst ? FINAL : 0) | (status ? FLAG_STATUS | residualFlags : 0), part);
    const { buf } = output;
    put32(buf, at + ITT_AT, command.tag);
    put32(buf, at + TTT_AT, NO_TAG);
    if (status) {
      buf[at + 3] = command.status;
      session.stamp(buf, at, true);
      put32(buf, at + RESIDUAL_AT, residual);
    } else {
      put32(buf, at + EXP_CMD_SN_AT, session.expCmdSn);
      put32(buf, at + MAX_CMD_SN_AT, session.maxCmdSn);
    }
    put32(buf, at + DATA_SN_AT, dataSn);
    put32(buf, at + BUFFER_OFFSET_AT, offset);
    at = output.seal(at, part);
    offset += part;
  }
  output.sent(at - command.placed);
  return dataSn;
}

function sendResponse(
  session: Session,
  command: Command,
  residualFlags: number,
  residual: number,
  expDataSn: number,
): void {
  const { output } = session.link;
  const sense = command.sense;
  const bytes = sense === null || sense.length === 0 ? 0 : sense.length + 2;
  const at = output.begin(SCSI_RESPONSE, FINAL | residualFlags, bytes);
  const { buf } = output;
  buf[at + 3] = command.status;
  put32(buf, at + ITT_AT, command.tag);
  session.stamp(buf, at, true);
  put32(buf, at + DATA_SN_AT, expDataSn);
  put32(buf, at + RESIDUAL_AT, residual);
  if (sense !== null && bytes > 0) {
    const dataAt = output.dataAt(at);
    buf[dataAt] = sense.length >> 8;
    buf[dataAt + 1] = sense.length;
    buf.set(sense, dataAt + 2);
  }
  output.end(at, bytes);
}
