// What the board's memory holds: made of this machine's own files, so that it is the same each time on one machine.
import { closeSync, openSync, readFileSync, readSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serialize } from 'node:v8';

export const CONTENTS = ['zero-heavy', 'mixed', 'random'] as const;
export type Content = (typeof CONTENTS)[number];

const CHUNK = 65_536;
const POOL_MAX = 192 << 20;
/** Percent of chunks that are zero; of real memory in use a third, of a machine that idles most. */
const ZERO_PERCENT: Readonly<Record<Content, number>> = { 'zero-heavy': 85, mixed: 30, random: 0 };

class Xorshift {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }
}

/** Files in a fixed order: by name, folder by folder. */
function* filesOf(folder: string, wanted: RegExp, depth: number): Generator<string> {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return; // not on this machine
  }
  entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && depth > 0) yield* filesOf(path, wanted, depth - 1);
    else if (entry.isFile() && wanted.test(entry.name)) yield path;
  }
}

interface Kind {
  share: number;
  files: () => Iterable<string>;
}

/** Programs, shared objects, and text: what the caches and processes of a storage controller hold. */
function kinds(): Kind[] {
  const here = dirname(fileURLToPath(import.meta.url));
  const modules = join(here.slice(0, here.indexOf(join('scripts', 'bench'))), 'node_modules');
  const root = existing(modules) ?? '/usr/share';
  return [
    { share: 0.3, files: () => [process.execPath] },
    { share: 0.3, files: () => filesOf('/usr/lib/x86_64-linux-gnu', /\.so(?:\.|$)/, 1) },
    { share: 0.2, files: () => filesOf(root, /\.(?:js|ts|json|md)$/, 6) },
  ];
}

const existing = (path: string): string | null => {
  try {
    return statSync(path).isDirectory() ? path : null;
  } catch {
    return null;
  }
};

/** Real bytes, at most POOL_MAX: programs, libraries, text, and the heap image of objects. */
function makePool(): Buffer {
  const pool = Buffer.alloc(POOL_MAX);
  let at = 0;
  for (const { share, files } of kinds()) {
    const end = Math.min(POOL_MAX, at + Math.floor(POOL_MAX * share));
    for (const path of files()) {
      if (at >= end) break;
      at += readInto(path, pool, at, end - at);
    }
  }
  // Objects of numbers, strings and maps, as an engine lays them out: what a heap looks like.
  const heap = serialize(heapObjects(pool.subarray(0, 1 << 20)));
  while (at < POOL_MAX) at += heap.copy(pool, at, 0, Math.min(heap.length, POOL_MAX - at));
  return pool;
}

function readInto(path: string, pool: Buffer, at: number, room: number): number {
  try {
    if (statSync(path).size <= room) return readFileSync(path).copy(pool, at);
  } catch {
    return 0; // a file that may not be read
  }
  const file = openSync(path, 'r');
  try {
    return readSync(file, pool, at, room, 0);
  } finally {
    closeSync(file);
  }
}

function heapObjects(words: Buffer): object[] {
  return Array.from({ length: 60_000 }, (_, i) => ({
    id: i,
    next: (i * 7919) % 60_000,
    name: `object ${words.toString('latin1', (i * 13) % 900_000, ((i * 13) % 900_000) + 24)}`,
    at: words.readDoubleLE((i * 8) % 1_000_000),
    flags: [i & 1, i & 2, i & 4],
  }));
}

let pool: Buffer | null = null;

/** Fills `ram` from `from` on. `noZero`: the last byte of each chunk is not 0, so that a dump stores all of them. */
export function fillMemory(ram: Uint8Array, from: number, content: Content, noZero: boolean): void {
  const random = new Xorshift(0x2545f491);
  if (content === 'random') {
    const words = new Uint32Array(ram.buffer, from, (ram.length - from) / 4);
    for (let i = 0; i < words.length; i++) words[i] = random.next();
    return;
  }
  pool ??= makePool();
  let source = 0;
  for (let at = from; at < ram.length;) {
    // Runs, as an allocator leaves them: a few chunks of data, a few of nothing.
    const run = (1 + (random.next() % 16)) * CHUNK;
    const isZero = random.next() % 100 < ZERO_PERCENT[content];
    const bytes = Math.min(run, ram.length - at);
    if (isZero) ram.fill(0, at, at + bytes);
    else {
      if (source + bytes > pool.length) source = 0;
      ram.set(pool.subarray(source, source + bytes), at);
      source += bytes;
    }
    at += bytes;
  }
  if (noZero) for (let at = CHUNK - 1; at < ram.length; at += CHUNK) if (at >= from) ram[at] = 1;
}
