// The references of one dump, measured in the same round on the same bytes.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DumpCase } from './cases.ts';
import type { Folders } from './measure.ts';
import type { MemoryImage } from './memory-image.ts';
import type { Native } from './native.ts';
import type { Timed } from './timed.ts';
import { useFiles } from './used-pages.ts';

export const COPY = 'memcpy of all';
export const KEEP = 'memcpy of what is stored';
/** What the CPU's own instructions make of the same work: a look, a checksum, a copy. */
export const SUM = 'memcpy with hardware CRC32C of what is stored';
export const PWRITE = 'pwrite of all';
export const LZ4 = 'lz4 -1';
export const ZSTD = 'zstd -1';
export const ELF = 'QEMU ELF';
export const KDUMP = 'QEMU kdump-zlib';

/** By name; what is missing here is left out. */
export function referencesOf(
  one: DumpCase,
  image: MemoryImage,
  folders: Folders,
  native: Native,
): Map<string, Timed> {
  const found = new Map<string, Timed>();
  const folder = one.medium === 'disk' ? folders.disk : folders.tmpfs;
  const out = join(folder, 'reference.out');
  const add = (name: string, time: Timed | null): void => {
    rmSync(out, { force: true });
    if (time !== null) found.set(name, time);
  };
  if (one.medium === 'memory') {
    add(COPY, native.time('memcpy', image.path, 0, image.bytes));
    add(KEEP, native.time('keep', image.path, 0, image.bytes));
    if (one.codec !== 'lz4') add(SUM, native.time('sum', image.path, 0, image.bytes));
    return found;
  }
  const sync = one.medium === 'disk' ? ['sync'] : [];
  add(PWRITE, native.time('pwrite', image.path, 0, image.bytes, out, ...sync));
  if (one.codec !== 'lz4' || one.medium !== 'tmpfs') return found;
  useFiles(folder, image.path);
  add(LZ4, native.run('lz4', '-1', '-f', '-q', image.path, out));
  useFiles(folder, image.path);
  add(ZSTD, native.run('zstd', '-1', '-f', '-q', '--single-thread', image.path, '-o', out));
  return found;
}
