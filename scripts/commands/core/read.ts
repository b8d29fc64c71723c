import { writeSync } from 'node:fs';
import { Command } from 'commander';
import { piecesOf } from '../../../boards/core/memory-source.ts';
import { MISSING, word } from '../../../boards/core/words.ts';
import { EXIT_BAD_CORE, InputError } from '../../../boards/input-error.ts';
import { hexOf as hex } from '../../../boards/core/hex.ts';
import { hexdump } from '../../render/hexdump.ts';
import { print } from '../show.ts';
import { parseAddress, parseCount } from './number.ts';
import { sourceArgument, withSource } from './source.ts';

export const readCommand = (): Command =>
  new Command('read')
    .summary('memory from an address on, as a hex dump')
    .description(
      'Prints memory from an address on. What is not in the source is said with its reason, never shown as zero, and ' +
        'makes the exit code 9.',
    )
    .addArgument(sourceArgument())
    .argument('<address>', 'where to begin: 0x41000, 266240, 64k', parseAddress)
    .argument('[bytes]', 'how much', parseCount, 256)
    .option('--raw', 'the bytes themselves; all of them must be there')
    .action(async (spec: string, address: number, bytes: number, flags: { raw?: true }) => {
      await withSource(spec, async (source) => {
        let missing = 0;
        for await (const piece of piecesOf(source, address, bytes)) {
          if (piece.content === null) {
            missing++;
            if (flags.raw === true) {
              const why = `0x${hex(piece.address)}: ${word(MISSING, piece.reason)}`;
              throw new InputError(`${source.name}: ${why}`, EXIT_BAD_CORE);
            }
          }
          if (flags.raw === true) writeAll(piece.content!);
          else print([...hexdump([piece])]);
        }
        if (missing > 0) process.exitCode = EXIT_BAD_CORE;
      });
    });

/** To a pipe too: what does not go out at once goes later. */
function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}
