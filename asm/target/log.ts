/**
 * LOG SENSE and LOG SELECT. No log parameter can be saved, and a list of parameters changes none: only the counters
 * can be set to their default, 0.
 *
 * [SPC-4] 6.7 LOG SELECT, table 199 zero PARAMETER LIST LENGTH; 6.8 LOG SENSE
 */
import { load_be16 } from '../bytes/endian';
import { cdb10_length } from '../scsi/cdb';
import { SENSE_LOG_PARAMETERS_CHANGED, SENSE_PARAMETER_LIST_LENGTH } from '../scsi/sense';
import { attention_post_others } from './attention';
import { counters_reset } from './counters';
import { LOG_SUPPORTED, PC_DEFAULT_CUMULATIVE, log_page, log_page_counts, log_page_exists } from './log-page';
import { SCRATCH } from './scratch';
import {
  finish_bad_cdb,
  finish_bad_list,
  finish_check,
  finish_data_in_from,
  finish_good,
  finish_moved,
  task_cdb,
  task_data_out_bytes,
  task_nexus,
  want_out,
} from './task';
import { LogicalUnit, Nexus } from './unit';

const PCR: u32 = 2;
const HEAD_BYTES: u32 = 4;

export function log_sense(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const page: u32 = load<u8>(cdb, 2) & 0x3f;
  const subpage: u32 = load<u8>(cdb, 3);
  const pointer = load_be16(cdb + 5);
  const bytes = log_page(unit, page, subpage, load<u8>(cdb, 2) >> 6);
  if (!bytes) {
    return log_page_exists(page) ? finish_bad_cdb(unit, task, 3, 7) : finish_bad_cdb(unit, task, 2, 5);
  }
  const first = page == LOG_SUPPORTED ? (pointer ? 0 : HEAD_BYTES) : parameter_from(bytes, pointer);
  if (!first) return finish_bad_cdb(unit, task, 5, 7);
  // PAGE LENGTH counts what is returned, from the parameter with the code of PARAMETER POINTER on
  const skipped = first - HEAD_BYTES;
  memory.copy(SCRATCH + HEAD_BYTES, SCRATCH + first, bytes - first);
  const length = load_be16(SCRATCH + 2) - skipped;
  store<u16>(SCRATCH, bswap<u16>(<u16>length), 2);
  return finish_data_in_from(task, cdb10_length(cdb), SCRATCH, bytes - skipped);
}

/** Offset of the first parameter whose code is not less; 0: there is none. */
function parameter_from(bytes: u32, code: u32): u32 {
  for (let at = HEAD_BYTES; at < bytes; at += HEAD_BYTES + load<u8>(SCRATCH + at, 3)) {
    if (load_be16(SCRATCH + at) >= code) return at;
  }
  return 0;
}

export function log_select(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const page: u32 = load<u8>(cdb, 2) & 0x3f;
  const pcr = (load<u8>(cdb, 1) & PCR) != 0;
  const bytes = cdb10_length(cdb);
  if (bytes) {
    if (pcr) return finish_bad_cdb(unit, task, 1, 1);
    if (page) return finish_bad_cdb(unit, task, 2, 5); // the pages of the list name themselves
    if (load<u8>(cdb, 3)) return finish_bad_cdb(unit, task, 3, 7);
    if (!want_out(task, bytes) || bytes < HEAD_BYTES) {
      return finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
    }
    finish_moved(task, bytes, task_data_out_bytes(task));
    return finish_bad_list(unit, task, 0, 5);
  }
  if (page && !log_page_counts(page)) return finish_bad_cdb(unit, task, 2, 5);
  if (load<u8>(cdb, 3)) return finish_bad_cdb(unit, task, 3, 7);
  const resets = pcr || load<u8>(cdb, 2) >> 6 == PC_DEFAULT_CUMULATIVE;
  if (resets && counters_reset(unit, page)) {
    attention_post_others(unit, SENSE_LOG_PARAMETERS_CHANGED, task_nexus(task));
  }
  return finish_good(task);
}
