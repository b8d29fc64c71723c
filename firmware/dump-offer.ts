/** A chunk goes to the dump writer, its poisoned pages left alone. */
import { writer_offer } from '../asm/dump/writer';
import { CHUNK_PAGES, MISSING_POISONED } from '../asm/layout';
import { ecc_next, trace_event } from './board';
import { DUMP_WRITER, dump } from './dump-state';
import { EV_LEFT_OUT } from './layout';
import { is_work_area } from './order';

/** False when it must be offered again. */
export function offer_one(chunk: u32): bool {
  // The work area was zero when memory was frozen; what is in it now is the dump's own.
  if (is_work_area(chunk)) return writer_offer(DUMP_WRITER, chunk, true, 0);
  const poison = poison_of(chunk);
  const done = writer_offer(DUMP_WRITER, chunk, false, poison);
  if (done && poison) trace_event(EV_LEFT_OUT, chunk, MISSING_POISONED, poison);
  return done;
}

/**
 * Pages of it that neither a CPU nor the HBA may read, bit n for page n: asked before anything looks at the chunk. No
 * other page gets poisoned while the panic handler runs, for that would be a panic in a panic.
 */
export function poison_of(chunk: u32): u32 {
  const d = dump();
  const first = chunk * CHUNK_PAGES;
  if (first >= d.clean_from && first + CHUNK_PAGES <= d.clean_to) return 0;
  let poison: u32 = 0;
  for (let page = first; page < first + CHUNK_PAGES; page++) {
    const next = ecc_next(page);
    d.clean_from = page;
    d.clean_to = next;
    if (next < page || next - first >= <u32>CHUNK_PAGES) break;
    poison |= 1 << (next - first);
    page = next;
  }
  return poison;
}
