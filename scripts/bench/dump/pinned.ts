// One CPU for what is measured and for its reference: two of a shared machine may differ by a third.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** CPUs that this thread may run on, as the kernel writes them: "0-3,6". */
function allowed(): string | null {
  try {
    return (
      /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/thread-self/status', 'latin1'))?.[1] ?? null
    );
  } catch {
    return null;
  }
}

/** False where that cannot be done: no taskset, no Linux. */
const pin = (cpus: string): boolean =>
  spawnSync('taskset', ['-cp', cpus, String(process.pid)], { stdio: 'ignore' }).status === 0;

/**
 * Does `work` with this thread, and the processes that it starts, on the last CPU that it may use; threads that are
 * there already stay where they like.
 */
export async function pinned<T>(work: () => T | Promise<T>): Promise<T> {
  const before = allowed();
  const last = before === null ? null : /(\d+)$/.exec(before)![1]!;
  const isPinned = last !== null && pin(last);
  try {
    return await work();
  } finally {
    if (isPinned) pin(before!);
  }
}
