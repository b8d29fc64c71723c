/**
 * Data of a write on its way to us: immediate, unsolicited, and what we ask for with R2T, each within what was
 * negotiated. It is collected whole before the disk sees it.
 *
 * RFC 7143 4.2.4.2 (solicited and unsolicited), 11.7 (Data-Out), 11.8 (R2T), 11.4.7.2 (how it goes wrong)
 */
import type { Command, Outstanding } from './command.ts';
import {
  BUFFER_OFFSET_AT,
  DATA_SN_AT,
  FINAL,
  FLAGS_AT,
  ITT_AT,
  LUN_AT,
  NO_TAG,
  R2T,
  RESIDUAL_AT,
  TTT_AT,
  put32,
  u32,
} from './pdu.ts';
import {
  INCORRECT_AMOUNT_OF_DATA,
  PROTOCOL_SERVICE_CRC_ERROR,
  UNEXPECTED_UNSOLICITED_DATA,
} from './sense.ts';
import type { Session } from './session.ts';

/** Asks for more, as far as outstanding R2Ts are allowed. */
export function solicit(command: Command): void {
  const { session } = command;
  const { maxBurst, maxOutstandingR2T } = session.parameters;
  while (command.outstanding.length < maxOutstandingR2T && command.requested < command.bytes) {
    const bytes = Math.min(maxBurst, command.bytes - command.requested);
    const wanted = { tag: session.tag(), offset: command.requested, bytes, got: 0, dataSn: 0 };
    command.requested += bytes;
    command.outstanding.push(wanted);
    session.transfers.set(wanted.tag, command);
    sendR2T(command, wanted);
  }
}

function sendR2T(command: Command, wanted: Outstanding): void {
  const { session } = command;
  const { output } = session.link;
  const at = output.begin(R2T, FINAL, 0);
  const { buf } = output;
  put32(buf, at + LUN_AT, command.lunHi);
  put32(buf, at + LUN_AT + 4, command.lunLo);
  put32(buf, at + ITT_AT, command.tag);
  put32(buf, at + TTT_AT, wanted.tag);
  session.stamp(buf, at, false);
  put32(buf, at + DATA_SN_AT, command.r2tSn++);
  put32(buf, at + BUFFER_OFFSET_AT, wanted.offset);
  put32(buf, at + RESIDUAL_AT, wanted.bytes);
  output.end(at, 0);
}

/** Something has come to its end: goes on with the command if nothing is on its way any more. */
export function settle(command: Command): void {
  if (command.wanted && !command.unsolicited) solicit(command);
  if (command.receiving) return;
  if (command.state === 'over') return command.finish(); // its answer had to wait
  if (command.fault !== null) {
    command.unit?.abandonTask(command);
    command.fail(command.fault);
    return command.finish();
  }
  command.unit!.dataCame(command);
}

/** A Data-Out PDU. What belongs to no command any more is data of an aborted one, and goes nowhere. */
export function dataOut(
  session: Session,
  buf: Uint8Array,
  at: number,
  dataAt: number,
  dataBytes: number,
): void {
  const itt = u32(buf, at + ITT_AT);
  const ttt = u32(buf, at + TTT_AT);
  const command = ttt === NO_TAG ? session.commands.get(itt) : session.transfers.get(ttt);
  if (command === undefined || command.tag !== itt || !command.waiting) return;
  const offset = u32(buf, at + BUFFER_OFFSET_AT);
  const dataSn = u32(buf, at + DATA_SN_AT);
  const isFinal = (buf[at + FLAGS_AT]! & FINAL) !== 0;
  if (ttt === NO_TAG) unsolicitedData(command, buf, dataAt, dataBytes, offset, dataSn, isFinal);
  else solicitedData(command, ttt, buf, dataAt, dataBytes, offset, dataSn, isFinal);
}

/** The data segment of a Data-Out PDU is damaged: the command ends when all of its data is there, RFC 7143 7.8. */
export function damagedData(session: Session, buf: Uint8Array, at: number): void {
  const itt = u32(buf, at + ITT_AT);
  const ttt = u32(buf, at + TTT_AT);
  const command = ttt === NO_TAG ? session.commands.get(itt) : session.transfers.get(ttt);
  if (command === undefined || command.tag !== itt || !command.waiting) return;
  command.fault ??= PROTOCOL_SERVICE_CRC_ERROR;
  dataOut(session, buf, at, 0, 0);
}

function unsolicitedData(
  command: Command,
  buf: Uint8Array,
  dataAt: number,
  dataBytes: number,
  offset: number,
  dataSn: number,
  isFinal: boolean,
): void {
  const { session } = command;
  if (!command.unsolicited) {
    command.fault ??= UNEXPECTED_UNSOLICITED_DATA;
    if (isFinal) settle(command);
    return;
  }
  if (dataSn !== command.unsolicitedSn++) return session.link.drop('a data PDU is missing');
  if (command.wanted) {
    const limit = Math.min(session.parameters.firstBurst, command.bytes);
    if (offset !== command.received) return session.link.drop('a data PDU is not in order');
    if (offset + dataBytes > limit) command.fault = INCORRECT_AMOUNT_OF_DATA;
    else place(command, offset, buf, dataAt, dataBytes);
  }
  command.requested = command.received;
  if (!isFinal) return;
  command.unsolicited = false;
  settle(command);
}

function solicitedData(
  command: Command,
  tag: number,
  buf: Uint8Array,
  dataAt: number,
  dataBytes: number,
  offset: number,
  dataSn: number,
  isFinal: boolean,
): void {
  const { session } = command;
  const wanted = command.outstanding.find((each) => each.tag === tag)!;
  if (dataSn !== wanted.dataSn++) return session.link.drop('a data PDU is missing');
  if (command.wanted) {
    if (offset !== wanted.offset + wanted.got) return session.link.drop('a data PDU is not in order');
    if (wanted.got + dataBytes > wanted.bytes) command.fault = INCORRECT_AMOUNT_OF_DATA;
    else {
      place(command, offset, buf, dataAt, dataBytes);
      wanted.got += dataBytes;
    }
  }
  if (!isFinal) return;
  if (wanted.got !== wanted.bytes) command.fault ??= INCORRECT_AMOUNT_OF_DATA;
  command.outstanding = command.outstanding.filter((each) => each !== wanted);
  session.transfers.delete(tag);
  settle(command);
}

function place(command: Command, offset: number, buf: Uint8Array, dataAt: number, dataBytes: number): void {
  // An aborted command has given its buffer back.
  command.buffer?.set(buf.subarray(dataAt, dataAt + dataBytes), offset);
  command.received += dataBytes;
}
