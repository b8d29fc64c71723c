/**
 * Parameter lists as they might be, a byte of them wrong now and then.
 *
 * [SPC-4] 6.16.3, 6.16.4 PERSISTENT RESERVE OUT; 7.5.4 to 7.5.7 mode parameters; [SBC-3] 5.28.2 UNMAP
 */
import type { RandomStream } from '../../random.ts';
import type { Identity } from './reservation.ts';
import { UNITS, wwnOf } from './unit.ts';

/** Page code (with SPF) and bytes of the mode pages, with what may be changed in them: offset, values. */
const PAGES: readonly (readonly [code: number, bytes: number, at: number, values: readonly number[]])[] = [
  [0x01, 12, 2, [0xc0]],
  [0x08, 20, 2, [0, 4, 4, 5]],
  [0x0a, 12, 2, [2, 6]],
  [0x0a, 12, 3, [0x10, 0x12, 0x14, 0x16]],
  [0x0a, 12, 4, [0, 8, 0x20]],
  [0x0a, 12, 5, [0, 0x40]],
  [0x1c, 12, 2, [0, 4, 8]],
  [0x1c, 12, 3, [0, 2, 6, 9]],
  [0x4a, 32, 4, [0]],
];
/** What the pages hold otherwise, so that most lists are good. */
const DEFAULT: Record<number, readonly number[]> = {
  0x01: [1, 10, 0xc0, 1, 0, 0, 0, 0, 1],
  0x08: [8, 18, 4, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff],
  0x0a: [10, 10, 2, 0x10, 0, 0, 0, 0, 0xff, 0xff, 0, 1],
  0x1c: [28, 10, 8],
  0x4a: [0x4a, 1, 0, 28],
};

export function fillList(
  random: RandomStream,
  cdb: Uint8Array,
  identities: readonly Identity[],
  blocks: number,
  list: Uint8Array,
): void {
  list.fill(0);
  switch (cdb[0]!) {
    case 0x15:
      fillPages(random, list, 4);
      break;
    case 0x55:
      fillPages(random, list, 8);
      break;
    case 0x5f:
      fillReserve(random, cdb, identities, list);
      break;
    case 0x42:
      fillExtents(random, blocks, list);
      break;
    case 0x83:
      fillCopy(random, list);
      break;
    default:
      for (let i = 0; i < list.length; i += 1 + random.below(8)) list[i] = random.next();
  }
  if (list.length > 0 && random.below(8) === 0) list[random.below(list.length)] = random.next();
}

function fillPages(random: RandomStream, list: Uint8Array, headBytes: number): void {
  let at = headBytes;
  while (at < list.length) {
    const [code, bytes, change, values] = PAGES[random.below(PAGES.length)]!;
    const good = DEFAULT[code]!;
    for (let i = 0; i < bytes && at + i < list.length; i++) list[at + i] = good[i] ?? 0;
    if (at + change < list.length) list[at + change] = values[random.below(values.length)]!;
    at += bytes;
  }
}

function be32(list: Uint8Array, at: number, value: number): void {
  list[at] = value >>> 24;
  list[at + 1] = value >>> 16;
  list[at + 2] = value >>> 8;
  list[at + 3] = value;
}

/** Keys are 0 to 3, as three initiators share a disk. */
function fillReserve(
  random: RandomStream,
  cdb: Uint8Array,
  identities: readonly Identity[],
  list: Uint8Array,
): void {
  if (list.length < 24) return;
  const moves = (cdb[1]! & 31) === 7;
  const r = random.next();
  list[7] = r & 3;
  list[15] = (r >>> 2) & 3;
  if (moves) {
    list[17] = (r >>> 4) & 3;
    list[19] = 1 + ((r >>> 6) & 1) + ((r & 0xf000) === 0 ? 1 : 0);
  } else if ((r & 0x300) === 0) list[20] = (r >>> 10) & 15;
  else list[20] = (r >>> 10) & 1;
  let at = moves ? 24 : 28;
  const start = at;
  while (at < list.length) {
    const { id } = identities[random.below(identities.length)]!;
    if (at + id.length > list.length && random.below(4) > 0) break;
    list.set(id.subarray(0, list.length - at), at);
    at += id.length;
    if (moves || random.below(3) === 0) break;
  }
  if (list.length >= start) be32(list, start - 4, at - start);
}

/** Two CSCD descriptors and as many segment descriptors as fit, [SPC-4] 6.4.3 and 6.4.5. */
function fillCopy(random: RandomStream, list: Uint8Array): void {
  const segments = Math.floor((list.length - 16 - 64) / 28);
  if (segments < 1) return;
  const view = new DataView(list.buffer, list.byteOffset, list.length);
  list[0] = random.below(3);
  list[1] = random.below(2) * 0x18;
  list[3] = 64;
  list[11] = segments * 28;
  for (let i = 0; i < 2; i++) {
    const at = 16 + i * 32;
    const unit = random.below(UNITS.length + (random.below(16) === 0 ? 1 : 0));
    list.set([0xe4, 0, 0, 0, 1, 3, 0, 8], at);
    view.setBigUint64(at + 8, wwnOf(unit));
    view.setUint16(at + 30, UNITS[unit]?.blockBytes ?? 512);
  }
  for (let i = 0; i < segments; i++) {
    const at = 80 + i * 28;
    list.set([2, random.below(2) * 2, 0, 24, 0, random.below(2), 0, random.below(2)], at);
    view.setUint16(at + 10, random.below(4) * (random.below(2) ? 8 : 1));
    view.setUint32(at + 16, random.below(44));
    view.setUint32(at + 24, random.below(44));
  }
}

function fillExtents(random: RandomStream, blocks: number, list: Uint8Array): void {
  if (list.length < 8) return;
  const count = (list.length - 8) >> 4;
  list[1] = count * 16 + 6;
  list[3] = count * 16;
  for (let i = 0; i < count; i++) {
    const at = 8 + i * 16;
    const lba = random.below(8) === 0 ? blocks - random.below(8) : random.below(2 ** 32) % blocks;
    be32(list, at, Math.floor(lba / 2 ** 32));
    be32(list, at + 4, lba >>> 0);
    be32(list, at + 8, random.below(8));
  }
}
