import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { MS } from '../boards/clock.ts';
import { type Overrides, type Pair, eventOf, withPair } from '../boards/machine.test-helper.ts';
import type { EventConfig } from '../boards/scenario.ts';
import * as F from './layout.ts';
import { fieldOf } from './memory.test-helper.ts';

const test = suite('entry to the panic handler');
const CONSOLE = readFileSync(join(import.meta.dirname, 'console.ts'), 'utf8').split('\n');

/** Where in firmware/console.ts a text stands: "line:column" of the first place, counted from 1. */
function placeOf(text: string): { line: number; from: number; to: number } {
  const line = CONSOLE.findIndex((each) => each.includes(text));
  assert.is.not(line, -1, text);
  return { line: line + 1, from: 1, to: CONSOLE[line]!.length + 1 };
}

const record = (pair: Pair, at: number): number => pair.word(0, F.RECORD_AT + at);
const place = (pair: Pair): string => pair.text(0, F.RECORD_AT + F.RECORD_PLACE_AT);

/** Board A goes down at 400 ms; `use` sees it while the panic handler runs. */
function panicked(
  event: Pick<EventConfig, 'do'> & Partial<EventConfig>,
  use: (pair: Pair) => void,
  more: Overrides = {},
): void {
  withPair({ ...more, events: [eventOf({ atMs: 400, board: 'a', ...event })] }, (pair) => {
    pair.started();
    pair.until(F.EV_PANIC, { board: 0 });
    use(pair);
  });
}

test('a trap: the record says so, with file, line and column of the load that went wrong', () => {
  panicked({ do: 'trap' }, (pair) => {
    assert.is(record(pair, F.RECORD_MAGIC_AT), F.RECORD_MAGIC);
    assert.is(record(pair, F.RECORD_REASON_AT), L.PANIC_TRAP);
    assert.is.not(record(pair, F.RECORD_PC_AT), 0);
    assert.is(record(pair, F.RECORD_PHASE_AT), F.PHASE_CONSOLE);
    const [file, line, column] = place(pair).split(':');
    const expected = placeOf('load<u64>(stray');
    assert.equal([file, Number(line)], ['firmware/console.ts', expected.line]);
    assert.ok(Number(column) >= expected.from && Number(column) <= expected.to);
  });
});

test('a failed assert: the record has its message, file, line and column, and says assert, not trap', () => {
  panicked({ do: 'assert' }, (pair) => {
    assert.is(record(pair, F.RECORD_REASON_AT), L.PANIC_ASSERT);
    assert.is(pair.text(0, F.RECORD_AT + F.RECORD_TEXT_AT), 'failed on request of the console');
    assert.is(place(pair), 'firmware/console.ts');
    const expected = placeOf('assert(false');
    assert.is(record(pair, F.RECORD_LINE_AT), expected.line);
    assert.is(CONSOLE[expected.line - 1]!.slice(record(pair, F.RECORD_COLUMN_AT) - 1).indexOf('assert('), 0);
  });
});

for (const [what, reason, where] of [
  ['nmi', L.PANIC_OPERATOR, 'between two cycles'],
  ['memory-error', L.PANIC_MEMORY, 'between two cycles'],
  ['hang', L.PANIC_WATCHDOG, 'stuck in a cycle'],
] as const) {
  test(`${what}: the record has its reason, and says that the CPU was ${where}`, () => {
    panicked({ do: what }, (pair) => {
      assert.is(record(pair, F.RECORD_REASON_AT), reason);
      assert.is(place(pair), where);
      assert.is(record(pair, F.RECORD_PC_AT), 0);
      const isMemory = reason === L.PANIC_MEMORY;
      assert.is(record(pair, F.RECORD_ADDRESS_AT) > F.CACHE_AT, isMemory);
    });
  });
}

test('the record says who, in which life, when, and with how much memory', () => {
  panicked({ do: 'nmi' }, (pair) => {
    assert.is(record(pair, F.RECORD_SYSTEM_AT), 1001);
    assert.is(record(pair, F.RECORD_EPOCH_AT), 1);
    assert.is(record(pair, F.RECORD_TIME_AT), 400_000); // us, counted from power-on
    assert.is(record(pair, F.RECORD_UTC_AT), pair.machine.scenario.startUtc);
    assert.is(record(pair, F.RECORD_MEMORY_AT), 16 << 20);
    assert.match(pair.text(0, F.RECORD_AT + F.RECORD_BUILD_AT), /^[0-9a-f]{16}$/);
  });
});

test('memory is frozen from the panic on, but for the handler’s own work area, which was zero before', () => {
  withPair(
    { boards: { rebootAfterPanic: false }, events: [eventOf({ atMs: 400, do: 'nmi', board: 'a' })] },
    (pair) => {
      pair.started(399);
      assert.ok(
        pair.a
          .ram()!
          .subarray(F.WORK_AT, F.WORK_AT + F.WORK_BYTES)
          .every((byte) => byte === 0),
      );
      pair.until(F.EV_FROZEN, { board: 0 });
      const frozen = Buffer.from(pair.a.ram()!);
      pair.until(F.EV_DUMP_END, { board: 0 });
      const now = pair.a.ram()!;
      assert.is(frozen.compare(now, 0, F.WORK_AT, 0, F.WORK_AT), 0);
      const end = F.WORK_AT + F.WORK_BYTES;
      assert.is(frozen.compare(now, end, now.length, end, now.length), 0);
      assert.is.not(frozen.compare(now, F.WORK_AT, end, F.WORK_AT, end), 0);
    },
  );
});

for (const when of ['at once', 'while the dump runs'] as const) {
  test(`a second panic ${when} only halts: no reboot, though one is set, and RAM stays for the one who comes to look`, () => {
    panicked(
      { do: 'nmi' },
      (pair) => {
        if (when === 'while the dump runs') pair.until(F.EV_DUMP_BEGIN, { board: 0 });
        const frozen = record(pair, F.RECORD_REASON_AT);
        pair.a.nmi(L.PANIC_MEMORY, 4096);
        assert.not(pair.a.running);
        assert.is.not(pair.a.ram(), null);
        pair.run(2000);
        assert.not(pair.a.running);
        assert.is(pair.events(F.EV_PANIC, 0).length, 1);
        assert.is(pair.events(F.EV_BOOT, 0).length, 1);
        assert.equal(
          pair.events(F.EV_HALT, 0).map(({ a, b }) => [a, b]),
          [[0, 2]],
        );
        assert.equal([record(pair, F.RECORD_REASON_AT), record(pair, F.RECORD_ADDRESS_AT)], [frozen, 0]);
      },
      { boards: { rebootAfterPanic: true } },
    );
  });
}

test('after its dump the board reboots when it is set so: RAM is clear, and its epoch is the next', () => {
  panicked({ do: 'nmi' }, (pair) => {
    pair.until(F.EV_BOOT, { board: 0 });
    assert.is(record(pair, F.RECORD_MAGIC_AT), 0);
    assert.ok(
      pair.a
        .ram()!
        .subarray(F.WORK_AT, F.WORK_AT + F.WORK_BYTES)
        .every((byte) => byte === 0),
    );
    pair.run(100);
    assert.is(fieldOf(pair.a.ram()!, F.CORE_AT, 'Core', 'epoch'), 2);
  });
});

test('or it halts, with the record in RAM, when it is set so', () => {
  panicked(
    { do: 'nmi' },
    (pair) => {
      pair.until(F.EV_HALT, { board: 0 });
      pair.run(3000);
      assert.not(pair.a.running);
      assert.is(record(pair, F.RECORD_MAGIC_AT), F.RECORD_MAGIC);
      assert.is(pair.events(F.EV_BOOT, 0).length, 1);
    },
    { boards: { rebootAfterPanic: false } },
  );
});

test('an HBA that answers nothing any more holds a panicked board no longer than five seconds past its limit', () => {
  panicked(
    { do: 'nmi' },
    (pair) => {
      pair.a.hba.doorbell = () => {};
      pair.run(400);
      assert.ok(pair.a.running, 'it waits');
      pair.run(6000);
      assert.not(pair.a.running);
      assert.is(pair.events(F.EV_HALT, 0).length, 1);
    },
    { boards: { rebootAfterPanic: false, dumpLimitMs: 500 } },
  );
});

for (const ms of [51, 53, 56, 60, 70, 80]) {
  test(`a panic ${ms - 50} ms into the first life of the board is none the worse: it ends, and the partner serves`, () => {
    withPair({ events: [eventOf({ atMs: ms, do: 'nmi', board: 'a' })] }, (pair) => {
      pair.started(ms);
      pair.run(1);
      assert.is(pair.events(F.EV_PANIC, 0).length, 1);
      assert.ok(
        pair.a.ram() === null ||
          record(pair, F.RECORD_SYSTEM_AT) === 1001 ||
          record(pair, F.RECORD_MAGIC_AT) === 0,
      );
      pair.run(5000);
      assert.equal(pair.machine.observer.invariants.violations, []);
      assert.is.not(pair.machine.network.owner(0), null);
      assert.is.not(pair.machine.network.owner(1), null);
    });
  });
}

test('a panic in every millisecond of a stretch of service: always one, always the takeover, never a violation', () => {
  for (let step = 0; step < 12; step++) {
    withPair({ clients: { thinkUs: 1000 } }, (pair) => {
      pair.started();
      pair.machine.clock.runUntil(300 * MS + step * 137_000);
      pair.a.nmi(L.PANIC_OPERATOR, 0);
      pair.until(F.EV_SERVICE, { board: 1 });
      pair.run(300);
      assert.is(pair.events(F.EV_PANIC).length, 1);
      assert.equal(pair.machine.observer.invariants.violations, []);
    });
  }
});

test.run();
