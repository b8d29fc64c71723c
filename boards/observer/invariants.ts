/**
 * What must always hold, checked in every run by an observer that sees everything and trusts nobody: it looks at the
 * commands at the disks, at the headers as they land on the media, at board RAM, and at the clients.
 */
import * as L from '../../asm/layout.ts';
import { boardOf } from '../shelf/fabric.ts';
import type { DiskRole } from '../scenario.ts';

export const INVARIANTS: readonly string[] = [
  'after the partner preempted a disk, no write of the other board lands on it',
  'the coredump disk is neither written nor preempted by the partner while it is dumping within the limit',
  'at most one disk of a board says dumping, and it holds no file service data',
  'a completed dump reads back bit for bit as the memory was; in any other every chunk present is exact',
  'no acknowledged write is lost or rolled back; no read returns what was never written',
  'never do two boards serve one volume at the same time',
  'once faults stop, service is up within its bound, every disk has one owner, no attribute says dumping, a completed dump is a core file',
];

export interface WatchedDisk {
  name: string;
  role: DiskRole;
  owner: 0 | 1 | null;
}

const VIOLATIONS_MAX = 100;

interface DiskState {
  /** Board that preempted or reserved it last; others may not write until it lets go. */
  heldBy: 0 | 1 | null;
  /** Board whose dump the header on the medium says is under way. */
  dumpingOf: 0 | 1 | null;
  /** Time, ns, when that dump's limit is over. */
  limitAt: number;
}

export class Invariants {
  readonly checks = INVARIANTS.map(() => 0);
  readonly violations: string[] = [];
  #disks: readonly WatchedDisk[];
  #states: DiskState[];
  #serving = new Map<number, 0 | 1>();
  #now: () => number;

  constructor(disks: readonly WatchedDisk[], now: () => number) {
    this.#disks = disks;
    this.#now = now;
    this.#states = disks.map(() => ({ heldBy: null, dumpingOf: null, limitAt: Infinity }));
  }

  /** Counts a check of invariant `number` (1 to 7), and notes it when it fails. */
  check(number: number, holds: boolean, what: () => string): void {
    this.checks[number - 1]!++;
    if (holds || this.violations.length >= VIOLATIONS_MAX) return;
    this.violations.push(`${number}: at ${(this.#now() / 1e9).toFixed(6)} s: ${what()}`);
  }

  /** A write of `nexus` lands. */
  wrote(disk: number, nexus: number): void {
    const board = boardOf(nexus) as 0 | 1;
    const state = this.#states[disk]!;
    const { name, role } = this.#disks[disk]!;
    if (role === 'mailbox' || board > 1) return;
    this.check(
      1,
      state.heldBy === null || state.heldBy === board,
      () => `board ${'ab'[board]} wrote to ${name}, held by ${'ab'[state.heldBy!]}`,
    );
    this.#dumpUntouched(disk, board, 'wrote to');
  }

  /** A PERSISTENT RESERVE OUT ended well; `action` is its service action, `held`: the disk is reserved after it. */
  reserved(disk: number, nexus: number, action: number, held: boolean): void {
    const board = boardOf(nexus) as 0 | 1;
    const state = this.#states[disk]!;
    if (this.#disks[disk]!.role === 'mailbox' || board > 1) return;
    if (action === 1) state.heldBy = board;
    else if (action === 4 || action === 5) {
      this.#dumpUntouched(disk, board, 'preempted');
      state.heldBy = board;
    } else if (action === 2 || action === 3) {
      if (!held) state.heldBy = null;
    }
  }

  #dumpUntouched(disk: number, board: 0 | 1, what: string): void {
    const { dumpingOf, limitAt } = this.#states[disk]!;
    const untouched = dumpingOf === null || dumpingOf === board || this.#now() >= limitAt;
    this.check(
      2,
      untouched,
      () => `board ${'ab'[board]} ${what} ${this.#disks[disk]!.name}, where ${'ab'[dumpingOf!]} dumps`,
    );
  }

  /** The header on the medium of `disk` changed: `attribute` of board `of`, whose limit is over at `limitAt` ns. */
  header(disk: number, attribute: number, of: 0 | 1 | null, limitAt: number): void {
    const state = this.#states[disk]!;
    state.dumpingOf = attribute === L.ATTRIBUTE_DUMPING ? of : null;
    state.limitAt = limitAt;
    if (state.dumpingOf === null) return;
    const { name, role } = this.#disks[disk]!;
    this.check(3, role === 'spare' || role === 'dump', () => `${name} says dumping and is a ${role} disk`);
    const others = this.#states.filter((other, d) => d !== disk && other.dumpingOf === of).length;
    this.check(3, others === 0, () => `${others + 1} disks of board ${'ab'[of!]} say dumping`);
  }

  /** The board gave the disk up for its dump: it announced another, or none. */
  dumpDropped(disk: number): void {
    this.#states[disk]!.dumpingOf = null;
  }

  get dumping(): number[] {
    return this.#states.flatMap((state, disk) => (state.dumpingOf === null ? [] : [disk]));
  }

  heldBy(disk: number): 0 | 1 | null {
    return this.#states[disk]!.heldBy;
  }

  serves(board: 0 | 1, volume: number, on: boolean): void {
    const now = this.#serving.get(volume);
    if (on) {
      this.check(
        6,
        now === undefined || now === board,
        () => `board ${'ab'[board]} serves volume ${volume} that ${'ab'[now!]} serves`,
      );
      this.#serving.set(volume, board);
    } else if (now === board) this.#serving.delete(volume);
  }

  /** The board is dead: panicked, halted, off, or in reset. */
  silent(board: 0 | 1): void {
    for (const [volume, by] of this.#serving) if (by === board) this.#serving.delete(volume);
  }

  /** An answer left a board. */
  answered(board: 0 | 1, volume: number): void {
    const by = this.#serving.get(volume);
    this.check(
      6,
      by === board,
      () =>
        `board ${'ab'[board]} answered for volume ${volume}, served by ${by === undefined ? 'nobody' : 'ab'[by]}`,
    );
  }

  servedVolumes(): number {
    return this.#serving.size;
  }
}
