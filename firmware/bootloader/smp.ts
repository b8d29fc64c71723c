/**
 * The SMP server of the bootloader: a request in, a reply out, nothing remembered in between but the upload.
 *
 * [SMP] Zephyr, services/device_mgmt/smp_protocol.rst; smp_groups/smp_group_0, smp_group_1
 */
import { put_end, put_map, put_text, put_uint } from './cbor';
import {
  SMP_GROUP_BOARD,
  SMP_GROUP_IMAGE,
  SMP_GROUP_OS,
  SMP_INVALID,
  SMP_OK,
  SMP_UNSUPPORTED,
} from './layout';
import { REPLY_AT, state } from './memory';
import { request_read } from './request';
import { image_erase, image_read, image_upload, image_write } from './smp-image';
import { board_info, os_echo, os_parameters, os_reset } from './smp-os';

export const SMP_HEADER_BYTES: u32 = 8;
const OP_READ: u32 = 0;
const OP_WRITE: u32 = 2;

/** Answers the request of `bytes` bytes at `at`. Bytes of the reply behind REPLY_AT + 2; 0: what came is no request. */
export function smp_answer(at: usize, bytes: u32): u32 {
  if (bytes < SMP_HEADER_BYTES) return 0;
  const op: u32 = load<u8>(at) & 7;
  const body = bswap<u16>(load<u16>(at, 2));
  if ((op != OP_READ && op != OP_WRITE) || body != bytes - SMP_HEADER_BYTES) return 0;
  const reply = REPLY_AT + 2;
  memory.copy(reply, at, SMP_HEADER_BYTES);
  store<u8>(reply, <u8>(op + 1)); // of protocol version 0, which all hosts speak
  store<u8>(reply, 0, 1);
  state().out_at = <u32>(reply + SMP_HEADER_BYTES);
  put_map();
  const group: u32 = bswap<u16>(load<u16>(at, 4));
  const rc = request_read(at + SMP_HEADER_BYTES, body) ? dispatch(op, group, load<u8>(at, 7)) : SMP_INVALID;
  if (rc != SMP_OK) {
    // Whatever the command had begun to say is not so.
    state().out_at = <u32>(reply + SMP_HEADER_BYTES);
    put_map();
    put_text('rc');
    put_uint(rc);
  }
  put_end();
  const length = state().out_at - <u32>reply;
  store<u16>(reply, bswap<u16>(<u16>(length - SMP_HEADER_BYTES)), 2);
  return length;
}

function dispatch(op: u32, group: u32, id: u32): u32 {
  const command = (group << 16) | (id << 8) | op;
  switch (command) {
    case (SMP_GROUP_OS << 16) | OP_READ: // echo, which some hosts read and most write
    case (SMP_GROUP_OS << 16) | OP_WRITE:
      return os_echo();
    case (SMP_GROUP_OS << 16) | (5 << 8) | OP_WRITE:
      return os_reset();
    case (SMP_GROUP_OS << 16) | (6 << 8) | OP_READ:
      return os_parameters();
    case (SMP_GROUP_IMAGE << 16) | OP_READ:
      return image_read();
    case (SMP_GROUP_IMAGE << 16) | OP_WRITE:
      return image_write();
    case (SMP_GROUP_IMAGE << 16) | (1 << 8) | OP_WRITE:
      return image_upload();
    case (SMP_GROUP_IMAGE << 16) | (5 << 8) | OP_WRITE:
      return image_erase();
    case (SMP_GROUP_BOARD << 16) | OP_READ:
      return board_info();
    default:
      return SMP_UNSUPPORTED;
  }
}
