// The command line: commands, exit codes, and how errors are told.
import { Command } from 'commander';
import { benchCommand } from './commands/bench.ts';
import { compareCommand } from './commands/compare.ts';
import { coreCommand } from './commands/core.ts';
import { ctlCommand } from './commands/ctl.ts';
import { rigCommand } from './commands/rig.ts';
import { runCommand } from './commands/run.ts';
import { scenariosCommand } from './commands/scenarios.ts';
import { schemaCommand } from './commands/schema.ts';
import { serveCommand } from './commands/serve.ts';
import { startCommand } from './commands/start.ts';
import { EXIT_CODE_HELP, EXIT_OUTPUT, EXIT_PIPE_CLOSED } from './exit-codes.ts';
import { tellError } from './tell-error.ts';
import { version } from './version.ts';

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT_PIPE_CLOSED);
    // Where the error is told must not be where it happened.
    if (stream === process.stdout)
      process.stderr.write(`sparecore: cannot write the output: ${error.message}\n`);
    process.exit(EXIT_OUTPUT);
  });
}

const program = new Command('sparecore')
  .description(
    'An HA pair of storage controllers in an emulator: one board panics and dumps its memory to a spare disk while ' +
      'its partner takes over every other disk, so that clients are served again before the dump has ended.',
  )
  .version(version())
  .addHelpText(
    'after',
    `
Examples:
  $ sparecore start                 see the point: a panic with the invention and without it
  $ sparecore scenarios             what else can go wrong
  $ sparecore run power-loss        one of them
${EXIT_CODE_HELP}`,
  )
  .enablePositionalOptions()
  .exitOverride()
  .showSuggestionAfterError();
for (const command of [
  startCommand(),
  runCommand(),
  compareCommand(),
  rigCommand(),
  serveCommand(),
  ctlCommand(),
  scenariosCommand(),
  schemaCommand(),
  benchCommand(),
  coreCommand(),
]) {
  program.addCommand(inherit(command, program));
}

/** Settings of the program, down to the commands of a command. */
function inherit(command: Command, from: Command): Command {
  command.copyInheritedSettings(from);
  for (const each of command.commands) inherit(each, command);
  return command;
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = tellError(error);
}
