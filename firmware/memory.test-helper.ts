/** Where the fields of the firmware's structures lie, read from their source: C layout, as asc lays them out. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const WIDTHS: Readonly<Record<string, number>> = { u8: 1, bool: 1, u16: 2, u32: 4, i32: 4, u64: 8 };

export interface Field {
  offset: number;
  bytes: number;
}

export interface Structure {
  bytes: number;
  fields: ReadonlyMap<string, Field>;
}

const SOURCE = readFileSync(join(import.meta.dirname, 'memory.ts'), 'utf8');

export function structure(name: string): Structure {
  const body = new RegExp(`class ${name} \\{\\n([^}]*)\\}`).exec(SOURCE)?.[1];
  if (body === undefined) throw new Error(`firmware/memory.ts has no class ${name}`);
  const fields = new Map<string, Field>();
  let end = 0;
  for (const line of body.split('\n')) {
    const found = /^ {2}(\w+): (\w+);/.exec(line);
    if (found === null) continue;
    const bytes = WIDTHS[found[2]!];
    if (bytes === undefined) throw new Error(`${name}.${found[1]} is of no width: ${found[2]}`);
    const offset = Math.ceil(end / bytes) * bytes;
    fields.set(found[1]!, { offset, bytes });
    end = offset + bytes;
  }
  return { bytes: Math.ceil(end / 8) * 8, fields };
}

/** Reads a field of a structure at `at` in RAM. */
export function fieldOf(ram: Uint8Array, at: number, name: string, field: string): number {
  const found = structure(name).fields.get(field);
  if (found === undefined) throw new Error(`${name} has no ${field}`);
  const view = new DataView(ram.buffer, ram.byteOffset + at + found.offset, found.bytes);
  if (found.bytes === 8) return Number(view.getBigUint64(0, true));
  if (found.bytes === 4) return view.getUint32(0, true);
  return found.bytes === 2 ? view.getUint16(0, true) : view.getUint8(0);
}
