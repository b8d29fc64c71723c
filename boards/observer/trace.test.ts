import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Trace } from './trace.ts';

const test = suite('trace');
type Words = [time: number, board: 0 | 1, code: number, a: number, b: number, c: number];
const EVENTS: readonly Words[] = [
  [0, 0, 1, 1, 0, 0],
  [1_000, 1, 1, 1, 0, 0],
  [5_000_000_000, 0, 7, 3, 2, 1],
  [5_000_000_000, 1, 7, 3, 2, 1],
];

function digestOf(events: readonly Words[]): string {
  const trace = new Trace();
  for (const event of events) trace.event(...event);
  return trace.digest();
}

test('a digest is 32 hexadecimal digits, and the same for the same events', () => {
  assert.match(digestOf([]), /^[0-9a-f]{32}$/);
  assert.match(digestOf(EVENTS), /^[0-9a-f]{32}$/);
  assert.is(digestOf(EVENTS), digestOf(EVENTS));
});

['time', 'board', 'code', 'first word', 'second word', 'third word'].forEach((field, index) => {
  test(`the digest changes with the ${field} of any event`, () => {
    for (let at = 0; at < EVENTS.length; at++) {
      const changed = EVENTS.map((event) => [...event] as Words);
      changed[at]![index]! ^= 1;
      assert.is.not(digestOf(changed), digestOf(EVENTS), `event ${at}`);
    }
  });
});

test('the digest changes with the upper bits of a time, beyond 32 bits of nanoseconds', () => {
  const late = EVENTS.map((event) => [...event] as Words);
  late[2]![0] += 2 ** 32;
  assert.is.not(digestOf(late), digestOf(EVENTS));
});

test('the digest changes when events change places, are left out, or are there twice', () => {
  const [one, two, three, four] = EVENTS as [Words, Words, Words, Words];
  const digests = [
    [one, two, three, four],
    [two, one, three, four],
    [one, two, four, three],
    [one, two, three],
    [one, two, three, four, four],
    [],
    [[0, 0, 0, 0, 0, 0] as Words],
  ].map((events) => digestOf(events));
  assert.is(new Set(digests).size, digests.length);
});

test('words of the second and third place do not take each other’s: (b, c) is not (c, b)', () => {
  const digests = [
    [1, 2],
    [2, 1],
    [3, 0],
    [0, 3],
    [0, 0],
  ].map(([b, c]) => digestOf([[0, 0, 1, 0, b!, c!]]));
  assert.is(new Set(digests).size, digests.length);
});

test('looking at the digest in between changes nothing', () => {
  const trace = new Trace();
  for (const event of EVENTS) {
    trace.event(...event);
    trace.digest();
  }
  assert.is(trace.digest(), digestOf(EVENTS));
});

test('events are kept as they were told', () => {
  const trace = new Trace();
  for (const event of EVENTS) trace.event(...event);
  trace.mix(9, 9, 9, 9); // a command at a disk: in the digest, not among the events
  assert.equal(
    trace.events.map(({ time, board, code, a, b, c }) => [time, board, code, a, b, c]),
    EVENTS,
  );
  assert.is.not(trace.digest(), digestOf(EVENTS));
});

function longRun(last: number): Trace {
  const trace = new Trace();
  for (let n = 0; n < 200_010; n++) trace.event(n, 0, 1, n === 200_009 ? last : 0, 0, 0);
  return trace;
}

test('of a long run the first 200,000 events are kept, and all count in the digest', () => {
  const one = longRun(1);
  assert.is(one.events.length, 200_000);
  assert.is.not(one.digest(), longRun(2).digest());
});

test.run();
