/**
 * An emulated board on a serial line: the bootloader, as it is built for every board, with flash, reset and a line. When
 * it boots an image, the image gets the line.
 */
import { BOOT_JUMPED, BOOT_RECOVERY, BOOT_WAITING } from '../../../firmware/bootloader/layout.ts';
import type { Host, Timer } from '../../host.ts';
import type { ModemLines, SerialEnd } from '../end.ts';
import { type Bootloader, startBootloader } from './bootloader.ts';
import { type NorFlash, PowerCut } from './flash.ts';
import { confirm, payloadIn, slotAt } from './slot.ts';

/** What an image that has the board can do with it. */
export interface Running {
  slot: number;
  payload: Uint8Array;
  /** Tells the bootloader that all is well: without it, this was the image's only chance. */
  confirm(): void;
  /** Warm reset; into recovery when asked. */
  reboot(recovery: boolean): void;
  write(bytes: Uint8Array): void;
}

/** Firmware on the board; it gets what arrives on the line. */
export interface Application {
  onData(bytes: Uint8Array): void;
  /** The board is reset or loses its power. */
  stop?(): void;
}

export interface RigOptions {
  host: Host;
  flash: NorFlash;
  line: SerialEnd & { onLines?: (lines: ModemLines) => void };
  /** Strapped to stay in recovery. */
  recovery?: boolean;
  /** Takes the image that boots; without it, images run and do nothing. */
  onImage?: (running: Running) => Application | null;
}

export type RigMode = 'off' | 'recovery' | 'waiting' | 'running';

const MODES: Readonly<Record<number, RigMode>> = {
  [BOOT_RECOVERY]: 'recovery',
  [BOOT_WAITING]: 'waiting',
  [BOOT_JUMPED]: 'running',
};
/** Of the UART's driver. What does not fit is lost, as on a board that is too slow. */
const RECEIVE_BYTES = 16_384;
const TICK_MS = 10;
/** What RAM holds after power-on is anything but zeros. */
const UNKNOWN = 0xa5;

export class FlashRig {
  mode: RigMode = 'off';
  /** Times the board came out of reset. */
  boots = 0;
  /** Bytes that arrived faster than they were read. */
  overruns = 0;
  recovery: boolean;
  readonly flash: NorFlash;
  #options: RigOptions;
  #memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  #exports: Bootloader | null = null;
  #received: Uint8Array[] = [];
  #at = 0;
  #waiting = 0;
  #rebootAsked = false;
  #jumpedTo: number | null = null;
  #application: Application | null = null;
  #timer: Timer | null = null;
  #isReset = false;

  constructor(options: RigOptions) {
    this.#options = options;
    this.flash = options.flash;
    this.recovery = options.recovery === true;
    options.line.onData = (bytes) => this.#arrive(bytes);
    options.line.onLines = (lines) => this.#setLines(lines);
  }

  /** Power on, or reset: everything but the flash is forgotten. */
  reset(): void {
    this.powerOff();
    this.boots++;
    new Uint8Array(this.#memory.buffer).fill(UNKNOWN);
    this.#exports = startBootloader({
      memory: this.#memory,
      flash: this.flash,
      next: () => this.#next(),
      write: (bytes) => this.#options.line.write(bytes),
      nowMs: () => Math.floor(this.#options.host.now() / 1e6),
      recovery: () => this.recovery,
      reboot: () => void (this.#rebootAsked = true),
      jump: (offset) => void (this.#jumpedTo = offset),
    });
    this.#run((exports) => {
      exports.start();
      return exports.boot();
    });
    // The strap is of the next boot alone when it came over the modem lines or from firmware.
    this.recovery = this.#options.recovery === true;
    this.#tick();
  }

  powerOff(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#application?.stop?.();
    this.#application = null;
    this.#exports = null;
    this.#received = [];
    this.#at = 0;
    this.#waiting = 0;
    this.#rebootAsked = false;
    this.#jumpedTo = null;
    this.mode = 'off';
  }

  #next(): number {
    const first = this.#received[0];
    if (first === undefined) return -1;
    const byte = first[this.#at++]!;
    this.#waiting--;
    if (this.#at === first.length) {
      this.#received.shift();
      this.#at = 0;
    }
    return byte;
  }

  #arrive(bytes: Uint8Array): void {
    if (this.mode === 'running') this.#application?.onData(bytes);
    if (!this.#isServing) return;
    const room = RECEIVE_BYTES - this.#waiting;
    this.overruns += Math.max(0, bytes.length - room);
    const kept = bytes.subarray(0, room);
    if (kept.length === 0) return;
    this.#received.push(kept);
    this.#waiting += kept.length;
    do this.#poll();
    while (this.#waiting > 0 && this.#isServing);
  }

  get #isServing(): boolean {
    return this.mode === 'recovery' || this.mode === 'waiting';
  }

  /** While the bootloader waits it looks at the time itself. */
  #tick(): void {
    if (this.mode !== 'waiting') return;
    this.#timer = this.#options.host.after(TICK_MS, () => {
      this.#poll();
      this.#tick();
    });
  }

  #poll(): void {
    this.#run((exports) => exports.poll());
    if (this.#rebootAsked) this.reset();
    else if (this.#jumpedTo !== null && this.#application === null) this.#start(this.#jumpedTo);
  }

  /** Runs the bootloader; a cut of the power leaves the board off. */
  #run(call: (exports: Bootloader) => number): void {
    if (this.#exports === null) return;
    try {
      this.mode = MODES[call(this.#exports)]!;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.powerOff();
    }
  }

  #start(offset: number): void {
    const slot = offset === slotAt(0) ? 0 : 1;
    this.#jumpedTo = null;
    this.#application =
      this.#options.onImage?.({
        slot,
        payload: payloadIn(this.flash, slot),
        confirm: () => this.#confirm(slot),
        reboot: (recovery) => {
          this.recovery ||= recovery;
          this.reset();
        },
        write: (bytes) => this.#options.line.write(bytes),
      }) ?? null;
  }

  #confirm(slot: number): void {
    try {
      confirm(this.flash, slot);
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.powerOff();
    }
  }

  /** RTS holds the board in reset, DTR off at its release straps it to recovery, as on many adapters. */
  #setLines({ dtr, rts }: ModemLines): void {
    if (!rts) {
      this.#isReset = true;
      this.powerOff();
    } else if (this.#isReset) {
      this.#isReset = false;
      this.recovery ||= !dtr;
      this.reset();
    }
  }
}
