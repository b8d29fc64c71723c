/**
 * The emulated host bus adapter: fetches submissions from a ring in board RAM, moves data by DMA from and to RAM, posts
 * completions to another ring. Everything firmware gives it is checked: an entry it cannot read or data that leaves RAM
 * ends in a host status, never in a transfer.
 *
 * [layout] SQE_*, CQE_*, HOST_*
 */
import * as L from '../../asm/layout.ts';
import { type Clock, MS } from '../clock.ts';
import { type Fabric, nexusOf } from '../shelf/fabric.ts';
import { type Task, walk } from '../shelf/task.ts';
import { Deadlines } from './deadlines.ts';
import type { Ecc } from './ecc.ts';

const TIMEOUT = 1;
const REFUSED = 2;
const DEADLINE = 3;
/** Nobody there: the selection fails after this. */
const SELECTION = 1 * MS;
/** A command that nobody answers. */
const COMMAND_TIMEOUT = 2000 * MS;
const LIST_MAX = 256;
const CDB_MAX = 16;

export class Hba {
  onInterrupt: () => void = () => {};
  /** Told before DMA puts bytes into RAM; null: nobody needs to know. */
  onDma: ((address: number, bytes: number) => void) | null = null;
  #clock: Clock;
  #fabric: Fabric;
  #board: number;
  #ecc: Ecc;
  #component: number;
  #ram: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #sq = 0;
  #sqCount = 0;
  #cq = 0;
  #cqCount = 0;
  #head = 0;
  #posted = 0;
  #lost = new Map<number, Task>();
  /** Of commands that firmware set a time for. */
  readonly #deadlines: Deadlines<Task>;
  #next = 0;
  #outstanding = 0;

  constructor(clock: Clock, fabric: Fabric, board: number, ecc: Ecc) {
    this.#clock = clock;
    this.#fabric = fabric;
    this.#board = board;
    this.#ecc = ecc;
    this.#component = clock.register((kind, id) => {
      if (kind === DEADLINE) return this.#deadlines.fire(id);
      const task = this.#lost.get(id);
      this.#lost.delete(id);
      if (task !== undefined) this.#post(task, kind === REFUSED ? L.HOST_NO_TARGET : L.HOST_TIMEOUT);
    });
    this.#deadlines = new Deadlines(clock, this.#component, DEADLINE, (task) => this.#late(task));
  }

  /** The RAM it does DMA in; a new one at every power-on. */
  attach(ram: Uint8Array): void {
    this.reset();
    this.#ram = ram;
    this.#view = new DataView(ram.buffer);
    this.#sqCount = this.#cqCount = 0;
  }

  configure(sq: number, sqCount: number, cq: number, cqCount: number): void {
    const fits = (at: number, count: number, size: number): boolean =>
      count > 0 && (count & (count - 1)) === 0 && at + count * size <= this.#ram.length;
    const good = fits(sq, sqCount, L.SQE_BYTES) && fits(cq, cqCount, L.CQE_BYTES);
    this.#sq = sq;
    this.#cq = cq;
    this.#sqCount = good ? sqCount : 0;
    this.#cqCount = good ? cqCount : 0;
    this.#head = 0;
    this.#posted = 0;
  }

  poll(): number {
    return this.#posted;
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  /** Stops all DMA and forgets what is outstanding. */
  reset(): void {
    this.#lost.clear();
    this.#deadlines.clear();
    this.#outstanding = 0;
    this.#fabric.abandon(this.#initiator);
    this.#initiator = this.#newInitiator();
  }

  #newInitiator(): Task['initiator'] {
    return {
      completed: (task) => this.#post(task, L.HOST_OK),
      lost: (task) => this.#wait(task, TIMEOUT, COMMAND_TIMEOUT),
      room: (task) => {
        if (this.onDma !== null)
          walk(task, 0, task.moved, (address, _done, part) => this.onDma?.(address, part));
      },
    };
  }
  #initiator: Task['initiator'] = this.#newInitiator();

  doorbell(tail: number): void {
    if (this.#sqCount === 0) return;
    for (let n = 0; this.#head !== tail && n < this.#sqCount; n++) {
      const at = this.#sq + (this.#head & (this.#sqCount - 1)) * L.SQE_BYTES;
      this.#head = (this.#head + 1) >>> 0;
      this.#submit(at);
    }
  }

  #submit(at: number): void {
    const v = this.#view;
    const port = v.getUint8(at + L.SQE_PORT_AT);
    const bytes = v.getUint32(at + L.SQE_DATA_BYTES_AT, true);
    const length = v.getUint8(at + L.SQE_CDB_LENGTH_AT);
    const task: Task = {
      nexus: nexusOf(this.#board, port & 1),
      disk: v.getUint16(at + L.SQE_TARGET_AT, true),
      cdb: this.#cdb(at + L.SQE_CDB_AT, Math.min(length, CDB_MAX)),
      memory: this.#ram,
      list: [],
      bytes,
      tag: v.getUint32(at + L.SQE_TAG_AT, true),
      initiator: this.#initiator,
      orphan: false,
      posted: false,
      deadline: -1,
      state: 'queued',
      overflow: 0,
      action: 0,
      lba: 0,
      blocks: 0,
      flags: 0,
      extents: [],
      moved: 0,
      status: 0,
      residual: bytes,
      sense: null,
      reply: null,
    };
    this.#outstanding++;
    const management = v.getUint8(at + L.SQE_TMF_AT); // none is known to this HBA
    if (port > 1 || length === 0 || length > CDB_MAX || management !== 0)
      return this.#post(task, L.HOST_BAD_ENTRY);
    if (!this.#list(task, at) || this.#poisoned(task, v.getUint8(at + L.SQE_FLAGS_AT)))
      return this.#post(task, L.HOST_DMA_ERROR);
    if (!this.#fabric.reachable(task.nexus, task.disk)) return this.#wait(task, REFUSED, SELECTION);
    const timeoutMs = v.getUint32(at + L.SQE_TIMEOUT_MS_AT, true);
    if (timeoutMs > 0) task.deadline = this.#deadlines.set(task, timeoutMs * MS);
    this.#fabric.send(task);
  }

  /** A copy of a CDB: the entry is firmware's again before the command has ended. */
  #cdb(at: number, length: number): Uint8Array {
    const kept = length === CDB_MAX ? this.#cdbs.pop() : undefined;
    if (kept === undefined) return this.#ram.slice(at, at + length);
    for (let i = 0; i < CDB_MAX; i++) kept[i] = this.#ram[at + i]!;
    return kept;
  }
  /** Of commands that have ended. */
  readonly #cdbs: Uint8Array[] = [];

  /** Its time is over: nothing of it moves any more, and its answer, if it comes, is dropped. */
  #late(task: Task): void {
    if (task.posted === true) return;
    this.#fabric.abandonTask(task);
    this.#post(task, L.HOST_TIMEOUT);
  }

  /** Reads the scatter-gather list; false when any of it lies outside RAM. */
  #list(task: Task, at: number): boolean {
    const v = this.#view;
    const address = v.getUint32(at + L.SQE_SGL_AT, true);
    const count = v.getUint16(at + L.SQE_SGL_COUNT_AT, true);
    const size = this.#ram.length;
    if (task.bytes === 0) return true;
    if (count === 0) {
      task.list = [address, task.bytes];
      return address + task.bytes <= size;
    }
    if (count > LIST_MAX || address + count * 8 > size) return false;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const start = v.getUint32(address + i * 8, true);
      const bytes = v.getUint32(address + i * 8 + 4, true);
      if (start + bytes > size) return false;
      task.list.push(start, bytes);
      total += bytes;
    }
    return total >= task.bytes;
  }

  /** DMA that reads a poisoned page fails before anything of it leaves the board. */
  #poisoned({ list }: Task, flags: number): boolean {
    if ((flags & L.SQE_DATA_OUT) === 0 || this.#ecc.pages.length === 0) return false;
    return list.some((address, i) => i % 2 === 0 && this.#ecc.meets(address, list[i + 1]!));
  }

  #wait(task: Task, kind: number, delta: number): void {
    const id = this.#next++;
    this.#lost.set(id, task);
    this.#clock.after(delta, this.#component, kind, id);
  }

  #post(task: Task, host: number): void {
    if (task.initiator !== this.#initiator || this.#cqCount === 0 || task.posted) return;
    task.posted = true;
    if (task.deadline !== undefined && task.deadline >= 0) this.#deadlines.met(task.deadline);
    if (host === L.HOST_OK && task.cdb.length === CDB_MAX) this.#cdbs.push(task.cdb); // the disk is done with it
    const v = this.#view;
    const at = this.#cq + (this.#posted & (this.#cqCount - 1)) * L.CQE_BYTES;
    const sense =
      host === L.HOST_OK && task.sense !== null ? task.sense.subarray(0, L.CQE_SENSE_BYTES) : null;
    this.onDma?.(at, L.CQE_BYTES);
    this.#ram.fill(0, at, at + L.CQE_BYTES);
    v.setUint32(at + L.CQE_TAG_AT, task.tag, true);
    v.setUint8(at + L.CQE_HOST_STATUS_AT, host);
    v.setUint8(at + L.CQE_STATUS_AT, host === L.HOST_OK ? task.status : 0);
    v.setUint8(at + L.CQE_SENSE_LENGTH_AT, sense?.length ?? 0);
    v.setUint8(at + L.CQE_PORT_AT, task.nexus & 1);
    v.setUint32(at + L.CQE_RESIDUAL_AT, task.residual, true);
    v.setUint16(at + L.CQE_TARGET_AT, task.disk, true);
    if (sense !== null) this.#ram.set(sense, at + L.CQE_SENSE_AT);
    this.#posted = (this.#posted + 1) >>> 0;
    this.#outstanding--;
    this.onInterrupt();
  }
}
