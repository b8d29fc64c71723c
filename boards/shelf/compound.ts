/**
 * Actions that look at what is on the medium before they write, or instead.
 *
 * [SBC-3] 5.2 COMPARE AND WRITE, 5.9 ORWRITE, 5.30 VERIFY, 5.43 WRITE SAME
 */
import * as L from '../../asm/layout.ts';
import { type Failure, type Shop, badBlock, dataOut, deallocate, stride, writeChecked } from './landing.ts';
import { readWire, withRoom, withoutTags, writeWire } from './protected.ts';
import type { Task } from './task.ts';
import type { Unit } from './unit.ts';

/** Blocks of one step over a large range. */
const STEP = 2048;

/** User data of the blocks, after the protection information is found good. */
function readChecked(task: Task, unit: Unit, shop: Shop, lba: number, blocks: number): Uint8Array | Failure {
  const { blockBytes } = unit.config;
  if (!(task.flags & L.TASK_FLAG_PI)) {
    const data = new Uint8Array(blocks * blockBytes);
    unit.medium.read(lba * blockBytes, data, 0, data.length);
    return data;
  }
  const wire = readWire(unit, lba, blocks);
  const bad = shop.bench.check(wire, lba, blockBytes, task.flags, true);
  return bad === null ? withoutTags(wire, blockBytes) : badBlock(bad, lba);
}

/** Without BYTCHK the blocks are read; with it they are compared with what is sent, [SBC-3] 5.30 tables 114 to 118. */
export function verify(task: Task, unit: Unit, shop: Shop): Failure | null {
  const { blockBytes } = unit.config;
  const each = (task.flags & L.TASK_FLAG_COMPARE) !== 0;
  const one = (task.flags & L.TASK_FLAG_COMPARE_ONE) !== 0;
  if (!each && !one && !(task.flags & L.TASK_FLAG_PI)) return null;
  const sent = dataOut(task, (each ? task.blocks : one ? 1 : 0) * stride(task, unit));
  const moved = (task.flags & L.TASK_FLAG_PI_MOVED) !== 0;
  if (moved && sent.length > 0) {
    const bad = shop.bench.check(sent, task.lba, blockBytes, task.flags, false);
    if (bad !== null) return badBlock(bad, task.lba);
  }
  const data = moved ? withoutTags(sent, blockBytes) : sent;
  for (let done = 0; done < task.blocks; done += STEP) {
    const blocks = Math.min(STEP, task.blocks - done);
    const stored = readChecked(task, unit, shop, task.lba + done, blocks);
    if (!(stored instanceof Uint8Array)) return stored;
    if (!each && !one) continue;
    const other = each
      ? data.subarray(done * blockBytes, (done + blocks) * blockBytes)
      : repeated(data, blocks);
    const at = shop.bench.firstDifference(stored, other);
    if (at >= 0) return { kind: L.MEDIUM_MISCOMPARE, at: task.lba + done + Math.floor(at / blockBytes) };
  }
  return null;
}

function repeated(block: Uint8Array, times: number): Uint8Array {
  const all = new Uint8Array(block.length * times);
  for (let n = 0; n < times; n++) all.set(block, n * block.length);
  return all;
}

/** The first half of the data is compared, the second written; INFORMATION is an offset in the first. */
export function compareAndWrite(task: Task, unit: Unit, shop: Shop): Failure | null {
  const { blockBytes } = unit.config;
  const half = task.blocks * stride(task, unit);
  const sent = dataOut(task, 2 * half);
  const moved = (task.flags & L.TASK_FLAG_PI_MOVED) !== 0;
  const first = sent.subarray(0, half);
  const stored = readChecked(task, unit, shop, task.lba, task.blocks);
  if (!(stored instanceof Uint8Array)) return stored;
  const at = shop.bench.firstDifference(stored, moved ? withoutTags(first, blockBytes) : first);
  if (at >= 0) {
    const block = Math.floor(at / blockBytes);
    return { kind: L.MEDIUM_MISCOMPARE_AT, at: block * stride(task, unit) + (at % blockBytes) };
  }
  return writeChecked(task, unit, shop, sent.subarray(half));
}

/** What is stored or-ed with what is sent. Its guard is made anew, application tags stay as they were sent. */
export function orWrite(task: Task, unit: Unit, shop: Shop): Failure | null {
  const { blockBytes } = unit.config;
  const sent = dataOut(task, task.blocks * stride(task, unit));
  const moved = (task.flags & L.TASK_FLAG_PI_MOVED) !== 0;
  if (moved) {
    const bad = shop.bench.check(sent, task.lba, blockBytes, task.flags, false);
    if (bad !== null) return badBlock(bad, task.lba);
  }
  const result = readChecked(task, unit, shop, task.lba, task.blocks);
  if (!(result instanceof Uint8Array)) return result;
  shop.bench.or(result, moved ? withoutTags(sent, blockBytes) : sent);
  if (!moved) return writeChecked(task, unit, shop, result);
  if (unit.writesFail) return { kind: L.MEDIUM_WRITE_ERROR, at: task.lba };
  const wire = withRoom(result, blockBytes);
  shop.bench.make(wire, task.lba, blockBytes);
  for (let n = 0; n < task.blocks; n++) {
    const app = n * (blockBytes + L.PI_BYTES) + blockBytes + L.PI_APP_AT;
    wire.set(sent.subarray(app, app + 2), app);
  }
  writeWire(unit, task.lba, wire);
  shop.wrote(unit.number, shop.nexus, task.lba, task.blocks);
  return null;
}

/** One block to all; with UNMAP they are deallocated where that reads the same, [SBC-3] 5.43.1 table 145. */
export function writeSame(task: Task, unit: Unit, shop: Shop): Failure | null {
  const { blockBytes } = unit.config;
  const none = (task.flags & L.TASK_FLAG_NO_DATA) !== 0;
  const size = stride(task, unit);
  const sent = none ? new Uint8Array(size) : dataOut(task, size);
  if (none) sent.fill(0xff, blockBytes);
  else if (task.flags & L.TASK_FLAG_PI_MOVED) {
    const bad = shop.bench.check(sent, task.lba, blockBytes, task.flags, false);
    if (bad !== null) return badBlock(bad, task.lba);
  }
  if (unit.writesFail) return { kind: L.MEDIUM_WRITE_ERROR, at: task.lba };
  if (task.flags & L.TASK_FLAG_UNMAP && readsAsUnmapped(sent, blockBytes)) {
    deallocate(unit, shop, task.lba, task.blocks);
    return null;
  }
  for (let done = 0; done < task.blocks; done += STEP) {
    sameBlocks(task, unit, shop, sent, done, Math.min(STEP, task.blocks - done));
  }
  shop.wrote(unit.number, shop.nexus, task.lba, task.blocks);
  return null;
}

/** Zeros, and protection information, if any was sent, that is all ones. */
function readsAsUnmapped(sent: Uint8Array, blockBytes: number): boolean {
  return sent.every((byte, at) => byte === (at < blockBytes ? 0 : 0xff));
}

function sameBlocks(
  task: Task,
  unit: Unit,
  shop: Shop,
  sent: Uint8Array,
  done: number,
  blocks: number,
): void {
  const { blockBytes } = unit.config;
  const lba = task.lba + done;
  if (!(task.flags & L.TASK_FLAG_PI)) {
    return unit.medium.write(lba * blockBytes, repeated(sent, blocks), 0, blocks * blockBytes);
  }
  if (!(task.flags & L.TASK_FLAG_PI_MOVED)) {
    const wire = withRoom(repeated(sent, blocks), blockBytes);
    shop.bench.make(wire, lba, blockBytes);
    return writeWire(unit, lba, wire);
  }
  const wire = repeated(sent, blocks);
  const isNone = (task.flags & L.TASK_FLAG_NO_DATA) !== 0;
  if (!isNone) countTags(wire, blockBytes, done);
  writeWire(unit, lba, wire);
}

/** The reference tag that was sent is the first block's; it grows by one a block, [SBC-3] 5.43.1. */
function countTags(wire: Uint8Array, blockBytes: number, done: number): void {
  const view = new DataView(wire.buffer, wire.byteOffset, wire.length);
  const size = blockBytes + L.PI_BYTES;
  for (let n = 0; n * size < wire.length; n++) {
    const at = n * size + blockBytes + L.PI_REF_AT;
    view.setUint32(at, view.getUint32(at) + done + n);
  }
}
