/** The run's side of the line to one attached board: something is said, and the run waits for what comes. */
import { MessageChannel, Worker } from 'node:worker_threads';
import { CpuLost } from '../cpu.ts';
import { EXIT_BAD_PORT, InputError } from '../input-error.ts';
import type { Chunk } from '../serial/link-end.ts';
import type { BoardAddress } from './address.ts';
import type { Ready, LineData, ToLine, ToRun } from './letters.ts';
import { threadScript } from '../thread-script.ts';
import { Letters, makeShared } from './mailbox.ts';
import type { Carrier } from './rpc.ts';

/** The thread of the line itself answers within this, even if the board does not. */
const THREAD_MS = 60_000;

export class Transport implements Carrier {
  /** Frames on the line so far, both ways. */
  frames = 0;
  readonly #letters: Letters<ToLine, ToRun>;
  readonly #worker: Worker;
  #isStuck = false;

  private constructor(worker: Worker, letters: Letters<ToLine, ToRun>) {
    this.#worker = worker;
    this.#letters = letters;
  }

  /** Resolves when the thread has its line: a board need not be there yet. */
  static async open(address: BoardAddress, firmware: string, roomBytes: number): Promise<Transport> {
    const { port1, port2 } = new MessageChannel();
    const data: LineData = { shared: makeShared(), port: port2, address, firmware, roomBytes };
    const worker = new Worker(threadScript('attached/line-thread'), {
      workerData: data,
      transferList: [port2],
      execArgv: [],
    });
    const ready = await new Promise<Ready>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    if (ready.bad !== null) throw new InputError(ready.bad, EXIT_BAD_PORT);
    // A run that ends otherwise does not wait for a line.
    worker.unref();
    port1.unref();
    return new Transport(worker, new Letters({ shared: data.shared, port: port1 }, 'run'));
  }

  /** Sends, and blocks until something has come. */
  exchange(send: Chunk[]): Chunk[] {
    this.#letters.post({ send });
    const answer = this.#letters.wait(THREAD_MS);
    if (answer === null) {
      this.#isStuck = true; // nor will it ever end by itself
      void this.#worker.terminate();
      throw new CpuLost('the thread of the line does not answer');
    }
    if ('lost' in answer) throw new CpuLost(answer.lost);
    this.frames = answer.frames;
    return answer.came;
  }

  /** The board is told that its host has gone. */
  close(): void {
    if (!this.#isStuck) {
      this.#worker.ref();
      this.#letters.post({ close: true });
    }
    this.#letters.port.close();
  }
}
