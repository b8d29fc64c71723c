/**
 * What clients write: the bytes of real files, so that memory and disks hold real data. By default the project's own
 * pinned packages, which are the same on every machine. Read in sorted order, up to a bound.
 */
import { createHash } from 'node:crypto';
import { type Dirent, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT_BAD_SCENARIO, InputError } from '../input-error.ts';

const POOL_BYTES = 24 << 20;
const FILES_MAX = 20_000;

export interface Source {
  pool: Uint8Array;
  files: number;
  /** First 16 hexadecimal digits of the SHA-256 of the pool: the trace digest depends on it. */
  hash: string;
}

const cache = new Map<string, Source>();

export function loadSource(folder: string | null): Source {
  const key = folder ?? '';
  const known = cache.get(key);
  if (known !== undefined) return known;
  const pool = new Uint8Array(POOL_BYTES);
  let at = 0;
  let files = 0;
  for (const path of folder === null ? defaultFiles() : filesUnder(folder)) {
    const bytes = readFileSync(path);
    const part = Math.min(bytes.length, POOL_BYTES - at);
    pool.set(bytes.subarray(0, part), at);
    at += part;
    files++;
    if (at === POOL_BYTES) break;
  }
  if (at < 1 << 20) {
    throw new InputError(
      `workload.source: ${folder} holds ${at} bytes in ${files} files; name a tree with at least 1 MiB`,
      EXIT_BAD_SCENARIO,
    );
  }
  // A tree smaller than the pool is repeated.
  for (let filled = at; filled < POOL_BYTES; filled += Math.min(at, POOL_BYTES - filled)) {
    pool.copyWithin(filled, 0, Math.min(at, POOL_BYTES - filled));
  }
  const source = { pool, files, hash: createHash('sha256').update(pool).digest('hex').slice(0, 16) };
  cache.set(key, source);
  return source;
}

/** The compiler's own packages: pinned by the lock-file, real text and real binaries. */
function defaultFiles(): string[] {
  const home = dirname(dirname(fileURLToPath(import.meta.resolve('assemblyscript/asc'))));
  return [
    ...filesUnder(join(home, 'std')),
    ...filesUnder(join(home, 'dist')),
    ...filesUnder(join(home, '..', 'binaryen')),
  ];
}

function filesUnder(folder: string): string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    let entries: Dirent[];
    try {
      entries = readdirSync(path, { withFileTypes: true });
    } catch {
      throw new InputError(`workload.source: ${path} cannot be read as a folder`, EXIT_BAD_SCENARIO);
    }
    for (const entry of entries.sort((x, y) => (x.name < y.name ? -1 : 1))) {
      const child = join(path, entry.name);
      if (found.length >= FILES_MAX) return;
      if (entry.isDirectory()) visit(child);
      else if (entry.isFile() && statSync(child).size > 0) found.push(child);
    }
  };
  visit(folder);
  return found;
}
