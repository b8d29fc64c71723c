/**
 * The firmware image as a debugger sees it: its build id, and from an offset in its code the function and the line of
 * its source, which its source map carries.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { TraceMap, originalPositionFor } from '@jridgewell/trace-mapping';
import { EXIT_BAD_FIRMWARE, InputError } from '../input-error.ts';
import { codeOf } from './wasm-code.ts';
import type { CodeRange } from './wasm-code.ts';

export interface Place {
  file: string;
  line: number;
  column: number;
}

export class Symbols {
  readonly path: string;
  /** First 16 hexadecimal digits of the SHA-256 of the image, as the board notes it in its panic record. */
  readonly build: string;
  readonly #code: readonly CodeRange[];
  readonly #map: TraceMap | null;

  private constructor(path: string, image: Uint8Array, map: TraceMap | null) {
    this.path = path;
    this.build = createHash('sha256').update(image).digest('hex').slice(0, 16);
    this.#code = codeOf(image);
    this.#map = map;
  }

  /** Of an image that the user named: it must be there. */
  static load(path: string): Symbols {
    let image: Uint8Array;
    try {
      image = readFileSync(path);
    } catch (error) {
      throw new InputError(
        `${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`,
        EXIT_BAD_FIRMWARE,
      );
    }
    return new Symbols(path, image, mapOf(`${path}.map`));
  }

  /** Of the image that the build made; null without one. */
  static find(path: string): Symbols | null {
    return existsSync(path) ? Symbols.load(path) : null;
  }

  function(pc: number): CodeRange | null {
    return this.#code.find(({ from, to }) => pc >= from && pc < to) ?? null;
  }

  place(pc: number): Place | null {
    if (this.#map === null || pc === 0) return null;
    const at = originalPositionFor(this.#map, { line: 1, column: pc });
    return at.source === null ? null : { file: plain(at.source), line: at.line, column: at.column + 1 };
  }

  /** The lines of a source file; null when the map has not its text. */
  source(file: string): string[] | null {
    const at = this.#map?.sources.findIndex((source) => source !== null && plain(source) === file) ?? -1;
    return this.#map?.sourcesContent?.[at]?.split('\n') ?? null;
  }
}

const plain = (source: string): string => source.replace(/^(\.{1,2}\/)+/, '');

/** "file:line:column" or "file:line"; null for anything else. */
export function parsePlace(text: string): Place | null {
  const found = /^(.+?):(\d{1,7})(?::(\d{1,7}))?$/.exec(text);
  return found === null ? null : { file: found[1]!, line: Number(found[2]), column: Number(found[3] ?? 0) };
}

/** asc names sources from the top folder, and puts a root before them that is none. */
function mapOf(path: string): TraceMap | null {
  if (!existsSync(path)) return null;
  try {
    const map = JSON.parse(readFileSync(path, 'utf8')) as ConstructorParameters<typeof TraceMap>[0] & {
      sourceRoot?: string;
    };
    delete map.sourceRoot;
    return new TraceMap(map);
  } catch (error) {
    throw new InputError(
      `${path}: is no source map: ${(error as Error).message.split('\n')[0]}`,
      EXIT_BAD_FIRMWARE,
    );
  }
}
