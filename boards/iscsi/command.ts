/**
 * A SCSI command of a session: a task of a disk, and the initiator that the disk answers. What it needs of its data is
 * kept with it; where its answer is built is `response.ts`.
 *
 * RFC 7143 11.3 (SCSI command), 4.2.5 (task and its allegiance)
 */
import type { Disk } from '../shelf/disk.ts';
import type { Initiator, Task } from '../shelf/task.ts';
import { nopIn } from './nop.ts';
import { CDB_BYTES } from './pdu.ts';
import { placeDataIn, respond } from './response.ts';
import { reservationLost } from './reservation-lost.ts';
import { LOGICAL_UNIT_SILENT } from './sense.ts';
import type { Session } from './session.ts';

/** One R2T that has not been answered in full. */
export interface Outstanding {
  tag: number;
  offset: number;
  bytes: number;
  got: number;
  dataSn: number;
}

/** No session may have more than this part of the budget, but for a single command. */
const SHARES = 4;
const NO_EXTENTS: readonly number[] = [];
const NO_MEMORY = new Uint8Array(0);
/** With the extended CDB of an additional header, RFC 7143 11.2.2.3. */
export const CDB_MAX = 32;

export class Command implements Task, Initiator {
  readonly session: Session;
  // What the disk knows of it.
  nexus = 0;
  disk = 0;
  cdb: Uint8Array;
  memory: Uint8Array = NO_MEMORY;
  list: number[] = [0, 0];
  bytes = 0;
  tag = 0;
  readonly initiator: Initiator = this;
  orphan = false;
  state: 'queued' | 'serving' | 'over' = 'queued';
  attribute = 0;
  direction = 0;
  waiting = false;
  overflow = 0;
  action = 0;
  lba = 0;
  blocks = 0;
  flags = 0;
  extents: readonly number[] = NO_EXTENTS;
  moved = 0;
  status = 0;
  residual = 0;
  sense: Uint8Array | null = null;
  reply: Uint8Array | null = null;
  // What the session knows of it.
  unit: Disk | null = null;
  lunHi = 0;
  lunLo = 0;
  /** Expected Data Transfer Length. */
  expected = 0;
  immediate = false;
  /** It is in the session's table. */
  listed = false;
  /** Of the session's buffers, and bytes that it took of the budget. */
  buffer: Uint8Array | null = null;
  budgeted = 0;
  /** Data that came, that was asked for, and whether more comes without being asked for. */
  received = 0;
  requested = 0;
  unsolicited = false;
  unsolicitedSn = 0;
  outstanding: Outstanding[] = [];
  r2tSn = 0;
  /** The data came wrong: how the command ends once all of it is there. */
  fault: Uint8Array | null = null;
  /** Where in the output the data for the initiator was placed; -1: nowhere. */
  placed = -1;
  readonly #cdb = new Uint8Array(CDB_MAX);
  readonly #cdb16: Uint8Array;

  constructor(session: Session) {
    this.session = session;
    this.#cdb16 = this.#cdb.subarray(0, CDB_BYTES);
    this.cdb = this.#cdb16;
  }

  /** Begins anew. */
  reset(): void {
    this.memory = NO_MEMORY;
    if (this.list.length !== 2) this.list = [0, 0];
    this.list[0] = this.list[1] = 0;
    this.bytes = 0;
    this.state = 'queued';
    this.waiting = false;
    this.overflow = 0;
    this.moved = 0;
    this.status = 0;
    this.residual = 0;
    this.sense = null;
    this.reply = null;
    this.unit = null;
    this.listed = false;
    this.received = 0;
    this.requested = 0;
    this.unsolicited = false;
    this.unsolicitedSn = 0;
    this.r2tSn = 0;
    this.fault = null;
    this.placed = -1;
  }

  /** Takes the CDB from a header, with what an additional header adds to it. */
  takeCdb(buf: Uint8Array, at: number, more: Uint8Array | null): void {
    const cdb = this.#cdb;
    for (let i = 0; i < CDB_BYTES; i++) cdb[i] = buf[at + i]!;
    if (more === null) {
      this.cdb = this.#cdb16;
      return;
    }
    cdb.fill(0, CDB_BYTES);
    cdb.set(more, CDB_BYTES);
    this.cdb = cdb;
  }

  /** Takes so much of the budget until it is over; false: the session has its share, or there is no more. */
  hold(bytes: number): boolean {
    const { session } = this;
    const { budget, limits } = session.around;
    const share = Math.floor(limits.bufferedBytes / SHARES);
    if (session.held > 0 && session.held + bytes > share) return false;
    if (!budget.take(bytes)) return false;
    this.budgeted = bytes;
    session.held += bytes;
    return true;
  }

  /** Into the session's table: it does not end at once. */
  enlist(): void {
    const { session } = this;
    this.listed = true;
    session.commands.set(this.tag, this);
    if (this.immediate) session.immediates++;
    else session.windowed++;
  }

  /** Data is still on its way: an answer must wait for its end, RFC 7143 11.4.2. */
  get receiving(): boolean {
    return this.unsolicited || this.outstanding.length > 0;
  }

  /** What comes is still of use: it has not been refused, and nothing was wrong with it so far. */
  get wanted(): boolean {
    return this.fault === null && this.state !== 'over';
  }

  /** The disk gives its answer. */
  completed(): void {
    if (!this.receiving) this.finish();
  }

  /** The disk does not answer at all. */
  lost(): void {
    this.fail(LOGICAL_UNIT_SILENT);
    if (!this.receiving) this.finish();
  }

  /** Somebody aborted it: no answer, and its data goes nowhere. */
  aborted(): void {
    this.state = 'over';
    const { session } = this;
    const wasClosed = session.windowed >= session.around.limits.commands;
    this.#forget();
    if (wasClosed && !session.closed) nopIn(session, null); // tells of the window
  }

  room(): void {
    placeDataIn(this);
  }

  /** Ends with CHECK CONDITION. */
  fail(sense: Uint8Array): void {
    this.state = 'over';
    this.status = 0x02;
    this.sense = sense;
    this.residual = this.bytes;
    this.overflow = 0;
    this.reply = null;
  }

  /** The answer goes out. */
  finish(): void {
    this.#release();
    respond(this);
    const { session } = this;
    if (this.sense !== null && this.status === 0x02) reservationLost(this, this.sense);
    session.served++;
    session.link.flushSoon();
    if (session.idle.length < session.around.limits.commands) session.idle.push(this);
  }

  /** It ends without an answer. */
  withdraw(): void {
    const { unit } = this;
    if (this.state !== 'over' && unit !== null) unit.abort((task) => task === this);
    if (this.listed) this.#forget();
  }

  #forget(): void {
    for (const { tag } of this.outstanding) this.session.transfers.delete(tag);
    if (this.outstanding.length > 0) this.outstanding = [];
    this.unsolicited = false;
    this.#release();
  }

  #release(): void {
    const { session } = this;
    if (this.listed) {
      this.listed = false;
      session.commands.delete(this.tag);
      if (this.immediate) session.immediates--;
      else session.windowed--;
    }
    if (this.buffer !== null) {
      session.around.buffers.give(this.buffer);
      this.buffer = null;
    }
    if (this.budgeted > 0) {
      session.around.budget.give(this.budgeted);
      session.held -= this.budgeted;
      this.budgeted = 0;
    }
  }
}
