/** What goes to the disk of a chunk: the chunk itself, straight from memory, or its compressed form in the batch's stage. */
import { lz4_compress } from '../bytes/lz4';
import { CHUNK_BYTES, CODEC_LZ4, SECTOR_BYTES } from '../layout';
import { Batch, STAGE_BYTES, Writer, batch_number, stage_of, stage_table } from './writer-state';

/** The chunk stays as it is in memory. */
export const PACK_RAW: u32 = 0;
/** The rest of the stage may be too small for it: another batch. */
export const PACK_FULL: u32 = 0xffffffff;
/** What does not save a block is stored as it is. */
const ROOM: u32 = CHUNK_BYTES - SECTOR_BYTES;
/** lz4_compress writes so far beyond its output. */
const SPILL: u32 = 8;

/** Bytes of the chunk at `at` in the stage of `batch`, from Batch.staged on; or PACK_RAW, PACK_FULL. */
export function pack(area: usize, w: Writer, batch: Batch, at: usize): u32 {
  if (w.codec != CODEC_LZ4) return PACK_RAW;
  const to = stage_of(w, batch_number(area, batch)) + batch.staged;
  const left = STAGE_BYTES - batch.staged;
  if (left <= SPILL) return PACK_FULL;
  const room = min<u32>(left - SPILL, ROOM);
  const bytes = lz4_compress(at, CHUNK_BYTES, to, room, stage_table(w));
  w.packed += CHUNK_BYTES;
  if (!bytes) return room < ROOM ? PACK_FULL : PACK_RAW;
  // The rest of its last block: nothing of an earlier chunk goes out with it.
  memory.fill(to + bytes, 0, blocks_of(bytes) * SECTOR_BYTES - bytes);
  return bytes;
}

export function blocks_of(bytes: u32): u32 {
  return (bytes + SECTOR_BYTES - 1) / SECTOR_BYTES;
}
