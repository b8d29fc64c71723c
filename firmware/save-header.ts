/**
 * What savecore writes into the coredump header: that it tries, and where, before it touches the root file system; that
 * it is done; that it never tries again. So a saver that is cut off, again and again, comes to an end.
 */
import {
  header_lba,
  header_newest,
  header_next_sequence,
  header_seal,
  header_victim,
} from '../asm/dump/header';
import {
  ATTRIBUTE_INACTIVE,
  COPY_BLOCKS,
  COPY_BYTES,
  HEADER_ATTRIBUTE_AT,
  HEADER_SAVED_AT,
  HEADER_SAVE_CLEAN_AT,
  HEADER_SAVE_CLUSTERS_AT,
  HEADER_SAVE_CLUSTER_AT,
  HEADER_SAVE_TRIES_AT,
  SAVED_DONE,
  SAVED_REFUSED,
} from '../asm/layout';
import { core, disk_at } from './memory';
import { HEADERS, SAVE_MARK, SAVE_NOTED, SAVE_REFUSED, SAVE_TRIED, save } from './save-state';
import { write } from './savecore';

/** Tries to save a dump, by all boards in all lives. */
export const SAVE_TRIES: u32 = 3;

export function saved_tries(): u32 {
  return load<u32>(newest() + HEADER_SAVE_TRIES_AT);
}

function newest(): usize {
  return HEADERS + <usize>header_newest(HEADERS) * COPY_BYTES;
}

/** The older copy, as the newer one is: to be changed, then sealed and sent. */
function draft(): usize {
  const buf = HEADERS + <usize>header_victim(HEADERS) * COPY_BYTES;
  save().sequence = header_next_sequence(HEADERS);
  memory.copy(buf, newest(), COPY_BYTES);
  return buf;
}

function send(buf: usize, step: u32): void {
  const disk = disk_at(core().save_disk);
  const copy = <u32>(buf - HEADERS) / COPY_BYTES;
  header_seal(buf, save().sequence);
  disk.header_copy = copy;
  disk.header_sequence = save().sequence;
  write(step, core().save_disk, header_lba(copy), COPY_BLOCKS, buf);
}

/** One more try: on the disk before anything else is. */
export function note_try(): void {
  const buf = draft();
  store<u32>(buf + HEADER_SAVE_TRIES_AT, load<u32>(buf + HEADER_SAVE_TRIES_AT) + 1);
  send(buf, SAVE_TRIED);
}

/** The clusters that the file will take, and whether the volume is clean before. */
export function note_run(first: u32, count: u32): void {
  const buf = draft();
  store<u32>(buf + HEADER_SAVE_CLUSTER_AT, first);
  store<u32>(buf + HEADER_SAVE_CLUSTERS_AT, count);
  store<u32>(buf + HEADER_SAVE_CLEAN_AT, save().was_clean);
  send(buf, SAVE_NOTED);
}

/** The dump is saved, and what was read back is what was written: the disk may be used again. */
export function mark(): void {
  const buf = draft();
  store<u32>(buf + HEADER_ATTRIBUTE_AT, ATTRIBUTE_INACTIVE);
  store<u32>(buf + HEADER_SAVED_AT, SAVED_DONE);
  send(buf, SAVE_MARK);
}

/** All tries are used up: the dump stays on its disk for somebody to look at. */
export function refuse(): void {
  const buf = draft();
  store<u32>(buf + HEADER_SAVED_AT, SAVED_REFUSED);
  send(buf, SAVE_REFUSED);
}
