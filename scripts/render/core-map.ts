// Which memory a dump has, as a picture: a cell stands for some chunks in a row.
import { CHUNK_BYTES, CHUNK_PAGES, CODEC_LOST, CODEC_ZERO } from '../../asm/layout.ts';
import { isMissing, missingRuns, poisonedPages } from '../../boards/core/memory-source.ts';
import type { MemorySource } from '../../boards/core/memory-source.ts';
import { shortMissing } from '../../boards/core/words.ts';
import { bytes, count, plural } from './format.ts';
import { type Look, paint } from './look.ts';

const ROWS_MAX = 8;
const ROWS_OF_A_SMALL_SCREEN = 4;
const MARGIN = 21; // of the label and the address
const ADDRESS = 12; // room of the address before each row

type Cell = 'stored' | 'zero' | 'lost' | 'missing' | 'partly';
const SHAPES: Readonly<Record<Cell, readonly [unicode: string, ascii: string]>> = {
  stored: ['█', '#'],
  zero: ['·', '.'],
  lost: ['×', 'x'],
  missing: ['░', '-'],
  partly: ['▒', '%'],
};
const COLOURS = { stored: 'green', zero: 'dim', lost: 'red', missing: 'red', partly: 'yellow' } as const;

/** A terminal on which not everything fits. */
export const isSmall = (look: Look): boolean => look.rows() > 0 && look.rows() < 40;

/** Of chunks that are there: their pages that are missing. */
type Poisoned = MemorySource['poisoned'];
const NONE: Poisoned = new Map();

export interface Counts {
  stored: number;
  zero: number;
  lost: number;
  missing: number;
}

export function countsOf(map: Uint8Array): Counts {
  const counts = { stored: 0, zero: 0, lost: 0, missing: 0 };
  for (const state of map) counts[kindOf(state)]++;
  return counts;
}

function kindOf(state: number): keyof Counts {
  if (state === CODEC_LOST) return 'lost';
  if (isMissing(state)) return 'missing';
  return state === CODEC_ZERO ? 'zero' : 'stored';
}

/** Of chunks that differ: what is not all there shows, and what is not all zero. */
function cellOf(states: Uint8Array, isPartly: boolean): Cell {
  const { stored, zero, lost, missing } = countsOf(states);
  if (lost + missing > 0) return stored + zero > 0 ? 'partly' : lost > 0 ? 'lost' : 'missing';
  if (isPartly) return 'partly';
  return stored > 0 ? 'stored' : 'zero';
}

export function mapLines(look: Look, map: Uint8Array, poisoned: Poisoned = NONE): string[] {
  const columns = Math.min(64, Math.max(16, Math.floor((look.columns() - MARGIN) / 16) * 16));
  let chunksPerCell = 1;
  const most = isSmall(look) ? ROWS_OF_A_SMALL_SCREEN : ROWS_MAX;
  while (map.length > columns * most * chunksPerCell) chunksPerCell *= 2;
  const cells: Cell[] = [];
  const partly = new Set([...poisoned.keys()].map((chunk) => Math.floor(chunk / chunksPerCell)));
  for (let at = 0; at < map.length; at += chunksPerCell)
    cells.push(cellOf(map.subarray(at, at + chunksPerCell), partly.has(at / chunksPerCell)));
  const shape = (cell: Cell): string => SHAPES[cell][look.unicode ? 0 : 1];
  const drawn = (run: readonly Cell[]): string =>
    runsOf(run)
      .map(([cell, n]) => paint(look, COLOURS[cell], shape(cell).repeat(n)))
      .join('');
  const rows: string[] = [];
  for (let at = 0; at < cells.length; at += columns) {
    const address = `0x${(at * chunksPerCell * CHUNK_BYTES).toString(16).padStart(8, '0')}`;
    rows.push(`${address.padEnd(ADDRESS)}${drawn(cells.slice(at, at + columns))}`);
  }
  const seen = [...new Set(cells)];
  const order: Cell[] = ['stored', 'zero', 'lost', 'missing', 'partly'];
  const legend = order
    .filter((cell) => seen.includes(cell))
    .map((cell) => `${shape(cell)} ${cell === 'partly' ? 'part of it missing' : cell}`);
  return [
    ...rows,
    `${''.padEnd(ADDRESS)}${legend.join('   ')}   (a cell is ${bytes(chunksPerCell * CHUNK_BYTES)})`,
  ];
}

function runsOf(cells: readonly Cell[]): [Cell, number][] {
  const runs: [Cell, number][] = [];
  for (const cell of cells) {
    const last = runs.at(-1);
    if (last?.[0] === cell) last[1]++;
    else runs.push([cell, 1]);
  }
  return runs;
}

/** How much there is, and what is not and why. */
export function countLine(map: Uint8Array, poisoned: Poisoned = NONE): string {
  const { stored, zero } = countsOf(map);
  const reasons = new Map<string, number>();
  for (const { reason, chunks } of missingRuns(map)) {
    const why = shortMissing(reason);
    reasons.set(why, (reasons.get(why) ?? 0) + chunks);
  }
  const gone = [...reasons].map(([why, chunks]) => `${count(chunks)} ${why}`);
  const pages = poisonedPages(poisoned);
  const there = stored + zero - pages / CHUNK_PAGES;
  const share = map.length === 0 ? 0 : (there / map.length) * 100;
  const all = [`${count(stored)} stored`, `${count(zero)} zero`, ...gone].join(' + ');
  const without = pages > 0 ? `; in these ${plural(pages, 'page')} of 4 KiB poisoned` : '';
  // Not all of it, however little is missing.
  const here = share < 100 ? `${Math.min(share, 99.9).toFixed(1)} % of it here` : 'all of it here';
  return `${bytes(map.length * CHUNK_BYTES)}, ${here}: ${all} chunks of 64 KiB${without}`;
}
