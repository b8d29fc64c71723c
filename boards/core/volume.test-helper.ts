/** Formats a volume on a disk and adds files to it, as firmware does: buffers from the disk, writes step by step. */
import { Disk, Formats } from './formats.test-helper.ts';
import { DATA_LBA, SECTOR_BYTES } from '../../asm/layout.ts';

export const OK = 0;
export const NO_SPACE = 5;
export const DIR_FULL = 6;
export const EXISTS = 7;
export const TOO_SMALL = 8;
export const BAD_NAME = 9;
export const DIR_BYTES = 32768;
const [DIRTY, DATA, BITMAP, DIRECTORY, CLEAN] = [1, 2, 3, 4, 5];

export interface Added {
  code: number;
  /** Sectors that each step wrote, by its kind. */
  steps: { kind: number; sectors: number }[];
}

export class Volume {
  readonly io = new Formats();
  readonly disk: Disk;
  readonly lba: number;
  readonly blocks: number;
  readonly state = this.io.room(4096);
  readonly #boot = this.io.room(8192);
  readonly #bitmap = this.io.room(DIR_BYTES);
  readonly #directory = this.io.room(DIR_BYTES);
  readonly #run = this.io.room(65536);
  readonly #cores = this.io.text('cores');

  constructor(disk: Disk, blocks: number, lba = DATA_LBA) {
    this.disk = disk;
    this.blocks = blocks;
    this.lba = lba;
  }

  format(label = 'root-a', utc = 1_700_000_001n): number {
    const plan = this.io.call(
      'exfat_format_plan',
      this.state,
      BigInt(this.lba),
      BigInt(this.blocks),
      0x1234abcd,
      utc,
      ...this.io.text(label),
    );
    if (plan !== OK) return plan;
    for (let i = 0; i < this.io.call('exfat_format_runs', this.state); i++) {
      const blocks = this.io.call('exfat_format_run', this.state, i, this.#run);
      this.#write(this.#run, blocks, this.io.call('exfat_run_lba', this.state));
    }
    return OK;
  }

  /** The three reads of mounting; the first code that is not OK. */
  mount(): number {
    const { io, state } = this;
    this.#read(this.#boot, 12, this.lba);
    const mounted = io.call('exfat_mount', state, this.#boot, BigInt(this.lba), BigInt(this.blocks));
    if (mounted !== OK) return mounted;
    this.#read(this.#directory, DIR_BYTES / SECTOR_BYTES, io.call('exfat_root_lba', state));
    const root = io.call('exfat_root', state, this.#directory, ...this.#cores);
    if (root !== OK) return root;
    this.#read(this.#bitmap, 64, io.call('exfat_bitmap_lba', state));
    io.call('exfat_bitmap', state, this.#bitmap);
    this.#read(this.#directory, DIR_BYTES / SECTOR_BYTES, io.call('exfat_directory_lba', state));
    return OK;
  }

  get free(): number {
    return this.io.call('exfat_free_clusters', this.state);
  }

  /** Adds a file to the mounted volume, its content written sector by sector. */
  add(name: string, content: Uint8Array, floor = 0, utc = 1_700_000_002n): Added {
    const { io, state } = this;
    const at = io.text(name);
    const bytes = BigInt(content.length);
    const code = io.call('exfat_add', state, this.#bitmap, this.#directory, ...at, bytes, utc, floor);
    const steps: Added['steps'] = [];
    if (code !== OK) return { code, steps };
    for (let i = 0; i < io.call('exfat_steps', state); i++) {
      const kind = io.call('exfat_step_kind', state, i);
      const lba = io.call('exfat_step_lba', state, i);
      const sectors = io.call('exfat_step_blocks', state, i);
      const offset = io.call('exfat_step_offset', state, i);
      if (kind === DIRTY || kind === CLEAN) {
        io.call('exfat_step_boot', state, i, this.#boot);
        this.#write(this.#boot, 1, lba);
      } else if (kind === DATA) {
        const padded = new Uint8Array(sectors * SECTOR_BYTES);
        padded.set(content);
        this.disk.write(lba * SECTOR_BYTES, padded);
      } else if (kind === BITMAP) this.#write(this.#bitmap + offset, sectors, lba);
      else if (kind === DIRECTORY) this.#write(this.#directory + offset, sectors, lba);
      else throw new Error(`step of kind ${kind}`);
      steps.push({ kind, sectors });
    }
    return { code, steps };
  }

  #write(at: number, blocks: number, lba: number): void {
    this.disk.write(lba * SECTOR_BYTES, this.io.part(at, blocks * SECTOR_BYTES));
  }

  #read(at: number, blocks: number, lba: number): void {
    const got = this.disk.read(lba * SECTOR_BYTES, blocks * SECTOR_BYTES);
    this.io.part(at, blocks * SECTOR_BYTES).set(got);
  }
}

/** A disk with a formatted volume in its data region. */
export function formatted(blocks = 32768): { disk: Disk; volume: Volume } {
  const disk = new Disk(DATA_LBA + blocks);
  const volume = new Volume(disk, blocks);
  const code = volume.format();
  if (code !== OK) throw new Error(`format says ${code}`);
  return { disk, volume };
}
