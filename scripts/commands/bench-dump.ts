import { Command, InvalidArgumentError, Option } from 'commander';
import { readFileSync, writeFileSync } from 'node:fs';
import { benchDump } from '../bench/dump/bench.ts';
import { CODECS, MEDIA } from '../bench/dump/cases.ts';
import { chartHtml } from '../bench/dump/chart.ts';
import { CONTENTS } from '../bench/dump/content.ts';
import { sizeMib } from '../bench/dump/memory-image.ts';
import { type DumpBench, VERSION } from '../bench/dump/result.ts';
import { comparison, dumpTable } from '../bench/dump/table.ts';
import { EXIT_FAILED, EXIT_OK } from '../exit-codes.ts';
import { print } from './show.ts';

/** The last: the RAM of a Linux guest, which QEMU runs here first. */
const KNOWN = [...CONTENTS, 'guest'] as const;
const MIB_MIN = 64;
const MIB_MAX = 4096;

interface Flags {
  memory: number[];
  contents: (typeof KNOWN)[number][];
  codecs: (typeof CODECS)[number][];
  medium: (typeof MEDIA)[number][];
  rounds: number;
  image?: string;
  qemu: boolean;
  json?: string;
  html?: string;
  compare?: string;
}

const listOf =
  <T extends string>(known: readonly T[]) =>
  (text: string): T[] =>
    text.split(',').map((word) => {
      const found = known.find((each) => each === word);
      if (found === undefined) throw new InvalidArgumentError(`Known: ${known.join(', ')}.`);
      return found;
    });

function parseSizes(text: string): number[] {
  return text.split(',').map((word) => {
    const mib = /^\d+$/.test(word) ? Number(word) : NaN;
    if (!(mib >= MIB_MIN && mib <= MIB_MAX)) throw new InvalidArgumentError(`MiB, ${MIB_MIN} to ${MIB_MAX}.`);
    return mib;
  });
}

function parseRounds(text: string): number {
  const rounds = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(rounds >= 1 && rounds <= 100)) throw new InvalidArgumentError('1 to 100.');
  return rounds;
}

/** An older result; throws what to tell the user when it is none. */
export function readResult(path: string): DumpBench {
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new InvalidArgumentError(`${path}: ${(error as Error).message}`);
  }
  const { version, rows } = (found ?? {}) as Partial<DumpBench>;
  if (version !== VERSION || !Array.isArray(rows))
    throw new InvalidArgumentError(`${path}: is no result of this bench.`);
  return found as DumpBench;
}

export const benchDumpCommand = (): Command =>
  new Command('dump')
    .summary('measure dumps against native references')
    .description(
      'Measures dumps from the panic to the closed header, by the firmware of a board, beside native references on the ' +
        'same bytes: memcpy, pwrite, lz4 and zstd, QEMU. Sparse dumps to memory or tmpfs and LZ4 dumps to tmpfs are measured by ' +
        'boards with two CPUs, too. Takes four times the memory of the board of the host.',
    )
    .addOption(
      new Option('--memory <MiB,...>', 'sizes of boards').argParser(parseSizes).default([1024], '1024'),
    )
    .addOption(
      new Option(
        '--contents <names>',
        `${CONTENTS.join(', ')}, or guest: the RAM of a Linux guest that QEMU runs`,
      )
        .argParser(listOf(KNOWN))
        .default(['mixed'], 'mixed'),
    )
    .addOption(
      new Option('--codecs <names>', CODECS.join(', '))
        .argParser(listOf(CODECS))
        .default(['sparse', 'lz4'], 'sparse,lz4'),
    )
    .addOption(
      new Option('--medium <names>', MEDIA.join(', '))
        .argParser(listOf(MEDIA))
        .default(['memory', 'tmpfs'], 'memory,tmpfs'),
    )
    .addOption(new Option('--rounds <number>', 'times each is measured').argParser(parseRounds).default(3))
    .option('--image <file>', 'a memory image to dump instead, such as the RAM of a QEMU guest')
    .option('--no-qemu', 'without QEMU, which takes longest')
    .option('--json <file>', 'the numbers into a file, or - for standard output and nothing else')
    .option('--html <file>', 'a chart')
    .option('--compare <file>', 'what has changed since that result')
    .addHelpText(
      'after',
      '\nExit codes: 0 every dump was equal to memory, 1 not. Goals are told, not enforced.',
    )
    .action(async (flags: Flags) => {
      process.exitCode = await run(flags);
    });

async function run(flags: Flags): Promise<number> {
  const old = flags.compare === undefined ? null : readResult(flags.compare);
  const image = flags.image ?? null;
  const bench = await benchDump(
    {
      memory: image === null ? flags.memory : [Math.min(MIB_MAX, Math.max(MIB_MIN, sizeMib(image)))],
      contents: image === null ? flags.contents.filter((each) => each !== 'guest') : ['image'],
      codecs: flags.codecs,
      media: flags.medium,
      rounds: flags.rounds,
      image,
      guest: image === null && flags.contents.includes('guest'),
      goals: true,
      qemu: flags.qemu,
    },
    (line) => {
      if (process.stderr.isTTY) console.error(line);
    },
  );
  const json = JSON.stringify(bench, null, 1);
  if (flags.html !== undefined) writeFileSync(flags.html, chartHtml(bench));
  if (flags.json === '-') print([json]);
  else {
    if (flags.json !== undefined) writeFileSync(flags.json, `${json}\n`);
    print([...dumpTable(bench), ...(old === null ? [] : ['', ...comparison(bench, old)])]);
  }
  return bench.ok ? EXIT_OK : EXIT_FAILED;
}
