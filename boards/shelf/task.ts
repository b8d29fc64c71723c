/** A command or task management function on its way from an initiator to a disk and back. */
export interface Task {
  /** Nexus number: initiator board * 2 + port; from FIRST_NEXUS on, an initiator from outside. */
  nexus: number;
  disk: number;
  cdb: Uint8Array;
  /** Memory of the initiator, and where in it the data lies: pairs of address and bytes. */
  memory: Uint8Array;
  list: number[];
  bytes: number;
  /** The initiator's word for it. */
  tag: number;
  initiator: Initiator;
  /** Set when the initiator has gone: no answer, no further data from its memory. */
  orphan: boolean;
  /** The initiator has its answer. */
  posted?: boolean;
  /** Where its initiator keeps the time by which it must end; negative: nowhere. */
  deadline?: number;
  state: 'queued' | 'serving' | 'over';
  /** Task attribute as in [layout] TASK_ATTRIBUTE; without it SIMPLE. */
  attribute?: number;
  /** What the initiator said that it sends and takes, DIRECTION_*; without it, what the command needs. */
  direction?: number;
  /** Its data has not all come yet: in the task set, but not to be executed. */
  waiting?: boolean;
  /** Bytes that the command had to move beyond the initiator's buffer. */
  overflow?: number;
  action: number;
  lba: number;
  blocks: number;
  /** TASK_FLAG_*. */
  flags: number;
  /** Of ACTION_UNMAP: LBA and blocks of each, in turn. Of ACTION_COPY: what copy.ts says. */
  extents: readonly number[];
  moved: number;
  status: number;
  residual: number;
  sense: Uint8Array | null;
  /** Parameter data for the initiator, placed at the end. */
  reply: Uint8Array | null;
}

export const DIRECTION_NONE = 0;
export const DIRECTION_IN = 1;
export const DIRECTION_OUT = 2;
export const DIRECTION_BOTH = 3;

export interface Initiator {
  /** The task has ended with a SCSI status. */
  completed(task: Task): void;
  /** No answer will ever come: the disk or path is gone, or another initiator aborted the task. */
  lost(task: Task): void;
  /** Another one aborted the task, or its own task management did; without this, it is lost. */
  aborted?(task: Task): void;
  /** Data for the initiator is about to be placed: `memory` and `list` must take `moved` bytes now. */
  room?(task: Task): void;
}

export const NO_SENSE = new Uint8Array(0);

/** Copies `bytes` of the task's data out of the initiator's memory, from `skip` on, into `into` at `at`. */
export function gather(task: Task, skip: number, into: Uint8Array, at: number, bytes: number): void {
  walk(task, skip, bytes, (address, done, part) =>
    into.set(task.memory.subarray(address, address + part), at + done),
  );
}

/** Copies into the initiator's memory. */
export function scatter(task: Task, skip: number, from: Uint8Array, at: number, bytes: number): void {
  walk(task, skip, bytes, (address, done, part) =>
    task.memory.set(from.subarray(at + done, at + done + part), address),
  );
}

/** Calls for each piece of the list that lies in [skip, skip + bytes). */
export function walk(
  task: Task,
  skip: number,
  bytes: number,
  piece: (address: number, done: number, part: number) => void,
): void {
  let before = 0;
  let done = 0;
  for (let i = 0; i < task.list.length && done < bytes; i += 2) {
    const address = task.list[i]!;
    const length = task.list[i + 1]!;
    const start = Math.max(0, skip + done - before);
    if (start < length) {
      const part = Math.min(length - start, bytes - done);
      piece(address + start, done, part);
      done += part;
    }
    before += length;
  }
}
