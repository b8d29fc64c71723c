/**
 * A window on a file that is put out from its start again and again: only what falls into the window is kept. Nothing
 * here lasts beyond one call of elf_head.
 */

/** Where a structure is put together before it is put out. */
export const SCRATCH = memory.data(512, 16);
const WINDOW = memory.data(16, 16);

/** The file's bytes from `offset` on, to be kept at `buf`. */
export function open_window(buf: usize, offset: u32, bytes: u32): void {
  store<usize>(WINDOW, buf);
  store<u32>(WINDOW, offset, 4);
  store<u32>(WINDOW, bytes, 8);
  memory.fill(buf, 0, bytes);
}

/** Puts out `bytes` bytes from `from` at file offset `at`. */
export function put(at: u32, from: usize, bytes: u32): void {
  const offset = load<u32>(WINDOW, 4);
  const first = max<u32>(at, offset);
  const end = min<u32>(at + bytes, offset + load<u32>(WINDOW, 8));
  if (first < end) memory.copy(load<usize>(WINDOW) + (first - offset), from + (first - at), end - first);
}
