import { basename } from 'node:path';
import { Command } from 'commander';
import { CoreSource } from '../../../boards/core/core-source.ts';
import { writeCore } from '../../../boards/core/elf-writer.ts';
import { HostFile } from '../../../boards/core/host-file.ts';
import type { MemorySource } from '../../../boards/core/memory-source.ts';
import { ImageSource } from '../../../boards/core/image-source.ts';
import { fileIn, locate, told, volumeOf } from '../../../boards/core/open-source.ts';
import { EXIT_BAD_CORE, InputError } from '../../../boards/input-error.ts';
import { bytes, table } from '../../render/format.ts';
import { countLine } from '../../render/core-map.ts';
import { utc } from '../../render/core-info.ts';
import { print } from '../show.ts';
import { OutFile } from './out-file.ts';
import { givenKey, sourceArgument, withSource } from './source.ts';

const PIECE = 1 << 20;

export const extractCommand = (): Command =>
  new Command('extract')
    .summary('a core file out of a disk image or exFAT volume')
    .description(
      'Copies the core file out of the image of a root disk or an exFAT volume, or makes one of the dump on the image ' +
        'of a coredump disk, as savecore does on a board.',
    )
    .addArgument(sourceArgument())
    .option('-o, --output <file>', 'what to write (default: the name of the core, in this folder)')
    .option('--force', 'replace a file of that name')
    .option('--list', 'only list the cores in /cores')
    .action(async (spec: string, flags: { output?: string; force?: true; list?: true }) => {
      if (flags.list === true) print(listOf(spec));
      else
        await withSource(spec, (source) =>
          extract(source, flags.output ?? nameOf(source), flags.force === true),
        );
    });

function listOf(spec: string): string[] {
  const { path } = locate(spec);
  const file = new HostFile(path);
  try {
    return told(path, () => coresIn(file));
  } finally {
    file.close();
  }
}

function coresIn(file: HostFile): string[] {
  const volume = volumeOf(file);
  if (volume === null)
    throw new InputError(`${file.path}: holds no exFAT volume, so there is no list of cores`, EXIT_BAD_CORE);
  const cores = volume.exfat.list('/').some(({ name }) => name === 'cores')
    ? volume.exfat.list('/cores')
    : [];
  return cores.length === 0
    ? ['no core in it']
    : table(
        cores.map(({ path, bytes: size, modifiedUtc }) => [
          path,
          bytes(size),
          modifiedUtc === null ? '' : utc(modifiedUtc),
        ]),
        [1],
      );
}

/** The container of an encrypted dump, and no key to open it with: what is in it stays as it is. */
const isClosed = (source: MemorySource): boolean => source instanceof ImageSource && givenKey() === null;

/** A core in a volume keeps its name; of a dump it is core.SYSTEM.YYYY-MM-DD.hh_mm_ss, as savecore names it. */
function nameOf(source: MemorySource): string {
  const { inside } = locate(source.name);
  if (inside !== null) return isClosed(source) ? basename(inside) : basename(inside).replace(/\.enc$/, '');
  const { system = null, utcSeconds = null } = source.dump ?? {};
  const time =
    utcSeconds === null
      ? 'live'
      : utc(utcSeconds).replace(' UTC', '').replace(' ', '.').replaceAll(/[: ]/g, '_');
  return `core.${system ?? 'unknown'}.${time}`;
}

async function extract(source: MemorySource, output: string, force: boolean): Promise<void> {
  let map = source.map;
  await OutFile.make(output, force, async (file) => {
    const place = locate(source.name);
    const isFile = source instanceof CoreSource || isClosed(source);
    if (isFile && place.inside !== null) copyFile(place.path, place.inside, file);
    else {
      const made = await writeCore(source, file.write);
      file.extend(made.bytes);
      map = made.map;
    }
  });
  print([`${output}: ${countLine(map, source.poisoned)}`]);
}

/** Byte for byte; runs of zeros become holes. */
function copyFile(path: string, inside: string, to: OutFile): void {
  const file = new HostFile(path);
  try {
    const { exfat, read } = volumeOf(file)!;
    const from = fileIn(exfat, read, inside);
    for (let at = 0; at < from.bytes; at += PIECE) {
      const piece = from.read(at, PIECE);
      if (piece.some((byte) => byte !== 0)) to.write(at, piece);
    }
    to.extend(from.bytes);
  } finally {
    file.close();
  }
}
