import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import {
  A,
  B,
  C,
  CHECK_CONDITION,
  GOOD,
  ID_A,
  ID_B,
  KEY_A,
  KEY_B,
  RESERVATION_CONFLICT,
  TEST_UNIT_READY,
  Testbed,
  iscsiId,
  read10,
  sasId,
  threeNexuses,
  write10,
} from './testbed.test-helper.ts';

const test = suite('nexuses, unit attentions, task management');
const POWER_ON = 0x062901;
const HARD_RESET = 0x062902;
const LU_RESET = 0x062903;
const INTERNAL_RESET = 0x062904;
const NEXUS_LOSS = 0x062907;
const CLEARED = 0x062f00;
const all = (bed: Testbed): number[][] => [A, B, C].map((nexus) => bed.drain(nexus));

test('test_unit_attention_power_on: a nexus that is new is told 29/01, once [SAM-5] 5.14, 6.3.1', () => {
  const bed = new Testbed();
  assert.is(bed.login(A, ID_A), L.LOGIN_OK);
  const { status, sense } = bed.execute(A, TEST_UNIT_READY);
  assert.equal([status, sense], [CHECK_CONDITION, POWER_ON]);
  assert.is(bed.execute(A, TEST_UNIT_READY).status, GOOD);
});

test('test_unit_attention_exceptions: INQUIRY and REPORT LUNS do not tell it nor clear it [SAM-5] 5.14', () => {
  const bed = new Testbed();
  bed.login(A, ID_A);
  assert.is(bed.execute(A, [0x12, 0, 0, 0, 96, 0], { room: 96 }).status, GOOD);
  assert.is(bed.execute(A, [0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], { room: 256 }).status, GOOD);
  assert.is(bed.call.lu_attention(bed.lu, A), POWER_ON);
  assert.is(bed.execute(A, read10(0, 1), { room: 512 }).sense, POWER_ON);
  assert.is(bed.call.lu_attention(bed.lu, A), 0);
});

test('test_unit_attention_unknown_opcode: even a command that does not exist tells it first [SAM-5] 5.14', () => {
  const bed = new Testbed();
  bed.login(A, ID_A);
  assert.is(bed.execute(A, [0x02, 0, 0, 0, 0, 0]).sense, POWER_ON);
});

for (const [name, kind, code] of [
  ['logical unit reset', L.RESET_LOGICAL_UNIT, LU_RESET],
  ['hard reset', L.RESET_HARD, HARD_RESET],
  ['internal reset', L.RESET_INTERNAL, INTERNAL_RESET],
] as const) {
  test(`test_reset: ${name} is told to every nexus; registrations and reservation stay [SAM-5] 6.3`, () => {
    const bed = threeNexuses();
    bed.prOut(A, 0, { actionKey: KEY_A });
    bed.prOut(A, 1, { key: KEY_A, type: 1 });
    bed.execute(A, [0x1b, 0, 0, 0, 0, 0]);
    bed.call.lu_reset(bed.lu, kind);
    assert.equal(all(bed), [[code], [code], [code]]);
    assert.equal([bed.keys(), bed.reservation()?.nexus], [[KEY_A], A]);
    assert.is(bed.execute(A, TEST_UNIT_READY).status, GOOD, 'started');
  });
}

test('test_unit_attention_order: resets come first, none is told twice, power on makes the rest moot [SAM-5] 5.14', () => {
  const bed = threeNexuses();
  bed.prOut(A, 0, { actionKey: KEY_A });
  bed.prOut(B, 0, { actionKey: KEY_B });
  bed.prOut(A, 3, { key: KEY_A }); // CLEAR
  bed.call.lu_reset(bed.lu, L.RESET_LOGICAL_UNIT);
  bed.call.lu_reset(bed.lu, L.RESET_LOGICAL_UNIT);
  bed.call.lu_reset(bed.lu, L.RESET_HARD);
  assert.equal(bed.drain(B), [LU_RESET, HARD_RESET, 0x062a03]);
  bed.call.lu_reset(bed.lu, L.RESET_HARD);
  bed.call.lu_power_on(bed.lu);
  bed.call.lu_reset(bed.lu, L.RESET_LOGICAL_UNIT);
  assert.equal(bed.drain(B), [POWER_ON]);
});

test('test_nexus_loss: logging in again is told 29/07; the registration is found again at any index [SAM-5] 6.3.4', () => {
  const bed = threeNexuses();
  bed.prOut(A, 0, { actionKey: KEY_A });
  bed.prOut(A, 1, { key: KEY_A, type: 1 });
  bed.logout(A);
  assert.is(bed.reservation()?.nexus, L.NO_NEXUS);
  assert.is(bed.execute(B, write10(0, 1), { outBytes: 512 }).status, RESERVATION_CONFLICT, 'still held');
  bed.login(9, ID_A, 1);
  assert.equal(bed.drain(9), [NEXUS_LOSS]);
  assert.is(bed.reservation()?.nexus, 9);
  assert.is(bed.execute(9, write10(0, 1), { outBytes: 512 }).status, GOOD);
});

test("test_nexus_reuse: an index that another initiator gets has none of the old one's rights", () => {
  const bed = threeNexuses();
  bed.prOut(A, 0, { actionKey: KEY_A });
  bed.prOut(A, 1, { key: KEY_A, type: 1 });
  bed.logout(A);
  bed.attach(A, sasId(0x77n));
  assert.is(bed.execute(A, write10(0, 1), { outBytes: 512 }).status, RESERVATION_CONFLICT);
  bed.attach(5, ID_A);
  assert.is(bed.execute(5, write10(0, 1), { outBytes: 512 }).status, GOOD);
});

test('test_nexus_reinstatement: the same identity at a second index takes over; the first is gone', () => {
  const bed = threeNexuses();
  bed.prOut(A, 0, { actionKey: KEY_A });
  bed.login(9, ID_A, 1);
  assert.is(bed.execute(A, TEST_UNIT_READY).sense, 0x044400);
  assert.equal(bed.drain(9), [NEXUS_LOSS]);
  assert.is(bed.prOut(9, 1, { key: KEY_A, type: 1 }).status, GOOD);
});

test('test_nexus_attentions_kept: preempted while logged out, it learns of it when it is back', () => {
  const bed = threeNexuses();
  bed.prOut(A, 0, { actionKey: KEY_A });
  bed.prOut(B, 0, { actionKey: KEY_B });
  bed.logout(A);
  bed.prOut(B, 4, { key: KEY_B, actionKey: KEY_A });
  bed.login(12, ID_A, 1);
  assert.equal(bed.drain(12), [NEXUS_LOSS, 0x062a05]);
});

test('test_nexus_invalid: indexes, ports and ids that are none are refused and change nothing', () => {
  const bed = threeNexuses();
  assert.is(bed.login(64, ID_B), L.LOGIN_BAD_NEXUS);
  assert.is(bed.login(5, ID_B, 0), L.LOGIN_BAD_NEXUS);
  assert.is(bed.login(5, ID_B, 3), L.LOGIN_BAD_NEXUS);
  for (const id of [
    new Uint8Array(0),
    ID_B.subarray(0, 23),
    new Uint8Array([...ID_B, 0]),
    new Uint8Array([0x45, 0, 0, 20, ...Buffer.from('iqn.2004-10.com.a'), 0, 0, 0]),
    iscsiId('iqn.a', '0123456789a'),
    iscsiId('iqn.a', '0123456789ag'),
    iscsiId('x'.repeat(300), '0123456789ab'),
  ]) {
    assert.is(bed.login(5, id), L.LOGIN_BAD_ID);
  }
  assert.is(bed.execute(B, TEST_UNIT_READY).status, GOOD);
  assert.is(bed.execute(5, TEST_UNIT_READY).sense, 0x044400);
  bed.logout(5);
  bed.logout(999);
});

test('test_abort_task_set: the tasks of that nexus, nobody is told [SAM-5] 7.3', () => {
  const bed = threeNexuses();
  assert.equal(bed.manage(B, L.TMF_ABORT_TASK_SET), { response: L.TMF_COMPLETE, abort: 2n });
  assert.equal(all(bed), [[], [], []]);
});

test('test_clear_task_set: all tasks; others who had some are told COMMANDS CLEARED [SAM-5] 7.5, 5.6', () => {
  const bed = threeNexuses();
  const { response, abort } = bed.manage(B, L.TMF_CLEAR_TASK_SET, 0b011n);
  assert.equal([response, abort & 7n], [L.TMF_COMPLETE, 7n]);
  assert.equal(all(bed), [[CLEARED], [], []]);
});

test('test_logical_unit_reset: all tasks, all are told [SAM-5] 7.7', () => {
  const bed = threeNexuses();
  const { response, abort } = bed.manage(B, L.TMF_LOGICAL_UNIT_RESET);
  assert.equal([response, abort & 7n], [L.TMF_COMPLETE, 7n]);
  assert.equal(all(bed), [[LU_RESET], [LU_RESET], [LU_RESET]]);
});

test('test_i_t_nexus_reset: one nexus loses its tasks and is told [SAM-5] 7.6', () => {
  const bed = threeNexuses();
  assert.equal(bed.manage(C, L.TMF_I_T_NEXUS_RESET), { response: L.TMF_COMPLETE, abort: 4n });
  assert.equal(all(bed), [[], [], [NEXUS_LOSS]]);
});

test("test_task_management_unknown: ABORT TASK is the host's own; others are not supported", () => {
  const bed = threeNexuses();
  for (const management of [L.TMF_ABORT_TASK, 0x40, 0x80, 0]) {
    assert.equal(bed.manage(A, management), { response: L.TMF_NOT_SUPPORTED, abort: 0n });
  }
  assert.is(bed.manage(40, L.TMF_LOGICAL_UNIT_RESET).response, L.TMF_NOT_SUPPORTED);
});

test('a copy of the block is a snapshot: put back, even elsewhere, everything is as it was', () => {
  const bed = threeNexuses();
  bed.prOut(A, 0, { actionKey: KEY_A, flags: 1 });
  bed.prOut(A, 1, { key: KEY_A, type: 5 });
  bed.call.lu_reset(bed.lu, L.RESET_HARD);
  const snapshot = bed.bytes.slice(bed.lu, bed.lu + bed.luBytes);
  bed.prOut(A, 3, { key: KEY_A });
  bed.create();
  bed.bytes.set(snapshot, bed.lu);
  assert.equal(all(bed), [[HARD_RESET], [HARD_RESET], [HARD_RESET]]);
  assert.equal([bed.keys(), bed.reservation()], [[KEY_A], { key: KEY_A, type: 5, nexus: A }]);

  const elsewhere = new Testbed();
  elsewhere.bytes.set(snapshot, elsewhere.lu);
  assert.equal(elsewhere.drain(B), [HARD_RESET]);
  assert.equal(elsewhere.reservation(), { key: KEY_A, type: 5, nexus: A });
});

test.run();
