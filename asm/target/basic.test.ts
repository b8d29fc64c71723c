import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import {
  A,
  B,
  CAPACITY,
  CHECK_CONDITION,
  GOOD,
  TEST_UNIT_READY,
  Testbed,
  be32,
  read10,
  threeNexuses,
} from './testbed.test-helper.ts';

const test = suite('basic commands');
const requestSense = (bed: Testbed, desc: number, room = 252) =>
  bed.execute(A, [0x03, desc, 0, 0, room, 0], { room });

test('test_testunitready_simple [SPC-4] 6.47', () => {
  assert.is(threeNexuses().execute(A, TEST_UNIT_READY).status, GOOD);
});

test('test_requestsense_simple: no sense is 18 bytes fixed, 8 bytes with DESC [SPC-4] 6.39', () => {
  const bed = threeNexuses();
  const fixed = requestSense(bed, 0).data;
  assert.equal([fixed.length, fixed[0], fixed[2], fixed[7]], [18, 0x70, 0, 10]);
  const descriptor = requestSense(bed, 1).data;
  assert.equal([...descriptor], [0x72, 0, 0, 0, 0, 0, 0, 0]);
});

test('test_requestsense_unit_attention: it is returned as data with GOOD, and cleared [SAM-5] 5.14', () => {
  const bed = threeNexuses();
  bed.call.lu_reset(bed.lu, L.RESET_LOGICAL_UNIT);
  const { status, data } = requestSense(bed, 1);
  assert.equal([status, ...data.subarray(0, 4)], [GOOD, 0x72, 6, 0x29, 0x03]);
  assert.is(bed.execute(A, TEST_UNIT_READY).status, GOOD);
});

test('test_readcapacity10_simple [SBC-3] 5.15', () => {
  const { data, moved } = threeNexuses().execute(A, [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], { room: 8 });
  assert.equal([...data, moved], [...be32(Number(CAPACITY) - 1), ...be32(512), 8]);
});

test('test_readcapacity10_large: FFFFFFFFh tells to ask READ CAPACITY(16) [SBC-3] 5.15.2', () => {
  for (const [blocks, shown] of [
    [0xffff_ffffn, 0xffff_fffe],
    [0x1_0000_0000n, 0xffff_ffff],
    [0x1_0000_0001n, 0xffff_ffff],
    [0x10_0000_0000n, 0xffff_ffff],
  ] as const) {
    const bed = new Testbed({ blocks });
    bed.attach(A, new Uint8Array([6, ...Array<number>(23).fill(0)]));
    assert.equal(
      [...bed.execute(A, [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], { room: 8 }).data.subarray(0, 4)],
      be32(shown),
    );
  }
});

test('test_readcapacity10_invalid: an LBA without PMI, and PMI itself [SBC-3] 5.15', () => {
  const bed = threeNexuses();
  assert.is(bed.execute(A, [0x25, 0, 0, 0, 0, 1, 0, 0, 0, 0], { room: 8 }).field, 2);
  assert.is(bed.execute(A, [0x25, 0, 0, 0, 0, 0, 0, 0, 1, 0], { room: 8 }).field, 8);
});

test('test_readcapacity16_simple: 512e says eight logical blocks a physical one [SBC-3] 5.16', () => {
  const { data } = threeNexuses().execute(A, [0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0], {
    room: 32,
  });
  const v = new DataView(data.buffer);
  assert.equal([v.getBigUint64(0), v.getUint32(8), v.getUint8(13)], [CAPACITY - 1n, 512, 3]);
});

test('test_readcapacity16_alloclen: 0 is no error, 12 gives the first 12 [SPC-4] 4.2.5.6', () => {
  const bed = threeNexuses();
  for (const length of [0, 12, 32, 64]) {
    const { status, moved } = bed.execute(A, [0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, length, 0, 0], {
      room: 64,
    });
    assert.equal([status, moved], [GOOD, Math.min(length, 32)]);
  }
});

test('test_reportluns_simple: LUN 0; no well known logical units; vendor values refused [SPC-4] 6.33', () => {
  const bed = threeNexuses();
  const luns = (select: number) =>
    bed.execute(A, [0xa0, 0, select, 0, 0, 0, 0, 0, 1, 0, 0, 0], { room: 256 });
  assert.equal([...luns(0).data], [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal([...luns(1).data], [0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(luns(2).data, luns(0).data);
  assert.equal([luns(3).sense, luns(3).field], [0x052400, 2]);
});

test('test_startstopunit_simple: STOP flushes the cache, then the medium is not ready until START [SBC-3] 5.25', () => {
  const bed = threeNexuses();
  const stop = bed.execute(A, [0x1b, 0, 0, 0, 0, 0]);
  assert.equal([stop.status, stop.action, stop.lba, stop.blocks], [GOOD, L.ACTION_SYNC, 0n, CAPACITY]);
  for (const cdb of [TEST_UNIT_READY, read10(0, 1), [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0]]) {
    const { status, sense } = bed.execute(B, cdb, { room: 512 });
    assert.equal(
      [status, sense],
      [CHECK_CONDITION, 0x020402],
      'LOGICAL UNIT NOT READY, INITIALIZING COMMAND REQUIRED',
    );
  }
  assert.is(bed.execute(B, [0x12, 0, 0, 0, 96, 0], { room: 96 }).status, GOOD);
  const again = bed.execute(A, [0x1b, 0, 0, 0, 0, 0]);
  assert.is(again.action, L.ACTION_NONE, 'a stopped unit has nothing to flush');
  assert.is(bed.execute(A, [0x1b, 0, 0, 0, 1, 0]).status, GOOD);
  assert.is(bed.execute(B, TEST_UNIT_READY).status, GOOD);
});

test('test_startstopunit_noflush: NO_FLUSH stops at once, IMMED is passed on [SBC-3] 5.25', () => {
  const bed = threeNexuses();
  assert.is(bed.execute(A, [0x1b, 0, 0, 0, 4, 0]).action, L.ACTION_NONE);
  bed.execute(A, [0x1b, 0, 0, 0, 1, 0]);
  assert.is(bed.execute(A, [0x1b, 1, 0, 0, 0, 0]).flags, L.TASK_FLAG_IMMEDIATE);
});

test('test_startstopunit_invalid: LOEJ of a fixed medium, power conditions above standby [SBC-3] 5.25', () => {
  const bed = threeNexuses();
  assert.equal(
    [bed.execute(A, [0x1b, 0, 0, 0, 2, 0]).field, bed.execute(A, [0x1b, 0, 0, 0, 0x70, 0]).field],
    [4, 4],
  );
});

test('test_unknown_opcode: INVALID COMMAND OPERATION CODE; a service action: its field [SPC-4] 4.2.5', () => {
  const bed = threeNexuses();
  assert.is(bed.execute(A, [0x02, 0, 0, 0, 0, 0]).sense, 0x052000);
  const { sense, field } = bed.execute(A, [0x9e, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal([sense, field], [0x052400, 1]);
});

test('test_reserved_bits: the first one that is set is pointed at, the leftmost of its byte [SPC-4] 4.5.2.4.2', () => {
  const bed = threeNexuses();
  for (const [cdb, byte, bit] of [
    [[0, 0x20, 0, 0, 0, 0], 1, 5],
    [[0, 0, 0, 3, 0, 0], 3, 1],
    [[0x28, 0, 0, 0, 0, 0, 0xe0, 0, 1, 0], 6, 7],
    [[0x5e, 0, 0, 0, 1, 0, 0, 0, 8, 0], 4, 0],
    [[0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x40, 0], 14, 6],
  ] as const) {
    const { sense, field, bit: at } = bed.execute(A, cdb, { room: 512 });
    assert.equal([sense, field, at], [0x052400, byte, bit]);
  }
});

test('lu_create refuses what is no disk, and says which field is wrong', () => {
  const bed = new Testbed();
  assert.is(bed.create({ blockBytes: 520 }), L.LU_BAD_BLOCK_BYTES);
  assert.is(bed.create({ blocks: 0n }), L.LU_BAD_BLOCKS);
  assert.is(bed.create({ blocks: 1n << 60n }), L.LU_BAD_BLOCKS);
  assert.is(bed.create({ exponent: 16 }), L.LU_BAD_EXPONENT);
  assert.is(bed.create({ blockBytes: 4096, exponent: 0 }), L.LU_OK);
});

test("a command of a nexus that is not logged in is the host's mistake: internal target failure", () => {
  const bed = threeNexuses();
  for (const nexus of [3, 63, 64, 0xffffffff]) assert.is(bed.execute(nexus, TEST_UNIT_READY).sense, 0x044400);
});

test.run();
