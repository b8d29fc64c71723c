/**
 * A controller board, whatever its CPU is made of: a CPU that runs the firmware at a fixed cycle, and its devices.
 * Interrupts are delivered between cycles and only while unmasked; a fault of the CPU enters the firmware's `nmi`. Cycles
 * in which the firmware says it has nothing to do are skipped, not simulated.
 */
import * as L from '../asm/layout.ts';
import type { Board } from './board.ts';
import { type Clock, MS, US } from './clock.ts';
import { CYCLE_NS, costOf } from './cost.ts';
import { type Cpu, CpuLost, type Devices, type Socket } from './cpu.ts';
import { Ecc } from './emulated/ecc.ts';
import { Hba } from './emulated/hba.ts';
import { Nvram } from './emulated/nvram.ts';
import { FrontEndPort } from './emulated/port.ts';
import { Watchdog } from './emulated/watchdog.ts';
import type { Interconnect } from './interconnect.ts';
import type { Fabric } from './shelf/fabric.ts';

const MESSAGES_KEPT = 64;
const CYCLE = 1;
const BOOT = 2;
/** In one moment the CPU comes after all devices, and board A before board B. */
const RANK = 1;
/** Made once, and not for each of thousands of cycles. */
const A_CYCLE = (cpu: Cpu): number => cpu.cycle();

export interface BoardOptions {
  index: 0 | 1;
  memoryBytes: number;
  periodUs: number;
  postMs: number;
  startUtc: number;
  /** The board's random number generator. */
  random: () => number;
}

export interface BoardWatcher {
  event(board: 0 | 1, code: number, a: number, b: number, c: number): void;
  console(board: 0 | 1, text: string): void;
  power(board: 0 | 1, on: boolean): void;
  /** It is gone, and why: its CPU does not answer any more. */
  lost?(board: 0 | 1, why: string): void;
}

export class Controller implements Board {
  readonly index: 0 | 1;
  readonly name: 'a' | 'b';
  readonly memoryBytes: number;
  readonly nvram = new Nvram();
  readonly ecc = new Ecc();
  readonly port = new FrontEndPort();
  readonly hba: Hba;
  cycles = 0;
  skipped = 0;
  overruns = 0;
  #options: BoardOptions;
  #clock: Clock;
  #socket: Socket;
  #interconnect: Interconnect;
  #watcher: BoardWatcher;
  #watchdog: Watchdog;
  #component: number;
  #powered = false;
  #cpu: Cpu | null = null;
  #poweredAt = 0;
  #generation = 0; // of scheduled cycles: an older one is void
  #nextCycleAt = Infinity;
  #earliest = 0; // the running cycle's modelled work is done by then
  #cost = 0;
  #mask = 0xffffffff;
  #pending = 0;
  #inFirmware = false;
  #stuck = false;
  #after: 'halt' | 'reboot' | CpuLost | null = null;
  #halted = false;
  #typed: number[] = [];
  #messages: Uint8Array[] = [];

  constructor(
    options: BoardOptions,
    clock: Clock,
    socket: Socket,
    fabric: Fabric,
    interconnect: Interconnect,
    watcher: BoardWatcher,
  ) {
    this.#options = options;
    this.index = options.index;
    this.name = options.index === 0 ? 'a' : 'b';
    this.memoryBytes = options.memoryBytes;
    this.#clock = clock;
    this.#socket = socket;
    this.#interconnect = interconnect;
    this.#watcher = watcher;
    this.hba = new Hba(clock, fabric, options.index, this.ecc);
    this.hba.onInterrupt = () => this.#raise(L.IRQ_HBA);
    this.port.onInterrupt = () => this.#raise(L.IRQ_PORT);
    this.hba.onDma = this.port.onDma = socket.onDma;
    this.#watchdog = new Watchdog(clock);
    this.#watchdog.onBite = () => this.nmi(L.PANIC_WATCHDOG, 0);
    interconnect.ends[options.index] = { received: (message) => this.#received(message) };
    this.#component = clock.register((kind, generation) => {
      if (generation !== this.#generation) return;
      if (kind === BOOT) this.#boot();
      else this.#cycle();
    }, RANK + options.index);
  }

  get running(): boolean {
    return this.#cpu !== null;
  }

  get powered(): boolean {
    return this.#powered;
  }

  /** In its self-test. */
  get booting(): boolean {
    return this.#powered && this.#cpu === null && !this.#halted;
  }

  ram(): Uint8Array | null {
    if (!this.#powered) return null;
    if (this.#inFirmware) return this.#socket.ram(); // a loss ends the call that runs
    try {
      return this.#socket.ram();
    } catch (error) {
      this.#lose(error);
      return null;
    }
  }

  powerOn(): void {
    if (this.#powered) return;
    this.#watcher.power(this.index, true);
    this.#poweredAt = this.#clock.now;
    this.#startPost();
  }

  /** From power-on or reset to firmware: the self-test, which clears RAM. */
  #startPost(): void {
    this.#stop();
    this.#halted = false;
    this.ecc.clear();
    this.#powered = true;
    try {
      const ram = this.#socket.reset(this.memoryBytes);
      this.hba.attach(ram);
      this.port.attach(ram);
    } catch (error) {
      return this.#lose(error);
    }
    this.#clock.after(this.#options.postMs * MS, this.#component, BOOT, this.#generation);
  }

  powerOff(): void {
    if (!this.#powered) return;
    this.#stop();
    this.#watcher.power(this.index, false);
  }

  /** The CPU stops; RAM is gone. */
  #stop(): void {
    this.hba.reset();
    this.#halt();
    this.port.attach(new Uint8Array(0));
    if (this.#powered) this.#socket.off();
    this.#powered = false;
  }

  /** The CPU stops; RAM stays. */
  #halt(): void {
    this.#generation++;
    this.#cpu = null;
    this.#stuck = false;
    this.#pending = 0;
    this.#mask = 0xffffffff;
    this.#messages = [];
    this.#typed = [];
    this.#nextCycleAt = Infinity;
    this.#after = null;
    this.#watchdog.stop();
  }

  #boot(): void {
    this.#cpu = this.#socket.boot(this.#devices());
    this.#enter((cpu) => cpu.boot(this.#options.periodUs));
    if (this.running) this.#schedule(this.#clock.now + this.#options.periodUs * US);
  }

  #devices(): Devices {
    return {
      hba: this.hba,
      port: this.port,
      ecc: this.ecc,
      nvram: this.nvram,
      messages: this.#messages,
      typed: this.#typed,
      mask: (lines) => (this.#mask |= lines),
      unmask: (lines) => (this.#mask &= ~lines),
      random: this.#options.random,
      nowUs: () => Math.floor((this.#clock.now - this.#poweredAt) / US),
      utc: () => this.#options.startUtc + Math.floor(this.#clock.now / 1e9),
      work: (kind, amount) => (this.#cost += costOf(kind, amount)),
      feed: (ms) => this.#watchdog.feed(ms),
      send: (message) => this.#interconnect.send(this.index, message),
      console: (text) => this.#watcher.console(this.index, text),
      halt: () => (this.#after = 'halt'),
      reboot: () => (this.#after = 'reboot'),
      event: (code, a, b, c) => this.#watcher.event(this.index, code, a, b, c),
    };
  }

  /** Runs firmware; a trap enters its panic handler, a trap in that halts the board. */
  #enter<T>(call: (cpu: Cpu) => T): T | undefined {
    const cpu = this.#cpu!;
    this.#inFirmware = true;
    let result: T | undefined;
    try {
      result = call(cpu);
    } catch (error) {
      this.#fault(cpu, error);
    }
    this.#inFirmware = false;
    if (this.#after === 'reboot') this.#startPost();
    else if (this.#after instanceof CpuLost) this.#lose(this.#after);
    else if (this.#after === 'halt') {
      this.#halt();
      this.#halted = true;
    }
    return result;
  }

  /** For the pair the board has no power any more. */
  #lose(error: unknown): void {
    if (!(error instanceof CpuLost)) throw error;
    this.#watcher.lost?.(this.index, error.message);
    this.powerOff();
  }

  #fault(cpu: Cpu, error: unknown): void {
    if (error instanceof CpuLost) return void (this.#after = error);
    const fault = cpu.fault(error);
    if (fault === null) throw error;
    try {
      cpu.nmi(L.PANIC_TRAP, fault.pc, 0, fault.place);
    } catch (second) {
      if (second instanceof CpuLost) return void (this.#after = second);
      if (cpu.fault(second) === null) throw second;
      this.#after = 'halt';
    }
  }

  #cycle(): void {
    this.#nextCycleAt = Infinity;
    if (this.#stuck) return;
    const period = this.#options.periodUs * US;
    this.#cost = CYCLE_NS;
    const lines = this.#pending & ~this.#mask;
    if (lines !== 0) {
      this.#pending &= ~lines;
      this.#enter((cpu) => cpu.interrupt(lines));
      if (!this.running) return;
    }
    const generation = this.#generation;
    const skip = this.#enter(A_CYCLE) ?? 0;
    this.cycles++;
    if (!this.running || generation !== this.#generation) return;
    const periods = Math.max(1, Math.ceil(this.#cost / period));
    if (periods > 1) this.overruns += periods - 1;
    this.#earliest = this.#clock.now + periods * period;
    this.#cycleBase = this.#clock.now;
    const idle = (this.#pending & ~this.#mask) === 0 ? Math.max(periods, skip + 1) : periods;
    this.skipped += idle - periods;
    this.#schedule(this.#clock.now + idle * period);
  }
  #cycleBase = 0;

  #schedule(time: number): void {
    this.#nextCycleAt = time;
    this.#clock.at(time, this.#component, CYCLE, this.#generation);
  }

  /** A device raises its line: an idling CPU goes on at the next cycle of its fixed grid. */
  #raise(line: number): void {
    this.#pending |= line;
    if (!this.running || this.#inFirmware || this.#stuck || (this.#mask & line) !== 0) return;
    if (this.#nextCycleAt === Infinity) return;
    const period = this.#options.periodUs * US;
    const since = this.#clock.now - this.#cycleBase;
    const grid = Math.max(this.#earliest, this.#cycleBase + Math.ceil(since / period) * period);
    if (grid >= this.#nextCycleAt) return;
    this.skipped -= Math.round((this.#nextCycleAt - grid) / period);
    this.#generation++;
    this.#schedule(grid);
  }

  #received(message: Uint8Array): void {
    if (!this.running || this.#messages.length >= MESSAGES_KEPT) return;
    this.#messages.push(message);
    this.#raise(L.IRQ_INTERCONNECT);
  }

  nmi(reason: number, address: number): void {
    if (!this.running) return;
    const place = this.#stuck ? 'stuck in a cycle' : 'between two cycles';
    this.#stuck = false;
    this.#enter((cpu) => cpu.nmi(reason, 0, address, place));
    if (!this.running) return;
    this.#generation++;
    this.#schedule(this.#clock.now + this.#options.periodUs * US);
  }

  /** An uncorrectable error in the page of `address`: it is poisoned, and the CPU faults. */
  memoryError(address: number): void {
    if (!this.running) return;
    this.ecc.poison(address);
    this.nmi(L.PANIC_MEMORY, address);
  }

  hang(): void {
    if (!this.running) return;
    this.#stuck = true;
    this.#generation++;
    this.#nextCycleAt = Infinity;
  }

  type(text: string): void {
    if (!this.running) return;
    this.#typed.push(...Buffer.from(text, 'latin1'));
    this.#raise(L.IRQ_UART);
  }

  /** For the end of a run: RAM goes back to the pool. */
  release(): void {
    this.#stop();
    this.#socket.close();
  }
}
