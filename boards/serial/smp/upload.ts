/**
 * An image on its way to a board. Several requests are under way, so that the line never waits for an answer; every
 * answer says where the board wants to go on, and that is where this goes on. The chunks shrink while the line is bad
 * and grow while it is good.
 *
 * [SMP] smp_group_1.rst "Image upload"
 */
import { createHash } from 'node:crypto';
import { SMP_GROUP_IMAGE } from '../../../firmware/bootloader/layout.ts';
import { EXIT_BAD_BOARD, InputError } from '../../input-error.ts';
import type { Parameters } from './board.ts';
import { NoAnswer } from '../line-error.ts';
import type { SmpClient } from './client.ts';
import { frameBytes } from './frame.ts';
import { HEADER_BYTES, OP_WRITE, type Reply } from './packet.ts';
import { checked } from './refusal.ts';

export interface Progress {
  /** Bytes that the board has. */
  done: number;
  total: number;
  chunkBytes: number;
  /** Chunks sent again. */
  repeats: number;
}

export interface UploadOptions {
  image: Uint8Array;
  parameters: Parameters;
  baud: number;
  onProgress?: (progress: Progress) => void;
}

const UPLOAD = { op: OP_WRITE, group: SMP_GROUP_IMAGE, id: 1 };
/** Of the map around the data: keys, lengths, offset; and of the first: image, length, SHA-256. */
const MAP_BYTES = 20;
const FIRST_BYTES = 56;
const CHUNK_LEAST = 96;
/** Enough on the line to cover the way there and back. */
const UNDER_WAY_BYTES = 4096;
const GROW_AFTER = 4;
/** A board may erase before it answers; and the host's drivers have buffers and timers of their own. */
const PATIENCE_MS = 1500;
/** Once it is known how long this board takes beyond the line: so many times that, but no less than this. */
const PATIENCE_FACTOR = 3;
const PATIENCE_LEAST_MS = 120;
const ANSWERS_TO_KNOW = 4;
const FAILURES_MAX = 12;
/** In all, whatever is gained in between: a board that keeps forgetting is not worth more. */
const REPEATS_MAX = 1000;
const REPEAT_PER_BYTES = 64;
const BITS_PER_BYTE = 10;

interface Chunk {
  from: number;
  end: number;
  /** Counted up at each rewind: an answer to what was sent before one says nothing any more. */
  era: number;
  lineBytes: number;
  sentAtMs: number;
  lineMs: number;
}

interface Outcome {
  chunk: Chunk;
  result: Reply | Error;
}

class Upload {
  readonly #client: SmpClient;
  readonly #options: UploadOptions;
  readonly #sha: Buffer;
  readonly #chunkMost: number;
  #chunkBytes: number;
  #acked = 0;
  #next = 0;
  #era = 0;
  #underWay = new Set<Chunk>();
  /** What the slowest of the last answers took beyond the time on the line. */
  #slownessMs = 0;
  #answers = 0;
  #backoff = 1;
  #good = 0;
  #failures = 0;
  #repeats = 0;
  #match: boolean | null = null;
  #outcomes: Outcome[] = [];
  #wake: (() => void) | null = null;

  constructor(client: SmpClient, options: UploadOptions) {
    this.#client = client;
    this.#options = options;
    this.#sha = createHash('sha256').update(options.image).digest();
    this.#chunkMost = options.parameters.bufferBytes - HEADER_BYTES - MAP_BYTES;
    this.#chunkBytes = this.#chunkMost;
  }

  /** Whether the board has what was sent; null when it does not say. */
  async run(): Promise<boolean | null> {
    const { image } = this.#options;
    while (this.#acked < image.length) {
      while (this.#next < image.length && this.#current.length < this.#window) this.#send();
      for (const outcome of await this.#settled()) this.#take(outcome);
      this.#report();
    }
    return this.#match;
  }

  get #window(): number {
    const wanted = Math.max(2, Math.ceil(UNDER_WAY_BYTES / this.#chunkBytes));
    return Math.min(wanted, this.#options.parameters.buffers);
  }

  /** What is under way and counts: an answer that is lost, or is of before a rewind, holds up nothing. */
  get #current(): Chunk[] {
    return [...this.#underWay].filter(({ era, end }) => era === this.#era && end > this.#acked);
  }

  get #patienceMs(): number {
    if (this.#answers < ANSWERS_TO_KNOW) return PATIENCE_MS;
    const known = Math.max(PATIENCE_LEAST_MS, PATIENCE_FACTOR * this.#slownessMs) * this.#backoff;
    return Math.min(PATIENCE_MS, known);
  }

  #send(): void {
    const { image, baud, parameters } = this.#options;
    const from = this.#next;
    const isFirst = from === 0;
    const most = isFirst ? parameters.bufferBytes - HEADER_BYTES - MAP_BYTES - FIRST_BYTES : this.#chunkBytes;
    const end = Math.min(image.length, from + Math.min(most, this.#chunkBytes));
    const head: Record<string, number | Uint8Array> = isFirst
      ? { image: 0, len: image.length, sha: this.#sha }
      : {};
    const lineBytes = frameBytes(HEADER_BYTES + MAP_BYTES + (isFirst ? FIRST_BYTES : 0) + end - from);
    const queued = this.#current.reduce((sum, each) => sum + each.lineBytes, lineBytes);
    const lineMs = (queued * BITS_PER_BYTE * 1000) / baud;
    const chunk = { from, end, era: this.#era, lineBytes, lineMs, sentAtMs: this.#nowMs };
    this.#next = end;
    this.#underWay.add(chunk);
    const settle = (result: Reply | Error): void => {
      this.#underWay.delete(chunk);
      this.#outcomes.push({ chunk, result });
      this.#wake?.();
    };
    const ms = lineMs + this.#patienceMs;
    this.#client
      .request(UPLOAD, { ...head, off: from, data: image.subarray(from, end) }, ms)
      .then(settle, settle);
  }

  async #settled(): Promise<Outcome[]> {
    if (this.#outcomes.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = null;
    return this.#outcomes.splice(0);
  }

  #take({ chunk, result }: Outcome): void {
    if (result instanceof NoAnswer) {
      this.#backoff = Math.min(this.#backoff * 2, PATIENCE_MS / PATIENCE_LEAST_MS);
      if (chunk.era === this.#era && chunk.end > this.#acked) {
        this.#client.sendNewline();
        this.#rewind(this.#acked);
      }
      return;
    }
    if (result instanceof Error) throw result;
    this.#learn(chunk);
    if (chunk.era !== this.#era) return;
    const { off, match } = checked(result, 'a part of the image').body;
    if (typeof off !== 'number' || off > this.#options.image.length) {
      throw new InputError('the board answered an upload without saying where to go on', EXIT_BAD_BOARD);
    }
    if (typeof match === 'boolean') this.#match = match;
    if (off < chunk.end) this.#rewind(off);
    else this.#advance(off);
  }

  #learn({ sentAtMs, lineMs }: Chunk): void {
    this.#answers++;
    this.#backoff = 1;
    const slowness = Math.max(0, this.#nowMs - sentAtMs - lineMs);
    this.#slownessMs = Math.max(slowness, this.#slownessMs * 0.9);
  }

  get #nowMs(): number {
    return this.#client.host.now() / 1e6;
  }

  #advance(off: number): void {
    if (off > this.#acked) this.#failures = 0;
    this.#acked = Math.max(this.#acked, off);
    this.#next = Math.max(this.#next, off);
    if (++this.#good < GROW_AFTER) return;
    this.#good = 0;
    this.#chunkBytes = Math.min(this.#chunkMost, this.#chunkBytes + (this.#chunkBytes >> 3));
  }

  /** Goes on at `off`: what was sent from there on did not arrive, or the board has begun anew. */
  #rewind(off: number): void {
    this.#era++;
    this.#repeats++;
    this.#good = 0;
    this.#acked = off;
    this.#next = off;
    this.#chunkBytes = Math.max(Math.min(CHUNK_LEAST, this.#chunkMost), this.#chunkBytes >> 1);
    const most = REPEATS_MAX + this.#options.image.length / REPEAT_PER_BYTES;
    if (++this.#failures > FAILURES_MAX || this.#repeats > most)
      throw new NoAnswer('the board stopped answering');
  }

  #report(): void {
    this.#options.onProgress?.({
      done: this.#acked,
      total: this.#options.image.length,
      chunkBytes: this.#chunkBytes,
      repeats: this.#repeats,
    });
  }
}

/** Whether the board has what was sent; null when it does not say. Goes on where an upload of the same image stopped. */
export const upload = (client: SmpClient, options: UploadOptions): Promise<boolean | null> =>
  new Upload(client, options).run();
