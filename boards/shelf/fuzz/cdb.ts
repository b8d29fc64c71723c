/**
 * CDBs as they might be: of a command that the device server says it has, with the bits set that it says it looks at,
 * most lengths small and most addresses on the medium; then, now and then, wrong somewhere.
 *
 * [SPC-4] 4.2.5 fields of CDBs by their size, 6.35.3 CDB usage data
 */
import type { RandomStream } from '../../random.ts';

/** A command: its usage data, with operation code and service action in their places. */
export interface Template {
  usage: Uint8Array;
  /** Service action, -1: it has none. */
  action: number;
  bytes: number;
  opcode: number;
  isList: boolean;
  isMedium: boolean;
}

const BYTES_BY_GROUP = [6, 10, 10, 16, 16, 12, 16, 16];
export const cdbBytes = (opcode: number): number => BYTES_BY_GROUP[opcode >> 5]!;

/** Where the last length field of a CDB lies, and its bytes. */
const LENGTH_AT: Record<number, readonly [number, number]> = {
  6: [4, 1],
  10: [7, 2],
  12: [6, 4],
  16: [10, 4],
};
const PERSISTENT_RESERVE_OUT = 0x5f;
const EXTENDED_COPY = 0x83;

/** Writes a CDB into the 32 bytes of `cdb`. */
export function fillCdb(
  random: RandomStream,
  templates: readonly Template[],
  blocks: number,
  cdb: Uint8Array,
): Template | null {
  cdb.fill(0);
  const kind = random.next();
  if ((kind & 31) === 0) {
    // anything at all
    for (let i = 0; i < 16; i += 4) fourBytes(cdb, i, random.next());
    return null;
  }
  const template = templates[random.below(templates.length)]!;
  const { usage, bytes, opcode } = template;
  const bits = random.next();
  if ((bits & 3) === 0) for (let i = 1; i < bytes; i += 4) fourBytes(cdb, i, random.next());
  else if ((bits & 12) === 0) cdb[1] = bits >>> 24;
  const hint = HINTS[opcode];
  if (hint !== undefined && (bits & 0x30) > 0) {
    cdb[1] = hint.byte1 === undefined ? cdb[1]! : hint.byte1[random.below(hint.byte1.length)]!;
    cdb[2] = hint.byte2[random.below(hint.byte2.length)]!;
    cdb[3] = hint.byte3 === undefined ? 0 : hint.byte3[random.below(hint.byte3.length)]!;
  }
  if (template.isMedium && !template.isList) fillAddress(random, blocks, template, cdb);
  fillLength(random, template, cdb);
  for (let i = 1; i < bytes; i++) cdb[i]! &= usage[i]!;
  cdb[0] = opcode;
  if (template.action >= 0) cdb[1] = (cdb[1]! & 0xe0 & usage[1]!) | template.action;
  if ((kind & 0x380) === 0) {
    const n = 1 + random.below(bytes - 1);
    cdb[n]! ^= 1 << (random.next() & 7);
  }
  return template;
}

/** Pages and their like, of which only some are there. */
const HINTS: Record<
  number,
  { byte1?: readonly number[]; byte2: readonly number[]; byte3?: readonly number[] }
> = {
  0x12: { byte1: [0, 1, 1, 1], byte2: [0, 0, 0x80, 0x83, 0x86, 0x88, 0xb0, 0xb1, 0xb2] },
  0x1a: {
    byte2: [0x3f, 0x01, 0x08, 0x48, 0x0a, 0x8a, 0xca, 0x1c, 0xdc, 0x1a, 0x02],
    byte3: [0, 0, 0, 1, 255],
  },
  0x5a: {
    byte2: [0x3f, 0x01, 0x08, 0x48, 0x0a, 0x8a, 0xca, 0x1c, 0xdc, 0x1a, 0x02],
    byte3: [0, 0, 0, 1, 255],
  },
  0x4d: { byte2: [0x40, 0x42, 0x43, 0x03, 0xc5, 0x4d, 0x4e, 0x50, 0x6f], byte3: [0, 0, 0, 255] },
  0x4c: { byte1: [0, 2], byte2: [0, 0xc0, 0x42, 0x43, 0xc5] },
  0x1c: { byte1: [0, 1], byte2: [0, 0, 1] },
  0x1b: { byte1: [0, 1], byte2: [0] },
  0x5f: { byte2: [1, 3, 5, 6, 7, 8, 2, 0x11] },
  0xa0: { byte2: [0, 1, 2, 2, 0x10] },
  0x15: { byte1: [0x10, 0x10, 0x11, 1], byte2: [0] },
  0x55: { byte1: [0x10, 0x10, 0x11, 1], byte2: [0] },
};

function fourBytes(cdb: Uint8Array, at: number, value: number): void {
  cdb[at] = value;
  cdb[at + 1] = value >>> 8;
  cdb[at + 2] = value >>> 16;
  cdb[at + 3] = value >>> 24;
}

function fillAddress(random: RandomStream, blocks: number, { bytes }: Template, cdb: Uint8Array): void {
  const r = random.next();
  if ((r & 15) === 0) return; // as it is
  const lba =
    (r & 3) === 0
      ? Math.max(0, blocks - (r >>> 27))
      : (r & 12) === 0
        ? r >>> 28
        : random.below(2 ** 32) % blocks;
  const high = Math.floor(lba / 2 ** 32);
  if (bytes === 6) {
    cdb[1] = (lba >>> 16) & 0x1f;
    cdb[2] = lba >>> 8;
    cdb[3] = lba;
    return;
  }
  const at = bytes === 16 ? 6 : 2;
  if (bytes === 16) {
    cdb[2] = 0;
    cdb[3] = 0;
    cdb[4] = high >>> 8;
    cdb[5] = high;
  }
  cdb[at] = lba >>> 24;
  cdb[at + 1] = lba >>> 16;
  cdb[at + 2] = lba >>> 8;
  cdb[at + 3] = lba;
}

function fillLength(
  random: RandomStream,
  { bytes, opcode, isMedium, isList }: Template,
  cdb: Uint8Array,
): void {
  const r = random.next();
  if ((r & 31) === 0) return;
  if (opcode === PERSISTENT_RESERVE_OUT) {
    cdb[5] = 0;
    cdb[6] = 0;
    cdb[7] = 0;
    cdb[8] = r & 0x60 ? 24 : r >>> 24;
    if ((r & 0x1c000) === 0) cdb[7] = 1;
    return;
  }
  const [at, size] = LENGTH_AT[bytes]!;
  for (let i = 0; i < size; i++) cdb[at + i] = 0;
  const length =
    opcode === EXTENDED_COPY
      ? 108 + (r >>> 30) * 28
      : isList
        ? (r >>> 16) & 127
        : isMedium
          ? (r >>> 16) & 15
          : (r >>> 16) & 511;
  if (size > 1) cdb[at + size - 2] = length >>> 8;
  cdb[at + size - 1] = length;
}
