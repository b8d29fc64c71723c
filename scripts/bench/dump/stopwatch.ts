// Time of a piece of work on a machine that others use, too: the host's clock, and CPU time by thread.
import { readFileSync, readdirSync } from 'node:fs';
import { cpuMicroseconds, hostNanoseconds } from '../../host-clock.ts';
import type { Timed } from './timed.ts';

/** Seconds on a CPU of the thread that asks; null where the kernel does not tell. */
function threadSeconds(): number | null {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ', 1)[0]) / 1e9;
  } catch {
    return null;
  }
}

/** Seconds on a CPU of all threads of another process; null when it is gone. */
export function processSeconds(pid: number): number | null {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce(
      (sum, id) =>
        sum + Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'latin1').split(' ', 1)[0]) / 1e9,
      0,
    );
  } catch {
    return null;
  }
}

/** Starts now; the function that it returns stops. `own`: of this thread alone. */
export function stopwatch(): () => Timed & { own: number } {
  const cpu = cpuMicroseconds();
  const thread = threadSeconds(); // the kernel's account of it is as of the last call that asked for the process's
  const wall = hostNanoseconds();
  return () => {
    const elapsed = Number(hostNanoseconds() - wall) / 1e9;
    const all = (cpuMicroseconds() - cpu) / 1e6;
    const now = threadSeconds();
    const own = thread === null || now === null ? all : now - thread;
    return { wall: elapsed, cpu: all, busy: Math.max(own, all - own), own, count: 0 };
  };
}
