import { Command } from 'commander';
import { diff } from '../../../boards/core/diff.ts';
import type { Difference } from '../../../boards/core/diff.ts';
import { hexOf } from '../../../boards/core/hex.ts';
import { regionAt } from '../../../boards/core/regions.ts';
import type { MemorySource } from '../../../boards/core/memory-source.ts';
import { Structs } from '../../../boards/core/structs.ts';
import { EXIT_FAILED, EXIT_OK } from '../../exit-codes.ts';
import { bytes as size, count, plural } from '../../render/format.ts';
import { print } from '../show.ts';
import { parseAddress, parseCount } from './number.ts';
import { sourceArgument, withSource } from './source.ts';

interface DiffFlags {
  from?: number;
  bytes?: number;
  last?: number;
}

const LINES = 100;

export const diffCommand = (): Command =>
  new Command('diff')
    .summary('where two memories differ, with the names of what lies there')
    .description(
      'Compares two memories and prints the ranges that differ, each with the structure that it lies in and its first ' +
        'bytes in both. Exit code 1 when they differ.',
    )
    .addArgument(sourceArgument('a'))
    .addArgument(sourceArgument('b'))
    .option('--from <address>', 'where to begin (default: 0)', parseAddress)
    .option('--bytes <n>', 'how much (default: all)', parseCount)
    .option('--last <n>', `so many lines at most (default: ${LINES})`, parseCount)
    .action(async (a: string, b: string, flags: DiffFlags) => {
      await withSource(a, (first) => withSource(b, (second) => compare(first, second, flags)));
    });

async function compare(a: MemorySource, b: MemorySource, flags: DiffFlags): Promise<void> {
  const structs = Structs.load();
  const from = flags.from ?? 0;
  const all = Math.max(a.memoryBytes, b.memoryBytes);
  const to = Math.min(all, from + (flags.bytes ?? all));
  const total = { ranges: 0, bytes: 0, missing: 0 };
  const most = flags.last ?? LINES;
  for await (const difference of diff(a, b, from, to)) {
    total.ranges++;
    if (difference.a === null || difference.b === null) total.missing += difference.bytes;
    else total.bytes += difference.bytes;
    if (total.ranges <= most) print([lineOf(difference, a, structs)]);
  }
  const hidden = total.ranges > most ? `, ${count(total.ranges - most)} of them not shown` : '';
  const missing = total.missing > 0 ? `; ${size(total.missing)} that only one of them has` : '';
  print([
    total.ranges === 0
      ? `the same from 0x${hexOf(from)} to 0x${hexOf(to)}`
      : `${plural(total.ranges, 'range')} with ${plural(total.bytes, 'byte')} that differ${hidden}${missing}`,
  ]);
  process.exitCode = total.ranges === 0 ? EXIT_OK : EXIT_FAILED;
}

function lineOf({ address, bytes, a, b }: Difference, source: MemorySource, structs: Structs): string {
  const name = structs.nameAt(address) ?? regionAt(source, address)?.name ?? '';
  const show = (content: Uint8Array | null): string =>
    content === null
      ? 'not there'
      : `${Buffer.from(content).toString('hex')}${bytes > content.length ? '..' : ''}`;
  return `0x${hexOf(address)}  ${String(bytes).padStart(6)}  ${show(a)} -> ${show(b)}  ${name}`;
}
