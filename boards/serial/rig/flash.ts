/**
 * NOR flash of a board: sectors are erased to ones, units written once. The power can be cut before any operation on a
 * sector or unit, inside it, or after it; inside, some bits have changed and some have not.
 */
import { FLASH_BYTES, SECTOR_BYTES, UNIT_BYTES } from '../../../firmware/bootloader/layout.ts';
import { RandomStream } from '../../random.ts';

export type CutPlace = 'before' | 'inside' | 'after';

/** The power goes at the operation of this number, counted from 0. */
export interface PowerPlan {
  operation: number;
  place: CutPlace;
}

export class PowerCut extends Error {
  constructor() {
    super('the power was cut');
  }
}

export interface FlashOptions {
  seed?: string;
  /** What lies in it; default: erased. */
  contents?: Uint8Array;
  /** Called with each piece that changed. */
  store?: (at: number, bytes: Uint8Array) => void;
}

const DONE = 0;
const FAILED = 1;

export class NorFlash {
  readonly bytes: Uint8Array;
  /** Sectors erased and units written. */
  operations = 0;
  /** Attempts to write what was not erased, and addresses that are none: a bootloader makes none. */
  violations = 0;
  plan: PowerPlan | null = null;
  #random: RandomStream;
  #store: (at: number, bytes: Uint8Array) => void;

  constructor(options: FlashOptions = {}) {
    this.bytes = new Uint8Array(FLASH_BYTES).fill(0xff);
    if (options.contents !== undefined) this.bytes.set(options.contents);
    this.#random = new RandomStream(options.seed ?? '0', 'flash');
    this.#store = options.store ?? (() => undefined);
  }

  read(at: number, bytes: number): Uint8Array {
    if (at + bytes > this.bytes.length) {
      this.violations++;
      return new Uint8Array(bytes).fill(0xff);
    }
    return this.bytes.subarray(at, at + bytes);
  }

  erase(at: number, bytes: number): number {
    if (at % SECTOR_BYTES !== 0 || bytes % SECTOR_BYTES !== 0 || at + bytes > this.bytes.length) {
      this.violations++;
      return FAILED;
    }
    for (let sector = at; sector < at + bytes; sector += SECTOR_BYTES) {
      this.#operate(
        sector,
        SECTOR_BYTES,
        (part) => part.fill(0xff),
        (part) => {
          for (let i = 0; i < part.length; i++) {
            const kind = this.#random.below(3);
            part[i]! |= kind === 0 ? 0 : kind === 1 ? 0xff : this.#random.below(256);
          }
        },
      );
    }
    return DONE;
  }

  write(at: number, bytes: Uint8Array): number {
    const isErased = this.read(at, bytes.length).every((byte) => byte === 0xff);
    if (at % UNIT_BYTES !== 0 || bytes.length % UNIT_BYTES !== 0 || !isErased) {
      this.violations++;
      return FAILED;
    }
    for (let done = 0; done < bytes.length; done += UNIT_BYTES) {
      const unit = bytes.subarray(done, done + UNIT_BYTES);
      this.#operate(
        at + done,
        UNIT_BYTES,
        (part) => part.set(unit),
        (part) => {
          for (let i = 0; i < UNIT_BYTES; i++) part[i]! &= unit[i]! | this.#random.below(256);
        },
      );
    }
    return DONE;
  }

  #operate(
    at: number,
    bytes: number,
    whole: (part: Uint8Array) => void,
    torn: (part: Uint8Array) => void,
  ): void {
    const part = this.bytes.subarray(at, at + bytes);
    const isCut = this.plan?.operation === this.operations++;
    const place = isCut ? this.plan!.place : null;
    if (place === 'inside') torn(part);
    else if (place !== 'before') whole(part);
    if (place !== 'before') this.#store(at, part);
    if (isCut) {
      this.plan = null;
      throw new PowerCut();
    }
  }
}
