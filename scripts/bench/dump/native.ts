// The native references: a small program compiled here, and programs that are installed. What is missing is told.
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { whyNot } from './program.ts';
import { NativeKernels } from './native-kernels.ts';
import { NATIVE_C } from './native-source.ts';
import { type Timed, timedOf } from './timed.ts';

export interface Missing {
  name: string;
  reason: string;
}

const CHECK = '3808858755'; // CRC32C of "123456789", RFC 7143 appendix A

export class Native {
  readonly missing: Missing[] = [];
  readonly #program: string | null;
  readonly #hasLz4: boolean;

  /** Compiles in `folder`, where its program stays as long as the folder does. */
  constructor(folder: string) {
    const source = join(folder, 'native.c');
    const program = join(folder, 'native');
    const compile = (extra: readonly string[]): string | null => {
      const options = ['-O2', '-mavx2', '-msse4.2', '-w', '-o', program, source, ...extra];
      const { status, stderr } = spawnSync('gcc', options, { encoding: 'utf8' });
      return status === 0
        ? null
        : (stderr.split('\n').find((line) => /error|cannot/.test(line)) ?? 'it failed');
    };
    writeFileSync(source, NATIVE_C);
    let reason = whyNot('gcc');
    const noLz4 = reason ?? compile(['-DWITH_LZ4', '-llz4']);
    if (reason === null && noLz4 !== null) reason = compile([]);
    if (reason === null && this.#says(program, ['check', source, '0', '1']) !== CHECK)
      reason = 'this CPU has no AVX2 or SSE4.2';
    this.#program = reason === null ? program : null;
    this.#hasLz4 = noLz4 === null && reason === null;
    const helpers = 'memcpy, pwrite, hardware CRC32C, AVX2 zero scan';
    if (reason !== null) this.missing.push({ name: helpers, reason });
    if (!this.#hasLz4) this.missing.push({ name: 'liblz4', reason: noLz4 ?? reason ?? 'unknown' });
    for (const name of ['lz4', 'zstd']) {
      const absent = whyNot(name);
      if (absent !== null) this.missing.push({ name: `${name} -1`, reason: absent });
    }
  }

  #says(program: string, args: readonly string[]): string {
    return spawnSync(program, args, { encoding: 'utf8' }).stdout?.trim() ?? '';
  }

  #times(args: readonly string[]): Timed {
    return timedOf(execFileSync(this.#program!, args, { encoding: 'utf8' }));
  }

  /** Kernels of the helper on `bytes` bytes of `image` from `offset` on, one after another; null where it is missing. */
  kernels(image: string, offset: number, bytes: number): NativeKernels | null {
    if (this.#program === null) return null;
    return new NativeKernels(this.#program, image, offset, bytes, this.#hasLz4);
  }

  /** An operation of the helper on `bytes` bytes of `image` from `offset` on; null where it is missing. */
  time(what: string, image: string, offset: number, bytes: number, ...more: readonly string[]): Timed | null {
    if (this.#program === null) return null;
    return this.#times([what, image, String(offset), String(bytes), ...more]);
  }

  /** An installed program; null where it is missing. */
  run(program: string, ...args: readonly string[]): Timed | null {
    if (this.#program === null || whyNot(program) !== null) return null;
    return this.#times(['run', program, ...args]);
  }
}
