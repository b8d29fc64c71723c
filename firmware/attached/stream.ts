/** Records to and from the host, through the link; both wait, and come back at once when the session is over. */
import { LINK_NOTHING, LINK_OPEN } from '../../asm/link/layout';
import {
  link_due,
  link_flush,
  link_lives,
  link_receive,
  link_state,
  link_take,
  link_transmit,
  link_write,
} from '../../asm/link/link';
import { ITEM, LINE, LINK, OUT, PIECE, RECORD, WIRE, WIRE_BYTES, agent } from './agent';
import {
  PAGE_BYTES,
  QUIET_OPEN_US,
  QUIET_US,
  RAW_BYTES,
  RAW_START,
  RECORD_A_AT,
  RECORD_BULK_MAX,
  RECORD_BYTES_AT,
  RECORD_B_AT,
  RECORD_HEAD_BYTES,
  RECORD_TYPE_AT,
  RPC_RAM,
  SMP_NEWLINE,
  SMP_START,
  STM32_START,
} from './layout';
import { cpu_recovery, ram_read, wire_now, wire_read, wire_wait, wire_write } from './outside';

const LINK_AT: u32 = <u32>LINK;

/** Moves what there is to move, and notes the end of the session. */
export function pump(): void {
  const a = agent();
  for (;;) {
    const came = wire_read(<u32>WIRE, WIRE_BYTES);
    if (!came) break;
    const now = wire_now();
    const quiet = link_state(LINK_AT) == LINK_OPEN ? QUIET_OPEN_US : QUIET_US;
    if (now - a.heard_at >= quiet) a.begin = a.begin_bytes = 0;
    a.heard_at = now;
    if (a.begin_bytes < 4) listen(came);
    link_receive(LINK_AT, <u32>WIRE, came, now);
    if (came < WIRE_BYTES) break;
  }
  for (;;) {
    if (a.line_at == a.line_end) {
      a.line_at = 0;
      a.line_end = link_transmit(LINK_AT, <u32>LINE, wire_now());
      if (!a.line_end) break;
    }
    const went = wire_write(<u32>LINE + a.line_at, a.line_end - a.line_at);
    if (!went) break;
    a.line_at += went;
  }
  if (link_state(LINK_AT) != LINK_OPEN || link_lives(LINK_AT) != a.life) a.over = 1;
}

/** After a silence a host may speak to the bootloader, or measure the line. Its first bytes may come one by one. */
function listen(bytes: u32): void {
  const a = agent();
  for (let i: u32 = 0; i < bytes && a.begin_bytes < 4; i++) {
    const byte = <u32>load<u8>(WIRE + i);
    if (byte == SMP_NEWLINE && !a.begin_bytes) continue;
    a.begin |= byte << (8 * a.begin_bytes++);
    if (a.begin_bytes == 1 ? byte == STM32_START : a.begin_bytes == 2 && a.begin == SMP_START) cpu_recovery();
    if (a.begin_bytes == 4 && a.begin == RAW_START) raw();
  }
}

/** What the line alone can do: no link, no RAM. */
function raw(): void {
  for (let sent: u32 = 0; sent < RAW_BYTES;) {
    const went = wire_write(<u32>PIECE, min<u32>(RAW_BYTES - sent, PAGE_BYTES));
    if (!went) wire_wait(1000);
    sent += went;
  }
}

/** Lets time pass until something may have changed. */
export function rest(): void {
  // A line that waits for room is waited for by the wire; else the link knows.
  wire_wait(agent().line_at != agent().line_end ? 1000 : link_due(LINK_AT, wire_now()));
  pump();
}

function write(channel: u32, from: usize, bytes: u32): void {
  const a = agent();
  let done: u32 = 0;
  while (!a.over) {
    done += link_write(LINK_AT, channel, <u32>from + done, bytes - done);
    if (done == bytes) return;
    rest();
  }
}

/** Head of a record at OUT. */
function head(type: u32, x: u32, b: u32, bytes: u32): void {
  store<u8>(OUT + RECORD_TYPE_AT, <u8>type);
  store<u8>(OUT + RECORD_A_AT, <u8>x);
  store<u16>(OUT + RECORD_BYTES_AT, <u16>bytes);
  store<u32>(OUT + RECORD_B_AT, b);
}

/** Where the body of the next record is put together. */
// @ts-ignore: decorator
@inline
export function body(): usize {
  return OUT + RECORD_HEAD_BYTES;
}

export function say(channel: u32, type: u32, x: u32, b: u32, bytes: u32): void {
  head(type, x, b, bytes);
  write(channel, OUT, RECORD_HEAD_BYTES + bytes);
}

/** Bytes of RAM, all inside it, as RAM records; `last` is the `a` of the last one. */
export function say_ram(channel: u32, address: u32, bytes: u32, last: u32 = 0): void {
  while (bytes && !agent().over) {
    const whole = min<u32>(bytes, RECORD_BULK_MAX);
    head(RPC_RAM, whole == bytes ? last : 0, address, whole);
    write(channel, OUT, RECORD_HEAD_BYTES);
    for (let done: u32 = 0; done < whole;) {
      const part = min<u32>(whole - done, PAGE_BYTES);
      ram_read(address + done, <u32>PIECE, part);
      write(channel, PIECE, part);
      done += part;
    }
    address += whole;
    bytes -= whole;
  }
}

/** What was said goes out now. */
export function flush(): void {
  link_flush(LINK_AT);
  pump();
}

/** Waits for the next `bytes` bytes of the record; false when the session is over. */
export function hear(to: usize, bytes: u32): bool {
  const a = agent();
  let done: u32 = 0;
  while (done < bytes) {
    if (a.item_at == a.item_end && !next_item()) return false;
    const part = min<u32>(bytes - done, a.item_end - a.item_at);
    memory.copy(to + done, ITEM + a.item_at, part);
    a.item_at += part;
    done += part;
  }
  return true;
}

function next_item(): bool {
  const a = agent();
  while (!a.over) {
    const taken = link_take(LINK_AT, <u32>ITEM);
    if (taken == LINK_NOTHING) rest();
    else {
      a.item_at = 0;
      a.item_end = taken & 0xffff;
      if (a.item_end) return true;
    }
  }
  return false;
}

/** Head of the next record at RECORD; false when the session is over. */
export function hear_head(): bool {
  return hear(RECORD, RECORD_HEAD_BYTES);
}
