/** The watchdog: not fed in time, it bites. Armed by its first feeding. */
import { type Clock, MS } from '../clock.ts';

export class Watchdog {
  onBite: () => void = () => {};
  #clock: Clock;
  #component: number;
  #deadline = Infinity;
  #armed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#component = clock.register(() => this.#look());
  }

  feed(timeoutMs: number): void {
    this.#deadline = this.#clock.now + timeoutMs * MS;
    if (this.#armed) return;
    this.#armed = true;
    this.#clock.at(this.#deadline, this.#component, 0);
  }

  stop(): void {
    this.#deadline = Infinity;
  }

  #look(): void {
    this.#armed = false;
    if (this.#deadline === Infinity) return;
    if (this.#clock.now < this.#deadline) {
      this.#armed = true;
      this.#clock.at(this.#deadline, this.#component, 0);
      return;
    }
    this.#deadline = Infinity;
    this.onBite();
  }
}
