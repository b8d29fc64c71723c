/**
 * The bootloader: what a board runs first. It decides which image gets the board, and where none does it stays and lets
 * a host write one. The board calls `boot` after reset and `poll` again and again until that says BOOT_JUMPED.
 */
import './abort';
import { NO_SLOT, boot_slot, reject_tried, slot_to_boot } from './choose';
import { reset_reboot, reset_recovery, timer_now_ms } from './device';
import { BOOT_JUMPED, BOOT_RECOVERY, BOOT_WAITING, WAIT_MAX_MS, WAIT_MS, WAIT_QUIET_MS } from './layout';
import { STATE_AT, TRUST_AT, state } from './memory';
import { serve } from './serve';

export function boot(): u32 {
  const s = state();
  memory.fill(STATE_AT, 0, TRUST_AT - STATE_AT);
  reject_tried();
  s.mode = BOOT_RECOVERY;
  if (reset_recovery() == 1) return s.mode;
  s.chosen = slot_to_boot();
  if (s.chosen == NO_SLOT) return s.mode;
  s.wait_from_ms = timer_now_ms();
  s.byte_at_ms = s.wait_from_ms - WAIT_QUIET_MS;
  s.mode = BOOT_WAITING;
  return s.mode;
}

/** A bounded amount of work; BOOT_*. */
export function poll(): u32 {
  const s = state();
  if (s.mode == BOOT_JUMPED) return s.mode;
  if (serve()) s.mode = BOOT_RECOVERY;
  if (s.reboot == 1) {
    s.reboot = 0;
    reset_reboot();
  } else if (s.mode == BOOT_WAITING && is_over()) {
    s.mode = boot_slot(s.chosen) ? BOOT_JUMPED : BOOT_RECOVERY;
  }
  return s.mode;
}

/** A host that is in the middle of something gets a little longer: a request may take more than the wait. */
function is_over(): bool {
  const s = state();
  const now = timer_now_ms();
  const waited = now - s.wait_from_ms;
  return waited >= WAIT_MAX_MS || (waited >= WAIT_MS && now - s.byte_at_ms >= WAIT_QUIET_MS);
}
