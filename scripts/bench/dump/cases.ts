// What is measured: how large a board, what it holds, how it is dumped, and where to.
import type { Content } from './content.ts';

export const CODECS = ['raw', 'sparse', 'lz4'] as const;
export const MEDIA = ['memory', 'tmpfs', 'disk'] as const;
export type Codec = (typeof CODECS)[number];
export type MediumName = (typeof MEDIA)[number];
/** How data leaves the board's memory: while firmware waits, or while it goes on, as a DMA engine does. */
export type Dma = 'in line' | 'overlapped';

export interface DumpCase {
  memoryMib: number;
  content: Content | 'image';
  /** raw: no chunk is zero, so all bytes are written. */
  codec: Codec;
  medium: MediumName;
  dma: Dma;
  /** Of the board. Older results, of boards with one, do not say. */
  cpus: 1 | 2;
}

export const nameOf = ({ memoryMib, content, codec, medium, dma, cpus }: DumpCase): string =>
  `${memoryMib} MiB, ${content}, ${codec}, ${medium}${dma === 'in line' ? '' : ', overlapped'}${cpus === 2 ? ', 2 CPUs' : ''}`;

export interface Choice {
  memory: readonly number[];
  contents: readonly (Content | 'image')[];
  codecs: readonly Codec[];
  media: readonly MediumName[];
}

/** Where a second CPU is measured, too: where the first one has most to do beside the medium. */
const isForTwo = (codec: Codec, medium: MediumName, dma: Dma): boolean =>
  dma === 'in line' && ((codec === 'sparse' && medium !== 'disk') || (codec === 'lz4' && medium === 'tmpfs'));

/** Every combination; a medium in memory has no DMA that could be overlapped. */
export function casesOf({ memory, contents, codecs, media }: Choice): DumpCase[] {
  const cases: DumpCase[] = [];
  for (const memoryMib of memory)
    for (const content of contents)
      for (const codec of codecs)
        for (const medium of media)
          for (const dma of medium === 'memory'
            ? (['in line'] as const)
            : (['in line', 'overlapped'] as const))
            for (const cpus of isForTwo(codec, medium, dma) ? ([1, 2] as const) : ([1] as const))
              cases.push({ memoryMib, content, codec, medium, dma, cpus });
  return cases;
}
