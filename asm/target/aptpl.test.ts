import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  A,
  B,
  C,
  GOOD,
  ID_A,
  ID_B,
  KEY_A,
  KEY_B,
  RESERVATION_CONFLICT,
  Testbed,
  iscsiId,
  threeNexuses,
  write10,
} from './testbed.test-helper.ts';

const test = suite('persist through power loss');
const APTPL = 1;

function held(type = 1, flags = APTPL): Testbed {
  const bed = threeNexuses();
  bed.prOut(A, 0, { actionKey: KEY_A, flags });
  bed.prOut(B, 0, { actionKey: KEY_B, flags });
  bed.prOut(A, 1, { key: KEY_A, type });
  return bed;
}

test('test_aptpl_off: without APTPL power loss takes registrations and reservation [SPC-4] 5.13.5.1', () => {
  const bed = held(1, 0);
  bed.powerCycle();
  assert.equal([bed.keys(), bed.reservation(), bed.generation()], [[], null, 0]);
  assert.equal(bed.drain(A), [0x062901]);
});

for (const type of [1, 3, 5, 6, 7, 8]) {
  test(`test_aptpl_on: reservation ${type} and all registrations outlive power loss; PRgeneration is 0 [SPC-4] 5.13.5.1, 6.15.2`, () => {
    const bed = held(type);
    bed.powerCycle();
    assert.equal(bed.keys(), [KEY_A, KEY_B]);
    assert.equal(bed.reservation(), { key: type >= 7 ? 0n : KEY_A, type, nexus: type >= 7 ? 0xffffffff : A });
    assert.is(bed.generation(), 0);
    for (const nexus of [A, B, C]) assert.equal(bed.drain(nexus), [0x062901]);
    assert.is(bed.execute(A, write10(0, 1), { outBytes: 512 }).status, GOOD);
    assert.is(bed.execute(C, write10(0, 1), { outBytes: 512 }).status, RESERVATION_CONFLICT);
  });
}

test('test_aptpl_last_counts: the most recent APTPL of any nexus governs [SPC-4] 5.13.5.1', () => {
  const off = held();
  assert.is(
    off.prOut(B, 0, { key: KEY_B, actionKey: KEY_B, flags: 0 }).nvChanged,
    1,
    'the old image must go',
  );
  off.powerCycle();
  assert.equal(off.keys(), []);
  const on = held(1, 0);
  on.prOut(B, 6, { actionKey: KEY_B, flags: APTPL });
  on.powerCycle();
  assert.equal(on.keys(), [KEY_A, KEY_B], 'also registrations made before');
});

test('test_aptpl_conflict: a REGISTER that conflicts changes nothing, not even APTPL', () => {
  const bed = held();
  assert.is(bed.prOut(B, 0, { key: 99n, actionKey: 5n, flags: 0 }).status, RESERVATION_CONFLICT);
  bed.powerCycle();
  assert.equal(bed.keys(), [KEY_A, KEY_B]);
});

test('test_aptpl_told: the host is told of every change that must be durable, and of no other', () => {
  const changes: [string, (bed: Testbed) => number, number][] = [
    ['READ KEYS', (bed) => bed.prIn(A, 0).nvChanged, 0],
    ['a write', (bed) => bed.execute(A, write10(0, 1), { outBytes: 512 }).nvChanged, 0],
    ['RESERVE again', (bed) => bed.prOut(A, 1, { key: KEY_A, type: 1 }).nvChanged, 0],
    ['RELEASE', (bed) => bed.prOut(A, 2, { key: KEY_A, type: 1 }).nvChanged, 1],
    ['CLEAR', (bed) => bed.prOut(A, 3, { key: KEY_A }).nvChanged, 1],
    ['PREEMPT', (bed) => bed.prOut(B, 4, { key: KEY_B, actionKey: KEY_A, type: 1 }).nvChanged, 1],
    ['REGISTER', (bed) => bed.prOut(B, 0, { key: KEY_B, actionKey: 5n, flags: APTPL }).nvChanged, 1],
    [
      'REGISTER AND MOVE',
      (bed) => bed.prMove(A, ID_B, { key: KEY_A, actionKey: 5n, flags: APTPL }).nvChanged,
      1,
    ],
    ['a conflict', (bed) => bed.prOut(C, 3, { key: KEY_A }).nvChanged, 0],
  ];
  for (const [name, change, told] of changes) assert.is(change(held()), told, name);
  assert.is(held(1, 0).prOut(A, 3, { key: KEY_A }).nvChanged, 0, 'without APTPL nothing is');
});

test('test_aptpl_slots: a change writes one slot only, the older', () => {
  const bed = held();
  for (let i = 0; i < 6; i++) {
    const before = bed.nv();
    const slotBefore = bed.call.lu_nv_slot(bed.lu);
    bed.prOut(A, 0, { key: KEY_A, actionKey: KEY_A, flags: APTPL });
    const after = bed.nv();
    const slot = bed.call.lu_nv_slot(bed.lu);
    assert.is(slot, 1 - slotBefore);
    const half = before.length / 2;
    const other = (image: Uint8Array) => image.slice((1 - slot) * half, (2 - slot) * half);
    assert.equal(other(after), other(before));
  }
});

test('test_aptpl_torn: however a write of a slot is torn, the state before or after it comes back', () => {
  const bed = held();
  const before = bed.nv();
  bed.prOut(B, 5, { key: KEY_B, actionKey: KEY_A, type: 1 });
  const after = bed.nv();
  let old = 0;
  let now = 0;
  const differ = [...after.keys()].filter((i) => after[i] !== before[i]);
  for (let cut = 0; cut <= differ.length; cut++) {
    for (const backwards of [false, true]) {
      const torn = before.slice();
      const written = backwards ? differ.slice(differ.length - cut) : differ.slice(0, cut);
      for (const i of written) torn[i] = after[i]!;
      bed.powerCycle(torn);
      const keys = bed.keys().join();
      if (keys === [KEY_B].join()) now++;
      else if (keys === [KEY_A, KEY_B].join()) old++;
      else assert.unreachable(`cut at ${cut}: ${keys}`);
      assert.is(bed.reservation()?.key, keys === [KEY_B].join() ? KEY_B : KEY_A);
    }
  }
  assert.ok(old > 20 && now === 2, `${old} old, ${now} new`);
});

test('test_aptpl_damaged: bit errors in both slots leave no reservation rather than a wrong one', () => {
  const bed = held();
  bed.prOut(A, 0, { key: KEY_A, actionKey: KEY_A, flags: APTPL });
  const image = bed.nv();
  const half = image.length / 2;
  for (let at = 0; at < 100; at++) {
    const bad = image.slice();
    bad[at]! ^= 1 << (at % 8);
    bad[half + at]! ^= 1 << (at % 8);
    bed.bytes.set(bad, bed.call.lu_nv_ptr(bed.lu));
    assert.is(bed.call.lu_nv_load(bed.lu), 0, `byte ${at}`);
    assert.equal([bed.keys(), bed.reservation()], [[], null]);
  }
  bed.bytes.set(image, bed.call.lu_nv_ptr(bed.lu));
  assert.is(bed.call.lu_nv_load(bed.lu), 1);
});

test('test_aptpl_other_disk: the image of another disk is not taken', () => {
  const image = held().nv();
  const bed = new Testbed({ wwn: 0x5000c500ffffffffn });
  bed.powerCycle(image);
  assert.equal(bed.keys(), []);
});

test('test_aptpl_new_process: a new instance with the image of the host finds everything, ids of all lengths', () => {
  const bed = new Testbed({ protocol: 5 });
  const ids = [iscsiId('iqn.a', '000000000001'), iscsiId(`iqn.${'b'.repeat(219)}`, '000000000002'), ID_A];
  ids.forEach((id, i) => {
    bed.attach(i, id);
    bed.prOut(i, 0, { actionKey: BigInt(i + 1), flags: APTPL });
  });
  bed.prOut(1, 1, { key: 2n, type: 3 });
  const image = bed.nv();
  const fresh = new Testbed({ protocol: 5 });
  fresh.powerCycle(image);
  assert.equal(fresh.keys(), [1n, 2n, 3n]);
  fresh.attach(17, ids[1]!);
  assert.equal(fresh.reservation(), { key: 2n, type: 3, nexus: 17 });
  assert.is(fresh.prOut(17, 2, { key: 2n, type: 3 }).status, GOOD);
});

test.run();
