import { Command } from 'commander';
import type { Policy } from '../../boards/scenario.ts';
import { loadScenario } from '../../boards/scenario-file.ts';
import { EXIT_CODE_HELP, EXIT_FAILED, EXIT_OK } from '../exit-codes.ts';
import { lookOf } from '../render/look.ts';
import { isGood, summary } from '../render/summary.ts';
import { addressText } from '../../boards/attached/address.ts';
import {
  type BoardFlags,
  boardOptions,
  jsonOption,
  quietOption,
  seedOption,
  takeoverOption,
  verboseOption,
} from './options.ts';
import { print, runShown } from './show.ts';

interface RunFlags extends BoardFlags {
  seed?: string;
  takeover?: Policy;
  json?: true;
  disks?: string;
  firmware?: string;
  quiet?: true;
  verbose?: true;
}

export const runCommand = (): Command =>
  new Command('run')
    .summary('run a scenario in the emulator and check every invariant')
    .description('Runs a scenario in the emulator, checks every invariant, and prints what happened.')
    .argument('[scenario]', 'file of a scenario (YAML), or the name of one that sparecore ships', 'standard')
    .addOption(seedOption())
    .addOption(takeoverOption())
    .addOption(jsonOption('the result as one JSON object'))
    .option('--disks <dir>', 'keep the disks as sparse raw images in this folder')
    .option(
      '--firmware <file>',
      'run this firmware image on both boards (default: the one that the build made)',
    )
    .addOption(boardOptions()[0])
    .addOption(boardOptions()[1])
    .addOption(quietOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      `
Examples:
  $ sparecore run                            the standard scenario
  $ sparecore run power-loss                 another that it ships: see sparecore scenarios
  $ sparecore run my.yaml --seed 42          your own, with another seed
  $ sparecore run small --takeover sequential
  $ sparecore run small --disks /tmp/shelf   then: sgdisk -v /tmp/shelf/a.root.img
  $ sparecore run --json | jq .outage_s
  $ sparecore run small --board-a serial:/dev/ttyACM0    board a is a real one
${EXIT_CODE_HELP}`,
    )
    .action(async (name: string, flags: RunFlags) => {
      process.exitCode = await run(name, flags);
    });

async function run(name: string, flags: RunFlags): Promise<number> {
  const loaded = loadScenario(name);
  const scenario = { ...loaded, seed: flags.seed ?? loaded.seed, policy: flags.takeover ?? loaded.policy };
  const look = lookOf(process.stdout, process.env);
  const result = await runShown(scenario, {
    disksDir: flags.disks,
    firmware: flags.firmware,
    attached: [flags.boardA ?? null, flags.boardB ?? null],
    look,
    silent: flags.json === true || flags.quiet === true,
    title: `${scenario.name}, seed ${scenario.seed}: ${scenario.title}`,
  });
  if (flags.json === true) print([JSON.stringify(result)]);
  else {
    const image = flags.firmware === undefined ? '' : ` --firmware ${quoted(flags.firmware)}`;
    const command = `${repeatCommand(name, scenario.seed, scenario.policy)}${image}${boardWords(flags)}`;
    const kept = ` --disks ${quoted(flags.disks ?? '')} (with the disks as they were before)`;
    const repeat = flags.disks === undefined ? command : `${command}${kept}`;
    const gap = flags.quiet === true ? [] : [''];
    print([...gap, ...summary(result, { look, verbose: flags.verbose === true, repeat })]);
  }
  return isGood(result) ? EXIT_OK : EXIT_FAILED;
}

/** The options that say where boards are attached, with a space before each. */
export const boardWords = ({ boardA, boardB }: BoardFlags): string =>
  [
    boardA === undefined ? '' : ` --board-a ${quoted(addressText(boardA))}`,
    boardB === undefined ? '' : ` --board-b ${quoted(addressText(boardB))}`,
  ].join('');

export const quoted = (word: string): string =>
  /^[\w./:,=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** A command that a shell takes as it is. */
export const repeatCommand = (name: string, seed: string, policy: Policy): string =>
  `npx sparecore run ${quoted(name)} --seed ${seed} --takeover ${policy}`;
