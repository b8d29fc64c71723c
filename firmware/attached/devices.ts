/** The devices of firmware/board.ts, as the firmware of an attached board finds them: each word goes to the host. */
import {
  CHANNEL_CONSOLE,
  CHANNEL_CONTROL,
  CHANNEL_INTERCONNECT,
  CHANNEL_PORT,
  CHANNEL_TIME,
  CHANNEL_TRACE,
} from '../../asm/link/layout';
import { ECC, MESSAGES, NVRAM, TYPED, agent, inside } from './agent';
import {
  MESSAGES_MAX,
  MESSAGE_MAX,
  NVRAM_BYTES,
  RECORD_SMALL_MAX,
  RPC_CLAIM,
  RPC_FEED,
  RPC_FETCH,
  RPC_HALT,
  RPC_IRQ,
  RPC_NVRAM_WRITE,
  RPC_PORT_CONFIGURE,
  RPC_RANDOM,
  RPC_RELEASE,
  RPC_REPLY,
  RPC_SEND,
  RPC_TEXT,
  RPC_TRACE,
  RPC_WORK,
  TYPED_MAX,
} from './layout';
import { ram_read, ram_write } from './outside';
import { ask } from './serve';
import { body, say, say_ram } from './stream';

/** The session is over, so the firmware's life is: out of it, as a trap. */
export function leave_if_over(): void {
  if (agent().over) unreachable();
}

/** Says a word of the firmware. */
function tell(channel: u32, type: u32, x: u32, b: u32, bytes: u32): void {
  say(channel, type, x, b, bytes);
  leave_if_over();
}

export function irq_mask(lines: u32): void {
  tell(CHANNEL_CONTROL, RPC_IRQ, 1, lines, 0);
}

export function irq_unmask(lines: u32): void {
  tell(CHANNEL_CONTROL, RPC_IRQ, 0, lines, 0);
}

export function ecc_next(page: u32): u32 {
  const count = agent().ecc_count;
  for (let i: u32 = 0; i < count; i++) {
    const each = load<u32>(ECC + i * 4);
    if (each >= page) return each;
  }
  return 0xffffffff;
}

export function random_word(): u32 {
  say(CHANNEL_CONTROL, RPC_RANDOM, 0, 0, 0);
  return ask();
}

export function timer_now_lo(): u32 {
  return <u32>agent().now;
}

export function timer_now_hi(): u32 {
  return <u32>(agent().now >> 32);
}

export function timer_utc(): u32 {
  return agent().utc;
}

export function timer_work(kind: u32, amount: u32): void {
  tell(CHANNEL_TIME, RPC_WORK, kind, amount, 0);
}

export function watchdog_feed(timeoutMs: u32): void {
  tell(CHANNEL_TIME, RPC_FEED, 0, timeoutMs, 0);
}

export function interconnect_send(ptr: u32, bytes: u32): void {
  if (bytes > MESSAGE_MAX || !inside(ptr, bytes)) return;
  ram_read(ptr, <u32>body(), bytes);
  tell(CHANNEL_INTERCONNECT, RPC_SEND, 0, 0, bytes);
}

export function interconnect_receive(ptr: u32, room: u32): u32 {
  const a = agent();
  if (a.message_head == a.message_tail) return 0;
  const at = MESSAGES + (a.message_head++ % MESSAGES_MAX) * (4 + MESSAGE_MAX);
  a.messages_taken++;
  if (!inside(ptr, room)) return 0;
  const bytes = min<u32>(load<u32>(at), room);
  ram_write(ptr, <u32>at + 4, bytes);
  return bytes;
}

export function nvram_read(offset: u32): u32 {
  return offset < NVRAM_BYTES ? load<u32>(NVRAM + (offset & ~3)) : 0;
}

export function nvram_write(offset: u32, value: u32): void {
  if (offset >= NVRAM_BYTES) return;
  store<u32>(NVRAM + (offset & ~3), value);
  store<u32>(body(), value);
  tell(CHANNEL_CONTROL, RPC_NVRAM_WRITE, 0, offset, 4);
}

export function uart_write(ptr: u32, bytes: u32): void {
  if (!inside(ptr, bytes)) return;
  for (let done: u32 = 0; done < bytes;) {
    const part = min<u32>(bytes - done, RECORD_SMALL_MAX);
    ram_read(ptr + done, <u32>body(), part);
    tell(CHANNEL_CONSOLE, RPC_TEXT, done + part < bytes ? 1 : 0, 0, part);
    done += part;
  }
}

export function uart_read(): i32 {
  const a = agent();
  if (a.typed_head == a.typed_tail) return -1;
  a.typed_taken++;
  return load<u8>(TYPED + (a.typed_head++ % TYPED_MAX));
}

export function reset_halt(): void {
  tell(CHANNEL_CONTROL, RPC_HALT, 0, 0, 0);
}

export function reset_reboot(): void {
  tell(CHANNEL_CONTROL, RPC_HALT, 1, 0, 0);
}

export function port_configure(ring: u32, count: u32): void {
  store<u32>(body(), count);
  tell(CHANNEL_PORT, RPC_PORT_CONFIGURE, 0, ring, 4);
}

export function port_poll(): u32 {
  return agent().port_posted;
}

export function port_release(head: u32): void {
  tell(CHANNEL_PORT, RPC_RELEASE, 0, head, 0);
}

export function port_fetch(tag: u32, ptr: u32, bytes: u32): void {
  store<u32>(body(), ptr);
  store<u32>(body() + 4, bytes);
  say(CHANNEL_PORT, RPC_FETCH, 0, tag, 8);
  ask();
}

export function port_reply(tag: u32, status: u32, sense: u32, ptr: u32, bytes: u32): void {
  if (inside(ptr, bytes)) say_ram(CHANNEL_PORT, ptr, bytes);
  store<u32>(body(), sense);
  store<u32>(body() + 4, ptr);
  store<u32>(body() + 8, bytes);
  tell(CHANNEL_PORT, RPC_REPLY, status, tag, 12);
}

export function port_claim(volume: u32, on: u32): void {
  tell(CHANNEL_PORT, RPC_CLAIM, on ? 1 : 0, volume, 0);
}

export function trace_event(code: u32, a: u32, b: u32, c: u32): void {
  const waits: u32 = code < 64 && (agent().stops >> code) & 1 ? 1 : 0;
  store<u32>(body(), a);
  store<u32>(body() + 4, b);
  store<u32>(body() + 8, c);
  say(CHANNEL_TRACE, RPC_TRACE, waits, code, 12);
  if (waits) ask();
  else leave_if_over();
}
