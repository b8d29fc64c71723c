/** LZ4 of a memory by several threads, which share its chunks: for measuring. */
import { Worker } from 'node:worker_threads';
import { threadScript } from '../thread-script.ts';

export interface KernelData {
  content: Uint8Array;
  words: Int32Array;
}

/** Words that all share: how often they were told to begin, how often one was done; the next chunk, and bytes stored. */
export const GO = 0;
export const DONE = 1;
export const NEXT = 2;
export const STORED = 3;
const WORDS = 4;
const START_MS = 60_000;

export class KernelWorkers {
  readonly #threads: Worker[] = [];
  readonly #words = new Int32Array(new SharedArrayBuffer(4 * WORDS));

  /** Blocks until all have the memory. */
  constructor(content: Uint8Array, workers: number) {
    const shared = new Uint8Array(new SharedArrayBuffer(content.length));
    shared.set(content);
    for (let number = 0; number < workers; number++) {
      const workerData: KernelData = { content: shared, words: this.#words };
      const thread = new Worker(threadScript('dump/kernel-thread'), { workerData, execArgv: [] });
      thread.unref();
      this.#threads.push(thread);
    }
    this.#wait(1);
  }

  /** Until each has been done so often. */
  #wait(times: number): void {
    const all = times * this.#threads.length;
    for (;;) {
      const done = Atomics.load(this.#words, DONE);
      if (done === all) return;
      if (Atomics.wait(this.#words, DONE, done, START_MS) === 'timed-out')
        throw new Error('a thread that compresses does not answer');
    }
  }

  /** Bytes that the chunks which are not zero are stored in. */
  lz4(): number {
    this.#words[NEXT] = this.#words[STORED] = 0;
    const go = Atomics.add(this.#words, GO, 1) + 1;
    Atomics.notify(this.#words, GO);
    this.#wait(go + 1);
    return this.#words[STORED];
  }

  close(): void {
    for (const thread of this.#threads) void thread.terminate();
  }
}
