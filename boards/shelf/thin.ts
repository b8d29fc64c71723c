/**
 * A thin provisioned medium: it knows which of its bytes are mapped. What is not reads as zeros.
 *
 * [SBC-3] 4.7.3.3 thin provisioned logical units, 4.7.4.5 LBPRZ
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Extents } from './extents.ts';
import type { Extent, Medium } from './medium.ts';

export class ThinMedium implements Medium {
  readonly bytes: number;
  #under: Medium;
  #mapped: Extents;
  #keep: (mapped: Extents) => void;

  /** `keep` is given the map when the medium is closed. */
  constructor(under: Medium, mapped = new Extents(), keep: (mapped: Extents) => void = () => {}) {
    this.#under = under;
    this.bytes = under.bytes;
    this.#mapped = mapped;
    this.#keep = keep;
  }

  read(offset: number, into: Uint8Array, at: number, count: number): void {
    this.#under.read(offset, into, at, count);
  }

  write(offset: number, from: Uint8Array, at: number, count: number): void {
    this.#under.write(offset, from, at, count);
    this.#mapped.add(offset, offset + count);
  }

  unmap(offset: number, count: number): void {
    this.#under.unmap(offset, count);
    this.#mapped.remove(offset, offset + count);
  }

  fill(block: Uint8Array): void {
    this.#under.fill(block);
    this.#mapped.add(0, this.bytes);
  }

  extent(offset: number): Extent {
    const { inside, until } = this.#mapped.at(offset);
    return { mapped: inside, bytes: Math.min(until, this.bytes) - offset };
  }

  flush(): void {
    this.#under.flush();
  }

  close(): void {
    this.#under.close();
    this.#keep(this.#mapped);
  }
}

/**
 * A thin medium over an image in a file. Its map lies in a file beside from close to open; after a run that was cut
 * there is none, and everything counts as mapped.
 */
export function thinFile(under: Medium, path: string, fresh: boolean): ThinMedium {
  let mapped = new Extents(fresh ? [] : [0, under.bytes]);
  if (!fresh && existsSync(path)) {
    const kept = edgesOf(readFileSync(path, 'utf8'), under.bytes);
    if (kept !== null) mapped = new Extents(kept);
  }
  rmSync(path, { force: true });
  return new ThinMedium(under, mapped, ({ edges }) => writeFileSync(path, `${JSON.stringify(edges)}\n`));
}

/** The edges of a map that was kept; null for anything else. */
function edgesOf(text: string, bytes: number): number[] | null {
  let edges: unknown;
  try {
    edges = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(edges) || edges.length % 2 !== 0) return null;
  let before = -1;
  for (const edge of edges as unknown[]) {
    if (typeof edge !== 'number' || !Number.isSafeInteger(edge) || edge <= before || edge > bytes)
      return null;
    before = edge;
  }
  return edges as number[];
}
