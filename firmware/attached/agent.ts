/** What the agent knows: devices as firmware sees them between two words of the host. One block, at AGENT. */
import { LINK_BYTES } from '../../asm/link/state';
import { FRAME_PAYLOAD_MAX, LINE_BYTES_MAX } from '../../asm/link/layout';
import {
  ECC_MAX,
  MESSAGES_MAX,
  MESSAGE_MAX,
  NVRAM_BYTES,
  PAGE_BYTES,
  RECORD_HEAD_BYTES,
  RECORD_SMALL_MAX,
  TYPED_MAX,
} from './layout';
import { RECORD_REGISTERS_AT, RECORD_STACK_AT, RECORD_STACK_ROOM } from '../layout';


@unmanaged
export class Agent {
  life: u32; // of the link, that this session is
  over: u32; // 1: the session has ended, whoever runs comes back to the outermost loop
  ready: u32; // RESET was done
  running: u32; // the firmware has been started
  ram_units: u32;
  // the record that is being read
  item_at: u32; // next byte of the payload
  item_end: u32;
  resumed: u32;
  answer: u32;
  // time
  utc: u32;
  place_at: u32; // where the place of a fault is written
  now: u64; // us
  stops: u64; // bit n: the host is asked to look when event n happens
  // devices
  posted: u32;
  sq: u32;
  sq_count: u32;
  head: u32; // of the submission ring, as far as it was sent
  port_posted: u32;
  panicking: u32; // from the first NMI on: bulk goes on the panic channel
  message_head: u32;
  message_tail: u32;
  messages_taken: u32; // in this call
  typed_head: u32;
  typed_tail: u32;
  typed_taken: u32;
  ecc_count: u32;
  line_at: u32; // of a line that the wire had no room for yet
  line_end: u32;
  heard_at: u32; // when bytes came last
  begin: u32; // the first four bytes after a silence, and how many of them have come
  begin_bytes: u32;
  recorded: u32; // 1: where native code stood is in the panic record
}

export const AGENT: usize = memory.data(512, 16);
export const LINK: usize = memory.data(LINK_BYTES, 16);
/** A line on its way out, and bytes on their way in. */
export const LINE: usize = memory.data(LINE_BYTES_MAX, 16);
export const WIRE_BYTES: u32 = 512;
export const WIRE: usize = memory.data(WIRE_BYTES, 16);
/** The payload that is being read. */
export const ITEM: usize = memory.data(FRAME_PAYLOAD_MAX, 16);
/** Head and body of the record that is being read, and of the one that is being sent. */
export const RECORD: usize = memory.data(RECORD_HEAD_BYTES + RECORD_SMALL_MAX, 16);
export const OUT: usize = memory.data(RECORD_HEAD_BYTES + RECORD_SMALL_MAX, 16);
/** Registers and stack of native code. */
export const REGISTERS: usize = memory.data(RECORD_STACK_AT - RECORD_REGISTERS_AT + RECORD_STACK_ROOM, 16);
/** A piece of RAM on its way. */
export const PIECE: usize = memory.data(PAGE_BYTES, 16);
export const NVRAM: usize = memory.data(NVRAM_BYTES, 16);
export const ECC: usize = memory.data(4 * ECC_MAX, 16);
export const TYPED: usize = memory.data(TYPED_MAX, 16);
/** u32 bytes and the message, each. */
export const MESSAGES: usize = memory.data((4 + MESSAGE_MAX) * MESSAGES_MAX, 16);

// @ts-ignore: decorator
@inline
export function agent(): Agent {
  return changetype<Agent>(AGENT);
}

/** All of it lies in RAM. */
export function inside(address: u32, bytes: u32): bool {
  return <u64>address + bytes <= (<u64>agent().ram_units) << 16;
}
