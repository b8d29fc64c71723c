import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  A,
  B,
  C,
  GOOD,
  KEY_A,
  KEY_B,
  RESERVATION_CONFLICT,
  type Testbed,
  be16,
  be32,
  threeNexuses,
} from './testbed.test-helper.ts';

const test = suite('reservation conflicts');
const TYPES = [1, 3, 5, 6, 7, 8];
const excludesReads = (type: number): boolean => type === 3 || type === 6 || type === 8;
const forRegistrants = (type: number): boolean => type >= 5;

/** Through no reservation, through write exclusive types, through all: the columns of [SPC-4] table 65. */
type Column = 'conflict' | 'reads' | 'allowed';
const six = (opcode: number, ...rest: number[]) => [
  opcode,
  ...rest,
  ...Array<number>(5 - rest.length).fill(0),
];
const ten = (opcode: number, byte1 = 0) => [opcode, byte1, 0, 0, 0, 0, 0, 0, 1, 0];
const twelve = (opcode: number, byte1 = 0) => [opcode, byte1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0];
const sixteen = (opcode: number, byte1 = 0) => [opcode, byte1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0];

/** Every row of [SPC-4] 5.13.1 table 65 and of [SBC-3] 4.17 that a disk can meet, supported here or not. */
const ROWS: [string, number[], Column][] = [
  ['TEST UNIT READY', six(0x00), 'allowed'],
  ['REQUEST SENSE', six(0x03, 0, 0, 0, 18), 'allowed'],
  ['FORMAT UNIT', six(0x04), 'conflict'],
  ['REASSIGN BLOCKS', six(0x07), 'conflict'],
  ['READ(6)', six(0x08, 0, 0, 0, 1), 'reads'],
  ['WRITE(6)', six(0x0a, 0, 0, 0, 1), 'conflict'],
  ['INQUIRY', six(0x12, 0, 0, 0, 96), 'allowed'],
  ['MODE SELECT(6)', six(0x15, 0x10, 0, 0, 0), 'conflict'],
  ['RESERVE(6)', six(0x16), 'conflict'],
  ['RELEASE(6)', six(0x17), 'conflict'],
  ['MODE SENSE(6)', six(0x1a, 0, 0x3f, 0, 255), 'reads'],
  ['START STOP UNIT, START 1, POWER CONDITION 0', six(0x1b, 0, 0, 0, 1), 'allowed'],
  ['START STOP UNIT, START 0', six(0x1b, 0, 0, 0, 0), 'conflict'],
  ['START STOP UNIT, START 1, POWER CONDITION 1', six(0x1b, 0, 0, 0, 0x11), 'conflict'],
  ['RECEIVE DIAGNOSTIC RESULTS', six(0x1c), 'reads'],
  ['SEND DIAGNOSTIC', six(0x1d, 4), 'conflict'],
  ['PREVENT ALLOW MEDIUM REMOVAL, PREVENT 0', six(0x1e), 'allowed'],
  ['PREVENT ALLOW MEDIUM REMOVAL, PREVENT 1', six(0x1e, 0, 0, 0, 1), 'conflict'],
  ['READ CAPACITY(10)', [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], 'allowed'],
  ['READ(10)', ten(0x28), 'reads'],
  ['WRITE(10)', ten(0x2a), 'conflict'],
  ['WRITE AND VERIFY(10)', ten(0x2e), 'conflict'],
  ['VERIFY(10)', ten(0x2f), 'reads'],
  ['PRE-FETCH(10)', ten(0x34), 'reads'],
  ['SYNCHRONIZE CACHE(10)', ten(0x35), 'conflict'],
  ['READ DEFECT DATA(10)', ten(0x37), 'reads'],
  ['WRITE BUFFER', ten(0x3b), 'conflict'],
  ['READ BUFFER', ten(0x3c), 'reads'],
  ['READ LONG(10)', ten(0x3e), 'conflict'],
  ['WRITE LONG(10)', ten(0x3f), 'conflict'],
  ['WRITE SAME(10)', ten(0x41), 'conflict'],
  ['UNMAP', ten(0x42), 'conflict'],
  ['SANITIZE', ten(0x48, 3), 'conflict'],
  ['LOG SELECT', ten(0x4c), 'conflict'],
  ['LOG SENSE', ten(0x4d), 'allowed'],
  ['XDWRITEREAD(10)', ten(0x53), 'conflict'],
  ['MODE SELECT(10)', ten(0x55, 0x10), 'conflict'],
  ['RESERVE(10)', [0x56, 0, 0, 0, 0, 0, 0, 0, 0, 0], 'conflict'],
  ['RELEASE(10)', [0x57, 0, 0, 0, 0, 0, 0, 0, 0, 0], 'conflict'],
  ['MODE SENSE(10)', [0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 255, 0], 'reads'],
  ['PERSISTENT RESERVE IN', [0x5e, 0, 0, 0, 0, 0, 0, 0, 255, 0], 'allowed'],
  ['variable length CDB', sixteen(0x7f), 'conflict'],
  ['EXTENDED COPY', sixteen(0x83), 'conflict'],
  ['RECEIVE COPY STATUS', sixteen(0x84, 5), 'allowed'],
  ['RECEIVE COPY STATUS(LID1)', sixteen(0x84, 0), 'allowed'],
  ['RECEIVE COPY OPERATING PARAMETERS', sixteen(0x84, 3), 'allowed'],
  ['RECEIVE COPY FAILURE DETAILS(LID1)', sixteen(0x84, 4), 'allowed'],
  ['ACCESS CONTROL IN', sixteen(0x86), 'allowed'],
  ['ACCESS CONTROL OUT', sixteen(0x87), 'allowed'],
  ['READ(16)', sixteen(0x88), 'reads'],
  ['COMPARE AND WRITE', sixteen(0x89), 'conflict'],
  ['WRITE(16)', sixteen(0x8a), 'conflict'],
  ['ORWRITE(16)', sixteen(0x8b), 'conflict'],
  ['READ ATTRIBUTE', sixteen(0x8c), 'reads'],
  ['WRITE ATTRIBUTE', sixteen(0x8d), 'conflict'],
  ['WRITE AND VERIFY(16)', sixteen(0x8e), 'conflict'],
  ['VERIFY(16)', sixteen(0x8f), 'reads'],
  ['PRE-FETCH(16)', sixteen(0x90), 'reads'],
  ['SYNCHRONIZE CACHE(16)', sixteen(0x91), 'conflict'],
  ['WRITE SAME(16)', sixteen(0x93), 'conflict'],
  ['WRITE ATOMIC(16)', sixteen(0x9c), 'conflict'],
  ['READ CAPACITY(16)', [0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0], 'allowed'],
  ['READ LONG(16)', sixteen(0x9e, 0x11), 'conflict'],
  ['GET LBA STATUS', sixteen(0x9e, 0x12), 'reads'],
  ['REPORT REFERRALS', sixteen(0x9e, 0x13), 'allowed'],
  ['WRITE LONG(16)', sixteen(0x9f, 0x11), 'conflict'],
  ['REPORT LUNS', [0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], 'allowed'],
  ['SECURITY PROTOCOL IN', twelve(0xa2), 'reads'],
  ['REPORT IDENTIFYING INFORMATION', twelve(0xa3, 0x05), 'allowed'],
  ['REPORT TARGET PORT GROUPS', twelve(0xa3, 0x0a), 'allowed'],
  ['REPORT ALIASES', twelve(0xa3, 0x0b), 'allowed'],
  ['REPORT SUPPORTED OPERATION CODES', twelve(0xa3, 0x0c), 'reads'],
  ['REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS', twelve(0xa3, 0x0d), 'reads'],
  ['REPORT PRIORITY', twelve(0xa3, 0x0e), 'allowed'],
  ['REPORT TIMESTAMP', twelve(0xa3, 0x0f), 'allowed'],
  ['MANAGEMENT PROTOCOL IN', twelve(0xa3, 0x10), 'reads'],
  ['SET IDENTIFYING INFORMATION', twelve(0xa4, 0x06), 'conflict'],
  ['SET TARGET PORT GROUPS', twelve(0xa4, 0x0a), 'conflict'],
  ['SET PRIORITY', twelve(0xa4, 0x0e), 'conflict'],
  ['SET TIMESTAMP', twelve(0xa4, 0x0f), 'conflict'],
  ['READ(12)', twelve(0xa8), 'reads'],
  ['WRITE(12)', twelve(0xaa), 'conflict'],
  ['READ MEDIA SERIAL NUMBER', twelve(0xab, 1), 'allowed'],
  ['WRITE AND VERIFY(12)', twelve(0xae), 'conflict'],
  ['VERIFY(12)', twelve(0xaf), 'reads'],
  ['SECURITY PROTOCOL OUT', twelve(0xb5), 'conflict'],
  ['READ DEFECT DATA(12)', twelve(0xb7), 'reads'],
  ['a vendor specific opcode', six(0x02), 'conflict'],
  ['a reserved opcode', ten(0x6a), 'conflict'],
  ['another vendor specific opcode', twelve(0xc5), 'conflict'],
];

/** A holds a reservation of this type; B is registered, C is not. */
function held(type: number): Testbed {
  const bed = threeNexuses();
  bed.prOut(A, 0, { actionKey: KEY_A });
  bed.prOut(B, 0, { actionKey: KEY_B });
  assert.is(bed.prOut(A, 1, { key: KEY_A, type }).status, GOOD);
  return bed;
}
const beds = new Map(TYPES.map((type) => [type, held(type)]));
const conflicts = (bed: Testbed, nexus: number, cdb: number[]): boolean =>
  bed.execute(nexus, cdb, { room: 4096, outBytes: 0 }).status === RESERVATION_CONFLICT;

for (const [name, cdb, column] of ROWS) {
  test(`test_reservation_${name}: ${column} for other nexuses, by type [SPC-4] table 65, [SBC-3] 4.17`, () => {
    for (const type of TYPES) {
      const bed = beds.get(type)!;
      const kept = column === 'conflict' || (column === 'reads' && excludesReads(type));
      assert.is(conflicts(bed, C, cdb), kept, `type ${type}, not registered`);
      assert.is(conflicts(bed, B, cdb), forRegistrants(type) ? false : kept, `type ${type}, registered`);
      assert.is(conflicts(bed, A, cdb), false, `type ${type}, holder`);
      bed.execute(A, six(0x1b, 0, 0, 0, 1)); // start it again
    }
  });
}

test('test_reservation_deny_by_default: every other opcode conflicts before anyone asks if it exists', () => {
  const listed = new Set([...ROWS.map(([, cdb]) => cdb[0]!), 0x5f]);
  const bed = beds.get(1)!;
  for (let opcode = 0; opcode < 256; opcode++) {
    if (listed.has(opcode)) continue;
    assert.ok(conflicts(bed, C, sixteen(opcode)), `opcode ${opcode.toString(16)}`);
    assert.is(bed.execute(A, sixteen(opcode)).sense, 0x052000, 'the holder learns that it does not exist');
  }
});

test('test_reservation_none: without a reservation registrations keep nobody out', () => {
  const bed = threeNexuses();
  bed.prOut(A, 0, { actionKey: KEY_A });
  assert.is(bed.execute(C, ten(0x2a), { outBytes: 512 }).status, GOOD);
});

/** [SPC-4] table 66, and what the service action itself then says of a wrong key: a conflict too. */
const SERVICE_ACTIONS: [string, number, boolean, boolean][] = [
  ['REGISTER', 0, true, true],
  ['RESERVE', 1, false, false],
  ['RELEASE', 2, true, false],
  ['CLEAR', 3, true, false],
  ['PREEMPT', 4, true, false],
  ['PREEMPT AND ABORT', 5, true, false],
  ['REGISTER AND IGNORE EXISTING KEY', 6, true, true],
  ['REGISTER AND MOVE', 7, false, false],
  ['REPLACE LOST RESERVATION', 8, false, false],
  ['a reserved service action', 0x1f, false, false],
];
for (const [name, action, registered, unregistered] of SERVICE_ACTIONS) {
  test(`test_prout_${name}_by_another: registered ${registered}, not registered ${unregistered} [SPC-4] table 66`, () => {
    for (const type of TYPES.filter((t) => t < 7)) {
      const ask = (nexus: number, key: bigint): number =>
        held(type).prOut(nexus, action, { type, key, actionKey: action === 0 || action === 6 ? 5n : KEY_A })
          .status;
      assert.is(ask(B, KEY_B) !== RESERVATION_CONFLICT, registered, `type ${type}`);
      assert.is(ask(C, 0n) !== RESERVATION_CONFLICT, unregistered, `type ${type}`);
    }
  });
}

test('test_reserve6_exceptions: RESERVE and RELEASE do nothing, with GOOD, for whom the persistent one is [SPC-4] 5.13.3', () => {
  for (const type of TYPES) {
    const bed = beds.get(type)!;
    for (const opcode of [0x16, 0x17]) {
      assert.is(bed.execute(A, six(opcode)).status, GOOD);
      assert.is(bed.execute(B, six(opcode)).status === GOOD, forRegistrants(type));
      assert.is(bed.execute(C, six(opcode)).status, RESERVATION_CONFLICT);
    }
    assert.is(bed.reservation()?.type, type);
  }
});

test('test_reserve6_simple: a reservation of RESERVE keeps other nexuses out until RELEASE [SPC-2] table 9', () => {
  for (const [reserve, release] of [
    [six(0x16), six(0x17)],
    [
      [0x56, ...Array<number>(9).fill(0)],
      [0x57, ...Array<number>(9).fill(0)],
    ],
  ] as const) {
    const bed = threeNexuses();
    assert.is(bed.execute(A, reserve).status, GOOD);
    for (const [, cdb] of ROWS.filter(([, c]) =>
      [0x00, 0x08, 0x28, 0x2a, 0x16, 0x56, 0x1a, 0x35].includes(c[0]!),
    )) {
      assert.ok(conflicts(bed, B, cdb));
      assert.not(conflicts(bed, A, cdb));
    }
    for (const opcode of [0x12, 0x03, 0xa0, 0x25]) {
      assert.not(conflicts(bed, B, ROWS.find(([, c]) => c[0] === opcode)![1]));
    }
    assert.is(bed.execute(B, release).status, GOOD);
    assert.ok(conflicts(bed, B, ten(0x28)), 'another nexus releases nothing');
    assert.is(bed.prOut(A, 0, { actionKey: 1n }).status, RESERVATION_CONFLICT, 'nor does anyone register');
    bed.execute(A, release);
    assert.not(conflicts(bed, B, ten(0x28)));
  }
});

test('test_reserve6_ends: logical unit reset, loss of the nexus and power loss end it [SPC-2] 7.21', () => {
  const ends: [string, (bed: Testbed) => void][] = [
    ['reset', (bed) => bed.call.lu_reset(bed.lu, 1)],
    ['logout', (bed) => bed.logout(A)],
    ['power', (bed) => bed.powerCycle()],
  ];
  for (const [name, end] of ends) {
    const bed = threeNexuses();
    bed.execute(A, six(0x16));
    end(bed);
    bed.drain(B);
    assert.not(conflicts(bed, B, [0x28, 0, ...be32(0), 0, ...be16(1), 0]), name);
  }
});

test.run();
