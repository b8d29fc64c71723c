/**
 * The label and the coredump header as they lie on a disk, read without the code that writes them.
 *
 * [layout] LABEL_*, HEADER_*: two neighbouring copies each, the valid one with the higher sequence number counts
 */
import {
  ABORT_FENCED,
  ABORT_NONE,
  ATTRIBUTE_ABORTED,
  ATTRIBUTE_COMPLETED,
  ATTRIBUTE_DUMPING,
  ATTRIBUTE_INACTIVE,
  COPY_BYTES,
  HEADER_ABORT_AT,
  HEADER_ATTRIBUTE_AT,
  HEADER_BUILD_AT,
  HEADER_BUILD_BYTES,
  HEADER_CHUNK_TOTAL_AT,
  HEADER_ENDED_US_AT,
  HEADER_EPOCH_AT,
  HEADER_FAILED_US_AT,
  HEADER_IMAGE_BLOCKS_AT,
  HEADER_IMAGE_LBA_AT,
  HEADER_LIMIT_MS_AT,
  HEADER_LOST_AT,
  HEADER_MAGIC,
  HEADER_MEMORY_BYTES_AT,
  HEADER_ORDER_AT,
  HEADER_ORDER_COUNT_AT,
  HEADER_REASON_AT,
  HEADER_RECORD_AT,
  HEADER_CIPHER_AT,
  HEADER_CIPHER_ATTEMPT_AT,
  HEADER_CIPHER_ID_AT,
  HEADER_CIPHER_PUBLIC_AT,
  HEADER_CODEC_AT,
  HEADER_POISONED_AT,
  HEADER_POISONED_PAGES_AT,
  HEADER_SAVED_AT,
  HEADER_SAVE_TRIES_AT,
  HEADER_SCRUB_AT,
  HEADER_SCRUB_COUNT_AT,
  HEADER_STARTED_US_AT,
  HEADER_STORED_AT,
  HEADER_STORED_BYTES_AT,
  HEADER_SYSTEM_AT,
  HEADER_TABLE_COUNT_AT,
  HEADER_TABLE_LBA_AT,
  HEADER_TABLE_ROOM_AT,
  HEADER_UTC_AT,
  HEADER_VERSION,
  HEADER_ZERO_AT,
  LABEL_FORMATTED,
  LABEL_HOLDER_AT,
  LABEL_MAGIC,
  LABEL_NAME_AT,
  LABEL_NAME_BYTES,
  LABEL_NOT_FORMATTED,
  LABEL_OWNER_AT,
  LABEL_ROLE_AT,
  LABEL_STATE_AT,
  LABEL_VERSION,
  LABEL_VOLUME_AT,
  LABEL_WWN_LO_AT,
  NO_VOLUME,
  ORDER_BYTES,
  ORDER_MAX,
  ROLE_MAILBOX,
  SAVED_DONE,
  SAVED_REFUSED,
  SCRUB_BYTES,
  SCRUB_MAX,
  SECTOR_BYTES,
} from '../../asm/layout.ts';
import { crc32cWithout } from './crc32c.ts';
import { Fields } from './source.ts';
import type { Read } from './source.ts';

const CRC_AT = 8;
const SEQUENCE_AT = 12;

export interface Label {
  sequence: number;
  role: number; // ROLE_*
  owner: number;
  holder: number;
  state: number; // LABEL_FORMATTED, LABEL_NOT_FORMATTED
  volume: number; // NO_VOLUME: none
  wwn: bigint;
  name: string;
}

export interface Header {
  sequence: number;
  attribute: number; // ATTRIBUTE_*
  abort: number; // ABORT_*
  system: number;
  epoch: number;
  reason: number; // PANIC_*
  memoryBytes: bigint;
  chunks: number;
  tableLba: bigint;
  tableRoom: number;
  tableCount: number;
  imageLba: bigint;
  imageBlocks: bigint;
  storedBytes: bigint;
  stored: number;
  zero: number;
  lost: number;
  /** Chunks left out, and pages missing in others, because RAM there could not be read. */
  poisoned: number;
  poisonedPages: number;
  codec: number; // CODEC_LZ4, or 0
  cipher: number; // CIPHER_*
  /** Hexadecimal: the board's public key for this dump, and the first bytes of the SHA-256 of the recipient's. */
  boardKey: string;
  recipient: string;
  cipherAttempt: number;
  failedUs: bigint;
  startedUs: bigint;
  endedUs: bigint;
  limitMs: number;
  utcSeconds: bigint;
  saved: boolean;
  /** Every try to save it failed: nobody tries again. */
  refused: boolean;
  saveTries: number;
  build: string;
  recordAddress: number;
  /** In what order the memory was written. */
  order: { firstChunk: number; chunks: number; kind: number }[];
  /** Regions that held secrets and were cleared before the dump: zero in the image. */
  scrubbed: Scrubbed[];
}

/**
 * How the dump ended: a disk whose dump was saved is inactive again, and its image still there. One that power loss of
 * both boards ended has no cause, but its counts are not those of all chunks.
 */
export function endOf({ attribute, saved, abort, ...header }: Header): number {
  if (attribute !== ATTRIBUTE_INACTIVE || !saved) return attribute;
  const counted = header.stored + header.zero + header.lost + header.poisoned;
  return abort === ABORT_NONE && counted === header.chunks ? ATTRIBUTE_COMPLETED : ATTRIBUTE_ABORTED;
}

export interface Scrubbed {
  address: number;
  bytes: number;
  kind: number;
}

/** `count` regions as the header and NOTE_SCRUBBED list them. */
export function scrubbedOf(fields: Fields, at: number, count: number): Scrubbed[] {
  return Array.from({ length: count }, (_, i) => {
    const entry = at + i * SCRUB_BYTES;
    return { address: fields.u32(entry), bytes: fields.u32(entry + 4), kind: fields.u32(entry + 8) };
  });
}

/** Both copies of a record; null for one that does not count. */
export interface Copies<T> {
  copies: [T | null, T | null];
  newest: T | null;
  /** All zero: never written, and so not torn. */
  blank: [boolean, boolean];
}

/** Of two copies that which counts; sequence numbers wrap. */
export function newerOf<T extends { sequence: number }>(a: T | null, b: T | null): T | null {
  return a && b ? (((b.sequence - a.sequence) | 0) > 0 ? b : a) : (a ?? b);
}

function copies<T extends { sequence: number }>(
  read: Read,
  lba: number,
  parse: (copy: Fields) => T | null,
): Copies<T> {
  const both = Fields.read('dump image', read, lba * SECTOR_BYTES, 2 * COPY_BYTES);
  const [a, b] = [parse(both.part(0, COPY_BYTES)), parse(both.part(COPY_BYTES, COPY_BYTES))];
  const newest = newerOf(a, b);
  const isBlank = (at: number): boolean =>
    both.bytes.subarray(at, at + COPY_BYTES).every((byte) => byte === 0);
  return { copies: [a, b], newest, blank: [isBlank(0), isBlank(COPY_BYTES)] };
}

const hexOf = (copy: Fields, at: number, bytes: number): string =>
  Buffer.from(copy.part(at, bytes).bytes).toString('hex');

function whole(copy: Fields, magic: number, version: number): boolean {
  return (
    copy.u32(0) === magic && copy.u32(4) === version && copy.u32(CRC_AT) === crc32cWithout(copy.bytes, CRC_AT)
  );
}

/** The label in a copy, or null when it is none, torn, or says what no label can. */
export function parseLabel(copy: Fields): Label | null {
  if (!whole(copy, LABEL_MAGIC, LABEL_VERSION)) return null;
  const label = {
    sequence: copy.u32(SEQUENCE_AT),
    role: copy.u32(LABEL_ROLE_AT),
    owner: copy.u32(LABEL_OWNER_AT),
    holder: copy.u32(LABEL_HOLDER_AT),
    state: copy.u32(LABEL_STATE_AT),
    volume: copy.u32(LABEL_VOLUME_AT),
    wwn: copy.u64(LABEL_WWN_LO_AT),
    name: copy.text(LABEL_NAME_AT, LABEL_NAME_BYTES),
  };
  const stateKnown = label.state === LABEL_FORMATTED || label.state === LABEL_NOT_FORMATTED;
  return stateKnown && label.role <= ROLE_MAILBOX && label.volume <= NO_VOLUME ? label : null;
}

/** The header in a copy, or null when it is none, torn, or says what no header can. */
export function parseHeader(copy: Fields): Header | null {
  if (!whole(copy, HEADER_MAGIC, HEADER_VERSION)) return null;
  const attribute = copy.u32(HEADER_ATTRIBUTE_AT);
  const abort = copy.u32(HEADER_ABORT_AT);
  const orderCount = copy.u32(HEADER_ORDER_COUNT_AT);
  if (attribute < ATTRIBUTE_DUMPING || attribute > ATTRIBUTE_ABORTED) return null;
  const scrubCount = copy.u32(HEADER_SCRUB_COUNT_AT);
  if (abort > ABORT_FENCED || orderCount > ORDER_MAX || scrubCount > SCRUB_MAX) return null;
  return {
    sequence: copy.u32(SEQUENCE_AT),
    attribute,
    abort,
    system: copy.u32(HEADER_SYSTEM_AT),
    epoch: copy.u32(HEADER_EPOCH_AT),
    reason: copy.u32(HEADER_REASON_AT),
    memoryBytes: copy.u64(HEADER_MEMORY_BYTES_AT),
    chunks: copy.u32(HEADER_CHUNK_TOTAL_AT),
    tableLba: copy.u64(HEADER_TABLE_LBA_AT),
    tableRoom: copy.u32(HEADER_TABLE_ROOM_AT),
    tableCount: copy.u32(HEADER_TABLE_COUNT_AT),
    imageLba: copy.u64(HEADER_IMAGE_LBA_AT),
    imageBlocks: copy.u64(HEADER_IMAGE_BLOCKS_AT),
    storedBytes: copy.u64(HEADER_STORED_BYTES_AT),
    stored: copy.u32(HEADER_STORED_AT),
    zero: copy.u32(HEADER_ZERO_AT),
    lost: copy.u32(HEADER_LOST_AT),
    poisoned: copy.u32(HEADER_POISONED_AT),
    poisonedPages: copy.u32(HEADER_POISONED_PAGES_AT),
    codec: copy.u32(HEADER_CODEC_AT),
    cipher: copy.u32(HEADER_CIPHER_AT),
    boardKey: hexOf(copy, HEADER_CIPHER_PUBLIC_AT, 32),
    recipient: hexOf(copy, HEADER_CIPHER_ID_AT, 16),
    cipherAttempt: copy.u32(HEADER_CIPHER_ATTEMPT_AT),
    failedUs: copy.u64(HEADER_FAILED_US_AT),
    startedUs: copy.u64(HEADER_STARTED_US_AT),
    endedUs: copy.u64(HEADER_ENDED_US_AT),
    limitMs: copy.u32(HEADER_LIMIT_MS_AT),
    utcSeconds: copy.u64(HEADER_UTC_AT),
    saved: copy.u32(HEADER_SAVED_AT) === SAVED_DONE,
    refused: copy.u32(HEADER_SAVED_AT) === SAVED_REFUSED,
    saveTries: copy.u32(HEADER_SAVE_TRIES_AT),
    build: copy.text(HEADER_BUILD_AT, HEADER_BUILD_BYTES),
    recordAddress: copy.u32(HEADER_RECORD_AT),
    order: Array.from({ length: orderCount }, (_, i) => {
      const at = HEADER_ORDER_AT + i * ORDER_BYTES;
      return { firstChunk: copy.u32(at), chunks: copy.u32(at + 4), kind: copy.u32(at + 8) };
    }),
    scrubbed: scrubbedOf(copy, HEADER_SCRUB_AT, scrubCount),
  };
}

/** Both label copies at block `lba` (LABEL_LBA on a whole disk). Malformed where the source ends before them. */
export function readLabels(read: Read, lba: number): Copies<Label> {
  return copies(read, lba, parseLabel);
}

/** Both header copies at block `lba` (COREDUMP_LBA on a whole disk). */
export function readHeaders(read: Read, lba: number): Copies<Header> {
  return copies(read, lba, parseHeader);
}

/** The only header of a container, which begins at its first byte. */
export function readOnlyHeader(read: Read): Copies<Header> {
  const header = parseHeader(Fields.read('dump image', read, 0, COPY_BYTES));
  return { copies: [header, null], newest: header, blank: [false, true] };
}
