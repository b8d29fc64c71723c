import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Clock, MS, SECOND, US } from './clock.ts';

const test = suite('clock');
const RUNS = { seed: 20_260_102, numRuns: 300 };

interface Seen {
  now: number;
  component: number;
  event: [kind: number, a: number, b: number];
}

/** A clock with `components` components that write down what reaches them; their ranks are `rankOf`. */
function recorded(
  components = 2,
  rankOf = (_component: number): number => 0,
): { clock: Clock; seen: Seen[] } {
  const clock = new Clock();
  const seen: Seen[] = [];
  for (let component = 0; component < components; component++) {
    const handler = (kind: number, a: number, b: number): void => {
      seen.push({ now: clock.now, component, event: [kind, a, b] });
    };
    clock.register(handler, rankOf(component));
  }
  return { clock, seen };
}

const kinds = (seen: readonly Seen[]): number[] => seen.map(({ event: [kind] }) => kind);

test('components get numbers in the order in which they register', () => {
  const clock = new Clock();
  assert.equal([clock.register(() => {}), clock.register(() => {}), clock.register(() => {})], [0, 1, 2]);
});

test('events happen in order of time, and at the same time in the order in which they were scheduled', () => {
  const { clock, seen } = recorded();
  clock.at(30, 0, 1);
  clock.at(10, 1, 2);
  clock.at(30, 1, 3);
  clock.at(10, 0, 4);
  clock.at(20, 0, 5);
  while (clock.step());
  assert.equal(kinds(seen), [2, 4, 5, 1, 3]);
  assert.equal(
    seen.map(({ now }) => now),
    [10, 10, 20, 30, 30],
  );
});

test('in one moment the lower rank comes first, whatever was scheduled when; then the order of scheduling', () => {
  const clock = new Clock();
  const seen: string[] = [];
  const [cpu, device, other] = [2, 0, 1].map((rank) =>
    clock.register((kind) => seen.push(`${rank}.${kind}`), rank),
  ) as [number, number, number];
  clock.at(10, cpu, 1);
  clock.at(10, other, 2);
  clock.at(10, device, 3);
  clock.at(9, cpu, 4);
  clock.at(10, device, 5);
  clock.at(10, cpu, 6);
  clock.runUntil(10);
  assert.equal(seen, ['2.4', '0.3', '0.5', '1.2', '2.1', '2.6']);
});

test('what a higher rank schedules for its own moment in a lower one still happens in it', () => {
  const clock = new Clock();
  const seen: string[] = [];
  const device = clock.register((kind) => seen.push(`device ${kind}`));
  const cpu = clock.register((kind) => {
    seen.push(`cpu ${kind}`);
    if (kind === 1) clock.after(0, device, 3);
  }, 1);
  clock.at(10, cpu, 1);
  clock.at(10, cpu, 2);
  clock.runUntil(10);
  assert.equal(seen, ['cpu 1', 'device 3', 'cpu 2']);
});

test('an event carries its component, kind and two words', () => {
  const { clock, seen } = recorded();
  clock.at(5, 1, 7, 8, 9);
  clock.at(6, 0, 1);
  clock.runUntil(6);
  assert.equal(seen, [
    { now: 5, component: 1, event: [7, 8, 9] },
    { now: 6, component: 0, event: [1, 0, 0] },
  ]);
});

test('time never goes back: an event for the past happens now, behind those already due', () => {
  const { clock, seen } = recorded(1);
  clock.runUntil(100);
  clock.at(100, 0, 1);
  clock.at(3, 0, 2);
  clock.at(-5, 0, 3);
  clock.step();
  clock.step();
  clock.step();
  assert.equal(kinds(seen), [1, 2, 3]);
  assert.is(clock.now, 100);
});

test('what an event schedules for the same moment still happens in it, behind the others', () => {
  const clock = new Clock();
  const seen: number[] = [];
  clock.register((kind) => {
    seen.push(kind);
    if (kind === 1) clock.after(0, 0, 3);
  });
  clock.at(10, 0, 1);
  clock.at(10, 0, 2);
  clock.runUntil(10);
  assert.equal(seen, [1, 2, 3]);
});

test('runUntil takes what is due at its end, leaves what is later, and shows that time', () => {
  const { clock, seen } = recorded(1);
  clock.at(50, 0, 1);
  clock.at(51, 0, 2);
  clock.runUntil(50);
  assert.equal(kinds(seen), [1]);
  assert.is(clock.now, 50);
  assert.is(clock.next, 51);
  clock.runUntil(60);
  assert.is(clock.now, 60);
  assert.is(clock.next, Infinity);
  assert.not(clock.step());
});

test('a microsecond is a thousand nanoseconds, and a hundred days of a run are exact to one', () => {
  assert.equal([US, MS, SECOND], [1e3, 1e6, 1e9]);
  const { clock, seen } = recorded(1);
  const late = 100 * 24 * 3600 * SECOND;
  clock.at(late + 1, 0, 2);
  clock.at(late, 0, 1);
  clock.runUntil(late + 1);
  assert.equal(kinds(seen), [1, 2]);
});

type Step = { at: number; rank: number } | { steps: number };
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ at: fc.nat(60), rank: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ steps: fc.nat(5) }) },
);

test('however events are scheduled and run, they come as from a list sorted by time, rank and order', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 200 }), (steps) => {
      const { clock, seen } = recorded(3, (component) => component);
      const waiting: { time: number; rank: number; kind: number }[] = [];
      const expected: number[] = [];
      let now = 0;
      let kind = 0;
      const takeFirst = (): void => {
        waiting.sort((x, y) => x.time - y.time || x.rank - y.rank || x.kind - y.kind);
        const taken = waiting.shift();
        if (taken === undefined) return;
        now = taken.time;
        expected.push(taken.kind);
      };
      for (const step of steps) {
        if ('at' in step) {
          clock.at(step.at, step.rank, kind);
          waiting.push({ time: Math.max(step.at, now), rank: step.rank, kind: kind++ });
        } else {
          for (let n = 0; n < step.steps; n++) {
            takeFirst();
            clock.step();
          }
        }
      }
      while (waiting.length > 0) takeFirst();
      while (clock.step());
      assert.equal(kinds(seen), expected);
      assert.is(clock.now, now);
    }),
    RUNS,
  );
});

test('a restored clock goes on exactly as the saved one would have', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(40), { maxLength: 60 }),
      fc.nat(60),
      fc.array(fc.nat(80), { maxLength: 20 }),
      (first, ran, later) => {
        const original = recorded(3, (component) => component);
        first.forEach((time, kind) => original.clock.at(time, kind % 3, kind, kind * 3, kind * 5));
        for (let n = 0; n < ran; n++) original.clock.step();
        const state = structuredClone(original.clock.save());
        const copy = recorded(3, (component) => component);
        copy.clock.at(7, 0, 999); // what was there before is gone
        copy.clock.restore(state);
        assert.equal(copy.clock.save(), state);
        original.seen.length = 0;
        for (const { clock } of [original, copy]) {
          later.forEach((time, n) => clock.at(time, n % 3, 1000 + n));
          while (clock.step());
        }
        assert.equal(copy.seen, original.seen);
        assert.equal(copy.clock.save(), original.clock.save());
      },
    ),
    RUNS,
  );
});

test.run();
