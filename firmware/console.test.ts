import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { eventOf, withPair } from '../boards/machine.test-helper.ts';
import * as F from './layout.ts';
import { troubles } from './talk.test-helper.ts';

const test = suite('debug console');

for (const [letter, reason] of [
  ['t', L.PANIC_TRAP],
  ['a', L.PANIC_ASSERT],
] as const) {
  test(`'${letter}' typed at the console of a board is a panic within a cycle`, () => {
    withPair({}, (pair) => {
      pair.started();
      pair.a.type(letter);
      pair.run(1);
      assert.equal(
        pair.events(F.EV_PANIC).map(({ board, a }) => [board, a]),
        [[0, reason]],
      );
    });
  });
}

test('anything else that is typed does nothing', () => {
  withPair({}, (pair) => {
    pair.started();
    for (let byte = 0; byte < 256; byte++) {
      const letter = String.fromCharCode(byte);
      if (!'atg'.includes(letter)) pair.a.type(letter);
    }
    pair.run(100);
    assert.equal(troubles(pair), []);
  });
});

test('what stands behind a thousand other letters is read in the end', () => {
  withPair({}, (pair) => {
    pair.started();
    pair.a.type(`${'x'.repeat(1000)}t`);
    pair.run(5000);
    assert.is(pair.events(F.EV_PANIC, 0).length, 1);
  });
});

test("'g' gives back now, where giveback waits for the operator", () => {
  const events = [eventOf({ atMs: 400, do: 'nmi', board: 'a' })];
  withPair({ events, boards: { givebackMs: null } }, (pair) => {
    pair.started();
    pair.until(F.EV_WAITING, { board: 0 });
    pair.run(5000);
    assert.equal(pair.events(F.EV_GIVEBACK_BEGIN), []);
    pair.b.type('g');
    pair.until(F.EV_GIVEBACK_END, { board: 1, ms: 5000 });
    assert.is(pair.machine.network.owner(0), 0);
    assert.equal(pair.machine.observer.invariants.violations, []);
  });
});

test('the log of a board goes out of its console as lines with the board time', () => {
  withPair({}, (pair) => {
    pair.started();
    const lines = pair.machine.observer.lines.filter(({ board }) => board === 0).map(({ text }) => text);
    assert.ok(lines.length > 2);
    for (const line of lines) assert.match(line, /^\[ *\d+\.\d{6}\] [ -~]+$/);
  });
});

test.run();
