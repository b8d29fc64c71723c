import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MS, US } from '../clock.ts';
import {
  A0,
  A1,
  B0,
  B1,
  Bench,
  CHECK_CONDITION,
  GOOD,
  PREEMPT,
  PREEMPT_AND_ABORT,
  REGISTER_AND_IGNORE,
  RESERVATION_CONFLICT,
  SECTOR,
  type Sent,
  SYNCHRONIZE,
  TEST_UNIT_READY,
  filled,
  inquiry,
  read16,
  senseOf,
  write16,
} from './bench.test-helper.ts';
import { ImageError } from './medium.ts';
import { FIRST_NEXUS } from './target-port.ts';

const test = suite('disk');
const KEY_A = 0xa1n;
const KEY_B = 0xb1n;
const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** A holds the disk, B is registered: how each disk of the pair looks before a takeover. */
function heldByA(bench = new Bench()): Bench {
  bench.hold(A0, KEY_A);
  bench.reserve(B0, REGISTER_AND_IGNORE, 0n, KEY_B);
  bench.drain();
  return bench;
}

test('what is written reads back, by the other board too, and lies on the medium when it is acknowledged', () => {
  const bench = new Bench();
  const written = bench.execute(A0, write16(100, 8), filled(8, 0x5a));
  assert.is(written.task.status, GOOD);
  assert.is(written.task.residual, 0);
  assert.equal(bench.onMedium(100, 8), filled(8, 0x5a));
  const read = bench.execute(B0, read16(99, 10), 10 * SECTOR);
  assert.is(read.task.status, GOOD);
  assert.equal(read.task.memory, Uint8Array.of(...filled(1, 0), ...filled(8, 0x5a), ...filled(1, 0)));
  assert.equal(bench.landed, [{ disk: 0, nexus: A0, lba: 100, blocks: 8, at: written.at }]);
});

test('a write is on the medium at the end of its service, not before', () => {
  const bench = new Bench();
  const sent = bench.submit(A0, write16(100, 8), filled(8, 1));
  bench.clock.runUntil(5000 * US);
  assert.ok(isZero(bench.onMedium(100, 8)));
  assert.is(sent.ended, null);
  bench.drain();
  assert.equal(bench.onMedium(100, 8), filled(8, 1));
});

test('data lies in pieces in the memory of the initiator, and is moved piece by piece', () => {
  const bench = new Bench();
  const memory = new Uint8Array(8192);
  memory.fill(1, 100, 612).fill(2, 4000, 4512);
  const write = bench.task(A0, write16(5, 2), memory);
  write.task.list = [100, 512, 4000, 512];
  write.task.bytes = 1024;
  bench.disks[0]!.submit(write.task);
  bench.drain();
  assert.equal(bench.onMedium(5, 2), Uint8Array.of(...filled(1, 1), ...filled(1, 2)));
  const read = bench.task(A0, read16(5, 2), new Uint8Array(4096).fill(9));
  read.task.list = [0, 100, 200, 900, 3000, 24];
  read.task.bytes = 1024;
  bench.disks[0]!.submit(read.task);
  bench.drain();
  const { memory: got } = read.task;
  assert.ok(got.subarray(0, 100).every((byte) => byte === 1));
  assert.ok(got.subarray(100, 200).every((byte) => byte === 9));
  assert.ok(got.subarray(200, 612).every((byte) => byte === 1));
  assert.ok(got.subarray(612, 1100).every((byte) => byte === 2));
  assert.ok(got.subarray(1100, 3000).every((byte) => byte === 9));
  assert.ok(got.subarray(3000, 3024).every((byte) => byte === 2));
  assert.ok(got.subarray(3024).every((byte) => byte === 9));
});

test('the reservation is checked when a write is executed, not when it arrives: queued before, preempted meanwhile, it conflicts', () => {
  const bench = heldByA();
  const first = bench.submit(A0, write16(0, 8), filled(8, 1)); // in service
  const second = bench.submit(A0, write16(100, 8), filled(8, 2)); // waits for it
  const preempt = bench.reserve(B0, PREEMPT, KEY_B, KEY_A);
  bench.drain();
  assert.is(preempt.task.status, GOOD);
  assert.is(first.task.status, GOOD);
  // REGISTRATIONS PREEMPTED is told first; either way the write is not executed.
  assert.is(second.task.status, CHECK_CONDITION);
  assert.is(senseOf(second.task.sense), 0x062a05);
  assert.ok(isZero(bench.onMedium(100, 8)));
  const third = bench.execute(A0, write16(100, 8), filled(8, 3));
  assert.is(third.task.status, RESERVATION_CONFLICT);
  assert.ok(isZero(bench.onMedium(100, 8)));
});

test('plain PREEMPT lets the write in service land, and only that', () => {
  const bench = heldByA();
  const writes = [1, 2, 3].map((n) => bench.submit(A0, write16(n * 100, 8), filled(8, n)));
  bench.reserve(B0, PREEMPT, KEY_B, KEY_A);
  bench.drain();
  assert.equal(
    bench.landed.map(({ lba }) => lba),
    [100],
  );
  assert.equal(bench.onMedium(100, 8), filled(8, 1));
  assert.ok(writes.every(({ ended }) => ended === 'completed'));
});

test('PREEMPT AND ABORT ends the writes of the victim, queued and in service: nothing of them lands', () => {
  const bench = heldByA();
  const writes = [1, 2, 3].map((n) => bench.submit(A0, write16(n * 100, 8), filled(8, n)));
  bench.clock.runUntil(bench.clock.now + 2000 * US); // the first is half way
  const preempt = bench.reserve(B0, PREEMPT_AND_ABORT, KEY_B, KEY_A);
  bench.drain();
  assert.is(preempt.task.status, GOOD);
  assert.is(preempt.ended, 'completed');
  assert.equal(
    writes.map(({ ended }) => ended),
    ['lost', 'lost', 'lost'],
  );
  assert.equal(bench.landed, []);
  assert.ok(isZero(bench.onMedium(0, 1000)));
});

test('PREEMPT AND ABORT leaves the commands of others alone, and the disk goes on with them', () => {
  const bench = heldByA();
  const victim = bench.submit(A0, write16(100, 8), filled(8, 1));
  const read = bench.submit(B0, read16(100, 8), 8 * SECTOR);
  bench.reserve(B0, PREEMPT_AND_ABORT, KEY_B, KEY_A);
  const write = bench.submit(B0, write16(200, 8), filled(8, 7));
  bench.drain();
  assert.equal([victim.ended, read.ended, write.ended], ['lost', 'completed', 'completed']);
  assert.equal([read.task.status, write.task.status], [GOOD, GOOD]);
  assert.ok(isZero(read.task.memory));
  assert.equal(bench.onMedium(200, 8), filled(8, 7));
});

test('a PREEMPT AND ABORT that is refused aborts nothing', () => {
  const bench = heldByA();
  const write = bench.submit(A0, write16(100, 8), filled(8, 1));
  const preempt = bench.reserve(B0, PREEMPT_AND_ABORT, 0xbadn, KEY_A);
  bench.drain();
  assert.is(preempt.task.status, RESERVATION_CONFLICT);
  assert.is(write.ended, 'completed');
  assert.equal(bench.onMedium(100, 8), filled(8, 1));
});

test('a board may write by the nexus that holds the reservation, not by its other path', () => {
  const bench = heldByA();
  bench.reserve(A1, REGISTER_AND_IGNORE, 0n, KEY_A);
  bench.drain();
  assert.is(bench.execute(A0, write16(0, 1), filled(1, 1)).task.status, GOOD);
  assert.is(bench.execute(A1, write16(0, 1), filled(1, 2)).task.status, RESERVATION_CONFLICT);
  assert.is(bench.execute(A1, read16(0, 1), SECTOR).task.status, GOOD);
});

// ---------------------------------------------------------------------------------------------- service times

const CONFIG = { accessUs: 5000, rateMbS: 200, reserveUs: 700 };
const MIB_US = Math.ceil(2 ** 20 / 200);

for (const [what, cdb, data, us] of [
  ['a first write of 1 MiB', write16(1000, 2048), filled(2048, 1), 5000 + MIB_US],
  ['a first read of 1 MiB', read16(1000, 2048), 2 ** 20, 5000 + MIB_US],
  ['a read of one block', read16(1000, 1), SECTOR, 5000 + 3],
  ['a SYNCHRONIZE CACHE', SYNCHRONIZE, 0, 5000],
  ['a TEST UNIT READY', TEST_UNIT_READY, 0, 60],
  ['an INQUIRY', inquiry(36), 36, 60],
] as const) {
  test(`${what} takes ${us} us`, () => {
    const bench = new Bench({ config: CONFIG });
    assert.is(bench.execute(A0, cdb, data).at, us * US);
  });
}

test('a write that goes on where the last access ended is served without a seek', () => {
  const bench = new Bench({ config: CONFIG });
  bench.execute(A0, write16(1000, 2048), filled(2048, 1));
  const began = bench.clock.now;
  const next = bench.execute(A0, write16(3048, 2048), filled(2048, 1));
  assert.is(next.at - began, (40 + MIB_US) * US);
  const back = bench.execute(A0, write16(3048, 2048), filled(2048, 1));
  assert.is(back.at - next.at, (5000 + MIB_US) * US);
});

test('commands for the medium are served one at a time in order of arrival, the others at once', () => {
  const bench = new Bench({ config: CONFIG });
  const order: string[] = [];
  const watch = (name: string, { task }: Sent): void => {
    const { initiator } = task;
    task.initiator = { completed: (ended) => (order.push(name), initiator.completed(ended)), lost: () => {} };
  };
  watch('write', bench.submit(A0, write16(5000, 8), filled(8, 1)));
  watch('read', bench.submit(B0, read16(100, 8), 8 * SECTOR));
  watch('test', bench.submit(B0, TEST_UNIT_READY));
  bench.drain();
  assert.equal(order, ['test', 'write', 'read']);
});

test('a disk ten times slower takes ten times as long', () => {
  const bench = new Bench({ config: CONFIG });
  bench.disks[0]!.slowness = 10;
  assert.is(bench.execute(A0, read16(1000, 2048), 2 ** 20).at, 10 * (5000 + MIB_US) * US);
});

test('a reservation takes the time of its write to the medium; one that is refused does not', () => {
  const bench = new Bench({ config: CONFIG });
  assert.is(bench.reserve(A0, REGISTER_AND_IGNORE, 0n, KEY_A).ended, null);
  bench.drain();
  assert.is(bench.clock.now, 700 * US);
  const refused = bench.reserve(B0, PREEMPT, KEY_B, KEY_A);
  bench.drain();
  assert.is(refused.task.status, RESERVATION_CONFLICT);
  assert.is(bench.clock.now, (700 + 60) * US);
});

// ------------------------------------------------------------------------------------------------------ failures

test('where writes fail, a write ends in MEDIUM ERROR, WRITE ERROR, and nothing lands; reads go on', () => {
  const bench = new Bench();
  bench.execute(A0, write16(100, 8), filled(8, 1));
  bench.disks[0]!.writesFail = true;
  const write = bench.execute(A0, write16(100, 8), filled(8, 2));
  assert.is(write.ended, 'completed');
  assert.is(write.task.status, CHECK_CONDITION);
  assert.is(senseOf(write.task.sense), 0x030c00); // [SPC-4] table F.1
  assert.is(write.task.residual, 8 * SECTOR);
  assert.equal(bench.onMedium(100, 8), filled(8, 1));
  assert.is(bench.execute(A0, read16(100, 8), 8 * SECTOR).task.status, GOOD);
  assert.is(bench.landed.length, 1);
});

test('a write that finds the disk failing at its end fails, though it was well when it began', () => {
  const bench = new Bench();
  const write = bench.submit(A0, write16(100, 8), filled(8, 2));
  bench.clock.runUntil(1 * MS);
  bench.disks[0]!.writesFail = true;
  bench.drain();
  assert.is(senseOf(write.task.sense), 0x030c00);
  assert.ok(isZero(bench.onMedium(100, 8)));
});

test('a dead disk answers nothing, neither what arrives nor what it has begun', () => {
  const bench = new Bench();
  const begun = bench.submit(A0, write16(100, 8), filled(8, 2));
  const short = bench.submit(A0, TEST_UNIT_READY);
  bench.disks[0]!.dead = true;
  const late = bench.submit(B0, read16(0, 1), SECTOR);
  bench.drain();
  assert.equal([begun.ended, short.ended, late.ended], ['lost', 'lost', 'lost']);
});

test('an LBA beyond the end is refused at once, and the disk goes on with what waits', () => {
  const bench = new Bench();
  const bad = bench.submit(A0, write16(32_768, 1), filled(1, 1));
  const good = bench.submit(A0, write16(32_767, 1), filled(1, 1));
  bench.drain();
  assert.is(senseOf(bad.task.sense), 0x052100); // LOGICAL BLOCK ADDRESS OUT OF RANGE
  assert.is(good.task.status, GOOD);
});

// ------------------------------------------------------------------------------------------------ parameter data

for (const room of [0, 1, 5, 35, 36, 96, 255]) {
  test(`of INQUIRY data ${room} bytes are asked for: no byte beyond them is touched`, () => {
    const bench = new Bench();
    const memory = new Uint8Array(512).fill(0xee);
    const sent = bench.task(A0, inquiry(room), memory);
    sent.task.list = [0, room];
    sent.task.bytes = room;
    bench.disks[0]!.submit(sent.task);
    bench.drain();
    assert.is(sent.task.status, GOOD);
    const moved = room - sent.task.residual;
    assert.ok(moved <= room);
    assert.ok(room < 36 ? moved === room : moved >= 36);
    assert.ok(memory.subarray(moved).every((byte) => byte === 0xee));
    if (room >= 16) assert.is(Buffer.from(memory.subarray(8, 16)).toString(), 'SPARECOR');
  });
}

test('the buffer of the initiator, not the CDB, bounds what is moved', () => {
  const bench = new Bench();
  const memory = new Uint8Array(512).fill(0xee);
  const sent = bench.task(A0, inquiry(96), memory);
  sent.task.list = [0, 10];
  sent.task.bytes = 10;
  bench.disks[0]!.submit(sent.task);
  const read = bench.task(A0, read16(0, 2), memory.slice());
  read.task.list = [0, 600];
  read.task.bytes = 512;
  bench.disks[0]!.submit(read.task);
  bench.drain();
  assert.ok(memory.subarray(10).every((byte) => byte === 0xee));
  assert.ok(read.task.moved <= 512);
});

for (const [what, cdb, room, residual] of [
  ['of a read that is refused', read16(2 ** 40, 1), 512, 512],
  ['of a read of less than the buffer holds', read16(0, 1), 2048, 1536],
  ['of a read of more than the buffer holds', read16(0, 4), 512, 0],
  ['of INQUIRY data shorter than the buffer', inquiry(36), 100, 64],
] as const) {
  test(`the residual ${what} is what of the buffer was not used: ${residual} of ${room} bytes`, () => {
    assert.is(new Bench().execute(A0, cdb, room).task.residual, residual);
  });
}

test('a parameter list that was sent leaves no residual, whatever came of it', () => {
  const bench = new Bench();
  assert.is(bench.reserve(A0, REGISTER_AND_IGNORE, 0n, KEY_A).task.residual, 0);
  assert.is(bench.reserve(B0, PREEMPT, KEY_B, KEY_A).task.residual, 0);
});

test('a parameter list shorter than its CDB says is refused and changes nothing', () => {
  const bench = new Bench();
  const { task } = bench.reserve(A0, REGISTER_AND_IGNORE, 0n, KEY_A);
  assert.is(task.status, GOOD);
  bench.drain();
  const short = bench.execute(
    B0,
    Uint8Array.of(0x5f, REGISTER_AND_IGNORE, 0, 0, 0, 0, 0, 0, 24, 0),
    new Uint8Array(8).fill(1),
  );
  assert.is(short.task.status, CHECK_CONDITION);
  assert.is(senseOf(short.task.sense) >> 16, 5);
});

// ------------------------------------------------------------------------------------------------ the HBA is reset

test('an initiator that stops: what waits is forgotten, the write in service lands as its data was then', () => {
  const bench = new Bench();
  const memory = filled(8, 1);
  const begun = bench.submit(A0, write16(100, 8), memory);
  const waits = bench.task(A0, write16(200, 8), filled(8, 2));
  waits.task.initiator = begun.task.initiator;
  bench.disks[0]!.submit(waits.task);
  const other = bench.submit(B0, write16(300, 8), filled(8, 3));
  bench.clock.runUntil(1 * MS);
  bench.disks[0]!.abandon(begun.task.initiator);
  memory.fill(0x99); // the RAM is used for something else now
  bench.drain();
  assert.equal(bench.onMedium(100, 8), filled(8, 1));
  assert.ok(isZero(bench.onMedium(200, 8)));
  assert.equal(bench.onMedium(300, 8), filled(8, 3));
  assert.equal([begun.ended, waits.ended, other.ended], [null, null, 'completed']);
});

test('an initiator that stops: no read and no parameter data reach its memory any more', () => {
  const bench = new Bench();
  bench.execute(A0, write16(100, 8), filled(8, 5));
  const read = bench.submit(A0, read16(100, 8), 8 * SECTOR);
  const short = bench.task(A0, inquiry(36), 36);
  short.task.initiator = read.task.initiator;
  bench.disks[0]!.submit(short.task);
  bench.disks[0]!.abandon(read.task.initiator);
  bench.drain();
  assert.ok(isZero(read.task.memory));
  assert.ok(isZero(short.task.memory));
  assert.equal([read.ended, short.ended], [null, null]);
});

test('what an ORDERED task held back starts when its initiator gives it up', () => {
  const bench = new Bench();
  const ordered = bench.task(A0, write16(100, 8), filled(8, 1));
  Object.assign(ordered.task, { attribute: 2, waiting: true });
  bench.disks[0]!.submit(ordered.task);
  const held = bench.submit(A0, write16(200, 8), filled(8, 2));
  bench.drain();
  assert.is(held.ended, null);
  bench.disks[0]!.abandonTask(ordered.task);
  bench.drain();
  assert.equal([ordered.ended, held.ended, held.task.status], [null, 'completed', GOOD]);
});

test('an initiator that never sends the data of its ORDERED write does not keep the disk from the partner', () => {
  const bench = heldByA();
  const ordered = bench.task(A0, write16(100, 8), filled(8, 1));
  Object.assign(ordered.task, { attribute: 2, waiting: true });
  bench.disks[0]!.submit(ordered.task);
  const taken = bench.reserve(B0, PREEMPT_AND_ABORT, KEY_B, KEY_A);
  bench.drain();
  assert.equal([taken.ended, taken.task.status, ordered.ended], ['completed', GOOD, 'lost']);
  assert.equal(bench.landed, []);
});

test('what the partner aborts after its sender stopped does not land either', () => {
  const bench = heldByA();
  const begun = bench.submit(A0, write16(100, 8), filled(8, 1));
  bench.disks[0]!.abandon(begun.task.initiator);
  bench.reserve(B0, PREEMPT_AND_ABORT, KEY_B, KEY_A);
  bench.drain();
  assert.equal(bench.landed, []);
  assert.ok(isZero(bench.onMedium(100, 8)));
  assert.is(begun.ended, null);
});

/** An EXTENDED COPY of block 0 of disk 0 to block 100 of disk 1, [SPC-4] 6.4. */
function copyToOther(): { cdb: Uint8Array; list: Uint8Array } {
  const list = new Uint8Array(16 + 2 * 32 + 28);
  const view = new DataView(list.buffer);
  list.set([1, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 28]);
  for (const number of [0, 1]) {
    list.set([0xe4, 0, 0, 0, 1, 3, 0, 8], 16 + number * 32);
    view.setBigUint64(24 + number * 32, 0x5000c50000000000n + BigInt(number * 16));
    list.set([2, 0], 16 + number * 32 + 30); // blocks of 512 bytes
  }
  list.set([2, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0, 1], 80);
  view.setBigUint64(80 + 20, 100n);
  return { cdb: Uint8Array.of(0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, list.length, 0, 0), list };
}

test('a copy under way does not land on a disk from which its initiator is preempted meanwhile', () => {
  for (const preempted of [false, true]) {
    const bench = new Bench({ disks: 2 });
    for (const disk of bench.disks) disk.peers = bench.disks;
    bench.hold(A0, KEY_A, 1);
    bench.reserve(B0, REGISTER_AND_IGNORE, 0n, KEY_B, 1);
    bench.drain();
    const { cdb, list } = copyToOther();
    const copies = bench.submit(A0, cdb, list);
    assert.is(copies.task.status, GOOD);
    if (preempted) bench.reserve(B0, PREEMPT_AND_ABORT, KEY_B, KEY_A, 1);
    bench.drain();
    assert.is(copies.ended, 'completed');
    assert.equal(
      [copies.task.status, senseOf(copies.task.sense), bench.landed.length],
      preempted ? [CHECK_CONDITION, 0x0a0d01, 0] : [GOOD, 0, 1],
    );
  }
});

const full = (): never => {
  throw new ImageError('a.img', new Error('ENOSPC: no space left on device, write'));
};

test('an image that the host cannot write is a medium error to an initiator from outside, and ends it for a board', () => {
  const bench = new Bench();
  const [disk] = bench.disks;
  bench.servers.login(0, FIRST_NEXUS, 0x5000c500000000aan, 1);
  bench.execute(FIRST_NEXUS, TEST_UNIT_READY);
  Object.assign(disk!.medium, { write: full, unmap: full });
  const outside = bench.execute(FIRST_NEXUS, write16(100, 8), filled(8, 1));
  assert.equal([outside.task.status, senseOf(outside.task.sense)], [CHECK_CONDITION, 0x030c00]);
  const erase = bench.execute(FIRST_NEXUS, Uint8Array.of(0x48, 2, 0, 0, 0, 0, 0, 0, 0, 0));
  assert.equal([erase.task.status, senseOf(erase.task.sense)], [CHECK_CONDITION, 0x033103]);
  const other = new Bench();
  Object.assign(other.disks[0]!.medium, { write: full });
  assert.throws(() => other.execute(A0, write16(100, 8), filled(8, 1)), /a\.img: cannot be written \(ENOSPC/);
});

test('with QERR 01b a medium error aborts what waits behind it, and only those it aborted are told [SPC-4] 7.5.8', () => {
  const bench = new Bench();
  const sensed = bench.execute(A0, Uint8Array.of(0x1a, 8, 0x0a, 0, 16, 0), 16).task.memory;
  const page = Uint8Array.from(sensed);
  page.set([0, page[1]!, 0, page[3]!, page[4]! & 0x3f]);
  page[7]! |= 0x02;
  assert.is(bench.execute(A0, Uint8Array.of(0x15, 0x10, 0, 0, 16, 0), page).task.status, GOOD);
  for (const nexus of [A1, B0, B1]) bench.execute(nexus, TEST_UNIT_READY); // MODE PARAMETERS CHANGED
  const failing = bench.submit(A0, write16(100, 8), filled(8, 1));
  const behind = bench.submit(B0, write16(200, 8), filled(8, 2));
  bench.disks[0]!.writesFail = true;
  bench.drain();
  assert.equal([failing.task.status, senseOf(failing.task.sense)], [CHECK_CONDITION, 0x030c00]);
  assert.is(behind.ended, 'lost');
  assert.is(senseOf(bench.execute(B0, TEST_UNIT_READY).task.sense), 0x062f00);
  assert.is(bench.execute(B1, TEST_UNIT_READY).task.status, GOOD);
});

test('an aborted copy is not in progress for ever, and its results are for no other initiator [SPC-4] 5.17.4.3', () => {
  const status = Uint8Array.of(0x84, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0);
  const bench = new Bench({ disks: 2 });
  for (const disk of bench.disks) disk.peers = bench.disks;
  const { cdb, list } = copyToOther();
  bench.submit(A0, cdb, list);
  assert.equal([...bench.execute(A0, status, 12).task.memory.subarray(3, 6)], [8, 0, 0]);
  bench.submit(A0, cdb, list);
  bench.disks[0]!.abort((task) => task.nexus === A0);
  assert.is(senseOf(bench.execute(A0, status, 12).task.sense), 0x052400);
  bench.execute(A0, cdb, list);
  bench.servers.login(0, A0, 0x5000c500000000bbn, 1);
  for (let n = 0; n < 2; n++) bench.execute(A0, TEST_UNIT_READY);
  assert.is(senseOf(bench.execute(A0, status, 12).task.sense), 0x052400);
});

test('reservations made to last are handed out to be kept each time that they change', () => {
  const bench = new Bench();
  let kept = 0;
  bench.disks[0]!.keepReservations = (image) => {
    assert.ok(!isZero(image));
    kept++;
  };
  bench.hold(A0, KEY_A);
  assert.is(kept, 2);
  bench.execute(A0, write16(0, 1), filled(1, 1));
  assert.is(kept, 2);
});

test.run();
