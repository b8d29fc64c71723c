/** Calls of the disk I/O module that need a buffer for their own duration. */
import type { DiskIo } from '#disk-io';

/** What is passed to the module: addresses and counts, 64-bit ones as bigint. */
export type Call = (...args: (number | bigint)[]) => number | bigint;

export class Borrowed {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly #calls: Readonly<Record<string, Call | undefined>>;

  constructor(diskIo: DiskIo, at: number, bytes: number) {
    this.#calls = diskIo as unknown as Record<string, Call | undefined>;
    this.at = at;
    this.bytes = new Uint8Array(diskIo.memory.buffer, at, bytes);
  }

  /** Calls an export by name; true and false come back as 1 and 0. */
  call(name: string, ...args: (number | bigint)[]): number {
    const call = this.#calls[name];
    if (!call) throw new Error(`the disk I/O module has no ${name}`);
    return Number(call(...args));
  }
}

/**
 * Lends `use` the first `bytes` bytes of the module's heap, and puts back what was there: whatever else the module's
 * memory holds is as before, and its views stay good.
 */
export function borrow<T>(diskIo: DiskIo, bytes: number, use: (lent: Borrowed) => T): T {
  const at = (diskIo['heap_base']!() + 15) & ~15;
  if (at + bytes > diskIo.memory.buffer.byteLength) {
    throw new Error(`the disk I/O module's memory has no room for ${bytes} bytes`);
  }
  const lent = new Borrowed(diskIo, at, bytes);
  const before = lent.bytes.slice();
  try {
    return use(lent);
  } finally {
    lent.bytes.set(before);
  }
}
