// One dump, timed: from the panic to the closed header, by the board's own firmware; checked when the watch has stopped.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ATTRIBUTE_COMPLETED } from '../../../asm/layout.ts';
import { MS } from '../../../boards/clock.ts';
import { PostedMedium, TouchedMedium } from '../../../boards/dump/media.ts';
import { NowhereMedium } from '../../../boards/dump/nowhere.ts';
import { DumpRig, spareBytes } from '../../../boards/dump/rig.ts';
import { type ReadBack, readBack } from '../../../boards/dump/verify.ts';
import { FileMedium, type Medium } from '../../../boards/shelf/medium.ts';
import { hostTurn } from '../../host-turn.ts';
import type { DumpCase } from './cases.ts';
import { type MemoryImage, loadImage } from './memory-image.ts';
import type { Timed } from './timed.ts';
import { stopwatch } from './stopwatch.ts';
import { useMemory } from './used-pages.ts';

export interface Dumped {
  time: Timed;
  /** Board time, s, from the panic to the end, and to the first block on the spare. */
  board: number;
  first: number;
  commands: number;
  /** Bytes that went to the spare, headers and table included. */
  written: number;
  /** As read back; null when that was not asked for. */
  found: ReadBack | null;
}

export interface Folders {
  tmpfs: string;
  disk: string;
}

/** Writes in flight at which there is nothing to do but to wait for one: as many as the dump writer has. */
const BUSY = 8;
/** Events of the queue between two looks at the host: a cycle or two. */
const STEPS = 4;
/** Of board time without a write that begins or ends: enough to look at 50 MiB of zeros. */
const AHEAD = 20 * MS;

function mediumOf({ memoryMib, medium, dma }: DumpCase, path: string): Medium {
  const bytes = spareBytes(memoryMib);
  if (medium === 'memory') return new TouchedMedium(bytes);
  return dma === 'overlapped' ? new PostedMedium(path, bytes) : new FileMedium(path, bytes, true);
}

export interface Extra {
  check: boolean;
  /** Nobody looks at its time. */
  unmeasured?: boolean;
  maxTransferKib?: number;
  medium?: Medium;
}

export async function dumpOnce(
  one: DumpCase,
  image: MemoryImage,
  folders: Folders,
  extra: Extra,
): Promise<Dumped> {
  const folder = one.medium === 'disk' ? folders.disk : folders.tmpfs;
  const path = join(folder, 'spare.img');
  const medium = extra.medium ?? mediumOf(one, path);
  const rig = new DumpRig({
    memoryMib: one.memoryMib,
    cpus: one.cpus,
    codec: one.codec === 'lz4' ? 'lz4' : 'raw',
    medium,
    ...(extra.maxTransferKib === undefined ? {} : { maxTransferKib: extra.maxTransferKib }),
  });
  try {
    const ram = rig.started();
    loadImage(image.path, ram);
    if (medium instanceof TouchedMedium) medium.touch();
    touch(ram);
    if (one.medium === 'tmpfs' && extra.unmeasured !== true) useMemory(folder, ram);
    touchHeap();
    if (medium instanceof PostedMedium) medium.posting(true);
    if (medium instanceof NowhereMedium) medium.deaf();
    const stop = stopwatch();
    rig.panic();
    if (medium instanceof PostedMedium) await overlapped(rig, medium);
    else while (!rig.step(1000));
    if (one.medium === 'disk') medium.flush();
    const time = stop();
    if (medium instanceof PostedMedium) medium.posting(false);
    if (rig.ended !== ATTRIBUTE_COMPLETED) throw new Error(`the dump ended with attribute ${rig.ended}`);
    return {
      time,
      board: (rig.endAt - rig.panicAt) / 1e9,
      first: (rig.firstWriteAt - rig.panicAt) / 1e9,
      commands: rig.commands,
      written: rig.written,
      found: extra.check ? readBack(medium, ram) : null,
    };
  } finally {
    rig.close();
    medium.close();
    rmSync(path, { force: true });
  }
}

/** RAM of a board that has been at work is there, page by page; the host's must be, too. */
function touch(ram: Uint8Array): void {
  for (let at = 0; at < ram.length; at += 4096) Atomics.add(ram, at, 0);
}

const HEAP_OBJECTS = 400_000;

/** So must the pages of JavaScript's young objects, which a large collection, as a new board causes it, gives back. */
function touchHeap(): void {
  const kept: object[] = [];
  for (let n = 0; n < HEAP_OBJECTS; n++) kept[n & 255] = { n, before: null };
}

const nothing = (): void => {};

/**
 * The host's threads write; here firmware goes on, and waits only when all that may be in flight is, or when it has been
 * at it for long: for board time, which is not the host's, a write that the host holds up must not come too late.
 */
async function overlapped(rig: DumpRig, medium: PostedMedium): Promise<void> {
  let wake: () => void = nothing;
  medium.onDone = () => wake();
  let moved = -1;
  for (let since = 0; !rig.step(STEPS);) {
    const begunAndDone = 2 * medium.posted - medium.inFlight;
    if (begunAndDone !== moved) since = rig.clock.now;
    moved = begunAndDone;
    const goesOn = medium.inFlight < BUSY && rig.clock.now - since < AHEAD;
    if (goesOn || medium.inFlight === 0) await hostTurn();
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
}
