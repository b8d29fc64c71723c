import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { Formats } from '../boards/core/formats.test-helper.ts';
import { readHeaders } from '../boards/core/records.ts';
import { type Overrides, type Pair, eventOf, withPair } from '../boards/machine.test-helper.ts';
import { reader } from '../boards/observer/observer.ts';
import * as F from './layout.ts';
import { onMedium, putOnMedium } from './talk.test-helper.ts';

const test = suite('takeover and the header of the coredump disk');
const SPARE = 'a.spare.0';
const SYSTEM_A = 1001;
const LIMIT_MS = 3000;
const lbaOf = (copy: number): number => L.COREDUMP_LBA + copy * L.COPY_BLOCKS;

function headers(pair: Pair): ReturnType<typeof readHeaders> {
  return readHeaders(reader(pair.machine.shelf.disks[pair.disk(SPARE)]!.medium), L.COREDUMP_LBA);
}

/** Tears copies of the header on the medium: a byte in their middle is another. */
function tear(pair: Pair, copies: readonly number[]): void {
  for (const copy of copies) {
    const bytes = onMedium(pair, pair.disk(SPARE), lbaOf(copy), L.COPY_BYTES);
    bytes[500]! ^= 0xff;
    putOnMedium(pair, pair.disk(SPARE), lbaOf(copy), bytes);
  }
}

/** Puts a whole header that says so into both copies. */
function forge(pair: Pair, fields: Readonly<Record<number, number | bigint>>): void {
  const io = new Formats();
  const at = io.room(L.COPY_BYTES);
  for (const copy of [0, 1]) {
    io.part(at, L.COPY_BYTES).set(onMedium(pair, pair.disk(SPARE), lbaOf(copy), L.COPY_BYTES));
    for (const [offset, value] of Object.entries(fields)) {
      if (typeof value === 'bigint') io.view.setBigUint64(at + Number(offset), value, true);
      else io.view.setUint32(at + Number(offset), value, true);
    }
    io.call('header_seal', at, 1000 + copy);
    putOnMedium(pair, pair.disk(SPARE), lbaOf(copy), io.part(at, L.COPY_BYTES));
  }
}

const DUMPING = {
  [L.HEADER_ATTRIBUTE_AT]: L.ATTRIBUTE_DUMPING,
  [L.HEADER_SYSTEM_AT]: SYSTEM_A,
  [L.HEADER_EPOCH_AT]: 1,
  [L.HEADER_LIMIT_MS_AT]: LIMIT_MS,
  [L.HEADER_FAILED_US_AT]: 300_000n,
  [L.HEADER_WRITTEN_US_AT]: 300_000n,
};

/** When and why board B took the disk, counted from the fault. */
function taken(pair: Pair, disk = SPARE): { ms: number; reason: number } | null {
  const event = pair.events(F.EV_TAKEN, 1).find(({ a }) => a === pair.disk(disk));
  return event === undefined
    ? null
    : { ms: (event.time - pair.machine.observer.firstFailure!.at) / 1e6, reason: event.b };
}

const BOARDS: Overrides['boards'] = { dumpLimitMs: LIMIT_MS, heartbeatLossMs: 1000, rebootAfterPanic: false };

/** Board A panics at 400 ms. */
function withPanic(use: (pair: Pair) => void, more: Overrides = {}): void {
  withPair({ boards: BOARDS, ...more, events: [eventOf({ atMs: 400, do: 'nmi', board: 'a' })] }, (pair) => {
    pair.started();
    use(pair);
    assert.is(pair.machine.network.owner(0), 1, 'the volume of A is served');
    assert.equal(pair.machine.observer.invariants.violations, []);
  });
}

/** Board A loses its power at 400 ms: no panic, no message, no dump; `before` prepares its spare. */
function withPowerLoss(before: (pair: Pair) => void, use: (pair: Pair) => void): void {
  withPair({ boards: BOARDS, events: [eventOf({ atMs: 400, do: 'power-off', board: 'a' })] }, (pair) => {
    pair.started();
    before(pair);
    pair.until(F.EV_SERVICE, { board: 1 });
    pair.run(2 * LIMIT_MS);
    use(pair);
    assert.is(pair.machine.network.owner(0), 1, 'the volume of A is served');
    assert.equal(pair.machine.observer.invariants.violations, []);
  });
}

test('the disk that says dumping is left alone until its dump is completed; all others are taken at once', () => {
  withPanic((pair) => {
    pair.until(F.EV_SERVICE, { board: 1 });
    assert.is(taken(pair), null);
    assert.equal(
      ['a.root', 'a.data.0'].map((disk) => taken(pair, disk)?.reason),
      [F.REASON_INACTIVE, F.REASON_INACTIVE],
    );
    pair.run(500);
    assert.is(taken(pair)?.reason, F.REASON_COMPLETED);
  });
});

for (const which of ['older', 'newer'] as const) {
  test(`the ${which} copy of a dumping header is torn: the disk is left alone, the dump ends well`, () => {
    withPanic((pair) => {
      pair.until(F.EV_DUMP_BEGIN, { board: 0 });
      const { copies, newest } = headers(pair);
      const newer = copies.indexOf(newest);
      tear(pair, [which === 'newer' ? newer : newer ^ 1]);
      pair.run(1000);
      assert.is(taken(pair)?.reason, F.REASON_COMPLETED);
      assert.equal(pair.machine.observer.dump?.report.wrong, []);
    });
  });
}

test('both copies are torn while a dump that the partner was told of runs: it is left alone, and ends well', () => {
  withPanic((pair) => {
    pair.until(F.EV_DUMP_BEGIN, { board: 0 });
    tear(pair, [0, 1]);
    pair.run(1000);
    assert.is(taken(pair)?.reason, F.REASON_COMPLETED);
    assert.is(pair.machine.observer.dump?.report.attribute, L.ATTRIBUTE_COMPLETED);
  });
});

test('both copies are torn and the dump never ends: the disk is taken at the limit, not left for ever', () => {
  withPanic((pair) => {
    pair.until(F.EV_DUMP_BEGIN, { board: 0 });
    tear(pair, [0, 1]);
    pair.a.powerOff();
    pair.run(LIMIT_MS + 1000);
    const found = taken(pair);
    assert.ok(found !== null && found.ms >= LIMIT_MS - 1 && found.ms < LIMIT_MS + 500, `${found?.ms} ms`);
  });
});

test('a dump that is cut off by a power loss says dumping until its limit; then it is taken and closed as aborted', () => {
  withPanic((pair) => {
    pair.until(F.EV_DUMP_BEGIN, { board: 0 });
    pair.a.powerOff();
    pair.run(LIMIT_MS / 2);
    assert.is(headers(pair).newest?.attribute, L.ATTRIBUTE_DUMPING);
    assert.is(taken(pair), null);
    pair.until(F.EV_TAKEN, { board: 1 });
    assert.is(taken(pair)?.reason, F.REASON_LIMIT);
    const { newest } = headers(pair);
    assert.equal([newest?.attribute, newest?.abort], [L.ATTRIBUTE_ABORTED, L.ABORT_LIMIT]);
    // And when it is saved, the disk is free again.
    pair.run(LIMIT_MS);
    assert.equal(
      [headers(pair).newest?.attribute, headers(pair).newest?.saved],
      [L.ATTRIBUTE_INACTIVE, true],
    );
  });
});

test('no dump, and both copies torn: that reads as inactive, and the disk is taken with the others', () => {
  withPowerLoss(
    (pair) => tear(pair, [0, 1]),
    (pair) => assert.is(taken(pair)?.reason, F.REASON_INACTIVE),
  );
});

const STALE: readonly (readonly [what: string, fields: Record<number, number | bigint>])[] = [
  ['of an earlier life of the board', { ...DUMPING, [L.HEADER_EPOCH_AT]: 0 }],
  ['of a later life than the one that failed', { ...DUMPING, [L.HEADER_EPOCH_AT]: 2 }],
  ['of another system', { ...DUMPING, [L.HEADER_SYSTEM_AT]: 4711 }],
  ['of the taker itself', { ...DUMPING, [L.HEADER_SYSTEM_AT]: 1002 }],
];
for (const [what, fields] of STALE) {
  test(`a header ${what} that says dumping does not hold up the takeover`, () => {
    withPowerLoss(
      (pair) => forge(pair, fields),
      (pair) => {
        const found = taken(pair);
        assert.is(found?.reason, F.REASON_INACTIVE);
        assert.ok(found!.ms < 1000 + 200, `${found!.ms} ms`);
      },
    );
  });
}

test('a header of this very life that says dumping holds its disk, and only it, until the limit that it names', () => {
  withPowerLoss(
    (pair) => forge(pair, DUMPING),
    (pair) => {
      assert.is(taken(pair, 'a.data.0')?.reason, F.REASON_INACTIVE);
      const found = taken(pair)!;
      assert.is(found.reason, F.REASON_LIMIT);
      assert.ok(found.ms >= LIMIT_MS && found.ms < 1000 + LIMIT_MS + 500, `${found.ms} ms`);
      assert.is(headers(pair).newest?.attribute, L.ATTRIBUTE_ABORTED);
    },
  );
});

test('a header that says a time of dumping beyond its limit is over at once', () => {
  withPowerLoss(
    (pair) => forge(pair, { ...DUMPING, [L.HEADER_WRITTEN_US_AT]: 300_000n + BigInt(LIMIT_MS) * 1000n + 1n }),
    (pair) => {
      const found = taken(pair)!;
      assert.is(found.reason, F.REASON_LIMIT);
      assert.ok(found.ms < 1000 + 500, `${found.ms} ms`);
    },
  );
});

test('a header whose times run backwards never holds the disk for longer than a limit', () => {
  withPowerLoss(
    (pair) => forge(pair, { ...DUMPING, [L.HEADER_WRITTEN_US_AT]: 0n }),
    (pair) => {
      const found = taken(pair);
      assert.ok(found !== null && found.ms < 1000 + LIMIT_MS + 500, `${found?.ms} ms`);
    },
  );
});

test.run();
