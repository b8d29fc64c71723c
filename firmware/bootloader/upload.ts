/**
 * An image on its way into a slot, in order and in whole units; the slot is erased just ahead of it. What lies in flash
 * is marked piece by piece, so that the same upload goes on after a reset where it was.
 */
import { SHA256_BYTES } from '../../asm/crypto/sha256';
import { flash_erase, flash_read, flash_write } from './device';
import { digest_of, image_forget } from './image';
import {
  IMAGE_MAX,
  PIECES_AT,
  PIECE_BYTES,
  SECTOR_BYTES,
  TRAILER_AT,
  UNIT_BYTES,
  UPLOAD_AT,
  UPLOAD_BYTES,
} from './layout';
import { DIGEST_AT, RECORD_AT, WRITE_AT, state } from './memory';
import { slot_at, trailer_erase } from './trailer';
import { FLAG_ON, flag_read, flag_set } from './unit';

/** Of the record: length, ~length, SHA-256 of the file. */
const RECORD_SHA: usize = RECORD_AT + 8;

export function upload_reset(): void {
  state().uploading = 0;
}

/** Begins the upload of `length` bytes into `slot`, or goes on with the same one. False when the flash failed. */
export function upload_begin(slot: u32, length: u32, sha: usize): bool {
  const s = state();
  const under = RECORD_AT + 64;
  memory.fill(under, 0, UPLOAD_BYTES);
  store<u32>(under, length);
  store<u32>(under + 4, ~length);
  if (sha != 0) memory.copy(under + 8, sha, SHA256_BYTES);
  const same =
    s.uploading == 1 && s.slot == slot && memory.compare(RECORD_AT, under, UPLOAD_BYTES) == 0 && sha != 0;
  if (same) return true;
  s.uploading = 0;
  s.slot = slot;
  s.length = length;
  s.tail = 0;
  flash_read(slot_at(slot) + UPLOAD_AT, <u32>RECORD_AT, UPLOAD_BYTES);
  if (sha != 0 && memory.compare(RECORD_AT, under, UPLOAD_BYTES) == 0) s.offset = min(length, marked(slot));
  else {
    if (!trailer_erase(slot)) return false;
    memory.copy(RECORD_AT, under, UPLOAD_BYTES);
    if (flash_write(slot_at(slot) + UPLOAD_AT, <u32>RECORD_AT, UPLOAD_BYTES) != 0) return false;
    s.offset = 0;
  }
  s.erased = s.offset == length ? TRAILER_AT : s.offset;
  s.uploading = 1;
  return true;
}

/** Bytes of the slot that are marked as written, from its beginning. */
function marked(slot: u32): u32 {
  let pieces: u32 = 0;
  while (pieces * PIECE_BYTES < IMAGE_MAX && flag_read(mark_at(slot, pieces)) == FLAG_ON) pieces++;
  return pieces * PIECE_BYTES;
}

function mark_at(slot: u32, piece: u32): u32 {
  return slot_at(slot) + PIECES_AT + piece * UNIT_BYTES;
}

/** The next `bytes` bytes of it; they end within its length. */
export function upload_append(data: usize, bytes: u32): bool {
  const s = state();
  memory.copy(WRITE_AT + s.tail, data, bytes);
  let ready = s.tail + bytes;
  const isLast = s.offset + bytes == s.length;
  const rest = ready & (UNIT_BYTES - 1);
  if (isLast && rest != 0) {
    memory.fill(WRITE_AT + ready, 0xff, UNIT_BYTES - rest);
    ready += UNIT_BYTES - rest;
  }
  const whole = ready & ~(UNIT_BYTES - 1);
  const from = s.offset - s.tail;
  if (!write_units(s.slot, from, whole)) return false;
  s.offset += bytes;
  s.tail = isLast ? 0 : ready - whole;
  if (s.tail > 0) memory.copy(WRITE_AT, WRITE_AT + whole, s.tail);
  mark(from, from + whole, isLast);
  return true;
}

function write_units(slot: u32, from: u32, bytes: u32): bool {
  const s = state();
  image_forget(slot);
  const end = (from + bytes + SECTOR_BYTES - 1) & ~(SECTOR_BYTES - 1);
  if (end > s.erased) {
    if (flash_erase(slot_at(slot) + s.erased, end - s.erased) != 0) return false;
    s.erased = end;
  }
  return bytes == 0 || flash_write(slot_at(slot) + from, <u32>WRITE_AT, bytes) == 0;
}

/** A mark that cannot be written costs a later host time, not this one its upload. */
function mark(from: u32, end: u32, isLast: bool): void {
  const slot = state().slot;
  for (let piece = from / PIECE_BYTES; (piece + 1) * PIECE_BYTES <= end; piece++)
    flag_set(mark_at(slot, piece));
  if (isLast && (end & (PIECE_BYTES - 1)) != 0) flag_set(mark_at(slot, end / PIECE_BYTES));
}

/** Is what lies in the slot what the host said it would be? */
export function upload_matches(): bool {
  const s = state();
  digest_of(slot_at(s.slot), s.length, DIGEST_AT);
  return memory.compare(DIGEST_AT, RECORD_SHA, SHA256_BYTES) == 0;
}

/** Erases a slot: its trailer first, so that nothing half erased counts as installed. */
export function slot_erase(slot: u32): bool {
  upload_reset();
  image_forget(slot);
  return trailer_erase(slot) && flash_erase(slot_at(slot), TRAILER_AT) == 0;
}
