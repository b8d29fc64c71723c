/**
 * What all actions on a medium share: whom they may touch, and how blocks land.
 *
 * [SBC-3] 4.22 protection information, 4.7.4.4 deallocated blocks
 */
import * as L from '../../asm/layout.ts';
import { clearTags, withRoom, writeWire } from './protected.ts';
import { type Task, gather } from './task.ts';
import type { Unit } from './unit.ts';
import type { BadBlock, Workbench } from './workbench.ts';

export interface Shop {
  bench: Workbench;
  /** Every disk, by its number: where EXTENDED COPY finds the others. */
  units: readonly Unit[];
  /** Whose action it is. */
  nexus: number;
  /** Whether a copy may read the unit, or write to it, at this moment. */
  mayCopy(unit: number, writes: boolean): boolean;
  wrote(unit: number, nexus: number, lba: number, blocks: number): void;
}

/** MEDIUM_* of lu_medium_error, and what is to blame: an LBA, or an offset in the data. */
export interface Failure {
  kind: number;
  at: number;
}

/** Bytes of a block as it travels. */
export const stride = (task: Task, unit: Unit): number =>
  unit.config.blockBytes + (task.flags & L.TASK_FLAG_PI_MOVED ? L.PI_BYTES : 0);

/** `bytes` bytes of what the initiator sends. */
export function dataOut(task: Task, bytes: number): Uint8Array {
  const data = new Uint8Array(bytes);
  gather(task, 0, data, 0, bytes);
  return data;
}

export const badBlock = (bad: BadBlock, lba: number): Failure => ({
  kind: bad.what === L.PI_BAD_GUARD ? L.MEDIUM_BAD_GUARD : L.MEDIUM_BAD_REF,
  at: lba + bad.index,
});

/** Puts whole blocks on a medium, with the protection information that came or that is made here. */
export function writeChecked(task: Task, unit: Unit, shop: Shop, data: Uint8Array): Failure | null {
  const { blockBytes } = unit.config;
  if (unit.writesFail) return { kind: L.MEDIUM_WRITE_ERROR, at: task.lba };
  if (task.flags & L.TASK_FLAG_PI) {
    const wire = task.flags & L.TASK_FLAG_PI_MOVED ? data : withRoom(data, blockBytes);
    if (wire !== data) shop.bench.make(wire, task.lba, blockBytes);
    else {
      const bad = shop.bench.check(wire, task.lba, blockBytes, task.flags, false);
      if (bad !== null) return badBlock(bad, task.lba);
    }
    writeWire(unit, task.lba, wire);
  } else unit.medium.write(task.lba * blockBytes, data, 0, data.length);
  shop.wrote(unit.number, shop.nexus, task.lba, task.blocks);
  return null;
}

/** Deallocates; data reads as zeros, protection information as ones, [SBC-3] 4.7.4.4. */
export function deallocate(unit: Unit, shop: Shop, lba: number, blocks: number): void {
  const { blockBytes } = unit.config;
  unit.medium.unmap(lba * blockBytes, blocks * blockBytes);
  clearTags(unit, lba, blocks);
  shop.wrote(unit.number, shop.nexus, lba, blocks);
}
