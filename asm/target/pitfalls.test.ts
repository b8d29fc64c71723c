/** What common targets get wrong, one test each; the details are in reservation.test.ts and conflict.test.ts. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  A,
  B,
  C,
  CHECK_CONDITION,
  GOOD,
  KEY_A,
  KEY_B,
  KEY_C,
  RESERVATION_CONFLICT,
  Testbed,
  be32,
  iscsiId,
  threeNexuses,
  write10,
} from './testbed.test-helper.ts';
import * as L from '../layout.ts';

const test = suite('pitfalls');

function registered(type = 0): Testbed {
  const bed = threeNexuses();
  [KEY_A, KEY_B, KEY_C].forEach((key, nexus) => bed.prOut(nexus, 0, { actionKey: key }));
  if (type) bed.prOut(A, 1, { key: KEY_A, type });
  return bed;
}
const write = (bed: Testbed, nexus: number) => bed.execute(nexus, write10(0, 1), { outBytes: 512 });

test('pitfall: comparing part of the ISID. Initiators that differ in any one of its digits are strangers', () => {
  const name = 'iqn.1993-08.org.debian:01:abcdef';
  const isid = '400001370000';
  const bed = new Testbed({ protocol: 5 });
  bed.attach(0, iscsiId(name, isid));
  bed.prOut(0, 0, { actionKey: 1n });
  bed.prOut(0, 1, { key: 1n, type: 1 });
  for (let i = 0; i < isid.length; i++) {
    const other = isid.slice(0, i) + (isid[i] === 'f' ? 'e' : 'f') + isid.slice(i + 1);
    bed.attach(1, iscsiId(name, other));
    assert.is(write(bed, 1).status, RESERVATION_CONFLICT, other);
  }
  bed.logout(0);
  bed.attach(2, iscsiId(name, isid));
  assert.is(write(bed, 2).status, GOOD, 'and the same one is again the holder');
});

test('pitfall: RESERVE or RELEASE without checking the key', () => {
  const bed = registered();
  assert.is(bed.prOut(A, 1, { key: KEY_B, type: 1 }).status, RESERVATION_CONFLICT);
  assert.is(bed.prOut(A, 1, { key: 0n, type: 1 }).status, RESERVATION_CONFLICT);
  assert.is(bed.reservation(), null);
  bed.prOut(A, 1, { key: KEY_A, type: 1 });
  assert.is(bed.prOut(A, 2, { key: KEY_B, type: 1 }).status, RESERVATION_CONFLICT);
  assert.is(bed.reservation()?.key, KEY_A);
});

test('pitfall: the unit attention of a RELEASE goes to all registered others, and only of types 5 to 8', () => {
  for (const type of [1, 3, 5, 6, 7, 8]) {
    const bed = registered(type);
    bed.prOut(C, 0, { key: KEY_C }); // C is no longer registered
    bed.prOut(A, 2, { key: KEY_A, type });
    assert.equal(
      [A, B, C].map((n) => bed.drain(n)),
      [[], type >= 5 ? [0x062a04] : [], []],
    );
  }
});

test('pitfall: PREEMPT by key under an all registrants type only removes registrations', () => {
  const bed = registered(7);
  assert.is(bed.prOut(B, 4, { key: KEY_B, actionKey: KEY_A, type: 1 }).status, GOOD);
  assert.equal([bed.reservation()?.type, bed.keys()], [7, [KEY_B, KEY_C]]);
  assert.is(bed.prOut(B, 4, { key: KEY_B, actionKey: 99n, type: 1 }).status, RESERVATION_CONFLICT);
});

test('pitfall: PREEMPT AND ABORT aborts what is pending, of preempted nexuses and of no other', () => {
  assert.is(registered(1).prOut(B, 5, { key: KEY_B, actionKey: KEY_A, type: 1 }).abort, 0b001n);
  assert.is(registered(1).prOut(B, 5, { key: KEY_B, actionKey: KEY_C, type: 1 }).abort, 0b100n);
  assert.is(
    registered(7).prOut(B, 5, { key: KEY_B, actionKey: 0n, type: 1 }).abort,
    0b111n,
    'its own others too',
  );
  assert.is(
    registered(1).prOut(B, 4, { key: KEY_B, actionKey: KEY_A, type: 1 }).abort,
    0n,
    'PREEMPT aborts nothing',
  );
});

test('pitfall: PRgeneration counts REGISTER, CLEAR, PREEMPT and the like, not RESERVE, not RELEASE, not failures', () => {
  const bed = registered();
  assert.is(bed.generation(), 3);
  const steps: [string, () => unknown, number][] = [
    ['RESERVE', () => bed.prOut(A, 1, { key: KEY_A, type: 1 }), 0],
    ['RELEASE', () => bed.prOut(A, 2, { key: KEY_A, type: 1 }), 0],
    ['READ KEYS', () => bed.prIn(A, 0), 0],
    ['REGISTER with a wrong key', () => bed.prOut(A, 0, { key: 9n, actionKey: 9n }), 0],
    ['PREEMPT of nobody', () => bed.prOut(A, 4, { key: KEY_A, actionKey: 9n }), 0],
    ['REGISTER AND IGNORE EXISTING KEY', () => bed.prOut(A, 6, { actionKey: KEY_A }), 1],
    ['REGISTER', () => bed.prOut(A, 0, { key: KEY_A, actionKey: KEY_A }), 1],
    ['PREEMPT', () => bed.prOut(A, 4, { key: KEY_A, actionKey: KEY_B }), 1],
    ['PREEMPT AND ABORT', () => bed.prOut(A, 5, { key: KEY_A, actionKey: KEY_C }), 1],
    ['CLEAR', () => bed.prOut(A, 3, { key: KEY_A }), 1],
  ];
  for (const [name, step, count] of steps) {
    const before = bed.generation();
    step();
    assert.is(bed.generation() - before, count, name);
  }
});

test('pitfall: ADDITIONAL LENGTH is not cut by the allocation length', () => {
  const bed = registered(1);
  for (const [action, bytes] of [
    [0, 24],
    [1, 16],
    [3, 144],
  ] as const) {
    assert.equal([...bed.prIn(A, action, 8).data.subarray(4, 8)], be32(bytes));
  }
});

test('pitfall: APTPL state is never rewritten in place: the slot that counts stays until the other one is whole', () => {
  const bed = threeNexuses();
  bed.prOut(A, 0, { actionKey: KEY_A, flags: 1 });
  const durable = bed.nv();
  bed.prOut(A, 0, { key: KEY_A, actionKey: 5n, flags: 1 });
  const half = durable.length / 2;
  const slot = bed.call.lu_nv_slot(bed.lu);
  durable.fill(0xee, slot * half, (slot + 1) * half); // the new write came to nothing
  bed.powerCycle(durable);
  assert.equal(bed.keys(), [KEY_A]);
});

test('pitfall: opcodes forgotten in the conflict table: WRITE SAME, 12-byte variants, READ CAPACITY(16)', () => {
  const bed = registered(1);
  const c = (nexus: number, cdb: number[]) =>
    bed.execute(nexus, cdb, { room: 32 }).status === RESERVATION_CONFLICT;
  assert.ok(c(B, [0x41, 0, 0, 0, 0, 0, 0, 0, 1, 0]), 'WRITE SAME(10)');
  assert.ok(c(B, [0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]), 'WRITE SAME(16)');
  assert.ok(c(B, [0xaa, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]), 'WRITE(12)');
  assert.ok(c(B, [0xae, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]), 'WRITE AND VERIFY(12)');
  assert.not(c(B, [0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]), 'READ(12)');
  assert.not(c(B, [0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0]), 'READ CAPACITY(16)');
});

test('pitfall: the check is done at execution: a write that arrived before the reservation conflicts after it', () => {
  const bed = registered();
  const v = bed.view;
  assert.is(write(bed, B).status, GOOD);
  const queued = bed.bytes.slice(bed.task, bed.task + L.TASK_BYTES); // B's write, received and not yet executed
  bed.prOut(A, 1, { key: KEY_A, type: 1 });
  bed.bytes.set(queued, bed.task);
  assert.is(bed.call.lu_execute(bed.lu, bed.task), L.ACTION_NONE);
  assert.is(v.getUint32(bed.task + L.TASK_STATUS_AT, true), RESERVATION_CONFLICT);
});

test("pitfall: after preemption the victim's next command gets one unit attention, then conflicts", () => {
  for (const action of [4, 5]) {
    const bed = registered(1);
    bed.prOut(B, action, { key: KEY_B, actionKey: KEY_A, type: 1 });
    const first = write(bed, A);
    assert.equal([first.status, first.sense], [CHECK_CONDITION, 0x062a05]);
    for (let i = 0; i < 3; i++) assert.is(write(bed, A).status, RESERVATION_CONFLICT);
    assert.is(
      bed.execute(A, [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], { room: 512 }).status,
      GOOD,
      'reads still go',
    );
  }
});

test('pitfall: by option the order of [SAM-5] 5.3.3: RESERVATION CONFLICT before 2Ah, after 29h', () => {
  const bed = threeNexuses({ flags: L.LU_FLAG_CONFLICT_FIRST });
  bed.prOut(A, 0, { actionKey: KEY_A });
  bed.prOut(B, 0, { actionKey: KEY_B });
  bed.prOut(A, 1, { key: KEY_A, type: 1 });
  bed.prOut(B, 4, { key: KEY_B, actionKey: KEY_A, type: 1 });
  assert.is(write(bed, A).status, RESERVATION_CONFLICT);
  assert.is(bed.execute(A, [0, 0, 0, 0, 0, 0]).sense, 0x062a05, 'kept for a command that does not conflict');
  bed.call.lu_reset(bed.lu, L.RESET_HARD);
  assert.is(write(bed, A).sense, 0x062902);
});

test('pitfall: a repeated PREEMPT after a lost reply conflicts; the keys tell that it was done', () => {
  const bed = registered(1);
  const again = () => bed.prOut(B, 5, { key: KEY_B, actionKey: KEY_A, type: 1 }).status;
  assert.equal([again(), again()], [GOOD, RESERVATION_CONFLICT]);
  assert.equal([bed.keys(), bed.reservation()?.key], [[KEY_B, KEY_C], KEY_B]);
});

test('pitfall: an unregistered board cannot PREEMPT', () => {
  const bed = threeNexuses();
  bed.prOut(A, 0, { actionKey: KEY_A });
  bed.prOut(A, 1, { key: KEY_A, type: 1 });
  assert.is(bed.prOut(B, 4, { key: 0n, actionKey: KEY_A, type: 1 }).status, RESERVATION_CONFLICT);
  assert.is(bed.prOut(B, 4, { key: KEY_A, actionKey: KEY_A, type: 1 }).status, RESERVATION_CONFLICT);
});

test.run();
