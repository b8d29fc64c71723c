import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Exfat } from '../../boards/core/exfat.ts';
import { Malformed } from '../../boards/core/source.ts';
import { Dice, Disk } from '../../boards/core/formats.test-helper.ts';
import { DATA_LBA, SECTOR_BYTES } from '../layout.ts';
import {
  BAD_NAME,
  DIR_FULL,
  EXISTS,
  NO_SPACE,
  OK,
  TOO_SMALL,
  Volume,
  formatted,
} from '../../boards/core/volume.test-helper.ts';

const test = suite('exFAT');

function reader(disk: Disk, blocks: number): Exfat {
  return new Exfat(disk.region(DATA_LBA), blocks * SECTOR_BYTES);
}

const made = new Map<number, Uint8Array>();

/** Bytes that differ from file to file, the same each time. */
function content(bytes: number, seed = bytes + 1): Uint8Array {
  const key = seed * 2 ** 32 + bytes;
  if (!made.has(key)) made.set(key, new Dice(seed).roll(new Uint8Array(bytes)));
  return made.get(key)!;
}

function readAll(exfat: Exfat, path: string): Buffer {
  return Buffer.concat([...exfat.read(path)]);
}

test('a formatted volume has its label, one directory, and the rest free', () => {
  const { disk, volume } = formatted();
  const exfat = reader(disk, volume.blocks);
  assert.is(exfat.label, 'root-a');
  assert.equal(
    exfat.list('/').map((e) => [e.path, e.directory, e.modifiedUtc]),
    [['/cores', true, 1_700_000_001]],
  );
  assert.equal(exfat.list('/cores'), []);
  assert.equal(exfat.check(), { problems: [], leaks: 0 });
  assert.is(volume.mount(), OK);
  assert.is(volume.free, exfat.freeClusters);
});

test('volumes of all sizes are formatted; the bitmap never passes 32 KiB', () => {
  for (const [blocks, clusterBytes] of [
    [4096, 32768],
    [32768, 32768],
    [2 ** 24, 32768],
    [2 ** 25, 65536],
    [2 ** 34 - 5, 32 << 20],
    [2 ** 36, 32 << 20],
  ] as const) {
    const { disk, volume } = formatted(blocks);
    const exfat = reader(disk, blocks);
    assert.is(exfat.geometry.clusterBytes, clusterBytes, `${blocks} blocks`);
    assert.ok(exfat.geometry.clusters <= 262_144);
    assert.equal(exfat.check(), { problems: [], leaks: 0 });
    assert.is(volume.mount(), OK);
  }
});

test('a region too small for a volume is left alone', () => {
  const disk = new Disk(10_000);
  for (const blocks of [0, 1, 2048, 2367])
    assert.is(new Volume(disk, blocks).format(), TOO_SMALL, `${blocks}`);
  assert.is(disk.written, 0);
  assert.is(new Volume(disk, 2368).format(), OK);
});

test('files that were added read back byte for byte, with their names and times', () => {
  const { disk, volume } = formatted();
  const files = new Map<string, Uint8Array>();
  for (const [i, bytes] of [0, 1, 511, 512, 32767, 32768, 32769, 100_000].entries()) {
    const name = `core.${i}.${'x'.repeat(i * 12)}1700000000`;
    files.set(name, content(bytes));
    assert.is(volume.mount(), OK);
    assert.is(volume.add(name, files.get(name)!, 0, BigInt(1_700_000_000 + i)).code, OK, name);
  }
  const exfat = reader(disk, volume.blocks);
  assert.equal(
    exfat.list('/cores').map((e) => [e.name, e.bytes, e.modifiedUtc]),
    [...files].map(([name, bytes], i) => [name, bytes.length, 1_700_000_000 + i]),
  );
  for (const [name, bytes] of files) assert.ok(readAll(exfat, `/cores/${name}`).equals(bytes), name);
  assert.equal(exfat.check(), { problems: [], leaks: 0 });
});

test('a cut after any sector shows the old volume or the new one, never a broken file', () => {
  for (const before of [0, 4, 5]) {
    const { disk: empty, volume: first } = formatted();
    for (let i = 0; i < before; i++) {
      first.mount();
      first.add(`core.${i}.older`, content(40_000, i + 1));
    }
    const file = content(70_000);
    let finished = false;
    for (let cut = 0; !finished; cut++) {
      const disk = empty.copy();
      const volume = new Volume(disk, first.blocks);
      assert.is(volume.mount(), OK);
      disk.cutAfter = cut;
      volume.add('core.with-a-name-of-five-entries.1700000000-and-so-on', file);
      finished = disk.written <= cut;
      const exfat = reader(disk, volume.blocks);
      const { problems, leaks } = exfat.check();
      const names = exfat.list('/cores').map((e) => e.name);
      assert.equal(problems, [], `cut after ${cut}`);
      assert.ok(leaks === 0 || names.length === before, `cut after ${cut}: ${leaks} leaks`);
      if (names.length > before)
        assert.ok(readAll(exfat, `/cores/${names.at(-1)}`).equals(file), `cut after ${cut}`);
      assert.is(exfat.geometry.dirty, cut > 0 && !finished, `cut after ${cut}`);
      for (let i = 0; i < before; i++)
        assert.ok(readAll(exfat, `/cores/core.${i}.older`).equals(content(40_000, i + 1)));
    }
  }
});

test('a format that was cut is no volume', () => {
  const whole = new Disk(DATA_LBA + 4096);
  new Volume(whole, 4096).format();
  for (let cut = 0; cut < whole.written; cut++) {
    const disk = new Disk(DATA_LBA + 4096);
    disk.cutAfter = cut;
    const volume = new Volume(disk, 4096);
    volume.format();
    assert.is.not(volume.mount(), OK, `cut after ${cut}`);
    assert.throws(
      () => reader(disk, 4096),
      (error: unknown) => error instanceof Malformed,
    );
  }
});

test('the directory fills up to its last slot, entry sets straddle no sector, and then it is full', () => {
  const { disk, volume } = formatted();
  volume.mount();
  const names: string[] = [];
  for (;;) {
    const name = `core.${names.length}.${'y'.repeat((names.length * 7) % 60)}`;
    const { code } = volume.add(name, new Uint8Array(0));
    if (code === DIR_FULL) break;
    assert.is(code, OK);
    names.push(name);
  }
  assert.ok(names.length > 150, `${names.length} files`);
  // In any order: what padding left free is used for shorter sets.
  const listed = reader(disk, volume.blocks).list('/cores');
  assert.equal(listed.map((e) => e.name).sort(), names.sort());
});

test('the slot of a deleted file is used again', () => {
  const { disk, volume } = formatted();
  volume.mount();
  for (const name of ['core.1', 'core.2', 'core.3']) volume.add(name, new Uint8Array(0));
  const at = volume.io.call('exfat_directory_lba', volume.state) * SECTOR_BYTES;
  const sector = disk.read(at, SECTOR_BYTES);
  for (const entry of [3, 4, 5]) sector[entry * 32]! &= 0x7f; // core.2, as any system deletes
  disk.write(at, sector);
  volume.mount();
  assert.is(volume.add('core.4', new Uint8Array(0)).code, OK);
  assert.equal(
    reader(disk, volume.blocks)
      .list('/cores')
      .map((e) => e.name),
    ['core.1', 'core.4', 'core.3'],
  );
});

test('free space is kept: the floor is not passed, and a file needs one free run', () => {
  const { disk, volume } = formatted(4096);
  volume.mount();
  const { free } = volume;
  const cluster = 32768;
  assert.is(volume.add('core.1', content(cluster * 3), free - 2).code, NO_SPACE);
  assert.is(volume.add('core.1', content(cluster * 3), free - 3).code, OK);
  assert.is(volume.free, free - 3);
  // Every second cluster taken: much is free, nothing in a row.
  const bitmapAt = volume.io.call('exfat_bitmap_lba', volume.state) * SECTOR_BYTES;
  const bitmap = disk.read(bitmapAt, SECTOR_BYTES);
  disk.write(
    bitmapAt,
    bitmap.map((byte) => byte | 0xaa),
  );
  volume.mount();
  const written = disk.written;
  assert.is(volume.add('core.2', content(cluster + 1)).code, NO_SPACE);
  assert.is(disk.written, written);
  assert.is(volume.add('core.2', content(cluster)).code, OK);
});

test('a name that is there, or that exFAT cannot hold, is refused and nothing is written', () => {
  const { disk, volume } = formatted();
  volume.mount();
  volume.add('core.1.1700000000', new Uint8Array(5));
  const written = disk.written;
  assert.is(volume.add('CORE.1.1700000000', new Uint8Array(5)).code, EXISTS);
  for (const name of [
    '',
    'a/b',
    'a:b',
    'a"b',
    'a*',
    'a?',
    '<',
    '>',
    '|',
    '\\',
    'a\tb',
    'ä',
    'x'.repeat(211),
  ]) {
    assert.is(volume.add(name, new Uint8Array(5)).code, BAD_NAME, name);
  }
  assert.is(volume.add('x'.repeat(210), new Uint8Array(5)).code, OK);
  assert.ok(disk.written > written);
});

test('times before 1980 and after 2107 are held to what an entry can say', () => {
  for (const [utc, told] of [
    [0n, 315_532_800],
    [951_782_399n, 951_782_399], // 2000-02-28 23:59:59
    [951_782_400n, 951_782_400], // the leap day of a year that 400 divides
    [4_107_542_399n, 4_107_542_399], // 2100-02-28: no leap day after it
    [4_107_542_400n, 4_107_542_400],
    [4_354_819_199n, 4_354_819_199],
    [2n ** 63n, 4_354_819_198],
  ] as const) {
    const { disk, volume } = formatted(4096);
    volume.mount();
    volume.add('t', new Uint8Array(0), 0, utc);
    assert.is(reader(disk, 4096).stat('/cores/t').modifiedUtc, told, `${utc}`);
  }
});

test('a boot region of another shape, or a broken one, is not mounted', () => {
  const { disk, volume } = formatted(4096);
  const boot = disk.read(DATA_LBA * SECTOR_BYTES, 12 * SECTOR_BYTES);
  for (let at = 0; at < 11 * SECTOR_BYTES; at += 7) {
    if (at === 106 || at === 107 || at === 112) continue;
    const bad = boot.slice();
    bad[at]! ^= 0x55;
    disk.write(DATA_LBA * SECTOR_BYTES, bad);
    assert.is.not(volume.mount(), OK, `byte ${at}`);
  }
});

test.run();
