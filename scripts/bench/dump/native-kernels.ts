// The native helper as one process that takes turns with what is measured: noise of the machine hits both alike.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { type Interface, createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { type Timed, timedOf } from './timed.ts';

export type Kernel = 'crc' | 'zero' | 'lz4';

export class NativeKernels {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;
  readonly #hasLz4: boolean;

  constructor(program: string, image: string, offset: number, bytes: number, hasLz4: boolean) {
    this.#hasLz4 = hasLz4;
    this.#child = spawn(program, ['kernels', image, String(offset), String(bytes)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#child.stdout });
  }

  has(what: Kernel): boolean {
    return what !== 'lz4' || this.#hasLz4;
  }

  /** `passes` times over its memory. */
  time(what: Kernel, passes: number): Promise<Timed> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error(`the native helper ended while it measured ${what}`));
      this.#lines.once('close', ended);
      this.#lines.once('line', (line) => {
        this.#lines.off('close', ended);
        resolve(timedOf(line));
      });
      this.#child.stdin.write(`${what} ${passes}\n`);
    });
  }

  close(): void {
    this.#child.stdin.end();
  }
}
