import { Command } from 'commander';
import { EXIT_BAD_CORE } from '../../boards/input-error.ts';
import { EXIT_FAILED, EXIT_INTERNAL, EXIT_OK, EXIT_OUTPUT, EXIT_USAGE } from '../exit-codes.ts';
import { diffCommand } from './core/diff.ts';
import { exportCommand } from './core/export.ts';
import { extractCommand } from './core/extract.ts';
import { gdbCommand } from './core/gdb.ts';
import { infoCommand } from './core/info.ts';
import { logCommand } from './core/log.ts';
import { printCommand } from './core/print.ts';
import { readCommand } from './core/read.ts';
import { regsCommand } from './core/regs.ts';
import { keyOption, useKey } from './core/source.ts';
import { salvageCommand } from './core/salvage.ts';
import { traceCommand } from './core/trace.ts';
import { verifyCommand } from './core/verify.ts';

const VERBS = [
  infoCommand,
  logCommand,
  traceCommand,
  regsCommand,
  readCommand,
  printCommand,
  verifyCommand,
  extractCommand,
  exportCommand,
  salvageCommand,
  diffCommand,
  gdbCommand,
];

export function coreCommand(): Command {
  const command = new Command('core')
    .summary('read the memory of a board: a core file, a dump on a disk, or a live board')
    .description(
      'Reads the memory of a board out of a core file, the raw image of a coredump disk, a root disk or exFAT volume ' +
        '(the newest core in /cores, or IMAGE:/cores/NAME), or a board of a pair that sparecore serve runs (live:a, live:b).',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sparecore core info disks/a.spare.0.img      why board a died, from the disk that its dump is on
  $ sparecore core info disks/a.root.img         the same from the newest core in its root file system
  $ sparecore core log core.1001.2026-01-01.00_00_05
  $ sparecore core print core.1001.2026-01-01.00_00_05 'disks[3]'
  $ sparecore core gdb --port 3333 disks/a.spare.0.img
  $ gdb build/debug/sparecore.elf core.1001.2026-01-01.00_00_05 -ex 'p core.phase'

Exit codes:
  ${EXIT_OK}   all went well
  ${EXIT_FAILED}   verify found something wrong, or diff a difference
  ${EXIT_USAGE}   wrong usage
  ${EXIT_BAD_CORE}   no memory of a board in the source, or what was asked for is not in it
  ${EXIT_INTERNAL}  internal error (SPARECORE_DEBUG=1 shows where)
  ${EXIT_OUTPUT}  the output cannot be written`,
    );
  for (const verb of VERBS) {
    command.addCommand(
      verb()
        .addOption(keyOption())
        .hook('preAction', (of) => useKey(of.opts<{ key?: string }>().key)),
    );
  }
  return command;
}
