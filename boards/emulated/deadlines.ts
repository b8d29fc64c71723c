/**
 * Times by which commands must have ended. However many are out, one event stands in the queue, and a command that ends
 * in time, as nearly all do, leaves nothing behind.
 */
import type { Clock } from '../clock.ts';

interface Late<T> {
  each: T;
  due: number;
  order: number;
}

export class Deadlines<T> {
  readonly #clock: Clock;
  readonly #component: number;
  readonly #kind: number;
  readonly #late: (each: T) => void;
  // By slot; each slot is in use, or in #free.
  readonly #each: (T | null)[] = [];
  readonly #due: number[] = [];
  readonly #order: number[] = [];
  readonly #free: number[] = [];
  #sequence = 0;
  #armedFor = Infinity;
  #generation = 0;

  /** The component passes its events of this kind to `fire`. */
  constructor(clock: Clock, component: number, kind: number, late: (each: T) => void) {
    this.#clock = clock;
    this.#component = component;
    this.#kind = kind;
    this.#late = late;
  }

  /** `each` is late after so long. Gives the slot to be told to `met`, once. */
  set(each: T, ns: number): number {
    const slot = this.#free.pop() ?? this.#each.length;
    const due = this.#clock.now + ns;
    this.#each[slot] = each;
    this.#due[slot] = due;
    this.#order[slot] = this.#sequence++;
    if (due < this.#armedFor) this.#arm(due);
    return slot;
  }

  met(slot: number): void {
    this.#each[slot] = null;
    this.#free.push(slot);
  }

  /** Nobody is late any more; slots given out before are void. */
  clear(): void {
    this.#each.length = this.#due.length = this.#order.length = this.#free.length = 0;
  }

  /** Those who are late are told in the order in which they are due, and then were set; each calls `met`. */
  fire(generation: number): void {
    if (generation !== this.#generation) return;
    this.#armedFor = Infinity;
    const late: Late<T>[] = [];
    let next = Infinity;
    this.#each.forEach((each, slot) => {
      if (each === null) return;
      const due = this.#due[slot]!;
      if (due <= this.#clock.now) late.push({ each, due, order: this.#order[slot]! });
      else next = Math.min(next, due);
    });
    if (next < this.#armedFor) this.#arm(next);
    for (const { each } of late.toSorted((x, y) => x.due - y.due || x.order - y.order)) this.#late(each);
  }

  #arm(due: number): void {
    this.#armedFor = due;
    this.#clock.at(due, this.#component, this.#kind, ++this.#generation);
  }
}
