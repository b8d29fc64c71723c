/** A memory and the same memory as a dump image, for tests of what reads either. */
import { Dice } from './formats.test-helper.ts';
import * as L from '../../asm/layout.ts';
import * as F from '../../firmware/layout.ts';
import { BLOCKS, EPOCH, ImageWriter, SYSTEM, lost, raw, zero } from './image.test-helper.ts';
import type { Stored } from './image.test-helper.ts';
import { DumpImage } from './image.ts';
import { ImageSource } from './image-source.ts';
import { pageRuns, poisonedPages } from './memory-source.ts';
import type { MemorySource } from './memory-source.ts';

export const CHUNKS = 16;
export const BUILD = '0123456789abcdef';
export const PLACE = 'firmware/serve.ts';
export const LOG = '[    0.000100] boot epoch 5\n[    7.000000] ready\n';

/** 1 MiB with a panic record, a log, a trace, and noise in chunks 10 and 11. */
export function memoryOf(): Uint8Array {
  const memory = new Uint8Array(CHUNKS * L.CHUNK_BYTES);
  const view = new DataView(memory.buffer);
  const at = F.RECORD_AT;
  view.setUint32(at + F.RECORD_MAGIC_AT, F.RECORD_MAGIC, true);
  view.setUint32(at + F.RECORD_REASON_AT, L.PANIC_ASSERT, true);
  view.setBigUint64(at + F.RECORD_TIME_AT, 7_000_000n, true);
  view.setUint32(at + F.RECORD_PC_AT, 0x1234, true);
  view.setUint32(at + F.RECORD_LINE_AT, 42, true);
  view.setUint32(at + F.RECORD_COLUMN_AT, 7, true);
  view.setUint32(at + F.RECORD_EPOCH_AT, EPOCH, true);
  view.setUint32(at + F.RECORD_SYSTEM_AT, SYSTEM, true);
  view.setUint32(at + F.RECORD_UTC_AT, 1_700_000_000, true);
  view.setUint32(at + F.RECORD_PHASE_AT, F.PHASE_SERVE, true);
  view.setBigUint64(at + F.RECORD_MEMORY_AT, BigInt(memory.length), true);
  memory.set(Buffer.from(BUILD), at + F.RECORD_BUILD_AT);
  memory.set(Buffer.from(PLACE), at + F.RECORD_PLACE_AT);
  memory.set(Buffer.from('ring is full'), at + F.RECORD_TEXT_AT);
  view.setUint32(F.LOG_AT, LOG.length, true);
  memory.set(Buffer.from(LOG), F.LOG_AT + 16);
  view.setUint32(F.TRACE_AT, 2, true);
  for (const [i, code] of [F.EV_BOOT, F.EV_PANIC].entries()) {
    view.setBigUint64(F.TRACE_AT + 16 + i * 24, BigInt(100 + i), true);
    view.setUint32(F.TRACE_AT + 24 + i * 24, code, true);
    view.setUint32(F.TRACE_AT + 28 + i * 24, i + 1, true);
  }
  new Dice(3).roll(memory.subarray(10 * L.CHUNK_BYTES, 12 * L.CHUNK_BYTES));
  return memory;
}

export const chunkOf = (memory: Uint8Array, chunk: number): Uint8Array =>
  memory.subarray(chunk * L.CHUNK_BYTES, (chunk + 1) * L.CHUNK_BYTES);

/** A chunk as it is stored: zeros in the place of its poisoned pages. */
export function mended(content: Uint8Array, poison: number): Uint8Array {
  const out = content.slice();
  for (const { offset, bytes, isPoisoned } of pageRuns(poison))
    if (isPoisoned) out.fill(0, offset, offset + bytes);
  return out;
}

/** By importance, as the panic handler goes. */
export const ORDER = [4, 5, 6, 7, 8, 0, 1, 2, 3, 9, 10, 11, 12, 13, 14, 15];

export interface Cut {
  /** How many chunks of ORDER there are. */
  reached?: number;
  /** Chunks that could not be written. */
  lost?: readonly number[];
  /** Of a chunk the pages that could not be read, bit n for page n. */
  poisoned?: Readonly<Record<number, number>>;
  attribute?: number;
  abort?: number;
}

/** The image of a dump of `memory`, five chunks a block of its table. */
export function imageOf(memory: Uint8Array, cut: Cut = {}): ImageWriter {
  const { reached = CHUNKS, attribute = L.ATTRIBUTE_COMPLETED, abort = 0 } = cut;
  const writer = new ImageWriter();
  writer.label();
  const stored = ORDER.slice(0, reached).map((chunk): Stored => {
    if (cut.lost?.includes(chunk)) return lost(chunk);
    const poison = cut.poisoned?.[chunk] ?? 0;
    if (poison === L.CHUNK_POISONED) return lost(chunk, L.MISSING_POISONED);
    const content = mended(chunkOf(memory, chunk), poison);
    return { ...(content.every((byte) => byte === 0) ? zero(chunk) : raw(chunk, content)), poison };
  });
  for (let at = 0, index = 0; at < stored.length; at += 5, index++)
    writer.chunks(index, stored.slice(at, at + 5));
  const count = (codec: number): number => stored.filter((each) => each.codec === codec).length;
  const id = Buffer.from(BUILD);
  const fields = {
    [L.HEADER_ABORT_AT]: abort,
    [L.HEADER_TABLE_COUNT_AT]: Math.ceil(stored.length / 5),
    [L.HEADER_STORED_AT]: count(L.CODEC_RAW),
    [L.HEADER_ZERO_AT]: count(L.CODEC_ZERO),
    [L.HEADER_LOST_AT]: stored.filter(({ codec, reason }) => codec === L.CODEC_LOST && reason === 0).length,
    [L.HEADER_POISONED_AT]: stored.filter(({ reason }) => reason === L.MISSING_POISONED).length,
    [L.HEADER_POISONED_PAGES_AT]: poisonedPages(
      new Map(stored.map((each) => [each.chunk, each.poison ?? 0])),
    ),
    [L.HEADER_REASON_AT]: L.PANIC_ASSERT,
    [L.HEADER_RECORD_AT]: F.RECORD_AT,
    [L.HEADER_UTC_AT]: 1_700_000_000n,
    [L.HEADER_FAILED_US_AT]: 7_000_000n,
    ...Object.fromEntries([0, 4, 8, 12].map((at) => [L.HEADER_BUILD_AT + at, id.readUInt32LE(at)])),
  };
  writer.header(L.ATTRIBUTE_DUMPING, CHUNKS, fields);
  writer.header(attribute, CHUNKS, fields);
  return writer;
}

export const sourceOf = (writer: ImageWriter): ImageSource =>
  new ImageSource(new DumpImage(writer.disk.read, BLOCKS), 'test.img', () => {});

/** A memory that is all there. */
export const wholeOf = (memory: Uint8Array): MemorySource => ({
  kind: 'live board',
  name: 'test',
  memoryBytes: memory.length,
  map: new Uint8Array(memory.length / L.CHUNK_BYTES).fill(L.CODEC_RAW),
  poisoned: new Map(),
  dump: null,
  scrubbed: [],
  problems: [],
  note: () => null,
  registers: async () => ({ pc: 0 }),
  close: () => {},
  read: async (address, bytes) => [
    { address, bytes, content: memory.subarray(address, address + bytes), reason: 0 },
  ],
});

/** Byte offset on the disk of what is stored of a chunk. */
export const placeOf = (writer: ImageWriter, chunk: number): number =>
  new DumpImage(writer.disk.read, BLOCKS).place(chunk).at;

/** A file that is written at places and read again. */
export class Bytes {
  #bytes = new Uint8Array(0);

  readonly write = (at: number, bytes: Uint8Array): void => {
    if (at + bytes.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(at + bytes.length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, at);
  };

  readonly read = (at: number, bytes: number): Uint8Array => this.#bytes.subarray(at, at + bytes);
}

/** Every byte of it, null where it is missing, with the reason for each chunk. */
export async function contentOf(source: MemorySource): Promise<(Uint8Array | number)[]> {
  const out: (Uint8Array | number)[] = [];
  for (let chunk = 0; chunk * L.CHUNK_BYTES < source.memoryBytes; chunk++) {
    const [piece] = await source.read(chunk * L.CHUNK_BYTES, L.CHUNK_BYTES);
    out.push(piece?.content ?? piece?.reason ?? -1);
  }
  return out;
}
