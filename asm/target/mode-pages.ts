/**
 * The mode pages: read-write error recovery, caching, control, control extension, informational exceptions. Pages
 * stand one behind the other by code, as MODE SENSE returns them.
 *
 * [SPC-4] 7.5.8 control (0Ah), 7.5.9 control extension (0Ah/01h)
 * [SBC-3] 6.4.5 caching (08h), 6.4.6 informational exceptions (1Ch), 6.4.7 read-write error recovery (01h)
 */
import { load_be16 } from '../bytes/endian';
import {
  LU_CONFIG_FLAGS_AT,
  LU_FLAG_DESCRIPTOR_SENSE,
  LU_FLAG_READ_ONLY,
  LU_FLAG_WRITE_CACHE,
} from '../layout';
import { LogicalUnit, config_at, mode_current_at, mode_saved_at } from './unit';

const CACHING_AT: usize = 12;
const CONTROL_AT: usize = 32;
export const PAGES_BYTES: u32 = 88;
const WCE: u8 = 0x04; // byte 2 of caching
const D_SENSE: u8 = 0x04; // byte 2 of control
const SWP: u8 = 0x08; // byte 4 of control

// PS is 1 in each: all can be saved
const DEFAULTS = memory.data<u8>([
  // 01h: AWRE, ARRE; retry counts 1
  0x81, 0x0a, 0xc0, 0x01, 0, 0, 0, 0, 0x01, 0, 0, 0,
  // 08h: WCE by configuration; prefetch as the disk likes
  0x88, 0x12, 0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0,
  // 0Ah: TST 000b, D_SENSE by configuration, GLTSD; unrestricted reordering, QERR 00b; BUSY TIMEOUT unlimited
  0x8a, 0x0a, 0x02, 0x10, 0, 0, 0, 0, 0xff, 0xff, 0, 0,
  // 0Ah/01h
  0xca, 0x01, 0x00, 0x1c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  // 1Ch: DEXCPT, MRIE 0
  0x9c, 0x0a, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

/** 1 where a value may be changed. */
const CHANGEABLE = memory.data<u8>([
  // 01h
  0x81, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  // 08h: WCE
  0x88, 0x12, 0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  // 0Ah: D_SENSE; SWP
  0x8a, 0x0a, 0x04, 0, 0x08, 0, 0, 0, 0, 0, 0, 0,
  // 0Ah/01h
  0xca, 0x01, 0x00, 0x1c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  // 1Ch
  0x9c, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

const DEFAULT_SCRATCH = memory.data(96, 16);

/** Bytes of the page at `at` with its header, [SPC-4] 7.5.7. */
export function mode_page_bytes(at: usize): u32 {
  return load<u8>(at) & 0x40 ? load_be16(at + 2) + 4 : <u32>load<u8>(at, 1) + 2;
}

/** Offset among the pages of the one with the code (and subpage) of the page at `page`, or -1. PS is not looked at. */
export function mode_page_find(page: usize): i32 {
  const code: u32 = load<u8>(page) & 0x7f;
  for (let offset: u32 = 0; offset < PAGES_BYTES; offset += mode_page_bytes(CHANGEABLE + offset)) {
    const here = CHANGEABLE + offset;
    if (((<u32>load<u8>(here)) & 0x7f) != code) continue;
    if (!(code & 0x40) || load<u8>(here, 1) == load<u8>(page, 1)) return offset;
  }
  return -1;
}

export function mode_changeable(): usize {
  return CHANGEABLE;
}

/** The default values of this logical unit, in working memory. */
export function mode_default(unit: LogicalUnit): usize {
  const flags = load<u32>(config_at(unit), LU_CONFIG_FLAGS_AT);
  memory.copy(DEFAULT_SCRATCH, DEFAULTS, PAGES_BYTES);
  if (flags & LU_FLAG_WRITE_CACHE) store<u8>(DEFAULT_SCRATCH + CACHING_AT, WCE, 2);
  if (flags & LU_FLAG_DESCRIPTOR_SENSE) store<u8>(DEFAULT_SCRATCH + CONTROL_AT, D_SENSE | 0x02, 2);
  return DEFAULT_SCRATCH;
}

/** Current and saved values as shipped. */
export function mode_ship(unit: LogicalUnit): void {
  memory.copy(mode_saved_at(unit), mode_default(unit), PAGES_BYTES);
  mode_restore(unit);
}

/** Current values as saved, after power on or a reset, [SPC-4] 5.11. */
export function mode_restore(unit: LogicalUnit): void {
  memory.copy(mode_current_at(unit), mode_saved_at(unit), PAGES_BYTES);
  mode_apply(unit);
}

/** Makes the current values count. */
export function mode_apply(unit: LogicalUnit): void {
  const current = mode_current_at(unit);
  const readOnly = load<u32>(config_at(unit), LU_CONFIG_FLAGS_AT) & LU_FLAG_READ_ONLY;
  unit.writeThrough = load<u8>(current + CACHING_AT, 2) & WCE ? 0 : 1;
  unit.descriptorSense = load<u8>(current + CONTROL_AT, 2) & D_SENSE ? 1 : 0;
  unit.writeProtected = readOnly || load<u8>(current + CONTROL_AT, 4) & SWP ? 1 : 0;
}
