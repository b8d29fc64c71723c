/** A slot as firmware sees it: it runs out of one, and confirms there that it is well. */
import * as L from '../../../firmware/bootloader/layout.ts';
import type { NorFlash } from './flash.ts';

export const slotAt = (slot: number): number => L.SLOT_AT + slot * L.SLOT_BYTES;

/** The payload of the image in a slot that the bootloader has found good. */
export function payloadIn(flash: NorFlash, slot: number): Uint8Array {
  const at = slotAt(slot);
  const header = Buffer.from(flash.read(at, L.HEADER_BYTES));
  return flash
    .read(at + header.readUInt16LE(L.HEADER_SIZE_AT), header.readUInt32LE(L.HEADER_IMAGE_AT))
    .slice();
}

/** [MCUboot] boot_set_confirmed: from now on this image boots without being asked again. */
export function confirm(flash: NorFlash, slot: number): void {
  const at = slotAt(slot) + L.CONFIRMED_AT;
  if (flash.read(at, 1)[0] === L.FLAG_SET) return;
  flash.write(at, Uint8Array.from([L.FLAG_SET, ...Array<number>(L.UNIT_BYTES - 1).fill(0xff)]));
}
