/**
 * What a command does to the medium, at the end of its time of service: the device server has decided, this moves the
 * blocks. Each action is done as a whole or, when it fails, not at all.
 *
 * [layout] ACTION_*, TASK_FLAG_*, MEDIUM_*
 */
import * as L from '../../asm/layout.ts';
import { compareAndWrite, orWrite, verify, writeSame } from './compound.ts';
import { copy } from './copy.ts';
import { type Failure, type Shop, badBlock, dataOut, deallocate, stride, writeChecked } from './landing.ts';
import { lbaStatus } from './lba-status.ts';
import { readWire, withoutTags } from './protected.ts';
import { type Task, scatter, walk } from './task.ts';
import type { Unit } from './unit.ts';

/** Does the task's action; null when it is done. */
export function act(task: Task, unit: Unit, shop: Shop): Failure | null {
  switch (task.action) {
    case L.ACTION_READ:
      return task.flags & L.TASK_FLAG_PI ? readProtected(task, unit, shop) : read(task, unit);
    case L.ACTION_WRITE:
    case L.ACTION_WRITE_VERIFY:
      return write(task, unit, shop);
    case L.ACTION_SYNC:
      unit.medium.flush();
      unit.tags?.flush();
      return null;
    case L.ACTION_VERIFY:
      return verify(task, unit, shop);
    case L.ACTION_COMPARE_WRITE:
      return compareAndWrite(task, unit, shop);
    case L.ACTION_OR_WRITE:
      return orWrite(task, unit, shop);
    case L.ACTION_WRITE_SAME:
      return writeSame(task, unit, shop);
    case L.ACTION_UNMAP:
      return unmap(task, unit, shop);
    case L.ACTION_LBA_STATUS:
      return lbaStatus(task, unit);
    case L.ACTION_COPY:
      return copy(task, unit, shop);
    default:
      return { kind: L.MEDIUM_HARDWARE, at: 0 }; // an action this disk does not know
  }
}

function read(task: Task, unit: Unit): null {
  const offset = task.lba * unit.config.blockBytes;
  const { list } = task;
  if (list.length === 2 && list[1]! >= task.moved) {
    unit.medium.read(offset, task.memory, list[0]!, task.moved); // most often it is one piece
    return null;
  }
  walk(task, 0, task.moved, (address, done, part) => {
    unit.medium.read(offset + done, task.memory, address, part);
  });
  return null;
}

function readProtected(task: Task, unit: Unit, { bench }: Shop): Failure | null {
  const { blockBytes } = unit.config;
  const wire = readWire(unit, task.lba, task.blocks);
  const bad = bench.check(wire, task.lba, blockBytes, task.flags, true);
  if (bad !== null) return badBlock(bad, task.lba);
  const data = task.flags & L.TASK_FLAG_PI_MOVED ? wire : withoutTags(wire, blockBytes);
  scatter(task, 0, data, 0, Math.min(task.moved, data.length));
  return null;
}

function write(task: Task, unit: Unit, shop: Shop): Failure | null {
  if (unit.writesFail) return { kind: L.MEDIUM_WRITE_ERROR, at: task.lba };
  if (task.flags & L.TASK_FLAG_PI) {
    const data = dataOut(task, task.blocks * stride(task, unit));
    return writeChecked(task, unit, shop, data);
  }
  const offset = task.lba * unit.config.blockBytes;
  const whole = task.blocks * unit.config.blockBytes;
  const bytes = Math.min(task.moved, whole);
  const { list } = task;
  if (list.length === 2 && list[1]! >= bytes) unit.medium.write(offset, task.memory, list[0]!, bytes);
  else if (unit.medium.gather !== undefined) unit.medium.gather(offset, task.memory, list, bytes);
  else
    walk(task, 0, bytes, (address, done, part) => {
      unit.medium.write(offset + done, task.memory, address, part);
    });
  shop.wrote(unit.number, shop.nexus, task.lba, task.blocks);
  return null;
}

function unmap(task: Task, unit: Unit, shop: Shop): Failure | null {
  if (unit.writesFail) return { kind: L.MEDIUM_WRITE_ERROR, at: task.extents[0] ?? 0 };
  for (let i = 0; i < task.extents.length; i += 2) {
    const blocks = task.extents[i + 1]!;
    if (blocks > 0) deallocate(unit, shop, task.extents[i]!, blocks);
  }
  return null;
}
