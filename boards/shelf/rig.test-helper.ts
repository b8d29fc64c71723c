/** Disks without boards and without time of their own, and commands that are over when they return. */
import type { DiskConfig } from '../scenario.ts';
import { bareShelf } from './bare.ts';
import type { Shelf } from './shelf.ts';
import type { Task } from './task.ts';

export const GOOD = 0x00;
export const CHECK_CONDITION = 0x02;
export const CONDITION_MET = 0x04;
export const RESERVATION_CONFLICT = 0x18;

export const be16 = (n: number): number[] => [(n >> 8) & 255, n & 255];
export const be32 = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
export const be64 = (n: number): number[] => [...be32(Math.floor(n / 2 ** 32)), ...be32(n % 2 ** 32)];

export interface Answer {
  status: number;
  /** Sense key << 16 | ASC << 8 | ASCQ; 0 without sense data. */
  sense: number;
  information: number | null;
  /** Data for the initiator, as much as was moved. */
  data: Uint8Array;
  residual: number;
}

export class Rig {
  readonly shelf: Shelf;
  /** Blocks that landed: unit, LBA, blocks. */
  readonly landed: [number, number, number][] = [];

  constructor({ disks = 1, sizeMib = 16, ...config }: Partial<DiskConfig> & { disks?: number } = {}) {
    const watcher = {
      wrote: (unit: number, _nexus: number, lba: number, blocks: number): void => {
        this.landed.push([unit, lba, blocks]);
      },
      ended: () => {},
      reserved: () => {},
    };
    this.shelf = bareShelf({ disks, sizeMib, config, watcher });
    for (let unit = 0; unit < disks; unit++) {
      for (const nexus of [0, 1]) {
        this.shelf.servers.login(unit, nexus, 0x5000c500_0000_0000n + BigInt(nexus), 1);
        this.run([0, 0, 0, 0, 0, 0], { unit, nexus }); // the power-on is told once
      }
    }
  }

  /** `out` is sent; without it there is room for `room` bytes. */
  run(
    cdb: readonly number[],
    options: { out?: Uint8Array | number[]; room?: number; unit?: number; nexus?: number } = {},
  ): Answer {
    const { unit = 0, nexus = 0 } = options;
    const out = options.out === undefined ? null : Uint8Array.from(options.out);
    const memory = out ?? new Uint8Array(options.room ?? 0);
    let ended = 0;
    const task: Task = {
      nexus,
      disk: unit,
      cdb: Uint8Array.from(cdb),
      memory,
      list: memory.length > 0 ? [0, memory.length] : [],
      bytes: memory.length,
      tag: 0,
      initiator: { completed: () => ended++, lost: () => {} },
      orphan: false,
      state: 'queued',
      direction: out === null ? 1 : 2,
      action: 0,
      lba: 0,
      blocks: 0,
      flags: 0,
      extents: [],
      moved: 0,
      status: 0,
      residual: memory.length,
      sense: null,
      reply: null,
    };
    this.shelf.disks[unit]!.submit(task);
    if (ended !== 1) throw new Error(`a command ended ${ended} times`);
    const { sense } = task;
    const view = sense === null ? null : new DataView(sense.buffer, sense.byteOffset, sense.length);
    return {
      status: task.status,
      sense: sense === null ? 0 : (sense[2]! << 16) | (sense[12]! << 8) | sense[13]!,
      information: view !== null && view.getUint8(0) & 0x80 ? view.getUint32(3) : null,
      data: out === null ? memory.slice(0, memory.length - task.residual) : new Uint8Array(),
      residual: task.residual,
    };
  }

  read(lba: number, blocks: number, protect = 0, unit = 0): Answer {
    const { blockBytes } = this.shelf.disks[unit]!.config;
    const room = blocks * (blockBytes + (protect === 0 ? 0 : 8));
    return this.run([0x88, protect << 5, ...be64(lba), ...be32(blocks), 0, 0], { room, unit });
  }

  write(lba: number, out: Uint8Array, blocks: number, protect = 0, unit = 0): Answer {
    return this.run([0x8a, protect << 5, ...be64(lba), ...be32(blocks), 0, 0], { out, unit });
  }
}

/** CRC-16/T10-DIF bit by bit, [SBC-3] 4.22.4: written from the polynomial, not from the code under test. */
export function guardOf(data: Uint8Array): number {
  let crc = 0;
  for (const byte of data) {
    for (let bit = 7; bit >= 0; bit--) {
      const top = (crc >> 15) ^ ((byte >> bit) & 1);
      crc = (crc << 1) & 0xffff;
      if (top === 1) crc ^= 0x8bb7;
    }
  }
  return crc;
}

/** User data with protection information behind each block. */
export function withPi(data: Uint8Array, blockBytes: number, lba: number, app = 0): Uint8Array {
  const blocks = data.length / blockBytes;
  const wire = new Uint8Array(blocks * (blockBytes + 8));
  for (let n = 0; n < blocks; n++) {
    const block = data.subarray(n * blockBytes, (n + 1) * blockBytes);
    const at = n * (blockBytes + 8);
    wire.set(block, at);
    wire.set([...be16(guardOf(block)), ...be16(app), ...be32((lba + n) % 2 ** 32)], at + blockBytes);
  }
  return wire;
}
