/**
 * Virtual time: one queue of events ordered by (time, rank, sequence), so that a run depends on nothing but its scenario
 * and seed. Devices have rank 0; what looks at them has a higher one and comes last in a moment, so that it sees the
 * same whether it was scheduled long ago or just now.
 *
 * Events are data, not closures, so the queue can be saved. Time is counted in nanoseconds since power-on; whole numbers
 * below 2^53 are exact, which is 104 days.
 */
export type Handler = (kind: number, a: number, b: number) => void;

export const US = 1_000;
export const MS = 1_000_000;
export const SECOND = 1_000_000_000;

export interface ClockState {
  now: number;
  sequence: number;
  times: number[];
  sequences: number[];
  events: [component: number, kind: number, a: number, b: number][];
}

export class Clock {
  now = 0;
  #sequence = 0;
  #handlers: Handler[] = [];
  #ranks: number[] = [];
  // A binary heap in parallel arrays: an entry is a slot number, ordered as above.
  #heap: number[] = [];
  #time: number[] = [];
  #order: number[] = [];
  #component: number[] = [];
  #kind: number[] = [];
  #a: number[] = [];
  #b: number[] = [];
  #free: number[] = [];

  /** Registers who handles events; components register in a fixed order, so their numbers are the same in each run. */
  register(handler: Handler, rank = 0): number {
    this.#handlers.push(handler);
    this.#ranks.push(rank);
    return this.#handlers.length - 1;
  }

  at(time: number, component: number, kind: number, a = 0, b = 0): void {
    const slot = this.#free.pop() ?? this.#time.length;
    this.#time[slot] = time < this.now ? this.now : time;
    this.#order[slot] = this.#sequence++;
    this.#component[slot] = component;
    this.#kind[slot] = kind;
    this.#a[slot] = a;
    this.#b[slot] = b;
    this.#up(slot);
  }

  after(delta: number, component: number, kind: number, a = 0, b = 0): void {
    this.at(this.now + delta, component, kind, a, b);
  }

  /** Time of the next event, Infinity without one. */
  get next(): number {
    const slot = this.#heap[0];
    return slot === undefined ? Infinity : this.#time[slot]!;
  }

  /** Runs the next event. */
  step(): boolean {
    const slot = this.#heap[0];
    if (slot === undefined) return false;
    this.#pop();
    this.now = this.#time[slot]!;
    this.#free.push(slot);
    this.#handlers[this.#component[slot]!]!(this.#kind[slot]!, this.#a[slot]!, this.#b[slot]!);
    return true;
  }

  /** Runs all events up to and at `time`; the clock then shows `time`. */
  runUntil(time: number): void {
    while (this.next <= time) this.step();
    this.now = time;
  }

  save(): ClockState {
    const slots = this.#heap.toSorted((x, y) => (this.#before(x, y) ? -1 : 1));
    return {
      now: this.now,
      sequence: this.#sequence,
      times: slots.map((slot) => this.#time[slot]!),
      sequences: slots.map((slot) => this.#order[slot]!),
      events: slots.map((slot) => [
        this.#component[slot]!,
        this.#kind[slot]!,
        this.#a[slot]!,
        this.#b[slot]!,
      ]),
    };
  }

  restore(state: ClockState): void {
    this.#heap = [];
    this.#free = [];
    this.#time = [];
    this.now = 0;
    state.events.forEach(([component, kind, a, b], i) => {
      this.#sequence = state.sequences[i]!;
      this.at(state.times[i]!, component, kind, a, b);
    });
    this.now = state.now;
    this.#sequence = state.sequence;
  }

  #before(x: number, y: number): boolean {
    const dt = this.#time[x]! - this.#time[y]!;
    if (dt !== 0) return dt < 0;
    const dr = this.#ranks[this.#component[x]!]! - this.#ranks[this.#component[y]!]!;
    return dr < 0 || (dr === 0 && this.#order[x]! < this.#order[y]!);
  }

  #up(slot: number): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(slot);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#before(slot, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = slot;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    const size = heap.length;
    if (size === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#before(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#before(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}
