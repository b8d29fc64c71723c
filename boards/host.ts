/**
 * The host's time, timers and randomness, for what faces the real world: a shelf that real initiators attach to. A run
 * that a seed governs never gets one. Whoever needs it is given it, so that a test can give a host of its own.
 */
import { randomBytes } from 'node:crypto';

export interface Timer {
  cancel(): void;
}

export interface Host {
  /** Monotonic, in nanoseconds; whole numbers below 2^53 are exact, which is 104 days from the start. */
  now(): number;
  /** Seconds since 1970. */
  utc(): number;
  /** Calls once, `ms` milliseconds from now. It does not keep the process alive, unless the host is said to. */
  after(ms: number, call: () => void): Timer;
  /** Calls when the host has looked for input and output once. */
  soon(call: () => void): void;
  /** Unpredictable bytes. */
  random(bytes: number): Uint8Array;
}

/** `holds`: its timers keep the process alive, for who has nothing else that does. */
export function realHost(holds = false): Host {
  const start = process.hrtime.bigint();
  return {
    now: () => Number(process.hrtime.bigint() - start),
    utc: () => Math.floor(Date.now() / 1000),
    after: (ms, call) => {
      const timer = setTimeout(call, ms);
      if (!holds) timer.unref();
      return { cancel: () => clearTimeout(timer) };
    },
    soon: (call) => void setImmediate(call),
    random: (bytes) => randomBytes(bytes),
  };
}
