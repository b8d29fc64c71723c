/** The interconnect between the boards: messages of at most 256 bytes, in order, with a latency; it can be cut. */
import type { Clock } from './clock.ts';

export interface Receiver {
  received(message: Uint8Array): void;
}

const ARRIVE = 1;

export class Interconnect {
  up = true;
  readonly ends: (Receiver | null)[] = [null, null];
  #clock: Clock;
  #component: number;
  #latency: number;
  #travelling = new Map<number, { to: number; message: Uint8Array }>();
  #next = 0;

  constructor(clock: Clock, latencyNs: number) {
    this.#clock = clock;
    this.#latency = latencyNs;
    this.#component = clock.register((_kind, id) => this.#arrive(id));
  }

  send(from: number, message: Uint8Array): void {
    if (!this.up) return;
    const id = this.#next++;
    this.#travelling.set(id, { to: from ^ 1, message });
    this.#clock.after(this.#latency, this.#component, ARRIVE, id);
  }

  #arrive(id: number): void {
    const { to, message } = this.#travelling.get(id)!;
    this.#travelling.delete(id);
    if (this.up) this.ends[to]?.received(message);
  }
}
