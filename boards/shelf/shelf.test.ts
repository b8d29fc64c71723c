import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../asm/layout.ts';
import { Clock } from '../clock.ts';
import { EXIT_BAD_IMAGE, InputError } from '../input-error.ts';
import type { Scenario } from '../scenario.ts';
import { parseScenario } from '../scenario-file.ts';
import { A0, B0, REGISTER_AND_IGNORE, RESERVE, SECTOR, reserveOut } from './bench.test-helper.ts';
import type { DiskWatcher } from './disk.ts';
import { nexusOf } from './fabric.ts';
import { type Shelf, SYSTEM_IDS, makeShelf, wwnOf } from './shelf.ts';

const test = suite('shelf');
const NOBODY: DiskWatcher = { wrote: () => {}, ended: () => {}, reserved: () => {} };
const TEXT = `
title: a shelf
boards: { memory_mib: 16 }
disks:
  - { role: mailbox }
  - { role: root, owner: a }
  - { role: root, owner: b }
  - { role: data, owner: a, size_mib: 32 }
  - { role: data, owner: b, size_mib: 32 }
  - { role: spare, owner: b, size_mib: 32 }
  - { role: free, size_mib: 16 }
`;
const scenario = (more = ''): Scenario => parseScenario(TEXT + more, 'shelf.yaml');
const make = (from: Scenario, folder: string | null): Shelf => makeShelf(from, new Clock(), NOBODY, folder);

const top = mkdtempSync(join(tmpdir(), 'sparecore-shelf-'));
test.after(() => rmSync(top, { recursive: true }));
let folders = 0;
const newFolder = (): string => join(top, String(folders++));

/** What tells whether any file in the folder was written to. */
const states = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder).map((name) => {
      const { size, mtimeNs, ino } = statSync(join(folder, name), { bigint: true });
      return [name, `${ino} ${size} ${mtimeNs}`];
    }),
  );

/** A folder with the images of the scenario, nothing open. */
function madeFolder(from = scenario()): string {
  const folder = newFolder();
  make(from, folder).close();
  return folder;
}

function execute(
  shelf: Shelf,
  unit: number,
  nexus: number,
  { cdb, data }: { cdb: Uint8Array; data: Uint8Array },
): void {
  for (let n = 0; n < 3; n++) {
    if (shelf.servers.execute(unit, nexus, cdb, data, data.length).status === 0) return;
  }
  throw new Error('refused');
}

test('the disks of the scenario stand in the shelf, in its order, each with a world wide name of its own', () => {
  const shelf = make(scenario(), null);
  assert.equal(
    shelf.disks.map(({ config }) => config.name),
    ['mailbox', 'a.root', 'b.root', 'a.data.0', 'b.data.0', 'b.spare.0', 'free.0'],
  );
  assert.equal(
    shelf.disks.map(({ medium, config }) => medium.bytes / 2 ** 20 - config.sizeMib),
    shelf.disks.map(() => 0),
  );
  assert.is(new Set(shelf.disks.map((_, number) => wwnOf(number))).size, shelf.disks.length);
});

test('disks in memory and disks in files are formatted to the same bytes', () => {
  const memory = make(scenario(), null);
  const folder = madeFolder();
  for (const { medium, config } of memory.disks) {
    const bytes = new Uint8Array(medium.bytes);
    medium.read(0, bytes, 0, bytes.length);
    assert.ok(readFileSync(join(folder, `${config.name}.img`)).equals(bytes), config.name);
  }
});

test('both boards reach every disk by both ports, and nobody holds one', () => {
  const shelf = make(scenario(), null);
  for (const { number } of shelf.disks) {
    for (const board of [0, 1]) {
      for (const port of [0, 1]) assert.ok(shelf.fabric.reachable(nexusOf(board, port), number));
    }
    assert.is(shelf.servers.holderKey(number), 0n);
  }
});

test('reservations left over from an earlier life are on the disks that the scenario names', () => {
  const all = make(scenario('leftover: [{ disks: all, board: b, epoch: 9 }]'), null);
  const key = (BigInt(SYSTEM_IDS[1]) << 32n) | 9n;
  assert.equal(
    all.disks.map(({ number }) => all.servers.holderKey(number)),
    [key, key, key, key, key, key, 0n], // a free disk is nobody's
  );
  const one = make(scenario('leftover: [{ disks: [a.data.0], board: a, epoch: 3 }]'), null);
  assert.equal(
    one.disks.map(({ number }) => one.servers.holderKey(number)),
    [0n, 0n, 0n, (BigInt(SYSTEM_IDS[0]) << 32n) | 3n, 0n, 0n, 0n],
  );
});

test('images are opened again as they were left', () => {
  const folder = newFolder();
  const first = make(scenario(), folder);
  first.disks[3]!.medium.write(L.DATA_LBA * SECTOR, Buffer.from('clients data'), 0, 12);
  first.close();
  const again = make(scenario(), folder);
  const into = Buffer.alloc(12);
  again.disks[3]!.medium.read(L.DATA_LBA * SECTOR, into, 0, 12);
  assert.is(into.toString(), 'clients data');
  again.close();
});

test('an image that is missing is made; those that are there stay as they are', () => {
  const folder = madeFolder();
  const before = states(folder);
  rmSync(join(folder, 'free.0.img'));
  make(scenario(), folder).close();
  const after = states(folder);
  assert.is.not(after['free.0.img'], undefined);
  const made = { 'free.0.img': '', 'free.0.format': '' };
  assert.equal({ ...after, ...made }, { ...before, ...made });
});

test('a free disk that its initiators gave a format of their own is there when the shelf is opened again', () => {
  const folder = madeFolder();
  const path = join(folder, 'free.0.img');
  const { size } = statSync(path);
  for (const byte of [0, 0x42]) {
    overwrite(path, 0, Buffer.alloc(size, byte));
    const shelf = make(scenario(), folder);
    const number = shelf.disks.findIndex(({ config }) => config.name === 'free.0');
    const into = new Uint8Array(SECTOR);
    shelf.disks[number]!.medium.read(L.LABEL_LBA * SECTOR, into, 0, SECTOR);
    assert.equal(into, new Uint8Array(SECTOR).fill(byte));
    shelf.close();
  }
  truncateSync(path, size / 2);
  assert.throws(() => make(scenario(), folder), /free.0.img: has \d+ bytes/);
});

test('reservations made to last are there when the shelf is opened again', () => {
  const folder = newFolder();
  const first = make(scenario(), folder);
  const key = 0xabcdef0123456789n;
  execute(first, 3, A0, reserveOut(REGISTER_AND_IGNORE, 0n, key));
  execute(first, 3, A0, reserveOut(RESERVE, key, 0n));
  first.disks[3]!.keepReservations(first.servers.nonVolatile(3));
  first.close();
  assert.ok(existsSync(join(folder, 'a.data.0.reservations')));
  const again = make(scenario(), folder);
  assert.equal(
    [3, 4].map((unit) => again.servers.holderKey(unit)),
    [key, 0n],
  );
  again.close();
});

test('a torn file of reservations is no reservation', () => {
  for (const bytes of [0, 1, 100, 100_000]) {
    const folder = madeFolder();
    writeFileSync(join(folder, 'a.data.0.reservations'), Buffer.alloc(bytes, 0x77));
    const shelf = make(scenario(), folder);
    assert.is(shelf.servers.holderKey(3), 0n);
    execute(shelf, 3, B0, reserveOut(REGISTER_AND_IGNORE, 0n, 5n));
    shelf.close();
  }
});

// ----------------------------------------------------------------------------- images that sparecore did not make

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

const DISASTERS: readonly (readonly [what: string, how: (path: string) => void, said: RegExp])[] = [
  [
    'has another size',
    (path) => truncateSync(path, 12345),
    /has 12345 bytes where disk a.data.0 has 33554432/,
  ],
  ['is a folder', (path) => (rmSync(path), mkdirSync(path)), /is not a file/],
  ['is blank', (path) => (truncateSync(path, 0), truncateSync(path, 32 << 20)), /is blank/],
  [
    'is the file system of somebody',
    (path) => [0, (32 << 20) - 65536].forEach((at) => overwrite(path, at, Buffer.alloc(65536, 0x42))),
    /disk of another format/,
  ],
  [
    'has both copies of its label torn',
    (path) => {
      overwrite(path, L.LABEL_LBA * SECTOR + 100, Uint8Array.of(1));
      overwrite(path, L.LABEL_LBA * SECTOR + L.COPY_BYTES + 100, Uint8Array.of(1));
    },
    /no valid label/,
  ],
  [
    'has both partition tables broken',
    (path) => {
      overwrite(path, SECTOR + 60, Uint8Array.of(0xff));
      overwrite(path, (32 << 20) - SECTOR + 60, Uint8Array.of(0xff));
    },
    /another format/,
  ],
  [
    'is another disk of the shelf',
    (path) => copyFileSync(join(path, '..', 'b.data.0.img'), path),
    /is disk b.data.0 of another shelf/,
  ],
];

for (const [what, how, said] of DISASTERS) {
  test(`a folder in which one image ${what} is refused as a whole, in one line, and no byte of it is changed`, () => {
    const folder = madeFolder();
    const path = join(folder, 'a.data.0.img');
    how(path);
    rmSync(join(folder, 'mailbox.img')); // it would be made anew, were the folder not refused
    const before = states(folder);
    assert.throws(
      () => make(scenario(), folder),
      (error: InputError) =>
        error instanceof InputError &&
        error.exitCode === EXIT_BAD_IMAGE &&
        error.message.startsWith(path) &&
        said.test(error.message) &&
        /nothing was written/.test(error.message) &&
        !error.message.includes('\n'),
    );
    assert.equal(states(folder), before);
  });
}

test('one torn copy of a label is no reason to refuse a disk', () => {
  const folder = madeFolder();
  overwrite(join(folder, 'a.data.0.img'), L.LABEL_LBA * SECTOR + 100, Uint8Array.of(1));
  make(scenario(), folder).close();
});

test('a file where the folder should be is refused', () => {
  const path = newFolder();
  writeFileSync(path, 'mine');
  assert.throws(
    () => make(scenario(), path),
    (error: InputError) => error.exitCode === EXIT_BAD_IMAGE && /is a file/.test(error.message),
  );
  assert.is(readFileSync(path, 'utf8'), 'mine');
});

test('other files in the folder are left alone', () => {
  const folder = newFolder();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  make(scenario(), folder).close();
  assert.is(readFileSync(join(folder, 'notes.txt'), 'utf8'), 'mine');
});

test.run();
