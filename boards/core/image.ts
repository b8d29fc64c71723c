/**
 * Reads the dump image of a disk, whole or cut anywhere: what the label and the header say, and what each chunk of the
 * memory is. A chunk that is not there, or not as it was, has no content; it is never read as zero.
 *
 * [layout] HEADER_*, TABLE_*, CODEC_*, MISSING_* in asm/layout.ts
 */
import type { KeyObject } from 'node:crypto';
import {
  ATTRIBUTE_COMPLETED,
  CHUNK_BYTES,
  CHUNK_POISONED,
  CIPHER_TAG_BYTES,
  CIPHER_X25519_STORED,
  CODEC_LOST,
  CODEC_LZ4,
  CODEC_RAW,
  CODEC_SEALED,
  CODEC_ZERO,
  CONTAINER_TABLE_LBA,
  COREDUMP_LBA,
  DATA_LBA,
  HEADER_CHUNK_BYTES_AT,
  LABEL_LBA,
  MISSING_CORRUPT,
  MISSING_POISONED,
  MISSING_SEALED,
  MISSING_UNREACHED,
  MISSING_UNREADABLE,
  SECTOR_BYTES,
  TABLE_BLOCKS,
  TABLE_BYTES,
  TABLE_COUNT_AT,
  TABLE_CRC_AT,
  TABLE_ENTRIES,
  TABLE_ENTRIES_AT,
  TABLE_ENTRY_BYTES,
  TABLE_EPOCH_AT,
  TABLE_INDEX_AT,
  TABLE_MAGIC,
  TABLE_MAGIC_AT,
  TABLE_SYSTEM_AT,
} from '../../asm/layout.ts';
import { crc32c, crc32cWithout } from './crc32c.ts';
import { Opener } from './decrypt.ts';
import { lz4Decode } from './lz4.ts';
import { endOf, readHeaders, readLabels, readOnlyHeader } from './records.ts';
import type { Copies, Header, Label } from './records.ts';
import { Fields, Malformed } from './source.ts';
import type { Read } from './source.ts';

const FORMAT = 'dump image';
const CHUNKS_MAX = 65536;
const NOT_THERE = 'not there';
const TABLE_ROOM_MAX = 4096;
/** A container has none. */
const NO_LABELS: Copies<Label> = { copies: [null, null], newest: null, blank: [true, true] };

/**
 * A chunk of the memory. `state` is its CODEC_*, or why it has no content: CODEC_LOST or MISSING_*. Content has zeros
 * in the place of poisoned pages, which are no memory: ChunkImage.poison tells them.
 */
export interface Chunk {
  index: number;
  state: number;
  content: Uint8Array | null;
}

/** True for a state whose chunk is in the image. */
export function isPresent(state: number): boolean {
  return state === CODEC_ZERO || state === CODEC_RAW || state === CODEC_LZ4;
}

/** A memory in chunks, each with its checksum, wherever its table was found. */
export interface ChunkImage {
  readonly header: Header;
  readonly chunks: number;
  readonly problems: readonly string[];
  state(chunk: number): number;
  /** Pages that are missing in a chunk that is in the image, bit n for page n: they could not be read in RAM. */
  poison(chunk: number): number;
  chunk(index: number): Chunk;
}

/** What an entry says of its chunk: CODEC_* without CODEC_SEALED, or why it is missing. */
export function stateOf({ codec, block }: Entry, opener: Opener | null): number {
  if (codec === CODEC_LOST) return block; // 0, or the reason why it was left out
  return isSealed(codec) && opener === null ? MISSING_SEALED : codec & ~CODEC_SEALED;
}

const isSealed = (codec: number): boolean => (codec & CODEC_SEALED) !== 0 && isPresent(codec & ~CODEC_SEALED);

/** A stored chunk out of the image, checked. `at` is a byte offset on the disk; `opener` has the key, if there is one. */
export function readChunk(
  read: Read,
  index: number,
  found: Entry,
  at: number,
  opener: Opener | null = null,
): Chunk {
  const state = stateOf(found, opener);
  if (state === CODEC_ZERO) return { index, state, content: new Uint8Array(CHUNK_BYTES) };
  if (!isPresent(state)) return { index, state, content: null };
  const stored = read(at, found.bytes);
  if (stored.length !== found.bytes) return { index, state: MISSING_UNREADABLE, content: null };
  const isClosed = isSealed(found.codec);
  const packed = isClosed ? opener!.open(found, stored) : stored;
  const content = state === CODEC_RAW || packed === null ? packed : lz4Decode(packed, CHUNK_BYTES);
  const summed = isClosed && opener!.isStoredSum ? stored : content;
  if (!content || crc32c(summed!) !== found.crc) return { index, state: MISSING_CORRUPT, content: null };
  return { index, state, content };
}

/** Without a key: is what is stored of an encrypted chunk what was written? Null when no checksum tells. */
export function isStoredExact(
  read: Read,
  { cipher }: Pick<Header, 'cipher'>,
  found: Entry,
  at: number,
): boolean | null {
  if (!isSealed(found.codec) || cipher !== CIPHER_X25519_STORED) return null;
  const stored = read(at, found.bytes);
  return stored.length === found.bytes && crc32c(stored) === found.crc;
}

export interface ImageOptions {
  /** Of the recipient, for an encrypted dump. */
  privateKey?: KeyObject | null;
  /** The source is a container file, not a disk. */
  isContainer?: boolean;
}

export class DumpImage implements ChunkImage {
  readonly labels: Copies<Label>;
  readonly headers: Copies<Header>;
  readonly label: Label | null;
  /** The header that counts. */
  readonly header: Header;
  readonly chunks: number;
  /** What was found wrong on the way and did not stop the reading: blocks of the table that are not whole. */
  readonly problems: readonly string[];
  #tableBlocks = 0;
  readonly #states: Uint8Array;
  readonly #bytes: Uint32Array;
  readonly #blocks: Uint32Array;
  readonly #crcs: Uint32Array;
  readonly #poison: Uint16Array;
  readonly #opener: Opener | null;
  readonly #read: Read;

  /**
   * `blocks` is the size of the disk, or of the container file. Malformed when there is no header, or it points to no
   * image there; WrongKey when the key is not the recipient's.
   */
  constructor(read: Read, blocks: number, { privateKey = null, isContainer = false }: ImageOptions = {}) {
    this.#read = read;
    this.labels = isContainer ? NO_LABELS : readLabels(read, LABEL_LBA);
    this.label = this.labels.newest;
    this.headers = isContainer ? readOnlyHeader(read) : readHeaders(read, COREDUMP_LBA);
    const header = this.headers.newest;
    if (!header) throw new Malformed(FORMAT, COREDUMP_LBA * SECTOR_BYTES, 'no valid coredump header');
    this.header = header;
    assertSound(header, blocks, isContainer ? CONTAINER_TABLE_LBA : DATA_LBA);
    this.chunks = header.chunks;
    this.#states = new Uint8Array(this.chunks).fill(MISSING_UNREACHED);
    this.#bytes = new Uint32Array(this.chunks);
    this.#blocks = new Uint32Array(this.chunks);
    this.#crcs = new Uint32Array(this.chunks);
    this.#poison = new Uint16Array(this.chunks);
    this.#opener = privateKey === null || header.cipher === 0 ? null : new Opener(privateKey, header);
    this.problems = this.#readTable(isContainer && endOf(header) !== ATTRIBUTE_COMPLETED);
  }

  /** Blocks of the table that are whole. */
  get tableBlocks(): number {
    return this.#tableBlocks;
  }

  /** CODEC_* of a chunk, or why it is missing, as far as the table knows: MISSING_SEALED without the key to it. */
  state(chunk: number): number {
    return chunk < this.chunks ? stateOf(this.#entry(chunk), this.#opener) : MISSING_UNREACHED;
  }

  poison(chunk: number): number {
    return isPresent(this.state(chunk)) ? this.#poison[chunk]! : 0;
  }

  /** What the table says; a reason why it is missing stands for the codec. */
  #entry(chunk: number): Entry {
    const codec = this.#states[chunk]!;
    const [bytes, crc, poison] = [this.#bytes[chunk]!, this.#crcs[chunk]!, this.#poison[chunk]!];
    return { chunk, poison, codec, bytes, block: 0, crc };
  }

  /** Where the stored bytes of a present chunk lie: byte offset on the disk and their count; 0 of a zero chunk. */
  place(chunk: number): { at: number; bytes: number } {
    const at = (Number(this.header.imageLba) + (this.#blocks[chunk] ?? 0)) * SECTOR_BYTES;
    return { at, bytes: this.#bytes[chunk] ?? 0 };
  }

  /** Chunks per state. */
  count(state: number): number {
    return this.#states.reduce((n, _, chunk) => n + (this.state(chunk) === state ? 1 : 0), 0);
  }

  /** A chunk with its content, checked against its checksum. */
  chunk(index: number): Chunk {
    if (!Number.isInteger(index) || index < 0 || index >= this.chunks)
      throw new RangeError(`no chunk ${index}`);
    return readChunk(this.#read, index, this.#entry(index), this.place(index).at, this.#opener);
  }

  /** Without a key: is what is stored of an encrypted chunk what was written? Null when nothing tells. */
  isStoredExact(chunk: number): boolean | null {
    return isStoredExact(this.#read, this.header, this.#entry(chunk), this.place(chunk).at);
  }

  /** Every chunk by rising address. */
  *[Symbol.iterator](): Generator<Chunk> {
    for (let index = 0; index < this.chunks; index++) yield this.chunk(index);
  }

  /**
   * All blocks that there is room for, and not only as many as the header counts: the header lags behind. A block that
   * is not whole hides nothing after it, for blocks are written as the chunks arrive. `hasHoles`: a block that was never
   * written is no fault, because the header counts up to the last one, and not what there was when it was written.
   */
  #readTable(hasHoles: boolean): string[] {
    const problems: string[] = [];
    for (let i = 0; i < this.header.tableRoom; i++) {
      const at = (Number(this.header.tableLba) + i * TABLE_BLOCKS) * SECTOR_BYTES;
      const block = Fields.read(FORMAT, this.#read, at, TABLE_BYTES);
      const wrong = this.#wrongWith(block, i);
      if (wrong === null) this.#enter(block);
      else if (i < this.header.tableCount && !(hasHoles && wrong === NOT_THERE))
        problems.push(`block ${i} of the chunk table: ${wrong}`);
    }
    return problems;
  }

  #wrongWith(block: Fields, index: number): string | null {
    if (block.u32(TABLE_MAGIC_AT) !== TABLE_MAGIC) return NOT_THERE;
    if (block.u32(TABLE_CRC_AT) !== crc32cWithout(block.bytes, TABLE_CRC_AT)) return 'torn';
    const { system, epoch } = this.header;
    if (block.u32(TABLE_SYSTEM_AT) !== system || block.u32(TABLE_EPOCH_AT) !== epoch)
      return 'of another dump';
    if (block.u32(TABLE_INDEX_AT) !== index) return 'in the wrong place';
    const count = block.u32(TABLE_COUNT_AT);
    if (count > TABLE_ENTRIES) return `${count} entries`;
    for (let i = 0; i < count; i++) {
      if (!isSound(entry(block, i), this.chunks, this.header.imageBlocks)) return `entry ${i} points nowhere`;
    }
    return null;
  }

  #enter(block: Fields): void {
    this.#tableBlocks++;
    for (let i = 0, count = block.u32(TABLE_COUNT_AT); i < count; i++) {
      const e = entry(block, i);
      if (e.codec === CODEC_LOST && isPresent(this.#states[e.chunk]! & ~CODEC_SEALED)) continue;
      this.#states[e.chunk] = e.codec === CODEC_LOST ? e.block : e.codec;
      this.#bytes[e.chunk] = e.bytes;
      this.#blocks[e.chunk] = e.block;
      this.#crcs[e.chunk] = e.crc;
      this.#poison[e.chunk] = e.poison;
    }
  }
}

export interface Entry {
  chunk: number;
  /** Its pages that are missing, bit n for page n. */
  poison: number;
  codec: number;
  bytes: number;
  block: number;
  crc: number;
}

export function entry(block: Fields, i: number): Entry {
  const at = TABLE_ENTRIES_AT + i * TABLE_ENTRY_BYTES;
  const kind = block.u32(at + 4);
  return {
    chunk: block.u16(at),
    poison: block.u16(at + 2),
    codec: kind >>> 24,
    bytes: kind & 0xffffff,
    block: block.u32(at + 8),
    crc: block.u32(at + 12),
  };
}

/** False for an entry that no writer makes: its chunk outside the memory, its blocks outside the image, a size too large. */
export function isSound(
  { chunk, poison, codec, bytes, block }: Entry,
  chunks: number,
  imageBlocks: bigint,
): boolean {
  if (chunk >= chunks || poison === CHUNK_POISONED || (poison !== 0 && codec === CODEC_LOST)) return false;
  if (codec === CODEC_LOST) return bytes === 0 && (block === CODEC_LOST || block === MISSING_POISONED);
  if (codec === CODEC_ZERO) return bytes === 0;
  const plain = codec & ~CODEC_SEALED;
  const packed = codec & CODEC_SEALED ? bytes - CIPHER_TAG_BYTES : bytes;
  if (
    plain === CODEC_RAW ? packed !== CHUNK_BYTES : plain !== CODEC_LZ4 || packed < 1 || packed >= CHUNK_BYTES
  )
    return false;
  return BigInt(block + Math.ceil(bytes / SECTOR_BYTES)) <= imageBlocks;
}

function unsound(what: string): never {
  throw new Malformed(FORMAT, COREDUMP_LBA * SECTOR_BYTES + HEADER_CHUNK_BYTES_AT, what);
}

/** Throws unless table and image lie in the data region of a disk of `blocks` blocks, and the memory is its chunks. */
function assertSound(header: Header, blocks: number, least: number): void {
  const { chunks, tableLba, imageLba, imageBlocks } = header;
  if (chunks === 0) unsound('the header points to no image');
  if (chunks > CHUNKS_MAX || header.memoryBytes !== BigInt(chunks) * BigInt(CHUNK_BYTES)) {
    unsound(`${header.memoryBytes} bytes of memory in ${chunks} chunks`);
  }
  const tableEnd = tableLba + BigInt(header.tableRoom) * BigInt(TABLE_BLOCKS);
  const first = BigInt(least);
  if (tableLba < first || tableEnd > BigInt(blocks)) unsound('a chunk table outside the data region');
  if (imageLba < first || imageLba + imageBlocks > BigInt(blocks))
    unsound('an image outside the data region');
  // 260 blocks hold a memory of 4 GiB; many times that is a lie that only costs time.
  if (header.tableRoom > TABLE_ROOM_MAX) unsound(`a chunk table of ${header.tableRoom} blocks`);
}
