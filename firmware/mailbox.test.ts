import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { type Overrides, type Pair, eventOf, withPair } from '../boards/machine.test-helper.ts';
import * as F from './layout.ts';
import { onMedium, putOnMedium, slot, slotLba, troubles } from './talk.test-helper.ts';

const test = suite('mailbox disk');
const CUT = eventOf({ atMs: 300, do: 'cut-interconnect' });

/** A pair whose interconnect is cut: from here on only the mailbox disk tells of the partner. */
function withCut(use: (pair: Pair) => void, more: Overrides = {}): void {
  withPair({ ...more, events: [CUT, ...(more.events ?? [])] }, (pair) => {
    pair.started(400);
    use(pair);
  });
}

function forge(pair: Pair, bytes: Uint8Array): void {
  putOnMedium(pair, pair.disk('mailbox'), slotLba(1), bytes);
}

/** Keeps B's slot as `bytes` while time passes, whatever B writes there. */
function hold(pair: Pair, bytes: (n: number) => Uint8Array, ms: number): void {
  for (let n = 0; n < ms; n++) {
    forge(pair, bytes(n));
    pair.run(1);
  }
}

/** In so long each board has read the other's slot: it does so at every fifth heartbeat. */
const roundMs = (pair: Pair): number => pair.machine.scenario.boards.heartbeatMs * 5 + 20;

const PANIC = { state: F.BOARD_PANIC };
const bitOf = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = bytes.slice();
  copy[at]! ^= 1;
  return copy;
};

test('each board keeps its own slot up to date, and it is whole', () => {
  withPair({}, (pair) => {
    pair.started();
    const read = (board: 0 | 1): DataView =>
      new DataView(onMedium(pair, pair.disk('mailbox'), slotLba(board), L.MAIL_BYTES).buffer);
    const before = [read(0), read(1)].map((view) => view.getUint32(L.MAIL_BEAT_AT, true));
    pair.run(500);
    for (const board of [0, 1] as const) {
      const view = read(board);
      const beat = view.getUint32(L.MAIL_BEAT_AT, true);
      assert.ok(beat > before[board]!);
      const expected = slot(board, { state: F.BOARD_NORMAL, epoch: 1, beat });
      assert.equal(new Uint8Array(view.buffer), expected);
    }
  });
});

test('interconnect lost and both slots alive: no takeover', () => {
  withCut((pair) => {
    pair.run(5000);
    assert.equal(troubles(pair), []);
  });
});

for (const [what, bytes] of [
  ['torn in its middle', bitOf(slot(1, PANIC), 300)],
  ['with a wrong state for its checksum', bitOf(slot(1, PANIC), L.MAIL_STATE_AT)],
  ['of another magic number', bitOf(slot(1, PANIC), 0)],
  ['of a foreign system', slot(1, { ...PANIC, system: 4711 })],
  ['of the reader’s own system', slot(1, { ...PANIC, system: 1001 })],
  ['of an earlier life of the partner', slot(1, { ...PANIC, epoch: 0 })],
  ['of zeros', new Uint8Array(L.MAIL_BYTES)],
] as const) {
  test(`a slot ${what} is not believed, though it says panic`, () => {
    withCut((pair) => {
      // Now and then, each time for long enough to be read, and not for so long that B counts as silent.
      for (let n = 0; n < 4; n++) {
        hold(pair, () => bytes, roundMs(pair));
        pair.run(roundMs(pair));
      }
      assert.equal(troubles(pair), []);
    });
  });
}

test('a slot that is whole and says panic is believed at once', () => {
  withCut((pair) => {
    hold(pair, (n) => slot(1, { ...PANIC, beat: 1_000_000 + n }), roundMs(pair));
    assert.equal(
      pair.events(F.EV_LOST, 0).map(({ a }) => a),
      [3],
    );
  });
});

for (const [what, bytes] of [
  ['torn', (n: number) => bitOf(slot(1, { beat: 1_000_000 + n }), 200)],
  ['that does not change', () => slot(1, { beat: 5 })],
] as const) {
  test(`a slot ${what} is no sign of life: with the interconnect cut as well the partner counts as dead`, () => {
    withCut((pair) => {
      hold(pair, bytes, pair.machine.scenario.boards.heartbeatLossMs + 500);
      assert.equal(
        pair.events(F.EV_LOST, 0).map(({ a }) => a),
        [2],
      );
    });
  });
}

test('a slot left over from before the partner’s power loss is not a sign of life', () => {
  const events = [eventOf({ atMs: 300, do: 'power-off', board: 'b' })];
  withPair({ events }, (pair) => {
    pair.started();
    const { time } = pair.until(F.EV_LOST, { board: 0 });
    const loss = pair.machine.scenario.boards.heartbeatLossMs;
    assert.ok(time / 1e6 - 300 < loss + 100, `${time / 1e6} ms`);
  });
});

test('a board that can neither be heard nor write its slot fences itself before the partner takes over', () => {
  const cutPaths = ([0, 1] as const).map((path) =>
    eventOf({ atMs: 300, do: 'cut-path', board: 'a', disk: 'mailbox', path }),
  );
  withPair({ events: [CUT, ...cutPaths] }, (pair) => {
    pair.started();
    const fenced = pair.until(F.EV_FENCED, { board: 0 });
    const taken = pair.until(F.EV_TAKEOVER_BEGIN, { board: 1 });
    assert.ok(fenced.time < taken.time);
    pair.run(1000);
    assert.equal(pair.machine.observer.invariants.violations, []);
  });
});

test.run();
