/**
 * Which disks there are: each target is asked on both paths, then for its name, size, label and coredump header, and
 * this board registers its key on every path of every disk that the pair uses. A chain of commands a disk, all disks
 * at once.
 *
 * [SPC-4] 6.6 INQUIRY, 7.8.5 Device Identification VPD page 83h, 6.16 PERSISTENT RESERVE OUT
 * [SBC-3] 6.5.4 Block Limits VPD page B0h
 */
import {
  ABORT_NONE,
  ATTRIBUTE_INACTIVE,
  COPY_BLOCKS,
  COPY_BYTES,
  COREDUMP_LBA,
  HEADER_ABORT_AT,
  HEADER_ATTRIBUTE_AT,
  HEADER_CHUNK_TOTAL_AT,
  HEADER_EPOCH_AT,
  HEADER_LOST_AT,
  HEADER_POISONED_AT,
  HEADER_SAVED_AT,
  HEADER_SEQUENCE_AT,
  HEADER_STORED_AT,
  HEADER_SYSTEM_AT,
  HEADER_ZERO_AT,
  LABEL_HOLDER_AT,
  LABEL_LBA,
  LABEL_OWNER_AT,
  LABEL_ROLE_AT,
  LABEL_STATE_AT,
  LABEL_VOLUME_AT,
  ROLE_DATA,
  ROLE_FREE,
  ROLE_MAILBOX,
  DATA_LBA,
  TAIL_BLOCKS,
} from '../asm/layout';
import { load_be16, load_be32, load_be64 } from '../asm/bytes/endian';
import {
  PR_REGISTER_AND_IGNORE,
  cdb_inquiry,
  cdb_read16,
  cdb_read_capacity16,
  cdb_reserve_out,
} from '../asm/initiator/cdb';
import { OUTCOME_GOOD } from '../asm/initiator/outcome';
import { header_newest } from '../asm/dump/header';
import { label_newest } from '../asm/volume/label';
import { NO_COMMAND, command_new, command_send, command_send_on, entry_of } from './command';
import { DISK_MAX, EV_DISCOVERED, VOLUME_MAX } from './layout';
import { log_begin, log_end, log_hex, log_number, log_text } from './log';
import { Disk, HEADER_CUT, command_at, core, disk_at, scratch, volume_at } from './memory';
import { trace } from './trace';

export const KIND_DISCOVER: u32 = 0x1000;
const INQUIRY_0: u32 = KIND_DISCOVER;
const INQUIRY_1: u32 = KIND_DISCOVER + 1;
const NAMES: u32 = KIND_DISCOVER + 2;
const CAPACITY: u32 = KIND_DISCOVER + 3;
const LABEL: u32 = KIND_DISCOVER + 4;
const HEADER: u32 = KIND_DISCOVER + 5;
const REGISTER_0: u32 = KIND_DISCOVER + 6;
const REGISTER_1: u32 = KIND_DISCOVER + 7;
const LIMITS: u32 = KIND_DISCOVER + 8;
const BLOCK_LIMITS: u32 = 0xb0;
const LIMITS_BYTES: u32 = 64;

/** Starts the chain of every target. `boot_left` counts those not yet at its end. */
export function discover_begin(): void {
  const c = core();
  c.boot_left = DISK_MAX;
  for (let d: u32 = 0; d < DISK_MAX; d++) next(d, INQUIRY_0);
}

/** Sends the step `kind` of the chain of disk `d`. */
function next(d: u32, kind: u32): void {
  const i = command_new(kind, d);
  assert(i != NO_COMMAND, 'discovery has a slot for each disk');
  const entry = entry_of(i);
  const data = scratch(d);
  switch (kind) {
    case INQUIRY_0:
    case INQUIRY_1:
      cdb_inquiry(entry, 0, data, 96);
      return command_send_on(i, kind - INQUIRY_0);
    case NAMES:
      cdb_inquiry(entry, 0x83, data, 252);
      break;
    case CAPACITY:
      cdb_read_capacity16(entry, data, 32);
      break;
    case LIMITS:
      cdb_inquiry(entry, BLOCK_LIMITS, data, LIMITS_BYTES);
      break;
    case LABEL:
      cdb_read16(entry, LABEL_LBA, 2 * COPY_BLOCKS, data, 2 * COPY_BYTES);
      break;
    case HEADER:
      cdb_read16(entry, COREDUMP_LBA, 2 * COPY_BLOCKS, data, 2 * COPY_BYTES);
      break;
    default:
      cdb_reserve_out(entry, PR_REGISTER_AND_IGNORE, 0, data + 0x3f00, 0, core().key);
      return command_send_on(i, kind - REGISTER_0);
  }
  command_send(i);
}

export function discover_done(i: u32, outcome: u32): void {
  const kind = command_at(i).kind;
  const d = command_at(i).disk;
  const disk = disk_at(d);
  const data = scratch(d);
  const good = outcome == OUTCOME_GOOD;
  switch (kind) {
    case INQUIRY_0:
      if (good && load<u8>(data) == 0) disk.paths |= 1; // peripheral device type 0: direct access block device
      return next(d, INQUIRY_1);
    case INQUIRY_1:
      if (good && load<u8>(data) == 0) disk.paths |= 2;
      if (!disk.paths) return end();
      disk.paths_known = disk.paths;
      // Each board has its favourite path, so that both ports of the disks carry load.
      disk.path = (<u32>disk.paths) & ((<u32>1) << core().index) ? <u8>core().index : <u8>(core().index ^ 1);
      return next(d, NAMES);
    case NAMES:
      if (!good || !read_name(disk, data)) return end();
      return next(d, CAPACITY);
    case CAPACITY:
      if (!good) return end();
      disk.blocks = load_be64(data) + 1;
      return next(d, LIMITS);
    case LIMITS:
      if (good) read_limits(disk, data);
      return next(d, LABEL);
    case LABEL:
      if (!good || !read_label(d, disk, data)) return end();
      return next(d, HEADER);
    case HEADER:
      if (good) read_header(disk, data);
      if (disk.role == <u8>ROLE_FREE) return end();
      return next(d, disk.paths & 1 ? REGISTER_0 : REGISTER_1);
    case REGISTER_0:
      if (disk.paths & 2) return next(d, REGISTER_1);
      return end();
    default:
      end();
  }
}

function end(): void {
  core().boot_left--;
}

/** Block Limits VPD page, [SBC-3] 6.5.4: what one command may move, and should. 0: the disk does not say. */
function read_limits(disk: Disk, data: usize): void {
  if (load<u8>(data + 1) != <u8>BLOCK_LIMITS || load_be16(data + 2) < 12) return;
  disk.transfer_max = load_be32(data + 8);
  disk.transfer_best = load_be32(data + 12);
}

/** Finds the NAA designator of the logical unit, [SPC-4] 7.8.5.6. */
function read_name(disk: Disk, data: usize): bool {
  const end = min<u32>(4 + load_be16(data + 2), 252);
  for (let at: u32 = 4; at + 4 <= end; at += 4 + load<u8>(data + at + 3)) {
    const isNaa = (load<u8>(data + at + 1) & 0x3f) == 0x03; // association 0 (logical unit), type 3 (NAA)
    if (isNaa && load<u8>(data + at + 3) >= 8 && at + 12 <= end) {
      disk.wwn = load_be64(data + at + 4);
      return disk.wwn != 0;
    }
  }
  return false;
}

function read_label(d: u32, disk: Disk, data: usize): bool {
  const newest = label_newest(data);
  if (newest < 0) {
    log_begin();
    log_text('disk ');
    log_number(d);
    log_text(' has no valid label: left alone');
    log_end();
    return false;
  }
  const label = data + <usize>newest * COPY_BYTES;
  const c = core();
  disk.present = 1;
  disk.label_valid = 1;
  disk.label_holder = load<u32>(label + LABEL_HOLDER_AT);
  disk.label_state = load<u32>(label + LABEL_STATE_AT);
  disk.role = <u8>load<u32>(label + LABEL_ROLE_AT);
  disk.owner = load<u32>(label + LABEL_OWNER_AT);
  disk.volume = load<u32>(label + LABEL_VOLUME_AT);
  c.disk_count++;
  if (disk.role == <u8>ROLE_MAILBOX) c.mailbox = d;
  if (disk.role == <u8>ROLE_DATA && disk.volume < VOLUME_MAX) {
    const volume = volume_at(disk.volume);
    volume.known = 1;
    volume.disk = d;
    volume.home = disk.owner;
    volume.base = DATA_LBA;
    volume.blocks = disk.blocks - DATA_LBA - TAIL_BLOCKS;
  }
  trace(EV_DISCOVERED, d, disk.role, disk.owner == c.system ? 1 : 0);
  log_begin();
  log_text('disk ');
  log_number(d);
  log_text(' wwn ');
  log_hex(disk.wwn, 16);
  log_text(' role ');
  log_number(disk.role);
  log_text(' owner ');
  log_number(disk.owner);
  log_text(' paths ');
  log_number(disk.paths);
  log_end();
  return true;
}

/** Takes what the coredump header says; no valid copy reads as inactive. `copies` is what lies at COREDUMP_LBA. */
export function read_header(disk: Disk, copies: usize): i32 {
  const newest = header_newest(copies);
  if (newest < 0) {
    disk.attribute = ATTRIBUTE_INACTIVE;
    disk.header_abort = <u16>ABORT_NONE;
    disk.header_epoch = disk.header_system = disk.header_sequence = disk.header_saved = 0;
    disk.header_copy = 1;
    return newest;
  }
  const header = copies + <usize>newest * COPY_BYTES;
  disk.attribute = load<u32>(header + HEADER_ATTRIBUTE_AT);
  disk.header_abort = abort_of(header);
  disk.header_epoch = load<u32>(header + HEADER_EPOCH_AT);
  disk.header_system = load<u32>(header + HEADER_SYSTEM_AT);
  disk.header_saved = load<u32>(header + HEADER_SAVED_AT);
  disk.header_sequence = load<u32>(header + HEADER_SEQUENCE_AT);
  disk.header_copy = newest;
  return newest;
}

function abort_of(header: usize): u16 {
  const abort = load<u32>(header + HEADER_ABORT_AT);
  const counted =
    load<u32>(header + HEADER_STORED_AT) +
    load<u32>(header + HEADER_ZERO_AT) +
    load<u32>(header + HEADER_LOST_AT) +
    load<u32>(header + HEADER_POISONED_AT);
  return abort == ABORT_NONE && counted != load<u32>(header + HEADER_CHUNK_TOTAL_AT)
    ? HEADER_CUT
    : <u16>abort;
}

/** Disk number of a WWN, or NO_DISK. */
export function disk_of(wwn: u64): u32 {
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    if (disk_at(d).present && disk_at(d).wwn == wwn) return d;
  }
  return 0xffffffff;
}
