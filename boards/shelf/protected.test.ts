import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CHECK_CONDITION, GOOD, Rig, be16, be32, be64, guardOf, withPi } from './rig.test-helper.ts';

const test = suite('protection information');
const SIZE = 512;
const WIRE = SIZE + 8;
const pattern = (blocks: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: blocks * SIZE }, (_, i) => (i * 7 + seed * 31 + (i >> 9)) & 255);
const rig = (): Rig => new Rig({ protection: 1 });
const ones = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0xff);

test('the guard is the CRC of the standard: its own test cases [SBC-3] 4.22.4.4', () => {
  for (const [data, crc] of [
    [new Uint8Array(32), 0x0000],
    [new Uint8Array(32).fill(0xff), 0xa293],
    [Uint8Array.from({ length: 32 }, (_, i) => i), 0x0224],
    [Uint8Array.from({ length: 32 }, (_, i) => (i < 2 ? 0xff : 0)), 0x21b8],
    [Uint8Array.from({ length: 32 }, (_, i) => 0xff - i), 0xa0b7],
  ] as const) {
    assert.is(guardOf(data), crc);
  }
});

test('test_write16_wrprotect_0: the disk makes guard, and the LBA as reference tag [SBC-3] table 131', () => {
  const disk = rig();
  const data = pattern(20, 1);
  assert.is(disk.write(100, data, 20).status, GOOD);
  assert.equal(disk.read(100, 20).data, data);
  assert.equal(disk.read(100, 20, 1).data, withPi(data, SIZE, 100));
});

test('test_read16_never_written: zeros, with protection information of all ones, which nobody checks [SBC-3] 4.22.1', () => {
  const { status, data } = rig().read(7, 2, 1);
  assert.is(status, GOOD);
  for (const n of [0, 1]) {
    assert.ok(data.subarray(n * WIRE, n * WIRE + SIZE).every((byte) => byte === 0));
    assert.ok(ones(data.subarray(n * WIRE + SIZE, (n + 1) * WIRE)));
  }
});

const bad = (what: 'guard' | 'ref' | 'app', block: number): Uint8Array => {
  const wire = withPi(pattern(4, 2), SIZE, 50, what === 'app' ? 0x1234 : 0);
  const at = block * WIRE + SIZE;
  if (what === 'guard') wire[at]! ^= 1;
  if (what === 'ref') wire[at + 7]! ^= 1;
  return wire;
};

/** Which of the two is checked, by value of WRPROTECT, RDPROTECT and VRPROTECT; [SBC-3] tables 53, 113, 131. */
const CHECKS: readonly [number, boolean, boolean][] = [
  [1, true, true],
  [2, false, true],
  [3, false, false],
  [4, true, false],
  [5, true, true],
];
for (const [protect, guard, ref] of CHECKS) {
  for (const [what, code, isChecked] of [
    ['guard', 0x0b1001, guard],
    ['ref', 0x0b1003, ref],
    ['app', 0, false],
  ] as const) {
    test(`test_write16_wrprotect_${protect}_${what}: ${isChecked ? 'refused' : 'written'} [SBC-3] table 131`, () => {
      const disk = rig();
      const { status, sense, information } = disk.write(50, bad(what, 2), 4, protect);
      if (isChecked) {
        assert.equal([status, sense, information], [CHECK_CONDITION, code, 52]);
        assert.ok(
          disk.read(50, 4).data.every((byte) => byte === 0),
          'nothing of it is written',
        );
        assert.equal(disk.landed, []);
      } else {
        assert.is(status, GOOD);
        assert.equal(disk.read(50, 4, 3).data, bad(what, 2), 'as it was sent');
      }
    });

    test(`test_read16_rdprotect_${protect}_${what}, test_verify16: ${isChecked ? 'found' : 'not looked at'} [SBC-3] tables 53, 113`, () => {
      const disk = rig();
      disk.write(50, bad(what, 2), 4, 3);
      for (const answer of [
        disk.read(50, 4, protect),
        disk.run([0x8f, protect << 5, ...be64(50), ...be32(4), 0, 0]),
      ]) {
        if (isChecked)
          assert.equal([answer.status, answer.sense, answer.information], [CHECK_CONDITION, code, 52]);
        else assert.is(answer.status, GOOD);
      }
    });
  }
}

test('test_read16_rdprotect_0: the disk checks what it does not send', () => {
  for (const [what, code] of [
    ['guard', 0x0b1001],
    ['ref', 0x0b1003],
  ] as const) {
    const disk = rig();
    disk.write(50, bad(what, 3), 4, 3);
    assert.equal([disk.read(50, 4).sense, disk.read(50, 4).information], [code, 53]);
    assert.is(disk.read(50, 3).status, GOOD);
  }
});

test('test_read16_app_tag_escape: with an application tag of FFFFh a block is not checked when read, but when written [SBC-3] 4.22.3', () => {
  const disk = rig();
  const wire = withPi(pattern(1, 3), SIZE, 9, 0xffff);
  wire[SIZE]! ^= 0x55;
  wire[SIZE + 4]! ^= 0x55;
  assert.is(disk.write(9, wire, 1, 1).sense, 0x0b1001);
  assert.is(disk.write(9, wire, 1, 3).status, GOOD);
  for (const protect of [0, 1, 2, 4, 5]) assert.is(disk.read(9, 1, protect).status, GOOD);
});

test('test_protect_reserved: 110b and 111b are invalid fields; without protection information all but 000b [SBC-3] table 131', () => {
  const plain = new Rig();
  for (const opcode of [0x88, 0x8a, 0x8b, 0x8e, 0x8f, 0x93]) {
    for (let protect = 1; protect < 8; protect++) {
      const cdb = [opcode, protect << 5, ...be64(0), ...be32(1), 0, 0];
      assert.is(plain.run(cdb, { out: new Uint8Array(WIRE) }).sense, 0x052400);
      if (protect > 5) assert.is(rig().run(cdb, { out: new Uint8Array(WIRE) }).sense, 0x052400);
    }
  }
});

const sameCdb = (protect: number): number[] => [0x93, protect << 5, ...be64(60), ...be32(5), 0, 0];

test('test_write_same16_protect: the reference tag that was sent is the first, and grows by one a block [SBC-3] 5.43', () => {
  const disk = rig();
  const block = pattern(1, 5);
  assert.is(disk.run(sameCdb(1), { out: withPi(block, SIZE, 60) }).status, GOOD);
  const all = Uint8Array.from({ length: 5 * SIZE }, (_, i) => block[i % SIZE]!);
  assert.equal(disk.read(60, 5, 1).data, withPi(all, SIZE, 60));
  disk.run(sameCdb(0), { out: pattern(1, 6) });
  assert.equal([disk.read(60, 5, 1).status, disk.read(60, 5, 1).data[SIZE + 7]], [GOOD, 60]);
});

test('test_write_same16_ndob_protect: zeros, and protection information of all ones [SBC-3] 5.43', () => {
  const disk = rig();
  disk.write(60, pattern(3, 7), 3);
  assert.is(disk.run([0x93, 0x01, ...be64(60), ...be32(3), 0, 0]).status, GOOD);
  const { data } = disk.read(60, 3, 1);
  assert.ok(data.subarray(0, SIZE).every((byte) => byte === 0));
  assert.ok(ones(data.subarray(SIZE, WIRE)));
});

test('test_compareandwrite_protect, test_orwrite_protect: both halves carry it; the result has it good', () => {
  const disk = rig();
  const [was, is] = [pattern(2, 8), pattern(2, 9)];
  disk.write(70, was, 2);
  const out = Uint8Array.of(...withPi(was, SIZE, 70), ...withPi(is, SIZE, 70));
  assert.is(disk.run([0x89, 0x20, ...be64(70), 0, 0, 0, 2, 0, 0], { out }).status, GOOD);
  assert.equal(disk.read(70, 2, 1).data, withPi(is, SIZE, 70));
  const cdb = [0x8b, 0x20, ...be64(70), ...be32(2), 0, 0];
  assert.is(disk.run(cdb, { out: withPi(was, SIZE, 70) }).status, GOOD);
  const both = is.map((byte, i) => byte | was[i]!);
  assert.equal(disk.read(70, 2, 1).data, withPi(both, SIZE, 70));
});

test('test_verify16_bytchk_protect: what is sent carries it, too [SBC-3] 5.30', () => {
  const disk = rig();
  const data = pattern(2, 10);
  disk.write(80, data, 2);
  const cdb = [0x8f, 0x22, ...be64(80), ...be32(2), 0, 0];
  assert.is(disk.run(cdb, { out: withPi(data, SIZE, 80) }).status, GOOD);
  const other = withPi(pattern(2, 11), SIZE, 80);
  assert.equal(
    [disk.run(cdb, { out: other }).sense, disk.run(cdb, { out: other }).information],
    [0x0e1d00, 80],
  );
  other[WIRE + SIZE]! ^= 1;
  assert.equal(
    [disk.run(cdb, { out: other }).sense, disk.run(cdb, { out: other }).information],
    [0x0b1001, 81],
  );
});

test('test_read10_residuals_protect: bytes count with the protection information', () => {
  const disk = rig();
  const cdb = [0x28, 0x20, ...be32(0), 0, ...be16(2), 0];
  assert.equal(
    [disk.run(cdb, { room: 2 * WIRE + 3 }).residual, disk.run(cdb, { room: WIRE }).residual],
    [3, 0],
  );
  assert.is(disk.run(cdb, { room: WIRE }).data.length, WIRE);
});

test('a disk of 4096-byte blocks beyond 2 TiB: the reference tag is the low word of the LBA', () => {
  const disk = new Rig({ protection: 1, blockBytes: 4096, physicalExponent: 0, sizeMib: 1 << 26 });
  const lba = 2 ** 32 - 1;
  const data = new Uint8Array(3 * 4096).fill(9);
  assert.is(disk.write(lba, data, 3).status, GOOD);
  assert.equal(disk.read(lba, 3, 1).data, withPi(data, 4096, lba));
});

test.run();
