/**
 * Letters between the thread of a run and the thread that has the line. The run's side waits for its answer with the
 * thread blocked, because board time stands still meanwhile; so does the other side where it has nothing else to wait
 * for.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

/** Words of the shared memory: letters sent to the line's thread, and to the run. */
const TO_LINE = 0;
const TO_RUN = 1;

export interface Mailbox {
  shared: SharedArrayBuffer;
  port: MessagePort;
}

export class Letters<Out, In> {
  readonly port: MessagePort;
  readonly #words: Int32Array;
  readonly #mine: number;
  readonly #theirs: number;
  #seen = 0;

  constructor({ shared, port }: Mailbox, side: 'run' | 'line') {
    this.port = port;
    this.#words = new Int32Array(shared);
    this.#mine = side === 'run' ? TO_RUN : TO_LINE;
    this.#theirs = side === 'run' ? TO_LINE : TO_RUN;
  }

  post(letter: Out): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- this port is none of a window
    this.port.postMessage(letter);
    Atomics.add(this.#words, this.#theirs, 1);
    Atomics.notify(this.#words, this.#theirs);
  }

  /** Blocks until a letter is there; null when none came in `ms`. */
  wait(ms = Infinity): In | null {
    for (;;) {
      const found = receiveMessageOnPort(this.port);
      if (found !== undefined) {
        this.#seen++;
        return found.message as In;
      }
      if (Atomics.wait(this.#words, this.#mine, this.#seen, ms) === 'timed-out') return null;
    }
  }
}

export const makeShared = (): SharedArrayBuffer => new SharedArrayBuffer(8);
