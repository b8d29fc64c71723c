/**
 * The memory in a dump image whose headers or table are torn, overwritten or of another dump: the disk is searched for
 * blocks of a chunk table, which carry a checksum, the board and its epoch, and from them the table is put together
 * again. Each chunk has a checksum of its own, so what was overwritten is never taken for memory.
 *
 * [layout] TABLE_*, HEADER_*, RECORD_*
 */
import type { KeyObject } from 'node:crypto';
import {
  ABORT_NONE,
  ATTRIBUTE_DUMPING,
  ATTRIBUTE_INACTIVE,
  CHUNK_BYTES,
  CIPHER_X25519_STORED,
  CODEC_LOST,
  CODEC_RAW,
  CODEC_SEALED,
  COREDUMP_LBA,
  DATA_LBA,
  MISSING_UNREACHED,
  SECTOR_BYTES,
  TABLE_BLOCKS,
  TABLE_BYTES,
  TABLE_COUNT_AT,
  TABLE_CRC_AT,
  TABLE_ENTRIES,
  TABLE_EPOCH_AT,
  TABLE_INDEX_AT,
  TABLE_MAGIC,
  TABLE_SYSTEM_AT,
} from '../../asm/layout.ts';
import { RECORD_AT, RECORD_BYTES, RECORD_MAGIC } from '../../firmware/layout.ts';
import { crc32cWithout } from './crc32c.ts';
import { Opener } from './decrypt.ts';
import { entry, isPresent, isSound, isStoredExact, readChunk, stateOf } from './image.ts';
import type { Chunk, ChunkImage, Entry } from './image.ts';
import { parsePanic } from './notes.ts';
import type { PanicNote } from './notes.ts';
import { endOf, newerOf, readHeaders } from './records.ts';
import type { Header } from './records.ts';
import { Fields, Malformed } from './source.ts';
import type { Read } from './source.ts';

const FORMAT = 'dump image';
const CHUNKS_MAX = 65536;
const ROOM_MAX = 4096;
const PIECE = 1 << 20;
/** Chunks that are looked for where an image is thought to begin, and of these, each so manieth first. */
const SAMPLES = 16;
const FEW = 4;

/** A block of a chunk table, found anywhere on the disk. */
interface Block {
  lba: number;
  index: number;
  system: number;
  epoch: number;
  fields: Fields;
}

/** A dump of which there are blocks. */
export interface Found {
  system: number;
  epoch: number;
  /** Where block 0 of its table is, or was. */
  tableLba: number;
  blocks: Block[];
}

export interface Search {
  dumps: Found[];
  /** Both copies of the header; null: torn or not there. */
  headers: readonly [Header | null, Header | null];
  /** A panic record that lies on the disk, and its place; no checksum vouches for it. */
  record: { lba: number; panic: PanicNote } | null;
}

/** Reads the whole disk once. The newest dump stands first. */
export function searchDisk(read: Read, diskBlocks: number): Search {
  const dumps: Found[] = [];
  let record: Search['record'] = null;
  const sectors = PIECE / SECTOR_BYTES;
  for (let lba = DATA_LBA; lba < diskBlocks; lba += sectors) {
    // A structure may begin in this piece and end in the next.
    const piece = read(lba * SECTOR_BYTES, PIECE + TABLE_BYTES - SECTOR_BYTES);
    const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
    for (let at = 0; at < PIECE && at + SECTOR_BYTES <= piece.length; at += SECTOR_BYTES) {
      const magic = view.getUint32(at, true);
      if (magic !== TABLE_MAGIC && magic !== RECORD_MAGIC) continue;
      const fields = new Fields(
        FORMAT,
        lba * SECTOR_BYTES + at,
        piece.subarray(at, at + Math.max(TABLE_BYTES, RECORD_BYTES)),
      );
      const here = lba + at / SECTOR_BYTES;
      if (magic === TABLE_MAGIC) addBlock(dumps, blockAt(fields, here));
      else record ??= recordAt(fields, here);
    }
  }
  dumps.sort((a, b) => b.epoch - a.epoch || b.blocks.length - a.blocks.length);
  return { dumps, headers: headersOf(read), record };
}

function headersOf(read: Read): Search['headers'] {
  try {
    return readHeaders(read, COREDUMP_LBA).copies;
  } catch (error) {
    if (error instanceof Malformed) return [null, null]; // the image ends before them
    throw error;
  }
}

function blockAt(fields: Fields, lba: number): Block | null {
  if (fields.bytes.length < TABLE_BYTES) return null;
  const block = fields.part(0, TABLE_BYTES);
  const index = block.u32(TABLE_INDEX_AT);
  const sound =
    block.u32(TABLE_CRC_AT) === crc32cWithout(block.bytes, TABLE_CRC_AT) &&
    block.u32(TABLE_COUNT_AT) <= TABLE_ENTRIES &&
    index < ROOM_MAX &&
    lba - index * TABLE_BLOCKS >= DATA_LBA;
  if (!sound) return null;
  const own = new Fields(FORMAT, block.at, block.bytes.slice()); // and not the whole piece
  return { lba, index, system: own.u32(TABLE_SYSTEM_AT), epoch: own.u32(TABLE_EPOCH_AT), fields: own };
}

function addBlock(dumps: Found[], block: Block | null): void {
  if (block === null) return;
  const { system, epoch } = block;
  const tableLba = block.lba - block.index * TABLE_BLOCKS;
  const dump = dumps.find(
    (each) => each.system === system && each.epoch === epoch && each.tableLba === tableLba,
  );
  if (dump) dump.blocks.push(block);
  else dumps.push({ system, epoch, tableLba, blocks: [block] });
}

function recordAt(fields: Fields, lba: number): Search['record'] {
  if (fields.bytes.length < RECORD_BYTES) return null;
  try {
    const panic = parsePanic(new Fields(FORMAT, fields.at, fields.bytes.slice(0, RECORD_BYTES)));
    return { lba, panic };
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

export class SalvagedImage implements ChunkImage {
  readonly header: Header;
  readonly chunks: number;
  readonly problems: readonly string[];
  readonly #entries = new Map<number, Entry>();
  readonly #read: Read;
  readonly #imageLba: number;
  readonly #opener: Opener | null;

  /**
   * Malformed when no chunk is where the table says, for any place of the image; WrongKey when the key is not the
   * recipient's.
   */
  constructor(
    read: Read,
    diskBlocks: number,
    dump: Found,
    headers: Search['headers'],
    privateKey: KeyObject | null = null,
  ) {
    this.#read = read;
    const [one, two] = headers.map((each) => (each !== null && isOf(each, dump) ? each : null));
    const own = newerOf(one!, two!);
    this.#opener = privateKey === null || !own?.cipher ? null : new Opener(privateKey, own);
    for (const { fields } of dump.blocks.toSorted((a, b) => a.index - b.index))
      this.#enter(fields, diskBlocks);
    const hints = headers.flatMap((each) => (each === null ? [] : [Number(each.imageLba)]));
    this.#imageLba = this.#findImage(dump, diskBlocks, hints);
    const record = this.#record(own);
    this.chunks = own?.chunks ?? chunksOf(record) ?? Math.max(0, ...this.#entries.keys()) + 1;
    this.header = own ?? headerOf(dump, record, this.chunks, this.#imageLba, diskBlocks);
    this.problems = this.#problems(dump, own, privateKey !== null);
  }

  state(chunk: number): number {
    const found = this.#entries.get(chunk);
    return found === undefined ? MISSING_UNREACHED : stateOf(found, this.#opener);
  }

  poison(chunk: number): number {
    return isPresent(this.state(chunk)) ? (this.#entries.get(chunk)?.poison ?? 0) : 0;
  }

  chunk(index: number): Chunk {
    const found = this.#entries.get(index);
    if (found === undefined) return { index, state: MISSING_UNREACHED, content: null };
    return readChunk(this.#read, index, found, (this.#imageLba + found.block) * SECTOR_BYTES, this.#opener);
  }

  #enter(block: Fields, diskBlocks: number): void {
    for (let i = 0, count = block.u32(TABLE_COUNT_AT); i < count; i++) {
      const e = entry(block, i);
      if (!isSound(e, CHUNKS_MAX, BigInt(diskBlocks))) continue;
      const known = this.#entries.get(e.chunk);
      if (e.codec === CODEC_LOST && known !== undefined && isPresent(known.codec & ~CODEC_SEALED)) continue;
      this.#entries.set(e.chunk, e);
    }
  }

  /** The image follows its table; how much room that had is tried, and decided by the checksums of chunks. */
  #findImage(dump: Found, diskBlocks: number, hints: readonly number[]): number {
    const stored = [...this.#entries.values()].filter(
      ({ codec }) => isPresent(codec & ~CODEC_SEALED) && codec >= CODEC_RAW,
    );
    if (stored.length === 0) return hints[0] ?? dump.tableLba;
    const step = Math.max(1, Math.floor(stored.length / SAMPLES));
    const samples = stored.filter((_, i) => i % step === 0).slice(0, SAMPLES);
    const rooms = Array.from({ length: ROOM_MAX }, (_, room) => dump.tableLba + (room + 1) * TABLE_BLOCKS);
    let lba: number | undefined;
    let most = 0;
    // A chunk that lies on the disk twice is there for more than one place: that counts which has most.
    for (const each of [...hints, ...rooms]) {
      if (each < DATA_LBA || each >= diskBlocks) continue;
      const there = this.#countThere(samples, each);
      if (there > most) [lba, most] = [each, there];
      if (there === samples.length) break;
    }
    if (lba === undefined)
      throw new Malformed(
        FORMAT,
        dump.tableLba * SECTOR_BYTES,
        'a chunk table, and none of its chunks is left',
      );
    return lba;
  }

  /** Of these entries, how many are right for an image at `lba`; the others are looked at only if one of a few is. */
  #countThere(samples: readonly Entry[], lba: number): number {
    const isThere = (e: Entry): boolean => {
      const at = (lba + e.block) * SECTOR_BYTES;
      const isExact = isStoredExact(this.#read, { cipher: CIPHER_X25519_STORED }, e, at);
      return isExact ?? readChunk(this.#read, e.chunk, e, at).content !== null;
    };
    const few = samples.filter((_, i) => i % FEW === 0);
    if (!few.some(isThere)) return 0;
    return samples.filter(isThere).length;
  }

  #record(own: Header | null): PanicNote | null {
    const address = own?.recordAddress ?? RECORD_AT;
    const { content } = this.chunk(Math.floor(address / CHUNK_BYTES));
    const from = address % CHUNK_BYTES;
    if (content === null || from + RECORD_BYTES > CHUNK_BYTES) return null;
    const record = new Fields(FORMAT, 0, content.subarray(from, from + RECORD_BYTES));
    return record.u32(0) === RECORD_MAGIC ? parsePanic(record) : null;
  }

  #problems({ blocks }: Found, own: Header | null, hasKey: boolean): string[] {
    const seen = new Set(blocks.map(({ index }) => index));
    const last = Math.max(...seen, (own?.tableCount ?? 0) - 1);
    const lost = Array.from({ length: last + 1 }, (_, i) => i).filter((i) => !seen.has(i));
    return [
      ...(own === null
        ? ['no header of this dump is left: what it said is put together from its table and record']
        : []),
      ...(own === null && hasKey
        ? ['without its header nothing encrypted can be opened, whatever --key is']
        : []),
      ...(lost.length > 0
        ? [`${lost.length} of ${last + 1} blocks of the chunk table are gone, and the chunks that they list`]
        : []),
    ];
  }
}

function chunksOf(record: PanicNote | null): number | null {
  if (record === null) return null;
  const chunks = record.memoryBytes / CHUNK_BYTES;
  return Number.isInteger(chunks) && chunks >= 1 && chunks <= CHUNKS_MAX ? chunks : null;
}

/** A header of this dump that can be true: nothing is told of it that would only cost memory. */
const isOf = (header: Header, { system, epoch }: Found): boolean =>
  header.system === system &&
  header.epoch === epoch &&
  endOf(header) !== ATTRIBUTE_INACTIVE &&
  header.chunks >= 1 &&
  header.chunks <= CHUNKS_MAX &&
  header.tableCount <= ROOM_MAX;

/** What a header would have said while the dump went on. */
function headerOf(
  dump: Found,
  record: PanicNote | null,
  chunks: number,
  imageLba: number,
  diskBlocks: number,
): Header {
  return {
    sequence: 0,
    attribute: ATTRIBUTE_DUMPING,
    abort: ABORT_NONE,
    system: dump.system,
    epoch: dump.epoch,
    reason: record?.reason ?? 0,
    memoryBytes: BigInt(chunks) * BigInt(CHUNK_BYTES),
    chunks,
    tableLba: BigInt(dump.tableLba),
    tableRoom: 0,
    tableCount: dump.blocks.length,
    imageLba: BigInt(imageLba),
    imageBlocks: BigInt(Math.max(0, diskBlocks - imageLba)),
    storedBytes: 0n,
    stored: 0,
    zero: 0,
    lost: 0,
    poisoned: 0,
    poisonedPages: 0,
    codec: 0,
    cipher: 0,
    boardKey: '',
    recipient: '',
    cipherAttempt: 0,
    failedUs: record?.timeUs ?? 0n,
    startedUs: record?.timeUs ?? 0n,
    endedUs: 0n,
    limitMs: 0,
    utcSeconds: BigInt(record?.utcSeconds ?? 0),
    saved: false,
    refused: false,
    saveTries: 0,
    build: record?.build ?? '',
    recordAddress: RECORD_AT,
    order: [],
    scrubbed: [],
  };
}
