/**
 * The container file of an encrypted dump, "core.*.enc", which a saver makes that has no key to it.
 *
 * [layout] CONTAINER_TABLE_LBA in asm/layout.ts
 */
import type { KeyObject } from 'node:crypto';
import { SECTOR_BYTES } from '../../asm/layout.ts';
import { DumpImage } from './image.ts';
import type { Read } from './source.ts';

/** The dump in a file of `bytes` bytes. Without a key its chunks are MISSING_SEALED. */
export function containedImage(read: Read, bytes: number, privateKey: KeyObject | null): DumpImage {
  return new DumpImage(read, Math.floor(bytes / SECTOR_BYTES), { privateKey, isContainer: true });
}
