/**
 * REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS. CLEAR ACA is none of them, as NORMACA is 0; TARGET RESET and WAKEUP are
 * obsolete. ABORT TASK and QUERY TASK are the host's, which keeps the task set.
 *
 * [SPC-4] 6.36 tables 288 and 289; [SAM-5] 7.1
 */
import { load_be32, store_be32 } from '../bytes/endian';
import { SCRATCH } from './scratch';
import { finish_data_in_from, task_cdb } from './task';
import { LogicalUnit, Nexus } from './unit';

const REPD: u32 = 0x80;
const FIRST: u8 = 0xdc; // ATS, ATSS, CTSS, LURS, QTS
const SECOND: u8 = 0x07; // QAES, QTSS, ITNRS
/** In units of 100 ms. */
const LONG_TIMEOUT: u32 = 100;
const SHORT_TIMEOUT: u32 = 10;

export function report_tmfs(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const extended = (load<u8>(cdb, 2) & REPD) != 0;
  memory.fill(SCRATCH, 0, 16);
  store<u8>(SCRATCH, FIRST);
  store<u8>(SCRATCH, SECOND, 1);
  if (extended) {
    store<u8>(SCRATCH, 12, 3);
    store<u8>(SCRATCH, 1, 4); // TMFTMOV
    store<u8>(SCRATCH, FIRST & 0x18, 5); // the long time-out goes for CLEAR TASK SET and LOGICAL UNIT RESET
    store_be32(SCRATCH + 8, LONG_TIMEOUT);
    store_be32(SCRATCH + 12, SHORT_TIMEOUT);
  }
  return finish_data_in_from(task, load_be32(cdb + 6), SCRATCH, extended ? 16 : 4);
}
