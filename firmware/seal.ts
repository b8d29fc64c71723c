/**
 * What a panic handler may believe of a memory that may be damaged: the disks that it writes to, sealed with a checksum
 * whenever they change. A stray pointer must not turn a dump into the end of a data disk.
 */
import { crc32c } from '../asm/bytes/crc32c';
import { CORE_AT } from './layout';
import { NO_DISK, core, disk_at } from './memory';
import { write_blocks } from './dump-size';

const SEAL_AT: usize = CORE_AT + 0xc00;
const SEALED_BYTES: u32 = 48;


@unmanaged
export class Seal {
  mailbox: u32; // disk number, NO_DISK
  mailbox_path: u32;
  coredump: u32; // the elected disk when it is prepared or holds an older core, NO_DISK
  coredump_path: u32;
  header_copy: u32;
  header_sequence: u32;
  wwn: u64;
  key: u64;
  write_blocks: u32; // of one WRITE of the dump
  unused: u32;
  sum: u32; // CRC32C of what stands before
}

export function seal(): Seal {
  return changetype<Seal>(SEAL_AT);
}

/** The mailbox disk or the coredump disk is another one now, or is reached by another path. */
export function seal_now(): void {
  const c = core();
  const s = seal();
  // A disk with an older core is as it is until a panic: it was prepared for that core.
  const elected = c.coredump != NO_DISK && (disk_at(c.coredump).prepared != 0 || c.spare_kept != 0);
  s.mailbox = c.mailbox;
  s.mailbox_path = c.mailbox == NO_DISK ? 0 : disk_at(c.mailbox).path;
  s.coredump = elected ? c.coredump : NO_DISK;
  s.coredump_path = elected ? disk_at(c.coredump).path : 0;
  s.header_copy = elected ? disk_at(c.coredump).header_copy : 0;
  s.header_sequence = elected ? disk_at(c.coredump).header_sequence : 0;
  s.wwn = elected ? disk_at(c.coredump).wwn : 0;
  s.key = c.key;
  s.write_blocks = elected ? write_blocks(disk_at(c.coredump)) : 0;
  s.unused = 0;
  s.sum = crc32c(0, SEAL_AT, SEALED_BYTES);
}

export function seal_good(): bool {
  return seal().sum == crc32c(0, SEAL_AT, SEALED_BYTES);
}
