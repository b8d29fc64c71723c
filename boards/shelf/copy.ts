/**
 * EXTENDED COPY, block to block, between disks of the shelf or within one.
 *
 * [SPC-4] 6.4.6.3 block device to block device segment descriptor
 */
import * as L from '../../asm/layout.ts';
import type { Failure, Shop } from './landing.ts';
import type { Unit } from './unit.ts';
import { withRoom, writeWire } from './protected.ts';
import type { Task } from './task.ts';

const STEP_BYTES = 1 << 20;

/**
 * The time of service has passed since the list was judged, and the reservations may be others': each segment asks
 * again, so that nothing lands on a disk from which the initiator was preempted meanwhile, [SPC-4] 5.13.11.2.6.
 *
 * The extents are source unit, destination unit, source LBA, destination LBA, bytes. Those before a failure stand.
 */
export function copy(task: Task, unit: Unit, shop: Shop): Failure | null {
  const { extents } = task;
  for (let i = 0; i < extents.length; i += 5) {
    const source = shop.units[extents[i]!];
    const destination = shop.units[extents[i + 1]!];
    const reachable = source?.dead === false && destination?.dead === false;
    if (source === undefined || destination === undefined || !reachable) {
      return { kind: L.MEDIUM_COPY_UNREACHABLE, at: i / 5 };
    }
    const allowed = shop.mayCopy(source.number, false) && shop.mayCopy(destination.number, true);
    if (!allowed || destination.writesFail) return { kind: L.MEDIUM_COPY_FAILED, at: i / 5 };
    segment(shop, source, destination, extents[i + 2]!, extents[i + 3]!, extents[i + 4]!);
  }
  return null;
}

/** All is read before anything is written: the two may overlap. */
function segment(shop: Shop, source: Unit, destination: Unit, from: number, to: number, bytes: number): void {
  const size = destination.config.blockBytes;
  const data = new Uint8Array(bytes);
  source.medium.read(from * source.config.blockBytes, data, 0, bytes);
  for (let done = 0; done < bytes; done += STEP_BYTES) {
    const part = data.subarray(done, Math.min(bytes, done + STEP_BYTES));
    const lba = to + done / size;
    if (destination.tags === null) destination.medium.write(lba * size, part, 0, part.length);
    else {
      const wire = withRoom(part, size);
      shop.bench.make(wire, lba, size);
      writeWire(destination, lba, wire);
    }
  }
  shop.wrote(destination.number, shop.nexus, to, bytes / size);
}
