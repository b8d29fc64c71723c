import { Command } from 'commander';
import { SECTOR_BYTES } from '../../../asm/layout.ts';
import { writeCore } from '../../../boards/core/elf-writer.ts';
import { logOf, panicOf, stateOf } from '../../../boards/core/epitaph.ts';
import { HostFile } from '../../../boards/core/host-file.ts';
import { ImageSource } from '../../../boards/core/image-source.ts';
import type { MemorySource } from '../../../boards/core/memory-source.ts';
import { toldOf } from '../../../boards/core/open-source.ts';
import { SalvagedImage, searchDisk } from '../../../boards/core/salvage.ts';
import type { Found, Search } from '../../../boards/core/salvage.ts';
import { REASONS, word } from '../../../boards/core/words.ts';
import { EXIT_BAD_CORE, InputError } from '../../../boards/input-error.ts';
import { fit, plural } from '../../render/format.ts';
import { infoLines } from '../../render/core-info.ts';
import { lookOf } from '../../render/look.ts';
import { print } from '../show.ts';
import { parseAddress } from './number.ts';
import { OutFile } from './out-file.ts';
import { firmwareOption, givenKey, symbolsOf } from './source.ts';

interface SalvageFlags {
  output?: string;
  force?: true;
  epoch?: number;
  firmware?: string;
}

export const salvageCommand = (): Command =>
  new Command('salvage')
    .summary('what is left of a dump on a torn or partly overwritten disk')
    .description(
      'Searches the image of a disk for what is left of a dump whose header or chunk table is torn or overwritten, or ' +
        'that an older life of the board wrote. Each chunk is checked by its own checksum. Shows what it finds as info ' +
        'does, and writes it as a core file.',
    )
    .argument('<image>', 'raw image of the disk')
    .option('-o, --output <file>', 'core file to write')
    .option('--force', 'replace a file of that name')
    .option(
      '--epoch <n>',
      'the dump of this boot epoch, where there are several (default: the newest)',
      parseAddress,
    )
    .addOption(firmwareOption())
    .action(async (path: string, flags: SalvageFlags) => {
      const file = new HostFile(path);
      try {
        await salvage(file, flags);
      } catch (error) {
        throw toldOf(path, error);
      } finally {
        file.close();
      }
    });

async function salvage(file: HostFile, flags: SalvageFlags): Promise<void> {
  const blocks = Math.floor(file.bytes / SECTOR_BYTES);
  const search = searchDisk(file.read, blocks);
  print(foundLines(search));
  const dump = search.dumps.find(({ epoch }) => flags.epoch === undefined || epoch === flags.epoch);
  if (dump === undefined)
    throw new InputError(`${file.path}: ${nothing(search, flags.epoch)}`, EXIT_BAD_CORE);
  const image = new SalvagedImage(file.read, blocks, dump, search.headers, givenKey());
  const source = new ImageSource(image, file.path, () => {});
  if (flags.output !== undefined) await write(source, flags.output, flags.force === true);
  const panic = await panicOf(source);
  const findings = {
    source,
    panic,
    log: await logOf(source),
    state: await stateOf(source),
    symbols: symbolsOf(flags.firmware, panic),
  };
  print(['', ...infoLines(lookOf(process.stdout, process.env), findings)]);
}

async function write(source: MemorySource, output: string, force: boolean): Promise<void> {
  await OutFile.make(output, force, async (file) => file.extend((await writeCore(source, file.write)).bytes));
  print([`written: ${output}`]);
}

const nameOf = ({ system, epoch, blocks }: Found): string =>
  `system ${system}, boot epoch ${epoch}: ${plural(blocks.length, 'block')} of its chunk table`;

function foundLines({ dumps, headers, record }: Search): string[] {
  const copies = headers.map(
    (header, i) => `copy ${i} ${header === null ? 'is torn or not there' : `is of epoch ${header.epoch}`}`,
  );
  const lines = [`header: ${copies.join(', ')}`, ...dumps.map((dump) => `found: ${nameOf(dump)}`)];
  if (dumps.length > 0 || record === null) return lines;
  const { panic, lba } = record;
  const place =
    panic.line > 0 && !panic.place.includes(':')
      ? `${panic.place}:${panic.line}:${panic.column}`
      : panic.place;
  return [
    ...lines,
    `found: a panic record in block ${lba}, for which no checksum vouches:`,
    fit(
      `  ${word(REASONS, panic.reason)} "${panic.text}" at ${place}, system ${panic.system}, epoch ${panic.epoch}`,
      300,
    ),
  ];
}

const nothing = ({ dumps }: Search, epoch: number | undefined): string =>
  dumps.length === 0
    ? 'no block of a chunk table is left, so no memory can be told from other data'
    : `no dump of epoch ${epoch}; there are ${dumps.map((dump) => dump.epoch).join(', ')}`;
