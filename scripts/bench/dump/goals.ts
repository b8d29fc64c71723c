// What the dump is meant to reach, and what was measured.
import { closeSync, openSync, readSync } from 'node:fs';
import { KernelWorkers } from '../../../boards/dump/kernel-workers.ts';
import { Kernels } from '../../../boards/dump/kernels.ts';
import { NowhereMedium } from '../../../boards/dump/nowhere.ts';
import { CONTENT_AT, spareBytes } from '../../../boards/dump/rig.ts';
import type { DumpCase } from './cases.ts';
import { type Folders, dumpOnce } from './measure.ts';
import type { MemoryImage } from './memory-image.ts';
import type { Native } from './native.ts';
import { ELF, KDUMP, KEEP, LZ4, PWRITE } from './references.ts';
import { type DumpRow, type Goal, goal, median } from './result.ts';
import { stopwatch } from './stopwatch.ts';

const SAMPLE = 64 << 20;
const KERNEL_ROUNDS = 5;
/** Over the sample in one measurement, an odd number; the first such warms the kernel up. */
const PASSES: Readonly<Record<'crc' | 'zero' | 'lz4', number>> = { crc: 5, zero: 15, lz4: 1 };
/** One chunk and a block a WRITE: the smallest that the firmware takes. */
const SMALL_KIB = 65;
const LARGE_BYTES = 2 ** 20;
const SMALL_BYTES = 65_536;

/** Goals that rows answer. */
export function rowGoals(rows: readonly DumpRow[], content: DumpCase['content']): Goal[] {
  const of = (
    codec: string,
    medium: string,
    dma: string,
    reference: string,
    cpus: 1 | 2 = 1,
  ): number | null =>
    rows
      .find(
        (row) =>
          row.content === content &&
          row.codec === codec &&
          row.medium === medium &&
          row.dma === dma &&
          row.cpus === cpus,
      )
      ?.references.find(({ name }) => name === reference)?.ratio ?? null;
  const isGuest = content === 'image';
  const byOne = of('sparse', 'memory', 'in line', KEEP);
  const byTwo = of('sparse', 'memory', 'in line', KEEP, 2);
  const isByTwo = byTwo !== null && (byOne === null || byTwo > byOne);
  const first = rows.find((row) => row.content === content);
  return [
    goal(`sparse to tmpfs: ${PWRITE}`, 'least', 1, of('sparse', 'tmpfs', 'in line', PWRITE)),
    goal(
      `the same, DMA overlapped`,
      'least',
      isGuest ? 2.5 : 1.3,
      of('sparse', 'tmpfs', 'overlapped', PWRITE),
    ),
    goal(
      `sparse to touched memory: ${KEEP}, read of the rest${isByTwo ? ' (two CPUs)' : ''}`,
      'least',
      0.9,
      isByTwo ? byTwo : byOne,
    ),
    goal(`sparse to tmpfs: ${ELF}`, 'least', isGuest ? 3.5 : 2.2, of('sparse', 'tmpfs', 'overlapped', ELF)),
    goal(`LZ4 to tmpfs: ${KDUMP}`, 'least', 5, of('lz4', 'tmpfs', 'in line', KDUMP)),
    goal(`the same with two workers`, 'least', 9, of('lz4', 'tmpfs', 'in line', KDUMP, 2)),
    goal(`LZ4 to tmpfs: ${LZ4}`, 'least', 1.5, of('lz4', 'tmpfs', 'in line', LZ4)),
    goal(
      'first block after the panic, board time',
      'most',
      5,
      first === undefined ? null : first.first_write_s * 1e3,
      'ms',
    ),
  ];
}

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

const medianOf = (values: readonly number[]): number | null => (values.length === 0 ? null : median(values));

/** Kernels against the best native ones, on the same sample, alternating. */
export function kernelGoals(image: MemoryImage, native: Native): Goal[] {
  const sample = sampleOf(image);
  const kernels = new Kernels(sample);
  const ratios: Record<'crc' | 'zero' | 'lz4', number[]> = { crc: [], zero: [], lz4: [] };
  const sizes: number[] = [];
  for (const what of ['crc', 'zero', 'lz4'] as const) {
    const passes = PASSES[what];
    for (let round = -1; round < KERNEL_ROUNDS; round++) {
      let count = 0;
      const stop = stopwatch();
      for (let pass = 0; pass < passes; pass++)
        count = what === 'zero' ? count + kernels.zero() : kernels[what]();
      const { own: busy } = stop();
      const reference = native.time(what, image.path, CONTENT_AT, sample.length, String(passes));
      if (reference === null || round < 0) continue;
      if (what === 'lz4') sizes.push((100 * Math.abs(count - reference.count)) / reference.count);
      else if (count !== reference.count) throw new Error(`${what}: ${count}, natively ${reference.count}`);
      ratios[what].push(reference.busy / busy);
    }
  }
  return [
    goal('CRC32C: hardware instruction, three streams', 'least', 0.85, medianOf(ratios.crc)),
    goal('zero detection: AVX2', 'least', 0.8, medianOf(ratios.zero)),
    goal('LZ4 at 64 KiB: liblz4', 'least', 0.92, medianOf(ratios.lz4)),
    goal('LZ4: difference in size', 'most', 1, medianOf(sizes), '%'),
    goal('LZ4 with two workers: liblz4', 'least', 1.8, lz4ByTwo(sample, image, native)),
  ];
}

/**
 * LZ4 by two threads, each with half of the chunks, against the native one in one thread: by the clock, because it is
 * the later of the two that counts.
 */
function lz4ByTwo(sample: Uint8Array, image: MemoryImage, native: Native): number | null {
  const expected = new Kernels(sample).lz4();
  const workers = new KernelWorkers(sample, 2);
  const ratios: number[] = [];
  try {
    for (let round = -1; round < KERNEL_ROUNDS; round++) {
      const stop = stopwatch();
      const stored = workers.lz4();
      const { wall } = stop();
      if (stored !== expected) throw new Error(`two threads store ${stored} bytes, one ${expected}`);
      const reference = native.time('lz4', image.path, CONTENT_AT, sample.length, '1');
      if (reference !== null && round >= 0) ratios.push(reference.wall / wall);
    }
  } finally {
    workers.close();
  }
  return medianOf(ratios);
}

/** What a command costs besides its data: the same dump in large and in small writes, to a medium that does nothing. */
export async function pathGoals(
  one: DumpCase,
  image: MemoryImage,
  folders: Folders,
  rounds: number,
): Promise<Goal[]> {
  const cost: number[] = [];
  const large: number[] = [];
  const nowhere = { ...one, medium: 'memory', dma: 'in line', cpus: 1 } as const;
  const time = async (maxTransferKib: number): Promise<{ busy: number; commands: number }> => {
    const medium = new NowhereMedium(spareBytes(one.memoryMib));
    const { time: spent, commands } = await dumpOnce(nowhere, image, folders, {
      check: false,
      maxTransferKib,
      medium,
    });
    return { busy: spent.busy, commands };
  };
  for (let round = 0; round < rounds; round++) {
    const few = await time(1024);
    const many = await time(SMALL_KIB);
    cost.push((many.busy - few.busy) / (many.commands - few.commands));
    const real = await dumpOnce({ ...one, medium: 'tmpfs', dma: 'in line', cpus: 1 }, image, folders, {
      check: false,
    });
    large.push(real.time.busy / (one.memoryMib * 2 ** 20));
  }
  const command = median(cost);
  const byte = median(large); // a byte all the way, the command's part of it small
  // Less than nothing is what the noise of a small board makes of it.
  const share = (whole: number): number | null => (command > 0 ? (100 * command) / whole : null);
  return [
    goal('command path at 1 MiB writes', 'most', 3, share(byte * LARGE_BYTES), '%'),
    goal('command path at 64 KiB writes', 'most', 10, share(byte * SMALL_BYTES + command), '%'),
  ];
}
