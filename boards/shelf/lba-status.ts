/**
 * GET LBA STATUS: what of the medium is mapped, as the medium itself knows it.
 *
 * [SBC-3] 5.4.3 GET LBA STATUS parameter data: 8 bytes, then 16 a descriptor
 */
import type { Failure } from './landing.ts';
import type { Unit } from './unit.ts';
import type { Task } from './task.ts';

const HEAD_BYTES = 8;
const DESCRIPTOR_BYTES = 16;
const MAPPED = 0;
const DEALLOCATED = 1;

/** As many descriptors as the allocation length has room for, at least one. The task's blocks are those to the end. */
export function lbaStatus(task: Task, unit: Unit): Failure | null {
  const { blockBytes } = unit.config;
  const most = Math.max(1, Math.floor((task.moved - HEAD_BYTES) / DESCRIPTOR_BYTES));
  const data = new Uint8Array(HEAD_BYTES + most * DESCRIPTOR_BYTES);
  const view = new DataView(data.buffer);
  let count = 0;
  const end = unit.medium.bytes / blockBytes;
  for (let lba = task.lba; lba < end && count < most; count++) {
    const { mapped, bytes } = unit.medium.extent(lba * blockBytes);
    const blocks = Math.min(bytes / blockBytes, 0xffff_ffff);
    const at = HEAD_BYTES + count * DESCRIPTOR_BYTES;
    view.setUint32(at, Math.floor(lba / 2 ** 32));
    view.setUint32(at + 4, lba % 2 ** 32);
    view.setUint32(at + 8, blocks);
    data[at + 12] = mapped ? MAPPED : DEALLOCATED;
    lba += blocks;
  }
  const length = HEAD_BYTES + count * DESCRIPTOR_BYTES;
  view.setUint32(0, length - 4); // PARAMETER DATA LENGTH
  task.moved = Math.min(task.moved, length);
  task.residual = task.bytes - task.moved;
  task.reply = data.subarray(0, task.moved);
  return null;
}
