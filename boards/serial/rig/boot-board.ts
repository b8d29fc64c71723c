/**
 * A board as a process of its own: the bootloader on its line until an image boots, then the agent and the firmware of
 * that image, and the bootloader again after a reset. Nothing here gives the thread back, as on a board.
 */
import { readFileSync } from 'node:fs';
import { BOOT_JUMPED } from '../../../firmware/bootloader/layout.ts';
import { Firmware } from '../../emulated/firmware.ts';
import { Peer, type Wire } from '../peer.ts';
import type { NorFlash } from './flash.ts';
import { bootloaderPath } from './rig.ts';
import { confirm, payloadIn, slotAt } from './slot.ts';

/** The bootloader looks at the time so often while nothing comes. */
const LOOK_US = 10_000;
const BUFFER = 4096;
/** Silence on the line after which a host may mean the bootloader, us. */
const QUIET_US = 500_000;
/** What an SMP frame begins with, and what AN3155 does; no frame of the link does. */
const SMP_START = [0x06, 0x09] as const;
const STM32_START = 0x7f;

/** The host speaks to the bootloader. */
class Recovery extends Error {}

interface Exports {
  start(): void;
  boot(): number;
  poll(): number;
}

export class BootBoard {
  readonly #wire: Wire;
  readonly #flash: NorFlash;
  readonly #memoryBytes: number;
  readonly #module = new WebAssembly.Module(readFileSync(bootloaderPath));
  readonly #buffer = new Uint8Array(BUFFER);
  #at = 0;
  #end = 0;
  #heardAt = 0;
  #recovery = false;
  #reboot = false;
  #jumpedTo = 0;

  constructor(wire: Wire, flash: NorFlash, memoryBytes: number) {
    this.#wire = wire;
    this.#flash = flash;
    this.#memoryBytes = memoryBytes;
  }

  /** Until the line is gone, which the wire throws. `nonce`: another one for each process. */
  run(nonce: number): void {
    for (let life = nonce; ; life++) {
      this.#bootloader();
      const slot = this.#jumpedTo === slotAt(0) ? 0 : 1;
      const firmware = new Firmware(`the image in slot ${slot}`, payloadIn(this.#flash, slot));
      const peer = new Peer(firmware, this.#watched(), this.#memoryBytes);
      peer.onBooted = () => confirm(this.#flash, slot);
      try {
        peer.run(life);
      } catch (error) {
        if (!(error instanceof Recovery)) throw error;
        this.#recovery = true;
      }
    }
  }

  /** Returns when an image has the board. */
  #bootloader(): void {
    for (;;) {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
      const instance = new WebAssembly.Instance(this.#module, this.#imports(memory));
      const bootloader = instance.exports as unknown as Exports;
      this.#reboot = false;
      bootloader.start();
      let mode = bootloader.boot();
      this.#recovery = false;
      while (mode !== BOOT_JUMPED && !this.#reboot) {
        if (this.#at === this.#end) this.#wire.wait(LOOK_US);
        mode = bootloader.poll();
      }
      if (mode === BOOT_JUMPED) return;
    }
  }

  #imports(memory: WebAssembly.Memory): WebAssembly.Imports {
    const part = (at: number, bytes: number): Uint8Array => new Uint8Array(memory.buffer, at >>> 0, bytes);
    const flash = this.#flash;
    return {
      env: { memory },
      uart: {
        read: () => this.#next(),
        write: (at: number, bytes: number) => this.#write(part(at, bytes)),
      },
      flash: {
        erase: (offset: number, bytes: number) => flash.erase(offset >>> 0, bytes >>> 0),
        write: (offset: number, at: number, bytes: number) => flash.write(offset >>> 0, part(at, bytes)),
        read: (offset: number, at: number, bytes: number) =>
          part(at, bytes).set(flash.read(offset >>> 0, bytes)),
      },
      timer: { now_ms: () => Math.floor(this.#wire.now() / 1000) | 0 },
      reset: {
        reboot: () => void (this.#reboot = true),
        recovery: () => Number(this.#recovery),
        jump: (offset: number) => void (this.#jumpedTo = offset >>> 0),
      },
    };
  }

  #next(): number {
    if (this.#at === this.#end) {
      this.#at = 0;
      this.#end = this.#wire.read(this.#buffer);
    }
    return this.#at === this.#end ? -1 : this.#buffer[this.#at++]!;
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const took = this.#wire.write(bytes.subarray(done));
      if (took === 0) this.#wire.wait(LOOK_US);
      done += took;
    }
  }

  /** The line as the agent has it: a host that speaks a protocol of the bootloader after a silence gets the bootloader. */
  #watched(): Wire {
    const wire = this.#wire;
    this.#heardAt = wire.now();
    return {
      now: () => wire.now(),
      wait: (us) => wire.wait(us),
      write: (bytes) => wire.write(bytes),
      read: (into) => {
        const count = wire.read(into);
        if (count === 0) return 0;
        const quiet = wire.now() - this.#heardAt >= QUIET_US;
        this.#heardAt = wire.now();
        if (quiet && isForBootloader(into.subarray(0, count))) throw new Recovery();
        return count;
      },
    };
  }
}

const isForBootloader = (bytes: Uint8Array): boolean =>
  bytes[0] === STM32_START || SMP_START.every((byte, i) => bytes[i] === byte);
