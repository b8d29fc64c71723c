/**
 * A read-only exFAT reader, written from the specification and not from the code in asm/ that writes such volumes, so
 * that the one checks the other. Every size is bounded by the volume, every chain by its clusters.
 *
 * [exFAT] Microsoft, "exFAT file system specification": 3 boot region, 4 FAT, 6 and 7 directory structure
 */
import { bootSector } from './exfat-boot.ts';
import type { Geometry } from './exfat-boot.ts';
import { parseDirectory } from './exfat-directory.ts';
import type { Allocation, Directory, Entry } from './exfat-directory.ts';
import { Fields, Malformed } from './source.ts';
import type { Read } from './source.ts';

const FORMAT = 'exFAT volume';
const DIRECTORY_MAX = 1 << 23;
const DEPTH_MAX = 64;
const PIECE = 1 << 20;

/** A file or directory as a directory lists it. */
export interface Node extends Entry {
  path: string;
}

/** Bytes in a row on the volume. */
export interface Extent {
  at: number;
  bytes: number;
}

export class Exfat {
  readonly geometry: Geometry;
  readonly label: string;
  readonly #read: Read;
  readonly #root: Entry;
  readonly #bitmap: Uint8Array;

  /** `read` begins at the volume's boot sector; `bytes` is the size of the region. Malformed when it is no volume. */
  constructor(read: Read, bytes: number) {
    this.#read = read;
    this.geometry = bootSector(read, bytes);
    const { rootCluster, clusters, clusterBytes } = this.geometry;
    const chain = this.#chain(rootCluster, Math.ceil(DIRECTORY_MAX / clusterBytes));
    this.#root = {
      name: '',
      directory: true,
      attributes: 0x10,
      cluster: rootCluster,
      contiguous: false,
      bytes: chain.length * clusterBytes,
      validBytes: chain.length * clusterBytes,
      modifiedUtc: null,
    };
    const root = this.#directory(this.#root);
    this.label = root.label;
    if (!root.bitmap) throw new Malformed(FORMAT, this.#at(rootCluster), 'no allocation bitmap');
    if (root.bitmap.bytes < Math.ceil(clusters / 8)) {
      throw new Malformed(FORMAT, this.#at(rootCluster), 'an allocation bitmap too small');
    }
    this.#bitmap = this.#whole(root.bitmap, Math.ceil(clusters / 8));
  }

  /** The entries of a directory: '/' or '/a/b'. Malformed when the path is not there or not a directory. */
  list(path: string): Node[] {
    const directory = this.stat(path);
    if (!directory.directory) throw new Malformed(FORMAT, 0, `${path}: not a directory`);
    const prefix = directory.path === '/' ? '/' : `${directory.path}/`;
    return this.#directory(directory).entries.map((entry) => ({ ...entry, path: prefix + entry.name }));
  }

  /** A file or directory; names are compared without case. */
  stat(path: string): Node {
    let node: Node = { ...this.#root, path: '/' };
    const names = path.split('/').filter((name) => name !== '');
    if (names.length > DEPTH_MAX) throw new Malformed(FORMAT, 0, `${path}: too deep`);
    for (const name of names) {
      if (!node.directory) throw new Malformed(FORMAT, 0, `${node.path}: not a directory`);
      const found = this.#directory(node).entries.find((e) => e.name.toUpperCase() === name.toUpperCase());
      if (!found) throw new Malformed(FORMAT, 0, `${path}: not there`);
      node = { ...found, path: `${node.path === '/' ? '' : node.path}/${found.name}` };
    }
    return node;
  }

  /** Where a file lies on the volume, in order. */
  extents(path: string): Extent[] {
    return this.#extents(this.stat(path));
  }

  /** The file's bytes in pieces of at most 1 MiB. What was never written (past ValidDataLength) is zero. */
  *read(path: string): Generator<Uint8Array> {
    const node = this.stat(path);
    let valid = node.validBytes;
    for (const extent of this.#extents(node)) {
      for (let done = 0; done < extent.bytes; done += PIECE) {
        const bytes = Math.min(PIECE, extent.bytes - done);
        const piece = new Uint8Array(bytes);
        const live = Math.min(bytes, valid);
        if (live > 0) piece.set(Fields.read(FORMAT, this.#read, extent.at + done, live).bytes);
        valid -= live;
        yield piece;
      }
    }
  }

  get freeClusters(): number {
    let used = 0;
    for (let i = 0; i < this.geometry.clusters; i++) used += this.#used(i + 2) ? 1 : 0;
    return this.geometry.clusters - used;
  }

  /**
   * What is wrong with the volume as a whole: clusters that two files have, that a file has and the bitmap calls
   * free, or (`leaks`) that the bitmap calls taken and no file has. None: no line.
   */
  check(): { problems: string[]; leaks: number } {
    const owner = new Map<number, string>();
    const problems: string[] = [];
    const claim = (clusters: readonly number[], who: string): void => {
      for (const cluster of clusters) {
        const other = owner.get(cluster);
        if (other !== undefined) problems.push(`cluster ${cluster} belongs to ${other} and to ${who}`);
        else if (!this.#used(cluster)) problems.push(`cluster ${cluster} of ${who} is marked free`);
        owner.set(cluster, who);
      }
    };
    const visit = (node: Node, depth: number): void => {
      claim(this.#clusters(node), node.path);
      if (!node.directory || depth > DEPTH_MAX) return;
      const before = problems.length;
      for (const child of this.list(node.path)) if (problems.length === before) visit(child, depth + 1);
    };
    const root = this.#directory(this.#root);
    if (root.bitmap) claim(this.#clusters(root.bitmap), 'the allocation bitmap');
    if (root.upcase) claim(this.#clusters(root.upcase), 'the up-case table');
    visit({ ...this.#root, path: '/' }, 0);
    return { problems, leaks: this.geometry.clusters - this.freeClusters - owner.size };
  }

  #used(cluster: number): boolean {
    const bit = cluster - 2;
    return (((this.#bitmap[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1;
  }

  #at(cluster: number): number {
    return this.geometry.heapAt + (cluster - 2) * this.geometry.clusterBytes;
  }

  /** A directory's first DIRECTORY_MAX bytes; Malformed when it does not end within them. */
  #directory(entry: Allocation): Directory {
    const whole = this.#whole(entry, DIRECTORY_MAX);
    const directory = parseDirectory(new Fields(FORMAT, this.#at(entry.cluster), whole));
    if (!directory.ended && entry.bytes > DIRECTORY_MAX) {
      throw new Malformed(FORMAT, this.#at(entry.cluster), 'a directory too large');
    }
    return directory;
  }

  #whole(entry: Allocation, most: number): Uint8Array {
    const out = new Uint8Array(Math.min(entry.bytes, most));
    let done = 0;
    for (const extent of this.#extents(entry)) {
      const bytes = Math.min(extent.bytes, out.length - done);
      if (bytes > 0) out.set(Fields.read(FORMAT, this.#read, extent.at, bytes).bytes, done);
      done += bytes;
    }
    return out;
  }

  #extents(entry: Allocation): Extent[] {
    const { clusterBytes } = this.geometry;
    if (entry.bytes === 0) return [];
    if (entry.contiguous) {
      this.#clusterCount(entry);
      return [{ at: this.#at(entry.cluster), bytes: entry.bytes }];
    }
    const extents: Extent[] = [];
    let left = entry.bytes;
    for (const cluster of this.#clusters(entry)) {
      const last = extents.at(-1);
      const bytes = Math.min(left, clusterBytes);
      if (last && last.at + last.bytes === this.#at(cluster)) last.bytes += bytes;
      else extents.push({ at: this.#at(cluster), bytes });
      left -= bytes;
    }
    return extents;
  }

  #clusters(entry: Allocation): number[] {
    const count = this.#clusterCount(entry);
    if (entry.contiguous) return Array.from({ length: count }, (_, i) => entry.cluster + i);
    const chain = count === 0 ? [] : this.#chain(entry.cluster, count);
    if (chain.length < count)
      throw new Malformed(FORMAT, this.#at(entry.cluster), 'a chain shorter than its file');
    return chain;
  }

  /** Clusters of an allocation; Malformed when they are not all on the volume. */
  #clusterCount(entry: Allocation): number {
    const { clusters, clusterBytes } = this.geometry;
    const count = Math.ceil(entry.bytes / clusterBytes);
    const inside = entry.cluster >= 2 && entry.cluster + (entry.contiguous ? count : 1) <= clusters + 2;
    if (count > clusters || (count > 0 && !inside)) {
      throw new Malformed(FORMAT, this.geometry.heapAt, `cluster ${entry.cluster} and ${entry.bytes} bytes`);
    }
    return count;
  }

  /** At most `most` clusters of a chain in the FAT. */
  #chain(first: number, most: number): number[] {
    const { clusters, fatAt } = this.geometry;
    const chain: number[] = [];
    const seen = new Set<number>();
    let next = first;
    while (chain.length < most && next !== 0xffffffff) {
      if (next < 2 || next >= clusters + 2)
        throw new Malformed(FORMAT, fatAt, `a chain leads to cluster ${next}`);
      if (seen.has(next)) throw new Malformed(FORMAT, fatAt + 4 * next, 'a chain that bites its tail');
      seen.add(next);
      chain.push(next);
      next = Fields.read(FORMAT, this.#read, fatAt + 4 * next, 4).u32(0);
    }
    return chain;
  }
}
