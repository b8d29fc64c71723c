/**
 * Which slot boots, and which takes uploads: the last image installed that is good and not rejected boots; an image that
 * was confirmed, and is the last one that was, is kept, so that there is always one to come back to.
 */
import { counter_raise } from './counter';
import { reset_jump } from './device';
import { image_check } from './image';
import { IMAGE_GOOD, SLOTS } from './layout';
import { state } from './memory';
import {
  is_confirmed,
  is_installed,
  is_rejected,
  is_tried,
  order_of,
  set_rejected,
  set_tried,
  slot_at,
} from './trailer';

export const NO_SLOT: u32 = 0xffffffff;

/** An image that had the board and did not confirm itself does not get it again. */
export function reject_tried(): void {
  for (let slot: u32 = 0; slot < SLOTS; slot++) {
    if (is_installed(slot) && is_tried(slot) && !is_confirmed(slot)) set_rejected(slot);
  }
}

/** Of those that could boot, the last one installed; of the confirmed ones alone when `confirmed`. */
function last(confirmed: bool): u32 {
  let found = NO_SLOT;
  let highest: u32 = 0;
  for (let slot: u32 = 0; slot < SLOTS; slot++) {
    if (!is_installed(slot) || (confirmed && !is_confirmed(slot))) continue;
    // A tried one that is not confirmed is as good as rejected, even where the flag could not be written.
    if (is_rejected(slot) || (is_tried(slot) && !is_confirmed(slot))) continue;
    const order = order_of(slot);
    if (order <= highest || image_check(slot) != IMAGE_GOOD) continue;
    highest = order;
    found = slot;
  }
  return found;
}

export function slot_to_boot(): u32 {
  return last(false);
}

export function slot_to_keep(): u32 {
  const confirmed = last(true);
  return confirmed == NO_SLOT ? last(false) : confirmed;
}

export function slot_to_write(): u32 {
  return slot_to_keep() == 0 ? 1 : 0;
}

/** Gives the board to the image of `slot`; one that is not confirmed is on trial from here on. False: it cannot be. */
export function boot_slot(slot: u32): bool {
  if (is_confirmed(slot)) {
    if (image_check(slot) != IMAGE_GOOD || !counter_raise(state().counter)) return false;
  } else if (!set_tried(slot)) return false;
  reset_jump(slot_at(slot));
  return true;
}
