/**
 * The second CPU of an emulated board: a thread with its own instance of the firmware on the board's RAM. It is made at
 * each power-on or reset, ready before the first CPU runs its first instruction, and gone when RAM is.
 */
import { Worker } from 'node:worker_threads';
import { threadScript } from '../thread-script.ts';

export interface SecondData {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** READY once it is. */
  state: Int32Array;
}

export interface SecondExports {
  start(): void;
  second_begin(): void;
  second(): void;
}

export const READY = 1;
/** A thread that has not begun in this time never will. */
const START_MS = 60_000;

export class SecondCpu {
  readonly #worker: Worker;
  readonly #state = new Int32Array(new SharedArrayBuffer(4));
  #error: Error | null = null;

  /** Begins: the board's self-test takes about as long. */
  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory) {
    const workerData: SecondData = { module, memory, state: this.#state };
    this.#worker = new Worker(threadScript('emulated/second-thread'), { workerData, execArgv: [] });
    this.#worker.unref();
    // A thread that ends is a CPU that is silent: no reason to end the run.
    this.#worker.on('error', (error) => (this.#error = error));
  }

  /** Blocks until it is ready: the first CPU must not boot before. */
  ready(): void {
    if (Atomics.wait(this.#state, 0, 0, START_MS) === 'timed-out')
      throw new Error('the thread of the second CPU does not begin', { cause: this.#error });
  }

  /** At once, wherever it is; resolves when its thread has ended. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
