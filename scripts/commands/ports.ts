import { Command } from 'commander';
import { type FoundPort, listPorts } from '../../boards/serial/ports.ts';
import { jsonOption } from './options.ts';
import { print } from './show.ts';

const HEADS = ['port', 'vendor', 'product', 'maker', 'serial number'] as const;

const cells = ({ path, vendor, product, maker, serial }: FoundPort): string[] =>
  [path, vendor, product, maker, serial].map((cell) => cell ?? '-');

export function portLines(ports: readonly FoundPort[]): string[] {
  if (ports.length === 0) return ['no serial port found: is the cable in, and its driver loaded?'];
  const rows = [[...HEADS], ...ports.map(cells)];
  const widths = HEADS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

export const portsCommand = (): Command =>
  new Command('ports')
    .summary('list the serial ports of this machine')
    .description(
      'Lists the serial ports of this machine, with vendor, product and serial number of their adapters.',
    )
    .addOption(jsonOption('the ports as one JSON array'))
    .action(async ({ json }: { json?: true }) => {
      const ports = await listPorts();
      print(json === true ? [JSON.stringify(ports)] : portLines(ports));
    });
