/** Builds a core file as savecore does: plan, chunks in file order, the head last. */
import { Formats } from './formats.test-helper.ts';
import {
  ATTRIBUTE_COMPLETED,
  CHUNK_BYTES,
  CHUNK_PAGES,
  CODEC_LZ4,
  CODEC_RAW,
  NOTE_LOG,
  NOTE_PANIC,
  PAGE_BYTES,
} from '../../asm/layout.ts';
import * as F from '../../firmware/layout.ts';

export interface Built {
  is64: boolean;
  headBytes: number;
  fileBytes: number;
  pieces: { kind: number; chunk: number; at: number }[];
}

export interface CoreOptions {
  /** A byte a chunk. */
  map: Uint8Array;
  /** Pages that are missing in chunks that are there, bit n for page n. */
  poison?: Uint16Array;
  /** Chunks that turn out to be gone while they are copied, and why. */
  missed?: ReadonlyMap<number, number>;
  attribute?: number;
  abort?: number;
  /** How much of the head is asked for at a time. */
  headPiece?: number;
}

export const PANIC_TEXT = 'ring is full';
export const LOG_TEXT = '[    0.000100] boot\n[    7.000000] panic\n';
const [CHUNK, ZEROS] = [1, 2];

/** Chunk `n` holds its own address in each word of its first 4 KiB. */
export function chunkContent(n: number): Uint8Array {
  const bytes = new Uint8Array(CHUNK_BYTES);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < 4096; at += 4) view.setUint32(at, n * CHUNK_BYTES + at, true);
  return bytes;
}

/** Page `page` of chunk `n`, in chunks with poisoned ones: both numbers in its first sector. */
export function pageContent(n: number, page: number): Uint8Array {
  const bytes = new Uint8Array(512);
  bytes.set([page + 1, n & 0xff, n >> 8, 0xa5]);
  return bytes;
}

/** Writes the file through `write`; a stored chunk is written only as far as it is not zero. */
export function buildCore(options: CoreOptions, write: (at: number, bytes: Uint8Array) => void): Built {
  const { map, poison, missed = new Map<number, number>() } = options;
  const { attribute = ATTRIBUTE_COMPLETED, abort = 0 } = options;
  const io = new Formats();
  const [state, mapAt, buffer] = [io.room(4096), io.room(map.length), io.room(65536)];
  io.part(mapAt, map.length).set(map);
  io.call('elf_begin', state, mapAt, map.length, attribute, abort);
  io.call('elf_task', state, 1, 6, 0x1234, ...io.text('sparecore'));
  io.call('elf_note', state, NOTE_PANIC, ...panicRecord(io));
  io.call('elf_note', state, NOTE_LOG, ...logRing(io));
  if (poison !== undefined) io.call('elf_poison', state, putPoison(io, poison));
  io.call('elf_plan', state);
  const pieces: Built['pieces'] = [];
  for (let kind = io.call('elf_next', state); kind !== 0; kind = io.call('elf_next', state)) {
    const chunk = io.call('elf_piece_chunk', state);
    const at = io.call('elf_piece_offset', state);
    pieces.push({ kind, chunk, at });
    const reason = missed.get(chunk);
    if (kind === ZEROS) continue;
    if (kind !== CHUNK || (map[chunk] !== CODEC_RAW && map[chunk] !== CODEC_LZ4))
      throw new Error(`chunk ${chunk}`);
    if (reason === undefined && poison !== undefined) writePages(chunk, at, write);
    else if (reason === undefined) write(at, chunkContent(chunk).subarray(0, 4096));
    else if (io.call('elf_miss', state, chunk, reason) !== 1)
      throw new Error(`elf_miss refuses chunk ${chunk}`);
  }
  const headBytes = io.call('elf_head_bytes', state);
  const headPiece = options.headPiece ?? 65536;
  for (let at = 0; at < headBytes; at += headPiece) {
    const bytes = Math.min(headPiece, headBytes - at);
    io.call('elf_head', state, buffer, at, bytes);
    write(at, io.part(buffer, bytes));
  }
  const fileBytes = io.call('elf_file_bytes', state);
  return { is64: io.call('elf_is_64', state) === 1, headBytes, fileBytes, pieces };
}

/** As it is stored: savecore copies the chunk with whatever stands in the place of its poisoned pages. */
function writePages(chunk: number, at: number, write: (at: number, bytes: Uint8Array) => void): void {
  for (let page = 0; page < CHUNK_PAGES; page++) write(at + page * PAGE_BYTES, pageContent(chunk, page));
}

function putPoison(io: Formats, poison: Uint16Array): number {
  const at = io.room(poison.byteLength);
  for (const [chunk, pages] of poison.entries()) io.view.setUint16(at + chunk * 2, pages, true);
  return at;
}

function panicRecord(io: Formats): [number, number] {
  const at = io.room(F.RECORD_BYTES);
  io.view.setUint32(at + F.RECORD_MAGIC_AT, F.RECORD_MAGIC, true);
  io.view.setUint32(at + F.RECORD_REASON_AT, 2, true);
  io.view.setBigUint64(at + F.RECORD_TIME_AT, 7_000_000n, true);
  io.view.setUint32(at + F.RECORD_LINE_AT, 42, true);
  io.part(at + F.RECORD_PLACE_AT, 20).set(Buffer.from('firmware/serve.ts:42'));
  io.part(at + F.RECORD_TEXT_AT, PANIC_TEXT.length).set(Buffer.from(PANIC_TEXT));
  io.part(at + F.RECORD_BUILD_AT, 4).set(Buffer.from('abcd'));
  return [at, F.RECORD_TEXT_AT + F.RECORD_TEXT_BYTES];
}

function logRing(io: Formats): [number, number] {
  const at = io.room(1024);
  io.view.setUint32(at, LOG_TEXT.length, true);
  io.part(at + 16, LOG_TEXT.length).set(Buffer.from(LOG_TEXT));
  return [at, 16 + 512];
}
