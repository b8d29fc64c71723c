/**
 * The trailer of a slot: is its image installed, was it tried, is it confirmed or rejected. Each is a unit of its own
 * that is written once; one that the power tore reads as the safe choice.
 *
 * [MCUboot] docs/design.md "Image trailer", "Direct-XIP mode ... revert"
 */
import { flash_erase, flash_read, flash_write } from './device';
import {
  CONFIRMED_AT,
  MAGIC_AT,
  ORDER_AT,
  REJECTED_AT,
  SECTOR_BYTES,
  SLOTS,
  SLOT_AT,
  SLOT_BYTES,
  TRAILER_AT,
  TRAILER_MAGIC_0,
  TRAILER_MAGIC_1,
  TRAILER_MAGIC_2,
  TRAILER_MAGIC_3,
  TRIED_AT,
  UNIT_BYTES,
  UPLOAD_END,
} from './layout';
import { COPY_AT, UNIT_AT } from './memory';
import { FLAG_CLEAR, FLAG_ON, flag_read, flag_set, unit_is_erased, unit_read } from './unit';

const MAGIC_BYTES: u32 = 16;


@inline
export function slot_at(slot: u32): u32 {
  return SLOT_AT + slot * SLOT_BYTES;
}

export function is_installed(slot: u32): bool {
  flash_read(slot_at(slot) + MAGIC_AT, <u32>UNIT_AT, MAGIC_BYTES);
  return (
    load<u32>(UNIT_AT) == TRAILER_MAGIC_0 &&
    load<u32>(UNIT_AT + 4) == TRAILER_MAGIC_1 &&
    load<u32>(UNIT_AT + 8) == TRAILER_MAGIC_2 &&
    load<u32>(UNIT_AT + 12) == TRAILER_MAGIC_3 &&
    order_of(slot) != 0
  );
}

/** Place in the order of installations; 0: none. */
export function order_of(slot: u32): u32 {
  unit_read(slot_at(slot) + ORDER_AT);
  const order = load<u32>(UNIT_AT);
  return order == ~load<u32>(UNIT_AT + 4) ? order : 0;
}

/** It had the board, or was about to. */
export function is_tried(slot: u32): bool {
  return flag_read(slot_at(slot) + TRIED_AT) != FLAG_CLEAR;
}

export function is_confirmed(slot: u32): bool {
  return flag_read(slot_at(slot) + CONFIRMED_AT) == FLAG_ON;
}

export function is_rejected(slot: u32): bool {
  return flag_read(slot_at(slot) + REJECTED_AT) != FLAG_CLEAR;
}

export function set_tried(slot: u32): bool {
  return flag_set(slot_at(slot) + TRIED_AT);
}

export function set_confirmed(slot: u32): bool {
  return flag_set(slot_at(slot) + CONFIRMED_AT);
}

export function set_rejected(slot: u32): bool {
  return flag_set(slot_at(slot) + REJECTED_AT);
}

export function trailer_erase(slot: u32): bool {
  return flash_erase(slot_at(slot) + TRAILER_AT, SECTOR_BYTES) == 0;
}

/** Installs the image of `slot`: from now on it is the last one installed, not tried, not confirmed, not rejected. */
export function install(slot: u32): bool {
  if (!flags_are_erased(slot) && !forget_flags(slot)) return false;
  let order: u32 = 1;
  for (let each: u32 = 0; each < SLOTS; each++) order = max(order, order_of(each) + 1);
  const at = slot_at(slot);
  store<u32>(UNIT_AT, order);
  store<u32>(UNIT_AT + 4, ~order);
  if (flash_write(at + ORDER_AT, <u32>UNIT_AT, UNIT_BYTES) != 0) return false;
  store<u32>(UNIT_AT, TRAILER_MAGIC_0);
  store<u32>(UNIT_AT + 4, TRAILER_MAGIC_1);
  store<u32>(UNIT_AT + 8, TRAILER_MAGIC_2);
  store<u32>(UNIT_AT + 12, TRAILER_MAGIC_3);
  return flash_write(at + MAGIC_AT, <u32>UNIT_AT, MAGIC_BYTES) == 0;
}

function flags_are_erased(slot: u32): bool {
  for (let at = slot_at(slot) + ORDER_AT; at < slot_at(slot) + SLOT_BYTES; at += UNIT_BYTES) {
    unit_read(at);
    if (!unit_is_erased()) return false;
  }
  return true;
}

/** Writes the trailer anew with what it says of the upload alone. Cut here, the image counts as never uploaded. */
function forget_flags(slot: u32): bool {
  const at = slot_at(slot) + TRAILER_AT;
  flash_read(at, <u32>COPY_AT, UPLOAD_END - TRAILER_AT);
  if (!trailer_erase(slot)) return false;
  for (let done: u32 = 0; done < UPLOAD_END - TRAILER_AT; done += UNIT_BYTES) {
    if (load<u64>(COPY_AT + done) == 0xffffffffffffffff) continue;
    if (flash_write(at + done, <u32>(COPY_AT + done), UNIT_BYTES) != 0) return false;
  }
  return true;
}
