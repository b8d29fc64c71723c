/**
 * Pages that were in use a moment ago. A virtual machine gets a page of its host when it first uses it, or uses it again
 * after a while, and some pay once more when the kernel first reads what only a program has used: 4 us and more for each,
 * longer than it takes to write. Whether a dump or its reference would have to pay is chance, so neither does.
 */
import { closeSync, copyFileSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const PIECE = 1 << 20;
const nameIn = (folder: string): string => join(folder, 'used.tmp');

/** The kernel reads all of `ram`, and there are pages for a new file in `folder`. */
export function useMemory(folder: string, ram: Uint8Array): void {
  const path = nameIn(folder);
  const file = openSync(path, 'wx');
  try {
    for (let at = 0; at < ram.length;) at += writeSync(file, ram, at, Math.min(PIECE, ram.length - at), at);
  } finally {
    closeSync(file);
    rmSync(path);
  }
}

/** There are pages for a new file in `folder`, as large as that at `path`. */
export function useFiles(folder: string, path: string): void {
  try {
    copyFileSync(path, nameIn(folder));
  } finally {
    rmSync(nameIn(folder), { force: true });
  }
}
