/** A whole machine with the real firmware, run by hand: to a time, or until something has happened. */
import type { Controller } from './controller.ts';
import { Firmware, type FirmwareExports } from './emulated/firmware.ts';
import { MS } from './clock.ts';
import { type Machine, makeMachine } from './machine.ts';
import type { TraceEvent } from './observer/trace.ts';
import type { EventConfig, Scenario } from './scenario.ts';
import { loadScenario } from './scenario-file.ts';
import { Script } from './script.ts';

export type Overrides = Partial<Omit<Scenario, 'boards' | 'clients'>> & {
  boards?: Partial<Scenario['boards']>;
  clients?: Partial<Scenario['clients']>;
};

/** The small scenario without its panic, or with what a test wants other. */
export function smallScenario({ boards, clients, ...rest }: Overrides = {}): Scenario {
  const small = loadScenario('small');
  return {
    ...small,
    events: [],
    ...rest,
    boards: { ...small.boards, ...boards },
    clients: { ...small.clients, ...clients },
  };
}

/** One event of a scenario, what is not named null. */
export const eventOf = (event: Partial<EventConfig> & Pick<EventConfig, 'do'>): EventConfig => ({
  atMs: null,
  on: null,
  plusMs: 0,
  board: null,
  disk: null,
  path: null,
  factor: null,
  ...event,
});

export class Pair {
  readonly machine: Machine;
  readonly script: Script;
  readonly a: Controller;
  readonly b: Controller;

  constructor(overrides: Overrides = {}, folder: string | null = null) {
    const scenario = smallScenario(overrides);
    this.machine = makeMachine({ scenario, seed: scenario.seed, folder, firmware: null });
    this.script = new Script(this.machine);
    this.machine.observer.onEvent = (name) => this.script.heard(name);
    [this.a, this.b] = this.machine.boards;
  }

  /** Both boards powered on and at work. */
  started(ms = 300): this {
    for (const board of this.machine.boards) board.powerOn();
    this.runTo(ms);
    return this;
  }

  runTo(ms: number): void {
    this.machine.clock.runUntil(ms * MS);
  }

  run(ms: number): void {
    this.machine.clock.runUntil(this.machine.clock.now + ms * MS);
  }

  /** Until an event of this code; fails after `ms`. */
  until(code: number, { board, ms = 60_000 }: { board?: number; ms?: number } = {}): TraceEvent {
    const { clock, observer } = this.machine;
    const end = clock.now + ms * MS;
    for (let seen = observer.trace.events.length; ;) {
      const { events } = observer.trace;
      for (; seen < events.length; seen++) {
        const event = events[seen]!;
        if (event.code === code && (board === undefined || event.board === board)) return event;
      }
      if (clock.next > end) throw new Error(`event ${code} did not happen in ${ms} ms`);
      clock.step();
    }
  }

  events(code: number, board?: number): TraceEvent[] {
    return this.machine.observer.trace.events.filter(
      (event) => event.code === code && (board === undefined || event.board === board),
    );
  }

  /** A word of a board's RAM. */
  word(board: 0 | 1, address: number): number {
    return new DataView(this.machine.boards[board].ram()!.buffer).getUint32(address, true);
  }

  text(board: 0 | 1, address: number): string {
    const ram = this.machine.boards[board].ram()!;
    return Buffer.from(ram.subarray(address, ram.indexOf(0, address))).toString('latin1');
  }

  disk(name: string): number {
    const number = this.machine.scenario.disks.findIndex((disk) => disk.name === name);
    if (number < 0) throw new Error(`no disk ${name}`);
    return number;
  }

  close(): void {
    this.machine.close();
  }
}

/** Runs `use` on a pair and gives its memory back, whatever comes of it. */
export function withPair<T>(overrides: Overrides, use: (pair: Pair) => T): T {
  const pair = new Pair(overrides);
  try {
    return use(pair);
  } finally {
    pair.close();
  }
}

/** While `use` runs, firmware that starts is what `wrap` makes of it. */
export async function withWrappedFirmware<T>(
  wrap: (exports: FirmwareExports, life: number) => Partial<FirmwareExports>,
  use: () => T | Promise<T>,
): Promise<T> {
  const prototype = Firmware.prototype as { instantiate: (imports: WebAssembly.Imports) => FirmwareExports };
  const original = prototype.instantiate;
  let life = 0;
  prototype.instantiate = function instantiate(this: Firmware, imports): FirmwareExports {
    const exports = original.call(this, imports);
    return { ...exports, ...wrap(exports, life++) };
  };
  try {
    return await use();
  } finally {
    prototype.instantiate = original;
  }
}
