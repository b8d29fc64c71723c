import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { History, NEVER_WRITTEN } from './history.ts';

const test = suite('history of a client');
const SLOT = 4;
/** Contents 0, 4, 8 ... of the pool differ; at 0 lie zeros. */
const POOL = Uint8Array.from({ length: 64 }, (_, i) => Math.floor(i / SLOT));
const at = (n: number): number => n * SLOT;
const content = (n: number): Uint8Array => new Uint8Array(SLOT).fill(n);
const allowed = (history: History, slot = 0): number[] =>
  Array.from({ length: 16 }, (_, n) => n).filter((n) => history.allows(slot, content(n)));

test('a slot never written holds zeros and nothing else', () => {
  const history = new History(2, SLOT, POOL);
  assert.equal(allowed(history), [0]);
  assert.not(history.allows(0, Uint8Array.of(0, 0, 0, 1)));
  assert.is(history.acked[0], NEVER_WRITTEN);
});

test('an acknowledged write is what must be there, and all that may be there', () => {
  const history = new History(2, SLOT, POOL);
  history.acknowledged(0, at(3));
  assert.equal(allowed(history), [3]);
  history.acknowledged(0, at(7));
  assert.equal(allowed(history), [7]);
  assert.equal(allowed(history, 1), [0]);
});

test('a write given up may have landed, or not: both may be there', () => {
  const history = new History(1, SLOT, POOL);
  history.gaveUp(0, at(5));
  assert.equal(allowed(history), [0, 5]);
  history.acknowledged(0, at(3));
  history.gaveUp(0, at(9));
  assert.equal(allowed(history), [3, 5, 9]);
});

test('what was torn between two contents is neither', () => {
  const history = new History(1, SLOT, POOL);
  history.acknowledged(0, at(3));
  history.gaveUp(0, at(5));
  assert.not(history.allows(0, Uint8Array.of(5, 5, 3, 3)));
  assert.not(history.allows(0, Uint8Array.of(3, 3, 3)));
});

test('any sequence of writes allows the last acknowledged one and those given up, exactly', () => {
  const write = fc.record({ slot: fc.nat(2), n: fc.integer({ min: 1, max: 15 }), acked: fc.boolean() });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 30 }), (writes) => {
      const history = new History(3, SLOT, POOL);
      const last = [0, 0, 0];
      const open: number[][] = [[], [], []];
      for (const { slot, n, acked } of writes) {
        if (acked) {
          history.acknowledged(slot, at(n));
          last[slot] = n;
        } else {
          history.gaveUp(slot, at(n));
          open[slot]!.push(n);
        }
      }
      for (const slot of [0, 1, 2]) {
        const expected = [...new Set([last[slot]!, ...open[slot]!])].toSorted((x, y) => x - y);
        assert.equal(allowed(history, slot), expected);
      }
    }),
    { seed: 20_260_104, numRuns: 200 },
  );
});

test.run();
