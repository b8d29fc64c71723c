/**
 * Work on the medium that goes on behind the answer: SYNCHRONIZE CACHE, PRE-FETCH and a stop, with IMMED. The command
 * is over, so nobody can abort what it left, and nobody is told of it. A second one of a kind is part of the first that
 * waits: an initiator may send any number of them.
 *
 * [SBC-3] 5.7 PRE-FETCH, 5.26 and 5.27 SYNCHRONIZE CACHE, 5.25 START STOP UNIT: IMMED
 */
import { ACTION_NONE, ACTION_SYNC } from '../../asm/layout.ts';
import type { Initiator, Task } from './task.ts';

const PRE_FETCH_10 = 0x34;
const SYNCHRONIZE_CACHE_10 = 0x35;
const PRE_FETCH_16 = 0x90;
const SYNCHRONIZE_CACHE_16 = 0x91;
const IMMED = 0x02;

const NOBODY: Initiator = { completed: () => {}, lost: () => {} };
const NO_TASK: Omit<Task, 'nexus' | 'disk' | 'action' | 'lba' | 'blocks' | 'flags'> = {
  cdb: new Uint8Array(16),
  memory: new Uint8Array(0),
  list: [0, 0],
  bytes: 0,
  tag: 0,
  initiator: NOBODY,
  orphan: true,
  state: 'serving',
  extents: [],
  moved: 0,
  status: 0,
  residual: 0,
  sense: null,
  reply: null,
};

/** A command for the medium that need not wait until the medium is free. */
export function answersAtOnce(cdb: Uint8Array): boolean {
  switch (cdb[0]!) {
    case PRE_FETCH_10:
    case PRE_FETCH_16:
    case SYNCHRONIZE_CACHE_10:
    case SYNCHRONIZE_CACHE_16:
      return (cdb[1]! & IMMED) !== 0;
    default:
      return false;
  }
}

export class Behind {
  #flush: Task | null = null;
  #fetch: Task | null = null;

  /** Takes over the action of a task, which has none from now on. */
  add(task: Task): void {
    const { nexus, disk, action, lba, blocks, flags } = task;
    const work: Task = {
      ...NO_TASK,
      nexus,
      disk,
      action,
      lba,
      blocks,
      flags,
    };
    if (action === ACTION_SYNC) this.#flush ??= work;
    else this.#fetch ??= work;
    task.action = ACTION_NONE;
  }

  /** What comes next, a flush before all; null: nothing. */
  take(): Task | null {
    const work = this.#flush ?? this.#fetch;
    if (work === this.#flush) this.#flush = null;
    else this.#fetch = null;
    return work;
  }
}

/** True for what `take` gave. */
export const isBehind = (task: Task): boolean => task.initiator === NOBODY;
