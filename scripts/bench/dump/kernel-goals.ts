// The kernels of the dump writer against the best native ones, on the same sample, taking turns on one CPU.
import { closeSync, openSync, readSync } from 'node:fs';
import { Kernels } from '../../../boards/dump/kernels.ts';
import { CONTENT_AT } from '../../../boards/dump/rig.ts';
import { lz4ByTwo } from './lz4-by-two.ts';
import type { MemoryImage } from './memory-image.ts';
import type { Native } from './native.ts';
import type { Kernel, NativeKernels } from './native-kernels.ts';
import { pinned } from './pinned.ts';
import { type Goal, goal, median } from './result.ts';
import { stopwatch } from './stopwatch.ts';

const SAMPLE = 64 << 20;
const KERNELS = ['crc', 'zero', 'lz4'] as const;
/** Turns, and passes over the sample in one: some tens of milliseconds. */
const ROUNDS: Readonly<Record<Kernel, number>> = { crc: 25, zero: 25, lz4: 11 };
const PASSES: Readonly<Record<Kernel, number>> = { crc: 3, zero: 15, lz4: 1 };

function sampleOf({ path, bytes }: MemoryImage): Uint8Array {
  const sample = new Uint8Array(Math.min(SAMPLE, bytes - CONTENT_AT));
  const file = openSync(path, 'r');
  try {
    readSync(file, sample, 0, sample.length, CONTENT_AT);
  } finally {
    closeSync(file);
  }
  return sample;
}

interface Turns {
  ratios: Record<Kernel, number[]>;
  /** Differences of what LZ4 makes, per cent. */
  sizes: number[];
}

async function takeTurns(kernels: Kernels, native: NativeKernels): Promise<Turns> {
  const turns: Turns = { ratios: { crc: [], zero: [], lz4: [] }, sizes: [] };
  for (const what of KERNELS) {
    if (!native.has(what)) continue;
    // The first two turns warm the kernel up.
    for (let round = -2; round < ROUNDS[what]; round++) {
      let count = 0;
      const stop = stopwatch();
      for (let pass = 0; pass < PASSES[what]; pass++)
        count = what === 'zero' ? count + kernels.zero() : kernels[what]();
      const { own } = stop();
      const reference = await native.time(what, PASSES[what]);
      if (round < 0) continue;
      if (what === 'lz4') turns.sizes.push((100 * Math.abs(count - reference.count)) / reference.count);
      else if (count !== reference.count) throw new Error(`${what}: ${count}, natively ${reference.count}`);
      turns.ratios[what].push(reference.busy / own);
    }
  }
  return turns;
}

const medianOf = (values: readonly number[]): number | null => (values.length === 0 ? null : median(values));

export async function kernelGoals(image: MemoryImage, native: Native): Promise<Goal[]> {
  const sample = sampleOf(image);
  const kernels = new Kernels(sample);
  const { ratios, sizes } = await pinned(async (): Promise<Turns> => {
    const helper = native.kernels(image.path, CONTENT_AT, sample.length);
    if (helper === null) return { ratios: { crc: [], zero: [], lz4: [] }, sizes: [] };
    try {
      return await takeTurns(kernels, helper);
    } finally {
      helper.close();
    }
  });
  return [
    goal('CRC32C: hardware instruction, three streams', 'least', 0.85, medianOf(ratios.crc)),
    goal('zero detection: AVX2', 'least', 0.8, medianOf(ratios.zero)),
    goal('LZ4 at 64 KiB: liblz4', 'least', 0.92, medianOf(ratios.lz4)),
    goal('LZ4: difference in size', 'most', 1, medianOf(sizes), '%'),
    goal('LZ4 at 64 KiB by two CPUs: liblz4', 'least', 1.8, await lz4ByTwo(sample, image, native)),
  ];
}
