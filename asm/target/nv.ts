/**
 * What outlives power loss, the persistent reservation, the saved mode pages and a sanitize operation: an image in two
 * slots, of which a change writes only the older. A torn write of one leaves the other, so what is lost is at most a
 * change whose status was never sent. Images of version 1, which had no mode pages, and of version 2, which had no
 * sanitize operation, are read as well.
 *
 * [SPC-4] 5.13.5.1 preserving persistent reservations and registrations through power loss, 6.11 saved mode pages
 * [SBC-4] 4.11 a sanitize operation is resumed after power on
 */
import { crc32 } from '../bytes/crc32';
import {
  LU_CONFIG_WWN_LO_AT,
  REGISTRATION_MAX,
  SANITIZE_PATTERN_MAX,
  TASK_NV_CHANGED_AT,
  TRANSPORT_ID_BYTES,
} from '../layout';
import { EXCLUSIVE_ACCESS_ALL_REGISTRANTS, NO_RESERVATION } from '../scsi/reservation';
import { PAGES_BYTES, mode_load, mode_ship } from './mode-pages';
import { registration_id, registration_link_all, registration_remove_all } from './registration';
import {
  LogicalUnit,
  NV_RECORD_BYTES,
  NV_SLOT_BYTES,
  SANITIZE_IDLE,
  SANITIZE_RUNNING_UNRESTRICTED,
  config_at,
  mode_saved_at,
  nv_slot_at,
  pattern_at,
  registration_at,
} from './unit';

const MAGIC_1: u32 = 0x4e525053; // "SPRN"
const MAGIC_2: u32 = 0x324e5053; // "SPN2"
const MAGIC_3: u32 = 0x334e5053; // "SPN3"
const MAGIC_AT: usize = 0;
const CRC_AT: usize = 4; // of all behind it
const SEQUENCE_AT: usize = 8;
const BYTES_AT: usize = 12; // of the image
const WWN_AT: usize = 16;
const TYPE_AT: usize = 24;
const HOLDER_AT: usize = 28; // record plus one
const COUNT_AT: usize = 32;
const APTPL_AT: usize = 36;
const HEAD_BYTES_1: usize = 40;
const PAGES_BYTES_AT: usize = 40; // u32, of the saved mode pages, which lie behind the records padded to 8 bytes
const HEAD_BYTES_2: usize = 48;
const SANITIZE_AT: usize = 48; // u32, its state; u32, bytes of its pattern, which lies behind the mode pages, padded
const PATTERN_BYTES_AT: usize = 52;
const HEAD_BYTES_3: usize = 56;
// record: key u64, port u16, id bytes u16, 0 u32, id padded to 8 bytes
const RECORD_PORT_AT: usize = 8;
const RECORD_ID_BYTES_AT: usize = 10;

const PAGES_PADDED: u32 = (PAGES_BYTES + 7) & ~7;

/** Writes the image anew if power loss is to keep it, or no longer to; tells the host through the task block. */
export function nv_save(unit: LogicalUnit, task: usize): void {
  if (unit.aptpl || unit.nvHeld) nv_write(unit, task);
}

/** Writes the image anew, and tells the host through the task block, if there is a task. */
export function nv_write(unit: LogicalUnit, task: usize): void {
  const slot = 1 - unit.nvSlot;
  const image = nv_slot_at(unit, slot);
  let at = image + HEAD_BYTES_3;
  let count: u32 = 0;
  let holder: u32 = 0;
  for (let i: u32 = 0; i < <u32>REGISTRATION_MAX && unit.aptpl; i++) {
    const registration = registration_at(unit, i);
    if (!registration.used) continue;
    count++;
    if (unit.holder == i + 1) holder = count;
    const padded = (registration.idBytes + 7) & ~7;
    store<u64>(at, registration.key);
    store<u16>(at, <u16>registration.port, RECORD_PORT_AT);
    store<u16>(at, <u16>registration.idBytes, RECORD_ID_BYTES_AT);
    store<u32>(at, 0, 12);
    store<u64>(at + NV_RECORD_BYTES + padded - 8, 0);
    memory.copy(at + NV_RECORD_BYTES, registration_id(registration), registration.idBytes);
    at += NV_RECORD_BYTES + padded;
  }
  memory.fill(at, 0, PAGES_PADDED);
  memory.copy(at, mode_saved_at(unit), PAGES_BYTES);
  at += PAGES_PADDED;
  const pattern = unit.patternBytes;
  memory.fill(at, 0, (pattern + 7) & ~7);
  memory.copy(at, pattern_at(unit), pattern);
  at += (pattern + 7) & ~7;
  store<u32>(image, MAGIC_3, MAGIC_AT);
  store<u32>(image, unit.sanitize, SANITIZE_AT);
  store<u32>(image, pattern, PATTERN_BYTES_AT);
  store<u64>(image, PAGES_BYTES, PAGES_BYTES_AT);
  store<u32>(image, ++unit.nvSequence, SEQUENCE_AT);
  store<u32>(image, <u32>(at - image), BYTES_AT);
  store<u64>(image, load<u64>(config_at(unit), LU_CONFIG_WWN_LO_AT), WWN_AT);
  store<u32>(image, unit.aptpl ? unit.reservationType : NO_RESERVATION, TYPE_AT);
  store<u32>(image, holder, HOLDER_AT);
  store<u32>(image, count, COUNT_AT);
  store<u32>(image, unit.aptpl, APTPL_AT);
  store<u32>(image, crc32(0, image + SEQUENCE_AT, <u32>(at - image - SEQUENCE_AT)), CRC_AT);
  unit.nvSlot = slot;
  unit.nvHeld = unit.aptpl;
  if (task) store<u32>(task, 1, TASK_NV_CHANGED_AT);
}

/** Bytes of the image's header; 0: it is none. */
function head_bytes(image: usize): u32 {
  const magic = load<u32>(image, MAGIC_AT);
  if (magic == MAGIC_3) return <u32>HEAD_BYTES_3;
  return magic == MAGIC_2 ? <u32>HEAD_BYTES_2 : magic == MAGIC_1 ? <u32>HEAD_BYTES_1 : 0;
}

/** True for a whole image that this logical unit wrote and that says nothing impossible. */
function image_valid(unit: LogicalUnit, image: usize): bool {
  const bytes = load<u32>(image, BYTES_AT);
  const head = head_bytes(image);
  if (!head || bytes < head || bytes > NV_SLOT_BYTES) return false;
  if (load<u32>(image, CRC_AT) != crc32(0, image + SEQUENCE_AT, bytes - <u32>SEQUENCE_AT)) return false;
  if (load<u64>(image, WWN_AT) != load<u64>(config_at(unit), LU_CONFIG_WWN_LO_AT)) return false;
  const count = load<u32>(image, COUNT_AT);
  if (count > <u32>REGISTRATION_MAX || load<u32>(image, HOLDER_AT) > count) return false;
  if (load<u32>(image, TYPE_AT) > <u32>EXCLUSIVE_ACCESS_ALL_REGISTRANTS) return false;
  let at: usize = head;
  for (let i: u32 = 0; i < count; i++) {
    if (at + NV_RECORD_BYTES > bytes) return false;
    const idBytes: u32 = load<u16>(image + at, RECORD_ID_BYTES_AT);
    if (idBytes > <u32>TRANSPORT_ID_BYTES) return false;
    at += NV_RECORD_BYTES + ((idBytes + 7) & ~7);
  }
  if (head == <u32>HEAD_BYTES_1) return at == bytes;
  const pages = load<u32>(image, PAGES_BYTES_AT);
  if (pages > bytes - <u32>at) return false;
  at += (pages + 7) & ~7;
  if (head == <u32>HEAD_BYTES_2) return at == bytes;
  const pattern = load<u32>(image, PATTERN_BYTES_AT);
  if (load<u32>(image, SANITIZE_AT) > SANITIZE_RUNNING_UNRESTRICTED) return false;
  return pattern <= <u32>SANITIZE_PATTERN_MAX && at + ((pattern + 7) & ~7) == bytes;
}

/** True if the image written last is whole, or none was ever written. */
export function nv_sound(unit: LogicalUnit): bool {
  return !unit.nvSequence || image_valid(unit, nv_slot_at(unit, unit.nvSlot));
}

/** The slot with the newest valid image, or 2. Sequence numbers wrap, [RFC 1982]. */
function newest(unit: LogicalUnit): u32 {
  const a = image_valid(unit, nv_slot_at(unit, 0));
  const b = image_valid(unit, nv_slot_at(unit, 1));
  if (!a || !b) return a ? 0 : b ? 1 : 2;
  const ahead = load<u32>(nv_slot_at(unit, 1), SEQUENCE_AT) - load<u32>(nv_slot_at(unit, 0), SEQUENCE_AT);
  return <i32>ahead > 0 ? 1 : 0;
}

/**
 * Replaces registrations, reservation, saved mode pages and the state of a sanitize operation by what the slots hold.
 * False: no valid image, and so none of them, and the pages as shipped.
 */
export function nv_load(unit: LogicalUnit): bool {
  registration_remove_all(unit);
  unit.aptpl = 0;
  unit.nvHeld = 0;
  unit.sanitize = SANITIZE_IDLE;
  unit.patternBytes = 0;
  mode_ship(unit);
  const slot = newest(unit);
  if (slot > 1) {
    unit.nvSlot = 1;
    unit.nvSequence = 0;
    return false;
  }
  const image = nv_slot_at(unit, slot);
  unit.nvSlot = slot;
  unit.nvSequence = load<u32>(image, SEQUENCE_AT);
  unit.aptpl = load<u32>(image, APTPL_AT);
  unit.nvHeld = unit.aptpl;
  const count = load<u32>(image, COUNT_AT);
  let at = image + head_bytes(image);
  for (let i: u32 = 0; i < count; i++) {
    const registration = registration_at(unit, i);
    registration.key = load<u64>(at);
    registration.used = 1;
    registration.port = load<u16>(at, RECORD_PORT_AT);
    registration.idBytes = load<u16>(at, RECORD_ID_BYTES_AT);
    memory.copy(registration_id(registration), at + NV_RECORD_BYTES, registration.idBytes);
    at += NV_RECORD_BYTES + ((registration.idBytes + 7) & ~7);
  }
  unit.registrations = count;
  unit.holder = load<u32>(image, HOLDER_AT);
  unit.reservationType = count ? load<u32>(image, TYPE_AT) : NO_RESERVATION;
  registration_link_all(unit);
  if (load<u32>(image, MAGIC_AT) == MAGIC_1) return true;
  const pages = load<u32>(image, PAGES_BYTES_AT);
  mode_load(unit, at, pages);
  if (load<u32>(image, MAGIC_AT) == MAGIC_2) return true;
  unit.sanitize = load<u32>(image, SANITIZE_AT);
  unit.patternBytes = load<u32>(image, PATTERN_BYTES_AT);
  memory.copy(pattern_at(unit), at + ((pages + 7) & ~7), unit.patternBytes);
  return true;
}
