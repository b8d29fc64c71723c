/** A dump that was given up for another disk, which completed it: nothing there is worth keeping. */
import {
  ABORT_NONE,
  ATTRIBUTE_ABORTED,
  ATTRIBUTE_COMPLETED,
  ATTRIBUTE_INACTIVE,
  SAVED_DONE,
} from '../asm/layout';
import { DISK_MAX } from './layout';
import { Disk, disk_at } from './memory';

export function dropped(disk: Disk): bool {
  if (disk.attribute != ATTRIBUTE_ABORTED) return false;
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    const other = disk_at(d);
    // One that was saved and did not complete may be the worse of the two.
    const saved =
      other.attribute == ATTRIBUTE_INACTIVE &&
      other.header_saved == SAVED_DONE &&
      other.header_abort == <u16>ABORT_NONE;
    if (!other.present || (other.attribute != ATTRIBUTE_COMPLETED && !saved)) continue;
    if (other.header_system == disk.header_system && other.header_epoch == disk.header_epoch) return true;
  }
  return false;
}
