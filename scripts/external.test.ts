/** The command line's disk images before foreign tools, runs on folders that are there already, and what is refused. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { NV_EPOCH, RECORD_AT, RECORD_MAGIC, WORK_AT } from '../firmware/layout.ts';
import { CoreFile } from '../boards/core/core-file.ts';
import { Exfat } from '../boards/core/exfat.ts';
import { readHeaders } from '../boards/core/records.ts';
import { EXIT_BAD_FIRMWARE, EXIT_BAD_IMAGE, InputError } from '../boards/input-error.ts';
import { firmwarePath } from '../boards/machine.ts';
import { runPair } from '../boards/pair.ts';
import type { RunResult } from '../boards/result.ts';
import { parseScenario } from '../boards/scenario-file.ts';
import { needsTool, testUnless } from './harness.ts';
import { ROOT } from './repository.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sparecore-external-'));
test.after(() => rmSync(scratch, { recursive: true }));

/** A panics and stays without its disks: B's reservations are on them when the run ends. */
const SCENARIO = {
  title: 'of a test',
  end_s: 1,
  boards: { memory_mib: 16, post_ms: 50, root_floor_mib: 64 },
  disks: [
    { role: 'mailbox' },
    { role: 'root', owner: 'a' },
    { role: 'data', owner: 'a', count: 2, size_mib: 32 },
    { role: 'spare', owner: 'a' },
    { role: 'root', owner: 'b' },
    { role: 'data', owner: 'b', size_mib: 32 },
    { role: 'free' },
  ],
  workload: { working_set_mib: 4 },
  events: [{ at_s: 0.8, do: 'assert', board: 'a' }],
};
/** The clocks of the boards go on from run to run. */
const START_UTC = 1_767_225_600;
const DISKS = ['mailbox', 'a.root', 'a.data.0', 'a.data.1', 'a.spare.0', 'b.root', 'b.data.0', 'free.0'];

interface Run {
  code: number | null;
  out: string;
  err: string;
}

function sparecore(...parameters: string[]): Run {
  const child = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/sparecore.ts', ...parameters], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { code: child.status, out: child.stdout, err: child.stderr };
}

/** A run on the disks in `folder`, so many hours after the first. */
function runOn(folder: string, hours = 0): Run {
  const path = join(scratch, `test-${hours}.yaml`);
  writeFileSync(path, JSON.stringify({ ...SCENARIO, start_utc: START_UTC + hours * 3600 }));
  return sparecore('run', path, '--json', '--disks', folder);
}

function resultOf({ code, out, err }: Run): RunResult {
  assert.is(code, 0, err + out);
  const result = JSON.parse(out) as RunResult;
  assert.equal(result.invariants.violations, []);
  return result;
}

interface Shelf {
  folder: string;
  result: RunResult;
  image: (name: string) => string;
}

let shelf: Shelf | null = null;

/** The folder that all tests share, made by the first that asks. */
function firstRun(): Shelf {
  if (shelf !== null) return shelf;
  const folder = join(scratch, 'shelf');
  const result = resultOf(runOn(folder));
  shelf = { folder, result, image: (name) => join(folder, `${name}.img`) };
  return shelf;
}

function tool(name: string, ...parameters: string[]): string {
  const child = spawnSync(name, parameters, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  });
  assert.is(child.status, 0, `${name} ${parameters.join(' ')}: ${child.stderr}${child.stdout}`);
  return child.stdout + child.stderr;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function bytesOf(path: string, at: number, count: number): Buffer {
  const into = Buffer.alloc(count);
  const file = openSync(path, 'r');
  try {
    return into.subarray(0, readSync(file, into, 0, count, at));
  } finally {
    closeSync(file);
  }
}

function spoilBytes(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

/** The core file, as our own reader of exFAT finds it in the image. */
function ownCore(root: string, name?: string): { bytes: Buffer; core: CoreFile } {
  const base = L.DATA_LBA * L.SECTOR_BYTES;
  const volume = new Exfat(
    (at, count) => bytesOf(root, base + at, count),
    statSync(root).size - base - L.TAIL_BLOCKS * L.SECTOR_BYTES,
  );
  const file = volume.list('/cores').find((each) => name === undefined || each.name === name);
  assert.ok(file);
  const bytes = Buffer.concat([...volume.read(file.path)]);
  return { bytes, core: new CoreFile((at, count) => bytes.subarray(at, at + count), bytes.length) };
}

// --------------------------------------------------------------------------------------------------- foreign tools

testUnless(needsTool('sgdisk'), 'sgdisk -v finds no problem on any image, and three named partitions', () => {
  const { folder, image } = firstRun();
  const images = readdirSync(folder).filter((name) => name.endsWith('.img'));
  assert.equal(images.toSorted(), DISKS.map((name) => `${name}.img`).toSorted());
  for (const name of DISKS) {
    const said = tool('sgdisk', '-v', image(name));
    assert.match(said, /^No problems found/m, name);
    assert.not.match(said, /problem:|caution|warning|corrupt|damage/i, name);
    const table = tool('sgdisk', '-p', image(name));
    const rows = [...table.matchAll(/^ +\d+ +(\d+) +(\d+) +\S+ \S+ +\S+ +(\w+)$/gm)].map((row) =>
      row.slice(1, 4),
    );
    const last = String(statSync(image(name)).size / 512 - L.TAIL_BLOCKS - 1);
    assert.equal(rows, [
      ['2048', '4095', 'label'],
      ['4096', '6143', 'coredump'],
      ['6144', last, 'data'],
    ]);
  }
});

testUnless(
  needsTool('fsck.exfat'),
  'fsck.exfat -n finds the root volumes clean, with and without a core',
  () => {
    const { image } = firstRun();
    for (const [name, files] of [
      ['a.root', 1],
      ['b.root', 0],
    ] as const) {
      const volume = join(scratch, `${name}.exfat`);
      const blocks = statSync(image(name)).size / 512 - L.DATA_LBA - L.TAIL_BLOCKS;
      tool(
        'dd',
        `if=${image(name)}`,
        `of=${volume}`,
        'bs=512',
        `skip=${L.DATA_LBA}`,
        `count=${blocks}`,
        'conv=sparse',
      );
      assert.is(statSync(volume).size, blocks * 512);
      const said = tool('fsck.exfat', '-n', volume);
      assert.match(said, new RegExp(`: clean\\. directories 2, files ${files}\\b`));
      assert.not.match(said, /error|corrupt|invalid/i);
    }
  },
);

const SLEUTH_KIT = [needsTool('fls'), needsTool('icat')];

function listCores(root: string): { inode: string; name: string }[] {
  const said = tool('fls', '-o', String(L.DATA_LBA), '-f', 'exfat', '-r', '-p', root);
  return [...said.matchAll(/^r\/r (\d+):\tcores\/(\S+)$/gm)].map(([, inode, name]) => ({
    inode: inode!,
    name: name!,
  }));
}

function extract(root: string, inode: string): string {
  const path = join(scratch, `core-${inode}`);
  const child = spawnSync('icat', ['-o', String(L.DATA_LBA), '-f', 'exfat', root, inode], {
    maxBuffer: 1 << 28,
  });
  assert.is(child.status, 0, child.stderr.toString());
  writeFileSync(path, child.stdout);
  return path;
}

/** The core file of the first run in a file of its own. */
function coreOnDisk(): string {
  const { image } = firstRun();
  const path = join(scratch, 'core');
  if (!existsSync(path)) writeFileSync(path, ownCore(image('a.root')).bytes);
  return path;
}

testUnless(
  SLEUTH_KIT,
  'fls and icat extract the core file with the size and sha256 that the run reported',
  () => {
    const { result, image } = firstRun();
    const [found, ...more] = listCores(image('a.root'));
    assert.ok(found !== undefined && more.length === 0);
    assert.is(`a.root:/cores/${found.name}`, result.core?.path);
    const bytes = readFileSync(extract(image('a.root'), found.inode));
    assert.is(bytes.length, result.core?.bytes);
    assert.is(sha256(bytes), result.core?.sha256);
    assert.equal(listCores(image('b.root')), []);
  },
);

testUnless(
  [...SLEUTH_KIT, needsTool('istat')],
  'istat says when the core was made: the second of the failure',
  () => {
    const { image } = firstRun();
    const [found] = listCores(image('a.root'));
    const said = tool('istat', '-o', String(L.DATA_LBA), '-f', 'exfat', image('a.root'), found!.inode);
    assert.match(said, /2026-01-01 00:00:0\d/);
  },
);

testUnless(
  needsTool('readelf'),
  'readelf -a reads the core without a warning: notes, and a segment a run of memory',
  () => {
    const child = spawnSync('readelf', ['-a', '-W', coreOnDisk()], { encoding: 'utf8', maxBuffer: 1 << 28 });
    assert.is(child.status, 0);
    assert.is(child.stderr, '');
    assert.not.match(child.stdout, /warning|error|corrupt/i);
    assert.match(child.stdout, /Type: +CORE \(Core file\)/);
    assert.match(child.stdout, /NT_PRSTATUS/);
    const { core } = ownCore(firstRun().image('a.root'));
    const loads = [...child.stdout.matchAll(/^ +LOAD +0x(\w+) 0x(\w+) 0x\w+ 0x(\w+) 0x(\w+)/gm)].map((row) =>
      row.slice(1).map((hex) => Number.parseInt(hex, 16)),
    );
    assert.is(child.stdout.match(/^ +NOTE +0x/gm)?.length, 1);
    assert.equal(
      loads,
      core.segments.map(({ offset, address, fileBytes, bytes }) => [offset, address, fileBytes, bytes]),
    );
    assert.is(
      core.segments.reduce((sum, { bytes }) => sum + bytes, 0),
      16 << 20,
      'the whole memory is there',
    );
    // panic record, log, trace, coverage, and what was scrubbed
    assert.is(child.stdout.match(/^ +sparecore +0x/gm)?.length, 5);
  },
);

testUnless(
  needsTool('gdb'),
  'gdb reads the memory at its addresses: the panic record, and samples everywhere',
  () => {
    const { core } = ownCore(firstRun().image('a.root'));
    const word = (address: number): string =>
      `0x${Buffer.from(core.read(address, 4)).readUInt32LE(0).toString(16).padStart(8, '0')}`;
    const samples = [RECORD_AT, RECORD_AT + 4, RECORD_AT + 8, WORK_AT, 0x1000, 0x40000, 0x70000];
    for (const { address, bytes } of core.segments) samples.push(address, address + bytes - 4);
    const commands = [`x/4cb ${RECORD_AT}`, ...samples.map((address) => `x/wx ${address}`)];
    const args = [
      '-nx',
      '-batch',
      `--core=${coreOnDisk()}`,
      ...commands.flatMap((command) => ['-ex', command]),
    ];
    const said = tool('gdb', ...args);
    assert.match(said, /0x41000:\s+83 'S'\s+67 'C'\s+80 'P'\s+82 'R'/);
    for (const address of samples) {
      assert.match(said, new RegExp(`^0x${address.toString(16)}:\\s+${word(address)}$`, 'm'));
    }
    assert.is(word(RECORD_AT), `0x${RECORD_MAGIC.toString(16)}`);
    assert.is(word(RECORD_AT + 4), `0x0000000${L.PANIC_ASSERT}`);
    assert.ok(
      samples.some((address) => word(address) !== '0x00000000' && address > WORK_AT),
      'clients data, too',
    );
    assert.not.match(said, /cannot access|warning: (?!core file)|error/i);
  },
);

testUnless(needsTool('file'), 'file knows the core for what it is', () => {
  assert.match(tool('file', coreOnDisk()), /ELF 32-bit LSB core file, Intel 80386/);
});

// ------------------------------------------------------------------------------------- folders that are there already

const epochOf = (folder: string, board: 'a' | 'b'): number =>
  readFileSync(join(folder, `board-${board}.nvram`)).readUInt32LE(NV_EPOCH);

test('more runs on the same folder: leftover reservations are no obstacle, epochs grow, cores are kept', () => {
  const { folder, result, image } = firstRun();
  let before = { a: epochOf(folder, 'a'), b: epochOf(folder, 'b') };
  assert.equal(before, { a: 2, b: 1 });
  const cores = [result.core!.path];
  const first = ownCore(image('a.root')).bytes;
  for (const hours of [1, 2]) {
    const again = resultOf(runOn(folder, hours));
    assert.is(again.dump.attribute, 'completed');
    assert.is(again.takeover.seen_by, 'message');
    const epochs = { a: epochOf(folder, 'a'), b: epochOf(folder, 'b') };
    assert.equal(epochs, { a: before.a + 2, b: before.b + 1 });
    const { newest } = readHeaders((at, count) => bytesOf(image('a.spare.0'), at, count), L.COREDUMP_LBA);
    assert.is(newest?.epoch, before.a + 1);
    before = epochs;
    assert.not.ok(cores.includes(again.core!.path), again.core!.path);
    cores.push(again.core!.path);
    const { bytes, core } = ownCore(image('a.root'), basename(again.core!.path));
    assert.is(sha256(bytes), again.core!.sha256);
    assert.is(core.panic?.epoch, epochs.a - 1);
  }
  assert.ok(ownCore(image('a.root'), basename(cores[0]!)).bytes.equals(first), 'the first core is as it was');
});

test('a crash in the same second as one before gets a core file of its own', () => {
  const { folder, image } = firstRun();
  const before = ownCore(image('a.root'), basename(firstRun().result.core!.path)).bytes;
  const again = resultOf(runOn(folder)); // the clocks show what they did in the first run
  assert.is.not(again.core!.path, firstRun().result.core!.path);
  const { bytes, core } = ownCore(image('a.root'), basename(again.core!.path));
  assert.is(sha256(bytes), again.core!.sha256);
  assert.is(core.panic?.epoch, epochOf(folder, 'a') - 1);
  assert.ok(ownCore(image('a.root'), basename(firstRun().result.core!.path)).bytes.equals(before));
});

testUnless(
  [needsTool('sgdisk'), needsTool('fsck.exfat'), ...SLEUTH_KIT],
  'after all those runs sgdisk, fsck.exfat and fls have nothing to say either',
  () => {
    const { image } = firstRun();
    for (const name of DISKS) assert.match(tool('sgdisk', '-v', image(name)), /^No problems found/m, name);
    const volume = join(scratch, 'again.exfat');
    const blocks = statSync(image('a.root')).size / 512 - L.DATA_LBA - L.TAIL_BLOCKS;
    tool(
      'dd',
      `if=${image('a.root')}`,
      `of=${volume}`,
      'bs=512',
      `skip=${L.DATA_LBA}`,
      `count=${blocks}`,
      'conv=sparse',
    );
    assert.match(tool('fsck.exfat', '-n', volume), /: clean\. directories 2, files 4\b/);
    const names = listCores(image('a.root')).map(({ name }) => name);
    assert.is(new Set(names).size, 4);
  },
);

/** Every file of a folder with the checksum of its bytes. */
const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .toSorted()
      .map((name) => [name, sha256(readFileSync(join(folder, name)))]),
  );

function assertRefused(folder: string, file: string, says: RegExp): void {
  const before = contents(folder);
  const { code, out, err } = runOn(folder, 9);
  assert.is(code, EXIT_BAD_IMAGE, err + out);
  assert.is(out, '');
  assert.is(err.trimEnd().split('\n').length, 1, err);
  assert.ok(err.includes(join(folder, file)), err);
  assert.match(err, says);
  assert.equal(contents(folder), before, 'nothing was written');
}

/** Noise that is the same on every machine. */
function noise(bytes: number): Uint8Array {
  const made = new Uint8Array(bytes);
  let x = 0x9e3779b9;
  for (let i = 0; i < bytes; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    made[i] = x;
  }
  return made;
}

const FOREIGN: [
  why: string,
  needs: string | null,
  disk: string,
  spoil: (path: string) => void,
  says: RegExp,
][] = [
  [
    'an image of random bytes',
    null,
    'a.data.0',
    (path) => writeFileSync(path, noise(statSync(path).size)),
    /another format/,
  ],
  [
    'an ext4 file system',
    needsTool('mkfs.ext4'),
    'b.data.0',
    (path) => {
      const { size } = statSync(path);
      rmSync(path);
      writeFileSync(path, '');
      truncateSync(path, size);
      tool('mkfs.ext4', '-q', '-F', path);
    },
    /another format/,
  ],
  [
    'the partition table of somebody else',
    needsTool('sgdisk'),
    'a.data.1',
    (path) => {
      const { size } = statSync(path);
      rmSync(path);
      writeFileSync(path, '');
      truncateSync(path, size);
      tool('sgdisk', '-n', '1:2048:0', '-t', '1:8300', path);
    },
    /another partition table/,
  ],
  [
    'a blank image',
    null,
    'b.data.0',
    (path) => {
      const { size } = statSync(path);
      truncateSync(path, 0);
      truncateSync(path, size);
    },
    /blank/,
  ],
  [
    'a label torn in both copies',
    null,
    'a.spare.0',
    (path) => {
      for (const copy of [0, 1]) {
        spoilBytes(path, L.LABEL_LBA * 512 + copy * L.COPY_BYTES + 2048, noise(512));
      }
    },
    /no valid label/,
  ],
  [
    'a disk whose first blocks were overwritten, though its label is whole',
    null,
    'a.data.1',
    (path) => spoilBytes(path, 0, noise(65536)),
    /damaged partition table|another partition table|broken partition table/,
  ],
  [
    'another size',
    null,
    'b.root',
    (path) => appendFileSync(path, new Uint8Array(512)),
    /bytes where disk b\.root has/,
  ],
  [
    'the image of another disk',
    null,
    'a.data.0',
    (path) => writeFileSync(path, readFileSync(path.replace('data.0', 'data.1'))),
    /is disk a\.data\.1 of another shelf/,
  ],
];

for (const [why, needs, disk, spoil, says] of FOREIGN) {
  testUnless(
    needs,
    `refuses ${why} with exit code ${EXIT_BAD_IMAGE} and one line, and writes to no image`,
    () => {
      const { folder, image } = firstRun();
      const kept = join(scratch, 'kept.img');
      writeFileSync(kept, readFileSync(image(disk)));
      try {
        spoil(image(disk));
        assertRefused(folder, `${disk}.img`, says);
      } finally {
        renameSync(kept, image(disk));
      }
    },
  );
}

test('refuses a folder with one foreign image and nothing else, and adds nothing to it', () => {
  const folder = join(scratch, 'other');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.spare.0.img'), 'a file that somebody needs');
  assertRefused(folder, 'a.spare.0.img', /bytes where disk a\.spare\.0 has/);
});

test('a label torn in one copy is no obstacle', () => {
  const { folder, image } = firstRun();
  spoilBytes(image('a.data.1'), L.LABEL_LBA * 512 + 2048, noise(512));
  resultOf(runOn(folder, 3));
});

test('a folder name that is a file is refused', () => {
  const path = join(scratch, 'file');
  writeFileSync(path, 'text');
  const { code, err } = runOn(path, 9);
  assert.is(code, EXIT_BAD_IMAGE);
  assert.is(err, `sparecore: ${path}: is a file; --disks takes a folder\n`);
  assert.is(readFileSync(path, 'utf8'), 'text');
});

// -------------------------------------------------------------------------------------------------------- firmware

/** A module of the WebAssembly core specification, 5.5: version, sections. */
const wasm = (...sections: number[]): Uint8Array =>
  Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections);
const TYPE_OF_NOTHING = [1, 4, 1, 0x60, 0, 0]; // func () -> ()
const text = (s: string): number[] => [s.length, ...Buffer.from(s)];
/** By default as the function of type 0. */
const importOf = (module: string, name: string, what = [0, 0]): number[] => {
  const body = [1, ...text(module), ...text(name), ...what];
  return [2, body.length, ...body];
};

const BAD_FIRMWARE: [why: string, image: Uint8Array | null, says: RegExp][] = [
  ['that is not there', null, /cannot be read/],
  ['that is no module', Buffer.from('#!/bin/sh\n'), /is no WebAssembly module/],
  ['that is cut', wasm().subarray(0, 6), /is no WebAssembly module/],
  [
    'that imports a device no board has',
    wasm(...TYPE_OF_NOTHING, ...importOf('gpu', 'draw')),
    /imports function gpu\.draw, which no board has/,
  ],
  [
    'that imports what its device does not do',
    wasm(...TYPE_OF_NOTHING, ...importOf('hba', 'format')),
    /imports function hba\.format, which no board has/,
  ],
  [
    'that imports its memory as a function',
    wasm(...TYPE_OF_NOTHING, ...importOf('env', 'memory')),
    /imports function env\.memory, which no board has/,
  ],
  ['with a memory of its own', wasm(5, 3, 1, 0, 1), /has a memory of its own/],
  [
    'without the exports of a firmware',
    wasm(...importOf('env', 'memory', [2, 0, 1])),
    /does not export start, boot_board, cycle/,
  ],
];

for (const [why, image, says] of BAD_FIRMWARE) {
  test(`refuses firmware ${why} with exit code ${EXIT_BAD_FIRMWARE}, before it makes a disk`, async () => {
    const path = join(scratch, 'bad.wasm');
    rmSync(path, { force: true });
    if (image !== null) writeFileSync(path, image);
    const folder = join(scratch, 'never');
    const scenario = parseScenario(JSON.stringify(SCENARIO), 'test.yaml');
    try {
      await runPair({ scenario, firmware: path, disksDir: folder });
      assert.unreachable('it ran');
    } catch (error) {
      assert.instance(error, InputError);
      const { exitCode, message } = error as InputError;
      assert.is(exitCode, EXIT_BAD_FIRMWARE, message);
      assert.match(message, says);
      assert.ok(message.includes(path) && !message.includes('\n'), message);
    }
    assert.not.ok(existsSync(folder));
  });
}

test('a good firmware image by its path is the same as the built one', async () => {
  const scenario = parseScenario(JSON.stringify(SCENARIO), 'test.yaml');
  const own = await runPair({ scenario });
  const named = await runPair({ scenario, firmware: firmwarePath() });
  assert.is(named.digest, own.digest);
});

test.run();
