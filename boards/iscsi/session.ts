/**
 * A session: one I_T nexus, the window of its commands, and what is under way. It has one connection at a time.
 *
 * RFC 7143 4.2.2 (numbering), 4.4.3 (session and nexus), 6.3.5 (reinstatement)
 */
import type { Shelf } from '../shelf/shelf.ts';
import type { Buffers } from './buffers.ts';
import type { Command } from './command.ts';
import type { IscsiEvent } from './event.ts';
import type { Budget, Limits } from './limits.ts';
import type { Parameters } from './negotiate.ts';
import type { Output } from './output.ts';
import { EXP_CMD_SN_AT, MAX_CMD_SN_AT, STAT_SN_AT, put32, serialDelta } from './pdu.ts';
import type { SendTargets } from './text-request.ts';

/** The connection, as its session sees it. */
export interface Link {
  readonly cid: number;
  readonly output: Output;
  /** Of the next response. */
  statSn: number;
  /** Ends the connection: an error that only a new session recovers from. */
  drop(why: string): void;
  /** What was built outside of a reading goes out soon. */
  flushSoon(): void;
}

export interface Surroundings {
  readonly shelf: Shelf;
  readonly limits: Limits;
  readonly budget: Budget;
  readonly buffers: Buffers;
  tell(event: IscsiEvent): void;
}

export interface SessionIdentity {
  readonly initiator: string;
  readonly isid: string;
  readonly tsih: number;
  readonly target: string;
  /** Target port of the disks; 1 or 2. */
  readonly port: 1 | 2;
  /** Of every disk; null in a discovery session. */
  readonly nexus: number | null;
}

export class Session {
  readonly identity: SessionIdentity;
  readonly around: Surroundings;
  readonly parameters: Parameters;
  readonly sendTargets: SendTargets;
  link: Link;
  expCmdSn: number;
  /** Under way, by initiator task tag. */
  readonly commands = new Map<number, Command>();
  /** By target transfer tag, who waits for the data. */
  readonly transfers = new Map<number, Command>();
  /** Of those, the ones that take a place in the window, and the immediate ones. */
  windowed = 0;
  /** Bytes of the budget that they hold. */
  held = 0;
  immediates = 0;
  /** Commands that are over, to be used again. */
  readonly idle: Command[] = [];
  #nextTag = 0;
  /** A text answer in pieces. */
  text: { tag: number; rest: Uint8Array } | null = null;
  textInput: Uint8Array[] = [];
  textInputBytes = 0;
  served = 0;
  closed = false;

  constructor(
    identity: SessionIdentity,
    around: Surroundings,
    parameters: Parameters,
    link: Link,
    cmdSn: number,
    sendTargets: SendTargets,
  ) {
    this.identity = identity;
    this.around = around;
    this.parameters = parameters;
    this.link = link;
    this.expCmdSn = cmdSn;
    this.sendTargets = sendTargets;
  }

  get maxCmdSn(): number {
    return (this.expCmdSn + this.around.limits.commands - this.windowed - 1) >>> 0;
  }

  /** Takes a non-immediate command number: true if the command counts, [4.2.2.1]. */
  takeCmdSn(cmdSn: number): boolean {
    if (cmdSn !== this.expCmdSn) {
      const inWindow = serialDelta(cmdSn, this.expCmdSn) > 0 && serialDelta(this.maxCmdSn, cmdSn) >= 0;
      // On one connection commands come in order: what is missing was lost with a digest error.
      if (inWindow) this.link.drop('a command number is missing');
      return false;
    }
    if (serialDelta(this.maxCmdSn, cmdSn) < 0) return false;
    this.expCmdSn = (cmdSn + 1) >>> 0;
    return true;
  }

  /** Fills in StatSN, ExpCmdSN and MaxCmdSN; a response that has a status counts StatSN on. */
  stamp(buf: Uint8Array, at: number, counts: boolean): void {
    put32(buf, at + STAT_SN_AT, this.link.statSn);
    if (counts) this.link.statSn = (this.link.statSn + 1) >>> 0;
    put32(buf, at + EXP_CMD_SN_AT, this.expCmdSn);
    put32(buf, at + MAX_CMD_SN_AT, this.maxCmdSn);
  }

  /** A target transfer tag that is in nobody's hands. */
  tag(): number {
    do this.#nextTag = (this.#nextTag + 1) >>> 0;
    while (this.#nextTag === 0xffffffff || this.transfers.has(this.#nextTag));
    return this.#nextTag;
  }

  /** The connection has gone: all tasks end, and nothing of an unfinished write lands. */
  endTasks(): void {
    for (const command of Array.from(this.commands.values())) command.withdraw(); // which takes it out
    this.transfers.clear();
    this.text = null;
    this.textInput = [];
    this.textInputBytes = 0;
  }
}
