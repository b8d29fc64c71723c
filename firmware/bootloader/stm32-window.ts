/**
 * The flash that a host of AN3155 sees: the slot that takes uploads, but for its trailer. Its pages are smaller than the
 * sectors of the flash: a page that is not blank takes the rest of its sector along. So a host may erase and write page
 * after page; one that goes back finds the rest of the sector blank, and Go will not start an image with a hole.
 */
import { flash_erase, flash_read, flash_write } from './device';
import { image_forget } from './image';
import { SECTOR_BYTES, STM32_PAGE_BYTES, TRAILER_AT, UNIT_BYTES } from './layout';
import { COPY_AT, WRITE_AT, state } from './memory';
import { slot_at, trailer_erase } from './trailer';
import { slot_erase, upload_reset } from './upload';

const PAGES: u32 = TRAILER_AT / STM32_PAGE_BYTES;

/** Before anything in the slot changes, it stops counting as installed. */
export function window_open(): bool {
  const s = state();
  image_forget(s.stm32_slot);
  if (s.stm32_open == 0) {
    upload_reset();
    if (!trailer_erase(s.stm32_slot)) return false;
    s.stm32_open = 1;
  }
  return true;
}

/** A host that did not hear our answer sends the block again: what is there already is not written anew. */
export function window_write(at: u32, bytes: u32): bool {
  flash_read(at, <u32>COPY_AT, bytes);
  for (let done: u32 = 0; done < bytes; done += UNIT_BYTES) {
    const now = load<u64>(COPY_AT + done);
    if (now != 0xffffffffffffffff && now != load<u64>(WRITE_AT + done)) return false;
  }
  for (let done: u32 = 0; done < bytes; done += UNIT_BYTES) {
    if (load<u64>(COPY_AT + done) == load<u64>(WRITE_AT + done)) continue;
    if (flash_write(at + done, <u32>(WRITE_AT + done), UNIT_BYTES) != 0) return false;
  }
  return true;
}

/** Pages whose numbers lie at `first`, `width` bytes each, big-endian; none when one of them is not there. */
export function window_erase_pages(first: usize, width: u32, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    if (page(first, width, i) >= PAGES) return false;
  }
  if (!window_open()) return false;
  for (let i: u32 = 0; i < count; i++) {
    if (!erase_page(page(first, width, i))) return false;
  }
  return true;
}

function erase_page(number: u32): bool {
  const at = slot_at(state().stm32_slot) + number * STM32_PAGE_BYTES;
  return is_blank(at) || flash_erase(at & ~(SECTOR_BYTES - 1), SECTOR_BYTES) == 0;
}

function is_blank(at: u32): bool {
  flash_read(at, <u32>COPY_AT, STM32_PAGE_BYTES);
  for (let i: u32 = 0; i < STM32_PAGE_BYTES; i += UNIT_BYTES) {
    if (load<u64>(COPY_AT + i) != 0xffffffffffffffff) return false;
  }
  return true;
}

function page(first: usize, width: u32, index: u32): u32 {
  return width == 1 ? <u32>load<u8>(first + index) : <u32>bswap<u16>(load<u16>(first + index * 2));
}

/** All of it. */
export function window_erase(): bool {
  const s = state();
  s.stm32_open = 1;
  return slot_erase(s.stm32_slot);
}
