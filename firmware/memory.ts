/**
 * The structures at the addresses of the memory map. Field order gives C layout; a 64-bit field stands at a multiple
 * of 8.
 */
import {
  CACHE_AT,
  CACHE_ENTRY_BYTES,
  CACHE_LINE_BYTES,
  COMMANDS_AT,
  COMMAND_BYTES,
  CORE_AT,
  DISKS_AT,
  DISK_BYTES,
  SCRATCH_AT,
  SCRATCH_BYTES,
  VOLUMES_AT,
  VOLUME_BYTES,
} from './layout';

/** What the firmware knows of itself and of its partner. */
@unmanaged
export class Core {
  index: u32; // slot in the chassis, 0 or 1
  system: u32;
  partner: u32;
  epoch: u32;
  state: u32; // BOARD_*
  phase: u32; // PHASE_*
  cycles: u32;
  pages: u32; // RAM, in wasm pages of 64 KiB
  now: u64; // us, at the start of this cycle
  wake_at: u64; // us, the earliest time at which a step has something to do
  key: u64; // reservation key: system id << 32 | boot epoch
  sq_tail: u32;
  sq_rung: u32;
  cq_head: u32;
  in_flight: u32;
  waiting: u32; // commands that will be sent again
  command_next: u32;
  request_head: u32;
  disk_count: u32;
  mailbox: u32; // disk number, NO_DISK
  coredump: u32; // the elected coredump disk, NO_DISK
  spares_seen: u32; // election is due again when the spares change
  // partner
  partner_epoch: u32;
  partner_state: u32; // BOARD_*, as last heard
  partner_mail_beat: u32;
  heard_at: u64; // us, last heartbeat over the interconnect
  mail_heard_at: u64; // us, last change of the partner's mailbox slot
  partner_mail_state: u32;
  partner_mail_known: u32;
  partner_mail_alive: u32; // its slot has changed since we booted
  partner_mail_wwn: u64;
  // heartbeats out
  beat: u32;
  mail_busy: u32;
  beat_due: u64;
  mail_due: u64;
  mail_ok_at: u64; // us, when our own mailbox write last went through
  heartbeat_ms: u32;
  heartbeat_loss_ms: u32;
  limit_ms: u32;
  watchdog_ms: u32;
  policy: u32;
  giveback_ms: u32;
  reboot: u32;
  room_percent: u32;
  floor_mib: u32;
  save_share: u32;
  overwrite: u32;
  codec: u32; // CODEC_LZ4 or 0
  // boot
  boot_step: u32;
  boot_left: u32; // disks still being discovered or claimed
  boot_at: u64;
  boot_poll_at: u64;
  // takeover
  take_step: u32; // TAKE_*
  take_epoch: u32; // partner's epoch that is being fenced
  take_seen: u32; // 1 by message, 2 by heartbeats
  take_disk: u32; // the disk left to the dump, NO_DISK
  take_limit_at: u64; // us, when the dump's time is over
  take_poll_at: u64;
  take_at: u64; // us, when the takeover began
  take_retry_at: u64;
  take_hint: u64; // WWN that the panic message named
  take_dropped: u64; // WWN of a dump disk that the partner gave up
  take_lend: u64; // WWN that the partner asked for
  take_fenced: u32; // epoch + 1 of the partner's life that was taken over
  take_tries: u32;
  take_waited: u32;
  take_released: u32; // the sequential policy holds no disk back any more
  take_hint_at: u64;
  take_hint_limit: u64; // us, when the dump's time is over by that message
  take_served: u32;
  take_none: u32; // the partner said that it will not dump
  stopping: u32; // the partner is being asked to stop its dump
  stop_disk: u32;
  spare_kept: u32; // the elected disk holds an older core: not touched before a panic
  sparse_chunks: u32; // that are not zero, as last estimated
  sparse_at: u64; // us, when the next estimate is due
  stop_until: u64;
  stop_again_at: u64;
  // savecore
  save_step: u32; // SAVE_*
  save_disk: u32;
  save_looked: u32; // held_changes at the last look for a dump to save
  held_changes: u32; // counts up when a disk becomes ours
  label_seen: u32; // held_changes when all labels were up to date
  label_disk: u32; // whose label is being rewritten, NO_DISK
  // giveback
  give_step: u32;
  give_disk: u32;
  give_at: u64;
  give_sent_at: u64;
  give_done: u32;
  // cache
  cache_sets: u32;
  cache_lines: u32; // address of line 0
  serving: u32; // volumes
  dropped_messages: u32;
  serve_served: u32; // requests
  probe_at: u64; // us, when lost paths are asked again
}

/** For ABORT_NONE in the header of a dump that lacks chunks: both boards were off before it had an end. */
export const HEADER_CUT: u16 = 0xffff;

/** A disk as seen by this board. */
@unmanaged
export class Disk {
  present: u8;
  paths: u8; // bit a path
  path: u8; // in use: 0 or 1
  role: u8; // ROLE_*
  only_free: u8; // a claim goes on only if nobody holds it
  held: u8; // HELD_*
  dead: u8; // writes fail, or nobody answers
  failing_over: u8;
  paths_known: u8; // bit a path that answered at boot
  veto: u8; // the partner could not take it: not given back in this round
  header_abort: u16; // ABORT_*, or HEADER_CUT
  volume: u32;
  owner: u32; // system id of the home board
  wwn: u64;
  blocks: u64;
  holder: u64; // key that holds the reservation, 0: none
  label_valid: u32;
  attribute: u32; // ATTRIBUTE_* as last read
  header_epoch: u32;
  header_system: u32;
  header_saved: u32;
  header_sequence: u32;
  header_copy: u32; // the copy that counts
  take: u32; // TAKE_DISK_*
  take_reason: u32;
  tries: u32;
  reserved_path: u32; // the path that our last PREEMPT or RESERVE went out on
  prepared: u32; // header points to room for this board's memory
  retry_at: u64;
  label_state: u32;
  label_holder: u32; // system id of the board that the label says has it
  transfer_max: u32; // blocks that a command may move, 0: not known
  transfer_best: u32; // and should
}

/** A volume: the data region of one data disk. */
@unmanaged
export class Volume {
  disk: u32;
  known: u32;
  serving: u32;
  in_flight: u32;
  base: u64; // first block on the disk
  blocks: u64;
  home: u32;
  generation: u32; // counts up each time that service begins: older cache lines are void
}

/** A command on its way; the submission entry is kept so that it can be sent again. */
@unmanaged
export class Command {
  sqe0: u64;
  sqe1: u64;
  sqe2: u64;
  sqe3: u64;
  sqe4: u64;
  sqe5: u64;
  sqe6: u64;
  sqe7: u64;
  kind: u32; // who goes on with it
  disk: u32;
  arg: u32;
  arg2: u32;
  busy: u32; // 0 free, 1 sent, 2 waits to be sent again
  tries: u32;
  resend_at: u64;
  generation: u32;
  sense: u32; // sense code of the last answer
}

/** One line of the cache. */
@unmanaged
export class CacheEntry {
  used: u16;
  volume: u16;
  extent: u32; // 64 KiB units from the start of the volume
  valid: u16; // bit a page of 4 KiB
  heat: u8;
  busy: u8; // 1 being read or written
  generation: u32; // the volume's, when the line was filled
  first: u32; // while busy: first block
  blocks: u32; // while busy
  unused0: u32;
  unused1: u32;
}

export const NO_DISK: u32 = 0xffffffff;
export const HELD_ME: u32 = 1;
export const HELD_PARTNER: u32 = 2;
export const HELD_FOREIGN: u32 = 3;

// @ts-ignore: decorator
@inline
export function core(): Core {
  return changetype<Core>(<usize>CORE_AT);
}
// @ts-ignore: decorator
@inline
export function disk_at(i: u32): Disk {
  return changetype<Disk>(<usize>(DISKS_AT + i * DISK_BYTES));
}
// @ts-ignore: decorator
@inline
export function volume_at(i: u32): Volume {
  return changetype<Volume>(<usize>(VOLUMES_AT + i * VOLUME_BYTES));
}
// @ts-ignore: decorator
@inline
export function command_at(i: u32): Command {
  return changetype<Command>(<usize>(COMMANDS_AT + i * COMMAND_BYTES));
}
// @ts-ignore: decorator
@inline
export function cache_at(i: u32): CacheEntry {
  return changetype<CacheEntry>(<usize>(CACHE_AT + i * CACHE_ENTRY_BYTES));
}
// @ts-ignore: decorator
@inline
export function cache_line(i: u32): usize {
  return <usize>core().cache_lines + <usize>i * CACHE_LINE_BYTES;
}
/** Buffer of disk `i`: SCRATCH_BYTES. */
// @ts-ignore: decorator
@inline
export function scratch(i: u32): usize {
  return <usize>(SCRATCH_AT + i * SCRATCH_BYTES);
}
