/**
 * The firmware image an emulated board runs: a WebAssembly module, checked for the imports and exports of the contract
 * before anything starts, with its build id and its symbols.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { TraceMap, originalPositionFor } from '@jridgewell/trace-mapping';
import { EXIT_BAD_FIRMWARE, InputError } from '../input-error.ts';

/** What a board gives firmware; firmware/board.ts declares the same. */
const DEVICES: Readonly<Record<string, readonly string[]>> = {
  env: ['memory'],
  hba: ['configure', 'doorbell', 'poll', 'reset'],
  irq: ['mask', 'unmask'],
  ecc: ['next'],
  random: ['word'],
  timer: ['now_lo', 'now_hi', 'utc', 'work'],
  watchdog: ['feed'],
  interconnect: ['send', 'receive'],
  nvram: ['read', 'write'],
  uart: ['write', 'read'],
  reset: ['halt', 'reboot'],
  port: ['configure', 'poll', 'release', 'fetch', 'reply', 'claim'],
  trace: ['event'],
};
const EXPORTS = ['start', 'boot_board', 'cycle', 'interrupt', 'nmi', 'place_address', 'build_address'];

/** And what firmware for two CPUs exports for the second one. */
const SECOND_EXPORTS = ['second_begin', 'second'];

export interface FirmwareExports {
  start(): void;
  boot_board(periodUs: number): void;
  cycle(): number;
  interrupt(lines: number): void;
  nmi(reason: number, pc: number, address: number): void;
  place_address(): number;
  build_address(): number;
}

export class Firmware {
  readonly module: WebAssembly.Module;
  /** First 16 hexadecimal digits of the SHA-256 of the image. */
  readonly build: string;
  /** CPUs that it runs on: two share the board's RAM. */
  readonly cpus: 1 | 2;
  #path: string;
  #symbols: TraceMap | null | undefined;

  /** `contents`: where it is not in a file; `path` then only names it. */
  constructor(path: string, contents?: Uint8Array) {
    this.#path = path;
    let image: Uint8Array<ArrayBuffer>;
    try {
      image = new Uint8Array(contents ?? readFileSync(path));
    } catch {
      throw new InputError(`${path}: cannot be read; build it with npm run build`, EXIT_BAD_FIRMWARE);
    }
    try {
      this.module = new WebAssembly.Module(image);
    } catch (error) {
      throw new InputError(
        `${path}: is no WebAssembly module: ${(error as Error).message}`,
        EXIT_BAD_FIRMWARE,
      );
    }
    const imports = WebAssembly.Module.imports(this.module);
    for (const { module, name, kind } of imports) {
      const known = DEVICES[module]?.includes(name) === true;
      if (!known || kind !== (module === 'env' ? 'memory' : 'function')) {
        throw new InputError(
          `${path}: imports ${kind} ${module}.${name}, which no board has; known devices: ${Object.keys(DEVICES).join(', ')}`,
          EXIT_BAD_FIRMWARE,
        );
      }
    }
    if (!imports.some(({ module }) => module === 'env')) {
      throw new InputError(
        `${path}: has a memory of its own; its memory must be the board's RAM, env.memory`,
        EXIT_BAD_FIRMWARE,
      );
    }
    const exported = new Set(
      WebAssembly.Module.exports(this.module).flatMap(({ name, kind }) =>
        kind === 'function' ? [name] : [],
      ),
    );
    const missing = EXPORTS.filter((name) => !exported.has(name));
    if (missing.length > 0) {
      throw new InputError(
        `${path}: does not export ${missing.join(', ')}; it is no firmware for these boards`,
        EXIT_BAD_FIRMWARE,
      );
    }
    this.cpus = SECOND_EXPORTS.every((name) => exported.has(name)) ? 2 : 1;
    this.build = createHash('sha256').update(image).digest('hex').slice(0, 16);
  }

  /** A new life of it, in the memory that `imports` gives. */
  instantiate(imports: WebAssembly.Imports): FirmwareExports {
    try {
      return new WebAssembly.Instance(this.module, imports).exports as unknown as FirmwareExports;
    } catch (error) {
      throw new InputError(
        `${this.#path}: does not fit this board: ${(error as Error).message}`,
        EXIT_BAD_FIRMWARE,
      );
    }
  }

  /** "file:line:column" of a code offset, null without symbols. */
  place(offset: number): string | null {
    if (this.#symbols === undefined) {
      const path = `${this.#path}.map`;
      this.#symbols = existsSync(path) ? readSymbols(path) : null;
    }
    if (this.#symbols === null) return null;
    const at = originalPositionFor(this.#symbols, { line: 1, column: offset });
    return at.source === null
      ? null
      : `${at.source.replace(/^(\.{1,2}\/)+/, '')}:${at.line}:${at.column + 1}`;
  }
}

/** asc names sources from the top folder, and puts a root before them that is none. */
function readSymbols(path: string): TraceMap {
  const map = JSON.parse(readFileSync(path, 'utf8')) as ConstructorParameters<typeof TraceMap>[0] & {
    sourceRoot?: string;
  };
  delete map.sourceRoot;
  return new TraceMap(map);
}

/**
 * Code offset of the fault from an error's stack, 0 without one: of the innermost wasm frame; where the stack overflowed
 * that one has not begun, and its caller has the place.
 */
export function faultOffset(error: Error): number {
  const frames = [...(error.stack ?? '').matchAll(/wasm-function\[\d+\]:0x([0-9a-f]+)/g)];
  const frame = error instanceof RangeError ? (frames[1] ?? frames[0]) : frames[0];
  return frame === undefined ? 0 : Number.parseInt(frame[1]!, 16);
}
