/** A host whose time passes when the test says so. */
import type { Host, Timer } from './host.ts';

const MS = 1_000_000;

export class FakeHost implements Host {
  #now = 0;
  #timers: { at: number; call: () => void; sequence: number }[] = [];
  #soon: (() => void)[] = [];
  #sequence = 0;
  #state = 0x9e3779b9;

  now(): number {
    return this.#now;
  }

  utc(): number {
    return 1_767_225_600 + Math.floor(this.#now / 1e9);
  }

  after(ms: number, call: () => void): Timer {
    const entry = { at: this.#now + ms * MS, call, sequence: this.#sequence++ };
    this.#timers.push(entry);
    return { cancel: () => void (this.#timers = this.#timers.filter((each) => each !== entry)) };
  }

  soon(call: () => void): void {
    this.#soon.push(call);
  }

  /** The same bytes in every run. */
  random(bytes: number): Uint8Array {
    return Uint8Array.from({ length: bytes }, () => {
      this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
      return this.#state >>> 24;
    });
  }

  /** Work takes this long, in nanoseconds. */
  spend(ns: number): void {
    this.#now += ns;
  }

  /** Lets time pass, and everything happen that falls into it. */
  pass(ns: number): void {
    const end = this.#now + ns;
    for (;;) {
      const due = this.#soon;
      this.#soon = [];
      for (const call of due) call();
      const next = this.#timers.toSorted((x, y) => x.at - y.at || x.sequence - y.sequence)[0];
      if (next === undefined || next.at > end) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
    }
    this.#now = Math.max(this.#now, end);
  }
}
