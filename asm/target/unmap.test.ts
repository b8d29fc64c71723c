import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import {
  A,
  CAPACITY,
  CHECK_CONDITION,
  GOOD,
  Testbed,
  be16,
  be32,
  be64,
  sasId,
} from './testbed.test-helper.ts';

const test = suite('UNMAP and GET LBA STATUS');
const bed = new Testbed({ flags: L.LU_FLAG_WRITE_CACHE | L.LU_FLAG_THIN, blocks: 1n << 33n });
bed.attach(A, sasId(1n));
const END = 1n << 33n;

const list = (extents: readonly (readonly [bigint, number])[], described = extents.length * 16): number[] => [
  ...be16(described + 6),
  ...be16(described),
  0,
  0,
  0,
  0,
  ...extents.flatMap(([lba, blocks]) => [...be64(lba), ...be32(blocks), 0, 0, 0, 0]),
];
const unmap = (out: readonly number[], length = out.length, outBytes = out.length) =>
  bed.execute(A, [0x42, 0, 0, 0, 0, 0, 0, ...be16(length), 0], { out, outBytes });
function found(): [bigint, number][] {
  const { view, task } = bed;
  const at = view.getUint32(task + L.TASK_EXTENTS_AT, true);
  return Array.from({ length: view.getUint32(task + L.TASK_EXTENT_COUNT_AT, true) }, (_, i) => [
    view.getBigUint64(at + i * L.EXTENT_BYTES, true),
    view.getUint32(at + i * L.EXTENT_BYTES + L.EXTENT_BLOCKS_AT, true),
  ]);
}

test('test_unmap_simple: every descriptor becomes an extent, LBAs above 2^32 whole [SBC-3] 5.28.2', () => {
  const wanted: [bigint, number][] = [
    [0n, 1],
    [END - 7n, 7],
    [0x1_0000_0005n, 1000],
    [5n, 0],
  ];
  const o = unmap(list(wanted));
  assert.equal([o.status, o.action, o.residual, o.moved], [GOOD, L.ACTION_UNMAP, 0, 72]);
  assert.equal(found(), wanted);
});

test('test_unmap_0length: PARAMETER LIST LENGTH 0 and no descriptors are no errors [SBC-3] 5.28.1', () => {
  assert.equal([unmap([]).status, unmap([]).action], [GOOD, L.ACTION_NONE]);
  assert.equal([unmap(list([])).status, unmap(list([])).action], [GOOD, L.ACTION_NONE]);
});

test('test_unmap_short: a list without its header, or that did not come, is of a wrong length [SBC-3] 5.28.1', () => {
  for (let length = 1; length < 8; length++) {
    assert.equal(
      [unmap(list([]), length).status, unmap(list([]), length).sense],
      [CHECK_CONDITION, 0x051a00],
    );
  }
  assert.is(unmap(list([[0n, 1]]), 24, 23).sense, 0x051a00);
});

test('test_unmap_partial: a last descriptor that is not whole is ignored, and so is what is behind the length [SBC-3] 5.28.2', () => {
  const two = [
    [10n, 1],
    [20n, 2],
  ] as const;
  for (const [out, length, count] of [
    [list(two, 31), 40, 1],
    [list(two, 16), 40, 1],
    [list(two, 15), 40, 0],
    [list(two), 39, 1],
    [list(two, 4096), 40, 2],
  ] as const) {
    const o = unmap(out, length);
    assert.is(o.status, GOOD);
    assert.is(o.action === L.ACTION_NONE ? 0 : found().length, count);
  }
});

test('test_unmap_too_much: MAXIMUM UNMAP LBA COUNT is of all descriptors together [SBC-3] 6.5.4', () => {
  const half = L.LU_MAX_UNMAP / 2;
  assert.is(
    unmap(
      list([
        [0n, half],
        [0n, half],
      ]),
    ).status,
    GOOD,
  );
  const o = unmap(
    list([
      [0n, half],
      [0n, half],
      [0n, 1],
    ]),
  );
  assert.equal([o.sense, o.field, o.inCdb], [0x052600, 8 + 2 * 16 + 8, false]);
});

const many = (count: number) => unmap(list(Array.from({ length: count }, () => [1n, 1] as const)));
test('test_unmap_too_many: MAXIMUM UNMAP BLOCK DESCRIPTOR COUNT [SBC-3] 6.5.4', () => {
  assert.is(many(L.LU_MAX_UNMAP_DESCRIPTORS).status, GOOD);
  const o = many(L.LU_MAX_UNMAP_DESCRIPTORS + 1);
  assert.equal([o.sense, o.field, o.inCdb], [0x052600, 2, false]);
});

test('test_unmap_beyondeol: one descriptor out of range and nothing is unmapped [SBC-3] 4.5', () => {
  const o = unmap(
    list([
      [0n, 1],
      [END - 1n, 2],
    ]),
  );
  assert.equal([o.sense, o.action, o.residual], [0x052100, L.ACTION_NONE, 40]);
});

test('test_unmap_anchor: ANC_SUP is 0 [SBC-3] 5.28.1', () => {
  const o = bed.execute(A, [0x42, 1, 0, 0, 0, 0, 0, 0, 24, 0], { out: list([[0n, 1]]) });
  assert.equal([o.sense, o.field, o.bit], [0x052400, 1, 0]);
});

test('test_unmap_not_thin: a fully provisioned logical unit has no UNMAP [SBC-3] 6.5.5 LBPU', () => {
  const thick = new Testbed();
  thick.attach(A, sasId(1n));
  assert.is(thick.execute(A, [0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0]).sense, 0x052000);
});

test('test_getlbastatus_simple: the host makes the data, at most the allocation length [SBC-3] 5.4', () => {
  for (const [allocation, room, moved, residual] of [
    [24, 24, 24, 0],
    [24, 100, 24, 76],
    [4096, 24, 24, 0],
    [0, 24, 0, 24],
  ] as const) {
    const o = bed.execute(A, [0x9e, 0x12, ...be64(END - 1n), ...be32(allocation), 0, 0], { room });
    assert.equal(
      [o.status, o.action, o.lba, o.moved, o.residual, o.overflow],
      [GOOD, L.ACTION_LBA_STATUS, END - 1n, moved, residual, 0],
    );
  }
  assert.is(bed.execute(A, [0x9e, 0x12, ...be64(END), ...be32(24), 0, 0], { room: 24 }).sense, 0x052100);
  assert.ok(CAPACITY < END);
});

test.run();
