/** An instance of the disk I/O module with room for buffers, and a disk to write to. */
import { type DiskIo, instantiateSync } from '#disk-io';
import { SECTOR_BYTES } from '../../asm/layout.ts';

type Value = number | bigint;

export class Formats {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly #calls: Record<string, (...args: Value[]) => Value>;
  #free: number;

  constructor(
    io: DiskIo = instantiateSync({ memory: new WebAssembly.Memory({ initial: 128, maximum: 65536 }) }),
  ) {
    this.#calls = io as unknown as Record<string, (...args: Value[]) => Value>;
    this.bytes = new Uint8Array(io.memory.buffer);
    this.view = new DataView(io.memory.buffer);
    this.#free = (Number(this.#calls['heap_base']!()) + 4095) & ~4095;
  }

  call(name: string, ...args: Value[]): number {
    return Number(this.#calls[name]!(...args));
  }

  u32(name: string, ...args: Value[]): number {
    return this.call(name, ...args) >>> 0;
  }

  /** Room that stays, aligned to 4 KiB. */
  room(bytes: number): number {
    const at = this.#free;
    this.#free += (bytes + 4095) & ~4095;
    if (this.#free > this.bytes.length) throw new Error('no room');
    return at;
  }

  text(text: string): [number, number] {
    const at = this.room(4096);
    const bytes = new TextEncoder().encode(text);
    this.bytes.set(bytes, at);
    return [at, bytes.length];
  }

  part(at: number, bytes: number): Uint8Array {
    return this.bytes.subarray(at, at + bytes);
  }
}

/** A sparse disk in memory that counts its writes and can lose all after the n-th sector. */
export class Disk {
  readonly blocks: number;
  readonly sectors = new Map<number, Uint8Array>();
  /** Sectors written so far. */
  written = 0;
  cutAfter = Number.POSITIVE_INFINITY;

  constructor(blocks: number) {
    this.blocks = blocks;
  }

  readonly write = (at: number, bytes: Uint8Array): void => {
    for (let done = 0; done < bytes.length; done += SECTOR_BYTES) {
      if (this.written++ >= this.cutAfter) return;
      const sector = bytes.slice(done, done + SECTOR_BYTES);
      const lba = (at + done) / SECTOR_BYTES;
      if (!Number.isInteger(lba) || lba >= this.blocks) throw new Error(`write at byte ${at + done}`);
      if (sector.some((byte) => byte !== 0)) this.sectors.set(lba, sector);
      else this.sectors.delete(lba);
    }
  };

  readonly read = (at: number, bytes: number): Uint8Array => {
    const out = new Uint8Array(Math.max(0, Math.min(bytes, this.blocks * SECTOR_BYTES - at)));
    for (let lba = Math.floor(at / SECTOR_BYTES); lba * SECTOR_BYTES < at + out.length; lba++) {
      const sector = this.sectors.get(lba);
      if (!sector) continue;
      const from = Math.max(0, at - lba * SECTOR_BYTES);
      const to = Math.min(SECTOR_BYTES, at + out.length - lba * SECTOR_BYTES);
      out.set(sector.subarray(from, to), lba * SECTOR_BYTES + from - at);
    }
    return out;
  };

  copy(): Disk {
    const disk = new Disk(this.blocks);
    for (const [lba, sector] of this.sectors) disk.sectors.set(lba, sector);
    return disk;
  }

  /** What lies from block `lba` on, as a volume of its own. */
  region(lba: number): (at: number, bytes: number) => Uint8Array {
    return (at, bytes) => this.read(lba * SECTOR_BYTES + at, bytes);
  }
}

/** Numbers that are the same in every run, and bytes of them. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** 0 to n - 1. */
  below(n: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    this.#state >>>= 0;
    return this.#state % n;
  }

  roll(bytes: Uint8Array): Uint8Array {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.below(256);
    return bytes;
  }
}
