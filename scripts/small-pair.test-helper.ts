/** The smallest pair that dumps and saves, for tests: two boards of 16 MiB and six disks. YAML reads JSON. */
import { writeFileSync } from 'node:fs';

export const SMALL_PAIR = {
  title: 'of a test',
  boards: { memory_mib: 16, post_ms: 50, giveback_ms: 'never' },
  disks: [
    { role: 'mailbox' },
    { role: 'root', owner: 'a' },
    { role: 'data', owner: 'a', size_mib: 64 },
    { role: 'spare', owner: 'a' },
    { role: 'root', owner: 'b' },
    { role: 'data', owner: 'b', size_mib: 64 },
  ],
} as const;

/** A scenario in which what panics stays down. */
export function writeSmallPair(path: string, endS: number, events: readonly object[] = []): void {
  const boards = { ...SMALL_PAIR.boards, reboot_after_panic: false };
  const scenario = { ...SMALL_PAIR, end_s: endS, boards, workload: { working_set_mib: 1 }, events };
  writeFileSync(path, JSON.stringify(scenario));
}
