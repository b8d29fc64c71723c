import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Clock } from '../clock.ts';
import { EXIT_BAD_IMAGE, InputError } from '../input-error.ts';
import { runPair } from '../pair.ts';
import { parseScenario } from '../scenario-file.ts';
import type { Scenario } from '../scenario.ts';
import { Extents } from './extents.ts';
import { type Shelf, makeShelf } from './shelf.ts';

const test = suite('formats of disks');
const BOARDS = `
title: disks of other formats
boards: { memory_mib: 16 }
disks:
  - { role: mailbox }
  - { role: root, owner: a }
  - { role: root, owner: b }
  - { role: data, owner: a, size_mib: 32 }
  - { role: data, owner: b, size_mib: 32 }
`;
const FREE = [
  'thin: true',
  'thin: true, protection: 1',
  'block_bytes: 4096',
  'block_bytes: 4096, protection: 1, thin: true',
  'write_protected: true',
  'physical_exponent: 0, write_cache: true',
];
const TEXT = BOARDS + FREE.map((keys) => `  - { role: free, size_mib: 16, ${keys} }\n`).join('');
const FIRST = 5;
const scenario = (text = TEXT): Scenario => parseScenario(text, 'formats.yaml');
const NOBODY = { wrote: () => {}, ended: () => {}, reserved: () => {} };
const make = (folder: string | null, text = TEXT): Shelf =>
  makeShelf(scenario(text), new Clock(), NOBODY, folder);

const top = mkdtempSync(join(tmpdir(), 'sparecore-formats-'));
test.after(() => rmSync(top, { recursive: true }));
let folders = 0;
const newFolder = (): string => join(top, String(folders++));

/** All of a medium that is mapped, as [from, bytes]. */
function mapped(shelf: Shelf, disk: number): [number, number][] {
  const { medium } = shelf.disks[disk]!;
  const found: [number, number][] = [];
  for (let at = 0; at < medium.bytes;) {
    const extent = medium.extent(at);
    if (extent.mapped) found.push([at, extent.bytes]);
    at += extent.bytes;
  }
  return found;
}

const refusal = (action: () => void): string => {
  try {
    action();
  } catch (error) {
    assert.instance(error, InputError);
    assert.is((error as InputError).exitCode, EXIT_BAD_IMAGE);
    assert.not.match((error as InputError).message, '\n');
    return (error as InputError).message;
  }
  throw new Error('nothing was refused');
};

test('a pair runs beside free disks of every format, and leaves them alone', async () => {
  const small = readFileSync(new URL('../scenarios/small.yaml', import.meta.url), 'utf8');
  const lines = small.split('\n');
  const after = lines.findIndex((line) => line.startsWith('disks:')) + 1;
  lines.splice(after, 0, ...FREE.map((keys) => `  - { role: free, size_mib: 16, ${keys} }`));
  const result = await runPair({ scenario: scenario(lines.join('\n')) });
  assert.equal(result.invariants.violations, []);
  assert.is(result.settled, true);
});

test('each says of itself what the scenario says of it', () => {
  const shelf = make(null);
  const [thin, both, large, all, locked, native] = shelf.disks.slice(FIRST).map(({ config }) => config);
  assert.equal([thin!.thin, thin!.protection, thin!.blockBytes, thin!.physicalExponent], [true, 0, 512, 3]);
  assert.equal([both!.thin, both!.protection], [true, 1]);
  assert.equal([large!.blockBytes, large!.physicalExponent], [4096, 0]);
  assert.equal([all!.thin, all!.protection, all!.blockBytes], [true, 1, 4096]);
  assert.equal([locked!.writeProtected, native!.physicalExponent, native!.writeCache], [true, 0, true]);
  assert.equal(
    [mapped(shelf, FIRST), mapped(shelf, FIRST + 2)],
    [[], [[0, 16 << 20]]],
    'a thin disk is blank, another all there',
  );
});

test('in a folder a thin disk keeps its map and a protected one its tags; what was cut off counts as mapped', () => {
  const folder = newFolder();
  const first = make(folder);
  const data = new Uint8Array(8192).fill(7);
  first.disks[FIRST]!.medium.write(65536, data, 0, data.length);
  first.disks[FIRST + 1]!.tags!.write(800, data, 0, 8);
  first.close();
  const second = make(folder);
  assert.equal(mapped(second, FIRST), [[65536, 8192]]);
  const tags = new Uint8Array(9);
  second.disks[FIRST + 1]!.tags!.read(800, tags, 0, 9);
  assert.equal([...tags], [7, 7, 7, 7, 7, 7, 7, 7, 0]);
  second.disks[FIRST]!.medium.unmap(65536, 4096);
  assert.not.ok(existsSync(join(folder, 'free.0.map')), 'while it is in use there is none to be wrong');
  second.close();
  assert.equal(JSON.parse(readFileSync(join(folder, 'free.0.map'), 'utf8')), [69632, 73728]);
  rmSync(join(folder, 'free.0.map')); // as after a cut
  const third = make(folder);
  assert.equal(mapped(third, FIRST), [[0, 16 << 20]]);
  third.close();
});

test('a map that is none is not believed', () => {
  const folder = newFolder();
  make(folder).close();
  for (const text of ['', '{', '[1]', '[5,4]', '[0,99999999999]', '[0,1.5]', '["a","b"]', '[-1,4]']) {
    writeFileSync(join(folder, 'free.0.map'), text);
    const shelf = make(folder);
    assert.equal(mapped(shelf, FIRST), [[0, 16 << 20]], text);
    shelf.close();
  }
});

for (const [what, spoil, pattern] of [
  [
    'made for other blocks',
    (folder: string) => make(folder, TEXT.replace('thin: true }', 'protection: 1 }')),
    /free\.0\.format: is of a disk of another format/,
  ],
  [
    'without its format',
    (folder: string) => (rmSync(join(folder, 'free.0.format')), make(folder)),
    /free\.0\.img: is an image that sparecore did not make/,
  ],
  [
    'without its tags',
    (folder: string) => (rmSync(join(folder, 'free.1.tags')), make(folder)),
    /free\.1\.img: has lost the protection information/,
  ],
  [
    'cut',
    (folder: string) => (truncateSync(join(folder, 'free.2.img'), 4096), make(folder)),
    /free\.2\.img: has 4096 bytes/,
  ],
  [
    'gone, with its tags left',
    (folder: string) => (rmSync(join(folder, 'free.1.img')), make(folder)),
    /lies there without its image/,
  ],
] as const) {
  test(`an image of a free disk that is ${what} is refused, and nothing is written`, () => {
    const folder = newFolder();
    make(folder).close();
    let before = '';
    const state = (): string =>
      readdirSync(folder)
        .map((name) => `${name} ${statSync(join(folder, name)).mtimeMs}`)
        .join();
    const message = refusal(() => {
      try {
        spoil(folder);
      } finally {
        before = state();
      }
    });
    assert.match(message, pattern);
    assert.is(state(), before);
  });
}

for (const [line, pattern] of [
  ['  - { role: data, owner: a, thin: true }', /thin: goes with role free only/],
  ['  - { role: spare, owner: a, protection: 1 }', /protection: goes with role free only/],
  ['  - { role: data, owner: a, block_bytes: 4096 }', /block_bytes: goes with role free only/],
  ['  - { role: spare, owner: b, write_protected: true }', /write_protected: goes with role free only/],
  ['  - { role: free, block_bytes: 520 }', /must be 512 or 4096/],
  ['  - { role: free, protection: 2 }', /must be 0 or 1/],
  ['  - { role: data, owner: a, size_mib: 4194304 }', /only a free disk is larger/],
] as const) {
  test(`a scenario with ${line.slice(4)} is refused in one line`, () => {
    assert.throws(
      () => scenario(`${BOARDS}${line}\n`),
      (error: Error) => pattern.test(error.message.replaceAll('\n', ' ')),
    );
  });
}

test('a free disk of 64 TiB is made in no time and has no format of ours', () => {
  const shelf = make(null, `${BOARDS}  - { role: free, size_mib: 67108864 }\n`);
  assert.is(shelf.disks[FIRST]!.medium.bytes, 2 ** 46);
});

test('extents are what a bit a byte would be, whatever is added and removed', () => {
  const extents = new Extents();
  const bits = Array<boolean>(64).fill(false);
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let i = 0; i < 5000; i++) {
    const from = random(64);
    const to = from + random(65 - from);
    const add = random(2) === 0;
    if (add) extents.add(from, to);
    else extents.remove(from, to);
    bits.fill(add, from, to);
    const edges = bits.flatMap((bit, at) => (bit === (bits[at - 1] ?? false) ? [] : [at]));
    if (bits[63]) edges.push(64);
    assert.equal(extents.edges, edges);
    const at = random(64);
    const rest = bits.findIndex((bit, n) => n > at && bit !== bits[at]);
    const until = rest >= 0 ? rest : bits[at] ? 64 : Infinity;
    assert.equal(extents.at(at), { inside: bits[at], until });
  }
});

test.run();
