/**
 * Where a failed assert or an `abort` ends: its message and place go into the panic record, then the CPU traps, and the
 * board enters the panic handler as for any trap. asc puts this in for `abort` ("use" in asconfig.json).
 */
import {
  RECORD_AT,
  RECORD_COLUMN_AT,
  RECORD_LINE_AT,
  RECORD_MAGIC,
  RECORD_MAGIC_AT,
  RECORD_PLACE_AT,
  RECORD_PLACE_BYTES,
  RECORD_TEXT_AT,
  RECORD_TEXT_BYTES,
} from './layout';

export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  // In the panic handler the record is frozen with all other memory.
  if (load<u32>(RECORD_AT + RECORD_MAGIC_AT) != RECORD_MAGIC) {
    store<u32>(RECORD_AT + RECORD_LINE_AT, line);
    store<u32>(RECORD_AT + RECORD_COLUMN_AT, column);
    copy(message, RECORD_AT + RECORD_TEXT_AT, RECORD_TEXT_BYTES);
    copy(file, RECORD_AT + RECORD_PLACE_AT, RECORD_PLACE_BYTES);
  }
  unreachable();
}

/** UTF-16 to bytes; sources and messages are ASCII. Asks no more of the heap than to be read. */
function copy(text: string | null, to: usize, room: u32): void {
  if (text === null) return;
  const bytes = load<u32>(changetype<usize>(text) - 4);
  const characters = min<u32>(bytes >> 1, room - 1);
  for (let i: u32 = 0; i < characters; i++) {
    store<u8>(to + i, load<u8>(changetype<usize>(text) + (i << 1)));
  }
  store<u8>(to + characters, 0);
}
