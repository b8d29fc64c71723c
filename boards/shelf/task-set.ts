/**
 * The task set of a logical unit: tasks of all I_T nexuses in order of arrival, from the moment they came until they are
 * over, with those that still wait for data from their initiator.
 *
 * [SAM-5] 8.5 task attributes, 5.3.1 BUSY and TASK SET FULL; TST is 000b: one set for all nexuses
 */
import type { Task } from './task.ts';

export const SIMPLE = 0;
export const HEAD_OF_QUEUE = 1;
export const ORDERED = 2;
export const ACA = 4;

export const STATUS_BUSY = 0x08;
export const STATUS_TASK_SET_FULL = 0x28;
export const STATUS_TASK_ABORTED = 0x40;

/** Tasks that a disk holds at once, and of them those of one nexus. */
export const TASKS_MAX = 512;
export const TASKS_A_NEXUS = 256;

const isBarrier = (task: Task): boolean => task.attribute !== undefined && task.attribute !== SIMPLE;

/** Nexuses with tasks that wait for data, or behind such a one of their own; and those of them with barriers. */
interface Stuck {
  tasks: Set<number>;
  barriers: Set<number>;
}

function isStuck(task: Task, stuck: Stuck | null): boolean {
  if (task.state !== 'queued') return false;
  if (task.waiting === true) return true;
  if (stuck === null || task.attribute === HEAD_OF_QUEUE) return false;
  return task.attribute === ORDERED ? stuck.tasks.has(task.nexus) : stuck.barriers.has(task.nexus);
}

export class TaskSet {
  #tasks: Task[] = [];
  /** How many of them hold others back. */
  #barriers = 0;

  get size(): number {
    return this.#tasks.length;
  }

  /** A task that came now could start, whatever else is in the set. */
  startsAtOnce(task: Task): boolean {
    if (task.attribute === HEAD_OF_QUEUE) return true;
    return this.#barriers === 0 && (task.attribute !== ORDERED || this.#tasks.length === 0);
  }

  /** The status that a new task of this nexus is refused with; 0: there is room for it. */
  refusal(nexus: number): number {
    if (this.#tasks.length < TASKS_A_NEXUS) return 0;
    const own = this.#tasks.reduce((count, task) => count + (task.nexus === nexus ? 1 : 0), 0);
    if (own < TASKS_A_NEXUS && this.#tasks.length < TASKS_MAX) return 0;
    return own > 0 ? STATUS_TASK_SET_FULL : STATUS_BUSY;
  }

  add(task: Task): void {
    if (isBarrier(task)) this.#barriers++;
    if (task.attribute === HEAD_OF_QUEUE) this.#tasks.unshift(task);
    else this.#tasks.push(task);
  }

  remove(task: Task): void {
    const at = this.#tasks.indexOf(task);
    if (at < 0) return;
    this.#tasks.splice(at, 1);
    if (isBarrier(task)) this.#barriers--;
  }

  has(task: Task): boolean {
    return this.#tasks.includes(task);
  }

  /** All that match, in order; the set may change while they are looked at. */
  matching(which: (task: Task) => boolean): Task[] {
    return this.#tasks.filter(which);
  }

  /**
   * The next task to start: its data is there and nothing older holds it back. `mediumFree`: a command for the medium
   * may start as well. A task that waits for data of its initiator, or behind one of its own that does, holds back
   * nobody else's: an initiator that never sends it would keep the disk from all, a takeover among them.
   */
  next(mediumFree: boolean, needsMedium: (task: Task) => boolean): Task | null {
    let heldBack = false;
    let older = 0;
    let stuck: Stuck | null = null;
    for (const task of this.#tasks) {
      if (isStuck(task, stuck)) {
        stuck ??= { tasks: new Set(), barriers: new Set() };
        stuck.tasks.add(task.nexus);
        if (isBarrier(task)) stuck.barriers.add(task.nexus);
        continue;
      }
      const mayStart =
        task.attribute === HEAD_OF_QUEUE || (!heldBack && (task.attribute !== ORDERED || older === 0));
      if (task.state === 'queued' && mayStart && (mediumFree || !needsMedium(task))) return task;
      if (isBarrier(task)) heldBack = true;
      older++;
    }
    return null;
  }

  /** A bit for each nexus that has tasks here other than `except`. */
  nexuses(except: Task | null): bigint {
    let mask = 0n;
    for (const task of this.#tasks) if (task !== except) mask |= 1n << BigInt(task.nexus);
    return mask;
  }
}
