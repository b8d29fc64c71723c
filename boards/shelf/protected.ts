/**
 * Blocks with their protection information, as they travel: PI_BYTES behind each ("wire"). On the medium the two lie
 * apart, so that an image holds nothing but user data.
 *
 * [SBC-3] 4.22 protection information model
 */
import { PI_BYTES } from '../../asm/layout.ts';
import type { Unit } from './unit.ts';

/** User data and protection information of the blocks from `lba` on. */
export function readWire(unit: Unit, lba: number, blocks: number): Uint8Array {
  const { blockBytes } = unit.config;
  const tags = tagsOf(unit, lba, blocks);
  const wire = new Uint8Array(blocks * (blockBytes + PI_BYTES));
  for (let n = 0; n < blocks; n++) {
    const at = n * (blockBytes + PI_BYTES);
    unit.medium.read((lba + n) * blockBytes, wire, at, blockBytes);
    wire.set(tags.subarray(n * PI_BYTES, (n + 1) * PI_BYTES), at + blockBytes);
  }
  return wire;
}

export function writeWire(unit: Unit, lba: number, wire: Uint8Array): void {
  const { blockBytes } = unit.config;
  const stride = blockBytes + PI_BYTES;
  const blocks = wire.length / stride;
  const tags = new Uint8Array(blocks * PI_BYTES);
  for (let n = 0; n < blocks; n++) {
    unit.medium.write((lba + n) * blockBytes, wire, n * stride, blockBytes);
    tags.set(wire.subarray(n * stride + blockBytes, (n + 1) * stride), n * PI_BYTES);
  }
  invert(tags);
  unit.tags?.write(lba * PI_BYTES, tags, 0, tags.length);
}

/** No protection information as yet: FFFF_FFFF_FFFF_FFFFh, [SBC-3] 4.22.1. */
export function clearTags(unit: Unit, lba: number, blocks: number): void {
  unit.tags?.unmap(lba * PI_BYTES, blocks * PI_BYTES);
}

/** What was never written is all ones, and zeros on their medium: there it is inverted. */
function tagsOf(unit: Unit, lba: number, blocks: number): Uint8Array {
  const tags = new Uint8Array(blocks * PI_BYTES);
  unit.tags?.read(lba * PI_BYTES, tags, 0, tags.length);
  return invert(tags);
}

function invert(tags: Uint8Array): Uint8Array {
  for (let i = 0; i < tags.length; i++) tags[i] = ~tags[i]! & 0xff;
  return tags;
}

/** The user data alone. */
export function withoutTags(wire: Uint8Array, blockBytes: number): Uint8Array {
  const stride = blockBytes + PI_BYTES;
  const blocks = wire.length / stride;
  const data = new Uint8Array(blocks * blockBytes);
  for (let n = 0; n < blocks; n++) {
    data.set(wire.subarray(n * stride, n * stride + blockBytes), n * blockBytes);
  }
  return data;
}

/** User data with room for protection information behind each block. */
export function withRoom(data: Uint8Array, blockBytes: number): Uint8Array {
  const stride = blockBytes + PI_BYTES;
  const blocks = data.length / blockBytes;
  const wire = new Uint8Array(blocks * stride);
  for (let n = 0; n < blocks; n++) wire.set(data.subarray(n * blockBytes, (n + 1) * blockBytes), n * stride);
  return wire;
}
