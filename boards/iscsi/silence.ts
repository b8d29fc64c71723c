/**
 * Is anybody there? After a time of silence the other side is asked; no answer, and it is taken for gone.
 *
 * RFC 7143 11.19: an unsolicited NOP-In with a target transfer tag must be answered
 */
import type { Timer } from '../host.ts';
import type { Limits } from './limits.ts';

export class Silence implements Timer {
  /** Something has come. */
  heard = false;
  readonly #limits: Limits;
  readonly #after: (ms: number, call: () => void) => Timer;
  readonly #ask: () => void;
  readonly #gone: () => void;
  #timer: Timer;

  constructor(
    limits: Limits,
    after: (ms: number, call: () => void) => Timer,
    ask: () => void,
    gone: () => void,
  ) {
    this.#limits = limits;
    this.#after = after;
    this.#ask = ask;
    this.#gone = gone;
    this.#timer = this.#listen();
  }

  cancel(): void {
    this.#timer.cancel();
  }

  #listen(): Timer {
    this.heard = false;
    return this.#after(this.#limits.pingMs, () => {
      this.#timer = this.heard ? this.#listen() : this.#asked();
    });
  }

  #asked(): Timer {
    this.#ask();
    return this.#after(this.#limits.pingAnswerMs, () => {
      if (this.heard) this.#timer = this.#listen();
      else this.#gone();
    });
  }
}
