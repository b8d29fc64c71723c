/** Writes a dump image to a disk as the panic handler does. */
import { Disk, Formats } from './formats.test-helper.ts';
import * as L from '../../asm/layout.ts';

export const BLOCKS = 65_536;
export const [SYSTEM, EPOCH] = [11, 5];
const TABLE_ROOM = 4;
const IMAGE_LBA = L.DATA_LBA + TABLE_ROOM * L.TABLE_BLOCKS;

/** A chunk as it goes to the disk: its codec, what is stored, and the memory it stands for. */
export interface Stored {
  chunk: number;
  codec: number;
  stored: Uint8Array;
  memory: Uint8Array;
  /** Of a lost chunk: MISSING_*, when it was left out on purpose. */
  reason?: number;
  /** Its pages that are missing, bit n for page n: zeros in `memory`. */
  poison?: number;
}

export class ImageWriter {
  readonly io = new Formats();
  readonly disk = new Disk(BLOCKS);
  readonly #header = this.io.room(L.COPY_BYTES);
  readonly #table = this.io.room(L.TABLE_BYTES);
  readonly #content = this.io.room(L.CHUNK_BYTES);
  #sequence = 0;
  #block = 0;

  label(role = L.ROLE_SPARE): void {
    const at = this.io.room(L.COPY_BYTES);
    this.io.call('label_begin', at, role, SYSTEM, L.NO_VOLUME, 0x5000c500a1b2c3d4n);
    this.io.call('label_name', at, ...this.io.text('spare-1'));
    this.io.call('label_seal', at, 1);
    this.disk.write(L.LABEL_LBA * L.SECTOR_BYTES, this.io.part(at, L.COPY_BYTES));
  }

  header(
    attribute: number,
    chunks: number,
    fields: Record<number, number | bigint> = {},
    epoch = EPOCH,
  ): void {
    const { io } = this;
    const at = this.#header;
    io.call('header_begin', at);
    const all: Record<number, number | bigint> = {
      [L.HEADER_ATTRIBUTE_AT]: attribute,
      [L.HEADER_SYSTEM_AT]: SYSTEM,
      [L.HEADER_EPOCH_AT]: epoch,
      [L.HEADER_MEMORY_BYTES_AT]: BigInt(chunks) * BigInt(L.CHUNK_BYTES),
      [L.HEADER_CHUNK_BYTES_AT]: L.CHUNK_BYTES,
      [L.HEADER_CHUNK_TOTAL_AT]: chunks,
      [L.HEADER_TABLE_LBA_AT]: BigInt(L.DATA_LBA),
      [L.HEADER_TABLE_ROOM_AT]: TABLE_ROOM,
      [L.HEADER_TABLE_COUNT_AT]: 1,
      [L.HEADER_IMAGE_LBA_AT]: BigInt(IMAGE_LBA),
      [L.HEADER_IMAGE_BLOCKS_AT]: BigInt(BLOCKS - L.TAIL_BLOCKS - IMAGE_LBA),
      ...fields,
    };
    for (const [offset, value] of Object.entries(all)) {
      if (typeof value === 'bigint') io.view.setBigUint64(at + Number(offset), value, true);
      else io.view.setUint32(at + Number(offset), value, true);
    }
    io.call('header_seal', at, ++this.#sequence);
    const lba = io.call('header_lba', this.#sequence & 1);
    this.disk.write(lba * L.SECTOR_BYTES, io.part(at, L.COPY_BYTES));
  }

  /** The chunks, then block `index` of the table. */
  chunks(index: number, list: readonly Stored[], epoch = EPOCH): void {
    const { io } = this;
    io.call('table_begin', this.#table, index, SYSTEM, epoch);
    for (const { chunk, codec, stored, memory, reason, poison = 0 } of list) {
      io.part(this.#content, memory.length).set(memory);
      const where = codec === L.CODEC_LOST ? (reason ?? 0) : this.#block;
      const crc = io.call('crc32c', 0, this.#content, memory.length);
      io.call('table_append', this.#table, chunk, codec, stored.length, where, crc, poison);
      const sectors = Math.ceil(stored.length / L.SECTOR_BYTES);
      const padded = new Uint8Array(sectors * L.SECTOR_BYTES);
      padded.set(stored);
      this.disk.write((IMAGE_LBA + this.#block) * L.SECTOR_BYTES, padded);
      this.#block += sectors;
    }
    io.call('table_seal', this.#table);
    const lba = L.DATA_LBA + index * L.TABLE_BLOCKS;
    this.disk.write(lba * L.SECTOR_BYTES, io.part(this.#table, L.TABLE_BYTES));
  }

  /** Byte offset on the disk of a block of the image. */
  imageAt(block: number): number {
    return (IMAGE_LBA + block) * L.SECTOR_BYTES;
  }
}

export function raw(chunk: number, memory: Uint8Array): Stored {
  return { chunk, codec: L.CODEC_RAW, stored: memory, memory };
}

export function zero(chunk: number): Stored {
  return { chunk, codec: L.CODEC_ZERO, stored: new Uint8Array(0), memory: new Uint8Array(L.CHUNK_BYTES) };
}

export function lost(chunk: number, reason = 0): Stored {
  return { chunk, codec: L.CODEC_LOST, stored: new Uint8Array(0), memory: new Uint8Array(0), reason };
}
