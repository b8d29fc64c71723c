import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Clock, MS, SECOND } from './clock.ts';
import { FakeHost } from './host.test-helper.ts';
import { RealTime } from './real-time.ts';

function paced(cost = 0): {
  clock: Clock;
  host: FakeHost;
  pace: RealTime;
  seen: number[];
  at: (time: number) => void;
} {
  const clock = new Clock();
  const host = new FakeHost();
  const seen: number[] = [];
  const component = clock.register(() => {
    seen.push(clock.now);
    host.spend(cost);
  });
  const pace = new RealTime(clock, host);
  return { clock, host, pace, seen, at: (time) => clock.at(time, component, 0) };
}

test('an event happens when the host has come to its time, and not before', () => {
  const { clock, host, pace, seen, at } = paced();
  at(5 * MS);
  at(30 * MS);
  pace.start();
  host.pass(4 * MS);
  assert.equal(seen, []);
  host.pass(1 * MS);
  assert.equal(seen, [5 * MS]);
  host.pass(100 * MS);
  assert.equal(seen, [5 * MS, 30 * MS]);
  assert.is(pace.forgiven, 0);
  pace.enter(() => assert.is(clock.now, 105 * MS));
});

test('what enters from outside finds board time at the present, and what it plans happens in time', () => {
  const { clock, host, pace, seen, at } = paced();
  pace.start();
  host.pass(7.25 * MS);
  pace.enter(() => {
    assert.is(clock.now, 7.25 * MS);
    at(clock.now + 2 * MS);
  });
  host.pass(1 * MS);
  assert.equal(seen, []);
  host.pass(2 * MS);
  assert.equal(seen, [9.25 * MS]);
});

test('what an event sends outside may come back in at once', () => {
  const { clock, pace, host } = paced();
  let inside = 0;
  const component = clock.register(() => pace.enter(() => inside++));
  clock.at(MS, component, 0);
  pace.start();
  host.pass(2 * MS);
  assert.is(inside, 1);
});

test('a host that cannot keep up makes board time fall behind, not jump, and stays open to input', () => {
  const { clock, host, pace, seen, at } = paced(10 * MS); // each event costs ten times its share
  for (let n = 1; n <= 1000; n++) at(n * MS);
  pace.start();
  let turns = 0;
  const before = host.now();
  while (seen.length < 1000 && turns < 10_000) {
    host.pass(1 * MS);
    turns++;
  }
  assert.is(seen.length, 1000);
  assert.ok(turns > 20, 'the host looked at its input in between');
  assert.ok(host.now() - before > 9 * SECOND);
  assert.ok(pace.forgiven > 8 * SECOND, String(pace.forgiven));
  assert.ok(clock.now < 2 * SECOND, String(clock.now));
  for (let n = 1; n < seen.length; n++) assert.ok(seen[n]! >= seen[n - 1]!);
});

test('after stop nothing happens any more', () => {
  const { host, pace, seen, at } = paced();
  at(5 * MS);
  pace.start();
  pace.stop();
  host.pass(50 * MS);
  pace.enter(() => seen.push(-1));
  assert.equal(seen, []);
});

test.run();
