/**
 * MODE SELECT(6) and (10). All pages of a list are judged before any is changed.
 *
 * [SPC-4] 6.11, 6.12 MODE SELECT, 7.5.4 mode parameter header, 7.5.5 block descriptor, 7.5.7 mode page formats
 * [SBC-3] 6.4.2 block descriptors, 4.15 caches: turning WCE off writes what is cached
 */
import { load_be16, load_be32, load_be64 } from '../bytes/endian';
import { cdb10_length } from '../scsi/cdb';
import { MODE_SELECT_10 } from '../scsi/opcode';
import { SENSE_MODE_PARAMETERS_CHANGED, SENSE_PARAMETER_LIST_LENGTH } from '../scsi/sense';
import { attention_post_others } from './attention';
import { flush } from './medium';
import {
  PAGES_BYTES,
  mode_apply,
  mode_changeable,
  mode_head_bytes,
  mode_page_bytes,
  mode_page_find,
  mode_page_refused,
} from './mode-pages';
import { nv_write } from './nv';
import {
  finish_bad_cdb,
  finish_bad_list,
  finish_check,
  finish_good,
  finish_moved,
  task_cdb,
  task_data_out,
  task_data_out_bytes,
  task_nexus,
  want_out,
} from './task';
import { LogicalUnit, Nexus, mode_current_at, mode_saved_at } from './unit';

const PF: u32 = 0x10;
const SP: u32 = 0x01;

export function mode_select(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const long = load<u8>(cdb) == MODE_SELECT_10;
  const flags: u32 = load<u8>(cdb, 1);
  const bytes: u32 = long ? cdb10_length(cdb) : load<u8>(cdb, 4);
  if (!bytes) {
    if (flags & SP) save(unit, task);
    return finish_good(task);
  }
  if (!(flags & PF)) return finish_bad_cdb(unit, task, 1, 4); // pages of a vendor's own
  if (!want_out(task, bytes)) return finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
  finish_moved(task, bytes, task_data_out_bytes(task));
  const list = task_data_out(task);
  const start = judge_head(unit, task, list, bytes, long);
  if (!start || !judge_pages(unit, task, list, start, bytes)) return 0;
  const wasWriteBack = !unit.writeThrough;
  if (change(unit, list, start, bytes)) {
    attention_post_others(unit, SENSE_MODE_PARAMETERS_CHANGED, task_nexus(task));
  }
  mode_apply(unit);
  if (flags & SP) save(unit, task);
  return wasWriteBack && unit.writeThrough ? flush(unit, task, 0) : finish_good(task);
}

/** Where the pages begin, or 0 when header or block descriptor has ended the command. */
function judge_head(unit: LogicalUnit, task: usize, list: usize, bytes: u32, long: bool): u32 {
  const headBytes: u32 = long ? 8 : 4;
  if (bytes < headBytes) {
    finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
    return 0;
  }
  const longLba = long && (load<u8>(list, 4) & 1) != 0;
  const lengthAt: u32 = long ? 6 : 3;
  const descriptorBytes: u32 = long ? load_be16(list + lengthAt) : load<u8>(list + lengthAt);
  if (load<u8>(list + <u32>(long ? 2 : 1))) {
    finish_bad_list(unit, task, long ? 2 : 1, 7); // MEDIUM TYPE
    return 0;
  }
  if (descriptorBytes && descriptorBytes != <u32>(longLba ? 16 : 8)) {
    finish_bad_list(unit, task, lengthAt, 7);
    return 0;
  }
  if (bytes < headBytes + descriptorBytes) {
    finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
    return 0;
  }
  if (descriptorBytes && !judge_descriptor(unit, task, list, headBytes, longLba)) return 0;
  return headBytes + descriptorBytes;
}

/** The capacity and the block length may be told, not changed. */
function judge_descriptor(unit: LogicalUnit, task: usize, list: usize, at: u32, longLba: bool): bool {
  const blocks: u64 = longLba ? load_be64(list + at) : load_be32(list + at);
  const all: u64 = longLba ? u64.MAX_VALUE : 0xffffffff;
  if (blocks && blocks != all && blocks != unit.blocks) {
    finish_bad_list(unit, task, at, 7);
    return false;
  }
  const lengthAt: u32 = at + (longLba ? 12 : 5);
  const length = longLba ? load_be32(list + lengthAt) : load_be32(list + lengthAt - 1) & 0xffffff;
  if (length == unit.blockBytes) return true;
  finish_bad_list(unit, task, lengthAt, 7);
  return false;
}

/** Each page is one of ours, whole, and differs from the current values only where it may. */
function judge_pages(unit: LogicalUnit, task: usize, list: usize, start: u32, bytes: u32): bool {
  for (let at = start; at < bytes;) {
    const here = list + at;
    if (bytes - at < 2 || (load<u8>(here) & 0x40 && bytes - at < 4)) {
      finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
      return false;
    }
    const offset = mode_page_find(here);
    if (offset < 0) {
      finish_bad_list(unit, task, at, 5);
      return false;
    }
    const mask = mode_changeable() + offset;
    const length = mode_page_bytes(mask);
    if (mode_page_bytes(here) != length) {
      finish_bad_list(unit, task, at + (load<u8>(here) & 0x40 ? 2 : 1), 7);
      return false;
    }
    if (bytes - at < length) {
      finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
      return false;
    }
    const current = mode_current_at(unit) + offset;
    for (let i = mode_head_bytes(mask); i < length; i++) {
      const wrong: u32 = (load<u8>(here + i) ^ load<u8>(current + i)) & ~load<u8>(mask + i);
      if (!wrong) continue;
      finish_bad_list(unit, task, at + i, 31 - clz<u32>(wrong));
      return false;
    }
    const refused = mode_page_refused(here, offset);
    if (refused) {
      finish_bad_list(unit, task, at + (refused >> 8), refused & 7);
      return false;
    }
    at += length;
  }
  return true;
}

/** Makes the pages current. True if a value is another now. */
function change(unit: LogicalUnit, list: usize, start: u32, bytes: u32): bool {
  let changed = false;
  for (let at = start; at < bytes;) {
    const current = mode_current_at(unit) + mode_page_find(list + at);
    const length = mode_page_bytes(current);
    const head = mode_head_bytes(current);
    if (memory.compare(current + head, list + at + head, length - head)) changed = true;
    memory.copy(current + head, list + at + head, length - head);
    at += length;
  }
  return changed;
}

/** SP saves all pages that can be, those of the list and the others, [SPC-4] 6.11. */
function save(unit: LogicalUnit, task: usize): void {
  memory.copy(mode_saved_at(unit), mode_current_at(unit), PAGES_BYTES);
  nv_write(unit, task);
}
