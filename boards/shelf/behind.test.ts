import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { US } from '../clock.ts';
import {
  A0,
  B0,
  Bench,
  CHECK_CONDITION,
  GOOD,
  RESERVATION_CONFLICT,
  filled,
  senseOf,
  write16,
} from './bench.test-helper.ts';

const test = suite('work behind an answer');
const CONDITION_MET = 0x04;
const SHORT_US = 60;
const ACCESS_US = 5000;
const CONFIG = { accessUs: ACCESS_US, rateMbS: 100 };
const ten = (opcode: number, immed: number, lba = 0, blocks = 8): Uint8Array =>
  Uint8Array.of(opcode, immed, 0, 0, 0, lba, 0, 0, blocks, 0);
const STOP_AT_ONCE = Uint8Array.of(0x1b, 1, 0, 0, 0, 0);

/** How long a command takes, and then how long the medium is busy after it began. */
function times(cdb: Uint8Array): { answer: number; busy: number; status: number } {
  const bench = new Bench({ config: CONFIG });
  const disk = bench.disks[0]!;
  bench.drain();
  const began = bench.clock.now;
  const sent = bench.submit(A0, cdb);
  while (sent.ended === null) bench.clock.runUntil(bench.clock.now + US);
  const answer = (bench.clock.now - began) / US;
  while (disk.busy) bench.clock.runUntil(bench.clock.now + US);
  return { answer, busy: (bench.clock.now - began) / US, status: sent.task.status };
}

test('with IMMED the answer comes at once and the medium is busy as long as without', () => {
  for (const [what, opcode, status] of [
    ['SYNCHRONIZE CACHE(10)', 0x35, GOOD],
    ['PRE-FETCH(10)', 0x34, CONDITION_MET],
  ] as const) {
    const waits = times(ten(opcode, 0));
    const goes = times(ten(opcode, 2));
    assert.is(waits.answer, waits.busy, what);
    assert.ok(waits.answer >= ACCESS_US, what);
    assert.equal([goes.answer, goes.busy, goes.status], [SHORT_US, waits.busy, status], what);
  }
  assert.is(times(STOP_AT_ONCE).answer, SHORT_US);
});

test('with IMMED it does not wait for what the medium is busy with; what it left is done next, before what came later', () => {
  const bench = new Bench({ config: CONFIG });
  const first = bench.submit(A0, write16(100, 8), filled(8, 1));
  const flush = bench.submit(B0, ten(0x35, 2));
  const began = bench.clock.now;
  bench.clock.runUntil(began + SHORT_US * US);
  assert.equal([first.ended, flush.ended, flush.task.status], [null, 'completed', GOOD]);
  const second = bench.submit(A0, write16(500, 8), filled(8, 2));
  bench.drain();
  assert.ok(second.at - first.at > 2 * ACCESS_US * US - 100 * US, 'the flush came between them');
});

test('a flood of them leaves the work of one of a kind, and no more', () => {
  const bench = new Bench({ config: CONFIG });
  const began = bench.clock.now;
  const sent = Array.from({ length: 100 }, (_, n) =>
    bench.submit(n % 2 ? A0 : B0, ten(n % 3 ? 0x35 : 0x34, 2)),
  );
  bench.clock.runUntil(began + SHORT_US * US);
  assert.ok(sent.every(({ ended }) => ended === 'completed'));
  bench.drain();
  assert.ok(bench.clock.now - began < 5 * ACCESS_US * US);
});

test('what is refused leaves nothing behind: a reservation, a range beyond the end', () => {
  const bench = new Bench({ config: CONFIG });
  bench.hold(A0, 7n);
  bench.drain();
  assert.is(bench.execute(B0, ten(0x35, 2)).task.status, RESERVATION_CONFLICT);
  assert.not.ok(bench.disks[0]!.busy);
  const beyond = bench.execute(A0, Uint8Array.of(0x35, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 0)).task;
  assert.equal([beyond.status, senseOf(beyond.sense)], [CHECK_CONDITION, 0x052100]);
  assert.not.ok(bench.disks[0]!.busy);
});

test('neither the abort of all tasks nor an initiator that goes touches what is left, and the disk works on', () => {
  for (const happen of [
    (bench: Bench) => bench.disks[0]!.abort(() => true),
    (bench: Bench) => bench.disks[0]!.reset(true),
    (bench: Bench, { task }: ReturnType<Bench['submit']>) => bench.disks[0]!.abandon(task.initiator),
  ]) {
    const bench = new Bench({ config: CONFIG });
    const sent = bench.submit(A0, ten(0x35, 2));
    bench.clock.runUntil(bench.clock.now + 2 * SHORT_US * US);
    assert.is(sent.ended, 'completed');
    happen(bench, sent);
    assert.ok(bench.disks[0]!.busy);
    bench.drain();
    assert.not.ok(bench.disks[0]!.busy);
    for (let n = 0; n < 3; n++) bench.execute(A0, Uint8Array.of(0, 0, 0, 0, 0, 0));
    assert.is(bench.execute(A0, write16(0, 8), filled(8, 3)).task.status, GOOD);
  }
});

test.run();
