/**
 * The buffer cache: lines of 64 KiB, set-associative, each with a heat that says how much it is wanted. All of RAM
 * behind the memory map is cache; the dump writes it hottest first.
 */
import { CACHE_AT, CACHE_ENTRY_BYTES, CACHE_LINE_BYTES } from './layout';
import { cache_at, core, volume_at } from './memory';

export const CACHE_WAYS: u32 = 8;
const PAGES_PER_LINE: u32 = 16;
const BLOCKS_PER_PAGE: u32 = 8;
const NO_LINE: u32 = 0xffffffff;

const FIRST: u32 = CACHE_AT / CACHE_LINE_BYTES;

/** Pages of 64 KiB that the entries take. Counts pages, never addresses: in a memory of 4 GiB the end is 0. */
function head_pages(): u32 {
  const lines = <u32>memory.size() - FIRST;
  return (lines * CACHE_ENTRY_BYTES + CACHE_LINE_BYTES - 1) / CACHE_LINE_BYTES;
}

/** Number of the page that is line 0. From the size of memory alone: the panic handler asks, and believes no more. */
export function cache_first_line(): u32 {
  return FIRST + head_pages();
}

export function cache_count(): u32 {
  return ((<u32>memory.size() - cache_first_line()) / CACHE_WAYS) * CACHE_WAYS;
}

/** Divides RAM behind the map into entries and lines. */
export function cache_init(): void {
  const c = core();
  c.cache_sets = cache_count() / CACHE_WAYS;
  c.cache_lines = cache_first_line() * CACHE_LINE_BYTES;
}

function set_of(volume: u32, extent: u32): u32 {
  const mixed = (extent + volume * 0x9e3779b1) * 0x85ebca6b;
  return (mixed ^ (mixed >> 15)) % core().cache_sets;
}

/** The line that holds this extent of the volume, or NO_LINE. */
export function cache_find(volume: u32, extent: u32): u32 {
  const first = set_of(volume, extent) * CACHE_WAYS;
  const generation = volume_at(volume).generation;
  for (let way: u32 = 0; way < CACHE_WAYS; way++) {
    const e = cache_at(first + way);
    if (e.used && e.extent == extent && e.volume == <u16>volume && e.generation == generation)
      return first + way;
  }
  return NO_LINE;
}

/** A line for this extent, the coldest of its set; NO_LINE when all of the set are busy. */
export function cache_place(volume: u32, extent: u32): u32 {
  const first = set_of(volume, extent) * CACHE_WAYS;
  let best = NO_LINE;
  let coldest: u32 = 256;
  for (let way: u32 = 0; way < CACHE_WAYS; way++) {
    const e = cache_at(first + way);
    if (e.busy) continue;
    if (!e.used || e.generation != volume_at(e.volume).generation) {
      best = first + way;
      break;
    }
    if (e.heat < <u8>coldest || coldest == 256) {
      coldest = e.heat;
      best = first + way;
    }
    if (e.heat) e.heat--; // what is not asked for cools down when its set needs room
  }
  if (best == NO_LINE) return best;
  const e = cache_at(best);
  e.used = 1;
  e.volume = <u16>volume;
  e.extent = extent;
  e.valid = 0;
  e.heat = 0;
  e.generation = volume_at(volume).generation;
  return best;
}

/** Forgets all lines of a volume, at once: they are of an older generation now. */
export function cache_forget(volume: u32): void {
  volume_at(volume).generation++;
}

/** Bits of the pages that `blocks` blocks from `first` touch, or with `touched` false only those they fill. */
export function page_mask(first: u32, blocks: u32, touched: bool): u32 {
  const end = first + blocks;
  const from = touched ? first / BLOCKS_PER_PAGE : (first + BLOCKS_PER_PAGE - 1) / BLOCKS_PER_PAGE;
  const to = touched
    ? min<u32>((end + BLOCKS_PER_PAGE - 1) / BLOCKS_PER_PAGE, PAGES_PER_LINE)
    : end / BLOCKS_PER_PAGE;
  if (to <= from) return 0;
  return ((1 << to) - 1) & ~((1 << from) - 1);
}
