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
import type { Medium } from './medium.ts';
import type { DeviceServers } from './server.ts';
import { type Task, gather, scatter, walk } from './task.ts';

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

/** Operation codes that wait for the medium: READ, WRITE, VERIFY, SYNCHRONIZE CACHE and their like. */
const MEDIUM_OPCODES = new Set([
  0x08, 0x0a, 0x28, 0x2a, 0x2e, 0x2f, 0x34, 0x35, 0x41, 0x42, 0x88, 0x89, 0x8a, 0x8b, 0x8e, 0x8f, 0x90, 0x91,
  0x93, 0xa8, 0xaa, 0xae, 0xaf,
]);

export class Disk {
  readonly number: number;
  readonly config: DiskConfig;
  readonly medium: Medium;
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
  #queue: Task[] = [];
  #serving: Task | null = null;
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
  ) {
    this.number = number;
    this.config = config;
    this.medium = medium;
    this.#servers = servers;
    this.#clock = clock;
    this.#watcher = watcher;
    this.#component = clock.register((_kind, a) => this.#end(a));
  }

  get busy(): boolean {
    return this.#serving !== null;
  }

  /** A command arrives at one of the ports. */
  submit(task: Task): void {
    if (this.dead) return task.initiator.lost(task);
    if (!MEDIUM_OPCODES.has(task.cdb[0]!)) return this.#execute(task);
    this.#queue.push(task);
    this.#serveNext();
  }

  #serveNext(): void {
    while (this.#serving === null) {
      const task = this.#queue.shift();
      if (task === undefined) return;
      this.#execute(task);
    }
  }

  #execute(task: Task): void {
    const parameters = this.#parameters(task);
    const result = this.#servers.execute(this.number, task.nexus, task.cdb, parameters, task.bytes);
    task.action = result.action;
    task.lba = result.lba;
    task.blocks = result.blocks;
    task.moved = result.moved;
    task.status = result.status;
    // Of the initiator's buffer: what the command had more to move does not count.
    task.residual = task.bytes - result.moved;
    task.sense = result.sense;
    task.state = 'serving';
    if (result.action === L.ACTION_NONE && result.status === 0 && result.moved > 0 && parameters === null) {
      task.reply = this.#servers.parameterData(result.moved);
    }
    if (result.abort !== 0n)
      this.abort((other) => other !== task && ((result.abort >> BigInt(other.nexus)) & 1n) === 1n);
    if (result.nvChanged) this.keepReservations(this.#servers.nonVolatile(this.number));
    if (task.cdb[0] === 0x5f) this.#watcher.reserved(this.number, task, parameters ?? new Uint8Array(24));
    const id = ++this.#next;
    if (result.action === L.ACTION_NONE) {
      this.#short.set(id, task);
      const isReserve = task.cdb[0] === 0x5f && result.status === 0;
      this.#clock.after((isReserve ? this.config.reserveUs : SHORT_US) * US, this.#component, END, id);
      return;
    }
    this.#serving = task;
    this.#servingId = id;
    this.#clock.after(this.#duration(task), this.#component, END, id);
  }
  #servingId = 0;

  /** The parameter list of a command that sends one; null for medium data, which is moved at the end. */
  #parameters(task: Task): Uint8Array | null {
    const sendsParameters =
      task.cdb[0] === 0x5f || task.cdb[0] === 0x15 || task.cdb[0] === 0x55 || task.cdb[0] === 0x1d;
    if (!sendsParameters) return null;
    const list = new Uint8Array(Math.min(task.bytes, 65536));
    gather(task, 0, list, 0, list.length);
    return list;
  }

  #duration(task: Task): number {
    const bytes = task.action === L.ACTION_SYNC ? 0 : task.blocks * L.SECTOR_BYTES;
    const access = task.lba === this.#head ? SEQUENTIAL_US : this.config.accessUs;
    this.#head = task.lba + task.blocks;
    const us = access + Math.ceil(bytes / this.config.rateMbS);
    return us * US * this.slowness;
  }

  #end(id: number): void {
    const short = this.#short.get(id);
    if (short !== undefined) {
      this.#short.delete(id);
      return this.#answer(short);
    }
    const task = this.#serving;
    if (task === null || id !== this.#servingId) return; // aborted meanwhile
    this.#serving = null;
    this.#access(task);
    this.#answer(task);
    this.#serveNext();
  }

  #access(task: Task): void {
    const offset = task.lba * L.SECTOR_BYTES;
    switch (task.action) {
      case L.ACTION_READ:
        if (task.orphan) return;
        walk(task, 0, task.moved, (address, done, part) => {
          this.medium.read(offset + done, task.memory, address, part);
        });
        return;
      case L.ACTION_WRITE:
        if (this.writesFail) return this.#fail(task, L.MEDIUM_WRITE_ERROR);
        walk(task, 0, task.moved, (address, done, part) => {
          this.medium.write(offset + done, task.memory, address, part);
        });
        this.#watcher.wrote(this.number, task.nexus, task.lba, task.blocks);
        return;
      case L.ACTION_SYNC:
        this.medium.flush();
        return;
      case L.ACTION_VERIFY:
        return;
      default:
        this.#fail(task, L.MEDIUM_HARDWARE); // an action this disk does not know
    }
  }

  #fail(task: Task, kind: number): void {
    const result = this.#servers.mediumError(this.number, task.nexus, kind, task.lba);
    task.status = result.status;
    task.sense = result.sense;
    task.residual = task.bytes;
  }

  #answer(task: Task): void {
    task.state = 'over';
    if (this.dead) return task.initiator.lost(task);
    if (task.reply !== null && !task.orphan) scatter(task, 0, task.reply, 0, task.reply.length);
    this.#watcher.ended(this.number, task);
    if (!task.orphan) task.initiator.completed(task);
  }

  /** Ends tasks without an answer; the one being served, too, and then nothing of it lands. */
  abort(which: (task: Task) => boolean): void {
    const lost = (task: Task): boolean => {
      if (!which(task)) return false;
      task.state = 'over';
      if (!task.orphan) task.initiator.lost(task);
      return true;
    };
    this.#queue = this.#queue.filter((task) => !lost(task));
    for (const [id, task] of this.#short) if (lost(task)) this.#short.delete(id);
    if (this.#serving !== null && lost(this.#serving)) {
      this.#serving = null;
      this.#servingId = 0;
      this.#serveNext();
    }
  }

  /**
   * The initiator stops all DMA. What waits is forgotten; a write that is being served has its data in the disk's
   * buffer by now, and lands.
   */
  abandon(initiator: Task['initiator']): void {
    this.#queue = this.#queue.filter((task) => task.initiator !== initiator);
    for (const task of this.#short.values()) if (task.initiator === initiator) task.orphan = true;
    const task = this.#serving;
    if (task === null || task.initiator !== initiator || task.orphan) return;
    task.orphan = true;
    hold(task);
  }

  /** The initiator gives up on this task alone. */
  abandonTask(task: Task): void {
    this.#queue = this.#queue.filter((other) => other !== task);
    if (this.#serving === task) hold(task);
  }
}

/** The data of a write that is being served is in the disk's buffer: what happens to memory now does not touch it. */
function hold(task: Task): void {
  if (task.action !== L.ACTION_WRITE) return;
  const held = new Uint8Array(task.moved);
  gather(task, 0, held, 0, task.moved);
  task.memory = held;
  task.list = [0, task.moved];
}
