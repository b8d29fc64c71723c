/** Buffers for the data of writes, used again: the kernel need not hand out fresh pages for every one. */
const SMALLEST_LOG = 12; // 4 KiB
const LARGEST_LOG = 23; // 8 MiB
const KEPT_BYTES = 32 << 20;

export class Buffers {
  #free: Uint8Array[][] = Array.from({ length: LARGEST_LOG + 1 }, () => []);
  #kept = 0;

  /** At least `bytes` bytes, with whatever was in them. */
  take(bytes: number): Uint8Array {
    const log = Math.max(SMALLEST_LOG, 32 - Math.clz32(bytes - 1));
    if (log > LARGEST_LOG) return new Uint8Array(bytes);
    const buffer = this.#free[log]!.pop();
    if (buffer === undefined) return new Uint8Array(1 << log);
    this.#kept -= buffer.length;
    return buffer;
  }

  give(buffer: Uint8Array): void {
    const log = 31 - Math.clz32(buffer.length);
    if (log > LARGEST_LOG || buffer.length !== 1 << log || this.#kept + buffer.length > KEPT_BYTES) return;
    this.#kept += buffer.length;
    this.#free[log]!.push(buffer);
  }
}
