/**
 * MODE SENSE(6) and (10).
 *
 * [SPC-4] 6.13, 6.14 MODE SENSE, 7.5.4 mode parameter header, 7.5.5 block descriptor, 7.5.7 mode page formats
 * [SBC-3] 6.4.1 device-specific parameter: WP, DPOFUA; 6.4.2 long LBA block descriptor
 */
import { store_be16, store_be32, store_be64 } from '../bytes/endian';
import { cdb10_length } from '../scsi/cdb';
import { MODE_SENSE_10 } from '../scsi/opcode';
import { PAGES_BYTES, mode_changeable, mode_default, mode_page_bytes } from './mode-pages';
import { SCRATCH } from './scratch';
import { finish_bad_cdb, finish_data_in_from, task_cdb } from './task';
import { LogicalUnit, Nexus, mode_current_at, mode_saved_at } from './unit';

const DBD: u32 = 0x08;
const LLBAA: u32 = 0x10;
const ALL_PAGES: u32 = 0x3f;
const ALL_SUBPAGES: u32 = 0xff;
const SPF: u32 = 0x40;

export function mode_sense(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const long = load<u8>(cdb) == MODE_SENSE_10;
  const page: u32 = load<u8>(cdb, 2) & 0x3f;
  const subpage: u32 = load<u8>(cdb, 3);
  const headBytes: u32 = long ? 8 : 4;
  memory.fill(SCRATCH, 0, headBytes + 16);
  const blockBytes = block_descriptor(unit, SCRATCH + headBytes, load<u8>(cdb, 1), long);
  const start = headBytes + blockBytes;
  const end = pages(values(unit, load<u8>(cdb, 2) >> 6), page, subpage, start);
  if (end == start)
    return has_page(page) ? finish_bad_cdb(unit, task, 3, 7) : finish_bad_cdb(unit, task, 2, 5);

  const specific = (unit.writeProtected ? 0x80 : 0) | 0x10; // WP, DPOFUA
  if (long) {
    store_be16(SCRATCH, end - 2);
    store<u8>(SCRATCH, specific, 3);
    store<u8>(SCRATCH, blockBytes == 16 ? 1 : 0, 4); // LONGLBA
    store_be16(SCRATCH + 6, blockBytes);
    return finish_data_in_from(task, cdb10_length(cdb), SCRATCH, end);
  }
  store<u8>(SCRATCH, end - 1);
  store<u8>(SCRATCH, specific, 2);
  store<u8>(SCRATCH, blockBytes, 3);
  return finish_data_in_from(task, load<u8>(cdb, 4), SCRATCH, end);
}

/** The pages with the values that PC asks for: current, changeable, default, saved; [SPC-4] table 181. */
function values(unit: LogicalUnit, pc: u32): usize {
  switch (pc) {
    case 0:
      return mode_current_at(unit);
    case 1:
      return mode_changeable();
    case 2:
      return mode_default(unit);
    default:
      return mode_saved_at(unit);
  }
}

function block_descriptor(unit: LogicalUnit, at: usize, byte1: u32, long: bool): u32 {
  if (byte1 & DBD) return 0;
  if (long && byte1 & LLBAA) {
    store_be64(at, unit.blocks);
    store_be32(at + 12, unit.blockBytes);
    return 16;
  }
  store_be32(at, <u32>min<u64>(unit.blocks, 0xffffffff));
  store_be32(at + 4, unit.blockBytes);
  return 8;
}

function wanted(code: u32, sub: u32, page: u32, subpage: u32): bool {
  if (page != ALL_PAGES && page != code) return false;
  return subpage == ALL_SUBPAGES || subpage == sub;
}

function has_page(page: u32): bool {
  const from = mode_changeable();
  for (let at: u32 = 0; at < PAGES_BYTES; at += mode_page_bytes(from + at)) {
    if ((load<u8>(from + at) & 0x3f) == page) return true;
  }
  return page == ALL_PAGES;
}

/** Copies the pages asked for behind `at` in the scratch memory; returns where they end. */
function pages(from: usize, page: u32, subpage: u32, at: u32): u32 {
  for (let offset: u32 = 0; offset < PAGES_BYTES;) {
    const here = from + offset;
    const bytes = mode_page_bytes(here);
    const sub: u32 = load<u8>(here) & SPF ? load<u8>(here, 1) : 0;
    if (wanted(load<u8>(here) & 0x3f, sub, page, subpage)) {
      memory.copy(SCRATCH + at, here, bytes);
      at += bytes;
    }
    offset += bytes;
  }
  return at;
}
