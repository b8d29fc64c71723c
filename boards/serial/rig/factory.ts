/** What a factory writes before a board goes out: its kind, and the key that it trusts. */
import { type KeyObject, createHash } from 'node:crypto';
import * as L from '../../../firmware/bootloader/layout.ts';
import { rawKey } from '../../image/keys.ts';
import type { NorFlash } from './flash.ts';
import { confirm, slotAt } from './slot.ts';

function boardSector(kind: number, key: KeyObject): Uint8Array {
  const bytes = Buffer.alloc(L.BOARD_BYTES);
  bytes.writeUInt32LE(L.BOARD_MAGIC, L.BOARD_MAGIC_AT);
  bytes.writeUInt32LE(kind, L.BOARD_KIND_AT);
  rawKey(key).copy(bytes, L.BOARD_KEY_AT);
  createHash('sha256').update(bytes.subarray(0, L.BOARD_CHECK_AT)).digest().copy(bytes, L.BOARD_CHECK_AT);
  return bytes;
}

/** Writes it where the flash says nothing else; a board keeps its key for life. */
export function provision(flash: NorFlash, kind: number, key: KeyObject): void {
  const sector = boardSector(kind, key);
  if (Buffer.compare(flash.read(L.BOARD_AT, sector.length), sector) === 0) return;
  flash.erase(L.BOARD_AT, L.SECTOR_BYTES);
  flash.write(L.BOARD_AT, sector);
}

/** Puts an image into the first slot, for good, where the flash has none. */
export function install(flash: NorFlash, image: Uint8Array): void {
  if (flash.read(slotAt(0), image.length).some((byte) => byte !== 0xff)) return;
  const padded = new Uint8Array(Math.ceil(image.length / L.UNIT_BYTES) * L.UNIT_BYTES).fill(0xff);
  padded.set(image);
  flash.write(slotAt(0), padded);
  flash.write(slotAt(0) + L.ORDER_AT, words([1, ~1]));
  confirm(flash, 0);
  flash.write(
    slotAt(0) + L.MAGIC_AT,
    words([L.TRAILER_MAGIC_0, L.TRAILER_MAGIC_1, L.TRAILER_MAGIC_2, L.TRAILER_MAGIC_3]),
  );
}

function words(values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32LE(value >>> 0, i * 4));
  return bytes;
}
