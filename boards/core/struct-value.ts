/** The values of a structure's fields in memory, little-endian. */
import { hexOf } from './hex.ts';
import type { Piece } from './memory-source.ts';

export interface Field {
  name: string;
  type: string; // u8 ... u64, char, or the name of a structure
  at: number;
  bytes: number;
  /** Of an array: how many. */
  count?: number;
  comment: string;
  enum?: string;
}

export interface Struct {
  name: string;
  bytes: number;
  fields: readonly Field[];
}

export type Value =
  | { kind: 'number'; value: bigint }
  | { kind: 'text'; value: string }
  | { kind: 'missing'; reason: number }
  | { kind: 'table'; count: number };

/** `pieces` cover the structure, which lies at `address`. */
export function valueOf(pieces: readonly Piece[], address: number, field: Field): Value {
  if (field.type !== 'char' && field.count !== undefined) return { kind: 'table', count: field.count };
  const bytes = Buffer.alloc(field.bytes);
  for (const piece of pieces) {
    const first = Math.max(piece.address, address + field.at);
    const end = Math.min(piece.address + piece.bytes, address + field.at + field.bytes);
    if (first >= end) continue;
    if (piece.content === null) return { kind: 'missing', reason: piece.reason };
    bytes.set(piece.content.subarray(first - piece.address, end - piece.address), first - address - field.at);
  }
  if (field.type === 'char') return { kind: 'text', value: textOf(bytes) };
  const signed = field.type.startsWith('i');
  const raw = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
  return { kind: 'number', value: signed ? BigInt.asIntN(field.bytes * 8, raw) : raw };
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** ".wwn", ".wwn+4", or "+112" past the fields. */
export function splitAtStruct({ fields }: Struct, offset: number): string {
  const field = fields.findLast(({ at }) => at <= offset);
  if (field === undefined || offset >= field.at + field.bytes) return `+0x${hexOf(offset, 1)}`;
  return `.${field.name}${offset === field.at ? '' : `+${offset - field.at}`}`;
}
