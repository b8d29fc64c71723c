import { Command, InvalidArgumentError, Option } from 'commander';
import { panicOf } from '../../../boards/core/epitaph.ts';
import { writeCore } from '../../../boards/core/elf-writer.ts';
import { piecesOf } from '../../../boards/core/memory-source.ts';
import type { MemorySource } from '../../../boards/core/memory-source.ts';
import { MISSING, word } from '../../../boards/core/words.ts';
import { writeWasmCoredump } from '../../../boards/core/wasm-coredump.ts';
import { EXIT_BAD_CORE, InputError } from '../../../boards/input-error.ts';
import { countLine } from '../../render/core-map.ts';
import { hexOf as hex } from '../../../boards/core/hex.ts';
import { print } from '../show.ts';
import { OutFile } from './out-file.ts';
import { firmwareOption, sourceArgument, symbolsOf, withSource } from './source.ts';

interface ExportFlags {
  format: 'elf' | 'wasm-coredump' | 'raw';
  output: string;
  force?: true;
  fill?: number;
  firmware?: string;
}

function parseByte(text: string): number {
  const value = /^(0x[0-9a-f]{1,2}|\d{1,3})$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value <= 255)) throw new InvalidArgumentError('It must be a byte: 0xee or 238.');
  return value;
}

export const exportCommand = (): Command =>
  new Command('export')
    .summary('the memory as a file of another format')
    .description(
      'Writes the memory as an ELF core (gdb, readelf, drgn), as a WebAssembly coredump (tool-conventions, Coredump.md), ' +
        'or raw: byte n of the file is address n. Raw has no way to say that memory is missing, so it is refused then, ' +
        'unless --fill says what to put there.',
    )
    .addArgument(sourceArgument())
    .addOption(
      new Option('--format <format>', 'what to write')
        .choices(['elf', 'wasm-coredump', 'raw'])
        .default('elf'),
    )
    .requiredOption('-o, --output <file>', 'what to write')
    .option('--force', 'replace a file of that name')
    .option('--fill <byte>', 'raw: what to put where memory is missing', parseByte)
    .addOption(firmwareOption())
    .action(async (spec: string, flags: ExportFlags) => {
      await withSource(spec, async (source) => {
        let map = source.map;
        await OutFile.make(flags.output, flags.force === true, async (file) => {
          map = await write(source, file, flags);
        });
        print([`${flags.output}: ${flags.format}; ${countLine(map, source.poisoned)}`]);
      });
    });

async function write(source: MemorySource, file: OutFile, flags: ExportFlags): Promise<Uint8Array> {
  switch (flags.format) {
    case 'elf': {
      const { bytes, map } = await writeCore(source, file.write);
      file.extend(bytes);
      return map;
    }
    case 'wasm-coredump': {
      const panic = await panicOf(source);
      const symbols = symbolsOf(flags.firmware, panic);
      const known = panic !== null && panic !== 'none' && symbols?.build === panic.build;
      const where = known ? symbols.function((await source.registers()).pc) : null;
      return writeWasmCoredump(source, where, file.append);
    }
    case 'raw':
      await writeRaw(source, file, flags.fill);
      return source.map;
  }
}

async function writeRaw(source: MemorySource, file: OutFile, fill: number | undefined): Promise<void> {
  for await (const { address, bytes, content, reason } of piecesOf(source, 0, source.memoryBytes)) {
    if (content === null && fill === undefined) {
      const why = `0x${hex(address)}: ${word(MISSING, reason)}; --fill BYTE puts something there`;
      throw new InputError(`${source.name}: ${why}`, EXIT_BAD_CORE);
    }
    const put = content ?? new Uint8Array(bytes).fill(fill ?? 0);
    if (put.some((byte) => byte !== 0)) file.write(address, put);
  }
  file.extend(source.memoryBytes);
}
