/** A buffer in the memory of the disk I/O module for the time of a few calls. */
import type { DiskIo } from '#disk-io';

export interface Borrowed {
  readonly io: DiskIo;
  /** Address of the buffer, and its bytes. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * Lends `use` the first `bytes` bytes of the module's heap, and puts back what was there: whatever else the module's
 * memory holds is as before, and its views stay good.
 */
export function borrow<T>(io: DiskIo, bytes: number, use: (lent: Borrowed) => T): T {
  const at = io.heap_base();
  if (at + bytes > io.memory.buffer.byteLength) {
    throw new Error(`the disk I/O module's memory has no room for ${bytes} bytes`);
  }
  const lent = { io, at, bytes: new Uint8Array(io.memory.buffer, at, bytes) };
  const before = lent.bytes.slice();
  try {
    return use(lent);
  } finally {
    lent.bytes.set(before);
  }
}
