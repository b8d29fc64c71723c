import { Command } from 'commander';
import { hexOf } from '../../../boards/core/hex.ts';
import { piecesOf } from '../../../boards/core/memory-source.ts';
import type { MemorySource, Piece } from '../../../boards/core/memory-source.ts';
import { valueOf } from '../../../boards/core/struct-value.ts';
import type { Field, Value } from '../../../boards/core/struct-value.ts';
import { Structs } from '../../../boards/core/structs.ts';
import type { Target } from '../../../boards/core/structs.ts';
import { MISSING, word } from '../../../boards/core/words.ts';
import { EXIT_BAD_CORE, InputError } from '../../../boards/input-error.ts';
import { EXIT_USAGE } from '../../exit-codes.ts';
import { fit, table } from '../../render/format.ts';
import { jsonOption } from '../options.ts';
import { print } from '../show.ts';
import { parseAddress } from './number.ts';
import { sourceArgument, withSource } from './source.ts';

export const printCommand = (): Command =>
  new Command('print')
    .summary('a structure of the firmware by name, or a type at an address')
    .description(
      'Prints a structure of the firmware with its fields: by its name (core, disks[3], disks[3].wwn, panic_record), ' +
        'or a type at an address (disk 0x42300). The name of a table alone prints its elements that are not all zero. ' +
        'Without a name: what there is.',
    )
    .addArgument(sourceArgument())
    .argument('[what]', 'name, or type')
    .argument('[address]', 'where a structure of that type lies', parseAddress)
    .option('--all', 'elements of a table that are all zero, too')
    .addOption(jsonOption('the fields as one JSON object'))
    .action(
      async (
        spec: string,
        what: string | undefined,
        address: number | undefined,
        flags: { all?: true; json?: true },
      ) => {
        const structs = Structs.load();
        await withSource(spec, async (source) => {
          if (what === undefined) print(namesOf(structs));
          else await show(source, structs, targetsOf(structs, what, address), flags);
        });
      },
    );

function namesOf(structs: Structs): string[] {
  return table(
    structs.symbols.map(({ name, type, address, count }) => [
      `0x${hexOf(address)}`,
      `${name}${count === undefined ? '' : `[${count}]`}`,
      `struct ${type}`,
    ]),
  );
}

function targetsOf(structs: Structs, what: string, address: number | undefined): Target[] {
  if (address !== undefined) {
    const target = structs.at(what, address);
    if (target !== null) return [target];
    throw new InputError(
      `no structure is called ${what}; there are ${[...structs.structs.keys()].join(', ')}`,
      EXIT_USAGE,
    );
  }
  const targets = structs.find(what);
  if (targets !== null) return targets;
  const names = structs.symbols.map(({ name, count }) =>
    count === undefined ? name : `${name}[0-${count - 1}]`,
  );
  throw new InputError(`${what} is not there; there are ${names.join(', ')}, and TYPE ADDRESS`, EXIT_USAGE);
}

async function show(
  source: MemorySource,
  structs: Structs,
  targets: readonly Target[],
  flags: { all?: true; json?: true },
): Promise<void> {
  const json: Record<string, object> = {};
  for (const target of targets) {
    const pieces = await allOf(piecesOf(source, target.address, target.struct.bytes));
    const empty = pieces.every(({ content }) => content?.every((byte) => byte === 0) ?? false);
    if (empty && targets.length > 1 && flags.all !== true) continue;
    const fields = target.field === null ? target.struct.fields : [target.field];
    if (flags.json === true) json[target.name] = jsonOf(pieces, target.address, fields);
    else
      print([
        `${target.name} at 0x${hexOf(target.address)}`,
        ...linesOf(structs, pieces, target.address, fields),
      ]);
    if (pieces.some(({ content }) => content === null)) process.exitCode = EXIT_BAD_CORE;
  }
  if (flags.json === true) print([JSON.stringify(json)]);
}

function linesOf(
  structs: Structs,
  pieces: readonly Piece[],
  address: number,
  fields: readonly Field[],
): string[] {
  const rows = fields.map((field) => {
    const value = valueOf(pieces, address, field);
    return [
      `  ${field.name}`,
      textOf(structs, field, value),
      field.comment === '' ? '' : `// ${field.comment}`,
    ];
  });
  return table(rows);
}

function textOf(structs: Structs, field: Field, value: Value): string {
  switch (value.kind) {
    case 'missing':
      return `not there (${word(MISSING, value.reason)})`;
    case 'text':
      return JSON.stringify(fit(value.value, 100));
    case 'table':
      return `${value.count} of struct ${field.type}`;
    case 'number': {
      const name = structs.constant(field, Number(value.value));
      const hex = value.value > 9n ? ` 0x${value.value.toString(16)}` : '';
      return `${value.value}${name === null ? hex : ` ${name}`}`;
    }
  }
}

/** Numbers of 64 bits are texts, so that none is rounded. */
function jsonOf(pieces: readonly Piece[], address: number, fields: readonly Field[]): object {
  const entries = fields.map((field): [string, unknown] => {
    const value = valueOf(pieces, address, field);
    if (value.kind === 'number')
      return [field.name, field.bytes === 8 ? value.value.toString() : Number(value.value)];
    return [field.name, value.kind === 'text' ? value.value : null];
  });
  return Object.fromEntries(entries);
}

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
