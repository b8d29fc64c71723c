import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ORDER_MAX, orderHelp, parseOrder } from './operator.ts';

const DISKS = ['mailbox', 'a.root', 'a.data.0', 'b.spare.0'].map((name) => ({ name }));

for (const [line, does, rest] of [
  ['panic a', 'nmi', { board: 'a' }],
  ['  Power   OFF b ', 'power-off', { board: 'b' }],
  ['power on b', 'power-on', { board: 'b' }],
  ['cut interconnect', 'cut-interconnect', {}],
  ['mend interconnect', 'mend-interconnect', {}],
  ['fail disk 3', 'fail-disk', { disk: 'b.spare.0' }],
  ['kill disk a.root', 'kill-disk', { disk: 'a.root' }],
  ['mend disk 1', 'mend-disk', { disk: 'a.root' }],
  ['slow disk coredump-of-a 20', 'slow-disk', { disk: 'coredump-of-a', factor: 20 }],
  ['cut path a a.data.0 b', 'cut-path', { board: 'a', disk: 'a.data.0', path: 1 }],
  ['quiet', 'quiet', {}],
] as const) {
  test(`the operator says ${line.trim()}`, () => {
    const order = parseOrder(line, DISKS);
    assert.is(order.kind, 'event');
    if (order.kind !== 'event') return;
    const set = Object.entries(order.event).filter(([key, value]) => key !== 'plusMs' && value !== null);
    assert.equal(Object.fromEntries(set), { do: does, ...rest });
  });
}

for (const [line, why] of [
  ['', /no such order/],
  ['panik a', /no such order: panik \.\.\.; did you mean panic\?/],
  ['panic', /say: panic A/],
  ['panic c', /board a or b/],
  ['panic a b', /say: panic A/],
  ['power a', /say: power off A|no such order/],
  ['fail disk 4', /no disk 4/],
  ['fail disk x.y', /no disk x.y/],
  ['slow disk 1 0', /whole number from 1/],
  ['cut path a 1 c', /port a and port b/],
  ['x'.repeat(ORDER_MAX + 1), /at most 200/],
] as const) {
  test(`an order is refused in one line that says what would be right: ${line.slice(0, 30)}`, () => {
    const order = parseOrder(line, DISKS);
    assert.is(order.kind, 'refused');
    if (order.kind === 'refused') {
      assert.match(order.why, why);
      assert.not.match(order.why, /\n/);
    }
  });
}

test('each line of the help is an order once its places are filled', () => {
  for (const line of orderHelp()) {
    const order = line
      .slice(0, 24)
      .replace(/\bA\b/, 'a')
      .replace('DISK', '1')
      .replace('TIMES', '7')
      .replace('PORT', 'b');
    assert.is.not(parseOrder(order, DISKS).kind, 'refused', order);
  }
});

test('whatever is typed, the answer is an order or one clear line', () => {
  const word = fc.constantFrom(
    'panic',
    'power',
    'off',
    'a',
    'b',
    'disk',
    'fail',
    '7',
    'A',
    'path',
    '\u0000',
    '-1',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word).map((words) => words.join(' ')),
      ),
      (line) => {
        const order = parseOrder(line, DISKS);
        if (order.kind === 'refused') assert.match(order.why, /^[\x20-\x7e]+$/);
      },
    ),
    { numRuns: 2000, seed: 7 },
  );
});

test.run();
