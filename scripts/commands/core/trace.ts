import { Command } from 'commander';
import { traceOf } from '../../../boards/core/epitaph.ts';
import type { TraceEntry } from '../../../boards/core/epitaph.ts';
import { EVENT_NAMES } from '../../../boards/core/words.ts';
import { EXIT_BAD_CORE, InputError } from '../../../boards/input-error.ts';
import { table } from '../../render/format.ts';
import { jsonOption } from '../options.ts';
import { print } from '../show.ts';
import { parseCount } from './number.ts';
import { sourceArgument, withSource } from './source.ts';

const LAST = 40;

export const traceCommand = (): Command =>
  new Command('trace')
    .summary('the last events of the board by name, with their times')
    .description(
      "Prints the last events of the trace ring of the board's memory: seconds since power-on, name, values.",
    )
    .addArgument(sourceArgument())
    .option('--last <n>', `so many events, the newest (default: ${LAST})`, parseCount)
    .option('--all', 'every event that is there')
    .addOption(jsonOption('the events as one JSON array'))
    .action(async (spec: string, flags: { last?: number; all?: true; json?: true }) => {
      await withSource(spec, async (source) => {
        const events = await traceOf(source);
        if (events === null)
          throw new InputError(`${source.name}: the trace ring is not in it`, EXIT_BAD_CORE);
        const shown = flags.all === true ? events : events.slice(-(flags.last ?? LAST));
        print(
          flags.json === true ? [JSON.stringify(shown.map(asJson))] : table(shown.map(row), [0, 2, 3, 4]),
        );
      });
    });

const nameOf = (code: number): string => EVENT_NAMES[code] ?? `event ${code}`;

function row({ timeUs, code, a, b, c }: TraceEntry): string[] {
  return [
    `${timeUs / 1_000_000n}.${String(timeUs % 1_000_000n).padStart(6, '0')}`,
    nameOf(code),
    ...[a, b, c].map(String),
  ];
}

const asJson = ({ timeUs, code, a, b, c }: TraceEntry): object => ({
  at_us: Number(timeUs),
  event: nameOf(code),
  code,
  values: [a, b, c],
});
