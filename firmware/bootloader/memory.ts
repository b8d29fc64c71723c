/** RAM of the bootloader: one page of 64 KiB. What asc places lies below STATE_AT. */
import { SMP_BUFFER_BYTES, UPLOAD_BYTES } from './layout';

export const STATE_AT: usize = 0x2000; // struct State
export const TRUST_AT: usize = 0x2400; // the board sector
export const UNIT_AT: usize = 0x2500; // units on their way to or from flash
export const RECORD_AT: usize = 0x2600; // the upload record
export const DIGEST_AT: usize = 0x2700;
export const TLV_AT: usize = 0x2800; // values of the TLVs of the image that is looked at
export const HEADER_AT: usize = 0x2900; // its header
export const LINE_AT: usize = 0x2a00; // one line out
export const FRAME_AT: usize = 0x3000; // one SMP request; length before it, checksum behind it
export const FRAME_ROOM: u32 = 2 + SMP_BUFFER_BYTES + 2;
export const REPLY_AT: usize = 0x4000; // one SMP reply, the same way
export const REPLY_ROOM: u32 = 2 + SMP_BUFFER_BYTES + 2;
export const COPY_AT: usize = 0x5000; // a part of the flash
export const COPY_BYTES: u32 = 2048;
export const WRITE_AT: usize = 0x5c00; // data on its way to flash, with the tail of the last
export const STM32_AT: usize = 0x6800; // one AN3155 command
export const SCRATCH_AT: usize = 0x8000; // of the cryptography


@unmanaged
export class State {
  mode: u32; // BOOT_*
  wait_from_ms: u32;
  chosen: u32; // slot that is about to boot
  reboot: u32; // 1: when the reply is out
  // the line
  line: u32; // LINE_*
  frame_bytes: u32; // decoded so far
  quad: u32; // characters of base64 not yet decoded
  quad_count: u32;
  byte_at_ms: u32; // when the last byte came
  // upload
  uploading: u32;
  slot: u32;
  length: u32;
  offset: u32; // bytes received
  erased: u32; // up to here the slot is erased
  tail: u32; // bytes received that do not yet make a unit; they lie at WRITE_AT
  // CBOR, in and out
  cbor_at: u32;
  cbor_end: u32;
  cbor_bad: u32;
  out_at: u32;
  // AN3155
  stm32: u32; // 1: the host has synchronised
  stm32_step: u32;
  stm32_need: u32;
  stm32_have: u32;
  stm32_address: u32;
  stm32_slot: u32;
  stm32_open: u32; // 1: the slot's trailer is gone
  // images: bit n, what was found of the one in slot n still holds
  sound: u32; // digest and signature are good
  counter: u32;
  board: u32;
}


@inline
export function state(): State {
  return changetype<State>(STATE_AT);
}

/** What an SMP request may hold; fields that are not there stay as they are after `clear`. */
@unmanaged
export class Request {
  has: u32; // HAS_*
  image: u32;
  length: u32;
  offset: u32;
  confirm: u32;
  data: u32;
  data_bytes: u32;
  sha: u32;
  sha_bytes: u32;
  hash: u32;
  hash_bytes: u32;
  text: u32;
  text_bytes: u32;
}

export const REQUEST_AT: usize = STATE_AT + 0x200;


@inline
export function request(): Request {
  return changetype<Request>(REQUEST_AT);
}

export const RECORD_BYTES: u32 = UPLOAD_BYTES;
