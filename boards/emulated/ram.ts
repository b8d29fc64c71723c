/**
 * Board RAM: a WebAssembly memory that never grows. A memory reserves address space and costs a quarter of a
 * millisecond, so small ones are kept for the next board; a large one is cheaper to make than to clear.
 */
const PAGE = 65536;
const KEEP_PAGES = 1024;
const KEEP = 8;
const pool = new Map<number, WebAssembly.Memory[]>();

export function takeMemory(bytes: number): WebAssembly.Memory {
  const pages = bytes / PAGE;
  const kept = pool.get(pages)?.pop();
  if (kept === undefined) return new WebAssembly.Memory({ initial: pages, maximum: pages });
  new Uint8Array(kept.buffer).fill(0);
  return kept;
}

export function giveMemory(memory: WebAssembly.Memory): void {
  const pages = memory.buffer.byteLength / PAGE;
  if (pages > KEEP_PAGES) return;
  const kept = pool.get(pages) ?? [];
  if (kept.length < KEEP) kept.push(memory);
  pool.set(pages, kept);
}
