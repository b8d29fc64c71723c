/**
 * The mode pages: read-write error recovery, disconnect-reconnect, caching, control, control extension, power
 * condition, informational exceptions. Pages stand one behind the other by code, as MODE SENSE returns them.
 *
 * [SPC-4] 7.5.8 control (0Ah), 7.5.9 control extension (0Ah/01h), 7.5.10 disconnect-reconnect (02h), 7.5.11
 *         informational exceptions control (1Ch), 7.5.13 power condition (1Ah)
 * [SBC-3] 6.4.5 caching (08h), 6.4.6 informational exceptions (1Ch), 6.4.7 read-write error recovery (01h)
 */
import { load_be16 } from '../bytes/endian';
import {
  LU_CONFIG_FLAGS_AT,
  LU_CONTROL_INTERLOCK,
  LU_CONTROL_QERR,
  LU_CONTROL_QERR_OWN,
  LU_CONTROL_TAS,
  LU_FLAG_DESCRIPTOR_SENSE,
  LU_FLAG_READ_ONLY,
  LU_FLAG_WRITE_CACHE,
} from '../layout';
import { KEY_UNIT_ATTENTION, SENSE_FALSE_FAILURE_PREDICTION } from '../scsi/sense';
import { attention_post_all } from './attention';
import { LogicalUnit, config_at, mode_current_at, mode_saved_at } from './unit';

const CACHING_AT: usize = 28;
const CONTROL_AT: usize = 48;
const EXCEPTIONS_AT: usize = 132;
export const PAGES_BYTES: u32 = 144;
const WCE: u32 = 0x04; // byte 2 of caching
const RCD: u32 = 0x01;
const D_SENSE: u32 = 0x04; // byte 2 of control
const QERR: u32 = 0x06; // byte 3
const QERR_ALL: u32 = 0x02;
const QERR_RESERVED: u32 = 0x04;
const INTERLOCK: u32 = 0x20; // byte 4: UA_INTLCK_CTRL 10b
const SWP: u32 = 0x08;
const TAS: u32 = 0x40; // byte 5
const DEXCPT: u32 = 0x08; // byte 2 of informational exceptions
const TEST: u32 = 0x04;
const MRIE_NONE: u32 = 0; // byte 3
const MRIE_UNIT_ATTENTION: u32 = 2;
const MRIE_ON_REQUEST: u32 = 6;

// PS is 1 in each: all can be saved
const DEFAULTS = memory.data<u8>([
  // 01h: AWRE, ARRE; retry counts 1
  0x81, 0x0a, 0xc0, 0x01, 0, 0, 0, 0, 0x01, 0, 0, 0,
  // 02h: no limit of any kind
  0x82, 0x0e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  // 08h: WCE by configuration; prefetch as the disk likes
  0x88, 0x12, 0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0,
  // 0Ah: TST 000b, D_SENSE by configuration, GLTSD; unrestricted reordering, QERR 00b; BUSY TIMEOUT unlimited;
  // EXTENDED SELF-TEST COMPLETION TIME 1 s
  0x8a,
  0x0a, 0x02, 0x10, 0, 0, 0, 0, 0xff, 0xff, 0, 1,
  // 0Ah/01h
  0xca, 0x01, 0x00, 0x1c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  // 1Ah: no timer runs
  0x9a, 0x26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0,
  // 1Ch: DEXCPT, MRIE 0
  0x9c, 0x0a, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

/** 1 where a value may be changed. */
const CHANGEABLE = memory.data<u8>([
  // 01h
  0x81, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  // 02h
  0x82, 0x0e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  // 08h: WCE, RCD
  0x88, 0x12, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  // 0Ah: D_SENSE; QERR; UA_INTLCK_CTRL 00b and 10b, SWP; TAS
  0x8a, 0x0a, 0x04, 0x06, 0x28, 0x40, 0, 0, 0, 0, 0, 0,
  // 0Ah/01h
  0xca, 0x01, 0x00, 0x1c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  // 1Ah
  0x9a, 0x26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0,
  // 1Ch: DEXCPT, TEST; MRIE
  0x9c, 0x0a, 0x0c, 0x0f, 0, 0, 0, 0, 0, 0, 0, 0,
]);

const DEFAULT_SCRATCH = memory.data(160, 16);

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

/** Saved values as shipped. */
export function mode_ship(unit: LogicalUnit): void {
  memory.copy(mode_saved_at(unit), mode_default(unit), PAGES_BYTES);
}

/**
 * Saved values from `bytes` bytes of pages that were saved once, maybe by a logical unit with other pages: of those
 * that are still there, what can be changed.
 */
export function mode_load(unit: LogicalUnit, pages: usize, bytes: u32): void {
  mode_ship(unit);
  for (let at: u32 = 0; bytes - at >= 4;) {
    const page = pages + at;
    const length = mode_page_bytes(page);
    if (length > bytes - at) return;
    const offset = mode_page_find(page);
    if (offset >= 0 && mode_page_bytes(CHANGEABLE + offset) == length) {
      for (let i = mode_head_bytes(page); i < length; i++) {
        const mask = load<u8>(CHANGEABLE + offset + i);
        const saved = mode_saved_at(unit) + offset + i;
        store<u8>(saved, (load<u8>(saved) & ~mask) | (load<u8>(page + i) & mask));
      }
    }
    at += length;
  }
}

/** Current values as saved, after power on or a reset, [SPC-4] 5.11. */
export function mode_restore(unit: LogicalUnit): void {
  memory.copy(mode_current_at(unit), mode_saved_at(unit), PAGES_BYTES);
  mode_apply(unit);
}

/** Bytes of a page's header, which is no value. */
export function mode_head_bytes(page: usize): u32 {
  return load<u8>(page) & 0x40 ? 4 : 2;
}

/**
 * Byte << 8 | leftmost bit of a value that a changeable field must not have, in the page at `page` whose offset among
 * the pages is `offset`; 0: there is none.
 */
export function mode_page_refused(page: usize, offset: usize): u32 {
  if (offset == CONTROL_AT) return (load<u8>(page, 3) & QERR) == QERR_RESERVED ? 0x302 : 0;
  if (offset != EXCEPTIONS_AT) return 0;
  const flags: u32 = load<u8>(page, 2);
  if ((flags & (DEXCPT | TEST)) == (DEXCPT | TEST)) return 0x202; // [SPC-4] 7.5.11
  const mrie: u32 = load<u8>(page, 3) & 15;
  return mrie == MRIE_NONE || mrie == MRIE_UNIT_ATTENTION || mrie == MRIE_ON_REQUEST ? 0 : 0x303;
}

/** Makes the current values count. */
export function mode_apply(unit: LogicalUnit): void {
  const caching = mode_current_at(unit) + CACHING_AT;
  const control = mode_current_at(unit) + CONTROL_AT;
  const readOnly = load<u32>(config_at(unit), LU_CONFIG_FLAGS_AT) & LU_FLAG_READ_ONLY;
  unit.writeThrough = load<u8>(caching, 2) & WCE ? 0 : 1;
  unit.readThrough = load<u8>(caching, 2) & RCD ? 1 : 0;
  unit.descriptorSense = load<u8>(control, 2) & D_SENSE ? 1 : 0;
  unit.writeProtected = readOnly || load<u8>(control, 4) & SWP ? 1 : 0;
  const qerr: u32 = load<u8>(control, 3) & QERR;
  unit.control =
    (load<u8>(control, 5) & TAS ? LU_CONTROL_TAS : 0) |
    (qerr ? LU_CONTROL_QERR : 0) |
    (qerr > QERR_ALL ? LU_CONTROL_QERR_OWN : 0) |
    (load<u8>(control, 4) & INTERLOCK ? LU_CONTROL_INTERLOCK : 0);
  apply_exceptions(unit);
}

/** Only a test creates an informational exception: nothing in here wears out. [SPC-4] 7.5.11 */
function apply_exceptions(unit: LogicalUnit): void {
  const page = mode_current_at(unit) + EXCEPTIONS_AT;
  const before = unit.exception;
  const method: u32 = load<u8>(page, 3) & 15;
  unit.exception = load<u8>(page, 2) & TEST ? SENSE_FALSE_FAILURE_PREDICTION : 0;
  unit.exceptionPolled = method == MRIE_ON_REQUEST ? 1 : 0;
  if (unit.exception && !before && method == MRIE_UNIT_ATTENTION) {
    attention_post_all(unit, (KEY_UNIT_ATTENTION << 16) | unit.exception);
  }
}
