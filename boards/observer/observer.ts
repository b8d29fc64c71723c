/**
 * The observer sees all: firmware's events, commands at the disks, memory, media and clients. It feeds the digest and
 * checks the invariants, and never changes anything.
 */
import * as L from '../../asm/layout.ts';
import * as F from '../../firmware/layout.ts';
import type { BoardWatcher, Controller } from '../controller.ts';
import type { Client, ClientWatcher } from '../clients/client.ts';
import type { Network } from '../clients/network.ts';
import type { Clock } from '../clock.ts';
import { readHeaders } from '../core/records.ts';
import type { Scenario } from '../scenario.ts';
import type { DiskWatcher } from '../shelf/disk.ts';

import type { Medium } from '../shelf/medium.ts';
import { type Shelf, SYSTEM_IDS } from '../shelf/shelf.ts';
import type { Task } from '../shelf/task.ts';
import { type DumpReport, FrozenMemory } from './dump-check.ts';
import { eventName } from './events.ts';
import { Invariants } from './invariants.ts';
import { Trace, type TraceEvent } from './trace.ts';

/** Console lines kept for a board. */
const LINES_MAX = 5_000;

export interface CheckedDump {
  at: number; // ns, when it was over
  board: 0 | 1;
  disk: number;
  report: DumpReport;
  memory: FrozenMemory;
}

export class Observer implements BoardWatcher, DiskWatcher, ClientWatcher {
  readonly trace = new Trace();
  readonly invariants: Invariants;
  /** Console output of both boards, as lines. */
  readonly lines: { board: 0 | 1; text: string }[] = [];
  /** Time, ns, of each board's failure in its present life: the fault itself, not what was made of it. */
  readonly failedAt: [number | null, number | null] = [null, null];
  /** First answer to a client of each volume after the first failure, by the partner: time, ns. */
  readonly servedAfter = new Map<number, number>();
  firstFailure: { board: 0 | 1; at: number } | null = null;
  /** Attached boards whose line or whose own life ended. */
  readonly losses: { board: 0 | 1; at: number; why: string }[] = [];
  /** Times, ns, at which the scenario made something go wrong. */
  readonly faults: number[] = [];
  /** Every dump that was checked, with memory as it was. */
  readonly dumps: CheckedDump[] = [];
  /** Place and message of the first panic, from the record in memory. */
  record: { place: string | null; text: string | null } | null = null;
  get dump(): CheckedDump | null {
    return this.dumps.at(-1) ?? null;
  }

  onEvent: (name: string, event: TraceEvent) => void = () => {};
  #scenario: Scenario;
  #clock: Clock;
  #frozen: [FrozenMemory | null, FrozenMemory | null] = [null, null];
  #boards: readonly Controller[] = [];
  #shelf: Shelf | null = null;

  constructor(scenario: Scenario, clock: Clock) {
    this.#scenario = scenario;
    this.#clock = clock;
    const watched = scenario.disks.map(({ name, role, owner }) => ({
      name,
      role,
      owner: owner === null ? null : owner === 'a' ? (0 as const) : (1 as const),
    }));
    this.invariants = new Invariants(watched, () => clock.now);
  }

  watch(boards: readonly Controller[], shelf: Shelf, network: Network): void {
    this.#boards = boards;
    this.#shelf = shelf;
    network.onAnswer = (board, volume, status) => {
      if (status === 0) this.invariants.answered(board as 0 | 1, volume);
    };
  }

  // ------------------------------------------------------------------------------------------------------- boards

  event(board: 0 | 1, code: number, a: number, b: number, c: number): void {
    const told = this.trace.event(this.#clock.now, board, code, a, b, c);
    switch (code) {
      case F.EV_SERVE:
        this.invariants.serves(board, a, true);
        break;
      case F.EV_UNSERVE:
        this.invariants.serves(board, a, false);
        break;
      case F.EV_BOOT:
        this.failedAt[board] = null;
        break;
      case F.EV_PANIC:
        this.failed(board);
        break;
      case F.EV_FROZEN:
        this.#frozen[board] = null; // if memory cannot be had now, there is nothing to compare with
        this.#frozen[board] = new FrozenMemory(
          this.#boards[board]!.ram()!,
          this.#shelf!.servers,
          this.#boards[board]!.ecc.pages,
        );
        this.record ??= recordOf(this.#boards[board]!.ram()!);
        break;
      case F.EV_DUMP_ERROR:
        this.invariants.dumpDropped(a);
        break;
      case F.EV_DUMP_END:
        if (b === L.ATTRIBUTE_COMPLETED || b === L.ATTRIBUTE_ABORTED) this.#checkDump(board, a, true);
        break;
      case F.EV_TAKEN:
        if (b !== F.REASON_INACTIVE) this.#checkUntold((board ^ 1) as 0 | 1, a);
        break;
    }
    this.onEvent(eventName(code), told);
  }

  /** The board stops doing what it is for: a panic, a hang, a power loss. */
  failed(board: 0 | 1): void {
    this.invariants.silent(board);
    this.failedAt[board] ??= this.#clock.now;
    this.firstFailure ??= { board, at: this.#clock.now };
  }

  console(board: 0 | 1, text: string): void {
    for (const line of text.split('\n')) {
      if (line !== '' && this.lines.length < LINES_MAX) this.lines.push({ board, text: line });
    }
  }

  power(board: 0 | 1, on: boolean): void {
    this.trace.mix(this.#clock.now, board, on ? 1 : 0, 0x70);
    if (on) this.failedAt[board] = null;
    else this.failed(board);
  }

  lost(board: 0 | 1, why: string): void {
    this.losses.push({ board, at: this.#clock.now, why });
  }

  // -------------------------------------------------------------------------------------------------------- disks

  wrote(disk: number, nexus: number, lba: number, blocks: number): void {
    this.invariants.wrote(disk, nexus);
    if (lba < L.COREDUMP_LBA + 2 * L.COPY_BLOCKS && lba + blocks > L.COREDUMP_LBA) this.#headerChanged(disk);
  }

  ended(disk: number, task: Task): void {
    this.trace.mix(
      this.#clock.now,
      (disk << 16) | (task.nexus << 8) | task.cdb[0]!,
      task.lba | 0,
      (task.status << 24) | (task.blocks & 0xffffff),
    );
  }

  reserved(disk: number, task: Task): void {
    if (task.status !== 0) return;
    const held = this.#shelf!.servers.holderKey(disk) !== 0n;
    this.invariants.reserved(disk, task.nexus, task.cdb[1]! & 0x1f, held);
  }

  /** Looks at the medium itself, not at what was written: a torn write is a torn header. */
  #headerChanged(disk: number): void {
    const { newest } = readHeaders(reader(this.#shelf!.disks[disk]!.medium), L.COREDUMP_LBA);
    if (newest === null) return this.invariants.header(disk, 0, null, Infinity);
    const of = SYSTEM_IDS.indexOf(newest.system);
    const board = of < 0 ? null : (of as 0 | 1);
    const failedAt = board === null ? null : this.failedAt[board];
    const limitAt = failedAt === null ? -Infinity : failedAt + this.#scenario.boards.dumpLimitMs * 1e6;
    this.invariants.header(disk, newest.attribute, board, limitAt);
  }

  /** The board cannot tell that its dump is over: it has died, perhaps right after the last write of it. */
  #checkUntold(board: 0 | 1, disk: number): void {
    const isTold = this.dumps.some((each) => each.disk === disk && each.memory === this.#frozen[board]);
    if (!isTold) this.#checkDump(board, disk, false);
  }

  #checkDump(board: 0 | 1, disk: number, ramIsThere: boolean): void {
    const frozen = this.#frozen[board];
    const target = this.#shelf!.disks[disk];
    if (frozen === null || target === undefined) return;
    const ram = ramIsThere ? this.#boards[board]!.ram() : null;
    if (ram !== null) {
      const changed = frozen.changed(ram);
      this.invariants.check(
        4,
        changed.length === 0,
        () => `the panic handler changed memory: chunks ${changed.slice(0, 8).join(' ')}`,
      );
    }
    const report = frozen.compare(target.medium, ram);
    if (report === null) return;
    this.#checkScrubbed(target.medium, ram);
    this.dumps.push({ at: this.#clock.now, board, disk, report, memory: frozen });
    const name = target.config.name;
    this.invariants.check(
      4,
      report.wrong.length === 0,
      () => `${name}: chunks not as they were: ${report.wrong.slice(0, 8).join(' ')}`,
    );
    const whole = report.attribute !== L.ATTRIBUTE_COMPLETED || (report.lost === 0 && report.missing === 0);
    this.invariants.check(
      4,
      whole,
      () => `${name}: says completed, ${report.lost} chunks lost, ${report.missing} missing`,
    );
  }

  /** What the header says was cleared is zero in memory. */
  #checkScrubbed(medium: Medium, ram: Uint8Array | null): void {
    if (ram === null) return;
    const { newest } = readHeaders(reader(medium), L.COREDUMP_LBA);
    for (const { address, bytes } of newest?.scrubbed ?? []) {
      const isZero = ram.subarray(address, address + bytes).every((byte) => byte === 0);
      this.invariants.check(4, isZero, () => `a secret at 0x${address.toString(16)} was not cleared`);
    }
  }

  // ------------------------------------------------------------------------------------------------------ clients

  served(client: Client, board: number): void {
    this.invariants.check(5, true, () => '');
    const { volume } = client.options;
    if (this.firstFailure === null || board === this.firstFailure.board || this.servedAfter.has(volume))
      return;
    const home = this.#scenario.disks.find((disk) => disk.volume === volume)?.owner;
    if (home !== 'ab'[this.firstFailure.board]) return;
    this.servedAfter.set(volume, this.#clock.now);
  }

  wrongRead(client: Client, slot: number): void {
    this.invariants.check(
      5,
      false,
      () =>
        `a read of volume ${client.options.volume}, slot ${slot}, returned what was never written, or is gone`,
    );
  }

  timedOut(): void {}
}

function recordOf(ram: Uint8Array): { place: string | null; text: string | null } {
  const view = new DataView(ram.buffer);
  const text = (at: number, room: number): string | null => {
    const part = Buffer.from(ram.subarray(at, at + room));
    const end = part.indexOf(0);
    return end === 0 ? null : part.toString('latin1', 0, end < 0 ? room : end);
  };
  const place = text(F.RECORD_AT + F.RECORD_PLACE_AT, F.RECORD_PLACE_BYTES);
  const line = view.getUint32(F.RECORD_AT + F.RECORD_LINE_AT, true);
  const column = view.getUint32(F.RECORD_AT + F.RECORD_COLUMN_AT, true);
  return {
    place: place !== null && line > 0 ? `${place}:${line}:${column}` : place,
    text: text(F.RECORD_AT + F.RECORD_TEXT_AT, F.RECORD_TEXT_BYTES),
  };
}

export function reader(medium: Medium): (at: number, bytes: number) => Uint8Array {
  return (at, bytes) => {
    const into = new Uint8Array(Math.max(0, Math.min(bytes, medium.bytes - at)));
    medium.read(at, into, 0, into.length);
    return into;
  };
}
