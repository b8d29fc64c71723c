import { TRANSFER_BYTES_MAX } from '../shelf/server.ts';

/** How much of everything one server gives to whoever connects. */
export interface Limits {
  /** Connections at one portal, and sessions of both. */
  connections: number;
  sessions: number;
  /** CmdSN window of a session, RFC 7143 4.2.2.1. */
  commands: number;
  /** Immediate commands of a session that may be under way. */
  immediates: number;
  /** Data of a write that is collected, and of a read that is given out, at most: no less than a unit takes. */
  commandBytes: number;
  /** Bytes that all sessions together may have waiting. */
  bufferedBytes: number;
  /** So much may wait for a slow reader before nothing more is read from it. */
  queuedBytes: number;
  loginMs: number;
  /** Silence after which a NOP-In asks whether anybody is there, and the time for the answer. */
  pingMs: number;
  pingAnswerMs: number;
  /** Time to log out in when the server closes. */
  logoutMs: number;
}

export const LIMITS: Limits = {
  connections: 64,
  sessions: 60,
  commands: 128,
  immediates: 32,
  commandBytes: TRANSFER_BYTES_MAX,
  bufferedBytes: 256 << 20,
  queuedBytes: 1 << 20,
  loginMs: 15_000,
  pingMs: 30_000,
  pingAnswerMs: 15_000,
  logoutMs: 2_000,
};

/** Bytes that wait somewhere, of all sessions. */
export class Budget {
  readonly #max: number;
  used = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** True if so many could be taken now. */
  has(bytes: number): boolean {
    return this.used + bytes <= this.#max;
  }

  take(bytes: number): boolean {
    if (!this.has(bytes)) return false;
    this.used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }
}
