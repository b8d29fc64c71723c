// LZ4 by two threads, which share the chunks, against the native one in one thread.
import { KernelWorkers } from '../../../boards/dump/kernel-workers.ts';
import { Kernels } from '../../../boards/dump/kernels.ts';
import { CONTENT_AT } from '../../../boards/dump/rig.ts';
import type { MemoryImage } from './memory-image.ts';
import type { Native } from './native.ts';
import { median } from './result.ts';
import { stopwatch } from './stopwatch.ts';

const ROUNDS = 11;

/**
 * How many times as fast, taking turns; null without the native one. By the clock: what counts is when the later of the
 * two threads is done, and on a machine with one core that is no sooner than one thread would be.
 */
export async function lz4ByTwo(
  sample: Uint8Array,
  image: MemoryImage,
  native: Native,
): Promise<number | null> {
  const helper = native.kernels(image.path, CONTENT_AT, sample.length);
  if (helper?.has('lz4') !== true) {
    helper?.close();
    return null;
  }
  const expected = new Kernels(sample).lz4();
  const workers = new KernelWorkers(sample, 2);
  const ratios: number[] = [];
  try {
    // The first two turns warm the threads up.
    for (let round = -2; round < ROUNDS; round++) {
      const stop = stopwatch();
      const stored = workers.lz4();
      const { wall } = stop();
      if (stored !== expected) throw new Error(`two threads store ${stored} bytes, one ${expected}`);
      const reference = await helper.time('lz4', 1);
      if (round >= 0) ratios.push(reference.wall / wall);
    }
  } finally {
    workers.close();
    helper.close();
  }
  return median(ratios);
}
