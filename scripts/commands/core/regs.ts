import { Command } from 'commander';
import { panicOf } from '../../../boards/core/epitaph.ts';
import { PHASES, REASONS, word } from '../../../boards/core/words.ts';
import { fit, table } from '../../render/format.ts';
import { hexOf as hex } from '../../../boards/core/hex.ts';
import { print } from '../show.ts';
import { firmwareOption, sourceArgument, symbolsOf, withSource } from './source.ts';

export const regsCommand = (): Command =>
  new Command('regs')
    .summary('the program counter and what the board knew of its fault')
    .description(
      'Prints the program counter with its function and line, and what the panic record holds of the fault. wasm has ' +
        'no other registers: its locals and operand stack are no memory and end with the fault.',
    )
    .addArgument(sourceArgument())
    .addOption(firmwareOption())
    .action(async (spec: string, flags: { firmware?: string }) => {
      await withSource(spec, async (source) => {
        const { pc } = await source.registers();
        const panic = await panicOf(source);
        const rows = [['pc', `0x${hex(pc)}`, ...whereOf(pc, panic, symbolsOf(flags.firmware, panic))]];
        if (panic !== null && panic !== 'none') {
          rows.push(
            ['reason', `${panic.reason}`, word(REASONS, panic.reason)],
            ['phase', `${panic.phase}`, word(PHASES, panic.phase)],
            ['address', `0x${hex(panic.address)}`, 'of a memory error'],
          );
        }
        print(table(rows));
      });
    });

function whereOf(
  pc: number,
  panic: Awaited<ReturnType<typeof panicOf>>,
  symbols: ReturnType<typeof symbolsOf>,
): string[] {
  const known = panic === null || panic === 'none' ? null : panic;
  if (pc === 0) return [fit(known?.place || 'not known', 200)];
  if (symbols === null) return ['no firmware image here'];
  if (known !== null && known.build !== symbols.build)
    return [`of another build than the firmware here (${symbols.build}); see --firmware`];
  const place = symbols.place(pc);
  const at = place === null ? '' : ` at ${place.file}:${place.line}:${place.column}`;
  const inside = symbols.function(pc);
  return [
    `${inside === null ? 'outside of all functions' : `${inside.name}+0x${(pc - inside.from).toString(16)}`}${at}`,
  ];
}
