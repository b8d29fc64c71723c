import { Command } from 'commander';
import { addressText } from '../../boards/attached/address.ts';
import { type Comparison, compareRuns, eventText } from '../../boards/attached/compare.ts';
import { InputError } from '../../boards/input-error.ts';
import { loadScenario } from '../../boards/scenario-file.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../exit-codes.ts';
import { type BoardFlags, boardOptions, jsonOption, seedOption } from './options.ts';
import { boardWords, quoted } from './run.ts';
import { print } from './show.ts';

interface CompareFlags extends BoardFlags {
  seed?: string;
  json?: true;
}

export const compareCommand = (): Command =>
  new Command('compare')
    .summary('run a scenario emulated and with attached boards, and tell whether they did the same')
    .description(
      'Runs a scenario in the emulator and again with one board or both attached. Their digests must be the same; else ' +
        'the first event of the firmware that differs is shown.',
    )
    .argument('[scenario]', 'file of a scenario (YAML), or the name of one that sparecore ships', 'small')
    .addOption(boardOptions()[0])
    .addOption(boardOptions()[1])
    .addOption(seedOption())
    .addOption(jsonOption('both results and the difference as one JSON object'))
    .addHelpText(
      'after',
      `
Examples:
  $ sparecore compare small --board-a serial:/dev/ttyACM0
  $ sparecore compare power-loss --board-a serial:/dev/ttyUSB0,baud=115200 --board-b serial:/dev/ttyUSB1

Exit codes: 0 they did the same, 1 they did not.`,
    )
    .action(async (name: string, flags: CompareFlags) => {
      process.exitCode = await compare(name, flags);
    });

async function compare(name: string, flags: CompareFlags): Promise<number> {
  const { boardA = null, boardB = null } = flags;
  if (boardA === null && boardB === null)
    throw new InputError('name an attached board: --board-a serial:PORT, or --board-b', EXIT_USAGE);
  const scenario = loadScenario(name);
  const seed = flags.seed ?? scenario.seed;
  const found = await compareRuns({ scenario, seed, attached: [boardA, boardB] });
  if (flags.json === true) print([JSON.stringify(found)]);
  else
    print(
      comparisonLines(
        found,
        `${quoted(name)} --seed ${seed}${boardWords(flags)}`,
        [boardA, boardB].map((each) => (each === null ? 'emulated' : addressText(each))),
      ),
    );
  return found.same ? EXIT_OK : EXIT_FAILED;
}

export function comparisonLines(found: Comparison, words: string, boards: readonly string[]): string[] {
  const { same, emulated, attached, events, difference } = found;
  const lines = [
    `emulated   digest ${emulated.digest}`,
    `attached   digest ${attached.digest}   board a ${boards[0]}, board b ${boards[1]}`,
  ];
  if (same) return [...lines, `The same: ${events} events of the firmware, each at the same moment.`];
  if (difference === null)
    lines.push(`The ${events} events of the firmware are the same; commands at the disks are not.`);
  else
    lines.push(
      `The first ${events} events of the firmware are the same, then they part:`,
      `  before     ${difference.before === null ? 'nothing' : eventText(difference.before)}`,
      `  emulated   ${difference.emulated === null ? 'nothing more' : eventText(difference.emulated)}`,
      `  attached   ${difference.attached === null ? 'nothing more' : eventText(difference.attached)}`,
    );
  return [...lines, `again: npx sparecore compare ${words}`];
}
