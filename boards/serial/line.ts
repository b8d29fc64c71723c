/**
 * One direction of a line, in virtual time: frames at the pace of its baud rate, and what can happen to them. Every
 * fault is drawn from the stream that the line was given, so a run with faults repeats.
 */
import { RandomStream } from '../random.ts';

export interface LineFaults {
  /** Of a million frames, so many are lost, changed in some byte, cut, sent twice, or overtaken by later ones. */
  loss: number;
  corruption: number;
  cut: number;
  duplication: number;
  reordering: number;
}

export const NO_FAULTS: LineFaults = { loss: 0, corruption: 0, cut: 0, duplication: 0, reordering: 0 };

const MILLION = 1_000_000;
/** Without a baud rate a frame takes so long. */
const FRAME_NS = 1_000;
/** So many frames are in the sender's FIFO. */
const FIFO_FRAMES = 2;
/** A frame that is overtaken comes after so many later ones at most. */
const OVERTAKEN_MAX = 3;
const BITS_A_BYTE = 10;

interface Travelling {
  at: number;
  bytes: Uint8Array;
}

export class Line {
  /** Nobody hears what is sent. */
  pulled = false;
  frames = 0;
  bytes = 0;
  readonly #byteNs: number;
  readonly #faults: LineFaults;
  readonly #random: RandomStream;
  #queue: Travelling[] = [];
  #busyUntil = 0;
  #held: { frames: number; bytes: Uint8Array }[] = [];

  constructor(baud: number | null, faults: LineFaults, seed: string, name: string) {
    this.#byteNs = baud === null ? 0 : Math.round((BITS_A_BYTE * 1e9) / baud);
    this.#faults = faults;
    this.#random = new RandomStream(seed, name);
  }

  /** The sender may give it another frame. */
  room(now: number): boolean {
    return this.#queue.length < FIFO_FRAMES || this.#queue[this.#queue.length - FIFO_FRAMES]!.at <= now;
  }

  /** When there is room again. */
  get roomAt(): number {
    return this.#queue[this.#queue.length - FIFO_FRAMES]?.at ?? 0;
  }

  send(frame: Uint8Array, now: number): void {
    this.frames++;
    this.bytes += frame.length;
    const took = this.#byteNs === 0 ? FRAME_NS : frame.length * this.#byteNs;
    this.#busyUntil = Math.max(now, this.#busyUntil) + took;
    if (this.pulled) return;
    const { loss, corruption, cut, duplication, reordering } = this.#faults;
    const happens = (rate: number): boolean => rate > 0 && this.#random.chance(rate, MILLION);
    if (happens(loss)) return this.#release();
    let bytes = frame;
    if (happens(corruption)) {
      bytes = frame.slice();
      bytes[this.#random.below(bytes.length)]! ^= 1 << this.#random.below(8);
    }
    if (happens(cut)) bytes = bytes.subarray(0, this.#random.below(bytes.length));
    if (happens(reordering)) {
      this.#held.push({ frames: 1 + this.#random.below(OVERTAKEN_MAX), bytes });
      return;
    }
    this.#put(bytes);
    if (happens(duplication)) this.#put(bytes);
    this.#release();
  }

  #put(bytes: Uint8Array): void {
    this.#queue.push({ at: this.#busyUntil, bytes });
  }

  /** One more frame has overtaken those that are held. */
  #release(): void {
    for (const each of this.#held) each.frames--;
    for (const { bytes } of this.#held.filter(({ frames }) => frames <= 0)) this.#put(bytes);
    this.#held = this.#held.filter(({ frames }) => frames > 0);
  }

  /** When the next bytes come, Infinity without any. */
  get next(): number {
    return this.#queue[0]?.at ?? Infinity;
  }

  /** What has come by now. */
  receive(now: number): Uint8Array | null {
    if (this.next > now) return null;
    return this.#queue.shift()!.bytes;
  }

  /** What is on its way is gone. */
  clear(): void {
    this.#queue = [];
    this.#held = [];
  }
}
