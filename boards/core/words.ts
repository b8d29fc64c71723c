/** The numbers of the layouts in words, for people. */
import * as L from '../../asm/layout.ts';
import * as F from '../../firmware/layout.ts';
import { MISSING_NO_RAM, MISSING_NOT_SAID } from './memory-source.ts';

type Words = Readonly<Record<number, string>>;

/** The constants of a layout whose names begin with `prefix`, as words: EV_DUMP_BEGIN is "dump begin". */
function wordsOf(layout: object, prefix: string): Words {
  const words: Record<number, string> = {};
  for (const [name, value] of Object.entries(layout)) {
    if (name.startsWith(prefix))
      words[value as number] = name.slice(prefix.length).toLowerCase().replaceAll('_', ' ');
  }
  return words;
}

export const EVENT_NAMES: Words = wordsOf(F, 'EV_');
export const PHASES: Words = wordsOf(F, 'PHASE_');
export const BOARD_STATES: Words = wordsOf(F, 'BOARD_');
export const ROLES: Words = wordsOf(L, 'ROLE_');

export const REASONS: Words = {
  [L.PANIC_NONE]: 'no panic',
  [L.PANIC_TRAP]: 'wasm trap',
  [L.PANIC_ASSERT]: 'failed assert',
  [L.PANIC_WATCHDOG]: 'watchdog',
  [L.PANIC_MEMORY]: 'uncorrectable memory error',
  [L.PANIC_OPERATOR]: 'operator NMI',
};

export const ATTRIBUTES: Words = {
  [L.ATTRIBUTE_DUMPING]: 'dumping (the board lost power, or is still at it)',
  [L.ATTRIBUTE_INACTIVE]: 'inactive: no dump',
  [L.ATTRIBUTE_COMPLETED]: 'completed',
  [L.ATTRIBUTE_ABORTED]: 'aborted',
};

export const ABORTS: Words = {
  [L.ABORT_NONE]: '',
  [L.ABORT_LIMIT]: 'its time limit',
  [L.ABORT_MEDIUM]: 'write errors of the disk',
  [L.ABORT_NO_ROOM]: 'no more room on the disk',
  [L.ABORT_PARTNER]: 'stopped by the partner',
  [L.ABORT_FENCED]: 'the disk was taken',
};

/** Why memory is missing. */
export const MISSING: Words = {
  [L.CODEC_LOST]: 'lost: the dump tried and could not write it',
  [L.MISSING_UNREACHED]: 'unreached: the dump did not get there',
  [L.MISSING_CORRUPT]: 'corrupt: its checksum is wrong',
  [L.MISSING_UNREADABLE]: 'unreadable: the disk would not give it back',
  [L.MISSING_POISONED]: 'poisoned: uncorrectable in RAM',
  [L.MISSING_SECRET]: 'secret: kept out of the dump',
  [L.MISSING_SEALED]: 'sealed: encrypted, and no --key was given',
  [MISSING_NO_RAM]: 'past the end of the RAM',
  [MISSING_NOT_SAID]: 'missing: the source does not say why',
};

export const word = (words: Words, value: number): string => words[value] ?? `${value}`;
export const shortMissing = (reason: number): string => word(MISSING, reason).split(':', 1)[0]!;
