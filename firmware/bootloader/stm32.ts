/**
 * The protocol of STM32's ROM bootloader on a UART, as a second way in. The flash that a host sees is the slot that takes
 * uploads: neither the bootloader nor the image that is kept can be reached. `Go` installs what was written, on trial.
 *
 * [AN3155] 2 bootloader activation, 3 commands
 */
import { slot_to_boot, slot_to_write } from './choose';
import { flash_read, uart_write } from './device';
import { image_check } from './image';
import { IMAGE_GOOD, STM32_FLASH_AT, STM32_PRODUCT, STM32_VERSION, TRAILER_AT, UNIT_BYTES } from './layout';
import { COPY_AT, STM32_AT, WRITE_AT, state } from './memory';
import { window_erase, window_erase_pages, window_open, window_write } from './stm32-window';
import { install, slot_at } from './trailer';

const ACK: u32 = 0x79;
const NACK: u32 = 0x1f;
export const STM32_SYNC: u32 = 0x7f;

const GET: u32 = 0x00;
const GET_VERSION: u32 = 0x01;
const GET_ID: u32 = 0x02;
const READ: u32 = 0x11;
const GO: u32 = 0x21;
const WRITE: u32 = 0x31;
const ERASE: u32 = 0x43;
const EXTENDED_ERASE: u32 = 0x44;
const COMMANDS: u32 = 8;

/** What the bytes that come next are of. */
const AT_COMMAND: u32 = 0;
const AT_READ_ADDRESS: u32 = 1;
const AT_READ_COUNT: u32 = 2;
const AT_WRITE_ADDRESS: u32 = 3;
const AT_WRITE_COUNT: u32 = 4;
const AT_WRITE_DATA: u32 = 5;
const AT_GO_ADDRESS: u32 = 6;
const AT_ERASE_COUNT: u32 = 7;
const AT_ERASE_PAGES: u32 = 8;
const AT_EXTENDED_COUNT: u32 = 9;
const AT_EXTENDED_PAGES: u32 = 10;

const ADDRESS_BYTES: u32 = 5; // and checksum
const BLOCK_MAX: u32 = 256;
/** More pages than any host names at once; a command that names more is refused. */
const PAGES_AT_ONCE: u32 = 512;

/** The host sent 7Fh where a frame could begin. */
export function stm32_begin(): void {
  const s = state();
  s.stm32 = 1;
  s.stm32_slot = slot_to_write();
  s.stm32_open = 0;
  expect(AT_COMMAND, 2);
  answer(ACK);
}

/** A command that stopped half way is forgotten. */
export function stm32_idle(): void {
  expect(AT_COMMAND, 2);
}

/** True when the two bytes 06 09 came instead of a command: the host speaks SMP. */
export function stm32_byte(byte: u32): bool {
  const s = state();
  if (s.stm32_step == AT_COMMAND && is_between(byte)) return false;
  store<u8>(STM32_AT + s.stm32_have++, <u8>byte);
  if (s.stm32_have < s.stm32_need) return false;
  if (s.stm32_step == AT_COMMAND && load<u16>(STM32_AT) == 0x0906) {
    s.stm32 = 0;
    return true;
  }
  step();
  return false;
}

/**
 * What no command has: the newline that a host of SMP sends first, and its 06h, which begins a pair even where the byte
 * before it did not end one.
 */
function is_between(byte: u32): bool {
  const s = state();
  if (s.stm32_have == 0) return byte == 0x0a;
  if (byte == 0x06) s.stm32_have = 0;
  return false;
}

function expect(next: u32, bytes: u32): void {
  const s = state();
  s.stm32_step = next;
  s.stm32_need = bytes;
  s.stm32_have = 0;
}

function answer(byte: u32): void {
  store<u8>(STM32_AT, <u8>byte);
  uart_write(<u32>STM32_AT, 1);
}

function refuse(): void {
  expect(AT_COMMAND, 2);
  answer(NACK);
}

function done(good: bool): void {
  expect(AT_COMMAND, 2);
  answer(good ? ACK : NACK);
}

/** Goes on to the next part of the command. */
function accept(next: u32, bytes: u32): void {
  expect(next, bytes);
  answer(ACK);
}

function step(): void {
  switch (state().stm32_step) {
    case AT_COMMAND:
      return command();
    case AT_READ_ADDRESS:
      return address() ? accept(AT_READ_COUNT, 2) : refuse();
    case AT_READ_COUNT:
      return read();
    case AT_WRITE_ADDRESS:
      return address() ? accept(AT_WRITE_COUNT, 1) : refuse();
    case AT_WRITE_COUNT:
      return keep_counting(AT_WRITE_DATA, <u32>load<u8>(STM32_AT) + 3);
    case AT_WRITE_DATA:
      return write();
    case AT_GO_ADDRESS:
      return go();
    case AT_ERASE_COUNT:
      return load<u8>(STM32_AT) == 0xff
        ? keep_counting(AT_ERASE_PAGES, 2)
        : keep_counting(AT_ERASE_PAGES, <u32>load<u8>(STM32_AT) + 3);
    case AT_ERASE_PAGES:
      return erase();
    case AT_EXTENDED_COUNT:
      return extended_count();
    default:
      return extended_erase();
  }
}

/** The part goes on: so many bytes in all, with those that are there. */
function keep_counting(next: u32, bytes: u32): void {
  state().stm32_step = next;
  state().stm32_need = bytes;
}

function command(): void {
  const code: u32 = load<u8>(STM32_AT);
  if ((code ^ load<u8>(STM32_AT, 1)) != 0xff) return refuse();
  switch (code) {
    case GET:
      return get();
    case GET_VERSION:
      return get_version();
    case GET_ID:
      return get_id();
    case READ:
      return accept(AT_READ_ADDRESS, ADDRESS_BYTES);
    case WRITE:
      return accept(AT_WRITE_ADDRESS, ADDRESS_BYTES);
    case GO:
      return accept(AT_GO_ADDRESS, ADDRESS_BYTES);
    case ERASE:
      return accept(AT_ERASE_COUNT, 1);
    case EXTENDED_ERASE:
      return accept(AT_EXTENDED_COUNT, 2);
    default:
      return refuse();
  }
}

function get(): void {
  expect(AT_COMMAND, 2);
  store<u8>(STM32_AT, <u8>ACK);
  store<u8>(STM32_AT, <u8>COMMANDS, 1); // bytes that follow, less 1: the version, and the commands
  store<u8>(STM32_AT, <u8>STM32_VERSION, 2);
  store<u8>(STM32_AT, <u8>GET, 3);
  store<u8>(STM32_AT, <u8>GET_VERSION, 4);
  store<u8>(STM32_AT, <u8>GET_ID, 5);
  store<u8>(STM32_AT, <u8>READ, 6);
  store<u8>(STM32_AT, <u8>GO, 7);
  store<u8>(STM32_AT, <u8>WRITE, 8);
  store<u8>(STM32_AT, <u8>ERASE, 9);
  store<u8>(STM32_AT, <u8>EXTENDED_ERASE, 10);
  store<u8>(STM32_AT, <u8>ACK, 11);
  uart_write(<u32>STM32_AT, 12);
}

function get_version(): void {
  expect(AT_COMMAND, 2);
  store<u32>(STM32_AT, ACK | (STM32_VERSION << 8)); // and two option bytes, 0
  store<u8>(STM32_AT, <u8>ACK, 4);
  uart_write(<u32>STM32_AT, 5);
}

function get_id(): void {
  expect(AT_COMMAND, 2);
  store<u32>(STM32_AT, ACK | (1 << 8) | ((STM32_PRODUCT >> 8) << 16) | ((STM32_PRODUCT & 0xff) << 24));
  store<u8>(STM32_AT, <u8>ACK, 4);
  uart_write(<u32>STM32_AT, 5);
}

function checksum(bytes: u32): u8 {
  let sum: u8 = 0;
  for (let i: u32 = 0; i < bytes; i++) sum ^= load<u8>(STM32_AT + i);
  return sum;
}

/** Takes the address of the command; false when it is not of the window, or damaged. */
function address(): bool {
  if (checksum(ADDRESS_BYTES) != 0) return false;
  const at = bswap<u32>(load<u32>(STM32_AT)) - STM32_FLASH_AT;
  state().stm32_address = at;
  return at < TRAILER_AT;
}

function read(): void {
  const s = state();
  const bytes: u32 = <u32>load<u8>(STM32_AT) + 1;
  if (checksum(2) != 0xff || bytes > TRAILER_AT - s.stm32_address) return refuse();
  done(true);
  flash_read(slot_at(s.stm32_slot) + s.stm32_address, <u32>COPY_AT, bytes);
  uart_write(<u32>COPY_AT, bytes);
}

function write(): void {
  const s = state();
  const bytes: u32 = <u32>load<u8>(STM32_AT) + 1;
  if (checksum(bytes + 2) != 0 || (s.stm32_address & (UNIT_BYTES - 1)) != 0) return refuse();
  const whole = (bytes + UNIT_BYTES - 1) & ~(UNIT_BYTES - 1);
  if (whole > TRAILER_AT - s.stm32_address || !window_open()) return refuse();
  memory.fill(WRITE_AT, 0xff, BLOCK_MAX);
  memory.copy(WRITE_AT, STM32_AT + 1, bytes);
  const at = slot_at(s.stm32_slot) + s.stm32_address;
  done(window_write(at, whole));
}

function go(): void {
  const s = state();
  if (!address() || s.stm32_address != 0) return refuse();
  const slot = s.stm32_slot;
  if (image_check(slot) != IMAGE_GOOD) return refuse();
  if (slot != slot_to_boot() && !install(slot)) return refuse();
  done(true);
  s.reboot = 1;
}

function erase(): void {
  const count: u32 = load<u8>(STM32_AT);
  if (count == 0xff) return load<u8>(STM32_AT, 1) == 0 ? done(window_erase()) : refuse();
  if (checksum(count + 3) != 0) return refuse();
  done(window_erase_pages(STM32_AT + 1, 1, count + 1));
}

function extended_count(): void {
  const count: u32 = bswap<u16>(load<u16>(STM32_AT));
  if (count >= 0xfffd) return keep_counting(AT_EXTENDED_PAGES, 3); // all of it, or a bank
  if (count >= PAGES_AT_ONCE) return refuse();
  keep_counting(AT_EXTENDED_PAGES, 2 + (count + 1) * 2 + 1);
}

function extended_erase(): void {
  const count: u32 = bswap<u16>(load<u16>(STM32_AT));
  if (checksum(state().stm32_need) != 0) return refuse();
  if (count == 0xffff) return done(window_erase());
  if (count >= 0xfffd) return refuse(); // there are no banks here
  done(window_erase_pages(STM32_AT + 2, 2, count + 1));
}
