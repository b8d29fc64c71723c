import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Clock, MS } from '../clock.ts';
import { Watchdog } from './watchdog.ts';

const test = suite('watchdog');

function made(): { clock: Clock; watchdog: Watchdog; bites: number[] } {
  const clock = new Clock();
  const watchdog = new Watchdog(clock);
  const bites: number[] = [];
  watchdog.onBite = () => bites.push(clock.now);
  return { clock, watchdog, bites };
}

test('a watchdog that was never fed does not bite', () => {
  const { clock, bites } = made();
  clock.runUntil(1000 * MS);
  assert.equal(bites, []);
});

test('not fed again, it bites once, at its time and not before', () => {
  const { clock, watchdog, bites } = made();
  watchdog.feed(50);
  clock.runUntil(50 * MS - 1);
  assert.equal(bites, []);
  clock.runUntil(1000 * MS);
  assert.equal(bites, [50 * MS]);
});

test('fed in time it does not bite; the last feeding counts', () => {
  const { clock, watchdog, bites } = made();
  for (let ms = 0; ms <= 200; ms += 40) {
    clock.runUntil(ms * MS);
    watchdog.feed(50);
  }
  clock.runUntil(1000 * MS);
  assert.equal(bites, [250 * MS]);
});

test('a longer time-out takes the place of a shorter one', () => {
  const { clock, watchdog, bites } = made();
  watchdog.feed(50);
  watchdog.feed(500);
  clock.runUntil(1000 * MS);
  assert.equal(bites, [500 * MS]);
});

test('a shorter time-out takes the place of a longer one', () => {
  const { clock, watchdog, bites } = made();
  watchdog.feed(500);
  watchdog.feed(50);
  clock.runUntil(1000 * MS);
  assert.equal(bites, [50 * MS]);
});

test('stopped it does not bite; fed after that, it does', () => {
  const { clock, watchdog, bites } = made();
  watchdog.feed(50);
  watchdog.stop();
  clock.runUntil(100 * MS);
  assert.equal(bites, []);
  watchdog.feed(50);
  watchdog.stop();
  watchdog.feed(30);
  clock.runUntil(1000 * MS);
  assert.equal(bites, [130 * MS]);
});

test('after a bite it can be fed anew', () => {
  const { clock, watchdog, bites } = made();
  watchdog.feed(10);
  clock.runUntil(20 * MS);
  watchdog.feed(10);
  clock.runUntil(1000 * MS);
  assert.equal(bites, [10 * MS, 30 * MS]);
});

test('fed by its own bite, it bites again', () => {
  const { clock, watchdog, bites } = made();
  watchdog.onBite = () => {
    bites.push(clock.now);
    if (bites.length < 3) watchdog.feed(10);
  };
  watchdog.feed(10);
  clock.runUntil(1000 * MS);
  assert.equal(bites, [10 * MS, 20 * MS, 30 * MS]);
});

test.run();
