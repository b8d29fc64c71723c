/**
 * What goes to the disk of a chunk: the chunk itself, straight from memory, or what became of it in the batch's stage,
 * compressed, encrypted, or both. Of a chunk with poisoned pages it is made of a copy that has zeros in their place,
 * because nobody may read them: no scan, no checksum, no DMA.
 */
import { lz4_compress } from '../bytes/lz4';
import { aead_seal } from '../crypto/aead';
import {
  CHUNK_BYTES,
  CHUNK_PAGES,
  CIPHER_TAG_BYTES,
  CODEC_LZ4,
  CODEC_RAW,
  CODEC_SEALED,
  PAGE_BYTES,
  SECTOR_BYTES,
} from '../layout';
import {
  Batch,
  CIPHER_AAD_AT,
  CIPHER_NONCE_AT,
  CIPHER_SCRATCH_AT,
  STAGE_BYTES,
  Writer,
  batch_number,
  found_of,
  stage_of,
  stage_table,
} from './writer-state';

/** The chunk stays as it is in memory. */
export const PACK_RAW: u32 = 0;
/** The rest of the stage may be too small for it: another batch. */
export const PACK_FULL: u32 = 0xffffffff;
/** What does not save a block is stored as it is. */
export const PACK_ROOM: u32 = CHUNK_BYTES - SECTOR_BYTES;
/** lz4_compress writes so far beyond its output. */
const SPILL: u32 = 8;

/** A copy of the chunk at `at`, its poisoned pages left alone; its address. */
export function mend(w: Writer, at: usize, poison: u32): usize {
  for (let page: u32 = 0; page < <u32>CHUNK_PAGES; page++) {
    const offset = <usize>page * PAGE_BYTES;
    if ((poison >> page) & 1) memory.fill(<usize>w.mend + offset, 0, PAGE_BYTES);
    else memory.copy(<usize>w.mend + offset, at + offset, PAGE_BYTES);
  }
  w.mended += CHUNK_BYTES;
  return <usize>w.mend;
}

/** Bytes of the chunk at `at` in the stage of `batch`, from Batch.staged on; or PACK_RAW, PACK_FULL. */
export function pack(area: usize, w: Writer, batch: Batch, chunk: u32, at: usize, poison: u32): u32 {
  const to = stage_of(w, batch_number(area, batch)) + batch.staged;
  const left = STAGE_BYTES - batch.staged;
  w.pack_codec = CODEC_RAW;
  if (w.codec != CODEC_LZ4 && !w.cipher) return as_it_is(w, at, to, left);
  let bytes: u32 = 0;
  if (w.codec == CODEC_LZ4) {
    if (left <= SPILL + CIPHER_TAG_BYTES) return PACK_FULL;
    const room = min<u32>(left - SPILL - CIPHER_TAG_BYTES, PACK_ROOM);
    bytes = compress(w, at, to, room);
    w.packed += CHUNK_BYTES;
    if (!bytes && room < PACK_ROOM) return PACK_FULL;
    if (bytes) w.pack_codec = CODEC_LZ4;
    else if (!w.cipher) return as_it_is(w, at, to, left);
  }
  if (w.cipher) {
    if (!bytes && left < <u32>(CHUNK_BYTES + SECTOR_BYTES)) return PACK_FULL;
    bytes = seal(w, chunk, poison, bytes ? to : at, bytes ? bytes : <u32>CHUNK_BYTES, to);
  }
  // The rest of its last block: nothing of an earlier chunk goes out with it.
  memory.fill(to + bytes, 0, blocks_of(bytes) * SECTOR_BYTES - bytes);
  return bytes;
}

/** Into the `room` bytes at `to`; 0 when it does not fit. */
function compress(w: Writer, at: usize, to: usize, room: u32): u32 {
  if (ASC_FEATURE_THREADS) {
    const found = found_of(w);
    if (found) {
      if (found.bytes > room) return 0;
      memory.copy(to, found.at, found.bytes);
      return found.bytes;
    }
  }
  return lz4_compress(at, CHUNK_BYTES, to, room, stage_table(w));
}

/** The copy is there for one chunk at a time: a batch that waits for its DMA needs one of its own. */
function as_it_is(w: Writer, at: usize, to: usize, left: u32): u32 {
  if (at != <usize>w.mend || !w.mend) return PACK_RAW;
  if (left < <u32>CHUNK_BYTES) return PACK_FULL;
  memory.copy(to, at, CHUNK_BYTES);
  return CHUNK_BYTES;
}

/** Encrypts what is stored of the chunk; [layout] CIPHER_X25519_STORED has nonce and additional data. */
function seal(w: Writer, chunk: u32, poison: u32, from: usize, bytes: u32, to: usize): u32 {
  const area = <usize>w.cipher;
  w.pack_codec |= CODEC_SEALED;
  const stored = bytes + CIPHER_TAG_BYTES;
  store<u32>(area + CIPHER_NONCE_AT, chunk);
  store<u32>(area + CIPHER_NONCE_AT, w.epoch, 4);
  store<u32>(area + CIPHER_NONCE_AT, w.attempt, 8);
  store<u32>(area + CIPHER_AAD_AT, (poison << 16) | chunk);
  store<u32>(area + CIPHER_AAD_AT, (w.pack_codec << 24) | stored, 4);
  store<u32>(area + CIPHER_AAD_AT, w.system, 8);
  store<u32>(area + CIPHER_AAD_AT, w.epoch, 12);
  aead_seal(area, area + CIPHER_NONCE_AT, area + CIPHER_AAD_AT, from, bytes, to, area + CIPHER_SCRATCH_AT);
  w.sealed += bytes;
  return stored;
}

export function blocks_of(bytes: u32): u32 {
  return (bytes + SECTOR_BYTES - 1) / SECTOR_BYTES;
}
