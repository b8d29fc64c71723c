import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  A,
  B,
  CHECK_CONDITION,
  GOOD,
  KEY_A,
  RESERVATION_CONFLICT,
  type Testbed,
  be16,
  read10,
  threeNexuses,
} from './testbed.test-helper.ts';

const test = suite('SEND DIAGNOSTIC, RECEIVE DIAGNOSTIC RESULTS, power conditions');
const PF = 0x10;
const SELFTEST = 0x04;
const send = (byte1: number, length = 0): number[] => [0x1d, byte1, 0, ...be16(length), 0];

/** Results of the self-tests: code << 4 | result, in the order of the log page. */
function results(bed: Testbed): number[] {
  const { data } = bed.execute(A, [0x4d, 0, 0x50, 0, 0, 0, 0, 2, 0, 0], { room: 512 });
  return Array.from(
    { length: 20 },
    (_, i) => ((data[4 + i * 20 + 4]! >> 5) << 4) | (data[4 + i * 20 + 4]! & 15),
  );
}

test('test_send_diagnostic_default: the default self-test is GOOD and leaves no result [SPC-4] 5.14.2', () => {
  const bed = threeNexuses();
  for (const byte1 of [SELFTEST, SELFTEST | 3, PF | SELFTEST])
    assert.is(bed.execute(A, send(byte1)).status, GOOD);
  assert.equal(results(bed), Array<number>(20).fill(0));
});

test('test_send_diagnostic_codes: short and extended tests are in the log, the newest first, twenty of them [SPC-4] 7.3.17', () => {
  const bed = threeNexuses();
  for (const code of [1, 2, 5, 6]) assert.is(bed.execute(A, send(code << 5)).status, GOOD);
  assert.equal(results(bed).slice(0, 5), [0x60, 0x50, 0x20, 0x10, 0]);
  for (let i = 0; i < 17; i++) bed.execute(A, send(1 << 5));
  assert.equal([results(bed)[16], results(bed)[19]], [0x10, 0x20], 'the oldest is gone');
});

test('a self-test finds what is broken: 04/3E/03, and a result that says which segment [SPC-4] 5.14', () => {
  const bed = threeNexuses();
  bed.prOut(A, 0, { actionKey: KEY_A, flags: 1 });
  assert.is(bed.execute(A, send(5 << 5)).status, GOOD);
  const slot = bed.call.lu_nv_ptr(bed.lu) + (bed.call.lu_nv_slot(bed.lu) * bed.call.lu_nv_bytes()) / 2;
  bed.bytes[slot + 20]! ^= 1;
  for (const byte1 of [5 << 5, SELFTEST]) {
    const { status, sense } = bed.execute(A, send(byte1));
    assert.equal([status, sense], [CHECK_CONDITION, 0x043e03]);
  }
  const { data } = bed.execute(A, [0x4d, 0, 0x50, 0, 0, 0, 0, 2, 0, 0], { room: 512 });
  assert.equal([data[8], data[9], ...data.subarray(20, 23)], [0xa7, 3, 0x04, 0x3e, 0x03]);
});

for (const [name, cdb, out, sense, field, bit] of [
  ['a code beside SELFTEST', send((1 << 5) | SELFTEST), [], 0x052400, 1, 7],
  ['code 3, reserved', send(3 << 5), [], 0x052400, 1, 7],
  ['code 7, reserved', send(7 << 5), [], 0x052400, 1, 7],
  ['an abort of a test that is not there', send(4 << 5), [], 0x052400, 1, 7],
  ['a list beside a self-test', send(SELFTEST, 4), [0, 0, 0, 0], 0x052400, 3, 7],
  ['a reserved bit', send(0x08), [], 0x052400, 1, 3],
  ['a list without PF', send(0, 4), [0, 0, 0, 0], 0x052400, 1, 4],
  ['a page there is none of', send(PF, 4), [0x40, 0, 0, 0], 0x052600, 0, 7],
  ['a length of the list of pages', send(PF, 5), [0, 0, 0, 1, 0], 0x052600, 2, 7],
  ['a list that is too short', send(PF, 3), [0, 0, 0], 0x051a00, -1, -1],
] as const)
  test(`test_send_diagnostic_invalid: ${name} [SPC-4] 6.42`, () => {
    const outcome = threeNexuses().execute(A, cdb, { out });
    assert.equal([outcome.sense, outcome.field, outcome.bit], [sense, field, bit]);
  });

test('test_receive_diagnostic: the list of pages, which is the only one [SPC-4] 6.28, 7.2.7', () => {
  const bed = threeNexuses();
  assert.is(bed.execute(A, send(PF, 4), { out: [0, 0, 0, 0] }).status, GOOD);
  for (const pcv of [0, 1])
    assert.equal([...bed.execute(A, [0x1c, pcv, 0, 0, 64, 0], { room: 64 }).data], [0, 0, 0, 1, 0]);
  const { sense, field } = bed.execute(A, [0x1c, 1, 0x40, 0, 64, 0], { room: 64 });
  assert.equal([sense, field], [0x052400, 2]);
  assert.is(bed.execute(A, [0x1c, 1, 0, 0, 2, 0], { room: 2 }).moved, 2);
});

test('another’s reservation keeps SEND DIAGNOSTIC out, RECEIVE only if it excludes reads [SPC-4] table 65', () => {
  for (const [type, receive] of [
    [1, GOOD],
    [3, RESERVATION_CONFLICT],
  ] as const) {
    const bed = threeNexuses();
    bed.prOut(A, 0, { actionKey: KEY_A });
    bed.prOut(A, 1, { key: KEY_A, type });
    assert.is(bed.execute(B, send(SELFTEST)).status, RESERVATION_CONFLICT);
    assert.is(bed.execute(B, [0x1c, 1, 0, 0, 64, 0], { room: 64 }).status, receive);
  }
});

for (const [condition, code] of [
  [2, 0x005e03],
  [3, 0x005e04],
] as const)
  test(`power condition ${condition} by command is told by REQUEST SENSE until the medium is needed [SPC-4] 5.12.2, annex E.2`, () => {
    const bed = threeNexuses();
    const polled = (): number => {
      const { data } = bed.execute(B, [3, 0, 0, 0, 18, 0], { room: 18 });
      return (data[2]! << 16) | (data[12]! << 8) | data[13]!;
    };
    bed.execute(A, [0x1b, 0, 0, 0, condition << 4, 0]);
    assert.is(polled(), code);
    assert.is(bed.execute(B, [0, 0, 0, 0, 0, 0]).status, GOOD);
    assert.is(polled(), code, 'TEST UNIT READY needs no medium');
    bed.execute(B, read10(0, 1), { room: 512 });
    assert.is(polled(), 0);
  });

test.run();
