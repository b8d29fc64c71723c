/** Where a board is attached, as the user says it: `serial:PORT[,baud=N]`, or `inproc` with what its line does. */
import { EXIT_BAD_PORT, InputError } from '../input-error.ts';
import type { LineFaults } from '../serial/line.ts';

export interface SerialAddress {
  kind: 'serial';
  path: string;
  baud: number;
}

/** A board in the line's own thread, over a line in virtual time. */
export interface InProcessAddress {
  kind: 'in-process';
  seed: string;
  baud: number | null;
  faults: LineFaults;
  pullAt: number | null;
  resetAt: number | null;
}

export type BoardAddress = SerialAddress | InProcessAddress;

export const BAUD_DEFAULT = 921600;
const BAUD_MIN = 300;
const BAUD_MAX = 12_000_000;
const FAULT_NAMES = ['loss', 'corruption', 'cut', 'duplication', 'reordering'] as const;

export const inProcess = (options: Partial<InProcessAddress> = {}): InProcessAddress => ({
  kind: 'in-process',
  seed: '1',
  baud: null,
  faults: { loss: 0, corruption: 0, cut: 0, duplication: 0, reordering: 0 },
  pullAt: null,
  resetAt: null,
  ...options,
});

const refuse = (text: string, why: string): never => {
  throw new InputError(`${text}: ${why}; say serial:PORT or serial:PORT,baud=115200`, EXIT_BAD_PORT);
};

export function parseAddress(text: string): BoardAddress {
  const [head = '', ...rest] = text.split(',');
  const options = new Map<string, string>();
  for (const each of rest) {
    const [name, value] = each.split('=', 2);
    if (name === undefined || value === undefined || options.has(name))
      refuse(text, `${each} is no setting, or is there twice`);
    else options.set(name, value);
  }
  const whole = (name: string, most: number): number | null => {
    const value = options.get(name);
    options.delete(name);
    if (value === undefined) return null;
    if (!/^\d{1,10}$/.test(value) || Number(value) > most)
      refuse(text, `${name} is a whole number up to ${most}`);
    return Number(value);
  };
  const baud = whole('baud', BAUD_MAX);
  if (baud !== null && baud < BAUD_MIN) refuse(text, `the slowest line has ${BAUD_MIN} baud`);
  const address: BoardAddress =
    head === 'inproc'
      ? inProcess({
          baud,
          seed: options.get('seed') ?? '1',
          pullAt: whole('pull', 1e9),
          resetAt: whole('reset', 1e9),
        })
      : { kind: 'serial', path: serialPath(head, text), baud: baud ?? BAUD_DEFAULT };
  if (address.kind === 'in-process') {
    options.delete('seed');
    for (const name of FAULT_NAMES) address.faults[name] = whole(name, 1_000_000) ?? 0;
  }
  for (const name of options.keys()) refuse(text, `there is no setting ${name}`);
  return address;
}

function serialPath(head: string, text: string): string {
  if (!head.startsWith('serial:') || head.length === 'serial:'.length) refuse(text, 'names no serial port');
  return head.slice('serial:'.length);
}

/** As the user would say it. */
export function addressText(address: BoardAddress): string {
  if (address.kind === 'serial') return `serial:${address.path},baud=${address.baud}`;
  const settings: [string, number | string | null][] = [
    ['baud', address.baud],
    ['seed', address.seed],
    ['pull', address.pullAt],
    ['reset', address.resetAt],
    ...FAULT_NAMES.map((name): [string, number | null] => [name, address.faults[name] || null]),
  ];
  const said = settings.flatMap(([name, value]) => (value === null ? [] : [`,${name}=${value}`]));
  return `inproc${said.join('')}`;
}
