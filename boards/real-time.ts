/**
 * Board time paced by the host's: the same queue of events as in a run, but an event waits until the host's clock has
 * come to it. What comes from outside enters through `enter`, which first brings board time up to now.
 *
 * A host that cannot keep up does not make board time jump: after a stretch of work the rest is forgiven, and board time
 * falls behind by so much. Both boards fall behind together, so no heartbeat is missed for it.
 */
import type { Clock } from './clock.ts';
import { MS } from './clock.ts';
import type { Host, Timer } from './host.ts';

/** Host time that one turn may take before input and output are looked at again. */
const TURN_NS = 5 * MS;
/** Events between two looks at the host's clock. */
const EVENTS_A_LOOK = 32;
/** Being so far behind after a turn is forgiven. */
const BEHIND_NS = 20 * MS;
/** An idle pair is looked at so often all the same, in milliseconds. */
const IDLE_MS = 1000;

export class RealTime {
  readonly #clock: Clock;
  readonly #host: Host;
  /** Host time at which board time was 0. */
  #base: number;
  #timer: Timer | null = null;
  #stopped = false;
  #inside = false;
  /** Nanoseconds by which board time has fallen behind in all. */
  forgiven = 0;

  constructor(clock: Clock, host: Host) {
    this.#clock = clock;
    this.#host = host;
    this.#base = host.now() - clock.now;
  }

  start(): void {
    this.#turn();
  }

  /** Board time stands still from now on. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Something from outside happens now. */
  enter(call: () => void): void {
    if (this.#stopped) return;
    if (this.#inside) return call(); // it is an event's own doing
    this.#catchUp();
    this.#inside = true;
    try {
      call();
    } finally {
      this.#inside = false;
    }
    this.#plan();
  }

  #turn(): void {
    this.#timer = null;
    if (this.#stopped) return;
    this.#catchUp();
    this.#plan();
  }

  /** Runs what is due, for as long as a turn may take. */
  #catchUp(): void {
    const clock = this.#clock;
    const from = this.#host.now();
    const due = from - this.#base;
    this.#inside = true;
    try {
      for (let n = 1; clock.next <= due; n++) {
        clock.step();
        if (this.#stopped) return;
        if (n % EVENTS_A_LOOK === 0 && this.#host.now() - from > TURN_NS) break;
      }
    } finally {
      this.#inside = false;
    }
    if (clock.next > due) {
      clock.runUntil(Math.max(clock.now, due));
      return;
    }
    const behind = this.#host.now() - this.#base - clock.now;
    if (behind <= BEHIND_NS) return;
    this.#base += behind;
    this.forgiven += behind;
  }

  /** Wakes up when the next event is due. */
  #plan(): void {
    if (this.#stopped) return;
    const wait = (this.#clock.next + this.#base - this.#host.now()) / MS;
    if (this.#timer !== null) {
      if (this.#wakesAt <= this.#clock.next) return;
      this.#timer.cancel();
      this.#timer = null;
    }
    if (wait <= 0) {
      // Something is due already: after the host has looked at its input.
      this.#wakesAt = -Infinity;
      let live = true;
      this.#timer = { cancel: () => void (live = false) };
      this.#host.soon(() => {
        if (live) this.#turn();
      });
      return;
    }
    this.#wakesAt = this.#clock.next;
    this.#timer = this.#host.after(Math.min(IDLE_MS, Math.ceil(wait)), () => this.#turn());
  }
  /** Board time that the timer is set for. */
  #wakesAt = Infinity;
}
