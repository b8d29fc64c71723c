/**
 * Board RAM: a WebAssembly memory that never grows. A memory reserves address space and costs a quarter of a
 * millisecond, so small ones are kept for the next board; a large one is cheaper to make than to clear.
 */
const PAGE = 65536;
const KEEP_PAGES = 1024;
const KEEP = 8;
const pool = new Map<number, WebAssembly.Memory[]>();

/** `shared`: for two CPUs. Such a one is never kept, because a CPU that has been stopped may still be in it. */
export function takeMemory(bytes: number, shared = false): WebAssembly.Memory {
  const pages = bytes / PAGE;
  if (shared) return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  const kept = pool.get(pages)?.pop();
  if (kept === undefined) return new WebAssembly.Memory({ initial: pages, maximum: pages });
  new Uint8Array(kept.buffer).fill(0);
  return kept;
}

export function giveMemory(memory: WebAssembly.Memory): void {
  const pages = memory.buffer.byteLength / PAGE;
  if (pages > KEEP_PAGES || memory.buffer instanceof SharedArrayBuffer) return;
  const kept = pool.get(pages) ?? [];
  if (kept.length < KEEP) kept.push(memory);
  pool.set(pages, kept);
}
