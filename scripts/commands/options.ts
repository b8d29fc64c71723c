// Options that several commands share.
import { InvalidArgumentError, Option } from 'commander';
import type { Policy } from '../../boards/scenario.ts';
import { type BoardAddress, parseAddress } from '../../boards/attached/address.ts';
import { SEED_RULE, isSeed } from '../../boards/scenario-check.ts';

function parseSeed(text: string): string {
  if (!isSeed(text)) throw new InvalidArgumentError(`It ${SEED_RULE}.`);
  return BigInt(text).toString();
}

export const seedOption = (): Option =>
  new Option(
    '--seed <number>',
    'seed of all that is random, up to 2^64 - 1 (default: of the scenario)',
  ).argParser(parseSeed);

export const takeoverOption = (): Option =>
  new Option('--takeover <policy>', 'take the disks while the dump runs, or after it').choices([
    'parallel',
    'sequential',
  ] satisfies Policy[]);

export const jsonOption = (what: string): Option => new Option('--json', `print ${what} and nothing else`);

export const quietOption = (): Option => new Option('--quiet', 'no progress, only the summary');

export const verboseOption = (): Option => new Option('--verbose', 'every disk, every step, every invariant');

export interface BoardFlags {
  boardA?: BoardAddress;
  boardB?: BoardAddress;
}

/** Where boards are attached. */
export const boardOptions = (): [Option, Option] => [
  new Option(
    '--board-a <address>',
    'board a is no emulated one but attached: serial:PORT[,baud=N]; inproc: to this process',
  ).argParser(parseAddress),
  new Option('--board-b <address>', 'likewise, board b').argParser(parseAddress),
];
