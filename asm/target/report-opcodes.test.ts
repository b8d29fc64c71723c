import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import {
  A,
  B,
  CHECK_CONDITION,
  GOOD,
  RESERVATION_CONFLICT,
  be16,
  be32,
  threeNexuses,
} from './testbed.test-helper.ts';

const test = suite('REPORT SUPPORTED OPERATION CODES and TASK MANAGEMENT FUNCTIONS');
const bed = threeNexuses();
const ask = (options: number, opcode = 0, action = 0, { room = 4096, rctd = 0, by = A } = {}) =>
  bed.execute(by, [0xa3, 0x0c, (rctd << 7) | options, opcode, ...be16(action), ...be32(room), 0, 0], {
    room,
  });

interface Descriptor {
  opcode: number;
  action: number | null;
  bytes: number;
  timeouts: number[] | null;
}
function descriptors(data: Uint8Array): Descriptor[] {
  const v = new DataView(data.buffer, data.byteOffset, data.length);
  const found: Descriptor[] = [];
  assert.is(v.getUint32(0), data.length - 4, 'COMMAND DATA LENGTH');
  for (let at = 4; at < data.length;) {
    const flags = data[at + 5]!;
    const ctdp = (flags & 2) !== 0;
    found.push({
      opcode: data[at]!,
      action: flags & 1 ? v.getUint16(at + 2) : null,
      bytes: v.getUint16(at + 6),
      timeouts: ctdp ? [v.getUint16(at + 8), v.getUint32(at + 12), v.getUint32(at + 16)] : null,
    });
    at += ctdp ? 20 : 8;
  }
  return found;
}

test('test_report_supported_opcodes_all: each command once, with the length its group code says [SPC-4] 6.35.2', () => {
  const all = descriptors(ask(0).data);
  assert.ok(all.length > 40);
  assert.is(new Set(all.map(({ opcode, action }) => `${opcode}/${action}`)).size, all.length);
  for (const { opcode, bytes } of all) assert.is(bytes, [6, 10, 10, 0, 16, 12][opcode >> 5], `${opcode}`);
  for (const opcode of [0x00, 0x03, 0x12, 0x28, 0x2a, 0x88, 0x8a, 0xa0, 0x5e, 0x5f, 0xa3])
    assert.ok(
      all.some((row) => row.opcode === opcode),
      `${opcode}`,
    );
});

test('what it lists is known when it is sent, and what it does not list is not [SPC-4] 6.35.2', () => {
  const all = descriptors(ask(0).data);
  for (let opcode = 0; opcode < 256; opcode++) {
    const told = all.some((row) => row.opcode === opcode);
    bed.drain(A);
    const { sense } = bed.execute(A, [opcode, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], { room: 4096 });
    assert.is(sense !== 0x052000, told, `operation code ${opcode.toString(16)}`);
  }
  bed.create();
  bed.attach(A, Uint8Array.from([6, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, ...Array<number>(12).fill(0)]));
});

test('test_report_supported_opcodes_rctd: a descriptor of 10 bytes with both time-outs behind each [SPC-4] 6.35.4', () => {
  for (const { opcode, timeouts } of descriptors(ask(0, 0, 0, { rctd: 1 }).data)) {
    assert.is(timeouts![0], 10);
    assert.ok(timeouts![1]! > 0 && timeouts![2]! > timeouts![1]!, `${opcode}`);
  }
});

test('test_report_supported_opcodes_one: usage data say which bits are looked at [SPC-4] 6.35.3', () => {
  const read = ask(1, 0x28).data;
  assert.equal([...read], [0, 3, 0, 10, 0x28, 0xfe, 255, 255, 255, 255, 0x1f, 255, 255, 0]);
  const timed = ask(1, 0x28, 0, { rctd: 1 }).data;
  assert.equal([timed[1], timed.length, ...timed.subarray(14, 16)], [0x83, 26, 0, 10]);
  const capacity = ask(2, 0x9e, 0x10).data;
  assert.equal([...capacity.subarray(0, 6)], [0, 3, 0, 16, 0x9e, 0x10]);
  assert.is(ask(3, 0x9e, 0x10).data[1], 3);
  assert.is(ask(3, 0x28).data[1], 3);
});

test('test_report_supported_opcodes_unsupported: SUPPORT 001b and no more [SPC-4] 6.35.3', () => {
  for (const [options, opcode, action] of [
    [1, 0xff, 0],
    [2, 0xff, 1],
    [2, 0x9e, 0x1f],
    [3, 0x9e, 0x1f],
    [3, 0x28, 1],
    [3, 0xff, 0],
  ] as const)
    assert.equal([...ask(options, opcode, action).data], [0, 1, 0, 0], `${options} ${opcode}/${action}`);
});

for (const [name, options, opcode, field, bit] of [
  ['001b for an opcode with service actions', 1, 0x9e, 3, 7],
  ['010b for an opcode without', 2, 0x28, 3, 7],
  ['100b', 4, 0x28, 2, 2],
  ['111b', 7, 0x28, 2, 2],
] as const)
  test(`test_report_supported_opcodes_options: ${name} is INVALID FIELD IN CDB [SPC-4] 6.35.1`, () => {
    const outcome = ask(options, opcode);
    assert.equal(
      [outcome.status, outcome.sense, outcome.field, outcome.bit],
      [CHECK_CONDITION, 0x052400, field, bit],
    );
  });

test('test_report_supported_opcodes_alloclen: COMMAND DATA LENGTH is not cut [SPC-4] 4.2.5.6', () => {
  const whole = ask(0).data;
  for (const room of [0, 3, 4, 13, 100]) {
    const cut = ask(0, 0, 0, { room });
    assert.equal([cut.status, cut.data], [GOOD, whole.slice(0, room)]);
  }
});

test('test_report_supported_opcodes_reserved: bits nobody looks at are refused [SPC-4] 4.2.5', () => {
  for (const [byte, bit] of [
    [2, 3],
    [2, 6],
    [10, 0],
    [11, 2],
  ] as const) {
    const cdb = [0xa3, 0x0c, 0, 0, 0, 0, ...be32(64), 0, 0];
    cdb[byte]! |= 1 << bit;
    const outcome = bed.execute(A, cdb, { room: 64 });
    assert.equal([outcome.sense, outcome.field, outcome.bit], [0x052400, byte, bit]);
  }
});

test('test_report_supported_tmfs: what there is, and with REPD how long it may take [SPC-4] 6.36', () => {
  const short = bed.execute(A, [0xa3, 0x0d, 0, 0, 0, 0, ...be32(64), 0, 0], { room: 64 });
  assert.equal([...short.data], [0xdc, 0x07, 0, 0]);
  const long = bed.execute(A, [0xa3, 0x0d, 0x80, 0, 0, 0, ...be32(64), 0, 0], { room: 64 });
  assert.equal([...long.data], [0xdc, 0x07, 0, 12, 1, 0x18, 0, 0, 0, 0, 0, 100, 0, 0, 0, 10]);
});

test('each function told to be there, and not the host’s own, is there [SAM-5] 7', () => {
  for (const management of [
    L.TMF_ABORT_TASK_SET,
    L.TMF_CLEAR_TASK_SET,
    L.TMF_LOGICAL_UNIT_RESET,
    L.TMF_I_T_NEXUS_RESET,
    L.TMF_QUERY_TASK_SET,
    L.TMF_QUERY_ASYNCHRONOUS_EVENT,
  ])
    assert.is.not(bed.manage(A, management).response, L.TMF_NOT_SUPPORTED, `${management}`);
  bed.drain(A);
});

test('QUERY TASK SET tells whether the nexus has tasks, QUERY ASYNCHRONOUS EVENT whether it has a unit attention [SAM-5] 7.10, 7.11', () => {
  assert.is(bed.manage(A, L.TMF_QUERY_TASK_SET, 0b10n).response, L.TMF_COMPLETE);
  assert.is(bed.manage(A, L.TMF_QUERY_TASK_SET, 0b01n).response, L.TMF_SUCCEEDED);
  assert.is(bed.manage(A, L.TMF_QUERY_ASYNCHRONOUS_EVENT).response, L.TMF_COMPLETE);
  bed.call.lu_reset(bed.lu, L.RESET_LOGICAL_UNIT);
  assert.is(bed.manage(A, L.TMF_QUERY_ASYNCHRONOUS_EVENT).response, L.TMF_SUCCEEDED);
  bed.drain(A);
});

test('both are kept out by exclusive access of another, not by write exclusive [SPC-4] table 65', () => {
  for (const [type, expected] of [
    [1, GOOD],
    [3, RESERVATION_CONFLICT],
  ] as const) {
    const other = threeNexuses();
    other.prOut(A, 0, { actionKey: 1n });
    other.prOut(A, 1, { key: 1n, type });
    for (const action of [0x0c, 0x0d])
      assert.is(
        other.execute(B, [0xa3, action, 0, 0, 0, 0, ...be32(64), 0, 0], { room: 64 }).status,
        expected,
      );
  }
});

test.run();
