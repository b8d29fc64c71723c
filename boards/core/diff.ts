/** Where two memories differ, byte by byte, and where the one has what the other has not. */
import { CHUNK_BYTES } from '../../asm/layout.ts';
import type { MemorySource, Piece } from './memory-source.ts';

export interface Difference {
  address: number;
  bytes: number;
  /** Of the first bytes; null: missing there. */
  a: Uint8Array | null;
  b: Uint8Array | null;
}

/** Equal bytes between two that differ, up to so many, belong to the difference. */
const GAP = 8;
export const SHOWN = 8;

export async function* diff(
  a: MemorySource,
  b: MemorySource,
  from: number,
  to: number,
): AsyncGenerator<Difference> {
  let open: Difference | null = null;
  for (let at = from; at < to; at += CHUNK_BYTES) {
    const bytes = Math.min(CHUNK_BYTES, to - at);
    for (const next of chunkDiff(await a.read(at, bytes), await b.read(at, bytes))) {
      if (open !== null && joins(open, next)) open.bytes = next.address + next.bytes - open.address;
      else {
        if (open !== null) yield open;
        open = next;
      }
    }
  }
  if (open !== null) yield open;
}

function joins(open: Difference, next: Difference): boolean {
  const kind = ({ a, b }: Difference): string => `${a === null} ${b === null}`;
  const gap = next.address - (open.address + open.bytes);
  return kind(open) === kind(next) && (open.a === null || open.b === null ? gap === 0 : gap <= GAP);
}

/** Both lists cover the same range. */
function* chunkDiff(a: readonly Piece[], b: readonly Piece[]): Generator<Difference> {
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i]!, b[j]!];
    const address = Math.max(x.address, y.address);
    const end = Math.min(x.address + x.bytes, y.address + y.bytes);
    yield* rangeDiff(address, end - address, x, y);
    if (x.address + x.bytes === end) i++;
    if (y.address + y.bytes === end) j++;
  }
}

function* rangeDiff(address: number, bytes: number, x: Piece, y: Piece): Generator<Difference> {
  const part = ({ content, address: from }: Piece): Uint8Array | null =>
    content === null ? null : content.subarray(address - from, address - from + bytes);
  const [a, b] = [part(x), part(y)];
  if (a === null && b === null) return;
  if (a === null || b === null) {
    yield { address, bytes, a: a?.slice(0, SHOWN) ?? null, b: b?.slice(0, SHOWN) ?? null };
    return;
  }
  if (Buffer.compare(a, b) === 0) return;
  for (let at = 0; at < bytes; at++) {
    if (a[at] === b[at]) continue;
    const first = at;
    let last = at;
    for (at++; at < bytes && at - last <= GAP; at++) if (a[at] !== b[at]) last = at;
    yield {
      address: address + first,
      bytes: last + 1 - first,
      a: a.slice(first, Math.min(last + 1, first + SHOWN)),
      b: b.slice(first, Math.min(last + 1, first + SHOWN)),
    };
    at = last;
  }
}
