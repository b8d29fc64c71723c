/** The serial line while the bootloader has the board: SMP and AN3155 on the same wire, told apart by how they begin. */
import { timer_now_ms, uart_read } from './device';
import { LINE_IDLE, line_begin, line_byte } from './line';
import { state } from './memory';
import { STM32_SYNC, stm32_begin, stm32_byte, stm32_idle } from './stm32';

/** Bytes a call, so that it returns. */
const BYTES_MAX: u32 = 1024;
/** A line or command that stopped for so long does not go on. */
const GAP_MS: u32 = 1000;
/** After what fitted nothing, a pause like this ends it as a newline does. */
const QUIET_MS: u32 = 20;

/** True when a host has spoken to us. */
export function serve(): bool {
  let spoken = false;
  for (let n: u32 = 0; n < BYTES_MAX; n++) {
    const byte = uart_read();
    if (byte < 0) break;
    const now = timer_now_ms();
    pause(now - state().byte_at_ms);
    state().byte_at_ms = now;
    if (take(byte)) spoken = true;
  }
  return spoken;
}

function pause(gap: u32): void {
  const s = state();
  if (s.stm32 == 1) {
    if (gap >= GAP_MS) stm32_idle();
  } else if (s.line != LINE_IDLE && gap >= (s.frame_bytes == 0 ? QUIET_MS : GAP_MS)) {
    s.line = LINE_IDLE;
    s.frame_bytes = 0;
  }
}

function take(byte: u32): bool {
  const s = state();
  if (s.stm32 == 1) {
    if (stm32_byte(byte)) line_begin();
    return true;
  }
  if (s.line == LINE_IDLE && byte == STM32_SYNC) {
    s.frame_bytes = 0;
    stm32_begin();
    return true;
  }
  return line_byte(byte);
}
