import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { US } from '../clock.ts';
import {
  A0,
  B0,
  Bench,
  CHECK_CONDITION,
  GOOD,
  TEST_UNIT_READY,
  filled,
  read16,
  senseOf,
  write16,
} from './bench.test-helper.ts';

const test = suite('sanitize operations in time');
const ERASE = Uint8Array.of(0x48, 2, 0, 0, 0, 0, 0, 0, 0, 0);
const ERASE_AT_ONCE = Uint8Array.of(0x48, 0x82, 0, 0, 0, 0, 0, 0, 0, 0);
const REQUEST_SENSE = Uint8Array.of(3, 0, 0, 0, 18, 0);
const STOP = Uint8Array.of(0x1b, 0, 0, 0, 0, 0);
const CONFIG = { accessUs: 1000, rateMbS: 16 };
/** 16 MiB at 16 MB/s, in whole steps. */
const WHOLE_US = Math.ceil((1000 + Math.ceil(2 ** 24 / 16)) / 64) * 64;
const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

function begun(cdb: Uint8Array) {
  const bench = new Bench({ config: CONFIG });
  bench.execute(A0, write16(100, 8), filled(8, 1));
  const began = bench.clock.now;
  const sent = bench.submit(A0, cdb);
  return { bench, sent, runTo: (us: number) => bench.clock.runUntil(began + us * US), began };
}

/** Of 65536, from REQUEST SENSE; -1: it says something else. */
function progress(bench: Bench): number {
  const sent = bench.submit(B0, REQUEST_SENSE, 18);
  bench.clock.runUntil(bench.clock.now + 100 * US);
  const { memory } = sent.task;
  return senseOf(memory) === 0x02041b && memory[15] === 0x80 ? memory[16]! * 256 + memory[17]! : -1;
}

test('without IMMED the command ends with the operation; with it at once, and the operation goes on', () => {
  const waits = begun(ERASE);
  waits.runTo(WHOLE_US - 1);
  assert.is(waits.sent.ended, null);
  waits.runTo(WHOLE_US);
  assert.equal([waits.sent.ended, waits.sent.task.status], ['completed', GOOD]);
  const goes = begun(ERASE_AT_ONCE);
  goes.runTo(60);
  assert.equal([goes.sent.ended, goes.sent.task.status], ['completed', GOOD]);
  assert.is(progress(goes.bench), 0);
  goes.bench.drain();
  assert.is(goes.bench.clock.now - goes.began, WHOLE_US * US);
  assert.ok(isZero(goes.bench.onMedium(100, 8)));
  assert.is(goes.bench.execute(A0, read16(100, 8), 4096).task.status, GOOD);
});

test('REQUEST SENSE tells how far it is, and nothing gets to the medium meanwhile', () => {
  const { bench, runTo } = begun(ERASE_AT_ONCE);
  runTo(WHOLE_US / 2);
  assert.is(progress(bench), 0x8000);
  const write = bench.submit(B0, write16(100, 8), filled(8, 9));
  runTo(WHOLE_US / 2 + 1000);
  assert.equal([write.task.status, senseOf(write.task.sense)], [CHECK_CONDITION, 0x02041b]);
  bench.drain();
  assert.is(progress(bench), -1);
  assert.equal(
    bench.landed.map(({ lba, blocks }) => [lba, blocks]),
    [
      [100, 8],
      [0, 32768],
    ],
  );
});

test('neither a reset, nor an aborted command, nor an initiator that has gone ends it', () => {
  for (const happen of [
    (bench: Bench) => bench.disks[0]!.reset(false),
    (bench: Bench) => bench.disks[0]!.reset(true),
    (bench: Bench) => bench.disks[0]!.abort(() => true),
    (bench: Bench, initiator: Parameters<Bench['disks'][0]['abandon']>[0]) =>
      bench.disks[0]!.abandon(initiator),
  ]) {
    const { bench, sent, runTo } = begun(ERASE);
    runTo(WHOLE_US / 4);
    happen(bench, sent.task.initiator);
    for (let n = 0; n < 2; n++) bench.submit(B0, TEST_UNIT_READY); // takes the unit attention
    runTo(WHOLE_US / 2);
    assert.is(progress(bench), 0x8000);
    assert.not.ok(isZero(bench.onMedium(100, 8)));
    bench.drain();
    assert.not.equal(sent.ended, 'completed');
    assert.ok(isZero(bench.onMedium(100, 8)));
    assert.is(bench.execute(B0, read16(100, 8), 4096).task.status, GOOD);
  }
});

test('the process may end in the midst of it: the next one resumes it, with its pattern, and only then is the disk ready', () => {
  const list = Uint8Array.of(1, 0, 0, 2, 0xa5, 0x5a);
  const overwrite = Uint8Array.of(0x48, 0x81, 0, 0, 0, 0, 0, 0, list.length, 0);
  const first = new Bench({ config: CONFIG });
  let kept = new Uint8Array();
  first.disks[0]!.keepReservations = (image) => void (kept = Uint8Array.from(image));
  first.submit(A0, overwrite, list);
  first.clock.runUntil(first.clock.now + (WHOLE_US / 2) * US);

  const next = new Bench({ config: CONFIG });
  next.disks[0]!.keepReservations = (image) => void (kept = Uint8Array.from(image));
  next.disks[0]!.medium.write(100 * 512, filled(8, 1), 0, 4096);
  next.servers.loadNonVolatile(0, kept);
  for (let n = 0; n < 4; n++) next.submit(B0, TEST_UNIT_READY); // takes the unit attention
  const began = next.clock.now;
  next.disks[0]!.resume();
  next.clock.runUntil(began + (WHOLE_US / 2) * US);
  assert.is(progress(next), 0x8000);
  assert.is(next.onMedium(100, 1)[0], 1);
  next.drain();
  assert.is(next.clock.now - began, WHOLE_US * US);
  assert.equal([...next.onMedium(100, 1).subarray(0, 4)], [0xa5, 0x5a, 0xa5, 0x5a]);
  assert.is(next.execute(B0, read16(100, 8), 4096).task.status, GOOD);

  const last = new Bench({ config: CONFIG });
  last.servers.loadNonVolatile(0, kept);
  last.disks[0]!.resume();
  last.drain();
  assert.equal(last.onMedium(100, 1), filled(1, 0), 'what is done is not done again');
});

test('what came behind an ORDERED one starts when it has ended', () => {
  const bench = new Bench();
  const sanitizes = bench.task(A0, ERASE);
  Object.assign(sanitizes.task, { attribute: 2 });
  bench.disks[0]!.submit(sanitizes.task);
  const write = bench.submit(B0, write16(100, 8), filled(8, 1));
  bench.drain();
  assert.equal([sanitizes.ended, write.ended, write.task.status], ['completed', 'completed', GOOD]);
});

test('a disk whose writes fail ends it in failure', () => {
  const { bench, sent } = begun(ERASE);
  bench.disks[0]!.writesFail = true;
  bench.drain();
  assert.equal([sent.ended, senseOf(sent.task.sense)], ['completed', 0x033103]);
  assert.is(senseOf(bench.execute(B0, read16(0, 1), 512).task.sense), 0x033103);
});

test('a stop that flushes while a write is being served ends beside it, and neither is lost', () => {
  const bench = new Bench();
  const write = bench.submit(A0, write16(100, 8), filled(8, 1));
  const stop = bench.submit(B0, STOP);
  bench.drain();
  assert.equal([write.ended, stop.ended], ['completed', 'completed']);
  assert.equal([write.task.status, stop.task.status], [GOOD, GOOD]);
  assert.equal(bench.onMedium(100, 8), filled(8, 1));
});

test.run();
