/** What the host says to the board: state of devices, contents of RAM, and the calls that run the firmware. */
import { crc32c } from '../../asm/bytes/crc32c';
import { CHANNEL_CONTROL, CHANNEL_TIME } from '../../asm/link/layout';
import { ECC, MESSAGES, NVRAM, PIECE, RECORD, TYPED, agent, inside } from './agent';
import {
  BUILD_BYTES,
  DEVICE_PORT,
  ECC_MAX,
  MESSAGES_MAX,
  MESSAGE_MAX,
  NOW_BYTES,
  NVRAM_BYTES,
  PAGE_BYTES,
  RECORD_A_AT,
  RECORD_BULK_MAX,
  RECORD_BYTES_AT,
  RECORD_B_AT,
  RECORD_HEAD_BYTES,
  RECORD_SMALL_MAX,
  RECORD_TYPE_AT,
  RPC_BOOT,
  RPC_CYCLE,
  RPC_ECC,
  RPC_HELLO,
  RPC_INTERRUPT,
  RPC_MESSAGE,
  RPC_NMI,
  RPC_NVRAM,
  RPC_POSTED,
  RPC_READ,
  RPC_READY,
  RPC_RESET,
  RPC_RESUME,
  RPC_RETURN,
  RPC_SUMS,
  RPC_SUMS_ARE,
  RPC_TRAP,
  RPC_TYPED,
  RPC_VERSION,
  RPC_WELCOME,
  RPC_WRITE,
  TYPED_MAX,
} from './layout';
import { record_native } from './native';
import {
  cpu_boot_board,
  cpu_build,
  cpu_build_address,
  cpu_cycle,
  cpu_interrupt,
  cpu_machine,
  cpu_nmi,
  cpu_pc,
  cpu_place_address,
  cpu_reset,
  cpu_start,
  cpu_trapped,
  ram_read,
  ram_room,
  ram_write,
} from './outside';
import { body, flush, hear, hear_head, say, say_ram } from './stream';

const BODY: usize = RECORD + RECORD_HEAD_BYTES;
const SUMS_A_RECORD: u32 = RECORD_SMALL_MAX / 4;

/** Takes one record from the host; false when the session is over, or this record ends it. */
export function serve(): bool {
  if (!hear_head()) return false;
  const type = <u32>load<u8>(RECORD + RECORD_TYPE_AT);
  const x = <u32>load<u8>(RECORD + RECORD_A_AT);
  const bytes = <u32>load<u16>(RECORD + RECORD_BYTES_AT);
  const b = load<u32>(RECORD + RECORD_B_AT);
  if (type == RPC_WRITE) return take_write(b, bytes);
  if (bytes > RECORD_SMALL_MAX || !hear(BODY, bytes)) return false;
  if (common(type, b, bytes)) return true;
  if (type == RPC_RESET && bytes == 8) return reset(b);
  if (!agent().ready) return false;
  return state(type, x, b, bytes) || call(type, x, b, bytes);
}

/** Waits for RESUME in the middle of a call; what it brings. The session may be over: then out of the firmware. */
export function ask(): u32 {
  const a = agent();
  flush();
  while (hear_head()) {
    const type = <u32>load<u8>(RECORD + RECORD_TYPE_AT);
    const bytes = <u32>load<u16>(RECORD + RECORD_BYTES_AT);
    const b = load<u32>(RECORD + RECORD_B_AT);
    if (type == RPC_RESUME && !bytes) return b;
    const good =
      type == RPC_WRITE
        ? take_write(b, bytes)
        : bytes <= RECORD_SMALL_MAX && hear(BODY, bytes) && common(type, b, bytes);
    if (!good) break;
  }
  a.over = 1;
  return unreachable();
}

/** What is answered at any time. */
function common(type: u32, b: u32, bytes: u32): bool {
  if (type == RPC_HELLO) {
    store<u32>(body(), cpu_machine());
    store<u32>(body() + 4, agent().ram_units);
    cpu_build(<u32>body() + 8);
    say(CHANNEL_CONTROL, RPC_WELCOME, RPC_VERSION, ram_room(), 8 + BUILD_BYTES);
  } else if (type == RPC_READ && bytes == 4) {
    const count = load<u32>(BODY);
    if (!count || !inside(b, count)) return false;
    say_ram(CHANNEL_CONTROL, b, count, 1);
  } else if (type == RPC_SUMS && bytes == 4) {
    const pages = load<u32>(BODY);
    if (!pages || (<u64>b + pages) * PAGE_BYTES > (<u64>agent().ram_units) << 16) return false;
    sums(b, pages);
  } else return false;
  flush();
  return true;
}

function sums(page: u32, pages: u32): void {
  while (pages && !agent().over) {
    const part = min<u32>(pages, SUMS_A_RECORD);
    for (let i: u32 = 0; i < part; i++) {
      ram_read((page + i) * PAGE_BYTES, <u32>PIECE, PAGE_BYTES);
      store<u32>(body() + i * 4, crc32c(0, PIECE, PAGE_BYTES));
    }
    say(CHANNEL_CONTROL, RPC_SUMS_ARE, part == pages ? 1 : 0, page, part * 4);
    page += part;
    pages -= part;
  }
}

/** Into RAM as it comes. */
function take_write(address: u32, bytes: u32): bool {
  if (bytes > RECORD_BULK_MAX || !inside(address, bytes)) return false;
  while (bytes) {
    const part = min<u32>(bytes, PAGE_BYTES);
    if (!hear(PIECE, part)) return false;
    ram_write(address, <u32>PIECE, part);
    address += part;
    bytes -= part;
  }
  return true;
}

function reset(units: u32): bool {
  const a = agent();
  a.ready = units <= ram_room() && cpu_reset(units) ? 1 : 0;
  a.ram_units = a.ready ? units : 0;
  a.stops = load<u64>(BODY);
  a.running = a.panicking = a.recorded = 0;
  a.place_at = 0;
  a.posted = a.sq_count = a.head = a.port_posted = 0;
  a.message_head = a.message_tail = a.typed_head = a.typed_tail = a.ecc_count = 0;
  say(CHANNEL_CONTROL, RPC_READY, a.ready, 0, 0);
  flush();
  return true;
}

// -------------------------------------------------------------------------------------------------- device state

function state(type: u32, x: u32, b: u32, bytes: u32): bool {
  const a = agent();
  if (type == RPC_POSTED) {
    if (x == DEVICE_PORT) a.port_posted = b;
    else a.posted = b;
  } else if (type == RPC_MESSAGE) {
    if (bytes > MESSAGE_MAX || a.message_tail - a.message_head >= MESSAGES_MAX) return false;
    const at = MESSAGES + (a.message_tail++ % MESSAGES_MAX) * (4 + MESSAGE_MAX);
    store<u32>(at, bytes);
    memory.copy(at + 4, BODY, bytes);
  } else if (type == RPC_TYPED) {
    if (bytes > TYPED_MAX - (a.typed_tail - a.typed_head)) return false;
    for (let i: u32 = 0; i < bytes; i++) store<u8>(TYPED + (a.typed_tail++ % TYPED_MAX), load<u8>(BODY + i));
  } else if (type == RPC_NVRAM) {
    if (<u64>b + bytes > NVRAM_BYTES) return false;
    memory.copy(NVRAM + b, BODY, bytes);
  } else if (type == RPC_ECC) {
    if (x) a.ecc_count = 0;
    if (bytes & 3 || bytes / 4 > ECC_MAX - a.ecc_count) return false;
    memory.copy(ECC + a.ecc_count * 4, BODY, bytes);
    a.ecc_count += bytes / 4;
  } else return false;
  return true;
}

// ---------------------------------------------------------------------------------------------------------- calls

function call(type: u32, x: u32, b: u32, bytes: u32): bool {
  const a = agent();
  if (bytes < NOW_BYTES || (type != RPC_BOOT && !a.running)) return false;
  a.now = load<u64>(BODY);
  a.utc = load<u32>(BODY + 8);
  a.messages_taken = a.typed_taken = 0;
  let result: u32 = 0;
  if (type == RPC_BOOT && bytes == NOW_BYTES) boot(b);
  else if (type == RPC_CYCLE) result = cpu_cycle();
  else if (type == RPC_INTERRUPT) cpu_interrupt(b);
  else if (type == RPC_NMI && bytes >= NOW_BYTES + 4) nmi(x, b, bytes - NOW_BYTES - 4);
  else return false;
  if (a.over) return false;
  const trapped = cpu_trapped();
  if (trapped) record_native();
  store<u32>(body(), a.messages_taken);
  store<u32>(body() + 4, a.typed_taken);
  say(CHANNEL_TIME, trapped ? RPC_TRAP : RPC_RETURN, 0, trapped ? cpu_pc() : result, 8);
  flush();
  return !a.over;
}

function boot(periodUs: u32): void {
  const a = agent();
  a.running = 1;
  cpu_start();
  if (cpu_trapped() || a.over) return;
  a.place_at = cpu_place_address();
  const build = cpu_build_address();
  cpu_build(<u32>PIECE);
  if (inside(build, BUILD_BYTES)) ram_write(build, <u32>PIECE, BUILD_BYTES);
  cpu_boot_board(periodUs);
}

/** A failed assert has already written its place; the CPU only knows where its trap instruction stands. */
function nmi(reason: u32, pc: u32, bytes: u32): void {
  const a = agent();
  const address = load<u32>(BODY + NOW_BYTES);
  const place = BODY + NOW_BYTES + 4;
  a.panicking = 1;
  if (bytes && a.place_at && inside(a.place_at, bytes + 1)) {
    ram_read(a.place_at, <u32>PIECE, 1);
    if (!load<u8>(PIECE)) {
      store<u8>(place + bytes, 0);
      ram_write(a.place_at, <u32>place, bytes + 1);
    }
  }
  record_native();
  cpu_nmi(reason, pc, address);
}
