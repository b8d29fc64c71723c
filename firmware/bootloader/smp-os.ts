/** SMP: the OS group, and what a host may ask about this board. [SMP] smp_group_0.rst */
import { CBOR_BYTES, CBOR_TEXT, put_string, put_text, put_uint } from './cbor';
import { counter_read } from './counter';
import { IMAGE_MAX, SMP_BUFFERS, SMP_BUFFER_BYTES, SMP_INVALID, SMP_OK } from './layout';
import { DIGEST_AT, request, state } from './memory';
import { HAS_TEXT } from './request';
import { trust_key_hash, trust_kind, trust_load } from './trust';

/** The reply has a few bytes more than the text. */
const ECHO_MAX: u32 = SMP_BUFFER_BYTES - 32;

export function os_echo(): u32 {
  const r = request();
  if ((r.has & HAS_TEXT) == 0 || r.text_bytes > ECHO_MAX) return SMP_INVALID;
  put_text('r');
  put_string(CBOR_TEXT, r.text, r.text_bytes);
  return SMP_OK;
}

export function os_reset(): u32 {
  state().reboot = 1;
  return SMP_OK;
}

export function os_parameters(): u32 {
  put_text('buf_size');
  put_uint(SMP_BUFFER_BYTES);
  put_text('buf_count');
  put_uint(SMP_BUFFERS);
  return SMP_OK;
}

/** So that a host need not send an image to learn that it will be refused. */
export function board_info(): u32 {
  if (trust_load()) {
    put_text('kind');
    put_uint(trust_kind());
    trust_key_hash(DIGEST_AT);
    put_text('key');
    put_string(CBOR_BYTES, DIGEST_AT, 32);
  }
  put_text('counter');
  put_uint(counter_read());
  put_text('room');
  put_uint(IMAGE_MAX);
  return SMP_OK;
}
