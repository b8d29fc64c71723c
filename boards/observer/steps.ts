/** Events in words, for people. */
import * as L from '../../asm/layout.ts';
import * as F from '../../firmware/layout.ts';
import type { TakeReason } from '../result.ts';
import type { Scenario } from '../scenario.ts';
import type { TraceEvent } from './trace.ts';

export const PANIC_REASONS: Readonly<Record<number, string>> = {
  [L.PANIC_TRAP]: 'trap',
  [L.PANIC_ASSERT]: 'assert',
  [L.PANIC_WATCHDOG]: 'watchdog',
  [L.PANIC_MEMORY]: 'memory error',
  [L.PANIC_OPERATOR]: 'operator NMI',
};

export const ABORT_CAUSES: Readonly<Record<number, string>> = {
  [L.ABORT_LIMIT]: 'time limit',
  [L.ABORT_MEDIUM]: 'write errors',
  [L.ABORT_NO_ROOM]: 'no room',
  [L.ABORT_PARTNER]: 'stopped by the partner',
  [L.ABORT_FENCED]: 'the disk was taken',
};

export const TAKE_REASONS: Readonly<Record<number, TakeReason>> = {
  [F.REASON_INACTIVE]: 'inactive',
  [F.REASON_COMPLETED]: 'completed',
  [F.REASON_ABORTED]: 'aborted',
  [F.REASON_LIMIT]: 'limit',
};

const SAVE_CAUSES: Readonly<Record<number, string>> = {
  [F.SAVE_BUSY]: 'no free command',
  [F.SAVE_DISK]: 'a disk failed',
  [F.SAVE_DUMP]: 'nothing there that could be saved',
  [F.SAVE_VOLUME]: 'the root disk holds no volume of ours',
  [F.SAVE_ROOM]: 'no room in the root file system',
  [F.SAVE_BACK]: 'what was read back is not what was written',
  [F.SAVE_OFTEN]: 'every try failed',
};

const STOPS: Readonly<Record<number, (disk: string) => string>> = {
  1: (disk) => `asks the partner to stop its dump to ${disk}`,
  2: (disk) => `stops its dump to ${disk}, as asked`,
  3: (disk) => `no answer to the request to stop the dump to ${disk}`,
};

const SEEN: Readonly<Record<number, string>> = {
  1: 'its panic message',
  2: 'loss of its heartbeats',
  3: 'its mailbox slot',
};

/** One line for an event that a person wants to see, null for the others. */
export function stepText(scenario: Scenario, { code, a, b, c }: TraceEvent): string | null {
  const disk = (): string => scenario.disks[a]?.name ?? `disk ${a}`;
  switch (code) {
    case F.EV_BOOT:
      return `boots, epoch ${a}`;
    case F.EV_READY:
      return `ready, serves ${a} volumes`;
    case F.EV_ELECTED:
      return `${disk()} elected as coredump disk`;
    case F.EV_NO_SPARE:
      return 'has no disk for a coredump';
    case F.EV_PANIC:
      return `PANIC: ${PANIC_REASONS[a] ?? a}; interrupts off`;
    case F.EV_DUMP_BEGIN:
      return `${disk()} marked as dumping; memory is being written`;
    case F.EV_DUMP_NONE:
      return 'no dump';
    case F.EV_DUMP_ERROR:
      return `${disk()} fails; the dump goes to the next disk`;
    case F.EV_DUMP_END:
      return b === L.ATTRIBUTE_COMPLETED ? `dump on ${disk()} completed` : `dump on ${disk()} ended`;
    case F.EV_LOST:
      return `sees the partner's failure by ${SEEN[a] ?? a}`;
    case F.EV_ARBITRATED:
      return a === 1 ? 'won the mailbox disk (arbiter)' : 'lost the mailbox disk (arbiter)';
    case F.EV_TAKEN:
      return `took ${disk()} (${TAKE_REASONS[b] ?? b})`;
    case F.EV_TAKE_FAILED:
      return `could not take ${disk()}`;
    case F.EV_LEFT_OUT:
      return c === L.CHUNK_POISONED
        ? `chunk ${a} is left out of the dump: its memory is poisoned`
        : `chunk ${a} goes to the dump without its poisoned pages`;
    case F.EV_STOP:
      return STOPS[b]?.(disk()) ?? null;
    case F.EV_SAVE_REPAIR:
      return c === 1
        ? 'savecore makes a core anew that was not marked as saved'
        : 'savecore frees what a cut try took';
    case F.EV_LENT:
      return `${disk()} lent for the dump`;
    case F.EV_SERVICE:
      return "serves all of the partner's volumes";
    case F.EV_POLICY_WAIT:
      return 'waits for the dump before it takes the disks (sequential policy)';
    case F.EV_TAKEOVER_END:
      return 'takeover done';
    case F.EV_TAKEOVER_CANCELLED:
      return 'takeover cancelled: the partner is back';
    case F.EV_SAVE_BEGIN:
      return 'savecore begins';
    case F.EV_SAVE_END:
      return a === 1 ? 'core file written' : `no core file: ${SAVE_CAUSES[b] ?? 'not known why'}`;
    case F.EV_WAITING:
      return 'waits for giveback';
    case F.EV_GIVEBACK_BEGIN:
      return 'giveback begins';
    case F.EV_RETURNED:
      return `${disk()} is back`;
    case F.EV_GIVEBACK_END:
      return 'giveback done';
    case F.EV_FENCED:
      return `fenced: ${disk()} is no longer its own`;
    case F.EV_STALE:
      return `${disk()} had a stale reservation, preempted`;
    case F.EV_PATH:
      return `${disk()} used on path ${b}`;
    case F.EV_HALT:
      return a === 1 ? 'reboots' : 'halts';
    default:
      return null;
  }
}
