import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import type { Testbed } from './testbed.test-helper.ts';
import {
  A,
  B,
  CAPACITY,
  CHECK_CONDITION,
  GOOD,
  ID_A,
  KEY_B,
  RESERVATION_CONFLICT,
  be16,
  be32,
  be64,
  threeNexuses,
} from './testbed.test-helper.ts';

const test = suite('EXTENDED COPY and RECEIVE COPY RESULTS');
const WWN = 0x5000c50012345678n;
const OTHER_WWN = 0x5000c50012340000n;

/** A testbed with a second logical unit in the same memory, of another block length if wanted. */
function two(
  otherConfig: { blockBytes?: number; flags?: number } = {},
  flags = L.LU_FLAG_WRITE_CACHE,
): { bed: Testbed; other: number } {
  const bed = threeNexuses({ flags });
  const { view, call, lu, config } = bed;
  const other = (bed.end + 4095) & ~4095;
  const table = bed.id + 32768;
  bed.memory.grow(4);
  const fresh = bed.view;
  void view;
  const first = bed.bytes.slice(config, config + L.LU_CONFIG_BYTES);
  fresh.setBigUint64(config + L.LU_CONFIG_WWN_LO_AT, OTHER_WWN, true);
  fresh.setUint32(config + L.LU_CONFIG_BLOCK_BYTES_AT, otherConfig.blockBytes ?? 512, true);
  if (otherConfig.flags !== undefined)
    fresh.setUint32(config + L.LU_CONFIG_FLAGS_AT, otherConfig.flags, true);
  assert.is(call.lu_create(other, config), L.LU_OK);
  bed.bytes.set(first, config);
  fresh.setUint32(table, lu, true);
  fresh.setUint32(table + 4, other, true);
  fresh.setUint32(bed.task + L.TASK_UNITS_AT, table, true);
  fresh.setUint32(bed.task + L.TASK_UNIT_COUNT_AT, 2, true);
  bed.bytes.set(ID_A, bed.id);
  call.nexus_login(other, A, bed.id, ID_A.length, 1);
  return { bed, other };
}

const cscd = (wwn: bigint, blockBytes = 512): number[] => [
  0xe4,
  0,
  0,
  0,
  1,
  3,
  0,
  8,
  ...be64(wwn),
  ...Array<number>(13).fill(0),
  ...be32(blockBytes).slice(1),
];
const segment = (from: number, to: number, blocks: number, lba: number, toLba: number, dc = 0): number[] => [
  2,
  dc,
  0,
  24,
  ...be16(from),
  ...be16(to),
  0,
  0,
  ...be16(blocks),
  ...be64(BigInt(lba)),
  ...be64(BigInt(toLba)),
];
const CSCDS = [...cscd(WWN), ...cscd(OTHER_WWN)];
function listOf(segments: number[], cscds = CSCDS, id = 5, usage = 0): number[] {
  return [
    id,
    usage << 3,
    ...be16(cscds.length),
    0,
    0,
    0,
    0,
    ...be32(segments.length),
    0,
    0,
    0,
    0,
    ...cscds,
    ...segments,
  ];
}
const copy = (bed: Testbed, list: number[], length = list.length) =>
  bed.execute(A, [0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...be32(length), 0, 0], { out: list });
const results = (bed: Testbed, action: number, id = 5, allocation = 512, nexus = A) =>
  bed.execute(nexus, [0x84, action, id, 0, 0, 0, 0, 0, 0, 0, ...be32(allocation), 0, 0], {
    room: allocation,
  });

test('test_extendedcopy_simple: each segment becomes an extent from unit to unit [SPC-4] 6.4.6.3', () => {
  const { bed } = two();
  const list = listOf([...segment(0, 1, 8, 100, 200), ...segment(1, 1, 3, 0, 5), ...segment(1, 0, 0, 1, 1)]);
  const o = copy(bed, list);
  assert.equal([o.status, o.action, o.residual, o.blocks], [GOOD, L.ACTION_COPY, 0, 11n]);
  const at = bed.view.getUint32(bed.task + L.TASK_EXTENTS_AT, true);
  const extent = (i: number): bigint[] => {
    const from = at + i * L.COPY_EXTENT_BYTES;
    const u32 = (offset: number): bigint => BigInt(bed.view.getUint32(from + offset, true));
    return [
      u32(L.COPY_SOURCE_AT),
      u32(L.COPY_DESTINATION_AT),
      bed.view.getBigUint64(from + L.COPY_SOURCE_LBA_LO_AT, true),
      bed.view.getBigUint64(from + L.COPY_DESTINATION_LBA_LO_AT, true),
      u32(L.COPY_BYTES_AT),
    ];
  };
  assert.is(bed.view.getUint32(bed.task + L.TASK_EXTENT_COUNT_AT, true), 3);
  assert.equal(
    [extent(0), extent(1), extent(2)],
    [
      [0n, 1n, 100n, 200n, 4096n],
      [1n, 1n, 0n, 5n, 1536n],
      [1n, 0n, 1n, 1n, 0n],
    ],
  );
});

test('test_extendedcopy_nothing: no list, and a list of no segments, are no errors [SPC-4] 6.4.1', () => {
  const { bed } = two();
  for (const list of [[], listOf([]), listOf([], [])]) {
    assert.equal([copy(bed, list).status, copy(bed, list).action], [GOOD, L.ACTION_NONE]);
  }
});

/** Errors of the list: what of it, sense code, field pointer (-1: none). */
const BAD: [string, () => number[], number, number][] = [
  ['shorter than its header', () => listOf([]).slice(0, 15), 0x051a00, -1],
  ['cut in the CSCD descriptors', () => listOf([]).slice(0, 40), 0x051a00, -1],
  ['cut in the segment descriptors', () => listOf(segment(0, 1, 1, 0, 0)).slice(0, -1), 0x051a00, -1],
  ['a segment descriptor that is not whole', () => listOf(segment(0, 1, 1, 0, 0).slice(0, 20)), 0x051a00, -1],
  ['LIST ID USAGE 01b', () => listOf([], CSCDS, 5, 1), 0x052600, 1],
  ['LIST ID USAGE 11b with a list identifier', () => listOf([], CSCDS, 5, 3), 0x052600, 0],
  ['inline data', () => listOf([]).map((b, i) => (i === 15 ? 1 : b)), 0x05260b, -1],
  ['CSCD descriptors of odd length', () => listOf([], CSCDS.slice(0, 33)), 0x052600, 2],
  ['too many CSCD descriptors', () => listOf([], Array<number[]>(17).fill(cscd(WWN)).flat()), 0x052606, -1],
  [
    'too many segment descriptors',
    () =>
      listOf(
        Array<number[]>(65)
          .fill(segment(0, 1, 1, 0, 0))
          .flat(),
      ),
    0x052608,
    -1,
  ],
  [
    'more than MAXIMUM DESCRIPTOR LIST LENGTH, and too many of both kinds',
    () =>
      listOf(
        Array<number[]>(65)
          .fill(segment(0, 1, 1, 0, 0))
          .flat(),
        Array<number[]>(17).fill(cscd(WWN)).flat(),
      ),
    0x051a00,
    -1,
  ],
  [
    'segment descriptors of a length that wraps',
    () => listOf([]).map((b, i) => (i >= 8 && i < 12 ? 0xff : b)),
    0x051a00,
    -1,
  ],
  ['a CSCD descriptor of another type', () => listOf([], [0xe0, ...cscd(WWN).slice(1)]), 0x052607, 16],
  ['another device type', () => listOf([], [0xe4, 1, ...cscd(WWN).slice(2)]), 0x0a0d03, 17],
  ['a unit that is not there', () => listOf([], [...cscd(WWN), ...cscd(77n)]), 0x0a0d02, 48],
  ['a null unit', () => listOf([], [0xe4, 0x20, ...cscd(WWN).slice(2)]), 0x0a0d02, 16],
  ['a block length that is not the unit’s', () => listOf([], cscd(WWN, 520)), 0x052600, 45],
  [
    'a segment descriptor of another type',
    () => listOf([0, ...segment(0, 1, 1, 0, 0).slice(1)]),
    0x052609,
    80,
  ],
  [
    'a segment descriptor of another length',
    () => listOf(segment(0, 1, 1, 0, 0).map((b, i) => (i === 3 ? 23 : b))),
    0x052600,
    82,
  ],
  ['a source that has no CSCD descriptor', () => listOf(segment(2, 1, 1, 0, 0)), 0x052600, 84],
  ['a destination that has none', () => listOf(segment(0, 2, 1, 0, 0)), 0x052600, 86],
  ['a source out of range', () => listOf(segment(0, 1, 2, Number(CAPACITY) - 1, 0)), 0x0a0d01, 92],
  ['a destination out of range', () => listOf(segment(0, 1, 2, 0, Number(CAPACITY) - 1)), 0x0a0d01, 100],
];
for (const [what, make, sense, field] of BAD) {
  test(`test_extendedcopy_list: ${what} [SPC-4] 6.4.3, 5.17.4`, () => {
    const { bed } = two();
    const o = copy(bed, make());
    assert.equal([o.status, o.sense, o.field, o.action], [CHECK_CONDITION, sense, field, L.ACTION_NONE]);
    assert.is(results(bed, 0).sense, 0x052400, 'no result of it is held');
  });
}

test('test_extendedcopy_segment_number: COPY ABORTED names the segment, ILLEGAL REQUEST none [SPC-4] 5.17.4', () => {
  const good = segment(0, 1, 1, 0, 0);
  const beyond = segment(0, 1, 2, 0, Number(CAPACITY) - 1);
  for (const flags of [L.LU_FLAG_WRITE_CACHE, L.LU_FLAG_DESCRIPTOR_SENSE]) {
    const { bed } = two({}, flags);
    for (const before of [0, 1, 5]) {
      const list = listOf([...Array<number[]>(before).fill(good).flat(), ...beyond]);
      const { sense, field, senseData } = copy(bed, list);
      assert.equal([sense, field], [0x0a0d01, 80 + before * 28 + 20]);
      const isFixed = (senseData[0]! & 0x7f) === 0x70;
      const at = isFixed ? 11 : senseData.length - 1;
      assert.is(senseData[at], before);
      if (!isFixed) assert.equal([...senseData.subarray(-12, -1)], [1, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
  }
  const { senseData } = copy(two().bed, listOf([...good, ...segment(2, 1, 1, 0, 0)]));
  assert.equal([...senseData.subarray(8, 12)], [0, 0, 0, 0]);
});

const list4096 = (blocks: number, dc: number): number[] =>
  listOf(segment(0, 1, blocks, 0, 0, dc), [...cscd(WWN), ...cscd(OTHER_WWN, 4096)]);

test('test_extendedcopy_block_lengths: DC says whose blocks are counted; what does not come out even is inexact [SPC-4] 6.4.6.3', () => {
  const { bed } = two({ blockBytes: 4096 });
  assert.is(copy(bed, list4096(8, 0)).status, GOOD);
  assert.is(copy(bed, list4096(1, 2)).blocks, 8n);
  assert.is(copy(bed, list4096(9, 0)).sense, 0x0a260a);
});

test('test_extendedcopy_reservation: to each unit the copy manager is the initiator that asked [SPC-4] 5.17.2', () => {
  for (const [type, sourceIsLet] of [
    [1, true],
    [3, false],
  ] as const) {
    const { bed, other } = two();
    const [own] = [bed.lu];
    // nexus B holds a reservation on the other unit
    bed.bytes.set(
      ID_A.map((byte, i) => (i === 11 ? 0x99 : byte)),
      bed.id,
    );
    bed.call.nexus_login(other, B, bed.id, ID_A.length, 1);
    Object.defineProperty(bed, 'lu', { value: other, writable: true });
    bed.drain(B);
    bed.prOut(B, 0, { actionKey: KEY_B });
    assert.is(bed.prOut(B, 1, { key: KEY_B, type }).status, GOOD);
    Object.defineProperty(bed, 'lu', { value: own, writable: true });
    assert.equal(copy(bed, listOf(segment(0, 1, 1, 0, 0))).sense, 0x0a0d01, 'written');
    assert.is(copy(bed, listOf(segment(1, 0, 1, 0, 0))).sense, sourceIsLet ? 0 : 0x0a0d01, 'read');
    // a reservation of the unit that is asked keeps the command itself out
    bed.prOut(B, 0, { actionKey: KEY_B });
    bed.prOut(B, 1, { key: KEY_B, type });
    assert.is(copy(bed, listOf(segment(0, 0, 1, 0, 9))).status, RESERVATION_CONFLICT);
  }
});

test('test_extendedcopy_write_protected: the destination is not written', () => {
  const { bed } = two({ flags: L.LU_FLAG_READ_ONLY });
  assert.is(copy(bed, listOf(segment(0, 1, 1, 0, 0))).sense, 0x0a0d01);
  assert.is(copy(bed, listOf(segment(1, 0, 1, 0, 0))).status, GOOD);
});

test('test_extendedcopy_counts: the source counts what is read, the destination what is written [SPC-4] 7.3.4', () => {
  const { bed, other } = two();
  assert.is(copy(bed, listOf([...segment(0, 1, 3, 0, 0), ...segment(1, 0, 5, 0, 9)])).status, GOOD);
  const processed = (page: number): bigint => {
    const { data } = bed.execute(A, [0x4d, 0, 0x40 | page, 0, 0, 0, 5, 0, 64, 0], { room: 64 });
    return Buffer.from(data).readBigUInt64BE(8);
  };
  assert.equal([processed(3), processed(2)], [3n * 512n, 5n * 512n]);
  Object.defineProperty(bed, 'lu', { value: other, writable: true });
  bed.drain(A);
  assert.equal([processed(3), processed(2)], [5n * 512n, 3n * 512n]);
});

test('test_receivecopyresults_status: in progress, then done; told once, to the nexus that asked [SPC-4] 6.20', () => {
  const { bed } = two();
  copy(bed, listOf([...segment(0, 1, 8, 0, 0), ...segment(0, 1, 8, 8, 8)]));
  assert.equal([...results(bed, 0).data], [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
  bed.call.lu_copied(bed.lu);
  assert.is(results(bed, 0, 5, 512, B).sense, 0x052400, 'another nexus');
  assert.is(results(bed, 0, 6).sense, 0x052400, 'another list identifier');
  assert.equal([...results(bed, 0).data], [0, 0, 0, 8, 1, 0, 2, 0, 0, 0, 32, 0]);
  assert.equal([results(bed, 0).sense, results(bed, 0).field], [0x052400, 2]);
});

test('test_receivecopyresults_failure: the sense data of the copy, with the segments that were done [SPC-4] 6.23', () => {
  const { bed } = two();
  copy(bed, listOf([...segment(0, 1, 8, 0, 0), ...segment(0, 1, 8, 8, 8)]));
  assert.is(results(bed, 4).sense, 0x052400, 'it has not failed');
  copy(bed, listOf([...segment(0, 1, 8, 0, 0), ...segment(0, 1, 8, 8, 8)]));
  bed.call.lu_medium_error(bed.lu, bed.task, L.MEDIUM_COPY_FAILED, 1, 0);
  const failed = bed.outcome();
  assert.is(failed.sense, 0x0a0d01);
  assert.equal([...failed.senseData.subarray(8, 12)], [0, 0, 0, 1]);
  assert.equal([...results(bed, 0).data.subarray(4, 7)], [2, 0, 1]);
  const { data } = results(bed, 4);
  assert.equal([data.length, data[3], data[56], data[59]], [78, 74, CHECK_CONDITION, 18]);
  assert.equal([data[60], data[62], data[72], data[73], data[71]], [0x70, 0x0a, 0x0d, 0x01, 1]);
  assert.is(results(bed, 4).sense, 0x052400, 'details are told once');
});

test('test_receivecopyresults_discarded: LIST ID USAGE 10b and 11b, and a reset, leave no results [SPC-4] 5.17.4.3', () => {
  for (const [usage, id] of [
    [2, 5],
    [3, 0],
  ] as const) {
    const { bed } = two();
    copy(bed, listOf(segment(0, 1, 8, 0, 0), CSCDS, id, usage));
    bed.call.lu_copied(bed.lu);
    assert.is(results(bed, 0, id).sense, 0x052400);
  }
  const { bed } = two();
  copy(bed, listOf(segment(0, 1, 8, 0, 0)));
  bed.call.lu_copied(bed.lu);
  bed.call.lu_reset(bed.lu, L.RESET_LOGICAL_UNIT);
  bed.drain(A);
  assert.is(results(bed, 0).sense, 0x052400);
});

test('test_receivecopyresults_parameters: what a copy may be is what is enforced [SPC-4] 6.22', () => {
  const { bed } = two();
  const { data } = results(bed, 3, 0);
  const view = new DataView(data.buffer);
  assert.equal([data.length, view.getUint32(0)], [46, 42]);
  assert.equal([view.getUint16(8), view.getUint16(10)], [16, 64]);
  assert.equal([...data.subarray(43)], [2, 0x02, 0xe4]);
  const most = listOf(
    Array<number[]>(view.getUint16(10))
      .fill(segment(0, 1, 1, 0, 0))
      .flat(),
    Array<number[]>(view.getUint16(8)).fill(cscd(WWN)).flat(),
  );
  assert.is(most.length - 16, view.getUint32(12), 'MAXIMUM DESCRIPTOR LIST LENGTH');
  assert.is(copy(bed, most).status, GOOD);
  assert.is(results(bed, 3, 0, 8).data.length, 8);
});

test.run();
