/**
 * A board as a process of its own: the bootloader on its line until an image boots, then the agent and the firmware of
 * that image, and the bootloader again after a reset. Nothing here gives the thread back, as on a board.
 */
import { BOOT_JUMPED } from '../../../firmware/bootloader/layout.ts';
import { Firmware } from '../../emulated/firmware.ts';
import { Peer, type Wire } from '../peer.ts';
import { startBootloader } from './bootloader.ts';
import type { NorFlash } from './flash.ts';
import { confirm, payloadIn, slotAt } from './slot.ts';

/** The bootloader looks at the time so often while nothing comes. */
const LOOK_US = 10_000;
const BUFFER = 4096;

/** The host speaks to the bootloader. */
class Recovery extends Error {}

export class BootBoard {
  readonly #wire: Wire;
  readonly #flash: NorFlash;
  readonly #memoryBytes: number;
  readonly #buffer = new Uint8Array(BUFFER);
  #at = 0;
  #end = 0;
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
      const peer = new Peer(firmware, this.#wire, this.#memoryBytes);
      peer.onBooted = () => confirm(this.#flash, slot);
      peer.onRecovery = () => {
        throw new Recovery();
      };
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
      const bootloader = startBootloader({
        memory: new WebAssembly.Memory({ initial: 1, maximum: 1 }),
        flash: this.#flash,
        next: () => this.#next(),
        write: (bytes) => this.#write(bytes),
        nowMs: () => Math.floor(this.#wire.now() / 1000),
        recovery: () => this.#recovery,
        reboot: () => void (this.#reboot = true),
        jump: (offset) => void (this.#jumpedTo = offset),
      });
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
}
