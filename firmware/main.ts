/**
 * What runs on a controller board. The board calls `boot` after reset, `cycle` at a fixed period, `interrupt` between
 * cycles, and `nmi` when the CPU faults. A cycle reads top to bottom.
 */
import { paths } from './path';
import './abort';
import { watchdog_feed } from './board';
import { BOOT_DONE, boot, boot_begin } from './boot';
import { commands_flush, commands_reap } from './command';
import { console } from './console';
import { giveback } from './giveback';
import { holder, holder_pending } from './holder';
import { heartbeat, listen } from './heartbeat';
import {
  BOARD_FENCED,
  BOARD_NORMAL,
  BOARD_TAKEN,
  BOARD_WAITING,
  PHASE_BOOT,
  PHASE_CONSOLE,
  PHASE_GIVEBACK,
  PHASE_HEARTBEAT,
  PHASE_LISTEN,
  PHASE_REAP,
  PHASE_SAVE,
  PHASE_SERVE,
  PHASE_TAKEOVER,
  RECORD_AT,
  RECORD_BUILD_AT,
  RECORD_PLACE_AT,
} from './layout';
import { core } from './memory';
import { now_us } from './now';
import { panic_cycle, panic_enter, panicking } from './panic';
import { savecore } from './savecore';
import { serve } from './serve';
import { spare_elect } from './spare';
import { takeover } from './takeover';

const NEVER: u64 = 0xffffffffffffffff;
/** The board's period, which it passes to `boot`. */
let period_us: u32 = 100;

export function boot_board(periodUs: u32): void {
  period_us = periodUs;
  boot_begin();
  commands_flush();
}

/** Returns how many of the following cycles have nothing to do unless an interrupt comes. */
export function cycle(): u32 {
  if (panicking()) return panic_cycle();
  const c = core();
  c.cycles++;
  c.now = now_us();
  c.wake_at = NEVER;
  if (c.state == BOARD_FENCED) return 1000;
  c.phase = PHASE_REAP;
  commands_reap();
  c.phase = PHASE_LISTEN;
  listen();
  c.phase = PHASE_CONSOLE;
  console();
  c.phase = PHASE_BOOT;
  if (c.boot_step != BOOT_DONE) boot();
  c.phase = PHASE_SERVE;
  serve();
  c.phase = PHASE_TAKEOVER;
  takeover();
  c.phase = PHASE_SAVE;
  savecore();
  c.phase = PHASE_GIVEBACK;
  giveback();
  if (c.state == BOARD_NORMAL || c.state == BOARD_TAKEN || c.state == BOARD_WAITING) holder();
  const settled = c.state == BOARD_NORMAL || c.state == BOARD_TAKEN || c.state == BOARD_WAITING;
  if (settled && !holder_pending()) spare_elect();
  if (settled) paths();
  c.phase = PHASE_HEARTBEAT;
  heartbeat();
  commands_flush();
  watchdog_feed(c.watchdog_ms);
  return idle();
}

function idle(): u32 {
  const c = core();
  if (c.sq_rung != c.sq_tail || c.wake_at <= c.now) return 0;
  if (c.wake_at == NEVER) return 1000;
  const cycles = (c.wake_at - c.now) / period_us;
  return cycles > 1000 ? 1000 : cycles ? <u32>cycles - 1 : 0;
}

/** The loop takes its work from the devices in a fixed order; an interrupt only ends its idling. */
export function interrupt(_lines: u32): void {}

/** `reason` PANIC_*; `pc` and `address` 0 where not known. */
export function nmi(reason: u32, pc: u32, address: u32): void {
  panic_enter(reason, pc, address);
}

/** Where the board writes the place of a fault, NUL-terminated: it has the symbol table. */
export function place_address(): u32 {
  return RECORD_AT + RECORD_PLACE_AT;
}

/** Where the board writes the build id at power-on: a boot loader knows what it loaded. */
export function build_address(): u32 {
  return RECORD_AT + RECORD_BUILD_AT;
}
