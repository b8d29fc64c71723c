// The memory of a board as a file, for the native references, and as what each board of that content is filled from.
import { closeSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CONTENT_AT, DumpRig, spareBytes } from '../../../boards/dump/rig.ts';
import { MemoryMedium } from '../../../boards/shelf/medium.ts';
import { type Content, fillMemory } from './content.ts';

const PIECE = 1 << 26;

export interface MemoryImage {
  path: string;
  bytes: number;
  zeroChunks: number;
}

/** Fills `ram` above what firmware uses, from the file. */
export function loadImage(path: string, ram: Uint8Array): void {
  const file = openSync(path, 'r');
  try {
    for (let at = CONTENT_AT; at < ram.length;) {
      const got = readSync(file, ram, at, Math.min(PIECE, ram.length - at), at);
      if (got === 0) break; // a shorter image: the rest stays zero
      at += got;
    }
  } finally {
    closeSync(file);
  }
}

/** A board of this size is started and filled; its memory, firmware and all, becomes a file in `folder`. */
export function makeImage(
  folder: string,
  memoryMib: number,
  content: Content | 'image',
  noZero: boolean,
  given: string | null,
): MemoryImage {
  const rig = new DumpRig({ memoryMib, codec: 'raw', medium: new MemoryMedium(spareBytes(memoryMib)) });
  try {
    const ram = rig.started();
    if (content === 'image') loadImage(given!, ram);
    else fillMemory(ram, CONTENT_AT, content, noZero);
    if (noZero && content === 'image')
      for (let at = CONTENT_AT + 65_535; at < ram.length; at += 65_536) ram[at] = 1;
    const path = join(folder, `${content}-${memoryMib}${noZero ? '-full' : ''}.ram`);
    const file = openSync(path, 'wx');
    try {
      for (let at = 0; at < ram.length;) at += writeSync(file, ram, at, Math.min(PIECE, ram.length - at), at);
    } finally {
      closeSync(file);
    }
    return { path, bytes: ram.length, zeroChunks: zeroChunks(ram) };
  } finally {
    rig.close();
  }
}

function zeroChunks(ram: Uint8Array): number {
  const zeros = Buffer.alloc(65_536);
  let count = 0;
  for (let at = 0; at < ram.length; at += zeros.length)
    if (Buffer.compare(ram.subarray(at, at + zeros.length), zeros) === 0) count++;
  return count;
}

export const dropImage = ({ path }: MemoryImage): void => rmSync(path, { force: true });
export const sizeMib = (path: string): number => Math.floor(statSync(path).size / 2 ** 20);
