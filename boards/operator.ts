/** What an operator says to a pair that runs: a few words become an event of the kind that scenarios have. */
import type { DiskConfig, EventConfig } from './scenario.ts';
import { nearest } from './nearest.ts';

/** A line of at most so many characters is an order; longer ones are refused unread. */
export const ORDER_MAX = 200;

export type Order =
  | { kind: 'event'; event: EventConfig }
  | { kind: 'status' | 'help' | 'quit' }
  | { kind: 'refused'; why: string };

interface Form {
  words: readonly string[];
  does: EventConfig['do'];
  what: string;
}

/** `A` stands for a board, `DISK` for a disk's name or LUN, `PORT` for a or b, `TIMES` for a number. */
const FORMS: readonly Form[] = [
  { words: ['panic', 'A'], does: 'nmi', what: "press the board's NMI button" },
  { words: ['trap', 'A'], does: 'trap', what: 'make the firmware trap' },
  { words: ['assert', 'A'], does: 'assert', what: 'make an assert in the firmware fail' },
  { words: ['hang', 'A'], does: 'hang', what: 'the CPU gets stuck; the watchdog finds it' },
  { words: ['memory-error', 'A'], does: 'memory-error', what: 'an uncorrectable memory error' },
  { words: ['stop', 'dump', 'A'], does: 'stop-dump', what: 'its partner asks the board to stop its dump' },
  { words: ['power', 'off', 'A'], does: 'power-off', what: 'take the power from the board' },
  { words: ['power', 'on', 'A'], does: 'power-on', what: 'and give it back' },
  { words: ['cut', 'interconnect'], does: 'cut-interconnect', what: 'between the boards' },
  { words: ['mend', 'interconnect'], does: 'mend-interconnect', what: '' },
  { words: ['fail', 'disk', 'DISK'], does: 'fail-disk', what: 'every write fails' },
  { words: ['kill', 'disk', 'DISK'], does: 'kill-disk', what: 'it answers on neither port' },
  { words: ['slow', 'disk', 'DISK', 'TIMES'], does: 'slow-disk', what: 'so many times slower' },
  { words: ['mend', 'disk', 'DISK'], does: 'mend-disk', what: 'it is as good as new' },
  {
    words: ['cut', 'path', 'A', 'DISK', 'PORT'],
    does: 'cut-path',
    what: 'from the board to that port of the disk',
  },
  { words: ['mend', 'path', 'A', 'DISK', 'PORT'], does: 'mend-path', what: '' },
  { words: ['quiet'], does: 'quiet', what: "the boards' own clients stop" },
];

const OTHERS = ['status', 'help', 'quit'] as const;

/** A line a form, for `help`. */
export function orderHelp(): string[] {
  const rows = [
    ...FORMS.map(({ words, what }) => [words.join(' '), what] as const),
    ['status', 'boards, disks, reservations, sessions'] as const,
    ['quit', 'log the initiators out and end'] as const,
  ];
  return rows.map(([words, what]) => `${words.padEnd(24)}${what}`.trimEnd());
}

export function parseOrder(line: string, disks: readonly Pick<DiskConfig, 'name'>[]): Order {
  if (line.length > ORDER_MAX) return refuse(`an order has at most ${ORDER_MAX} characters`);
  const words = line.trim().toLowerCase().split(/\s+/);
  const other = OTHERS.find((each) => words.length === 1 && words[0] === each);
  if (other !== undefined) return { kind: other };
  const alike = FORMS.filter((form) => startsAs(form, words));
  if (alike.length === 0) return refuse(unknown(words));
  const form = alike.find((each) => each.words.length === words.length);
  if (form === undefined) return refuse(`say: ${alike.map((each) => each.words.join(' ')).join(', or ')}`);
  return fill(form, words, disks);
}

const refuse = (why: string): Order => ({ kind: 'refused', why });
const isPlace = (word: string): boolean => word === word.toUpperCase();

/** The fixed words of the form are the line's, as far as the line goes. */
const startsAs = (form: Form, words: readonly string[]): boolean =>
  form.words.every((word, at) => isPlace(word) || words[at] === undefined || words[at] === word) &&
  words[0] === form.words[0];

const printable = (word: string): string => word.replace(/[^\x20-\x7e]/g, '?');

function unknown(words: readonly string[]): string {
  const first = words[0] ?? '';
  const verbs = [...new Set([...FORMS.map((form) => form.words[0]!), ...OTHERS])];
  const near = nearest(first, verbs);
  return `no such order: ${words.length > 1 ? `${printable(first)} ...` : printable(first)}${near === null ? '; help lists them' : `; did you mean ${near}?`}`;
}

function fill(form: Form, words: readonly string[], disks: readonly Pick<DiskConfig, 'name'>[]): Order {
  const event: EventConfig = {
    atMs: null,
    on: null,
    plusMs: 0,
    do: form.does,
    board: null,
    disk: null,
    path: null,
    factor: null,
  };
  for (const [at, place] of form.words.entries()) {
    const word = words[at]!;
    switch (place) {
      case 'A':
        if (word !== 'a' && word !== 'b') return refuse(`${form.does} takes board a or b`);
        event.board = word;
        break;
      case 'PORT':
        if (word !== 'a' && word !== 'b') return refuse('a disk has port a and port b');
        event.path = word === 'a' ? 0 : 1;
        break;
      case 'TIMES':
        if (!/^[1-9]\d{0,4}$/.test(word)) return refuse('slow disk takes a whole number from 1 to 99999');
        event.factor = Number(word);
        break;
      case 'DISK': {
        const name = diskName(word, disks);
        if (name === null) return refuse(`no disk ${printable(word)}: names and LUNs are in status`);
        event.disk = name;
      }
    }
  }
  return { kind: 'event', event };
}

function diskName(word: string, disks: readonly Pick<DiskConfig, 'name'>[]): string | null {
  if (/^\d{1,3}$/.test(word)) return disks[Number(word)]?.name ?? null;
  if (/^coredump-of-[ab]$/.test(word)) return word;
  return disks.find(({ name }) => name === word)?.name ?? null;
}
