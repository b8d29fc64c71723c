// QEMU's dump-guest-memory of the same bytes: a guest that never runs, its RAM the image itself.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync, statSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { hostNanoseconds } from '../../host-clock.ts';
import { hostTurn } from '../../host-turn.ts';
import type { Timed } from './timed.ts';
import { processSeconds } from './stopwatch.ts';

const PROGRAM = 'qemu-system-x86_64';
const START_NS = 60e9;

export class Qemu {
  readonly #child: ChildProcess;
  #socket: Socket | null = null;
  #text = '';
  #replies: Record<string, unknown>[] = [];
  #wake: () => void = () => {};
  readonly #path: string;

  /** RAM of `bytes` bytes is `image`; `more`: other options, by default the guest does not run. */
  constructor(folder: string, image: string, bytes: number, more: readonly string[] = ['-S'], share = false) {
    this.#path = join(folder, 'qmp');
    const memory = `memory-backend-file,id=ram,size=${bytes},mem-path=${image},share=${share ? 'on' : 'off'},prealloc=on`;
    const options = ['-machine', 'pc,memory-backend=ram', '-object', memory, '-m', `${bytes / 2 ** 20}M`];
    this.#child = spawn(
      PROGRAM,
      [...options, '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none', ...more].concat([
        '-qmp',
        `unix:${this.#path},server=on,wait=off`,
      ]),
      { stdio: 'ignore' },
    );
    this.#child.on('exit', () => this.#wake());
  }

  /** Connected, and past the greeting. */
  async started(): Promise<this> {
    const began = hostNanoseconds();
    while (!existsSync(this.#path)) {
      if (this.#child.exitCode !== null || Number(hostNanoseconds() - began) > START_NS)
        throw new Error(`${PROGRAM} did not start`);
      await hostTurn();
    }
    const socket = connect(this.#path);
    this.#socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => this.#received(text));
    socket.on('error', () => this.#wake());
    await this.#until((reply) => 'QMP' in reply);
    await this.command('qmp_capabilities', {});
    return this;
  }

  #received(text: string): void {
    this.#text += text;
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n')) {
      const line = this.#text.slice(0, end).trim();
      this.#text = this.#text.slice(end + 1);
      if (line !== '') this.#replies.push(JSON.parse(line) as Record<string, unknown>);
    }
    this.#wake();
  }

  async #until(wanted: (reply: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (;;) {
      while (this.#replies.length > 0) {
        const reply = this.#replies.shift()!;
        if (wanted(reply)) return reply;
      }
      if (this.#child.exitCode !== null) throw new Error(`${PROGRAM} has ended`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async command(execute: string, args: object): Promise<void> {
    this.#socket!.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    const reply = await this.#until((each) => 'return' in each || 'error' in each);
    if ('error' in reply) throw new Error(`${execute}: ${JSON.stringify(reply['error'])}`);
  }

  /** CPU time of all of QEMU, which does nothing else. */
  async dump(to: string, format: 'elf' | 'kdump-zlib'): Promise<Timed> {
    const pid = this.#child.pid!;
    const cpu = processSeconds(pid) ?? 0;
    const wall = hostNanoseconds();
    await this.command('dump-guest-memory', { paging: false, protocol: `file:${to}`, format });
    const used = (processSeconds(pid) ?? 0) - cpu;
    const elapsed = Number(hostNanoseconds() - wall) / 1e9;
    const count = statSync(to).size;
    rmSync(to);
    return { wall: elapsed, cpu: used, busy: used, count };
  }

  async quit(): Promise<void> {
    if (this.#child.exitCode === null) {
      const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
      this.#socket?.write('{"execute":"quit"}\n');
      if (this.#socket === null) this.#child.kill();
      await gone;
    }
    this.#socket?.destroy();
  }
}
