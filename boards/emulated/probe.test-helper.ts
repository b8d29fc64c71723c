/**
 * A firmware that does what NVRAM tells it and says what is done to it: for tests of what a board gives any firmware.
 * Compiled from the source below, with its source map, so that faults have a place in it.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../clock.ts';
import { Interconnect } from '../interconnect.ts';
import { Bench } from '../shelf/bench.test-helper.ts';
import { EmulatedBoard } from './board.ts';
import { Firmware } from './firmware.ts';

/** NVRAM words of the probe. */
export const DO = 256; // what to do in the next cycle, once
export const DO_A = 260;
export const DO_B = 264;
export const IDLE = 268; // what cycle() returns
export const IN_NMI = 272; // what nmi() does
export const UNMASK = 276; // lines that boot unmasks
export const RESULT = 280; // of the last DO
export const FEED = 284; // ms: the watchdog is fed with it in each cycle

/** Events of the probe. */
export const BOOT = 1; // period
export const CYCLE = 2;
export const CYCLE_END = 3;
export const INTERRUPT = 4; // lines
export const NMI = 5; // reason, code offset, address
export const STARTED = 6;

const ACTIONS = {
  nothing: '',
  unreachable: 'unreachable();',
  'load outside memory': 'store<u32>(0, load<u32>(0xfffffffc));',
  'divide by zero': 'nvram_write(RESULT, 1 / b);',
  overflow: 'nvram_write(RESULT, deep(a));',
  halt: 'halt();',
  reboot: 'reboot();',
  mask: 'mask(a);',
  unmask: 'unmask(a);',
  work: 'work(a, b);',
  now: 'nvram_write(RESULT, now_lo());',
  'now high': 'nvram_write(RESULT, now_hi());',
  utc: 'nvram_write(RESULT, utc());',
  type: 'nvram_write(RESULT, uart_read());',
  print: 'uart_write(a, b);',
  send: 'send(a, b);',
  receive: 'nvram_write(RESULT, receive(a, b));',
  'ring the doorbell': 'hba_configure(0x10000, 4, 0x11000, 4); doorbell(a);',
  load: 'nvram_write(RESULT, load<u32>(a));',
  store: 'store<u32>(a, b);',
  feed: 'feed(a);',
} as const;
export type Action = keyof typeof ACTIONS;
const NUMBER_OF = Object.fromEntries(Object.keys(ACTIONS).map((name, i) => [name, i])) as Record<
  Action,
  number
>;

const SOURCE = `
@external('trace', 'event') declare function event(code: u32, a: u32, b: u32, c: u32): void;
@external('nvram', 'read') declare function nvram_read(offset: u32): u32;
@external('nvram', 'write') declare function nvram_write(offset: u32, value: u32): void;
@external('reset', 'halt') declare function halt(): void;
@external('reset', 'reboot') declare function reboot(): void;
@external('irq', 'mask') declare function mask(lines: u32): void;
@external('irq', 'unmask') declare function unmask(lines: u32): void;
@external('timer', 'work') declare function work(kind: u32, amount: u32): void;
@external('timer', 'now_lo') declare function now_lo(): u32;
@external('timer', 'now_hi') declare function now_hi(): u32;
@external('timer', 'utc') declare function utc(): u32;
@external('watchdog', 'feed') declare function feed(ms: u32): void;
@external('uart', 'read') declare function uart_read(): i32;
@external('uart', 'write') declare function uart_write(at: u32, bytes: u32): void;
@external('interconnect', 'send') declare function send(at: u32, bytes: u32): void;
@external('interconnect', 'receive') declare function receive(at: u32, room: u32): u32;
@external('hba', 'configure') declare function hba_configure(sq: u32, n: u32, cq: u32, m: u32): void;
@external('hba', 'doorbell') declare function doorbell(tail: u32): void;
const RESULT: u32 = ${RESULT};

export function boot_board(period: u32): void {
  unmask(nvram_read(${UNMASK}));
  event(${BOOT}, period, 0, 0);
}
export function cycle(): u32 {
  event(${CYCLE}, 0, 0, 0);
  const what = nvram_read(${DO});
  nvram_write(${DO}, 0);
  act(what, nvram_read(${DO_A}), nvram_read(${DO_B}));
  if (nvram_read(${FEED})) feed(nvram_read(${FEED}));
  event(${CYCLE_END}, 0, 0, 0);
  return nvram_read(${IDLE});
}
export function interrupt(lines: u32): void { event(${INTERRUPT}, lines, 0, 0); }
export function nmi(reason: u32, pc: u32, address: u32): void {
  event(${NMI}, reason, pc, address);
  act(nvram_read(${IN_NMI}), 0, 0);
}
export function place_address(): u32 { return 1024; }
export function build_address(): u32 { return 2048; }
function deep(n: u32): u32 { return n > 0xfffffff0 ? n : deep(n + 1) + nvram_read(n); }
function act(what: u32, a: u32, b: u32): void {
  switch (what) {
${Object.values(ACTIONS)
  .map((body, i) => `    case ${i}: ${body} break;`)
  .join('\n')}
  }
}
`;

/** Line of the probe's source on which an action stands, or the function that recurses without end. */
export const lineOf = (what: Action | 'deep'): number =>
  SOURCE.split('\n').findIndex((line) =>
    line.includes(what === 'deep' ? 'function deep' : `case ${NUMBER_OF[what]}: `),
  ) + 1;

export const PLACE_AT = 1024;
export const BUILD_AT = 2048;

const ASC = join(dirname(fileURLToPath(import.meta.resolve('assemblyscript/asc'))), '../bin/asc.js');

/** Compiles AssemblyScript to a wasm file in a new folder; `use` gets its path. */
export function withCompiled<T>(source: string, options: readonly string[], use: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-probe-'));
  try {
    writeFileSync(join(folder, 'probe.ts'), source);
    const args = [
      'probe.ts',
      '--outFile',
      'probe.wasm',
      '--runtime',
      'stub',
      '--importMemory',
      '--noExportMemory',
    ];
    const { status, stderr } = spawnSync(process.execPath, [ASC, ...args, ...options], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    if (status !== 0) throw new Error(stderr);
    return use(join(folder, 'probe.wasm'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function probe(): Firmware {
  const options = ['--exportStart', 'start', '--sourceMap', '--debug', '--use', 'abort='];
  return withCompiled(SOURCE, options, (path) => {
    const firmware = new Firmware(path);
    firmware.place(0); // reads the symbols while they are there
    return firmware;
  });
}

export interface Event {
  at: number;
  code: number;
  a: number;
  b: number;
  c: number;
}

export const PERIOD = 100_000; // ns
export const POST = 1_000_000; // ns

/** Board A with a firmware, a shelf of one disk, and an interconnect whose other end is the test. */
export class BoardBench {
  readonly clock: Clock;
  readonly shelf: Bench;
  readonly link: Interconnect;
  readonly board: EmulatedBoard;
  readonly events: Event[] = [];
  readonly console: string[] = [];
  readonly power: boolean[] = [];
  /** What the board sent to its partner. */
  readonly sent: Uint8Array[] = [];

  constructor(firmware: Firmware, memoryBytes = 16 << 20) {
    this.shelf = new Bench();
    this.clock = this.shelf.clock;
    this.link = new Interconnect(this.clock, 1000);
    this.link.ends[1] = { received: (message) => this.sent.push(message) };
    const watcher = {
      event: (_board: 0 | 1, code: number, a: number, b: number, c: number): void => {
        this.events.push({ at: this.clock.now, code, a, b, c });
        this.onEvent(code);
      },
      console: (_board: 0 | 1, text: string): void => void this.console.push(text),
      power: (_board: 0 | 1, on: boolean): void => void this.power.push(on),
    };
    this.board = new EmulatedBoard(
      {
        index: 0,
        memoryBytes,
        periodUs: PERIOD / 1000,
        postMs: POST / 1e6,
        random: () => 0x12345678,
        startUtc: 1_700_000_000,
      },
      this.clock,
      firmware,
      this.shelf.fabric,
      this.link,
      watcher,
    );
  }
  onEvent: (code: number) => void = () => {};

  /** Powered on, and its first `cycles` cycles run. */
  started(cycles = 1): this {
    this.board.powerOn();
    this.clock.runUntil(this.clock.now + POST + cycles * PERIOD);
    return this;
  }

  set(word: number, value: number): void {
    this.board.nvram.write(word, value);
  }

  /** The firmware does it in its next cycle; returns what it gave, unsigned. */
  do(action: Action, a = 0, b = 0): number {
    this.ask(action, a, b);
    this.runCycles(1);
    return this.board.nvram.read(RESULT);
  }

  ask(action: Action, a = 0, b = 0): void {
    this.set(DO, NUMBER_OF[action]);
    this.set(DO_A, a);
    this.set(DO_B, b);
  }

  /** What nmi() does from now on. */
  inNmi(action: Action): void {
    this.set(IN_NMI, NUMBER_OF[action]);
  }

  runCycles(count: number): void {
    this.clock.runUntil(this.clock.now + count * PERIOD);
  }

  codes(): number[] {
    return this.events.map(({ code }) => code);
  }

  timesOf(code: number): number[] {
    return this.events.filter((event) => event.code === code).map(({ at }) => at);
  }

  textAt(address: number): string {
    const ram = this.board.ram()!;
    return Buffer.from(ram.subarray(address, ram.indexOf(0, address))).toString('latin1');
  }
}
