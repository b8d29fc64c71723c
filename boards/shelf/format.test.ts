import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instantiateSync } from '#disk-io';
import { Disk } from '../core/formats.test-helper.ts';
import * as L from '../../asm/layout.ts';
import { Exfat } from '../core/exfat.ts';
import { readHeaders, readLabels } from '../core/records.ts';
import { DISK_BLOCKS_MIN, formatDisk, inspectDisk } from './format.ts';
import type { DiskFormat } from './format.ts';

const test = suite('formatting and inspecting disks');
const BLOCKS = 32_768;
const diskIo = instantiateSync();

function format(disk: Disk, options: Partial<DiskFormat> = {}): void {
  formatDisk(diskIo, disk.write, {
    blocks: disk.blocks,
    wwn: 0x5000c500a1b2c3d4n,
    role: L.ROLE_DATA,
    owner: 1,
    name: 'data-1',
    volume: 3,
    guidSeed: 42n,
    ...options,
  });
}

function formatted(options: Partial<DiskFormat> = {}): Disk {
  const disk = new Disk(BLOCKS);
  format(disk, options);
  return disk;
}

function rootDisk(guidSeed: bigint): Uint8Array {
  return formatted({ role: L.ROLE_ROOT, guidSeed }).read(0, BLOCKS * 512);
}

const kindOf = (disk: Disk): string => inspectDisk(diskIo, disk.read, disk.blocks).kind;

for (const [name, role] of Object.entries({
  free: L.ROLE_FREE,
  root: L.ROLE_ROOT,
  data: L.ROLE_DATA,
  spare: L.ROLE_SPARE,
  dump: L.ROLE_DUMP,
  mailbox: L.ROLE_MAILBOX,
})) {
  test(`a ${name} disk is known again, with all that its label says and no dump on it`, () => {
    const disk = formatted({ role, name: `${name}-1`, owner: 7, volume: role === L.ROLE_DATA ? 5 : null });
    const found = inspectDisk(diskIo, disk.read, BLOCKS);
    assert.equal(found, {
      kind: 'ours',
      damaged: false,
      label: {
        sequence: 2,
        role,
        owner: 7,
        holder: 7,
        state: L.LABEL_FORMATTED,
        volume: role === L.ROLE_DATA ? 5 : L.NO_VOLUME,
        wwn: 0x5000c500a1b2c3d4n,
        name: `${name}-1`,
      },
    });
    const headers = readHeaders(disk.read, L.COREDUMP_LBA);
    assert.equal(
      headers.copies.map((h) => h?.attribute),
      [L.ATTRIBUTE_INACTIVE, L.ATTRIBUTE_INACTIVE],
    );
    assert.is(readLabels(disk.read, L.LABEL_LBA).copies.filter((l) => l !== null).length, 2);
  });
}

test('only a root disk has an exFAT volume, labelled with its name', () => {
  const root = formatted({
    role: L.ROLE_ROOT,
    name: 'root-of-board-a',
    volume: null,
    utcSeconds: 1_700_000_000,
  });
  const exfat = new Exfat(root.region(L.DATA_LBA), (BLOCKS - L.DATA_LBA - L.TAIL_BLOCKS) * 512);
  assert.is(exfat.label, 'root-of-boa');
  assert.equal(exfat.check(), { problems: [], leaks: 0 });
  assert.not.ok([...formatted().sectors.keys()].some((lba) => lba >= L.DATA_LBA && lba < BLOCKS - 33));
});

test('the same disk is formatted to the same bytes; another seed gives other GUIDs', () => {
  assert.ok(Buffer.from(rootDisk(1n)).equals(rootDisk(1n)));
  assert.not.ok(Buffer.from(rootDisk(1n)).equals(rootDisk(2n)));
});

test('a disk whose formatting was cut anywhere is blank, not ours, or whole; never half a disk', () => {
  const whole = formatted({ role: L.ROLE_ROOT }).written;
  for (const before of [new Disk(BLOCKS), formatted({ role: L.ROLE_DATA, owner: 2 })]) {
    const wasOurs = before.sectors.size > 0;
    for (let cut = 0; cut <= whole; cut += cut > 100 && cut < whole - 40 ? 11 : 1) {
      const disk = before.copy();
      disk.cutAfter = cut;
      format(disk, { role: L.ROLE_ROOT });
      const found = inspectDisk(diskIo, disk.read, BLOCKS);
      if (found.kind !== 'ours') continue;
      const old = found.label.owner === 2;
      // New once a copy of the label is whole, among the last writes; old until both copies are erased, at the first.
      assert.ok(old ? wasOurs && cut < 16 : cut > whole - 16, `cut after ${cut}`);
    }
  }
});

test('a blank disk is blank; anything else is foreign and left alone', () => {
  const blank = new Disk(BLOCKS);
  assert.is(kindOf(blank), 'blank');
  for (const at of [0, 510, 4096, (1 << 20) - 512]) {
    const disk = new Disk(BLOCKS);
    const sector = new Uint8Array(512);
    sector[511] = 1;
    disk.write(Math.floor(at / 512) * 512, sector);
    assert.is(kindOf(disk), 'foreign', `a byte near ${at}`);
  }
  assert.is(kindOf(new Disk(10)), 'foreign');
});

test('a label torn in both copies is told from a foreign disk', () => {
  const disk = formatted();
  for (const copy of [0, 1]) {
    const at = (L.LABEL_LBA + copy * L.COPY_BLOCKS) * 512;
    const sector = disk.read(at, 512);
    sector[L.LABEL_OWNER_AT]! ^= 1;
    disk.write(at, sector);
    assert.is(kindOf(disk), copy === 0 ? 'ours' : 'torn label');
  }
});

test('one damaged partition table is told of, and two are not ours', () => {
  const disk = formatted();
  const flip = (lba: number): void => {
    const sector = disk.read(lba * 512, 512);
    sector[60]! ^= 1;
    disk.write(lba * 512, sector);
  };
  flip(1);
  const found = inspectDisk(diskIo, disk.read, BLOCKS);
  assert.ok(found.kind === 'ours' && found.damaged);
  flip(BLOCKS - 1);
  assert.is(kindOf(disk), 'foreign');
});

test('a table of other partitions, or of another size of disk, is foreign', () => {
  const disk = formatted();
  const grown = new Disk(BLOCKS + 2048);
  for (const [lba, sector] of disk.sectors) grown.sectors.set(lba, sector);
  assert.is(kindOf(grown), 'foreign');
});

test('impossible disks are refused before the first write', () => {
  const disk = new Disk(BLOCKS);
  for (const bad of [
    { blocks: DISK_BLOCKS_MIN - 1 },
    { blocks: 1.5 },
    { name: 'a name of more than 16' },
    { name: 'ünnamed' },
  ]) {
    assert.throws(() => format(disk, bad), RangeError);
  }
  assert.is(disk.written, 0);
});

test("the module's memory is as it was before", () => {
  const heap = new Uint8Array(diskIo.memory.buffer, diskIo.heap_base(), 100_000);
  heap.fill(0x5a);
  formatted({ role: L.ROLE_ROOT });
  kindOf(new Disk(BLOCKS));
  assert.ok(heap.every((byte) => byte === 0x5a));
});

test.run();
