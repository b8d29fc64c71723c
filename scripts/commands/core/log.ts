import { Command } from 'commander';
import { logOf } from '../../../boards/core/epitaph.ts';
import { EXIT_BAD_CORE, InputError } from '../../../boards/input-error.ts';
import { fit } from '../../render/format.ts';
import { print } from '../show.ts';
import { parseCount } from './number.ts';
import { sourceArgument, withSource } from './source.ts';

export const logCommand = (): Command =>
  new Command('log')
    .summary("the board's log, oldest line first")
    .description("Prints the log ring of the board's memory, oldest line first.")
    .addArgument(sourceArgument())
    .option('--last <n>', 'only so many lines, the newest', parseCount)
    .action(async (spec: string, flags: { last?: number }) => {
      await withSource(spec, async (source) => {
        const lines = await logOf(source);
        if (lines === null) throw new InputError(`${source.name}: the log ring is not in it`, EXIT_BAD_CORE);
        const shown = flags.last === undefined ? lines : lines.slice(-flags.last);
        print(shown.map((line) => fit(line, Infinity)));
      });
    });
