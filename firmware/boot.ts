/**
 * From reset to service: read the NVRAM, count up the boot epoch, discover the disks, join the pair, claim our own
 * disks, serve. If the partner holds them, wait for giveback.
 */
import { ROLE_FREE, ROLE_MAILBOX } from '../asm/layout';
import { crc32c_init } from '../asm/bytes/crc32c';
import { hba_configure, irq_unmask, nvram_read, nvram_write, port_configure } from './board';
import { cache_init } from './cache';
import { claim, claim_drop, claim_if_free } from './claim';
import { discover_begin } from './discover';
import { dump_key_init } from './dump-key';
import {
  BOARD_BOOTING,
  BOARD_NORMAL,
  BOARD_TAKEN,
  BOARD_TAKING,
  BOARD_WAITING,
  COMMAND_MAX,
  CQ_AT,
  DISKS_AT,
  DISK_BYTES,
  DISK_MAX,
  EV_BOOT,
  EV_READY,
  EV_WAITING,
  NV_CODEC,
  NV_EPOCH,
  NV_FLOOR_MIB,
  NV_GIVEBACK_MS,
  NV_HEARTBEAT_LOSS_MS,
  NV_HEARTBEAT_MS,
  NV_INDEX,
  NV_LIMIT_MS,
  NV_OVERWRITE,
  NV_PARTNER,
  NV_POLICY,
  NV_REBOOT,
  NV_ROOM_PERCENT,
  NV_SAVE_SHARE,
  NV_SYSTEM,
  NV_WATCHDOG_MS,
  REQUESTS_AT,
  REQUEST_MAX,
  SQ_AT,
} from './layout';
import { log, log_with } from './log';
import { mail_reserve } from './mailbox';
import { Disk, HELD_ME, NO_DISK, core, disk_at } from './memory';
import { now_us } from './now';
import { NEVER_LOOKED } from './spare';
import { seal_now } from './seal';
import { secrets_init } from './secrets';
import { partner_state, set_state, wake_at } from './state';
import { trace } from './trace';

const BOOT_DISCOVER: u32 = 1;
const BOOT_MAILBOX: u32 = 2;
const BOOT_JOIN: u32 = 3; // listens for the partner
const BOOT_CLAIM: u32 = 4;
export const BOOT_DONE: u32 = 5;
const BOOT_WAIT: u32 = 6; // for giveback
const BOOT_AGAIN: u32 = 7; // no mailbox disk was found
const AGAIN_US: u64 = 1000000;

/** A partner that is alive is heard in so many heartbeats. */
const JOIN_BEATS: u64 = 12;
/** While joining the partner's slot is read so often. */
const JOIN_MAIL_US: u64 = 50000;
/** While waiting for giveback the reservations are looked at again every so often. */
const LOOK_US: u64 = 250000;

/** Reset vector. RAM is zero. */
export function boot_begin(): void {
  const c = core();
  crc32c_init();
  c.pages = memory.size();
  c.now = now_us();
  c.boot_at = c.now;
  c.heard_at = c.mail_heard_at = c.mail_ok_at = c.now;
  c.system = nvram_read(NV_SYSTEM);
  c.partner = nvram_read(NV_PARTNER);
  c.index = nvram_read(NV_INDEX);
  c.epoch = nvram_read(NV_EPOCH) + 1;
  nvram_write(NV_EPOCH, c.epoch);
  c.key = ((<u64>c.system) << 32) | c.epoch;
  c.heartbeat_ms = nvram_read(NV_HEARTBEAT_MS);
  c.heartbeat_loss_ms = nvram_read(NV_HEARTBEAT_LOSS_MS);
  c.limit_ms = nvram_read(NV_LIMIT_MS);
  c.watchdog_ms = nvram_read(NV_WATCHDOG_MS);
  c.policy = nvram_read(NV_POLICY);
  c.giveback_ms = nvram_read(NV_GIVEBACK_MS);
  c.reboot = nvram_read(NV_REBOOT);
  c.room_percent = nvram_read(NV_ROOM_PERCENT);
  c.floor_mib = nvram_read(NV_FLOOR_MIB);
  c.save_share = nvram_read(NV_SAVE_SHARE);
  c.overwrite = nvram_read(NV_OVERWRITE);
  c.codec = nvram_read(NV_CODEC);
  c.mailbox = NO_DISK;
  c.coredump = NO_DISK;
  c.take_disk = NO_DISK;
  c.give_disk = NO_DISK;
  c.save_disk = NO_DISK;
  c.label_disk = NO_DISK;
  c.spares_seen = NEVER_LOOKED;
  secrets_init();
  dump_key_init();
  cache_init();
  hba_configure(SQ_AT, COMMAND_MAX, CQ_AT, COMMAND_MAX);
  port_configure(REQUESTS_AT, REQUEST_MAX);
  trace(EV_BOOT, c.epoch);
  log_with('boot epoch ', c.epoch);
  set_state(BOARD_BOOTING);
  c.boot_step = BOOT_DISCOVER;
  discover_begin();
  irq_unmask(0xffffffff);
}

/** What is due in this cycle. */
export function boot(): void {
  const c = core();
  switch (c.boot_step) {
    case BOOT_DISCOVER:
      if (c.boot_left) return;
      if (c.mailbox == NO_DISK) {
        // Without it nobody could tell a dead partner from a cut interconnect: wait for it, serve nothing.
        log('no mailbox disk: trying again');
        c.boot_step = BOOT_AGAIN;
        c.boot_poll_at = c.now + AGAIN_US;
        return;
      }
      c.boot_step = BOOT_MAILBOX;
      seal_now();
      return mail_reserve();
    case BOOT_AGAIN:
      wake_at(c.boot_poll_at);
      if (c.now < c.boot_poll_at) return;
      memory.fill(DISKS_AT, 0, DISK_BYTES * DISK_MAX);
      c.disk_count = 0;
      c.boot_step = BOOT_DISCOVER;
      return discover_begin();
    case BOOT_MAILBOX:
      if (c.boot_left) return;
      // From here on our slot is written; and the partner's is read after our registration, so that one of us sees
      // what the other does.
      c.boot_step = BOOT_JOIN;
      c.mail_due = 0;
      // The silence before we could listen says nothing.
      c.heard_at = c.mail_heard_at = c.mail_ok_at = c.now;
      c.boot_poll_at = c.now + JOIN_BEATS * c.heartbeat_ms * 1000;
      return;
    case BOOT_JOIN:
      return join();
    case BOOT_CLAIM:
      if (!c.boot_left) settle();
      return;
    case BOOT_WAIT:
      return wait();
  }
}

function partner_holds(): bool {
  const state = partner_state();
  return state == BOARD_TAKING || state == BOARD_TAKEN;
}

function join(): void {
  const c = core();
  wake_at(c.boot_poll_at);
  c.mail_due = min<u64>(c.mail_due, c.now + JOIN_MAIL_US);
  const heard = partner_state() != 0 && c.partner_mail_known != 0;
  if (!heard && c.now < c.boot_poll_at) return;
  if (partner_holds()) {
    // Claims would meet the partner's reservations: it gives back what is ours when it is ready.
    return begin_wait();
  }
  begin_claims();
}

function begin_claims(): void {
  const c = core();
  c.boot_step = BOOT_CLAIM;
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    const disk = disk_at(d);
    if (!disk.present || disk.role == <u8>ROLE_FREE || disk.role == <u8>ROLE_MAILBOX) continue;
    if (disk.owner == c.system) {
      if (disk.held != <u8>HELD_ME) claim(d);
    } else if (c.state == BOARD_BOOTING) claim_drop(d);
  }
}

function ours(disk: Disk): bool {
  return disk.present != 0 && disk.owner == core().system && disk.role != <u8>ROLE_FREE;
}

function missing(): u32 {
  let count: u32 = 0;
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    const disk = disk_at(d);
    if (ours(disk) && !disk.dead && disk.held != <u8>HELD_ME) count++;
  }
  return count;
}

function settle(): void {
  const c = core();
  if (missing()) return begin_wait();
  ready();
}

function begin_wait(): void {
  const c = core();
  c.boot_step = BOOT_WAIT;
  c.boot_poll_at = c.now + LOOK_US;
  if (c.state == BOARD_WAITING) return;
  set_state(BOARD_WAITING);
  trace(EV_WAITING);
  log('the partner holds our disks: waiting for giveback');
}

function wait(): void {
  const c = core();
  if (c.state != BOARD_WAITING) return; // a takeover of our own has begun: the partner is dead
  if (!missing() && !c.boot_left) return ready();
  wake_at(c.boot_poll_at);
  if (c.now < c.boot_poll_at) return;
  c.boot_poll_at = c.now + LOOK_US;
  if (c.boot_left) return;
  if (!partner_holds()) return begin_claims();
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    const disk = disk_at(d);
    // A disk of ours that nobody holds any more has been given back, even if the message was lost.
    if (ours(disk) && disk.held != <u8>HELD_ME) claim_if_free(d);
  }
}

function ready(): void {
  const c = core();
  c.boot_step = BOOT_DONE;
  set_state(BOARD_NORMAL);
  trace(EV_READY, c.serving);
  log_with('ready, volumes served: ', c.serving);
}
