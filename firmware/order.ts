/**
 * The order in which memory is dumped, fixed beforehand by importance: firmware state with the panic record, the log,
 * the trace, static data and buffers, the cache's index, then the cache, hottest lines first, then all that is left.
 * Cut anywhere, what was written is of use. A chunk is a wasm page.
 */
import { CHUNK_BYTES, PAGE_BYTES } from '../asm/layout';
import { ecc_next } from './board';
import { cache_count, cache_first_line } from './cache';
import { CACHE_AT, CORE_AT, LOG_AT, SCRATCH_AT, TRACE_AT, WORK_AT, WORK_BYTES } from './layout';
import { cache_at } from './memory';

export const REGION_STATE: u32 = 1;
export const REGION_LOG: u32 = 2;
export const REGION_TRACE: u32 = 3;
export const REGION_STATIC: u32 = 4;
export const REGION_BUFFERS: u32 = 5;
export const REGION_WORK: u32 = 6;
export const REGION_INDEX: u32 = 7;
export const REGION_CACHE: u32 = 8;
const REGIONS: u32 = 7;

/** First chunk and number of chunks of region 1 to 7, the ones that lie in one piece. */
export function region_first(region: u32): u32 {
  switch (region) {
    case REGION_STATE:
      return CORE_AT / CHUNK_BYTES;
    case REGION_LOG:
      return LOG_AT / CHUNK_BYTES;
    case REGION_TRACE:
      return TRACE_AT / CHUNK_BYTES;
    case REGION_STATIC:
      return 0;
    case REGION_BUFFERS:
      return SCRATCH_AT / CHUNK_BYTES;
    case REGION_WORK:
      return WORK_AT / CHUNK_BYTES;
    default:
      return CACHE_AT / CHUNK_BYTES;
  }
}

export function region_chunks(region: u32): u32 {
  switch (region) {
    case REGION_STATE:
      return (LOG_AT - CORE_AT) / CHUNK_BYTES;
    case REGION_STATIC:
      return CORE_AT / CHUNK_BYTES;
    case REGION_BUFFERS:
      return (WORK_AT - SCRATCH_AT) / CHUNK_BYTES;
    case REGION_WORK:
      return WORK_BYTES / CHUNK_BYTES;
    case REGION_INDEX:
      return cache_first_line() - CACHE_AT / CHUNK_BYTES;
    default:
      return 1;
  }
}

export const ORDER_END: u32 = 0xffffffff;
/** Nothing found within this call's bound; ask again. */
export const ORDER_LATER: u32 = 0xfffffffe;
const LOOK_MAX: u32 = 2048;

/** Where the walk is; it lies in the panic handler's work area. */
@unmanaged
export class Walk {
  region: u32; // 1 to 7, then 8: cache by heat, 9: what is left
  at: u32;
  heat: u32;
  done: u32; // address of a bit a chunk
  page: u32; // + 1: of the index, looked at last
  lost: u32; // 1: it cannot be read
}

export function walk_begin(walk: Walk, done: u32): void {
  walk.region = 1;
  walk.at = 0;
  walk.heat = 15;
  walk.done = done;
  walk.page = walk.lost = 0;
}

/** The next chunk to dump; ORDER_LATER or ORDER_END. */
export function walk_next(walk: Walk): u32 {
  for (let looked: u32 = 0; looked < LOOK_MAX; looked++) {
    const chunk = step(walk);
    if (chunk == ORDER_END) return chunk;
    if (chunk < <u32>memory.size() && mark(walk.done, chunk)) return chunk;
  }
  return ORDER_LATER;
}

function step(walk: Walk): u32 {
  if (walk.region <= REGIONS) {
    if (walk.at < region_chunks(walk.region)) return region_first(walk.region) + walk.at++;
    walk.region++;
    walk.at = 0;
    return ORDER_LATER;
  }
  if (walk.region == REGION_CACHE) {
    if (walk.at >= cache_count()) {
      walk.at = 0;
      if (--walk.heat == 0) walk.region++;
      return ORDER_LATER;
    }
    const line = walk.at++;
    if (is_lost(walk, line)) return ORDER_LATER;
    const e = cache_at(line);
    return e.used && <u32>e.heat == walk.heat ? cache_first_line() + line : ORDER_LATER;
  }
  return walk.at < <u32>memory.size() ? walk.at++ : ORDER_END;
}

/** True when the index entry of the line cannot be read, so that nobody knows how hot it is: it comes with the rest. */
function is_lost(walk: Walk, line: u32): bool {
  const entry = changetype<usize>(cache_at(line));
  const page = <u32>(entry / PAGE_BYTES);
  if (walk.page != page + 1) {
    walk.page = page + 1;
    walk.lost = ecc_next(page) == page ? 1 : 0;
  }
  return walk.lost != 0;
}

/** True when the bit was not set before. */
function mark(done: u32, chunk: u32): bool {
  const place = <usize>(done + (chunk >> 3));
  const bit = <u8>((<u32>1) << (chunk & 7));
  const before = load<u8>(place);
  store<u8>(place, before | bit);
  return (before & bit) == 0;
}

export function is_work_area(chunk: u32): bool {
  return chunk >= WORK_AT / CHUNK_BYTES && chunk < (WORK_AT + WORK_BYTES) / CHUNK_BYTES;
}
