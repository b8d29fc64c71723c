/** Mode parameters that change what the device server does, and saved ones through power loss. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { crc32 } from 'node:zlib';
import * as L from '../layout.ts';
import {
  A,
  B,
  C,
  CAPACITY,
  CHECK_CONDITION,
  GOOD,
  KEY_A,
  KEY_B,
  type Outcome,
  TEST_UNIT_READY,
  Testbed,
  read10,
  sasId,
  threeNexuses,
  write10,
} from './testbed.test-helper.ts';

const test = suite('mode parameters that count');
const CONTROL = 0x0a;
const CACHING = 0x08;
const EXCEPTIONS = 0x1c;

function page(bed: Testbed, code: number, pc = 0): number[] {
  return [...bed.execute(A, [0x1a, 8, (pc << 6) | code, 0, 255, 0], { room: 255 }).data.subarray(4)];
}
/** MODE SELECT(6) of a page as it is, with some bytes changed; all others forget what they were told. */
function change(bed: Testbed, code: number, bytes: Record<number, number>, sp = 0): Outcome {
  const wanted = page(bed, code);
  wanted[0]! &= 0x7f;
  for (const [at, value] of Object.entries(bytes)) wanted[Number(at)] = value;
  const out = [0, 0, 0, 0, ...wanted];
  return bed.execute(A, [0x15, 0x10 | sp, 0, 0, out.length, 0], { out });
}
function changed(code: number, bytes: Record<number, number>, sp = 0): Testbed {
  const bed = threeNexuses();
  const outcome = change(bed, code, bytes, sp);
  assert.is(outcome.status, GOOD);
  for (const nexus of [B, C]) bed.drain(nexus);
  return bed;
}
/** A command that ends with CHECK CONDITION, while others are in the task set. */
function fails(bed: Testbed, pending = 0n): Outcome {
  bed.view.setBigUint64(bed.task + L.TASK_PENDING_LO_AT, pending, true);
  const outcome = bed.execute(A, read10(Number(CAPACITY), 1), { room: 512 });
  bed.view.setBigUint64(bed.task + L.TASK_PENDING_LO_AT, 0n, true);
  assert.is(outcome.status, CHECK_CONDITION);
  return outcome;
}
/** What REQUEST SENSE tells. */
const polled = (bed: Testbed, nexus: number): number => {
  const { data } = bed.execute(nexus, [3, 0, 0, 0, 18, 0], { room: 18 });
  return (data[2]! << 16) | (data[12]! << 8) | data[13]!;
};
const ALL_NEXUSES = (1n << 64n) - 1n;

test('test_control_d_sense: sense data is of descriptor format at once, REQUEST SENSE goes by DESC [SPC-4] 7.5.8, 6.39', () => {
  const bed = changed(CONTROL, { 2: 0x06 });
  assert.is(fails(bed).senseData[0], 0x72);
  assert.is(bed.execute(A, [3, 0, 0, 0, 18, 0], { room: 18 }).data[0], 0x70);
  assert.is(bed.execute(A, [3, 1, 0, 0, 18, 0], { room: 18 }).data[0], 0x72);
});

test('test_control_swp: writes are refused, and reads are not; others are told [SPC-4] 7.5.8', () => {
  const bed = changed(CONTROL, { 4: 0x08 });
  assert.is(bed.execute(B, write10(0, 1), { outBytes: 512 }).sense, 0x072700);
  assert.is(bed.execute(B, read10(0, 1), { room: 512 }).action, L.ACTION_READ);
  change(bed, CONTROL, { 4: 0 });
  bed.drain(B);
  assert.is(bed.execute(B, write10(0, 1), { outBytes: 512 }).action, L.ACTION_WRITE);
});

for (const [qerr, mask, told] of [
  [0b00, 0n, []],
  [0b01, ALL_NEXUSES, [0x062f00]],
  [0b11, 1n, []],
] as const)
  test(`test_control_qerr: ${qerr.toString(2).padStart(2, '0')}b aborts ${['nothing', 'all', '', 'its own'][qerr]} on CHECK CONDITION [SPC-4] 7.5.8`, () => {
    const bed = changed(CONTROL, { 3: 0x10 | (qerr << 1) });
    assert.is(fails(bed, 0b111n).abort, mask);
    assert.equal([bed.drain(A), bed.drain(B)], [[], [...told]]);
    assert.is(fails(bed, 0b001n).abort, mask);
    assert.equal(bed.drain(B), [], 'it had no task');
    assert.is(bed.execute(A, TEST_UNIT_READY).abort, 0n, 'GOOD aborts nothing');
  });

test('QERR goes for errors of the medium, too [SPC-4] 7.5.8', () => {
  const bed = changed(CONTROL, { 3: 0x12 });
  bed.execute(A, read10(5, 1), { room: 512 });
  bed.call.lu_medium_error(bed.lu, bed.task, L.MEDIUM_READ_ERROR, 5, 0);
  assert.is(bed.outcome().abort, ALL_NEXUSES);
});

test('test_control_qerr_reserved: 10b is refused and pointed at [SPC-4] 7.5.8 table 456', () => {
  const { sense, field, bit } = change(threeNexuses(), CONTROL, { 3: 0x14 });
  assert.equal([sense, field, bit], [0x052600, 4 + 3, 2]);
});

test('test_control_tas: with 1 the aborted hear it by TASK ABORTED and not by a unit attention [SAM-5] 5.6', () => {
  for (const tas of [0, 1]) {
    const bed = changed(CONTROL, { 5: tas << 6 });
    assert.is(bed.call.lu_control(bed.lu) & L.LU_CONTROL_TAS, tas);
    assert.is(bed.manage(A, L.TMF_CLEAR_TASK_SET, 0b011n).abort, ALL_NEXUSES);
    assert.equal(bed.drain(B), tas ? [] : [0x062f00]);
  }
});

test('test_control_ua_intlck: with 10b only REQUEST SENSE clears a unit attention [SPC-4] 7.5.8', () => {
  const bed = changed(CONTROL, { 4: 0x20 });
  bed.call.lu_reset(bed.lu, L.RESET_LOGICAL_UNIT);
  bed.drain(A);
  change(bed, CONTROL, { 4: 0x20 });
  bed.drain(B);
  change(bed, CACHING, { 2: 0 });
  for (let i = 0; i < 3; i++) assert.is(bed.execute(B, TEST_UNIT_READY).sense, 0x062a01);
  assert.equal(bed.drain(B), [0x062a01]);
  assert.is(bed.execute(B, TEST_UNIT_READY).status, GOOD);
});

for (const [name, at, value, bit] of [
  ['TST 001b', 2, 0x22, 5],
  ['TMF_ONLY', 2, 0x12, 4],
  ['RLEC', 2, 0x03, 0],
  ['restricted reordering', 3, 0x00, 4],
  ['UA_INTLCK_CTRL 11b', 4, 0x30, 4],
  ['ATO', 5, 0x80, 7],
] as const)
  test(`test_control_fixed: ${name} is refused, as it would not be kept [SPC-4] 6.11`, () => {
    const { sense, field, bit: told } = change(threeNexuses(), CONTROL, { [at]: value });
    assert.equal([sense, field, told], [0x052600, 4 + at, bit]);
  });

test('test_caching_rcd: reads come from the medium [SBC-3] 6.4.5', () => {
  const bed = changed(CACHING, { 2: 0x05 });
  assert.is(bed.execute(A, read10(0, 1), { room: 512 }).flags, L.TASK_FLAG_FUA);
});

test('test_exceptions_test: a test failure is a unit attention (MRIE 2), pollable (6) or silent (0) [SPC-4] 7.5.11', () => {
  const told = threeNexuses();
  change(told, EXCEPTIONS, { 2: 0x04, 3: 2 });
  assert.equal([told.drain(B), told.drain(A)], [[0x062a01, 0x065dff], [0x065dff]]);
  assert.is(polled(told, B), 0);
  const asked = changed(EXCEPTIONS, { 2: 0x04, 3: 6 });
  assert.is(polled(asked, A), 0x005dff);
  assert.is(polled(asked, A), 0x005dff, 'as long as it lasts');
  change(asked, EXCEPTIONS, { 2: 0x08, 3: 6 });
  assert.is(polled(asked, A), 0);
  assert.is(polled(changed(EXCEPTIONS, { 2: 0x04, 3: 0 }), A), 0);
});

test('test_exceptions_refused: DEXCPT with TEST, and methods there are none of [SPC-4] 7.5.11', () => {
  for (const [bytes, at, bit] of [
    [{ 2: 0x0c }, 2, 2],
    [{ 2: 0, 3: 3 }, 3, 3],
    [{ 2: 0, 3: 1 }, 3, 3],
  ] as const) {
    const { sense, field, bit: told } = change(threeNexuses(), EXCEPTIONS, bytes);
    assert.equal([sense, field, told], [0x052600, 4 + at, bit]);
  }
});

test('test_saved: what SP saved outlives power loss, what it did not save does not [SPC-4] 6.11', () => {
  const bed = changed(CONTROL, { 5: 0x40 });
  const kept = change(bed, CACHING, { 2: 0 }, 1);
  assert.is(kept.nvChanged, 1, 'to be made durable before the status');
  change(bed, EXCEPTIONS, { 2: 0x00 });
  bed.powerCycle();
  bed.drain(A);
  for (const pc of [0, 3]) assert.is(page(bed, CACHING, pc)[2], 0, 'WCE is 0');
  assert.is(page(bed, CONTROL)[5], 0x40, 'SP saves all pages');
  assert.is(page(bed, EXCEPTIONS)[2], 0x08);
  assert.is(page(bed, CACHING, 2)[2], 4, 'the default is what it was');
  assert.is(bed.execute(A, write10(0, 1), { outBytes: 512 }).flags, L.TASK_FLAG_FUA);
});

test('test_saved_nothing: MODE SELECT of no bytes with SP saves as well [SPC-4] 6.11', () => {
  const bed = changed(CONTROL, { 5: 0x40 });
  assert.is(bed.execute(A, [0x15, 0x11, 0, 0, 0, 0]).nvChanged, 1);
  bed.powerCycle();
  bed.drain(A);
  assert.is(page(bed, CONTROL)[5], 0x40);
});

test('test_saved_without: an image lost with the power leaves the pages as shipped', () => {
  const bed = changed(CONTROL, { 5: 0x40 }, 1);
  bed.powerCycle(new Uint8Array(bed.call.lu_nv_bytes()));
  bed.drain(A);
  assert.is(page(bed, CONTROL)[5], 0);
});

test('test_saved_beside_reservations: one image has both, and a change of one keeps the other', () => {
  const bed = threeNexuses();
  bed.prOut(A, 0, { actionKey: KEY_A, flags: 1 });
  bed.prOut(A, 1, { key: KEY_A, type: 5 });
  change(bed, CONTROL, { 5: 0x40 }, 1);
  bed.drain(B);
  bed.prOut(B, 0, { actionKey: KEY_B, flags: 1 });
  bed.powerCycle();
  bed.drain(A);
  assert.equal([bed.keys(), bed.reservation()?.type, page(bed, CONTROL)[5]], [[KEY_A, KEY_B], 5, 0x40]);
  // APTPL goes, the pages stay
  bed.prOut(A, 0, { key: KEY_A, actionKey: KEY_A });
  bed.powerCycle();
  bed.drain(A);
  assert.equal([bed.keys(), page(bed, CONTROL)[5]], [[], 0x40]);
});

test('an image of version 1, which had no mode pages, is read as it was meant', () => {
  const bed = new Testbed();
  const half = bed.call.lu_nv_bytes() / 2;
  const image = Buffer.alloc(half * 2);
  const id = sasId(7n);
  image.write('SPRN', 0, 'latin1');
  image.writeUInt32LE(9, 8);
  image.writeUInt32LE(40 + 16 + id.length, 12);
  image.writeBigUInt64LE(0x5000c50012345678n, 16);
  image.writeUInt32LE(5, 24);
  image.writeUInt32LE(1, 28);
  image.writeUInt32LE(1, 32);
  image.writeUInt32LE(1, 36);
  image.writeBigUInt64LE(0x77n, 40);
  image.writeUInt16LE(1, 48);
  image.writeUInt16LE(id.length, 50);
  image.set(id, 56);
  image.writeUInt32LE(crc32(image.subarray(8, 40 + 16 + id.length)), 4);
  bed.powerCycle(image);
  assert.equal([bed.keys(), bed.reservation()?.type], [[0x77n], 5]);
  bed.attach(A, id);
  assert.is(page(bed, CACHING)[2], 4);
  // and the next change writes the present version into the other slot
  change(bed, CONTROL, { 5: 0x40 }, 1);
  bed.powerCycle();
  bed.drain(A);
  assert.equal([bed.keys(), page(bed, CONTROL)[5]], [[0x77n], 0x40]);
});

test('an image of version 2, which had no sanitize operation, is read as it was meant', () => {
  const bed = changed(CONTROL, { 5: 0x40 }, 1);
  bed.prOut(A, 0, { actionKey: KEY_A, flags: 1 });
  const half = bed.call.lu_nv_bytes() / 2;
  const image = Buffer.from(bed.nv());
  const at = bed.call.lu_nv_slot(bed.lu) * half;
  const bytes = image.readUInt32LE(at + 12) - 8;
  image.write('SPN2', at, 'latin1');
  image.copyWithin(at + 48, at + 56, at + 8 + bytes);
  image.writeUInt32LE(bytes, at + 12);
  image.writeUInt32LE(crc32(image.subarray(at + 8, at + bytes)), at + 4);
  image.fill(0, half - at, 2 * half - at);
  bed.powerCycle(image);
  bed.drain(A);
  assert.equal([bed.keys(), page(bed, CONTROL)[5]], [[KEY_A], 0x40]);
});

test('no byte of an image may be damaged: the other slot counts, or none', () => {
  const bed = changed(CONTROL, { 5: 0x40 }, 1);
  const half = bed.call.lu_nv_bytes() / 2;
  const good = bed.nv();
  const slot = bed.call.lu_nv_slot(bed.lu);
  for (let at = 0; at < 56 + 144; at++) {
    const damaged = good.slice();
    damaged[slot * half + at]! ^= 0x10;
    bed.powerCycle(damaged);
    bed.drain(A);
    assert.is(page(bed, CONTROL)[5], 0, `byte ${at}`);
  }
  bed.powerCycle(good);
  bed.drain(A);
  assert.is(page(bed, CONTROL)[5], 0x40);
});

test.run();
