import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../asm/layout.ts';
import { WORK_COMMAND, WORK_COPY, WORK_CRC, WORK_SCAN } from '../../firmware/layout.ts';
import { MS } from '../clock.ts';
import {
  type Action,
  BOOT,
  BUILD_AT,
  BoardBench,
  CYCLE,
  CYCLE_END,
  FEED,
  IDLE,
  INTERRUPT,
  NMI,
  PERIOD,
  PLACE_AT,
  POST,
  UNMASK,
  lineOf,
  probe,
} from './probe.test-helper.ts';

const test = suite('emulated board');
const firmware = probe();
const made = (): BoardBench => new BoardBench(firmware);
const ALL = 0xffffffff;

// ------------------------------------------------------------------------------------------------ power and cycle

test('from power-on the self-test runs its time, then firmware boots, then cycles come at a fixed period', () => {
  const bench = made();
  assert.not(bench.board.running);
  assert.is(bench.board.ram(), null);
  bench.board.powerOn();
  assert.ok(bench.board.booting);
  bench.clock.runUntil(POST - 1);
  assert.equal(bench.events, []);
  bench.clock.runUntil(POST + 10 * PERIOD);
  assert.equal(bench.timesOf(BOOT), [POST]);
  assert.equal(
    bench.timesOf(CYCLE),
    Array.from({ length: 10 }, (_, n) => POST + (n + 1) * PERIOD),
  );
  assert.equal([bench.board.cycles, bench.board.skipped, bench.board.overruns], [10, 0, 0]);
  assert.equal(bench.power, [true]);
});

test('boot is told the period, and the build id of the image stands in RAM', () => {
  const bench = made().started();
  assert.is(bench.events[0]!.a, PERIOD / 1000);
  assert.is(bench.textAt(BUILD_AT), firmware.build);
});

test('idle cycles are skipped, counted, and the next one comes on the grid', () => {
  const bench = made();
  bench.set(IDLE, 9);
  bench.started(101);
  assert.equal(
    bench.timesOf(CYCLE),
    Array.from({ length: 11 }, (_, n) => POST + (1 + n * 10) * PERIOD),
  );
  assert.equal([bench.board.cycles, bench.board.skipped], [11, 99]);
});

test('power off: RAM is gone, nothing runs; power on again: RAM is zero, NVRAM is as it was', () => {
  const bench = made().started();
  bench.do('store', 4096, 0x1234);
  assert.is(bench.do('load', 4096), 0x1234);
  bench.set(400, 77);
  bench.board.powerOff();
  const { length } = bench.events;
  assert.is(bench.board.ram(), null);
  assert.not(bench.board.running);
  bench.runCycles(100);
  assert.is(bench.events.length, length);
  bench.started();
  assert.is(bench.do('load', 4096), 0);
  assert.is(bench.board.nvram.read(400), 77);
  assert.equal(bench.power, [true, false, true]);
});

test('power on twice is once, power off twice too', () => {
  const bench = made();
  bench.board.powerOff();
  bench.board.powerOn();
  bench.board.powerOn();
  bench.clock.runUntil(POST + PERIOD);
  bench.board.powerOn();
  bench.runCycles(20);
  assert.is(bench.timesOf(BOOT).length, 1);
  bench.board.powerOff();
  bench.board.powerOff();
  assert.equal(bench.power, [true, false]);
});

test('power off in the self-test: firmware never starts', () => {
  const bench = made();
  bench.board.powerOn();
  bench.clock.runUntil(POST / 2);
  bench.board.powerOff();
  bench.clock.runUntil(10 * POST);
  assert.equal(bench.events, []);
});

test('a reboot clears RAM and runs the self-test again, then firmware starts anew; devices are reset', () => {
  const bench = made();
  bench.set(UNMASK, ALL);
  bench.started();
  bench.do('store', 4096, 0x1234);
  bench.board.type('x');
  bench.ask('reboot');
  bench.runCycles(1);
  const at = bench.clock.now;
  assert.ok(bench.board.booting);
  assert.not(bench.board.running);
  bench.clock.runUntil(at + POST - 1);
  assert.is(bench.timesOf(BOOT).length, 1);
  bench.clock.runUntil(at + POST + PERIOD);
  assert.equal(bench.timesOf(BOOT).slice(1), [at + POST]);
  assert.is(bench.do('load', 4096), 0);
  assert.is(bench.do('type'), 0xffffffff, 'a byte typed before the reboot');
  assert.equal(bench.power, [true]);
});

test('a halted board keeps its RAM for the one who comes to look, and does nothing, whatever reaches it', () => {
  const bench = made();
  bench.set(UNMASK, ALL);
  bench.started();
  bench.do('store', 4096, 0x1234);
  bench.do('halt');
  const { length } = bench.events;
  assert.not(bench.board.running);
  assert.not(bench.board.booting);
  bench.board.type('x');
  bench.board.nmi(L.PANIC_OPERATOR, 0);
  bench.board.hang();
  bench.link.send(1, Uint8Array.of(1));
  bench.board.powerOn();
  bench.runCycles(1000);
  assert.is(bench.events.length, length);
  assert.is(new DataView(bench.board.ram()!.buffer).getUint32(4096, true), 0x1234);
  bench.board.powerOff();
  bench.started();
  assert.ok(bench.board.running);
});

// ----------------------------------------------------------------------------------------------------- interrupts

/** Every interrupt stands between two cycles. */
function assertBetweenCycles(bench: BoardBench): void {
  let inside = false;
  for (const { code } of bench.events) {
    if (code === CYCLE) inside = true;
    else if (code === CYCLE_END) inside = false;
    else if (code === INTERRUPT) assert.not(inside);
  }
}

test('an interrupt comes at the start of the next cycle, once, and tells its line', () => {
  const bench = made();
  bench.set(UNMASK, ALL);
  bench.started(3);
  bench.clock.runUntil(bench.clock.now + PERIOD / 3);
  bench.board.type('x');
  bench.runCycles(5);
  const interrupts = bench.events.filter(({ code }) => code === INTERRUPT);
  assert.equal(
    interrupts.map(({ at, a }) => [at, a]),
    [[POST + 4 * PERIOD, L.IRQ_UART]],
  );
  const place = bench.events.indexOf(interrupts[0]!);
  assert.equal([bench.events[place - 1]!.code, bench.events[place + 1]!.code], [CYCLE_END, CYCLE]);
});

test('an interrupt ends idling at the next cycle of the grid, not later and not off the grid', () => {
  const bench = made();
  bench.set(UNMASK, ALL);
  bench.set(IDLE, 1000);
  bench.started(1);
  bench.clock.runUntil(bench.clock.now + 7.25 * PERIOD);
  bench.board.type('x');
  bench.runCycles(3);
  assert.equal(bench.timesOf(CYCLE), [POST + PERIOD, POST + 9 * PERIOD]);
  // Those counted as skipped that were not are counted back.
  bench.runCycles(1000);
  assert.is(bench.board.cycles + bench.board.skipped, 1 + 8 + 1 + 1000 + 1 + 1000 - 1);
});

test('a masked line does not interrupt and does not end idling; it comes as soon as it is unmasked', () => {
  const bench = made();
  bench.set(IDLE, 49);
  bench.started(1);
  bench.board.type('x');
  bench.runCycles(49);
  assert.equal(bench.timesOf(CYCLE), [POST + PERIOD]);
  assert.equal(bench.timesOf(INTERRUPT), []);
  bench.set(IDLE, 0);
  bench.ask('unmask', L.IRQ_UART);
  bench.runCycles(3);
  assert.equal(bench.timesOf(INTERRUPT), [POST + 52 * PERIOD]);
  assertBetweenCycles(bench);
});

test('a mask keeps back its own lines only', () => {
  const bench = made();
  bench.set(UNMASK, L.IRQ_UART);
  bench.started(1);
  bench.link.send(1, Uint8Array.of(1));
  bench.board.type('x');
  bench.runCycles(3);
  const lines = (): number[] => bench.events.filter(({ code }) => code === INTERRUPT).map(({ a }) => a);
  assert.equal(lines(), [L.IRQ_UART]);
  bench.do('unmask', L.IRQ_INTERCONNECT);
  bench.runCycles(1);
  assert.equal(lines(), [L.IRQ_UART, L.IRQ_INTERCONNECT]);
});

test('lines that are raised together come in one interrupt', () => {
  const bench = made();
  bench.set(UNMASK, ALL);
  bench.started(1);
  bench.board.type('abc');
  bench.link.send(1, Uint8Array.of(1));
  bench.runCycles(3);
  assert.equal(
    bench.events.filter(({ code }) => code === INTERRUPT).map(({ a }) => a),
    [L.IRQ_UART | L.IRQ_INTERCONNECT],
  );
});

test('a device that answers within a cycle interrupts after it, never inside', () => {
  const bench = made();
  bench.set(UNMASK, ALL);
  bench.set(IDLE, 500);
  bench.started(1);
  // Entries of zeros have no CDB: the HBA completes them while firmware rings the doorbell.
  bench.ask('ring the doorbell', 3);
  bench.board.type('x');
  bench.runCycles(4);
  assert.ok(bench.timesOf(INTERRUPT).length >= 2);
  assertBetweenCycles(bench);
  assert.is(
    new DataView(bench.board.ram()!.buffer).getUint8(0x11000 + L.CQE_HOST_STATUS_AT),
    L.HOST_BAD_ENTRY,
  );
});

test('once masked for good, as in a panic, nothing interrupts any more', () => {
  const bench = made();
  bench.set(UNMASK, ALL);
  bench.started(1);
  bench.do('mask', ALL);
  for (let n = 0; n < 20; n++) {
    bench.board.type('x');
    bench.link.send(1, Uint8Array.of(n));
    bench.runCycles(1);
  }
  assert.equal(bench.timesOf(INTERRUPT), []);
  assert.is(bench.timesOf(CYCLE).length, 22);
});

test('after a reboot all lines are masked until firmware unmasks them, and none is left over', () => {
  const bench = made();
  bench.set(UNMASK, ALL);
  bench.started(1);
  bench.ask('reboot');
  bench.board.type('x');
  bench.set(UNMASK, 0);
  bench.runCycles(1);
  bench.clock.runUntil(bench.clock.now + POST + 3 * PERIOD);
  const before = bench.timesOf(INTERRUPT).length;
  bench.link.send(1, Uint8Array.of(1));
  bench.runCycles(3);
  assert.is(bench.timesOf(INTERRUPT).length, before);
  bench.do('unmask', ALL);
  bench.runCycles(3);
  assert.equal(
    bench.events
      .filter(({ code }) => code === INTERRUPT)
      .slice(before)
      .map(({ a }) => a),
    [L.IRQ_INTERCONNECT],
  );
});

// --------------------------------------------------------------------------------------------- faults of the CPU

for (const action of ['unreachable', 'load outside memory', 'divide by zero'] as Action[]) {
  test(`${action}: the trap enters the panic handler with its place in the source`, () => {
    const bench = made().started();
    bench.do(action);
    const nmi = bench.events.find(({ code }) => code === NMI)!;
    assert.is(nmi.a, L.PANIC_TRAP);
    assert.is.not(nmi.b, 0);
    assert.match(bench.textAt(PLACE_AT), new RegExp(`^probe\\.ts:${lineOf(action)}:\\d+$`));
    assert.is(firmware.place(nmi.b), bench.textAt(PLACE_AT));
    // The same cycle goes on: firmware decides what comes now.
    bench.runCycles(3);
    assert.is(bench.timesOf(CYCLE_END).length, 4);
    assert.ok(bench.board.running);
  });
}

test('a stack that overflows is a fault of the firmware, not of the emulator', () => {
  const bench = made().started();
  bench.do('overflow');
  const nmi = bench.events.find(({ code }) => code === NMI)!;
  assert.is(nmi.a, L.PANIC_TRAP);
  assert.match(bench.textAt(PLACE_AT), new RegExp(`^probe\\.ts:${lineOf('deep')}:\\d+$`));
  assert.ok(bench.board.running);
});

test('the place of the first fault stays: a second one does not write over it', () => {
  const bench = made().started();
  bench.do('unreachable');
  const place = bench.textAt(PLACE_AT);
  bench.do('divide by zero');
  assert.is(bench.textAt(PLACE_AT), place);
  assert.is(bench.timesOf(NMI).length, 2);
});

test('a panic that says halt halts, one that says reboot reboots', () => {
  for (const [action, boots] of [
    ['halt', 1],
    ['reboot', 2],
  ] as const) {
    const bench = made().started();
    bench.inNmi(action);
    bench.do('unreachable');
    assert.not(bench.board.running);
    bench.clock.runUntil(bench.clock.now + POST + PERIOD);
    assert.is(bench.timesOf(BOOT).length, boots);
  }
});

for (const action of ['unreachable', 'overflow'] as Action[]) {
  test(`${action} in the panic handler itself halts the board, with its RAM for the one who comes to look`, () => {
    const bench = made().started();
    bench.do('store', 4096, 0x1234);
    bench.inNmi(action);
    bench.do('divide by zero');
    assert.not(bench.board.running);
    assert.is(new DataView(bench.board.ram()!.buffer).getUint32(4096, true), 0x1234);
    const { length } = bench.events;
    bench.runCycles(1000);
    assert.is(bench.events.length, length);
  });
}

test('a panic handler that faults when the operator asks for it halts the board as well', () => {
  const bench = made().started();
  bench.inNmi('unreachable');
  bench.board.nmi(L.PANIC_OPERATOR, 0);
  assert.ok(!bench.board.running || bench.timesOf(NMI).length === 2);
  bench.runCycles(3);
  assert.not(bench.board.running);
});

test('the operator’s button and a memory error arrive with reason and address, and stand as between two cycles', () => {
  for (const [reason, address] of [
    [L.PANIC_OPERATOR, 0],
    [L.PANIC_MEMORY, 0x123456],
  ] as const) {
    const bench = made().started();
    bench.clock.runUntil(bench.clock.now + PERIOD / 2);
    bench.board.nmi(reason, address);
    const nmi = bench.events.at(-1);
    assert.equal([nmi?.code, nmi?.a, nmi?.b, nmi?.c], [NMI, reason, 0, address]);
    assert.is(bench.textAt(PLACE_AT), 'between two cycles');
    const { now } = bench.clock;
    bench.runCycles(2);
    assert.equal(bench.timesOf(CYCLE).slice(1), [now + PERIOD, now + 2 * PERIOD]);
  }
});

test('a hang starves the watchdog, which enters the panic handler; then cycles come again', () => {
  const bench = made();
  bench.set(UNMASK, ALL);
  bench.set(FEED, 5);
  bench.started(3);
  const fed = bench.clock.now;
  bench.board.hang();
  bench.board.type('x'); // nobody is there to be interrupted
  bench.clock.runUntil(fed + 5 * MS - 1);
  assert.is(bench.timesOf(CYCLE).length, 3);
  assert.equal(bench.timesOf(INTERRUPT), []);
  bench.clock.runUntil(fed + 5 * MS + 2 * PERIOD);
  const nmi = bench.events.find(({ code }) => code === NMI)!;
  assert.equal([nmi.at, nmi.a], [fed + 5 * MS, L.PANIC_WATCHDOG]);
  assert.is(bench.textAt(PLACE_AT), 'stuck in a cycle');
  assert.is(bench.timesOf(CYCLE).length, 5);
});

test('a firmware that feeds the watchdog each cycle is not bitten; one that skips past its time-out is', () => {
  const bench = made();
  bench.set(FEED, 5);
  bench.started(1000);
  assert.equal(bench.timesOf(NMI), []);
  bench.set(IDLE, 100);
  bench.runCycles(200);
  assert.is.not(bench.timesOf(NMI).length, 0);
});

test('a halted, rebooting or powerless board is not bitten by the watchdog of its former life', () => {
  for (const action of ['halt', 'reboot'] as const) {
    const bench = made();
    bench.started(1);
    bench.do('feed', 3);
    bench.do(action);
    bench.runCycles(200);
    assert.equal(bench.timesOf(NMI), []);
  }
});

test('an error of the emulator itself is not taken for a fault of the firmware', () => {
  const bench = made().started();
  bench.onEvent = () => {
    throw new Error('a bug in the observer');
  };
  assert.throws(() => bench.runCycles(1), /a bug in the observer/);
});

// -------------------------------------------------------------------------------------------------- modelled work

for (const [what, kind, amount, periods] of [
  ['nothing', 0, 0, 1],
  ['unknown work', 99, 2 ** 31, 1],
  ['200 commands', WORK_COMMAND, 200, 1],
  ['1000 commands', WORK_COMMAND, 1000, 5],
  ['a checksum of 1 MiB', WORK_CRC, 2 ** 20, 3],
  ['a scan of 1 MiB', WORK_SCAN, 2 ** 20, 1],
  ['a scan of 12 MiB', WORK_SCAN, 12 * 2 ** 20, 11],
  ['a copy of 1 MiB', WORK_COPY, 2 ** 20, 2],
] as const) {
  test(`${what} in a cycle: the next one comes after ${periods} periods, and each beyond the first is an overrun`, () => {
    const bench = made().started();
    bench.ask('work', kind, amount);
    bench.runCycles(1);
    const { now } = bench.clock;
    bench.runCycles(20);
    assert.equal(bench.timesOf(CYCLE)[2], now + periods * PERIOD);
    assert.is(bench.board.overruns, periods - 1);
    assert.is(bench.board.skipped, 0);
  });
}

test('an interrupt does not make a cycle begin before the work of the last is done', () => {
  const bench = made();
  bench.set(UNMASK, ALL);
  bench.set(IDLE, 50);
  bench.started(1);
  bench.board.type('x');
  bench.ask('work', WORK_COMMAND, 1000); // 402 us: five periods
  bench.runCycles(1);
  const { now } = bench.clock;
  bench.clock.runUntil(now + PERIOD / 2);
  bench.board.type('y');
  bench.runCycles(20);
  assert.is(bench.timesOf(CYCLE)[2], now + 5 * PERIOD);
});

// -------------------------------------------------------------------------------------------------------- devices

test('the timer counts from power-on, the real-time clock from the start of the run', () => {
  const bench = made();
  bench.clock.runUntil(7_000 * MS);
  bench.started();
  assert.is(bench.do('now'), (POST + 2 * PERIOD) / 1000);
  assert.is(bench.do('utc'), 1_700_000_007);
});

test('after 72 minutes the timer goes on in its upper word', () => {
  const bench = made();
  bench.set(IDLE, 1e6);
  bench.started();
  bench.clock.runUntil(2 ** 32 * 1000 + 50 * MS);
  bench.set(IDLE, 0);
  const last = (): number => bench.timesOf(CYCLE).at(-1) ?? 0;
  while (last() < 2 ** 32 * 1000) bench.clock.step();
  bench.clock.runUntil(last());
  assert.is(bench.do('now high'), 1);
  assert.ok(bench.do('now') < 200e6);
});

test('what is typed is read byte by byte, then there is nothing', () => {
  const bench = made().started();
  bench.board.type('aÿ');
  assert.equal([bench.do('type'), bench.do('type'), bench.do('type')], [0x61, 0xff, 0xffffffff]);
});

test('messages arrive in order, each cut to the room that there is for it', () => {
  const bench = made().started();
  bench.link.send(1, Uint8Array.of(1, 2, 3, 4, 5, 6));
  bench.link.send(1, Uint8Array.of(7, 8));
  bench.runCycles(1);
  const ram = bench.board.ram()!;
  ram.fill(0xee, 8192, 8200);
  assert.is(bench.do('receive', 8192, 4), 4);
  assert.equal([...ram.subarray(8192, 8198)], [1, 2, 3, 4, 0xee, 0xee]);
  assert.is(bench.do('receive', 8192, 4), 2);
  assert.is(bench.do('receive', 8192, 4), 0);
});

test('of messages that firmware does not take, 64 are kept', () => {
  const bench = made().started();
  for (let n = 0; n < 100; n++) bench.link.send(1, Uint8Array.of(n));
  bench.runCycles(1);
  const got: number[] = [];
  while (bench.do('receive', 8192, 4) > 0) got.push(bench.board.ram()![8192]!);
  assert.equal(
    got,
    Array.from({ length: 64 }, (_, n) => n),
  );
});

test('a message to a board in its self-test is lost', () => {
  const bench = made();
  bench.board.powerOn();
  bench.link.send(1, Uint8Array.of(1));
  bench.clock.runUntil(POST + 2 * PERIOD);
  assert.is(bench.do('receive', 8192, 4), 0);
});

test('a message leaves as it is at that moment', () => {
  const bench = made().started();
  bench.do('store', 8192, 0x04030201);
  bench.ask('send', 8192, 4);
  bench.runCycles(1);
  bench.board.ram()!.fill(0, 8192, 8196);
  bench.runCycles(1);
  assert.equal(
    bench.sent.map((message) => [...message]),
    [[1, 2, 3, 4]],
  );
});

const RAM_BYTES = 16 << 20;
for (const [what, action, a, b] of [
  ['a message that ends outside RAM', 'send', RAM_BYTES - 3, 4],
  ['a message from the top of the address space', 'send', 2 ** 32 - 2, 4],
  ['a message of 257 bytes', 'send', 8192, 257],
  ['a message of 4 GiB', 'send', 8192, 2 ** 32 - 1],
  ['text that ends outside RAM', 'print', RAM_BYTES - 3, 4],
  ['text from the top of the address space', 'print', 2 ** 32 - 2, 4],
] as const) {
  test(`${what} is not sent, and the board goes on`, () => {
    const bench = made().started();
    bench.do(action, a, b);
    bench.runCycles(3);
    assert.equal(bench.sent, []);
    assert.equal(bench.console, []);
    assert.equal(bench.timesOf(NMI), []);
  });
}

test('a message is not received to outside RAM', () => {
  for (const [at, room] of [
    [RAM_BYTES - 3, 4],
    [2 ** 32 - 2, 4],
    [8192, 2 ** 32 - 1],
  ] as const) {
    const bench = made().started();
    bench.link.send(1, Uint8Array.of(1, 2, 3, 4));
    bench.runCycles(1);
    assert.is(bench.do('receive', at, room), 0);
    assert.equal(bench.timesOf(NMI), []);
  }
});

test('the console prints bytes of RAM', () => {
  const bench = made().started();
  bench.board.ram()!.set(Buffer.from('hello\n'), 8192);
  bench.do('print', 8192, 6);
  assert.equal(bench.console, ['hello\n']);
});

test.run();
