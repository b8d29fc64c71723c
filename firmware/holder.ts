/**
 * The second mark of ownership: the label of a disk names the board that has it now. The reservation is the first, and
 * the one that counts; the label is brought up to date after it, one disk at a time, when service is back.
 */
import { COPY_BLOCKS, COPY_BYTES, LABEL_HOLDER_AT, LABEL_LBA } from '../asm/layout';
import { cdb_read16, cdb_write16 } from '../asm/initiator/cdb';
import { OUTCOME_GOOD } from '../asm/initiator/outcome';
import { label_lba, label_newest, label_next_sequence, label_seal, label_victim } from '../asm/volume/label';
import { NO_COMMAND, command_new, command_send, entry_of } from './command';
import { DISK_MAX, LABEL_BUFFER_AT } from './layout';
import { HELD_ME, NO_DISK, command_at, core, disk_at } from './memory';

export const KIND_HOLDER: u32 = 0x9000;
const READ: u32 = KIND_HOLDER;
const WRITE: u32 = KIND_HOLDER + 1;
const BUFFER: usize = LABEL_BUFFER_AT;

/** True while a label is being rewritten, or is due to be: others who rewrite labels wait. */
export function holder_pending(): bool {
  const c = core();
  return c.label_disk != NO_DISK || c.label_seen != c.held_changes;
}

/** True while the label of this disk is being rewritten. */
export function holder_busy(d: u32): bool {
  return core().label_disk == d;
}

/** What is due in this cycle. */
export function holder(): void {
  const c = core();
  if (c.label_disk != NO_DISK || c.label_seen == c.held_changes) return;
  const changes = c.held_changes;
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    const disk = disk_at(d);
    if (!disk.present || disk.held != <u8>HELD_ME || disk.label_holder == c.system || disk.dead) continue;
    const i = command_new(READ, d);
    if (i == NO_COMMAND) return;
    c.label_disk = d;
    cdb_read16(entry_of(i), LABEL_LBA, 2 * COPY_BLOCKS, BUFFER, 2 * COPY_BYTES);
    return command_send(i);
  }
  c.label_seen = changes;
}

export function holder_done(i: u32, outcome: u32): void {
  const c = core();
  const d = c.label_disk;
  const disk = disk_at(d);
  const reading = command_at(i).kind == READ;
  if (reading && outcome == OUTCOME_GOOD && disk.held == <u8>HELD_ME && rewrite(d)) return;
  // Done, or the disk does not let us: the reservation says it all the same.
  disk.label_holder = c.system;
  c.label_disk = NO_DISK;
}

function rewrite(d: u32): bool {
  const newest = label_newest(BUFFER);
  if (newest < 0) return false;
  const victim = label_victim(BUFFER);
  const sequence = label_next_sequence(BUFFER);
  const buf = BUFFER + <usize>victim * COPY_BYTES;
  memory.copy(buf, BUFFER + <usize>newest * COPY_BYTES, COPY_BYTES);
  store<u32>(buf + LABEL_HOLDER_AT, core().system);
  label_seal(buf, sequence);
  const i = command_new(WRITE, d);
  if (i == NO_COMMAND) return false;
  cdb_write16(entry_of(i), label_lba(victim), COPY_BLOCKS, true, buf, COPY_BYTES);
  command_send(i);
  return true;
}
