import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CHECK_CONDITION,
  CONDITION_MET,
  GOOD,
  RESERVATION_CONFLICT,
  Rig,
  be16,
  be32,
  be64,
} from './rig.test-helper.ts';

const test = suite('medium commands on a medium');
const SIZE = 512;
const filled = (blocks: number, byte: number): Uint8Array => new Uint8Array(blocks * SIZE).fill(byte);
const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);
const compareAndWrite = (lba: number, blocks: number, flags = 0): number[] => [
  0x89,
  flags,
  ...be64(lba),
  0,
  0,
  0,
  blocks,
  0,
  0,
];
const writeSame16 = (lba: number, blocks: number, flags = 0): number[] => [
  0x93,
  flags,
  ...be64(lba),
  ...be32(blocks),
  0,
  0,
];
const unmap = (bytes: number): number[] => [0x42, 0, 0, 0, 0, 0, 0, ...be16(bytes), 0];
const unmapList = (...extents: [number, number][]): number[] => [
  ...be16(6 + extents.length * 16),
  ...be16(extents.length * 16),
  0,
  0,
  0,
  0,
  ...extents.flatMap(([lba, blocks]) => [...be64(lba), ...be32(blocks), 0, 0, 0, 0]),
];
const lbaStatus = (lba: number, allocation: number): number[] => [
  0x9e,
  0x12,
  ...be64(lba),
  ...be32(allocation),
  0,
  0,
];

test('test_compareandwrite_simple: the second half lands where the first is what is there [SBC-3] 5.2', () => {
  const disk = new Rig();
  const out = Uint8Array.of(...filled(2, 0), ...filled(2, 7));
  assert.is(disk.run(compareAndWrite(5, 2), { out }).status, GOOD);
  assert.equal(disk.read(5, 2).data, filled(2, 7));
  assert.equal(disk.landed, [[0, 5, 2]]);
});

test('test_compareandwrite_miscompare: INFORMATION is the offset of the first byte that differs, nothing lands [SBC-3] 5.2', () => {
  const disk = new Rig();
  disk.write(5, filled(2, 7), 2);
  for (const at of [0, 1, 511, 512, 1023]) {
    const first = filled(2, 7);
    first[at] = 6;
    const answer = disk.run(compareAndWrite(5, 2), { out: Uint8Array.of(...first, ...filled(2, 9)) });
    assert.equal([answer.status, answer.sense, answer.information], [CHECK_CONDITION, 0x0e1d00, at]);
  }
  assert.equal(disk.read(5, 2).data, filled(2, 7));
});

test('test_compareandwrite_short_data: half of it is nothing [SAM-5] 5.4.3', () => {
  const disk = new Rig();
  const answer = disk.run(compareAndWrite(5, 2), { out: filled(3, 0) });
  assert.equal([answer.sense, answer.residual], [0x050e03, 3 * SIZE]);
  assert.equal(disk.landed, []);
});

for (const [name, cdb] of [
  ['VERIFY(10)', (flags: number) => [0x2f, flags, ...be32(8), 0, ...be16(4), 0]],
  ['VERIFY(12)', (flags: number) => [0xaf, flags, ...be32(8), ...be32(4), 0, 0]],
  ['VERIFY(16)', (flags: number) => [0x8f, flags, ...be64(8), ...be32(4), 0, 0]],
] as const) {
  test(`test_${name}_bytchk_1: every block is compared; INFORMATION is the LBA that differs [SBC-3] 5.30`, () => {
    const disk = new Rig();
    disk.write(8, filled(4, 3), 4);
    assert.is(disk.run(cdb(2), { out: filled(4, 3) }).status, GOOD);
    const out = filled(4, 3);
    out[2 * SIZE + 9] = 4;
    const answer = disk.run(cdb(2), { out });
    assert.equal([answer.sense, answer.information], [0x0e1d00, 10]);
  });

  test(`test_${name}_bytchk_3: one block is compared with each [SBC-3] 5.30`, () => {
    const disk = new Rig();
    disk.write(8, filled(4, 3), 4);
    assert.is(disk.run(cdb(6), { out: filled(1, 3) }).status, GOOD);
    disk.write(11, filled(1, 4), 1);
    const answer = disk.run(cdb(6), { out: filled(1, 3) });
    assert.equal([answer.sense, answer.information], [0x0e1d00, 11]);
  });
}

test('test_orwrite_simple: ones are added, none is taken [SBC-3] 5.9', () => {
  const disk = new Rig();
  disk.write(3, filled(2, 0x51), 2);
  assert.is(disk.run([0x8b, 0, ...be64(3), ...be32(2), 0, 0], { out: filled(2, 0x86) }).status, GOOD);
  assert.equal(disk.read(3, 2).data, filled(2, 0xd7));
});

test('test_writeatomic16_simple: it lands as a whole; a medium that fails takes nothing of it [SBC-4] 5.48', () => {
  const disk = new Rig();
  const cdb = [0x9c, 0, ...be64(64), 0, 0, ...be16(16), 0, 0];
  assert.is(disk.run(cdb, { out: filled(16, 5) }).status, GOOD);
  assert.equal(disk.read(64, 16).data, filled(16, 5));
  assert.is(disk.run(cdb, { out: filled(15, 6) }).sense, 0x050e03, 'less than all was sent');
  disk.shelf.disks[0]!.writesFail = true;
  assert.is(disk.run(cdb, { out: filled(16, 6) }).sense, 0x030c00);
  assert.equal(disk.read(64, 16).data, filled(16, 5));
});

test('test_writesame_simple: one block to all, and to no other [SBC-3] 5.42, 5.43', () => {
  for (const cdb of [[0x41, 0, ...be32(100), 0, ...be16(3000), 0], writeSame16(100, 3000)]) {
    const disk = new Rig();
    assert.is(disk.run(cdb, { out: filled(1, 0x11) }).status, GOOD);
    assert.equal(disk.read(100, 3000).data, filled(3000, 0x11));
    assert.ok(isZero(disk.read(99, 1).data) && isZero(disk.read(3100, 1).data));
    assert.equal(disk.landed, [[0, 100, 3000]]);
  }
});

test('test_writesame16_ndob: zeros, and nothing is sent [SBC-3] 5.43', () => {
  const disk = new Rig();
  disk.write(10, filled(8, 1), 8);
  assert.is(disk.run(writeSame16(11, 6, 1)).status, GOOD);
  assert.equal(disk.read(10, 8).data, Uint8Array.of(...filled(1, 1), ...filled(6, 0), ...filled(1, 1)));
});

/** Descriptors of GET LBA STATUS from an LBA on: LBA, blocks, PROVISIONING STATUS. */
function mapOf(disk: Rig, lba: number, room = 8 + 16 * 20): [number, number, number][] {
  const { status, data } = disk.run(lbaStatus(lba, room), { room });
  assert.is(status, GOOD);
  const view = new DataView(data.buffer);
  assert.is(view.getUint32(0), data.length - 4, 'PARAMETER DATA LENGTH');
  return Array.from({ length: (data.length - 8) / 16 }, (_, i) => {
    const at = 8 + i * 16;
    return [Number(view.getBigUint64(at)), view.getUint32(at + 8), data[at + 12]!];
  });
}

test('test_getlbastatus_simple: what is mapped is what was written, to the end of the medium [SBC-3] 5.4', () => {
  const disk = new Rig({ thin: true });
  assert.equal(mapOf(disk, 0), [[0, 32768, 1]]);
  disk.write(10, filled(4, 1), 4);
  disk.write(14, filled(1, 1), 1);
  disk.write(100, filled(1, 1), 1);
  assert.equal(mapOf(disk, 0), [
    [0, 10, 1],
    [10, 5, 0],
    [15, 85, 1],
    [100, 1, 0],
    [101, 32667, 1],
  ]);
  assert.equal(mapOf(disk, 12, 24), [[12, 3, 0]]);
  assert.equal(mapOf(disk, 32767), [[32767, 1, 1]]);
  assert.equal(mapOf(new Rig(), 5), [[5, 32763, 0]], 'not thin: all is mapped');
});

test('test_getlbastatus_residual: the allocation length cuts, and what there is less of is residual [SPC-4] 4.2.5.6', () => {
  const disk = new Rig({ thin: true });
  for (const [allocation, room, moved] of [
    [24, 100, 24],
    [100, 100, 24],
    [10, 100, 10],
    [100, 12, 12],
    [0, 0, 0],
  ] as const) {
    const answer = disk.run(lbaStatus(0, allocation), { room });
    assert.equal([answer.status, answer.data.length, answer.residual], [GOOD, moved, room - moved]);
  }
});

test('test_unmap_simple: what is deallocated reads as zeros, and its neighbours stay [SBC-3] 5.28, 4.7.4.5 LBPRZ', () => {
  const disk = new Rig({ thin: true });
  disk.write(0, filled(2000, 8), 2000);
  const list = unmapList([10, 1], [500, 1200], [0, 0]);
  assert.is(disk.run(unmap(list.length), { out: list }).status, GOOD);
  assert.ok(isZero(disk.read(10, 1).data) && isZero(disk.read(500, 1200).data));
  assert.equal(disk.read(9, 1).data, filled(1, 8));
  assert.equal(disk.read(11, 489).data, filled(489, 8));
  assert.equal(
    mapOf(disk, 0).map(([lba]) => lba),
    [0, 10, 11, 500, 1700, 2000],
  );
});

test('test_writesame_unmap: deallocates where the block reads so, else writes it [SBC-3] 5.43 table 145', () => {
  for (const cdb of [[0x41, 8, ...be32(4), 0, ...be16(8), 0], writeSame16(4, 8, 8)]) {
    const disk = new Rig({ thin: true });
    disk.write(0, filled(16, 8), 16);
    assert.is(disk.run(cdb, { out: filled(1, 0) }).status, GOOD);
    assert.equal(mapOf(disk, 4, 24), [[4, 8, 1]]);
    assert.is(disk.run(cdb, { out: filled(1, 1) }).status, GOOD);
    assert.equal(mapOf(disk, 0, 24), [[0, 16, 0]]);
    assert.equal(disk.read(4, 8).data, filled(8, 1));
  }
  const disk = new Rig({ thin: true });
  disk.write(0, filled(16, 8), 16);
  assert.is(disk.run(writeSame16(4, 8, 9)).status, GOOD, 'with NDOB');
  assert.equal(mapOf(disk, 4, 24), [[4, 8, 1]]);
});

test('test_prefetch: CONDITION MET where all finds room in the cache, GOOD where not [SBC-3] 5.7', () => {
  const disk = new Rig({ sizeMib: 64 });
  for (const [blocks, status] of [
    [1, CONDITION_MET],
    [32768, CONDITION_MET],
    [32769, GOOD],
    [0, GOOD], // all of the medium
  ] as const) {
    assert.is(disk.run([0x34, 0, ...be32(0), 0, ...be16(blocks), 0]).status, status);
    assert.is(disk.run([0x90, 2, ...be64(0), ...be32(blocks), 0, 0]).status, status);
  }
});

for (const [name, list, expected] of [
  ['overwrite', [1, 0, ...be16(2), 0xab, 0xcd], [0xab, 0xcd]],
  ['overwrite, inverted an even number of times', [0x82, 0, ...be16(1), 0x0f], [0xf0, 0xf0]],
  ['overwrite, inverted an odd number of times', [0x83, 0, ...be16(1), 0x0f], [0x0f, 0x0f]],
] as const) {
  test(`test_sanitize_${name}: every block holds the pattern [SBC-3] 5.24`, () => {
    const disk = new Rig({ protection: 1 });
    disk.write(5, filled(1, 1), 1);
    const cdb = [0x48, 1, 0, 0, 0, 0, 0, ...be16(list.length), 0];
    assert.is(disk.run(cdb, { out: [...list] }).status, GOOD);
    for (const lba of [0, 5, 32767]) {
      const { data } = disk.read(lba, 1, 3);
      assert.ok(data.subarray(0, SIZE).every((byte, i) => byte === expected[i & 1]));
      assert.ok(data.subarray(SIZE).every((byte) => byte === 0xff));
    }
    disk.write(5, filled(1, 9), 1);
    assert.equal([disk.read(5, 1).data[0], disk.read(4, 1).data[0]], [9, expected[0]]);
  });
}

test('test_sanitize_blockerase: nothing is left, and a thin disk has nothing mapped [SBC-3] 4.11', () => {
  const disk = new Rig({ thin: true });
  disk.write(5, filled(100, 1), 100);
  assert.is(disk.run([0x48, 2, 0, 0, 0, 0, 0, 0, 0, 0]).status, GOOD);
  assert.ok(isZero(disk.read(0, 200).data));
  assert.equal(mapOf(disk, 0), [[0, 32768, 1]]);
});

test('test_sanitize_failed: until it is done again, or EXIT FAILURE MODE where AUSE allows it, nothing else goes [SBC-3] 4.11', () => {
  for (const ause of [0, 0x20]) {
    const disk = new Rig();
    disk.shelf.disks[0]!.writesFail = true;
    assert.is(disk.run([0x48, ause | 2, 0, 0, 0, 0, 0, 0, 0, 0]).sense, 0x033103);
    disk.shelf.disks[0]!.writesFail = false;
    assert.is(disk.read(0, 1).sense, 0x033103);
    const exit = disk.run([0x48, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert.is(exit.sense, ause ? 0 : 0x052400);
    if (!ause) disk.run([0x48, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert.is(disk.read(0, 1).status, GOOD);
  }
});

test('a disk of 64 TiB takes as much memory as is written to it, and is whole to its last block', () => {
  const disk = new Rig({ sizeMib: 1 << 26, thin: true });
  const last = 2 ** 37 - 1;
  const ten = disk.run([0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], { room: 8 });
  assert.equal([...ten.data.subarray(0, 4)], [255, 255, 255, 255], 'READ CAPACITY(10)');
  const capacity = disk.run([0x9e, 0x10, ...be64(0), ...be32(32), 0, 0], { room: 32 });
  assert.is(Number(new DataView(capacity.data.buffer).getBigUint64(0)), last);
  assert.is(disk.write(last, filled(1, 6), 1).status, GOOD);
  assert.equal(disk.read(last, 1).data, filled(1, 6));
  assert.is(disk.read(last, 2).sense, 0x052100);
  assert.equal(mapOf(disk, last - 1), [
    [last - 1, 1, 1],
    [last, 1, 0],
  ]);
  assert.equal(mapOf(disk, 0, 24), [[0, 0xffff_ffff, 1]], 'as much as a descriptor can say');
  assert.is(disk.run([0x48, 2, 0, 0, 0, 0, 0, 0, 0, 0]).status, GOOD);
  assert.ok(isZero(disk.read(last, 1).data));
});

test('a disk of 4096-byte blocks, and one of 512 that are physical ones, say so and do so', () => {
  for (const [blockBytes, physicalExponent] of [
    [4096, 0],
    [512, 0],
    [512, 3],
  ] as const) {
    const disk = new Rig({ blockBytes, physicalExponent });
    const { data } = disk.run([0x9e, 0x10, ...be64(0), ...be32(32), 0, 0], { room: 32 });
    const view = new DataView(data.buffer);
    const blocks = (16 << 20) / blockBytes;
    assert.equal(
      [Number(view.getBigUint64(0)), view.getUint32(8), data[13]],
      [blocks - 1, blockBytes, physicalExponent],
    );
    const one = new Uint8Array(blockBytes).fill(4);
    assert.is(disk.write(blocks - 1, one, 1).status, GOOD);
    assert.equal(disk.read(blocks - 1, 1).data, one);
    assert.ok(isZero(disk.read(blocks - 2, 1).data));
  }
});

test('whatever the format, MAXIMUM TRANSFER LENGTH is what a transport carries whole, and one block more is refused', () => {
  for (const [config, wireBytes] of [
    [{}, 512],
    [{ blockBytes: 4096 }, 4096],
    [{ protection: 1 }, 520],
    [{ blockBytes: 4096, protection: 1 }, 4104],
  ] as const) {
    const disk = new Rig({ sizeMib: 64, thin: true, ...config });
    const { data } = disk.run([0x12, 1, 0xb0, 0, 64, 0], { room: 64 });
    const most = new DataView(data.buffer).getUint32(8);
    assert.is(most, Math.floor((32 << 20) / wireBytes));
    assert.is(disk.read(0, most).status, GOOD);
    assert.is(disk.read(0, most + 1).sense, 0x052400);
  }
});

test('a PERSISTENT RESERVE OUT list beyond what the disk keeps is refused, not read on in other memory [SPC-4] 6.16.1', () => {
  const disk = new Rig();
  for (const bytes of [0x10000, 0x20000, 0x800000]) {
    const out = new Uint8Array(bytes);
    out.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 8, 0, 0, 0, ...be32(bytes - 28)]);
    const answer = disk.run([0x5f, 0, 0, 0, 0, ...be32(bytes), 0], { out });
    assert.equal([answer.status, answer.sense], [CHECK_CONDITION, 0x051a00]);
  }
  assert.is(disk.shelf.servers.reservation(0).registrations, 0);
});

/** The identification of a unit as EXTENDED COPY names it, [SPC-4] 6.4.5.3. */
function cscd(disk: Rig, unit: number): number[] {
  const page = disk.run([0x12, 1, 0x83, 0, 255, 0], { room: 255, unit }).data;
  const { blockBytes } = disk.shelf.disks[unit]!.config;
  const name = [0xe4, 0, 0, 0, 1, 3, 0, 8, ...page.subarray(8, 16)];
  return [...name, ...Array<number>(13).fill(0), ...be32(blockBytes).slice(1)];
}

/** From unit 0 to `to`: source LBA, destination LBA, blocks of the source. */
function copyTo(disk: Rig, to: number, ...segments: [number, number, number][]) {
  const described = segments.flatMap(([from, lba, blocks]) => {
    const head = [2, 0, 0, 24, 0, 0, 0, 1, 0, 0];
    return [...head, ...be16(blocks), ...be64(from), ...be64(lba)];
  });
  const head = [9, 0, 0, 64, 0, 0, 0, 0, ...be32(described.length), 0, 0, 0, 0];
  const out = [...head, ...cscd(disk, 0), ...cscd(disk, to), ...described];
  return disk.run([0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...be32(out.length), 0, 0], { out });
}

test('test_extendedcopy_simple: blocks of one disk are on the other, and where they overlap they come as they were [SPC-4] 6.4.6.3', () => {
  const disk = new Rig({ disks: 2 });
  const data = Uint8Array.from({ length: 20 * SIZE }, (_, i) => (i * 3 + (i >> 9)) & 255);
  disk.write(100, data, 20);
  assert.is(copyTo(disk, 1, [100, 7, 20], [110, 500, 1]).status, GOOD);
  assert.equal(disk.read(7, 20, 0, 1).data, data);
  assert.equal(disk.read(500, 1, 0, 1).data, data.subarray(10 * SIZE, 11 * SIZE));
  assert.equal(disk.landed.slice(-2), [
    [1, 7, 20],
    [1, 500, 1],
  ]);
  assert.is(copyTo(disk, 0, [100, 103, 20]).status, GOOD);
  assert.equal(disk.read(103, 20).data, data);
  const { data: told } = disk.run([0x84, 0, 9, 0, 0, 0, 0, 0, 0, 0, ...be32(12), 0, 0], { room: 12 });
  assert.equal([...told], [0, 0, 0, 8, 1, 0, 1, 0, 0, 0, 40, 0]);
});

test('test_extendedcopy_protect: the destination has good protection information of its own', () => {
  const disk = new Rig({ disks: 2, protection: 1, thin: true });
  disk.write(100, filled(4, 5), 4);
  assert.is(copyTo(disk, 1, [100, 9, 4]).status, GOOD);
  const { status, data } = disk.read(9, 4, 1, 1);
  assert.equal([status, data[SIZE + 7], data.length], [GOOD, 9, 4 * 520]);
});

for (const [what, spoil, sense] of [
  ['does not answer', (disk: Rig) => (disk.shelf.disks[1]!.dead = true), 0x0a0d02],
  ['takes no writes', (disk: Rig) => (disk.shelf.disks[1]!.writesFail = true), 0x0a0d01],
] as const) {
  test(`test_extendedcopy_failure: the other disk ${what}: COPY ABORTED, with how many segments were done [SPC-4] 5.17.4`, () => {
    const disk = new Rig({ disks: 2 });
    disk.write(0, filled(1, 5), 1);
    const name = cscd(disk, 1); // asked while it answers
    spoil(disk);
    const segment = [2, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0, 1, ...be64(0), ...be64(0)];
    const out = [9, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 0, ...cscd(disk, 0), ...name, ...segment];
    const answer = disk.run([0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...be32(out.length), 0, 0], { out });
    assert.equal([answer.status, answer.sense], [CHECK_CONDITION, sense]);
    const details = disk.run([0x84, 4, 9, 0, 0, 0, 0, 0, 0, 0, ...be32(96), 0, 0], { room: 96 });
    assert.equal([details.status, details.data[62], details.data[72]], [GOOD, 0x0a, 0x0d]);
  });
}

/** Commands that write, each on blocks 8 to 15; with what they send. */
const WRITERS: [string, number[], Uint8Array][] = [
  ['WRITE(16)', [0x8a, 0, ...be64(8), ...be32(8), 0, 0], filled(8, 9)],
  ['WRITE AND VERIFY(16)', [0x8e, 0, ...be64(8), ...be32(8), 0, 0], filled(8, 9)],
  ['WRITE ATOMIC(16)', [0x9c, 0, ...be64(8), 0, 0, ...be16(8), 0, 0], filled(8, 9)],
  ['COMPARE AND WRITE', compareAndWrite(8, 8), Uint8Array.of(...filled(8, 0), ...filled(8, 9))],
  ['ORWRITE(16)', [0x8b, 0, ...be64(8), ...be32(8), 0, 0], filled(8, 9)],
  ['WRITE SAME(10)', [0x41, 0, ...be32(8), 0, ...be16(8), 0], filled(1, 9)],
  ['WRITE SAME(16)', writeSame16(8, 8), filled(1, 9)],
  ['UNMAP', unmap(24), Uint8Array.from(unmapList([8, 8]))],
  ['SANITIZE', [0x48, 2, 0, 0, 0, 0, 0, 0, 0, 0], filled(0, 0)],
];
for (const [name, cdb, out] of WRITERS) {
  test(`test_${name}_write_error: nothing lands where writes fail, and the sense data says so [SBC-3] 4.18`, () => {
    const disk = new Rig({ thin: true });
    disk.shelf.disks[0]!.writesFail = true;
    const { status, sense } = disk.run(cdb, { out });
    assert.equal([status, sense], [CHECK_CONDITION, name === 'SANITIZE' ? 0x033103 : 0x030c00]);
    assert.equal(disk.landed, []);
  });

  test(`test_${name}_reservation: nothing lands past another nexus's reservation [SPC-4] table 65`, () => {
    const disk = new Rig({ thin: true });
    const key = [...be64(0), ...be64(1), 0, 0, 0, 0, 0, 0, 0, 0];
    disk.run([0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0], { out: key, nexus: 1 });
    disk.run([0x5f, 1, 1, 0, 0, 0, 0, 0, 24, 0], { out: [...be64(1), ...key.slice(8)], nexus: 1 });
    assert.is(disk.run(cdb, { out }).status, RESERVATION_CONFLICT);
    assert.equal(disk.landed, []);
  });

  test(`test_${name}_observed: the observer is told what landed`, () => {
    const disk = new Rig({ thin: true });
    assert.is(disk.run(cdb, { out }).status, GOOD);
    assert.equal(disk.landed, [name === 'SANITIZE' ? [0, 0, 32768] : [0, 8, 8]]);
  });
}

test.run();
