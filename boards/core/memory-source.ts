/**
 * The memory of a board, whoever has it: a core file, a dump image on a disk, or a live board. Every command that reads
 * memory works on this alone. What is not there is a piece without content and with a reason; it is never read as zero.
 */
import { CHUNK_BYTES, CHUNK_PAGES, CODEC_LOST, MISSING_UNREACHED, PAGE_BYTES } from '../../asm/layout.ts';
import type { Scrubbed } from './records.ts';
import type { Fields } from './source.ts';

/** Of the reasons why memory is missing one of our own: the source does not say. */
export const MISSING_NOT_SAID = 0x8f;
/** Past the end of the board's RAM. */
export const MISSING_NO_RAM = 0x8e;

/** Memory in a row, of which either all is there or nothing. */
export interface Piece {
  address: number;
  bytes: number;
  content: Uint8Array | null;
  /** Why there is no content: CODEC_LOST or MISSING_*; 0 when there is. */
  reason: number;
}

/** What the source says of the dump as a whole; null where it does not. */
export interface DumpFacts {
  attribute: number; // ATTRIBUTE_*
  abort: number; // ABORT_*
  system: number | null;
  epoch: number | null;
  build: string | null;
  reason: number | null; // PANIC_*
  utcSeconds: number | null;
  /** Board time: failure, begin and end of the dump; 0: not ended. */
  failedUs: number | null;
  startedUs: number | null;
  endedUs: number | null;
  limitMs: number | null;
  saved: boolean | null;
  /** Regions in the order in which they were written, by number of firmware/order.ts. */
  order: readonly { firstChunk: number; chunks: number; kind: number }[];
}

/** What wasm has of registers. */
export interface Registers {
  /** Offset in the firmware's code; 0: not known, or between two cycles. */
  pc: number;
}

export type SourceKind = 'core file' | 'dump image' | 'live board';

export interface MemorySource {
  readonly kind: SourceKind;
  /** What to call it in a message: the path, and the file inside. */
  readonly name: string;
  readonly memoryBytes: number;
  /** A byte a chunk: CODEC_*, or why it is missing, as far as known before its content is read. */
  readonly map: Uint8Array;
  /** Of chunks that are there: pages that are MISSING_POISONED in them all the same, bit n for page n. */
  readonly poisoned: ReadonlyMap<number, number>;
  readonly dump: DumpFacts | null;
  /** Regions that held secrets and were cleared before the dump: zero here, and not because they were. */
  readonly scrubbed: readonly Scrubbed[];
  /** What was found wrong when it was opened, and did not stop the reading. */
  readonly problems: readonly string[];
  /** A note NOTE_* that the source carries beside the memory. */
  note(type: number): Fields | null;
  /** Pieces that cover exactly the `bytes` bytes from `address` on; at most READ_MAX at a time. */
  read(address: number, bytes: number): Promise<Piece[]>;
  registers(): Promise<Registers>;
  close(): void;
}

export const READ_MAX = 1 << 20;

/** All pieces of a range of any size, none larger than READ_MAX. */
export async function* piecesOf(source: MemorySource, address: number, bytes: number): AsyncGenerator<Piece> {
  for (let at = address; at < address + bytes;) {
    const end = Math.min(address + bytes, (Math.floor(at / READ_MAX) + 1) * READ_MAX);
    yield* await source.read(at, end - at);
    at = end;
  }
}

/** The whole range, or null when a byte of it is missing. */
export async function readWhole(
  source: MemorySource,
  address: number,
  bytes: number,
): Promise<Uint8Array | null> {
  const out = new Uint8Array(bytes);
  for await (const piece of piecesOf(source, address, bytes)) {
    if (piece.content === null) return null;
    out.set(piece.content, piece.address - address);
  }
  return out;
}

/** Joins neighbours of one kind, so that a range with one gap is three pieces. */
export function joined(pieces: readonly Piece[]): Piece[] {
  const out: Piece[] = [];
  for (let i = 0; i < pieces.length;) {
    const first = pieces[i]!;
    let end = i + 1;
    const fits = ({ content, reason }: Piece): boolean =>
      (content === null) === (first.content === null) && reason === first.reason;
    while (end < pieces.length && fits(pieces[end]!)) end++;
    out.push(end === i + 1 ? first : join(pieces.slice(i, end)));
    i = end;
  }
  return out;
}

function join(run: readonly Piece[]): Piece {
  const { address, content, reason } = run[0]!;
  const bytes = run.reduce((sum, piece) => sum + piece.bytes, 0);
  if (content === null) return { address, bytes, content: null, reason };
  const all = new Uint8Array(bytes);
  for (const piece of run) all.set(piece.content!, piece.address - address);
  return { address, bytes, content: all, reason };
}

/** Splits a range at the ends of chunks, and off what lies past the RAM. */
export function splitAtChunks(
  memoryBytes: number,
  address: number,
  bytes: number,
  read: (chunk: number, at: number, bytes: number) => Piece[],
): Piece[] {
  const pieces: Piece[] = [];
  const end = address + bytes;
  for (let at = address; at < end;) {
    if (at >= memoryBytes) {
      pieces.push({ address: at, bytes: end - at, content: null, reason: MISSING_NO_RAM });
      break;
    }
    const chunk = Math.floor(at / CHUNK_BYTES);
    const stop = Math.min(end, (chunk + 1) * CHUNK_BYTES, memoryBytes);
    pieces.push(...read(chunk, at, stop - at));
    at = stop;
  }
  return joined(pieces);
}

/** A chunk in runs of bytes: those of its pages that `poison` has a bit for, and the others. */
export function pageRuns(poison: number): { offset: number; bytes: number; isPoisoned: boolean }[] {
  const runs: { offset: number; bytes: number; isPoisoned: boolean }[] = [];
  for (let page = 0; page < CHUNK_PAGES; page++) {
    const isPoisoned = ((poison >> page) & 1) === 1;
    const last = runs.at(-1);
    if (last?.isPoisoned === isPoisoned) last.bytes += PAGE_BYTES;
    else runs.push({ offset: page * PAGE_BYTES, bytes: PAGE_BYTES, isPoisoned });
  }
  return runs;
}

/** How many pages are missing in chunks that are there. */
export function poisonedPages(poisoned: ReadonlyMap<number, number>): number {
  let pages = 0;
  for (const poison of poisoned.values()) {
    for (let rest = poison; rest > 0; rest &= rest - 1) pages++;
  }
  return pages;
}

/** Each run of chunks that are missing for one reason. */
export function missingRuns(map: Uint8Array): { first: number; chunks: number; reason: number }[] {
  const runs: { first: number; chunks: number; reason: number }[] = [];
  for (const [chunk, state] of map.entries()) {
    if (!isMissing(state)) continue;
    const last = runs.at(-1);
    if (last && last.reason === state && last.first + last.chunks === chunk) last.chunks++;
    else runs.push({ first: chunk, chunks: 1, reason: state });
  }
  return runs;
}

export const isMissing = (state: number): boolean => state === CODEC_LOST || state >= MISSING_UNREACHED;
