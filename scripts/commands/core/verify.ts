import { Command } from 'commander';
import { HostFile } from '../../../boards/core/host-file.ts';
import { locate, told, volumeOf } from '../../../boards/core/open-source.ts';
import { verify } from '../../../boards/core/verify.ts';
import type { Check } from '../../../boards/core/verify.ts';
import { EXIT_FAILED, EXIT_OK } from '../../exit-codes.ts';
import { fit } from '../../render/format.ts';
import { lookOf, paint } from '../../render/look.ts';
import { jsonOption } from '../options.ts';
import { print } from '../show.ts';
import { sourceArgument, withSource } from './source.ts';

export const verifyCommand = (): Command =>
  new Command('verify')
    .summary('checksums, copies and counts; exit code 1 when something is wrong')
    .description(
      'Reads everything and checks it: the checksum of every chunk, both copies of label and header, every block of the ' +
        'chunk table, the header against the table, the structure of a core file, its coverage and its notes, and the ' +
        'volume that it is in. A dump that was cut is not wrong; one that contradicts itself is.',
    )
    .addArgument(sourceArgument())
    .addOption(jsonOption('the checks as one JSON object'))
    .action(async (spec: string, flags: { json?: true }) => {
      await withSource(spec, async (source) => {
        const checks = [...volumeChecks(source.name), ...(await verify(source))];
        const wrong = checks.some(({ problems }) => problems.length > 0);
        if (flags.json === true) print([JSON.stringify({ source: source.name, ok: !wrong, checks })]);
        else print(checks.flatMap(linesOf));
        process.exitCode = wrong ? EXIT_FAILED : EXIT_OK;
      });
    });

/** The exFAT volume that the core is in. */
function volumeChecks(name: string): Check[] {
  const { path, inside } = locate(name);
  if (inside === null || name.startsWith('live:')) return [];
  const file = new HostFile(path);
  try {
    return told(path, () => {
      const { problems, leaks } = volumeOf(file)!.exfat.check();
      return [
        {
          what: 'exFAT volume',
          found: leaks === 0 ? 'clean' : `clean, ${leaks} clusters that no file has`,
          problems,
        },
      ];
    });
  } finally {
    file.close();
  }
}

function linesOf({ what, found, problems }: Check): string[] {
  const look = lookOf(process.stdout, process.env);
  if (problems.length === 0) return [`${paint(look, 'green', 'ok   ')} ${what}: ${fit(found, 200)}`];
  return problems.map((problem) => `${paint(look, 'red', 'WRONG')} ${what}: ${problem}`);
}
