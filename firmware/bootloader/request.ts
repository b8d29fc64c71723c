/** The map of an SMP request, all keys that any of the commands knows; a key of the wrong type makes it bad. */
import {
  CBOR_BYTES,
  CBOR_FALSE,
  CBOR_MAP,
  CBOR_OPEN,
  CBOR_SIMPLE,
  CBOR_TEXT,
  CBOR_TRUE,
  CBOR_UINT,
  cbor_begin,
  cbor_head,
  cbor_is_break,
  cbor_skip,
  cbor_string,
  cbor_take,
  cbor_type,
} from './cbor';
import { REQUEST_AT, Request, request, state } from './memory';

export const HAS_IMAGE: u32 = 1;
export const HAS_LENGTH: u32 = 2;
export const HAS_OFFSET: u32 = 4;
export const HAS_DATA: u32 = 8;
export const HAS_SHA: u32 = 16;
export const HAS_HASH: u32 = 32;
export const HAS_CONFIRM: u32 = 64;
export const HAS_TEXT: u32 = 128;

/** False when it is no map, or malformed. An empty body is an empty map. */
export function request_read(at: usize, bytes: u32): bool {
  memory.fill(REQUEST_AT, 0, offsetof<Request>());
  if (bytes == 0) return true;
  cbor_begin(at, bytes);
  if (cbor_type() != CBOR_MAP) return false;
  const count = cbor_head();
  for (let n: u32 = 0; n < count && state().cbor_bad == 0; n++) {
    if (count == CBOR_OPEN && cbor_is_break()) return true;
    const keyBytes = cbor_take(CBOR_TEXT);
    if (state().cbor_bad == 0) read_value(cbor_string(keyBytes), keyBytes);
  }
  return state().cbor_bad == 0;
}

function read_value(key: usize, bytes: u32): void {
  const r = request();
  if (is(key, bytes, 'image')) {
    r.image = read_uint(HAS_IMAGE);
  } else if (is(key, bytes, 'len')) {
    r.length = read_uint(HAS_LENGTH);
  } else if (is(key, bytes, 'off')) {
    r.offset = read_uint(HAS_OFFSET);
  } else if (is(key, bytes, 'data')) {
    r.data_bytes = read_string(CBOR_BYTES, HAS_DATA);
    r.data = cbor_string(r.data_bytes);
  } else if (is(key, bytes, 'sha')) {
    r.sha_bytes = read_string(CBOR_BYTES, HAS_SHA);
    r.sha = cbor_string(r.sha_bytes);
  } else if (is(key, bytes, 'hash')) {
    r.hash_bytes = read_string(CBOR_BYTES, HAS_HASH);
    r.hash = cbor_string(r.hash_bytes);
  } else if (is(key, bytes, 'd')) {
    r.text_bytes = read_string(CBOR_TEXT, HAS_TEXT);
    r.text = cbor_string(r.text_bytes);
  } else if (is(key, bytes, 'confirm')) {
    r.confirm = read_flag();
  } else cbor_skip();
}

function is(at: usize, bytes: u32, name: string): bool {
  if (bytes != <u32>name.length) return false;
  for (let i: u32 = 0; i < bytes; i++) {
    if (load<u8>(at + i) != <u8>load<u16>(changetype<usize>(name) + (i << 1))) return false;
  }
  return true;
}

function read_uint(has: u32): u32 {
  request().has |= has;
  if (cbor_type() != CBOR_UINT) state().cbor_bad = 1;
  return cbor_head();
}

function read_string(type: u32, has: u32): u32 {
  request().has |= has;
  return cbor_take(type);
}

function read_flag(): u32 {
  request().has |= HAS_CONFIRM;
  if (cbor_type() != CBOR_SIMPLE) state().cbor_bad = 1;
  const value = cbor_head();
  if (value != CBOR_TRUE && value != CBOR_FALSE) state().cbor_bad = 1;
  return value == CBOR_TRUE ? 1 : 0;
}
