/**
 * A host whose time is virtual: it stands still while anything of the process is left to do, and then jumps to the next
 * timer. So what waits for the wall clock on a real port takes no time in a test or a bench, and is the same each time.
 * Nothing that is paced by it may wait for the real world.
 */
import { type Host, type Timer, realHost } from '../host.ts';
import { RandomStream } from '../random.ts';

interface Due {
  at: number;
  sequence: number;
  call: () => void;
}

/** Turns of the host's loop after which streams and promises have come to rest. */
const TURNS = 2;

export class VirtualHost implements Host {
  #now = 0;
  #sequence = 0;
  #queue: Due[] = [];
  #real = realHost();
  #random: RandomStream;

  constructor(seed = '0') {
    this.#random = new RandomStream(seed, 'virtual-host');
  }

  now(): number {
    return this.#now;
  }

  utc(): number {
    return Math.floor(this.#now / 1e9);
  }

  after(ms: number, call: () => void): Timer {
    const due = { at: this.#now + Math.max(0, ms) * 1e6, sequence: this.#sequence++, call };
    // From the end: nearly all are later than what waits.
    let at = this.#queue.length;
    while (at > 0 && this.#queue[at - 1]!.at > due.at) at--;
    this.#queue.splice(at, 0, due);
    return {
      cancel: () => {
        const found = this.#queue.indexOf(due);
        if (found >= 0) this.#queue.splice(found, 1);
      },
    };
  }

  soon(call: () => void): void {
    this.#real.soon(call);
  }

  random(bytes: number): Uint8Array {
    return Uint8Array.from({ length: bytes }, () => this.#random.below(256));
  }

  /** Lets time pass until `work` has settled. */
  async run<T>(work: Promise<T>): Promise<T> {
    const state = { settled: false };
    const mark = (): void => void (state.settled = true);
    work.then(mark, mark);
    for (;;) {
      for (let turn = 0; turn < TURNS && !state.settled; turn++) await this.#turn();
      if (state.settled) return work;
      const next = this.#queue.shift();
      if (next === undefined) throw new Error('nothing is due, and what was waited for has not happened');
      this.#now = next.at;
      next.call();
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#real.soon(resolve));
  }
}
