/**
 * How large the writes of a dump are: as the disk likes them best, within what it takes at all and what the writer
 * gathers. The panic handler asks, too: what memory says of the disk must make sense.
 *
 * [SBC-3] 6.5.4 MAXIMUM TRANSFER LENGTH, OPTIMAL TRANSFER LENGTH
 */
import { BATCH_CHUNKS } from '../asm/dump/writer-state';
import { CHUNK_BYTES, SECTOR_BYTES } from '../asm/layout';
import { Disk } from './memory';

const MOST: u32 = (BATCH_CHUNKS * CHUNK_BYTES) / SECTOR_BYTES;
/** A chunk goes out in one piece; encrypted, it is a block longer. */
const LEAST: u32 = CHUNK_BYTES / SECTOR_BYTES + 1;

/** True when a WRITE to this disk can carry a chunk. */
export function takes_chunks(disk: Disk): bool {
  return !disk.transfer_max || disk.transfer_max >= LEAST;
}

export function write_blocks(disk: Disk): u32 {
  const most = disk.transfer_max ? min<u32>(disk.transfer_max, MOST) : MOST;
  const best = disk.transfer_best;
  return max<u32>(best >= LEAST && best < most ? best : most, LEAST);
}
