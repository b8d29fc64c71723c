// A few lines at the bottom of the terminal that are drawn again and again; steps scroll by above them.
import type { Progress } from '../../boards/result.ts';
import { bar, bytes, count, fit, seconds } from './format.ts';
import { type Look, paint } from './look.ts';
import { stepLines } from './steps.ts';

const REDRAW_NS = 50_000_000n; // 20 a second
const CHUNK_BYTES = 65536;

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';

/** What the view writes to, and what it asks for the time; both stand still in tests. */
export interface LiveHost {
  write: (text: string) => void;
  now: () => bigint;
}

export class LiveView {
  readonly #look: Look;
  readonly #host: LiveHost;
  #drawn = 0;
  #drawnAt: bigint | null = null;
  #steps: string[] = [];
  #last: Progress | null = null;

  constructor(look: Look, host: LiveHost) {
    this.#look = look;
    this.#host = host;
  }

  update(progress: Progress): void {
    this.#steps.push(...progress.log);
    this.#last = progress;
    const now = this.#host.now();
    if (this.#drawnAt !== null && now - this.#drawnAt < REDRAW_NS) return;
    this.#drawnAt = now;
    this.#draw(this.#lines(progress));
  }

  /** Leaves the steps, takes the view away. */
  close(): void {
    if (this.#last === null) return;
    this.#draw([]);
    this.#host.write(SHOW_CURSOR);
    this.#last = null;
  }

  #draw(lines: readonly string[]): void {
    const up = this.#drawn === 0 ? HIDE_CURSOR : `\x1b[${this.#drawn}A\r`;
    const width = this.#look.columns() - 1;
    const steps = stepLines(this.#look, this.#steps, width);
    this.#host.write(`${up}\x1b[J${[...steps, ...lines].map((line) => `${line}\n`).join('')}`);
    this.#steps = [];
    this.#drawn = lines.length;
  }

  #lines(progress: Progress): string[] {
    const look = this.#look;
    const width = look.columns() - 1;
    const lines: string[] = [];
    const states = Math.max(...progress.boards.map(({ state }) => state.length));
    for (const { name, state, serving, doing } of progress.boards) {
      const text = `board ${name}  ${state.padEnd(states)}  ${String(serving).padStart(2)} volumes  ${doing}`;
      lines.push(paint(look, colorOf(state), fit(text, width)));
    }
    lines.push(fit(dumpLine(look, progress, width), width));
    const share = progress.end_s > 0 ? progress.now_s / progress.end_s : 0;
    const clock = `time     ${seconds(progress.now_s).padStart(8)} of ${seconds(progress.end_s)}`;
    lines.push(
      fit(`${clock}  ${bar(look, share, Math.max(0, Math.min(30, width - clock.length - 2)))}`, width),
    );
    const { writes_acked: writes, reads, waiting } = progress.clients;
    lines.push(
      fit(`clients  ${count(writes)} writes  ${count(reads)} reads  ${count(waiting)} waiting`, width),
    );
    const rows = look.rows();
    return rows > 0 && lines.length >= rows ? lines.slice(0, Math.max(0, rows - 2)) : lines;
  }
}

function dumpLine(look: Look, { dump }: Progress, width: number): string {
  if (dump === null) return 'dump     none';
  const share = dump.total > 0 ? dump.done / dump.total : 0;
  const text = `${bytes(dump.done * CHUNK_BYTES)} of ${bytes(dump.total * CHUNK_BYTES)} to ${dump.disk}  ${dump.attribute}`;
  const room = Math.max(0, Math.min(30, width - 'dump     '.length - text.length - 8));
  return `dump     ${bar(look, share, room)} ${(share * 100).toFixed(0).padStart(3)} %  ${text}`;
}

function colorOf(state: string): 'green' | 'red' | 'yellow' | 'cyan' {
  if (/panic|dump|fenced|power|off|halt/i.test(state)) return 'red';
  if (/taking|taken|takeover/i.test(state)) return 'cyan';
  if (/boot|wait|post/i.test(state)) return 'yellow';
  return 'green';
}
