/** A pair that `sparecore serve` runs, in a process of its own, on any free ports. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ShelfPort } from '../boards/serving.ts';
import type { Status } from '../boards/status.ts';
import { ROOT } from './repository.ts';

export interface ServedEvent {
  event: string;
  at_s: number;
  board?: 'a' | 'b';
  name?: string;
  text?: string;
}

const COMMAND = ['build/js/scripts/sparecore.js'];
const ANY_PORTS = ['--portal-a', '127.0.0.1:0', '--portal-b', '127.0.0.1:0'];

export class Served {
  readonly shelf: readonly ShelfPort[];
  readonly control: string;
  readonly events: readonly ServedEvent[];
  readonly #child: ChildProcess;
  #errors = '';
  #changed: () => void = () => {};

  private constructor(
    child: ChildProcess,
    ready: { shelf: ShelfPort[]; control: string },
    events: ServedEvent[],
  ) {
    this.events = events;
    this.#child = child;
    this.shelf = ready.shelf;
    this.control = ready.control;
  }

  static start(scenario: string, ...options: string[]): Promise<Served> {
    const child = spawn(
      process.execPath,
      [...COMMAND, 'serve', scenario, '--json', ...ANY_PORTS, ...options],
      { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    process.once('exit', () => child.kill('SIGKILL'));
    let errors = '';
    child.stderr.on('data', (part: Buffer) => (errors += part.toString()));
    return new Promise((resolve, reject) => {
      const made: Served[] = [];
      const events: ServedEvent[] = [];
      child.on('exit', (code) => {
        reject(new Error(`serve ended with ${code}: ${errors}`));
        for (const each of made) each.#ended(errors);
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        const told = JSON.parse(line) as { ready?: true } & ServedEvent;
        if (told.ready === true) {
          const served = new Served(
            child,
            told as unknown as { shelf: ShelfPort[]; control: string },
            events,
          );
          made.push(served);
          resolve(served);
        } else events.push(told);
        for (const each of made) each.#changed();
      });
    });
  }

  #ended(errors: string): void {
    this.#errors = errors;
    this.#changed();
  }

  /** LUN of a disk. */
  lun(disk: string): number {
    const found = this.shelf[0]!.luns.find((each) => each.disk === disk);
    if (found === undefined) throw new Error(`no disk ${disk}`);
    return found.lun;
  }

  /** As libiscsi and QEMU name it. */
  url(port: 'a' | 'b', disk: string): string {
    const { portal, target } = this.shelf[port === 'a' ? 0 : 1]!;
    return `iscsi://${portal}/${target}/${this.lun(disk)}`;
  }

  portal(port: 'a' | 'b'): string {
    return this.shelf[port === 'a' ? 0 : 1]!.portal;
  }

  /** What a script does: sparecore ctl. */
  ctl(order: string, ...options: string[]): { code: number; out: string; err: string } {
    const child = spawnSync(
      process.execPath,
      [...COMMAND, 'ctl', '--control', this.control, ...options, ...order.split(' ')],
      { cwd: ROOT, encoding: 'utf8' },
    );
    return { code: child.status ?? -1, out: child.stdout, err: child.stderr };
  }

  status(): Status {
    const { out } = this.ctl('status', '--json');
    return (JSON.parse(out) as { status: Status }).status;
  }

  /** Waits for an event of that name of that board (of any for null), the first at or after `from`. */
  async until(name: string, board: 'a' | 'b' | null = null, from = 0): Promise<ServedEvent> {
    for (;;) {
      const found = this.events
        .slice(from)
        .find((each) => (each.name ?? each.event) === name && (board === null || each.board === board));
      if (found !== undefined) return found;
      if (this.#hasEnded) throw new Error(`serve ended before ${name}: ${this.#errors}`);
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  /** Also by a signal. */
  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Ends it as a user does; the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.#hasEnded) return this.#child.exitCode;
    const exited = new Promise<number | null>((resolve) => this.#child.once('exit', resolve));
    this.#child.kill(signal);
    return exited;
  }

  get pid(): number {
    return this.#child.pid!;
  }
}
