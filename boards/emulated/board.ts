/**
 * An emulated controller board: a CPU that runs the firmware at a fixed cycle, its RAM and devices. Interrupts are
 * delivered between cycles and only while unmasked; a fault of the CPU enters the firmware's `nmi`. Cycles in which the
 * firmware says it has nothing to do are skipped, not simulated.
 */
import * as L from '../../asm/layout.ts';
import {
  RECORD_PLACE_BYTES,
  WORK_CIPHER,
  WORK_COMMAND,
  WORK_COMPRESS,
  WORK_COPY,
  WORK_CRC,
  WORK_CURVE,
  WORK_SCAN,
} from '../../firmware/layout.ts';
import type { Board } from '../board.ts';
import { type Clock, MS, US } from '../clock.ts';
import type { Interconnect } from '../interconnect.ts';
import type { Fabric } from '../shelf/fabric.ts';
import { type Firmware, type FirmwareExports, faultOffset } from './firmware.ts';
import { Hba } from './hba.ts';
import { Ecc } from './ecc.ts';
import { Nvram } from './nvram.ts';
import { FrontEndPort } from './port.ts';
import { giveMemory, takeMemory } from './ram.ts';
import { Watchdog } from './watchdog.ts';

/** Modelled cost: nanoseconds a command, and bytes a nanosecond for the rest. */
const COMMAND_NS = 400;
const CYCLE_NS = 2_000;
const SCAN_BYTES_NS = 12;
const CRC_BYTES_NS = 5;
const COPY_BYTES_NS = 10;
const COMPRESS_BYTES_NS = 0.8;
const CIPHER_BYTES_NS = 0.6;
/** Of a multiplication on the curve. */
const CURVE_NS = 1_000_000;
const MESSAGES_KEPT = 64;
const CYCLE = 1;
const BOOT = 2;
/** In one moment the CPU comes after all devices, and board A before board B. */
const RANK = 1;

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
}

/** Firmware passes unsigned numbers; they arrive as signed ones. */
const u = (n: number): number => n >>> 0;

export class EmulatedBoard implements Board {
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
  #firmware: Firmware;
  #interconnect: Interconnect;
  #watcher: BoardWatcher;
  #watchdog: Watchdog;
  #component: number;
  #memory: WebAssembly.Memory | null = null;
  #ram: Uint8Array = new Uint8Array(0);
  #exports: FirmwareExports | null = null;
  #placeAt = Infinity; // where firmware wants the place of a fault
  #poweredAt = 0;
  #generation = 0; // of scheduled cycles: an older one is void
  #nextCycleAt = Infinity;
  #earliest = 0; // the running cycle's modelled work is done by then
  #cost = 0;
  #mask = 0xffffffff;
  #pending = 0;
  #inFirmware = false;
  #stuck = false;
  #after: 'halt' | 'reboot' | null = null;
  #halted = false;
  #typed: number[] = [];
  #messages: Uint8Array[] = [];

  constructor(
    options: BoardOptions,
    clock: Clock,
    firmware: Firmware,
    fabric: Fabric,
    interconnect: Interconnect,
    watcher: BoardWatcher,
  ) {
    this.#options = options;
    this.index = options.index;
    this.name = options.index === 0 ? 'a' : 'b';
    this.memoryBytes = options.memoryBytes;
    this.#clock = clock;
    this.#firmware = firmware;
    this.#interconnect = interconnect;
    this.#watcher = watcher;
    this.hba = new Hba(clock, fabric, options.index, this.ecc);
    this.hba.onInterrupt = () => this.#raise(L.IRQ_HBA);
    this.port.onInterrupt = () => this.#raise(L.IRQ_PORT);
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
    return this.#exports !== null;
  }

  /** In its self-test. */
  get booting(): boolean {
    return this.#memory !== null && this.#exports === null && !this.#halted;
  }

  ram(): Uint8Array | null {
    return this.#memory === null ? null : this.#ram;
  }

  powerOn(): void {
    if (this.#memory !== null) return;
    this.#watcher.power(this.index, true);
    this.#poweredAt = this.#clock.now;
    this.#startPost();
  }

  /** From power-on or reset to firmware: the self-test, which clears RAM. */
  #startPost(): void {
    this.#stop();
    this.#halted = false;
    this.ecc.clear();
    this.#memory = takeMemory(this.memoryBytes);
    this.#ram = new Uint8Array(this.#memory.buffer);
    this.hba.attach(this.#ram);
    this.port.attach(this.#ram);
    this.#clock.after(this.#options.postMs * MS, this.#component, BOOT, this.#generation);
  }

  powerOff(): void {
    if (this.#memory === null) return;
    this.#stop();
    this.#watcher.power(this.index, false);
  }

  /** The CPU stops; RAM is gone. */
  #stop(): void {
    this.hba.reset();
    this.#halt();
    this.port.attach(new Uint8Array(0));
    if (this.#memory !== null) giveMemory(this.#memory);
    this.#memory = null;
    this.#ram = new Uint8Array(0);
  }

  /** The CPU stops; RAM stays. */
  #halt(): void {
    this.#generation++;
    this.#exports = null;
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
    this.#exports = this.#firmware.instantiate(this.#imports());
    this.#placeAt = Infinity;
    this.#enter((firmware) => {
      firmware.start();
      this.#placeAt = firmware.place_address() >>> 0;
      this.#ram.set(Buffer.from(this.#firmware.build, 'latin1'), firmware.build_address());
      firmware.boot_board(this.#options.periodUs);
    });
    if (this.running) this.#schedule(this.#clock.now + this.#options.periodUs * US);
  }

  #imports(): WebAssembly.Imports {
    const ram = this.#ram;
    const nowUs = (): number => Math.floor((this.#clock.now - this.#poweredAt) / US);
    const inside = (address: number, bytes: number): boolean => address + bytes <= ram.length;
    return {
      env: { memory: this.#memory! },
      hba: {
        configure: (sq: number, n: number, cq: number, m: number) =>
          this.hba.configure(u(sq), u(n), u(cq), u(m)),
        doorbell: (tail: number) => this.hba.doorbell(u(tail)),
        poll: () => this.hba.poll(),
        reset: () => this.hba.reset(),
      },
      irq: {
        mask: (lines: number) => (this.#mask |= lines),
        unmask: (lines: number) => (this.#mask &= ~lines),
      },
      ecc: { next: (page: number) => this.ecc.next(u(page)) | 0 },
      random: { word: () => this.#options.random() | 0 },
      timer: {
        now_lo: () => nowUs() | 0,
        now_hi: () => Math.floor(nowUs() / 0x1_0000_0000),
        utc: () => this.#options.startUtc + Math.floor(this.#clock.now / 1e9),
        work: (kind: number, amount: number) => this.#work(kind, u(amount)),
      },
      watchdog: { feed: (ms: number) => this.#watchdog.feed(u(ms)) },
      interconnect: {
        send: (address: number, bytes: number) => {
          if (bytes <= 256 && inside(u(address), u(bytes))) {
            this.#interconnect.send(this.index, ram.slice(u(address), u(address) + bytes));
          }
        },
        receive: (address: number, room: number) => {
          const message = this.#messages.shift();
          if (message === undefined || !inside(u(address), u(room))) return 0;
          ram.set(message.subarray(0, room), u(address));
          return Math.min(message.length, room);
        },
      },
      nvram: {
        read: (offset: number) => this.nvram.read(u(offset)) | 0,
        write: (offset: number, value: number) => this.nvram.write(u(offset), u(value)),
      },
      uart: {
        write: (address: number, bytes: number) => {
          if (inside(u(address), u(bytes))) {
            this.#watcher.console(
              this.index,
              Buffer.from(ram.subarray(u(address), u(address) + bytes)).toString('latin1'),
            );
          }
        },
        read: () => this.#typed.shift() ?? -1,
      },
      reset: {
        halt: () => void (this.#after = 'halt'),
        reboot: () => void (this.#after = 'reboot'),
      },
      port: {
        configure: (ring: number, count: number) => this.port.configure(u(ring), u(count)),
        poll: () => this.port.poll(),
        release: (head: number) => this.port.release(u(head)),
        fetch: (tag: number, address: number, bytes: number) => this.port.fetch(u(tag), u(address), u(bytes)),
        reply: (tag: number, status: number, sense: number, address: number, bytes: number) =>
          this.port.reply(u(tag), u(status), u(sense), u(address), u(bytes)),
        claim: (volume: number, on: number) => this.port.onClaim(u(volume), on !== 0),
      },
      trace: {
        event: (code: number, a: number, b: number, c: number) =>
          this.#watcher.event(this.index, u(code), u(a), u(b), u(c)),
      },
    };
  }

  #work(kind: number, amount: number): void {
    if (kind === WORK_COMMAND) this.#cost += amount * COMMAND_NS;
    else if (kind === WORK_SCAN) this.#cost += amount / SCAN_BYTES_NS;
    else if (kind === WORK_CRC) this.#cost += amount / CRC_BYTES_NS;
    else if (kind === WORK_COPY) this.#cost += amount / COPY_BYTES_NS;
    else if (kind === WORK_CIPHER) this.#cost += amount / CIPHER_BYTES_NS;
    else if (kind === WORK_CURVE) this.#cost += amount * CURVE_NS;
    else if (kind === WORK_COMPRESS) this.#cost += amount / COMPRESS_BYTES_NS;
  }

  /** Runs firmware; a trap enters its panic handler, a trap in that halts the board. */
  #enter<T>(call: (firmware: FirmwareExports) => T): T | undefined {
    const firmware = this.#exports!;
    this.#inFirmware = true;
    let result: T | undefined;
    try {
      result = call(firmware);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError) && !(error instanceof RangeError)) throw error;
      this.#fault(firmware, error);
    }
    this.#inFirmware = false;
    if (this.#after === 'reboot') this.#startPost();
    else if (this.#after === 'halt') {
      this.#halt();
      this.#halted = true;
    }
    return result;
  }

  #fault(firmware: FirmwareExports, error: Error): void {
    const pc = faultOffset(error);
    this.#notePlace(this.#firmware.place(pc));
    try {
      firmware.nmi(L.PANIC_TRAP, pc, 0);
    } catch (second) {
      if (!(second instanceof WebAssembly.RuntimeError) && !(second instanceof RangeError)) throw second;
      this.#after = 'halt';
    }
  }

  /** A failed assert has already written its place; the CPU only knows where its trap instruction stands. */
  #notePlace(place: string | null): void {
    const at = this.#placeAt;
    if (place === null || this.#ram[at] !== 0 || at + RECORD_PLACE_BYTES > this.#ram.length) return;
    this.#ram.set(Buffer.from(`${place.slice(0, RECORD_PLACE_BYTES - 1)}\0`, 'latin1'), at);
  }

  #cycle(): void {
    this.#nextCycleAt = Infinity;
    if (this.#stuck) return;
    const period = this.#options.periodUs * US;
    this.#cost = CYCLE_NS;
    const lines = this.#pending & ~this.#mask;
    if (lines !== 0) {
      this.#pending &= ~lines;
      this.#enter((firmware) => firmware.interrupt(lines));
      if (!this.running) return;
    }
    const generation = this.#generation;
    const skip = this.#enter((firmware) => firmware.cycle()) ?? 0;
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
    this.#notePlace(this.#stuck ? 'stuck in a cycle' : 'between two cycles');
    this.#stuck = false;
    this.#enter((firmware) => firmware.nmi(reason, 0, address));
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
  }
}
