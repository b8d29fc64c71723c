/**
 * What a disk image is, before anything is written to it: only a blank one, or one of ours that was asked for, may be
 * overwritten.
 */
import type { DiskIo } from '#disk-io';
import { COPY_BYTES, LABEL_LBA, SECTOR_BYTES } from '../../asm/layout.ts';
import { parseLabel } from '../core/records.ts';
import type { Label } from '../core/records.ts';
import { Fields } from '../core/source.ts';
import type { Read } from '../core/source.ts';
import { borrow } from './borrow.ts';
import type { Borrowed } from './borrow.ts';

export type DiskKind =
  | { kind: 'ours'; label: Label; /** one of the two partition tables is damaged */ damaged: boolean }
  | { kind: 'blank' } // no partition table, and the first MiB is zero
  | { kind: 'torn label' } // our partition table, and no valid label
  | { kind: 'foreign'; what: string };

const GPT_BROKEN = 1;
const GPT_FOREIGN = 2;
const GPT_OURS = 3;
const GPT_PRIMARY_BLOCKS = 34;
const GPT_BACKUP_BLOCKS = 33;
const PIECE_BYTES = 65536;
const BLANK_BYTES = 1 << 20;

/** `blocks` is the size of the image in blocks of 512 bytes. Nothing is written. */
export function inspectDisk(io: DiskIo, read: Read, blocks: number): DiskKind {
  if (blocks < GPT_PRIMARY_BLOCKS + GPT_BACKUP_BLOCKS) {
    return { kind: 'foreign', what: `${blocks} blocks, too small for a disk` };
  }
  return borrow(io, PIECE_BYTES, (lent) => {
    const size = BigInt(blocks);
    load(lent, read, 0, GPT_PRIMARY_BLOCKS * SECTOR_BYTES);
    const primary = io.gpt_primary_state(lent.at, size);
    load(lent, read, (blocks - GPT_BACKUP_BLOCKS) * SECTOR_BYTES, GPT_BACKUP_BLOCKS * SECTOR_BYTES);
    const backup = io.gpt_backup_state(lent.at, size);
    if (primary === GPT_FOREIGN || backup === GPT_FOREIGN)
      return { kind: 'foreign', what: 'another partition table' };
    if (primary === GPT_OURS || backup === GPT_OURS) return ours(lent, read, primary !== backup);
    if (primary === GPT_BROKEN || backup === GPT_BROKEN)
      return { kind: 'foreign', what: 'a broken partition table' };
    const end = Math.min(BLANK_BYTES, blocks * SECTOR_BYTES);
    for (let at = 0; at < end; at += PIECE_BYTES) {
      const bytes = Math.min(PIECE_BYTES, end - at);
      load(lent, read, at, bytes);
      if (!io.is_zero(lent.at, bytes)) return { kind: 'foreign', what: 'no partition table, yet not blank' };
    }
    return { kind: 'blank' };
  });
}

/** Reads into the borrowed memory; past the end of the image is zero. */
function load(lent: Borrowed, read: Read, at: number, bytes: number): void {
  lent.bytes.fill(0, 0, bytes);
  lent.bytes.set(read(at, bytes).subarray(0, bytes));
}

function ours(lent: Borrowed, read: Read, damaged: boolean): DiskKind {
  load(lent, read, LABEL_LBA * SECTOR_BYTES, 2 * COPY_BYTES);
  const newest = lent.io.label_newest(lent.at);
  if (newest < 0) return { kind: 'torn label' };
  const copy = lent.bytes.slice(newest * COPY_BYTES, (newest + 1) * COPY_BYTES);
  const label = parseLabel(new Fields('dump image', LABEL_LBA * SECTOR_BYTES + newest * COPY_BYTES, copy));
  return label ? { kind: 'ours', label, damaged } : { kind: 'torn label' };
}
