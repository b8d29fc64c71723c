/** A pair of PTYs that socat joins, with the emulated board on one end; whoever wants the board opens the other. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KIND_EMULATED } from '../firmware/bootloader/layout.ts';
import { realHost } from '../boards/host.ts';
import { ignore } from '../boards/serial/end.ts';
import { openPort } from '../boards/serial/port.ts';
import { KEY } from '../boards/serial/rig.test-helper.ts';
import { provision } from '../boards/serial/rig/factory.ts';
import { NorFlash } from '../boards/serial/rig/flash.ts';
import { RigOnPort } from '../boards/serial/rig/on-port.test-helper.ts';
import type { FlashRig, Running } from '../boards/serial/rig/rig.ts';
import { ROOT } from './repository.ts';

export const host = realHost(true);
export const pause = (ms: number): Promise<void> => new Promise((resolve) => void host.after(ms, resolve));

/** Waits for what must come; a test that it does not come for ends by its own time-out. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(5);
}

/** What this process started and would leave behind. */
const mine = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of mine) child.kill('SIGKILL');
});

const end = (link: string): string => `pty,raw,echo=0,link=${link}`;

export class PtyBoard {
  readonly path: string;
  readonly flash = new NorFlash();
  running: Running | null = null;
  readonly #board: RigOnPort;
  #folder: string;
  #far: string;
  #socat: ChildProcess | null = null;

  private constructor(recovery: boolean) {
    this.#folder = mkdtempSync(join(tmpdir(), 'sparecore-pty-'));
    this.path = join(this.#folder, 'host');
    this.#far = join(this.#folder, 'board');
    provision(this.flash, KIND_EMULATED, KEY);
    this.#board = new RigOnPort({
      host,
      flash: this.flash,
      recovery,
      onImage: (running) => {
        this.running = running;
        return { onData: ignore, stop: () => (this.running = null) };
      },
    });
  }

  get rig(): FlashRig {
    return this.#board.rig;
  }

  /** Bytes that came from the host. */
  get received(): number {
    return this.#board.received;
  }

  /** `recovery`: strapped to stay in its bootloader. */
  static async start(recovery = true): Promise<PtyBoard> {
    const made = new PtyBoard(recovery);
    await made.plug();
    made.rig.reset();
    return made;
  }

  async plug(): Promise<void> {
    this.#socat = spawn('socat', [end(this.path), end(this.#far)], { stdio: 'ignore' });
    mine.add(this.#socat);
    await until(() => existsSync(this.path) && existsSync(this.#far));
    this.#board.connect(await openPort({ path: this.#far, baud: 115200 }));
  }

  /** As a cable that is pulled: both ports are gone. */
  async pull(): Promise<void> {
    const socat = this.#socat!;
    const ended = new Promise((resolve) => socat.once('exit', resolve));
    socat.kill();
    await ended;
    await until(() => !this.#board.isConnected && !existsSync(this.path));
  }

  async end(): Promise<void> {
    await this.#board.close();
    this.#socat?.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** The command line in a process of its own, beside the board of this one. */
export function sparecore(args: readonly string[], onOut: (text: string) => void = ignore): Promise<Ended> {
  return program(process.execPath, [join(ROOT, 'build/js/scripts/sparecore.js'), ...args], onOut);
}

/** `onOut` gets all that was written so far, and a way to type, once. */
export function program(
  name: string,
  args: readonly string[],
  onOut: (text: string, type: (text: string) => void) => void = ignore,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, { cwd: ROOT, env, stdio: ['pipe', 'pipe', 'pipe'] });
    mine.add(child);
    let out = '';
    let err = '';
    child.stdout.on('data', (part: Buffer) => {
      out += part.toString();
      onOut(out, (text) => child.stdin.end(text));
    });
    child.stderr.on('data', (part: Buffer) => (err += part.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}
