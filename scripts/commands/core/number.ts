// Addresses and sizes as a person types them.
import { InvalidArgumentError } from 'commander';

const MEMORY_MAX = 2 ** 32;

/** `0x41000`, `266240`, `64k`. */
export function parseAddress(text: string): number {
  const found = /^(?:(0x[0-9a-f]+)|(\d+)([kmg])?)$/i.exec(text);
  const scale = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[found?.[3]?.toLowerCase() ?? ''] ?? 1;
  const value = found === null ? Number.NaN : Number(found[1] ?? found[2]) * scale;
  if (!(value <= MEMORY_MAX))
    throw new InvalidArgumentError('It must be a number up to 4 GiB: 0x41000, 266240 or 64k.');
  return value;
}

export function parseCount(text: string): number {
  const value = parseAddress(text);
  if (value < 1) throw new InvalidArgumentError('It must be 1 or more.');
  return value;
}
