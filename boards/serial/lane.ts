/**
 * One direction of a serial wire: bytes leave at the line's rate, in order, and a seeded part of them arrives wrong or
 * not at all. A byte takes a start bit, 8 data bits, the parity bit if there is one, and a stop bit.
 */
import type { Host, Timer } from '../host.ts';
import type { RandomStream } from '../random.ts';

export interface LaneOptions {
  /** Bits a second; null: as fast as the process goes. */
  baud: number | null;
  bitsPerByte: number;
  /** In so many of a million bytes one bit is flipped, or the byte is lost. */
  flipsPerMillion: number;
  lossesPerMillion: number;
}

const MILLION = 1_000_000;
/** Delivered at once at most: an UART's FIFO and the driver behind it are about so large. */
const SLICE_BYTES = 64;

export class Lane {
  /** Bytes that were put in, and those that came out right, wrong or not. */
  sent = 0;
  flipped = 0;
  lost = 0;
  readonly options: LaneOptions;
  #host: Host;
  #random: RandomStream;
  #deliver: (bytes: Uint8Array) => void;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #timer: Timer | null = null;
  #busy = false;
  /** When the first queued byte began to leave. */
  #begun = 0;
  #waiting: (() => void)[] = [];

  constructor(host: Host, random: RandomStream, options: LaneOptions, deliver: (bytes: Uint8Array) => void) {
    this.#host = host;
    this.#random = random;
    this.options = options;
    this.#deliver = deliver;
  }

  get queued(): number {
    return this.#queued;
  }

  send(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#queue.push(bytes.slice());
    this.#queued += bytes.length;
    if (this.#busy) return;
    this.#busy = true;
    this.#begun = this.#host.now();
    this.#next();
  }

  /** Forgets what is queued. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#busy = false;
    this.#queue = [];
    this.#queued = 0;
    this.#wake();
  }

  /** Resolves when at most `bytes` are queued. */
  async below(bytes: number): Promise<void> {
    while (this.#queued > bytes) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  get #byteNs(): number {
    return this.options.baud === null ? 0 : (this.options.bitsPerByte * 1e9) / this.options.baud;
  }

  #next(): void {
    const count = Math.min(this.#queued, SLICE_BYTES);
    const delta = this.#begun + count * this.#byteNs - this.#host.now();
    this.#timer = this.#host.after(Math.max(0, delta / 1e6), () => this.#arrive());
  }

  /** Delivers what is due; a host that woke late delivers more. */
  #arrive(): void {
    const byteNs = this.#byteNs;
    const due = byteNs === 0 ? SLICE_BYTES : Math.floor((this.#host.now() - this.#begun) / byteNs + 1 / 1024);
    const count = Math.min(this.#queued, due);
    this.#begun += count * byteNs;
    const bytes = this.#take(count);
    this.#busy = this.#queued > 0;
    if (this.#busy) this.#next();
    this.#wake();
    if (bytes.length > 0) this.#deliver(bytes);
  }

  #take(count: number): Uint8Array {
    const { flipsPerMillion, lossesPerMillion } = this.options;
    const out = new Uint8Array(count);
    let kept = 0;
    for (let taken = 0; taken < count;) {
      const first = this.#queue[0]!;
      const part = first.subarray(0, count - taken);
      taken += part.length;
      if (part.length === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(part.length);
      for (const byte of part) {
        this.sent++;
        if (lossesPerMillion > 0 && this.#random.chance(lossesPerMillion, MILLION)) {
          this.lost++;
          continue;
        }
        const flip = flipsPerMillion > 0 && this.#random.chance(flipsPerMillion, MILLION);
        if (flip) this.flipped++;
        out[kept++] = flip ? byte ^ (1 << this.#random.below(8)) : byte;
      }
    }
    this.#queued -= count;
    return out.subarray(0, kept);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) each();
  }
}
