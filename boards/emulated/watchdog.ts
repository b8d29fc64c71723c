/** The watchdog: not fed in time, it bites. Armed by its first feeding. */
import { type Clock, MS } from '../clock.ts';

export class Watchdog {
  onBite: () => void = () => {};
  #clock: Clock;
  #component: number;
  #deadline = Infinity;
  #lookAt = Infinity; // the event that counts; a later one is void

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#component = clock.register(() => this.#look());
  }

  feed(timeoutMs: number): void {
    this.#deadline = this.#clock.now + timeoutMs * MS;
    if (this.#lookAt > this.#deadline) this.#lookAtDeadline();
  }

  stop(): void {
    this.#deadline = Infinity;
  }

  #lookAtDeadline(): void {
    this.#lookAt = this.#deadline;
    this.#clock.at(this.#deadline, this.#component, 0);
  }

  #look(): void {
    if (this.#clock.now !== this.#lookAt) return;
    this.#lookAt = Infinity;
    if (this.#deadline === Infinity) return;
    if (this.#clock.now < this.#deadline) return this.#lookAtDeadline();
    this.#deadline = Infinity;
    this.onBite();
  }
}
