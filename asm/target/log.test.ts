import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import {
  A,
  B,
  C,
  CAPACITY,
  CHECK_CONDITION,
  GOOD,
  KEY_A,
  RESERVATION_CONFLICT,
  type Testbed,
  be16,
  read10,
  threeNexuses,
  write10,
} from './testbed.test-helper.ts';

const test = suite('LOG SENSE, LOG SELECT');
const CUMULATIVE = 1;
const logSense = (
  page: number,
  { pc = CUMULATIVE, subpage = 0, pointer = 0, room = 512, byte1 = 0 } = {},
) => [0x4d, byte1, (pc << 6) | page, subpage, 0, ...be16(pointer), ...be16(room), 0];
const logSelect = (page: number, { pcr = 1, pc = 0, subpage = 0, length = 0, sp = 0 } = {}) => [
  0x4c,
  (pcr << 1) | sp,
  (pc << 6) | page,
  subpage,
  0,
  0,
  0,
  ...be16(length),
  0,
];

/** Parameters of a log page: code, control byte, value. */
function parameters(data: Uint8Array): [number, number, Buffer][] {
  const found: [number, number, Buffer][] = [];
  assert.is((data[2]! << 8) | data[3]!, data.length - 4, 'PAGE LENGTH');
  for (let at = 4; at < data.length; at += 4 + data[at + 3]!)
    found.push([
      (data[at]! << 8) | data[at + 1]!,
      data[at + 2]!,
      Buffer.from(data.subarray(at + 4, at + 4 + data[at + 3]!)),
    ]);
  return found;
}
/** Values of an error counter page, by parameter code. */
const counters = (bed: Testbed, page: number, pc = CUMULATIVE): bigint[] =>
  parameters(bed.execute(A, logSense(page, { pc }), { room: 512 }).data).map(([, , value]) =>
    value.readBigUInt64BE(),
  );

test('test_log_sense_supported: pages, and pages with subpages [SPC-4] 7.3.3, 7.3.22', () => {
  const bed = threeNexuses();
  const pages = [0x00, 0x02, 0x03, 0x05, 0x0d, 0x0e, 0x10, 0x2f];
  const { data } = bed.execute(A, logSense(0), { room: 512 });
  assert.equal([...data], [0, 0, 0, pages.length, ...pages]);
  const all = bed.execute(A, logSense(0, { subpage: 0xff }), { room: 512 }).data;
  assert.equal([...all.subarray(0, 4)], [0x40, 0xff, 0, 2 * pages.length + 2]);
  assert.equal([...all.subarray(4, 10)], [0, 0, 0, 0xff, 2, 0]);
  for (const page of pages) {
    const outcome = bed.execute(A, logSense(page), { room: 512 });
    assert.equal([outcome.status, outcome.data[0]! & 0x3f, outcome.data[1]], [GOOD, page, 0]);
  }
});

test('test_log_sense_counters: bytes read, written and verified are those that were moved [SPC-4] 7.3.4', () => {
  const bed = threeNexuses();
  for (const page of [2, 3, 5]) assert.equal(counters(bed, page), [0n, 0n, 0n, 0n, 0n, 0n, 0n]);
  bed.execute(A, read10(0, 3), { room: 3 * 512 });
  bed.execute(B, read10(0, 3), { room: 700 });
  bed.execute(A, write10(0, 2), { outBytes: 1024 });
  bed.execute(A, [0x2f, 0, 0, 0, 0, 0, 0, 0, 5, 0]);
  bed.execute(A, [0x2e, 0, 0, 0, 0, 0, 0, 0, 1, 0], { outBytes: 512 });
  bed.execute(A, read10(Number(CAPACITY), 1), { room: 512 }); // refused: counts nothing
  assert.is(counters(bed, 3)[5], 3n * 512n + 700n);
  assert.is(counters(bed, 2)[5], 1024n + 512n);
  assert.is(counters(bed, 5)[5], 5n * 512n + 512n);
});

test('test_log_sense_counters_compound: what is read and written by one command counts as both [SPC-4] 7.3.4', () => {
  for (const [what, cdb, outBytes, read, written] of [
    ['COMPARE AND WRITE', [0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0], 6 * 512, 3n, 3n],
    ['ORWRITE', [0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0], 4 * 512, 4n, 4n],
    ['WRITE SAME(10)', [0x41, 0, 0, 0, 0, 0, 0, 0, 9, 0], 512, 0n, 9n],
    ['WRITE SAME(16), NDOB', [0x93, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0], 0, 0n, 7n],
    ['WRITE ATOMIC(16)', [0x9c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0], 8 * 512, 0n, 8n],
  ] as const) {
    const bed = threeNexuses();
    assert.is(bed.execute(A, cdb, { outBytes }).status, GOOD, what);
    assert.equal([counters(bed, 3)[5], counters(bed, 2)[5]], [read * 512n, written * 512n], what);
  }
});

test('test_log_sense_errors: what the medium would not give or take is an uncorrected error [SPC-4] 7.3.4', () => {
  const bed = threeNexuses();
  const fail = (kind: number) => bed.call.lu_medium_error(bed.lu, bed.task, kind, 7, 0);
  fail(L.MEDIUM_READ_ERROR);
  fail(L.MEDIUM_READ_ERROR);
  fail(L.MEDIUM_WRITE_ERROR);
  fail(L.MEDIUM_HARDWARE);
  assert.equal([counters(bed, 3)[6], counters(bed, 2)[6]], [2n, 1n]);
});

test('test_log_sense_pc: thresholds are such as are never met, the default of a count is 0 [SPC-4] 6.8 table 201', () => {
  const bed = threeNexuses();
  bed.execute(A, read10(0, 3), { room: 3 * 512 });
  assert.is(counters(bed, 3, 0)[5], 2n ** 64n - 1n);
  assert.is(counters(bed, 3, 2)[5], 2n ** 64n - 1n);
  assert.is(counters(bed, 3, 3)[5], 0n);
});

test('test_log_sense_pointer: from the parameter with that code on; beyond the last is refused [SPC-4] 6.8', () => {
  const bed = threeNexuses();
  const from = (page: number, pointer: number) => bed.execute(A, logSense(page, { pointer }), { room: 512 });
  assert.equal(
    parameters(from(3, 5).data).map(([code]) => code),
    [5, 6],
  );
  assert.equal(
    parameters(from(0x10, 20).data).map(([code]) => code),
    [20],
  );
  for (const [page, pointer] of [
    [3, 7],
    [0x10, 21],
    [0, 1],
    [0x2f, 1],
  ] as const) {
    const { status, sense, field } = from(page, pointer);
    assert.equal([status, sense, field], [CHECK_CONDITION, 0x052400, 5], `${page}: ${pointer}`);
  }
});

for (const [name, cdb, field, bit] of [
  ['a page there is none of', logSense(0x3e), 2, 5],
  ['a subpage there is none of', logSense(3, { subpage: 1 }), 3, 7],
  ['subpage FFh of a page without', logSense(3, { subpage: 0xff }), 3, 7],
  ['SP', logSense(3, { byte1: 1 }), 1, 0],
  ['PPC, obsolete', logSense(3, { byte1: 2 }), 1, 1],
] as const)
  test(`test_log_sense_invalid: ${name} [SPC-4] 6.8`, () => {
    const outcome = threeNexuses().execute(A, cdb, { room: 512 });
    assert.equal([outcome.sense, outcome.field, outcome.bit], [0x052400, field, bit]);
  });

test('test_log_sense_alloclen: PAGE LENGTH is not cut [SPC-4] 4.2.5.6', () => {
  const bed = threeNexuses();
  const whole = bed.execute(A, logSense(3), { room: 512 }).data;
  for (const room of [0, 4, 11, 40]) {
    const { status, data } = bed.execute(A, logSense(3, { room }), { room });
    assert.equal([status, data], [GOOD, whole.slice(0, room)]);
  }
});

test('test_log_sense_start_stop: each start of a stopped disk is a cycle, and power on is one [SPC-4] 7.3.20', () => {
  const bed = threeNexuses();
  const cycles = (): number =>
    parameters(bed.execute(A, logSense(0x0e), { room: 512 }).data)
      .find(([code]) => code === 4)![2]
      .readUInt32BE();
  const startStop = (byte4: number) => bed.execute(A, [0x1b, 0, 0, 0, byte4, 0]);
  assert.is(cycles(), 1);
  startStop(1);
  assert.is(cycles(), 1, 'it ran already');
  startStop(0);
  startStop(1);
  assert.is(cycles(), 2);
  bed.powerCycle();
  bed.drain(A);
  assert.is(cycles(), 3);
});

test('test_log_sense_temperature: there is no sensor, and so none is told [SPC-4] 7.3.21', () => {
  const bed = threeNexuses();
  for (const [, , value] of parameters(bed.execute(A, logSense(0x0d), { room: 512 }).data))
    assert.equal([...value], [0, 0xff]);
});

test('test_log_sense_exceptions: as the informational exceptions page sets them [SPC-4] 7.3.10', () => {
  const bed = threeNexuses();
  const told = () => [...parameters(bed.execute(A, logSense(0x2f), { room: 512 }).data)[0]![2]];
  assert.equal(told(), [0, 0, 0xff, 0]);
  const out = [0, 0, 0, 0, 0x1c, 0x0a, 0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  assert.is(bed.execute(A, [0x15, 0x10, 0, 0, out.length, 0], { out }).status, GOOD);
  assert.equal(told(), [0x5d, 0xff, 0xff, 0]);
});

test('test_log_select_pcr: one page, or all of them; the others are told if something changed [SPC-4] 6.7', () => {
  const bed = threeNexuses();
  const use = () => {
    bed.execute(A, read10(0, 1), { room: 512 });
    bed.execute(A, write10(0, 1), { outBytes: 512 });
  };
  use();
  assert.is(bed.execute(A, logSelect(3)).status, GOOD);
  assert.equal([counters(bed, 3)[5], counters(bed, 2)[5]], [0n, 512n]);
  assert.equal([bed.drain(A), bed.drain(B), bed.drain(C)], [[], [0x062a02], [0x062a02]]);
  use();
  bed.execute(A, logSelect(0));
  assert.equal([counters(bed, 3)[5], counters(bed, 2)[5]], [0n, 0n]);
  bed.drain(B);
  bed.execute(A, logSelect(0));
  assert.equal(bed.drain(B), [], 'there was nothing to reset');
  use();
  bed.execute(A, logSelect(0, { pcr: 0, pc: 3 }));
  assert.is(counters(bed, 3)[5], 0n, 'PC 11b: default cumulative values');
  use();
  bed.execute(A, logSelect(0, { pcr: 0, pc: 1 }));
  assert.is(counters(bed, 3)[5], 512n, 'PC 01b changes nothing');
});

for (const [name, cdb, out, sense, field] of [
  ['PCR with a list', logSelect(0, { length: 4 }), [3, 0, 0, 0], 0x052400, 1],
  ['a page that counts nothing', logSelect(0x0d), [], 0x052400, 2],
  ['a subpage', logSelect(3, { subpage: 1 }), [], 0x052400, 3],
  ['SP', logSelect(3, { sp: 1 }), [], 0x052400, 1],
  ['a page code beside a list', logSelect(3, { pcr: 0, length: 4 }), [3, 0, 0, 0], 0x052400, 2],
  ['a list that is less than a header', logSelect(0, { pcr: 0, length: 3 }), [3, 0, 0], 0x051a00, -1],
  [
    'a list of parameters, which cannot be set',
    logSelect(0, { pcr: 0, length: 4 }),
    [3, 0, 0, 0],
    0x052600,
    0,
  ],
] as const)
  test(`test_log_select_invalid: ${name} [SPC-4] 6.7`, () => {
    const outcome = threeNexuses().execute(A, cdb, { out });
    assert.equal([outcome.sense, outcome.field], [sense, field]);
  });

test('counts begin anew with power on, and outlive a reset', () => {
  const bed = threeNexuses();
  bed.execute(A, read10(0, 1), { room: 512 });
  bed.call.lu_reset(bed.lu, L.RESET_LOGICAL_UNIT);
  bed.drain(A);
  assert.is(counters(bed, 3)[5], 512n);
  bed.powerCycle();
  bed.drain(A);
  assert.is(counters(bed, 3)[5], 0n);
});

test('LOG SENSE goes through every reservation, LOG SELECT through none [SPC-4] table 65', () => {
  for (const type of [1, 3, 5, 6, 7, 8]) {
    const bed = threeNexuses();
    bed.prOut(A, 0, { actionKey: KEY_A });
    bed.prOut(A, 1, { key: KEY_A, type });
    assert.is(bed.execute(B, logSense(0), { room: 64 }).status, GOOD);
    assert.is(bed.execute(B, logSelect(0)).status, RESERVATION_CONFLICT);
  }
});

test.run();
