/**
 * A dual-ported disk: the device server decides, this gives it time and a medium. Commands for the medium are served
 * one at a time in order of arrival; the others at once. The reservation is checked when a command is executed, not
 * when it arrives, and a write lands when its time of service is over, unless it is aborted before.
 *
 * [SAM-5] 5.6 aborting commands · [SPC-4] 5.13.11.2.6 PREEMPT AND ABORT
 */
import * as L from '../../asm/layout.ts';
import { type Clock, US } from '../clock.ts';
import type { DiskConfig } from '../scenario.ts';
import { act } from './action.ts';
import { Behind, answersAtOnce, isBehind } from './behind.ts';
import type { Failure, Shop } from './landing.ts';
import { ImageError, type Medium } from './medium.ts';
import { Sanitizer } from './sanitizer.ts';
import type { DeviceServers } from './server.ts';
import { FIRST_NEXUS } from './target-port.ts';
import { STATUS_TASK_ABORTED, TaskSet } from './task-set.ts';
import { DIRECTION_BOTH, DIRECTION_IN, type Task, gather, scatter } from './task.ts';

/** What the all-seeing observer is told. */
export interface DiskWatcher {
  /** A write lands on the medium. */
  wrote(disk: number, nexus: number, lba: number, blocks: number): void;
  /** A command has ended. */
  ended(disk: number, task: Task): void;
  /** A PERSISTENT RESERVE OUT was executed. */
  reserved(disk: number, task: Task, parameters: Uint8Array): void;
}

/** A command that needs no medium. */
const SHORT_US = 60;
/** From the start of a command to the first byte, when it goes on where the last one ended. */
const SEQUENTIAL_US = 40;
const END = 1;
const UNKNOWN = 0xff;
/** Actions that pass over no blocks. */
const BLOCKLESS: ReadonlySet<number> = new Set([L.ACTION_SYNC, L.ACTION_UNMAP, L.ACTION_LBA_STATUS]);
/** Actions on data that the initiator sends. */
const TAKE_DATA: ReadonlySet<number> = new Set([
  L.ACTION_WRITE,
  L.ACTION_WRITE_VERIFY,
  L.ACTION_VERIFY,
  L.ACTION_COMPARE_WRITE,
  L.ACTION_WRITE_SAME,
  L.ACTION_OR_WRITE,
]);

export class Disk {
  readonly number: number;
  readonly config: DiskConfig;
  readonly medium: Medium;
  /** Protection information of the blocks, on a medium of its own; null without. */
  readonly tags: Medium | null;
  /** Every disk of the shelf, by its number. */
  peers: readonly Disk[] = [this];
  /** Makes the non-volatile image of the reservations durable. */
  keepReservations: (image: Uint8Array) => void = () => {};
  /** Does not answer at all. */
  dead = false;
  writesFail = false;
  slowness = 1;
  #servers: DeviceServers;
  #clock: Clock;
  #component: number;
  #watcher: DiskWatcher;
  #sanitizer: Sanitizer;
  /** The same for all actions. */
  #shop: Shop;
  #set = new TaskSet();
  #serving: Task | null = null;
  #behind = new Behind();
  /** Commands that need no medium, until their time is over. */
  #short = new Map<number, Task>();
  #next = 0;
  #head = -1; // block behind the last access

  constructor(
    number: number,
    config: DiskConfig,
    medium: Medium,
    servers: DeviceServers,
    clock: Clock,
    watcher: DiskWatcher,
    tags: Medium | null = null,
  ) {
    this.number = number;
    this.tags = tags;
    this.config = config;
    this.medium = medium;
    this.#servers = servers;
    this.#clock = clock;
    this.#watcher = watcher;
    this.#component = clock.register((_kind, a) => this.#end(a));
    this.#sanitizer = new Sanitizer(this, servers, clock, () => this.#keep());
    this.#shop = {
      bench: servers.bench,
      units: this.peers,
      nexus: 0,
      mayCopy: (unit, writes) => servers.copyAllowed(number, this.#shop.nexus, unit, writes),
      wrote: (unit, nexus, lba, blocks) => this.#watcher.wrote(unit, nexus, lba, blocks),
    };
  }

  get busy(): boolean {
    return this.#serving !== null;
  }

  /**
   * A command arrives at one of the ports. With `waiting` set it takes its place in the task set and starts after
   * `dataCame`.
   */
  submit(task: Task): void {
    if (this.dead) return this.#lose(task);
    if (this.config.immediate && task.waiting !== true && this.#set.startsAtOnce(task)) {
      return this.#execute(task);
    }
    const refusal = this.#set.refusal(task.nexus);
    if (refusal !== 0) return this.#refuse(task, refusal);
    this.#set.add(task);
    this.#start();
  }

  /** All data of a task that waited for it is there. */
  dataCame(task: Task): void {
    task.waiting = false;
    if (task.state !== 'queued') return;
    if (this.dead) {
      this.#set.remove(task);
      return this.#lose(task);
    }
    this.#start();
  }

  #lose(task: Task): void {
    task.state = 'over';
    task.initiator.lost(task);
  }

  #refuse(task: Task, status: number): void {
    task.state = 'over';
    task.status = status;
    task.residual = task.bytes;
    task.initiator.completed(task);
  }

  /** Starts whatever may start. */
  #start(): void {
    for (;;) {
      if (this.#serving === null) this.#serveBehind();
      if (this.#set.size === 0) return;
      const task = this.#set.next(this.#serving === null, this.#needsMedium);
      if (task === null) return;
      this.#execute(task);
    }
  }

  #execute(task: Task): void {
    const parameters = this.#parameters(task);
    const result = this.#servers.execute(
      this.number,
      task.nexus,
      task.cdb,
      parameters,
      task.bytes,
      task.attribute ?? 0,
      task.direction ?? DIRECTION_BOTH,
      this.#pending(task),
    );
    task.action = result.action;
    task.lba = result.lba;
    task.blocks = result.blocks;
    task.flags = result.flags;
    task.extents = result.extents;
    task.moved = result.moved;
    task.status = result.status;
    // Of the initiator's buffer: what the command had more to move does not count.
    task.residual = task.bytes - result.moved;
    task.overflow = result.overflow;
    task.sense = result.sense;
    task.state = 'serving';
    if (result.action === L.ACTION_NONE && result.moved > 0 && parameters === null) {
      task.reply = this.#servers.parameterData(result.moved);
    }
    if (result.abort !== 0n) this.#abortNexuses(result.abort, task.nexus, task);
    if (task.cdb[0] === 0x5f) this.#watcher.reserved(this.number, task, parameters ?? new Uint8Array(24));
    if (result.nvChanged) this.#keepFor(task);
    if (result.action === L.ACTION_SANITIZE) return this.#sanitize(task);
    if (this.config.immediate) {
      if (result.action === L.ACTION_WRITE && this.#post(task)) return;
      if (task.action !== L.ACTION_NONE) this.#access(task);
      return this.#answer(task);
    }
    if (task.action !== L.ACTION_NONE && (task.flags & L.TASK_FLAG_IMMEDIATE) !== 0) this.#behind.add(task);
    this.#serve(task, task.action === L.ACTION_NONE);
  }

  /** Nexuses with other tasks, for a command that may abort them: PERSISTENT RESERVE OUT, or any with QERR. */
  #pending(task: Task): bigint {
    if (this.#set.size === 0) return 0n;
    const mayAbort = task.cdb[0] === 0x5f || (this.#servers.control(this.number) & L.LU_CONTROL_QERR) !== 0;
    return mayAbort ? this.#set.nexuses(task) : 0n;
  }

  #keep(): void {
    this.keepReservations(this.#servers.nonVolatile(this.number));
  }

  /**
   * An initiator from outside is told that the host cannot write it, as with an image: what it changed holds, and does
   * not last. A sanitize operation that might be forgotten must not begin.
   */
  #keepFor(task: Task): void {
    try {
      this.#keep();
    } catch (error) {
      const isLast = task.nexus < FIRST_NEXUS || task.action === L.ACTION_SANITIZE;
      if (!(error instanceof ImageError) || isLast) throw error;
      task.action = L.ACTION_NONE;
      this.#fail(task, { kind: L.MEDIUM_HARDWARE, at: 0 });
    }
  }

  /** The power has come back, and with it the non-volatile image: what it interrupted goes on. */
  resume(): void {
    const { immediate, accessUs, rateMbS } = this.config;
    this.#sanitizer.resume(
      immediate ? 0 : (accessUs + Math.ceil(this.medium.bytes / rateMbS)) * this.slowness,
    );
  }

  /** The operation goes on in the background; the command ends with it, or at once with IMMED. */
  #sanitize(task: Task): void {
    const us = this.config.immediate ? 0 : this.#duration(task) / US;
    const atOnce = (task.flags & L.TASK_FLAG_IMMEDIATE) !== 0;
    const id = ++this.#next;
    if (!atOnce) this.#short.set(id, task); // it may be abandoned or aborted, the operation may not
    this.#sanitizer.begin(task, us, this.#shop, (good) => {
      if (!this.#short.delete(id)) return;
      if (!good) this.#fail(task, { kind: L.MEDIUM_SANITIZE_FAILED, at: 0 });
      this.#answer(task);
      this.#start();
    });
    if (atOnce && this.config.immediate) this.#answer(task);
    else if (atOnce) this.#serve(task, true);
  }

  /** Leaves the write to a medium that goes on by itself; the answer comes when it is done. False: not that way. */
  #post(task: Task): boolean {
    const { medium } = this;
    const bytes = task.blocks * this.config.blockBytes;
    if (medium.post === undefined || this.writesFail || task.flags & L.TASK_FLAG_PI || bytes !== task.moved)
      return false;
    const id = ++this.#next;
    this.#short.set(id, task);
    medium.post(task.lba * this.config.blockBytes, task.memory, task.list, bytes, (good) => {
      if (!this.#short.delete(id)) return; // aborted meanwhile
      if (good) this.#watcher.wrote(this.number, task.nexus, task.lba, task.blocks);
      else this.#fail(task, { kind: L.MEDIUM_WRITE_ERROR, at: task.lba });
      this.#answer(task);
    });
    return true;
  }

  /** Gives the task its time: a short one, or that of the medium. */
  #serve(task: Task, short: boolean): void {
    const id = ++this.#next;
    // A flush that is part of another command does not wait for what the medium is busy with.
    if (short || this.#serving !== null) {
      this.#short.set(id, task);
      const isReserve = task.cdb[0] === 0x5f && task.status === 0;
      this.#clock.after((isReserve ? this.config.reserveUs : SHORT_US) * US, this.#component, END, id);
      return;
    }
    this.#occupy(task, id);
  }

  /** What was answered before it was done has the medium first. */
  #serveBehind(): void {
    const work = this.#behind.take();
    if (work !== null) this.#occupy(work, ++this.#next);
  }

  #occupy(task: Task, id: number): void {
    this.#serving = task;
    this.#servingId = id;
    this.#clock.after(this.#duration(task), this.#component, END, id);
  }
  #servingId = 0;

  /** The parameter list of a command that sends one; null for medium data, which is moved at the end. */
  #parameters(task: Task): Uint8Array | null {
    if ((this.#kind(task) & L.COMMAND_LIST) === 0) return null;
    if (task.direction === DIRECTION_IN) return new Uint8Array(0);
    const list = new Uint8Array(Math.min(task.bytes, 65536));
    gather(task, 0, list, 0, list.length);
    return list;
  }

  /** COMMAND_* of a task's command, asked for once. */
  #kind(task: Task): number {
    const index = task.cdb[0]! * 32 + ((task.cdb[1] ?? 0) & 31);
    let kind = this.#kinds[index]!;
    if (kind === UNKNOWN) this.#kinds[index] = kind = this.#servers.kind(this.number, task.cdb);
    return kind;
  }
  /** By operation code and service action. */
  #kinds = new Uint8Array(256 * 32).fill(UNKNOWN);
  #needsMedium = (task: Task): boolean =>
    (this.#kind(task) & L.COMMAND_MEDIUM) !== 0 && !answersAtOnce(task.cdb);

  #duration(task: Task): number {
    const bytes = BLOCKLESS.has(task.action) ? 0 : task.blocks * this.config.blockBytes;
    const access = task.lba === this.#head ? SEQUENTIAL_US : this.config.accessUs;
    this.#head = task.lba + task.blocks;
    const us = access + Math.ceil(bytes / this.config.rateMbS);
    return us * US * this.slowness;
  }

  #end(id: number): void {
    const short = this.#short.get(id);
    if (short !== undefined) {
      this.#short.delete(id);
      if (short.action !== L.ACTION_NONE && short.action !== L.ACTION_SANITIZE) this.#access(short);
      this.#answer(short);
      return this.#start();
    }
    const task = this.#serving;
    if (task === null || id !== this.#servingId) return; // aborted meanwhile
    this.#serving = null;
    this.#access(task);
    if (!isBehind(task)) this.#answer(task);
    this.#start();
  }

  #access(task: Task): void {
    if (task.action === L.ACTION_READ) {
      if (task.orphan) return;
      task.initiator.room?.(task);
    }
    this.#shop.units = this.peers;
    this.#shop.nexus = task.nexus;
    const failure = this.#act(task);
    if (isBehind(task)) return;
    if (failure !== null) this.#fail(task, failure);
    else if (task.action === L.ACTION_COPY) this.#servers.copied(this.number);
  }

  /**
   * An image that the host cannot write is a medium error to an initiator from outside: what one of them writes must not
   * end the service of all. A board's is the end: there is no pair on half of a disk.
   */
  #act(task: Task): Failure | null {
    try {
      return act(task, this, this.#shop);
    } catch (error) {
      if (!(error instanceof ImageError) || task.nexus < FIRST_NEXUS) throw error;
      if (task.action === L.ACTION_COPY) return { kind: L.MEDIUM_COPY_FAILED, at: 0 };
      return { kind: L.MEDIUM_WRITE_ERROR, at: task.lba };
    }
  }

  #fail(task: Task, { kind, at }: Failure): void {
    const result = this.#servers.mediumError(this.number, task.nexus, kind, at, this.#pending(task));
    task.status = result.status;
    task.sense = result.sense;
    task.residual = task.bytes;
    if (result.abort !== 0n) this.#abortNexuses(result.abort, task.nexus, task); // QERR
  }

  #answer(task: Task): void {
    this.#set.remove(task);
    if (this.dead) return this.#lose(task);
    task.state = 'over';
    if (task.reply !== null && !task.orphan) {
      task.initiator.room?.(task);
      scatter(task, 0, task.reply, 0, task.reply.length);
    }
    this.#watcher.ended(this.number, task);
    if (!task.orphan) task.initiator.completed(task);
  }

  /**
   * Ends tasks without an answer; the one being served, too, and then nothing of it lands. `by`: the nexus whose doing
   * it is; with TAS the others are told by a status, [SPC-4] 7.5.8.
   */
  abort(which: (task: Task) => boolean, by: number | null = null): void {
    const tell = by !== null && (this.#servers.control(this.number) & L.LU_CONTROL_TAS) !== 0;
    for (const task of this.#set.matching(which)) this.#abortOne(task, tell && task.nexus !== by);
    this.#start();
  }

  #abortOne(task: Task, tell: boolean): void {
    this.#set.remove(task);
    for (const [id, other] of this.#short) if (other === task) this.#short.delete(id);
    if (this.#serving === task) {
      this.#serving = null;
      this.#servingId = 0;
      if (task.action === L.ACTION_COPY) this.#servers.copyAborted(this.number);
    }
    task.state = 'over';
    if (task.orphan) return;
    if (tell) {
      task.status = STATUS_TASK_ABORTED;
      task.sense = null;
      task.residual = task.bytes;
      task.initiator.completed(task);
    } else if (task.initiator.aborted === undefined) task.initiator.lost(task);
    else task.initiator.aborted(task);
  }

  #abortNexuses(nexuses: bigint, by: number, except: Task | null): void {
    this.abort((task) => task !== except && ((nexuses >> BigInt(task.nexus)) & 1n) === 1n, by);
  }

  /** A task management function of `nexus` for this logical unit, TMF_* but ABORT TASK; TMF_COMPLETE or TMF_NOT_SUPPORTED. */
  manage(nexus: number, management: number): number {
    const result = this.#servers.manage(this.number, nexus, management, this.#set.nexuses(null));
    if (result.abort !== 0n) this.#abortNexuses(result.abort, nexus, null);
    return result.response;
  }

  /** A reset of the whole: RESET_HARD, or power off and on. All tasks end without an answer. */
  reset(powerCycle: boolean): void {
    this.abort(() => true);
    if (powerCycle) this.#servers.powerOn(this.number);
    else this.#servers.reset(this.number, L.RESET_HARD);
  }

  /** True while the nexus has a task here. */
  hasTasks(nexus: number): boolean {
    return this.#set.matching((task) => task.nexus === nexus).length > 0;
  }

  #forget(which: (task: Task) => boolean): void {
    for (const task of this.#set.matching((each) => each.state === 'queued' && which(each))) {
      this.#set.remove(task);
    }
    this.#start(); // what they held back
  }

  /**
   * The initiator stops all DMA. What waits is forgotten; a write that is being served has its data in the disk's
   * buffer by now, and lands.
   */
  abandon(initiator: Task['initiator']): void {
    this.#forget((task) => task.initiator === initiator);
    for (const task of this.#short.values()) if (task.initiator === initiator) task.orphan = true;
    const task = this.#serving;
    if (task === null || task.initiator !== initiator || task.orphan) return;
    task.orphan = true;
    hold(task);
  }

  /** The initiator gives up on this task alone. */
  abandonTask(task: Task): void {
    this.#forget((other) => other === task);
    if (this.#serving === task) hold(task);
  }
}

/** The data of a write that is being served is in the disk's buffer: what happens to memory now does not touch it. */
function hold(task: Task): void {
  if (!TAKE_DATA.has(task.action)) return;
  const held = new Uint8Array(task.moved);
  gather(task, 0, held, 0, task.moved);
  task.memory = held;
  task.list = [0, task.moved];
}
