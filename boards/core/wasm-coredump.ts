/**
 * A core in the WebAssembly form: custom sections for process, module, instance and stack, and the memory as active data
 * segments. A segment is a run of memory that is there; of what is missing there is none, and a section of our own
 * says why.
 *
 * [coredump] WebAssembly tool-conventions, Coredump.md
 * [wasm] WebAssembly core 2.0: 5.2.2 integers, 5.5.3 custom section, 5.5.8 memory section, 5.5.14 data section
 */
import { CHUNK_BYTES, CODEC_ZERO } from '../../asm/layout.ts';
import { coverageOf, survey } from './elf-writer.ts';
import { isMissing, pageRuns } from './memory-source.ts';
import type { MemorySource } from './memory-source.ts';
import type { CodeRange } from './wasm-code.ts';

const [CUSTOM, MEMORY, DATA] = [0, 5, 11];
const I32_CONST = 0x41;
const END = 0x0b;
/** A run longer than this is more segments, so that it can be put out in pieces. */
const SEGMENT_MAX = 16 * CHUNK_BYTES;

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...out, rest];
    out.push((rest % 128) | 0x80);
  }
}

/** Signed LEB128 of an address as an i32. */
export function signed(value: number): number[] {
  const out: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    const byte = rest & 0x7f;
    const last = (rest >> 7 === 0 && (byte & 0x40) === 0) || (rest >> 7 === -1 && (byte & 0x40) !== 0);
    out.push(last ? byte : byte | 0x80);
    if (last) return out;
  }
}

const text = (value: string): number[] => {
  const bytes = new TextEncoder().encode(value);
  return [...unsigned(bytes.length), ...bytes];
};

const section = (id: number, content: readonly number[]): Uint8Array =>
  Uint8Array.from([id, ...unsigned(content.length), ...content]);

const custom = (name: string, content: readonly number[]): Uint8Array =>
  section(CUSTOM, [...text(name), ...content]);

/** Puts the core out from its first byte to its last. `where` is the function of the fault, when it is known. */
export async function writeWasmCoredump(
  source: MemorySource,
  where: CodeRange | null,
  put: (bytes: Uint8Array) => void,
): Promise<Uint8Array> {
  const map = await survey(source);
  const { pc } = await source.registers();
  put(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  put(custom('core', [0, ...text('firmware.wasm')]));
  put(custom('coremodules', [1, 0, ...text('firmware.wasm')]));
  put(custom('coreinstances', [1, 0, 0, 1, 0, 0])); // module 0, memory 0, no globals
  const frame = where === null ? [] : [0, 0, ...unsigned(where.index), ...unsigned(pc - where.from), 0, 0];
  put(custom('corestack', [0, ...text('board'), where === null ? 0 : 1, ...frame]));
  put(custom('sparecore-coverage', [...coverageOf(source, map)]));
  put(section(MEMORY, [1, 1, ...unsigned(map.length), ...unsigned(map.length)]));
  await putData(source, map, put);
  return map;
}

async function putData(
  source: MemorySource,
  map: Uint8Array,
  put: (bytes: Uint8Array) => void,
): Promise<void> {
  const segments = segmentsOf(source, map);
  const heads = segments.map(({ address, bytes }) =>
    Uint8Array.from([0, I32_CONST, ...signed(address), END, ...unsigned(bytes)]),
  );
  const count = unsigned(segments.length);
  const all = segments.reduce((sum, { bytes }, i) => sum + heads[i]!.length + bytes, count.length);
  put(Uint8Array.from([DATA, ...unsigned(all), ...count]));
  for (const [i, { address, bytes }] of segments.entries()) {
    put(heads[i]!);
    for (const piece of await source.read(address, bytes)) put(piece.content!);
  }
}

/** A zero chunk needs no segment: what no segment covers is zero, as the coverage says. */
function segmentsOf({ poisoned }: MemorySource, map: Uint8Array): { address: number; bytes: number }[] {
  const segments: { address: number; bytes: number }[] = [];
  for (const [chunk, state] of map.entries()) {
    if (isMissing(state) || state === CODEC_ZERO) continue;
    for (const { offset, bytes, isPoisoned } of pageRuns(poisoned.get(chunk) ?? 0)) {
      if (isPoisoned) continue;
      const address = chunk * CHUNK_BYTES + offset;
      const last = segments.at(-1);
      const fits = last && last.address + last.bytes === address && last.bytes + bytes <= SEGMENT_MAX;
      if (fits) last.bytes += bytes;
      else segments.push({ address, bytes });
    }
  }
  return segments;
}
