// What the dump is meant to reach, and what was measured.
import { NowhereMedium } from '../../../boards/dump/nowhere.ts';
import { spareBytes } from '../../../boards/dump/rig.ts';
import type { DumpCase } from './cases.ts';
import { type Folders, dumpOnce } from './measure.ts';
import type { MemoryImage } from './memory-image.ts';
import { ELF, KDUMP, KEEP, LZ4, PWRITE } from './references.ts';
import { pinned } from './pinned.ts';
import { type DumpRow, type Goal, goal, median } from './result.ts';

/** One chunk and a block a WRITE: the smallest that the firmware takes. */
const SMALL_KIB = 65;
const LARGE_BYTES = 2 ** 20;
/** A command's cost is a small difference of large times. */
const PATH_ROUNDS = 4;
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
  const first = rows.find((row) => row.content === content);
  return [
    goal(`sparse to tmpfs: ${PWRITE}`, 'least', 1, of('sparse', 'tmpfs', 'in line', PWRITE)),
    goal('the same by two CPUs', 'least', 1, of('sparse', 'tmpfs', 'in line', PWRITE, 2)),
    goal(
      `sparse to tmpfs, DMA overlapped: ${PWRITE}`,
      'least',
      isGuest ? 2.5 : 1.3,
      of('sparse', 'tmpfs', 'overlapped', PWRITE),
    ),
    goal(
      `sparse to touched memory: ${KEEP}, read of the rest`,
      'least',
      0.9,
      of('sparse', 'memory', 'in line', KEEP),
    ),
    goal('the same by two CPUs', 'least', 0.9, of('sparse', 'memory', 'in line', KEEP, 2)),
    goal(
      `sparse to tmpfs, DMA overlapped: ${ELF}`,
      'least',
      isGuest ? 3.5 : 2.2,
      of('sparse', 'tmpfs', 'overlapped', ELF),
    ),
    goal(`LZ4 to tmpfs: ${KDUMP}`, 'least', 5, of('lz4', 'tmpfs', 'in line', KDUMP)),
    goal('the same by two CPUs', 'least', 9, of('lz4', 'tmpfs', 'in line', KDUMP, 2)),
    goal(`LZ4 to tmpfs: ${LZ4}`, 'least', 1.5, of('lz4', 'tmpfs', 'in line', LZ4)),
    goal('the same by two CPUs', 'least', 1.5, of('lz4', 'tmpfs', 'in line', LZ4, 2)),
    goal(
      'first block after the panic, board time',
      'most',
      5,
      first === undefined ? null : first.first_write_s * 1e3,
      'ms',
    ),
  ];
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
  await pinned(async () => {
    for (let round = 0; round < Math.max(rounds, PATH_ROUNDS); round++) {
      const few = await time(1024);
      const many = await time(SMALL_KIB);
      cost.push((many.busy - few.busy) / (many.commands - few.commands));
      const real = await dumpOnce({ ...one, medium: 'tmpfs', dma: 'in line', cpus: 1 }, image, folders, {
        check: false,
      });
      large.push(real.time.busy / real.written);
    }
  });
  const command = median(cost);
  const byte = median(large); // of the dump's time for each byte that it writes, the command's part of it small
  // Less than nothing is what the noise of a small board makes of it.
  const share = (whole: number): number | null => (command > 0 ? (100 * command) / whole : null);
  return [
    goal('command path at 1 MiB writes', 'most', 3, share(byte * LARGE_BYTES), '%'),
    goal('command path at 64 KiB writes', 'most', 10, share(byte * SMALL_BYTES + command), '%'),
  ];
}
