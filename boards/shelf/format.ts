/**
 * Makes a disk one of this shelf's: partition table, coredump header, on a root disk an exFAT volume, and at the very
 * end the label. So a disk whose formatting was cut has no label, and inspectDisk says so.
 *
 * [layout] LABEL_LBA, COREDUMP_LBA, DATA_LBA
 * [UEFI] 5.3, [exFAT] Microsoft, "exFAT file system specification"
 */
import type { DiskIo } from '#disk-io';
import {
  COPY_BYTES,
  DATA_LBA,
  LABEL_LBA,
  LABEL_NAME_BYTES,
  MAIL_BLOCKS,
  NO_VOLUME,
  ROLE_MAILBOX,
  ROLE_ROOT,
  SECTOR_BYTES,
} from '../../asm/layout.ts';
import { borrow } from './borrow.ts';
import type { Borrowed } from './borrow.ts';

export { inspectDisk } from './inspect.ts';
export type { DiskKind } from './inspect.ts';

export type Write = (at: number, bytes: Uint8Array) => void;

export interface DiskFormat {
  blocks: number;
  wwn: bigint;
  role: number; // ROLE_*
  owner: number; // system id; 0: nobody's
  name: string; // at most 16 bytes of ASCII
  volume: number | null;
  /** All GUIDs and the volume's serial number follow from it. */
  guidSeed: bigint;
  /** Of the volume's directory; by default exFAT's first second. */
  utcSeconds?: number;
}

const GPT_PRIMARY_BLOCKS = 34;
const GPT_BACKUP_BLOCKS = 33;
const GPT_DATA_OWN = 0;
const GPT_DATA_EXFAT = 1;
const EXFAT_OK = 0;
const EXFAT_VOLUME_LABEL = 11;

// What lies where in the borrowed memory.
const STATE_AT = 0;
const NAME_AT = 256;
const BUFFER_AT = 512;
const BUFFER_BYTES = 65536;
const LENT_BYTES = BUFFER_AT + BUFFER_BYTES;

/** Smallest disk that holds the regions and, on a root disk, a volume. */
export const DISK_BLOCKS_MIN = 16384;

/** Writes everything that makes a disk ours, in pieces of at most 64 KiB; each piece is only lent to `write`. */
export function formatDisk(diskIo: DiskIo, write: Write, disk: DiskFormat): void {
  if (!Number.isSafeInteger(disk.blocks) || disk.blocks < DISK_BLOCKS_MIN) {
    throw new RangeError(`a disk of ${disk.blocks} blocks: at least ${DISK_BLOCKS_MIN} are needed`);
  }
  if (!/^[ -~]*$/.test(disk.name) || disk.name.length > LABEL_NAME_BYTES) {
    throw new RangeError(`disk name '${disk.name}': at most ${LABEL_NAME_BYTES} ASCII characters`);
  }
  borrow(diskIo, LENT_BYTES, (lent) => {
    lent.bytes.set(new TextEncoder().encode(disk.name), NAME_AT);
    write(LABEL_LBA * SECTOR_BYTES, new Uint8Array(2 * COPY_BYTES)); // an older label must not outlive a cut
    writeTables(lent, write, disk);
    writeHeaders(lent, write);
    if (disk.role === ROLE_ROOT) writeVolume(lent, write, disk);
    if (disk.role === ROLE_MAILBOX)
      write(DATA_LBA * SECTOR_BYTES, new Uint8Array(2 * MAIL_BLOCKS * SECTOR_BYTES));
    writeLabels(lent, write, disk);
  });
}

function buffer(lent: Borrowed, bytes: number): Uint8Array {
  return lent.bytes.subarray(BUFFER_AT, BUFFER_AT + bytes);
}

function writeTables(lent: Borrowed, write: Write, disk: DiskFormat): void {
  const data = disk.role === ROLE_ROOT ? GPT_DATA_EXFAT : GPT_DATA_OWN;
  const args = [lent.at + BUFFER_AT, BigInt(disk.blocks), disk.guidSeed, data] as const;
  lent.io.gpt_backup(...args);
  write((disk.blocks - GPT_BACKUP_BLOCKS) * SECTOR_BYTES, buffer(lent, GPT_BACKUP_BLOCKS * SECTOR_BYTES));
  lent.io.gpt_primary(...args);
  write(0, buffer(lent, GPT_PRIMARY_BLOCKS * SECTOR_BYTES));
}

/** Both copies: no dump, and never one yet. */
function writeHeaders(lent: Borrowed, write: Write): void {
  const at = lent.at + BUFFER_AT;
  for (const copy of [0, 1]) {
    lent.io.header_begin(at);
    lent.io.header_seal(at, copy + 1);
    write(lent.io.header_lba(copy) * SECTOR_BYTES, buffer(lent, COPY_BYTES));
  }
}

function writeLabels(lent: Borrowed, write: Write, disk: DiskFormat): void {
  const at = lent.at + BUFFER_AT;
  for (const copy of [0, 1]) {
    lent.io.label_begin(at, disk.role, disk.owner, disk.volume ?? NO_VOLUME, disk.wwn);
    lent.io.label_name(at, lent.at + NAME_AT, disk.name.length);
    lent.io.label_seal(at, copy + 1);
    write(lent.io.label_lba(copy) * SECTOR_BYTES, buffer(lent, COPY_BYTES));
  }
}

function writeVolume(lent: Borrowed, write: Write, disk: DiskFormat): void {
  const state = lent.at + STATE_AT;
  const planned = lent.io.exfat_format_plan(
    state,
    BigInt(DATA_LBA),
    lent.io.gpt_data_blocks(BigInt(disk.blocks)),
    Number(disk.guidSeed & 0xffffffffn),
    BigInt(disk.utcSeconds ?? 0),
    lent.at + NAME_AT,
    Math.min(EXFAT_VOLUME_LABEL, disk.name.length),
  );
  if (planned !== EXFAT_OK)
    throw new RangeError(`a root disk of ${disk.blocks} blocks holds no exFAT volume`);
  const runs = lent.io.exfat_format_runs(state);
  for (let i = 0; i < runs; i++) {
    const blocks = lent.io.exfat_format_run(state, i, lent.at + BUFFER_AT);
    write(Number(lent.io.exfat_run_lba(state)) * SECTOR_BYTES, buffer(lent, blocks * SECTOR_BYTES));
  }
}
