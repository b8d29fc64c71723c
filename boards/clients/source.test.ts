import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT_BAD_SCENARIO, InputError } from '../input-error.ts';
import { loadSource } from './source.ts';

const test = suite('source of clients data');
const top = mkdtempSync(join(tmpdir(), 'sparecore-source-'));
test.after(() => rmSync(top, { recursive: true }));

let trees = 0;
function tree(files: Readonly<Record<string, Uint8Array | string>>): string {
  const folder = join(top, String(trees++));
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return folder;
}
const bytes = (size: number, fill: number): Uint8Array => new Uint8Array(size).fill(fill);

test('by default clients write real files that every machine has, 24 MiB of them', () => {
  const source = loadSource(null);
  assert.is(source.pool.length, 24 << 20);
  assert.ok(source.files > 10);
  assert.match(source.hash, /^[0-9a-f]{16}$/);
  const zero = source.pool.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  assert.ok(zero < source.pool.length / 2, 'most of it is data');
  assert.is(loadSource(null), source);
});

test('a tree of one’s own is read in sorted order, folders and all, and repeated to fill the pool', () => {
  const folder = tree({ b: bytes(1 << 20, 2), a: bytes(1 << 20, 1), 'c/d': bytes(1000, 3), 'c/empty': '' });
  const { pool, files } = loadSource(folder);
  assert.is(files, 3);
  const places = [0, (1 << 20) - 1, 1 << 20, 2 << 20, (2 << 20) + 999, (2 << 20) + 1000];
  assert.equal(
    places.map((place) => pool[place]),
    [1, 1, 2, 3, 3, 1],
  );
  assert.is.not(pool.at(-1), 0);
});

test('other bytes have another hash, the same bytes the same', () => {
  const one = loadSource(tree({ a: bytes(1 << 20, 1) }));
  const same = loadSource(tree({ x: bytes(1 << 20, 1) }));
  const other = loadSource(tree({ a: bytes(1 << 20, 2) }));
  assert.is(one.hash, same.hash);
  assert.is.not(one.hash, other.hash);
});

for (const [what, folder] of [
  ['that is empty', tree({})],
  ['that holds too little', tree({ a: bytes(1000, 1) })],
  ['that is not there', join(top, 'nowhere')],
  ['that is a file', join(tree({ a: bytes(1 << 20, 1) }), 'a')],
] as const) {
  test(`a tree ${what} is refused in one line that names it`, () => {
    assert.throws(
      () => loadSource(folder),
      (error: InputError) =>
        error instanceof InputError &&
        error.exitCode === EXIT_BAD_SCENARIO &&
        error.message.includes(folder) &&
        !error.message.includes('\n'),
    );
  });
}

test.run();
