/**
 * Messages over the interconnect: versioned, size-checked, checksummed. A bad one is dropped and counted; a lost panic
 * message makes the panic a plain loss of heartbeats, no worse.
 */
import { crc32c } from '../asm/bytes/crc32c';
import { interconnect_receive, interconnect_send } from './board';
import {
  EV_MESSAGE_BAD,
  MESSAGE_AT,
  MESSAGE_ROOM,
  MSG_BYTES,
  MSG_BYTES_AT,
  MSG_CRC_AT,
  MSG_EPOCH_AT,
  MSG_KIND_AT,
  MSG_MAGIC,
  MSG_MAGIC_AT,
  MSG_SEQUENCE_AT,
  MSG_STATE_AT,
  MSG_SYSTEM_AT,
  MSG_VERSION,
  MSG_VERSION_AT,
  MSG_WWN_AT,
} from './layout';
import { core } from './memory';
import { wake_at } from './state';
import { trace } from './trace';

export const INBOX: usize = MESSAGE_AT;
const OUTBOX: usize = MESSAGE_AT + MESSAGE_ROOM;

/** Starts a message of `kind` in the MSG_BYTES at `buf`. */
export function message_begin(buf: usize, kind: u32, sequence: u32, wwn: u64): void {
  const c = core();
  memory.fill(buf, 0, MSG_BYTES);
  store<u32>(buf + MSG_MAGIC_AT, MSG_MAGIC);
  store<u16>(buf + MSG_VERSION_AT, MSG_VERSION);
  store<u16>(buf + MSG_BYTES_AT, MSG_BYTES);
  store<u32>(buf + MSG_KIND_AT, kind);
  store<u32>(buf + MSG_SYSTEM_AT, c.system);
  store<u32>(buf + MSG_EPOCH_AT, c.epoch);
  store<u32>(buf + MSG_SEQUENCE_AT, sequence);
  store<u32>(buf + MSG_STATE_AT, c.state);
  store<u64>(buf + MSG_WWN_AT, wwn);
}

/** Checksums and sends it. */
export function message_send(buf: usize): void {
  store<u32>(buf + MSG_CRC_AT, 0);
  store<u32>(buf + MSG_CRC_AT, crc32c(0, buf, MSG_BYTES));
  interconnect_send(<u32>buf, MSG_BYTES);
}

/** Sends a message that needs no more than its kind and a disk. */
export function message_say(kind: u32, wwn: u64): void {
  message_begin(OUTBOX, kind, core().beat, wwn);
  message_send(OUTBOX);
}

/** The next good message into INBOX; its kind, 0 without one. Bad ones are dropped on the way. */
export function message_receive(): u32 {
  for (let dropped = 0; dropped < 8; dropped++) {
    const bytes = interconnect_receive(<u32>INBOX, MESSAGE_ROOM);
    if (!bytes) return 0;
    if (message_good(INBOX, bytes)) return load<u32>(INBOX + MSG_KIND_AT);
    core().dropped_messages++;
    trace(EV_MESSAGE_BAD);
  }
  wake_at(core().now); // there may be more behind them
  return 0;
}

/** True for a whole message of our version from our partner. */
export function message_good(buf: usize, bytes: u32): bool {
  if (bytes != MSG_BYTES || load<u32>(buf + MSG_MAGIC_AT) != MSG_MAGIC) return false;
  if (load<u16>(buf + MSG_VERSION_AT) != MSG_VERSION || load<u16>(buf + MSG_BYTES_AT) != MSG_BYTES)
    return false;
  if (load<u32>(buf + MSG_SYSTEM_AT) != core().partner) return false;
  const sum = load<u32>(buf + MSG_CRC_AT);
  store<u32>(buf + MSG_CRC_AT, 0);
  return sum == crc32c(0, buf, MSG_BYTES);
}
