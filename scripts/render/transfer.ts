// How a transfer goes: a bar with rate and time left on a terminal, a line for each tenth in a pipe.
import type { Look } from './look.ts';

export interface Transfer {
  done: number;
  total: number;
  chunkBytes: number;
  repeats: number;
}

const BAR = 30;
const TENTHS = 10;
const REDRAW_MS = 100;
/** The rate is that of the last seconds: a pause at the beginning does not count for ever. */
const RATE_OVER_MS = 3000;

export const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;

export function timeLeft(seconds: number): string {
  if (!Number.isFinite(seconds)) return '--:--';
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

export class TransferView {
  readonly #look: Look;
  readonly #write: (text: string) => void;
  readonly #nowMs: () => number;
  #samples: { at: number; done: number }[] = [];
  #drawnAt = Number.NEGATIVE_INFINITY;
  #tenth = 0;
  #isDrawn = false;

  constructor(look: Look, write: (text: string) => void, nowMs: () => number) {
    this.#look = look;
    this.#write = write;
    this.#nowMs = nowMs;
  }

  show(transfer: Transfer): void {
    const now = this.#nowMs();
    this.#samples.push({ at: now, done: transfer.done });
    while (this.#samples.length > 2 && now - this.#samples[1]!.at > RATE_OVER_MS) this.#samples.shift();
    if (this.#look.live) {
      const isEnd = transfer.done === transfer.total;
      if (!isEnd && now - this.#drawnAt < REDRAW_MS) return;
      this.#drawnAt = now;
      this.#isDrawn = true;
      this.#write(`\r\x1b[K${this.line(transfer).slice(0, this.#look.columns() - 1)}`);
      return;
    }
    const tenth = Math.floor((transfer.done * TENTHS) / transfer.total);
    if (tenth <= this.#tenth) return;
    this.#tenth = tenth;
    this.#write(`${this.line(transfer)}\n`);
  }

  /** Another line follows: what is drawn stays above it. */
  end(): void {
    if (this.#isDrawn) this.#write('\n');
    this.#isDrawn = false;
  }

  line({ done, total, chunkBytes, repeats }: Transfer): string {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    const seconds = first === undefined || last === undefined ? 0 : (last.at - first.at) / 1000;
    const rate = seconds > 0 ? Math.max(0, (last?.done ?? 0) - (first?.done ?? 0)) / seconds : 0;
    const percent = `${Math.floor((done * 100) / total)}`.padStart(3);
    const [full, empty] = this.#look.unicode ? ['█', '░'] : ['#', '.'];
    const filled = Math.floor((done * BAR) / total);
    const bar = this.#look.live ? `${full.repeat(filled)}${empty.repeat(BAR - filled)} ` : '';
    const left = rate > 0 ? timeLeft((total - done) / rate) : '--:--';
    return (
      `${bar}${percent} %  ${kib(done)} of ${kib(total)}  ${rate > 0 ? `${kib(rate)}/s` : '-'}  ${left} left` +
      `  chunks of ${chunkBytes}${repeats > 0 ? `, ${repeats} again` : ''}`
    );
  }
}
