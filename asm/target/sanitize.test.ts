import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import type { Testbed } from './testbed.test-helper.ts';
import { A, B, CAPACITY, GOOD, be16, threeNexuses } from './testbed.test-helper.ts';

const test = suite('SANITIZE');
const ERASE = [0x48, 2, 0, 0, 0, 0, 0, 0, 0, 0];
const EXIT = [0x48, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0];
const overwrite = (bed: Testbed, list: number[], length = list.length, byte1 = 1) =>
  bed.execute(A, [0x48, byte1, 0, 0, 0, 0, 0, ...be16(length), 0], { out: list });
const done = (bed: Testbed): number => bed.call.lu_sanitize(bed.lu, L.SANITIZE_DONE);

test('test_sanitize_simple: the host does it, with IMMED in the background [SBC-3] 5.24', () => {
  for (const [byte1, flags] of [
    [2, 0],
    [0x82, L.TASK_FLAG_IMMEDIATE],
  ] as const) {
    const bed = threeNexuses();
    const o = bed.execute(A, [0x48, byte1, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert.equal(
      [o.status, o.action, o.lba, o.blocks, o.flags],
      [GOOD, L.ACTION_SANITIZE, 0n, CAPACITY, flags],
    );
  }
});

test('test_sanitize_overwrite_list: each field out of its range is told [SBC-3] 5.24.2.2', () => {
  for (const [what, list, sense, field] of [
    ['TEST', [0x21, 0, 0, 1, 7], 0x052600, 0],
    ['OVERWRITE COUNT 0', [0, 0, 0, 1, 7], 0x052600, 0],
    ['a reserved byte', [1, 4, 0, 1, 7], 0x052600, 1],
    ['INITIALIZATION PATTERN LENGTH 0', [1, 0, 0, 0, 7], 0x052600, 2],
    ['a pattern longer than the list', [1, 0, 0, 2, 7], 0x052600, 2],
    ['no pattern at all', [1, 0, 0, 0], 0x052400, 7],
    ['a pattern longer than a block', [1, 0, 2, 1, ...Array<number>(513).fill(7)], 0x052400, 7],
  ] as const) {
    const bed = threeNexuses();
    const o = overwrite(bed, [...list]);
    assert.equal([o.sense, o.field], [sense, field], what);
    assert.is(bed.execute(A, [0, 0, 0, 0, 0, 0]).status, GOOD, 'nothing has begun');
  }
  assert.is(overwrite(threeNexuses(), [1, 0, 0, 1, 7], 6).sense, 0x051a00, 'less came than was told');
  assert.is(overwrite(threeNexuses(), [1, 0, 2, 0, ...Array<number>(512).fill(7)]).status, GOOD);
  assert.is(overwrite(threeNexuses(), [1, 0, 0, 1, 7], 5, 2).sense, 0x052400, 'BLOCK ERASE takes no list');
});

test('test_sanitize_in_progress: all but a few commands are kept out, REQUEST SENSE tells how far it is [SBC-3] 4.11, [SPC-4] 4.5.2.4.4', () => {
  const bed = threeNexuses();
  bed.execute(A, ERASE);
  bed.call.lu_sanitize(bed.lu, 0x8123);
  for (const nexus of [A, B]) {
    for (const cdb of [
      [0, 0, 0, 0, 0, 0],
      [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0],
      [0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0],
      [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      [0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      [0x1b, 0, 0, 0, 1, 0],
      [0x1a, 0, 0x3f, 0, 64, 0],
      ERASE,
      EXIT,
    ]) {
      const o = bed.execute(nexus, cdb, { room: 512, outBytes: 512 });
      assert.is(o.sense, 0x02041b);
      assert.equal([...o.senseData.subarray(15, 18)], [0x80, 0x81, 0x23]);
    }
    const told = bed.execute(nexus, [3, 0, 0, 0, 18, 0], { room: 18 });
    assert.is(told.status, GOOD);
    assert.equal([told.data[2], told.data[12], told.data[13]], [2, 0x04, 0x1b]);
    assert.equal([...told.data.subarray(15, 18)], [0x80, 0x81, 0x23]);
    assert.is(bed.execute(nexus, [0x12, 0, 0, 0, 96, 0], { room: 96 }).status, GOOD);
    assert.is(bed.execute(nexus, [0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0], { room: 64 }).status, GOOD);
    assert.is(bed.prIn(nexus, 0).status, GOOD);
  }
});

test('test_sanitize_survives: resets, power loss and the loss of its nexus end it not [SBC-3] 4.11', () => {
  for (const [what, happen] of [
    ['logical unit reset', (bed) => bed.call.lu_reset(bed.lu, L.RESET_LOGICAL_UNIT)],
    ['hard reset', (bed) => bed.call.lu_reset(bed.lu, L.RESET_HARD)],
    ['power loss', (bed) => bed.powerCycle()],
    ['logout', (bed) => bed.logout(A)],
    ['ABORT TASK SET', (bed) => void bed.manage(A, L.TMF_ABORT_TASK_SET)],
  ] as [string, (bed: Testbed) => void][]) {
    const bed = threeNexuses();
    bed.execute(A, ERASE);
    happen(bed);
    bed.drain(B);
    assert.is(bed.execute(B, [0, 0, 0, 0, 0, 0]).sense, 0x02041b, what);
    done(bed);
    assert.is(bed.execute(B, [0, 0, 0, 0, 0, 0]).status, GOOD, what);
  }
});

const fresh = (image: Uint8Array): Testbed => {
  const bed = threeNexuses();
  bed.powerCycle(image);
  bed.drain(A);
  return bed;
};

const pattern = (bed: Testbed): number[] | null => {
  const bytes = bed.call.lu_sanitize_pattern(bed.lu, bed.out) >>> 0;
  return bytes === L.SANITIZE_NONE ? null : [...bed.bytes.subarray(bed.out, bed.out + bytes)];
};

const ready = (bed: Testbed): number => bed.execute(A, [0, 0, 0, 0, 0, 0]).sense;

test('test_sanitize_power_loss: its pattern and how it may end outlive all but the image, and so does its failure [SBC-4] 4.11', () => {
  const list = Array.from({ length: 512 }, (_, i) => i & 255);
  for (const ause of [0, 0x20]) {
    const begun = threeNexuses();
    begun.prOut(A, 0, { actionKey: 0x77n, flags: 1 });
    assert.is(pattern(begun), null);
    const o = overwrite(begun, [1, 0, 2, 0, ...list], 516, ause | 1);
    assert.equal([o.action, o.nvChanged], [L.ACTION_SANITIZE, 1]);
    const resumed = fresh(begun.nv());
    assert.equal([ready(resumed), pattern(resumed), resumed.keys()], [0x02041b, list, [0x77n]]);
    resumed.prOut(B, 6, { actionKey: 0x78n, flags: 1 });
    assert.equal(pattern(fresh(resumed.nv())), list, 'a change of the reservations keeps it');
    assert.is(resumed.call.lu_sanitize(resumed.lu, 0x100), 0);
    assert.is(resumed.call.lu_sanitize(resumed.lu, L.SANITIZE_FAILED), 1);
    const failed = fresh(resumed.nv());
    assert.equal([ready(failed), pattern(failed)], [0x033103, null]);
    const exit = failed.execute(A, EXIT);
    assert.equal([exit.sense, exit.nvChanged], ause ? [0, 1] : [0x052400, 0]);
    if (ause) assert.is(ready(fresh(failed.nv())), 0);
    failed.execute(A, ERASE);
    assert.equal(pattern(fresh(failed.nv())), []);
    assert.is(done(failed), 1);
    assert.equal([ready(fresh(failed.nv())), pattern(failed)], [0, null]);
  }
});

test('test_sanitize_restricted: what failed without AUSE is not done again with it [SBC-4] 4.11.1, 5.24.1', () => {
  const bed = threeNexuses();
  bed.execute(A, ERASE);
  bed.call.lu_sanitize(bed.lu, L.SANITIZE_FAILED);
  const o = bed.execute(A, [0x48, 0x22, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal([o.sense, o.field, o.bit, o.inCdb], [0x052400, 1, 5, true]);
  assert.is(bed.execute(B, [0, 0, 0, 0, 0, 0]).sense, 0x033103);
});

test('test_sanitize_failed: MEDIUM ERROR until it is done again; with AUSE EXIT FAILURE MODE ends it [SBC-3] 5.24.2.5', () => {
  for (const ause of [0, 0x20]) {
    const bed = threeNexuses();
    bed.execute(A, [0x48, ause | 2, 0, 0, 0, 0, 0, 0, 0, 0]);
    bed.call.lu_sanitize(bed.lu, L.SANITIZE_FAILED);
    assert.is(bed.execute(B, [0, 0, 0, 0, 0, 0]).sense, 0x033103);
    const exit = bed.execute(A, EXIT);
    assert.equal([exit.sense, exit.field], ause ? [0, -1] : [0x052400, 1]);
    if (ause) continue;
    assert.is(bed.execute(A, ERASE).action, L.ACTION_SANITIZE);
    done(bed);
    assert.is(bed.execute(B, [0, 0, 0, 0, 0, 0]).status, GOOD);
  }
  assert.is(threeNexuses().execute(A, EXIT).status, GOOD, 'there is nothing to end');
});

test('test_sanitize_write_protected, test_sanitize_stopped [SBC-3] 4.12, 5.25', () => {
  const locked = threeNexuses({ flags: L.LU_FLAG_READ_ONLY });
  assert.is(locked.execute(A, ERASE).sense, 0x072700);
  const bed = threeNexuses();
  bed.execute(A, [0x1b, 0, 0, 0, 0, 0]);
  assert.is(bed.execute(A, ERASE).sense, 0x020402);
});

test.run();
