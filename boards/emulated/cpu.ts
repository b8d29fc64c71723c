/** The CPU of an emulated board: an instance of the firmware, its imports wired to the devices. */
import { RECORD_PLACE_BYTES } from '../../firmware/layout.ts';
import type { Cpu, CpuFault, Devices, Socket } from '../cpu.ts';
import { type Firmware, type FirmwareExports, faultOffset } from './firmware.ts';
import { giveMemory, takeMemory } from './ram.ts';
import { SecondCpu } from './second-cpu.ts';

/** Firmware passes unsigned numbers; they arrive as signed ones. */
const u = (n: number): number => n >>> 0;

export class EmulatedSocket implements Socket {
  readonly onDma = null;
  /** Of a board with two CPUs that has power. */
  second: SecondCpu | null = null;
  #firmware: Firmware;
  #memory: WebAssembly.Memory | null = null;
  #ram = new Uint8Array(0);

  constructor(firmware: Firmware) {
    this.#firmware = firmware;
  }

  reset(bytes: number): Uint8Array {
    const { cpus, module } = this.#firmware;
    this.#memory = takeMemory(bytes, cpus > 1);
    if (cpus > 1) this.second = new SecondCpu(module, this.#memory);
    return (this.#ram = new Uint8Array(this.#memory.buffer));
  }

  boot(devices: Devices): Cpu {
    this.second?.ready();
    return new EmulatedCpu(this.#firmware, this.#memory!, devices);
  }

  ram(): Uint8Array {
    return this.#ram;
  }

  off(): void {
    void this.second?.stop();
    this.second = null;
    if (this.#memory !== null) giveMemory(this.#memory);
    this.#memory = null;
    this.#ram = new Uint8Array(0);
  }

  close(): void {}
}

class EmulatedCpu implements Cpu {
  #firmware: Firmware;
  #exports: FirmwareExports;
  #ram: Uint8Array;
  #placeAt = Infinity; // where firmware wants the place of a fault

  constructor(firmware: Firmware, memory: WebAssembly.Memory, devices: Devices) {
    this.#firmware = firmware;
    this.#ram = new Uint8Array(memory.buffer);
    this.#exports = firmware.instantiate({ env: { memory }, ...imports(this.#ram, devices) });
  }

  boot(periodUs: number): void {
    const firmware = this.#exports;
    firmware.start();
    this.#placeAt = firmware.place_address() >>> 0;
    this.#ram.set(Buffer.from(this.#firmware.build, 'latin1'), firmware.build_address());
    firmware.boot_board(periodUs);
  }

  cycle(): number {
    return this.#exports.cycle();
  }

  interrupt(lines: number): void {
    this.#exports.interrupt(lines);
  }

  nmi(reason: number, pc: number, address: number, place: string | null): void {
    this.#notePlace(place);
    this.#exports.nmi(reason, pc, address);
  }

  fault(error: unknown): CpuFault | null {
    if (!(error instanceof WebAssembly.RuntimeError) && !(error instanceof RangeError)) return null;
    const pc = faultOffset(error);
    return { pc, place: this.#firmware.place(pc) };
  }

  /** A failed assert has already written its place; the CPU only knows where its trap instruction stands. */
  #notePlace(place: string | null): void {
    const at = this.#placeAt;
    if (place === null || this.#ram[at] !== 0 || at + RECORD_PLACE_BYTES > this.#ram.length) return;
    this.#ram.set(Buffer.from(`${place.slice(0, RECORD_PLACE_BYTES - 1)}\0`, 'latin1'), at);
  }
}

function imports(ram: Uint8Array, devices: Devices): WebAssembly.Imports {
  const { hba, port, ecc, nvram, messages, typed } = devices;
  const inside = (address: number, bytes: number): boolean => address + bytes <= ram.length;
  return {
    hba: {
      configure: (sq: number, n: number, cq: number, m: number) => hba.configure(u(sq), u(n), u(cq), u(m)),
      doorbell: (tail: number) => hba.doorbell(u(tail)),
      poll: () => hba.poll(),
      reset: () => hba.reset(),
    },
    irq: { mask: (lines: number) => devices.mask(lines), unmask: (lines: number) => devices.unmask(lines) },
    ecc: { next: (page: number) => ecc.next(u(page)) | 0 },
    random: { word: () => devices.random() | 0 },
    timer: {
      now_lo: () => devices.nowUs() | 0,
      now_hi: () => Math.floor(devices.nowUs() / 0x1_0000_0000),
      utc: () => devices.utc(),
      work: (kind: number, amount: number) => devices.work(kind, u(amount)),
    },
    watchdog: { feed: (ms: number) => devices.feed(u(ms)) },
    interconnect: {
      send: (address: number, bytes: number) => {
        if (bytes <= 256 && inside(u(address), u(bytes)))
          devices.send(ram.slice(u(address), u(address) + bytes));
      },
      receive: (address: number, room: number) => {
        const message = messages.shift();
        if (message === undefined || !inside(u(address), u(room))) return 0;
        ram.set(message.subarray(0, room), u(address));
        return Math.min(message.length, room);
      },
    },
    nvram: {
      read: (offset: number) => nvram.read(u(offset)) | 0,
      write: (offset: number, value: number) => nvram.write(u(offset), u(value)),
    },
    uart: {
      write: (address: number, bytes: number) => {
        if (!inside(u(address), u(bytes))) return;
        devices.console(Buffer.from(ram.subarray(u(address), u(address) + bytes)).toString('latin1'));
      },
      read: () => typed.shift() ?? -1,
    },
    reset: { halt: () => devices.halt(), reboot: () => devices.reboot() },
    port: {
      configure: (ring: number, count: number) => port.configure(u(ring), u(count)),
      poll: () => port.poll(),
      release: (head: number) => port.release(u(head)),
      fetch: (tag: number, address: number, bytes: number) => port.fetch(u(tag), u(address), u(bytes)),
      reply: (tag: number, status: number, sense: number, address: number, bytes: number) =>
        port.reply(u(tag), u(status), u(sense), u(address), u(bytes)),
      claim: (volume: number, on: number) => port.onClaim(u(volume), on !== 0),
    },
    trace: {
      event: (code: number, a: number, b: number, c: number) => devices.event(u(code), u(a), u(b), u(c)),
    },
  };
}
