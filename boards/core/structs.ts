/** The firmware's structures by name, as the build wrote them down: build/debug/layout.json. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT_BAD_FIRMWARE, InputError } from '../input-error.ts';
import { splitAtStruct } from './struct-value.ts';
import type { Field, Struct } from './struct-value.ts';

export interface Placed {
  name: string;
  type: string;
  address: number;
  /** Of a table: how many, and how far apart. */
  count?: number;
  stride?: number;
}

export interface Target {
  /** What the user asked for, in full: disks[3]. */
  name: string;
  struct: Struct;
  address: number;
  /** Only this field of it. */
  field: Field | null;
}

export class Structs {
  readonly structs: ReadonlyMap<string, Struct>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly symbols: readonly Placed[];

  constructor(layout: {
    structs: Struct[];
    enums: Record<string, Record<string, number>>;
    symbols: Placed[];
  }) {
    this.structs = new Map(layout.structs.map((struct) => [struct.name, struct]));
    this.enums = layout.enums;
    this.symbols = layout.symbols;
  }

  static load(): Structs {
    const here = fileURLToPath(new URL('.', import.meta.url));
    const candidates = [
      join(here, '../../build/debug/layout.json'),
      join(here, '../../../debug/layout.json'),
    ];
    const path = candidates.find((each) => existsSync(each));
    if (path === undefined)
      throw new InputError('build/debug/layout.json is not there: npm run build makes it', EXIT_BAD_FIRMWARE);
    return new Structs(JSON.parse(readFileSync(path, 'utf8')) as ConstructorParameters<typeof Structs>[0]);
  }

  /** `core`, `disks[3]`, `disks[3].wwn`; all elements of a table by its name alone. */
  find(text: string): Target[] | null {
    const found = /^(\w+)(?:\[(\d{1,6})\])?(?:\.(\w+))?$/.exec(text);
    const symbol = this.symbols.find(({ name }) => name === found?.[1]);
    if (found === null || symbol === undefined) return null;
    const struct = this.structs.get(symbol.type)!;
    const field = found[3] === undefined ? null : struct.fields.find(({ name }) => name === found[3]);
    if (field === undefined) return null;
    const count = symbol.count ?? 1;
    const index = found[2] === undefined ? null : Number(found[2]);
    if (index !== null && index >= count) return null;
    const indices = index === null ? Array.from({ length: count }, (_, i) => i) : [index];
    return indices.map((i) => ({
      name: symbol.count === undefined ? symbol.name : `${symbol.name}[${i}]`,
      struct,
      address: symbol.address + i * (symbol.stride ?? struct.bytes),
      field,
    }));
  }

  /** A structure by its type at any address; `struct disk` or `disk`. */
  at(type: string, address: number): Target | null {
    const struct = this.structs.get(type.replace(/^struct /, ''));
    return struct === undefined
      ? null
      : { name: `(struct ${struct.name}) 0x${address.toString(16)}`, struct, address, field: null };
  }

  /** What lies at an address: "disks[3].wwn"; null outside of all. */
  nameAt(address: number): string | null {
    for (const { name, type, address: first, count, stride } of this.symbols) {
      const struct = this.structs.get(type)!;
      const room = stride ?? struct.bytes;
      if (address < first || address >= first + room * (count ?? 1)) continue;
      const index = Math.floor((address - first) / room);
      return `${count === undefined ? name : `${name}[${index}]`}${splitAtStruct(struct, address - first - index * room)}`;
    }
    return null;
  }

  /** The name that an enum has for a value. */
  constant(field: Field, value: number): string | null {
    const names = field.enum === undefined ? null : this.enums[field.enum];
    return Object.entries(names ?? {}).find(([, each]) => each === value)?.[0] ?? null;
  }
}
