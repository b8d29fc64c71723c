/**
 * A board at the far end of a line, made of two modules: the agent and the firmware, each with a memory of its own. This
 * is what a Cortex-M does with a little C, in Node.
 *
 * [firmware/attached/outside.ts] says what each function is
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MACHINE_WASM, RAM_UNIT_BYTES } from '../../firmware/attached/layout.ts';
import { type Firmware, type FirmwareExports, faultOffset } from '../emulated/firmware.ts';
import { giveMemory, takeMemory } from '../emulated/ram.ts';

export interface Wire {
  /** Bytes that came, into `into`; how many. */
  read(into: Uint8Array): number;
  /** How many of `bytes` it had room for; it keeps no view of them. */
  write(bytes: Uint8Array): number;
  /** Returns when bytes have come or there is room, after `us` at the latest. What it throws ends the board's life. */
  wait(us: number): void;
  /** Microseconds. */
  now(): number;
}

/** The reset button, pressed in Wire.wait or Wire.write. */
export class Reset extends Error {}

type AgentExports = Record<string, (...args: number[]) => number> & { memory: WebAssembly.Memory };

function agentModule(): WebAssembly.Module {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const candidates = [
    ['..', '..', 'build'],
    ['..', '..', '..'],
  ].map((up) => join(here, ...up, 'attached.wasm'));
  const path = candidates.find((each) => existsSync(each)) ?? candidates[0]!;
  return new WebAssembly.Module(readFileSync(path));
}

export class Peer {
  /** The firmware has booted, and did not fault. */
  onBooted: () => void = () => {};
  /** A host speaks to the bootloader; what it throws ends the board's life. */
  onRecovery: () => void = () => {};
  readonly #firmware: Firmware;
  readonly #wire: Wire;
  readonly #roomUnits: number;
  readonly #module = agentModule();
  #agent!: AgentExports;
  #agentBytes!: Uint8Array;
  #memory: WebAssembly.Memory | null = null;
  #ram = new Uint8Array(0);
  #exports: FirmwareExports | null = null;
  #trapped = false;
  #pc = 0;

  constructor(firmware: Firmware, wire: Wire, roomBytes: number) {
    this.#firmware = firmware;
    this.#wire = wire;
    this.#roomUnits = Math.floor(roomBytes / RAM_UNIT_BYTES);
  }

  /** Runs until the wire throws anything but a Reset. */
  run(nonce: number): void {
    for (let life = nonce; ; life++) {
      try {
        this.#powerOn();
        this.#agent['run']!(life);
      } catch (error) {
        this.#stop();
        if (!(error instanceof Reset)) throw error;
      }
    }
  }

  #powerOn(): void {
    const instance = new WebAssembly.Instance(this.#module, this.#imports());
    this.#agent = instance.exports as unknown as AgentExports;
    this.#agentBytes = new Uint8Array(this.#agent.memory.buffer);
    this.#agent['start']!();
  }

  #stop(): void {
    this.#exports = null;
    if (this.#memory !== null) giveMemory(this.#memory);
    this.#memory = null;
    this.#ram = new Uint8Array(0);
  }

  #imports(): WebAssembly.Imports {
    const wire = this.#wire;
    const part = (at: number, bytes: number): Uint8Array =>
      this.#agentBytes.subarray(at >>> 0, (at >>> 0) + bytes);
    return {
      wire: {
        read: (at: number, room: number) => wire.read(part(at, room)),
        write: (at: number, bytes: number) => wire.write(part(at, bytes)),
        wait: (us: number) => wire.wait(us >>> 0),
        now: () => wire.now() | 0,
      },
      ram: {
        room: () => this.#roomUnits,
        read: (from: number, at: number, bytes: number) =>
          part(at, bytes).set(this.#ram.subarray(from >>> 0, (from >>> 0) + bytes)),
        write: (to: number, at: number, bytes: number) => this.#ram.set(part(at, bytes), to >>> 0),
      },
      cpu: {
        machine: () => MACHINE_WASM,
        build: (at: number) => part(at, 16).set(Buffer.from(this.#firmware.build, 'latin1')),
        reset: (units: number) => this.#reset(units >>> 0),
        start: () => this.#call(() => this.#start()),
        place_address: () => this.#exports!.place_address(),
        build_address: () => this.#exports!.build_address(),
        boot_board: (period: number) => {
          this.#call(() => this.#exports!.boot_board(period));
          if (!this.#trapped) this.onBooted();
          return 0;
        },
        cycle: () => this.#call(() => this.#exports!.cycle()),
        interrupt: (lines: number) => this.#call(() => this.#exports!.interrupt(lines)),
        nmi: (reason: number, pc: number, address: number) =>
          this.#call(() => this.#exports!.nmi(reason, pc, address)),
        trapped: () => Number(this.#trapped),
        pc: () => this.#pc,
        recovery: () => this.onRecovery(),
        registers: () => 0,
        ram_address: () => 0,
      },
    };
  }

  #reset(units: number): number {
    this.#stop();
    if (units === 0) return 0;
    this.#memory = takeMemory(units * RAM_UNIT_BYTES);
    this.#ram = new Uint8Array(this.#memory.buffer);
    return 1;
  }

  #start(): void {
    const agent = this.#agent;
    const devices: Record<string, Record<string, WebAssembly.ExportValue>> = {};
    for (const { module, name, kind } of WebAssembly.Module.imports(this.#firmware.module)) {
      if (kind === 'function') (devices[module] ??= {})[name] = agent[`${module}_${name}`]!;
    }
    this.#exports = this.#firmware.instantiate({ ...devices, env: { memory: this.#memory! } });
    this.#exports.start();
  }

  #call(run: () => number | void): number {
    this.#trapped = false;
    try {
      return run() ?? 0;
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError) && !(error instanceof RangeError)) throw error;
      this.#trapped = true;
      this.#pc = faultOffset(error);
      return 0;
    }
  }
}
