import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import * as F from '../firmware/layout.ts';
import { MS } from './clock.ts';
import { type Pair, eventOf, withPair } from './machine.test-helper.ts';
import type { EventConfig } from './scenario.ts';
import { nexusOf } from './shelf/fabric.ts';

const test = suite('script of a scenario');

/** A running pair in which one thing happens at 300 ms. */
function after(event: Partial<EventConfig> & Pick<EventConfig, 'do'>, see: (pair: Pair) => void): void {
  withPair({ events: [eventOf({ atMs: 300, ...event })] }, (pair) => {
    pair.started(299);
    assert.equal(pair.script.done, []);
    assert.is(pair.script.pending, 1);
    pair.runTo(300);
    assert.is(pair.script.pending, 0);
    assert.equal(
      pair.script.done.map(({ at }) => at),
      [300 * MS],
    );
    see(pair);
  });
}

for (const [what, reason, board] of [
  ['nmi', L.PANIC_OPERATOR, 'a'],
  ['nmi', L.PANIC_OPERATOR, 'b'],
  ['trap', L.PANIC_TRAP, 'a'],
  ['assert', L.PANIC_ASSERT, 'b'],
  ['memory-error', L.PANIC_MEMORY, 'a'],
] as const) {
  test(`${what} on board ${board} is a panic of that board, with its own reason`, () => {
    after({ do: what, board }, (pair) => {
      pair.run(5);
      assert.equal(
        pair.events(F.EV_PANIC).map((event) => ['ab'[event.board], event.a]),
        [[board, reason]],
      );
    });
  });
}

test('hang: the board does nothing until its watchdog bites', () => {
  after({ do: 'hang', board: 'a' }, (pair) => {
    const { cycles } = pair.a;
    pair.run(100);
    assert.is(pair.a.cycles, cycles);
    assert.is(pair.machine.observer.failedAt[0], 300 * MS);
    assert.is(pair.until(F.EV_PANIC, { board: 0 }).a, L.PANIC_WATCHDOG);
  });
});

test('power-off and power-on: RAM is gone, and the board boots again', () => {
  const events = [
    eventOf({ atMs: 300, do: 'power-off', board: 'b' }),
    eventOf({ atMs: 400, do: 'power-on', board: 'b' }),
  ];
  withPair({ events }, (pair) => {
    pair.started(301);
    assert.is(pair.b.ram(), null);
    assert.is(pair.script.pending, 1);
    pair.runTo(500);
    assert.is(pair.events(F.EV_BOOT, 1).length, 2);
  });
});

test('the interconnect is cut and mended', () => {
  const events = [
    eventOf({ atMs: 300, do: 'cut-interconnect' }),
    eventOf({ atMs: 400, do: 'mend-interconnect' }),
  ];
  withPair({ events }, (pair) => {
    const { interconnect } = pair.machine;
    pair.started(301);
    assert.not(interconnect.up);
    pair.runTo(401);
    assert.ok(interconnect.up);
  });
});

for (const [what, holds] of [
  ['fail-disk', (pair: Pair, disk: number) => pair.machine.shelf.disks[disk]!.writesFail],
  ['kill-disk', (pair: Pair, disk: number) => pair.machine.shelf.disks[disk]!.dead],
  ['slow-disk', (pair: Pair, disk: number) => pair.machine.shelf.disks[disk]!.slowness === 10],
] as const) {
  test(`${what} strikes the disk that it names, and no other`, () => {
    after({ do: what, disk: 'b.data.0' }, (pair) => {
      pair.machine.shelf.disks.forEach((disk, number) => {
        assert.is(holds(pair, number), disk.config.name === 'b.data.0', disk.config.name);
      });
    });
  });
}

test('slow-disk takes its factor', () => {
  after({ do: 'slow-disk', disk: 'b.root', factor: 123 }, (pair) => {
    assert.is(pair.machine.shelf.disks[pair.disk('b.root')]!.slowness, 123);
  });
});

test('cut-path and mend-path: one board, one disk, one port', () => {
  const path = { disk: 'a.root', board: 'b', path: 1 } as const;
  const events = [
    eventOf({ atMs: 300, do: 'cut-path', ...path }),
    eventOf({ atMs: 400, do: 'mend-path', ...path }),
  ];
  withPair({ events }, (pair) => {
    const { fabric, disks } = pair.machine.shelf;
    const down = (): string[] =>
      disks.flatMap(({ number, config }) =>
        [0, 1].flatMap((board) =>
          [0, 1].flatMap((port) =>
            fabric.reachable(nexusOf(board, port), number) ? [] : [`${'ab'[board]}${port} ${config.name}`],
          ),
        ),
      );
    pair.started(301);
    assert.equal(down(), ['b1 a.root']);
    pair.runTo(401);
    assert.equal(down(), []);
  });
});

test('quiet: clients send nothing new, and what is on its way ends', () => {
  after({ do: 'quiet' }, (pair) => {
    pair.run(500);
    assert.not(pair.machine.clients.some((client) => client.waiting));
    const before = pair.machine.clients.map((client) => client.reads + client.writesAcked);
    assert.ok(before.some((count) => count > 0));
    pair.run(1000);
    assert.equal(
      pair.machine.clients.map((client) => client.reads + client.writesAcked),
      before,
    );
  });
});

test('an event may wait for another: the first time it happens, and so long after it', () => {
  const events = [
    eventOf({ atMs: 300, do: 'nmi', board: 'a' }),
    eventOf({ on: 'dump-begin', plusMs: 7, do: 'cut-interconnect' }),
  ];
  withPair({ events }, (pair) => {
    pair.started();
    const { time } = pair.until(F.EV_DUMP_BEGIN);
    assert.is(pair.script.pending, 1);
    pair.machine.clock.runUntil(time + 7 * MS - 1);
    assert.ok(pair.machine.interconnect.up);
    pair.machine.clock.runUntil(time + 7 * MS);
    assert.not(pair.machine.interconnect.up);
  });
});

test('what waits for an event happens once, though the event happens again', () => {
  const events = [eventOf({ on: 'serve', do: 'cut-interconnect' })];
  withPair({ events }, (pair) => {
    pair.started();
    assert.ok(pair.events(F.EV_SERVE).length >= 2);
    assert.is(pair.script.done.length, 1);
  });
});

test('several things may wait for the same event', () => {
  const events = [
    eventOf({ on: 'ready', do: 'cut-interconnect' }),
    eventOf({ on: 'ready', plusMs: 1, do: 'kill-disk', disk: 'a.spare.0' }),
  ];
  withPair({ events }, (pair) => {
    pair.started();
    assert.equal(
      pair.script.done.map(({ event }) => event.do),
      ['cut-interconnect', 'kill-disk'],
    );
  });
});

test('what waits for an event that never happens is not pending: a run does not wait for it', () => {
  withPair({ events: [eventOf({ on: 'fenced', do: 'quiet' })] }, (pair) => {
    pair.started();
    assert.is(pair.script.pending, 0);
    assert.equal(pair.script.done, []);
  });
});

test('coredump-of-a is the disk that board A has elected, whichever it is', () => {
  after({ do: 'fail-disk', disk: 'coredump-of-a' }, (pair) => {
    const [elected] = pair.events(F.EV_ELECTED, 0);
    assert.ok(elected);
    assert.equal(
      pair.machine.shelf.disks.filter(({ writesFail }) => writesFail).map(({ number }) => number),
      [elected.a],
    );
  });
});

test('coredump-of-b, where B has no spare, is no disk: nothing happens, and no other disk is struck', () => {
  after({ do: 'kill-disk', disk: 'coredump-of-b' }, (pair) => {
    assert.not(pair.machine.shelf.disks.some(({ dead }) => dead));
  });
});

test.run();
