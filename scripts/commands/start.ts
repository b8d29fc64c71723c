import { Command } from 'commander';
import { loadScenario } from '../../boards/scenario-file.ts';
import { EXIT_CODE_HELP, EXIT_FAILED, EXIT_OK } from '../exit-codes.ts';
import { comparison } from '../render/comparison.ts';
import { lookOf } from '../render/look.ts';
import { isGood, summary } from '../render/summary.ts';
import { jsonOption, quietOption, seedOption, verboseOption } from './options.ts';
import { repeatCommand } from './run.ts';
import { print, runShown } from './show.ts';

const NAME = 'standard';

interface StartFlags {
  seed?: string;
  json?: true;
  quiet?: true;
  verbose?: true;
}

export const startCommand = (): Command =>
  new Command('start')
    .summary('the standard scenario, with the invention and without it (npm start)')
    .description(
      'Runs the standard scenario, then the same panic with a takeover that waits for the dump, and compares.',
    )
    .addOption(seedOption())
    .addOption(jsonOption('{"parallel": ..., "sequential": ...}'))
    .addOption(quietOption())
    .addOption(verboseOption())
    .addHelpText('after', EXIT_CODE_HELP)
    .action(async (flags: StartFlags) => {
      process.exitCode = await start(flags);
    });

async function start(flags: StartFlags): Promise<number> {
  const loaded = loadScenario(NAME);
  const scenario = { ...loaded, seed: flags.seed ?? loaded.seed };
  const look = lookOf(process.stdout, process.env);
  const silent = flags.json === true || flags.quiet === true;
  const show = { look, silent, disksDir: undefined };
  const verbose = flags.verbose === true;
  const title = `${NAME}, seed ${scenario.seed}: ${scenario.title}`;

  const parallel = await runShown({ ...scenario, policy: 'parallel' }, { ...show, title });
  const repeat = (policy: 'parallel' | 'sequential'): string => repeatCommand(NAME, scenario.seed, policy);
  if (flags.json !== true) {
    print([...(silent ? [] : ['']), ...summary(parallel, { look, verbose, repeat: repeat('parallel') }), '']);
  }
  const again = 'The same panic once more, with a takeover that waits for the dump';
  const sequential = await runShown({ ...scenario, policy: 'sequential' }, { ...show, title: again });
  if (flags.json === true) print([JSON.stringify({ parallel, sequential })]);
  else {
    if (!isGood(sequential))
      print(['', ...summary(sequential, { look, verbose, repeat: repeat('sequential') })]);
    print([
      ...(silent ? [] : ['']),
      ...comparison(parallel, sequential, look),
      `again: ${repeat('sequential')}`,
    ]);
  }
  return isGood(parallel) && isGood(sequential) ? EXIT_OK : EXIT_FAILED;
}
