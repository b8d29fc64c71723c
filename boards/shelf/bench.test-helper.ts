/** Disks on a fabric with two boards' nexuses logged in, and commands sent to them by hand. */
import * as L from '../../asm/layout.ts';
import { Clock } from '../clock.ts';
import type { DiskConfig } from '../scenario.ts';
import { Disk } from './disk.ts';
import { Fabric, initiatorAddress, nexusOf } from './fabric.ts';
import { MemoryMedium } from './medium.ts';
import { DeviceServers } from './server.ts';
import type { Task } from './task.ts';

export const SECTOR = L.SECTOR_BYTES;
export const DISK_BYTES = 16 << 20;
/** Nexuses: board A and board B, each by port 0 and 1. */
export const A0 = nexusOf(0, 0);
export const A1 = nexusOf(0, 1);
export const B0 = nexusOf(1, 0);
export const B1 = nexusOf(1, 1);

export const GOOD = 0x00;
export const CHECK_CONDITION = 0x02;
export const RESERVATION_CONFLICT = 0x18;

export const WRITE_EXCLUSIVE = 1;
export const REGISTER = 0x00;
export const RESERVE = 0x01;
export const RELEASE = 0x02;
export const PREEMPT = 0x04;
export const PREEMPT_AND_ABORT = 0x05;
export const REGISTER_AND_IGNORE = 0x06;

export const be32 = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const be64 = (n: bigint): number[] => [...be32(Number(n >> 32n)), ...be32(Number(n & 0xffffffffn))];

export const TEST_UNIT_READY = Uint8Array.of(0, 0, 0, 0, 0, 0);
export const SYNCHRONIZE = Uint8Array.of(0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
export const read16 = (lba: number, blocks: number): Uint8Array =>
  Uint8Array.of(0x88, 0, ...be64(BigInt(lba)), ...be32(blocks), 0, 0);
export const write16 = (lba: number, blocks: number): Uint8Array =>
  Uint8Array.of(0x8a, 0, ...be64(BigInt(lba)), ...be32(blocks), 0, 0);
export const inquiry = (allocation: number): Uint8Array => Uint8Array.of(0x12, 0, 0, 0, allocation, 0);

export function reserveOut(
  action: number,
  key: bigint,
  service: bigint,
): { cdb: Uint8Array; data: Uint8Array } {
  const aptpl = action === REGISTER || action === REGISTER_AND_IGNORE ? 1 : 0;
  return {
    cdb: Uint8Array.of(0x5f, action, WRITE_EXCLUSIVE, 0, 0, 0, 0, 0, 24, 0),
    data: Uint8Array.of(...be64(key), ...be64(service), 0, 0, 0, 0, aptpl, 0, 0, 0),
  };
}

/** Sense key << 16 | ASC << 8 | ASCQ; 0 without sense data. */
export const senseOf = (sense: Uint8Array | null): number =>
  sense === null ? 0 : (sense[2]! << 16) | (sense[12]! << 8) | sense[13]!;

export interface Sent {
  task: Task;
  /** How it ended; null while it is on its way. */
  ended: 'completed' | 'lost' | null;
  at: number;
}

export interface BenchOptions {
  disks?: number;
  config?: Partial<DiskConfig>;
}

export class Bench {
  readonly clock = new Clock();
  readonly servers: DeviceServers;
  readonly disks: Disk[];
  readonly fabric: Fabric;
  /** Writes that landed. */
  readonly landed: { disk: number; nexus: number; lba: number; blocks: number; at: number }[] = [];
  readonly ended: { disk: number; task: Task }[] = [];
  readonly reserved: { disk: number; action: number; status: number }[] = [];

  constructor({ disks = 1, config = {} }: BenchOptions = {}) {
    this.servers = new DeviceServers(disks);
    const watcher = {
      wrote: (disk: number, nexus: number, lba: number, blocks: number): void => {
        this.landed.push({ disk, nexus, lba, blocks, at: this.clock.now });
      },
      ended: (disk: number, task: Task): void => void this.ended.push({ disk, task }),
      reserved: (disk: number, task: Task): void => {
        this.reserved.push({ disk, action: task.cdb[1]! & 0x1f, status: task.status });
      },
    };
    this.disks = Array.from({ length: disks }, (_, number) => {
      const wwn = 0x5000c50000000000n + BigInt(number * 16);
      this.servers.create(number, { blocks: DISK_BYTES / SECTOR, wwn, serial: `B${number}`, rotation: 7200 });
      const whole: DiskConfig = {
        name: `disk.${number}`,
        role: 'data',
        owner: null,
        sizeMib: DISK_BYTES >> 20,
        volume: null,
        accessUs: 5000,
        rateMbS: 200,
        reserveUs: 700,
        immediate: false,
        blockBytes: SECTOR,
        physicalExponent: 3,
        thin: false,
        protection: 0,
        writeProtected: false,
        writeCache: false,
        ...config,
      };
      return new Disk(number, whole, new MemoryMedium(DISK_BYTES), this.servers, this.clock, watcher);
    });
    for (const { number } of this.disks) {
      for (const board of [0, 1]) {
        for (const port of [0, 1]) {
          const nexus = nexusOf(board, port);
          this.servers.login(number, nexus, initiatorAddress(board, port), port === 0 ? 1 : 2);
          // The power-on is told to each nexus once, [SPC-4] 5.14.
          for (let n = 0; n < 3; n++) this.servers.execute(number, nexus, TEST_UNIT_READY, null, 0);
        }
      }
    }
    this.fabric = new Fabric(this.clock, this.disks);
  }

  /** A task on its way from nowhere yet; `initiator` by default one that only notes the end. */
  task(nexus: number, cdb: Uint8Array, data: Uint8Array | number = 0, disk = 0): Sent {
    const memory = typeof data === 'number' ? new Uint8Array(data) : data;
    const sent = { ended: null, at: 0 } as unknown as Sent;
    const note = (ended: 'completed' | 'lost') => (): void => {
      if (sent.ended !== null) throw new Error('a task ended twice');
      sent.ended = ended;
      sent.at = this.clock.now;
    };
    sent.task = {
      nexus,
      disk,
      cdb,
      memory,
      list: memory.length > 0 ? [0, memory.length] : [],
      bytes: memory.length,
      tag: 0,
      initiator: { completed: note('completed'), lost: note('lost') },
      orphan: false,
      state: 'queued',
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
    return sent;
  }

  /** A command that has arrived at the disk. */
  submit(nexus: number, cdb: Uint8Array, data: Uint8Array | number = 0, disk = 0): Sent {
    const sent = this.task(nexus, cdb, data, disk);
    this.disks[disk]!.submit(sent.task);
    return sent;
  }

  /** Runs it to its end, when nothing else happens. */
  execute(nexus: number, cdb: Uint8Array, data: Uint8Array | number = 0, disk = 0): Sent {
    const sent = this.submit(nexus, cdb, data, disk);
    this.drain();
    return sent;
  }

  reserve(nexus: number, action: number, key: bigint, service = 0n, disk = 0): Sent {
    const { cdb, data } = reserveOut(action, key, service);
    return this.submit(nexus, cdb, data, disk);
  }

  /** `nexus` registers `key` and holds a Write Exclusive reservation. */
  hold(nexus: number, key: bigint, disk = 0): void {
    for (const sent of [
      this.reserve(nexus, REGISTER_AND_IGNORE, 0n, key, disk),
      this.reserve(nexus, RESERVE, key, 0n, disk),
    ]) {
      if (sent.task.status !== GOOD) throw new Error(`no reservation: status ${sent.task.status}`);
    }
    this.drain();
  }

  /** Until nothing is scheduled. */
  drain(): void {
    while (this.clock.step());
  }

  onMedium(lba: number, blocks: number, disk = 0): Uint8Array {
    const into = new Uint8Array(blocks * SECTOR);
    this.disks[disk]!.medium.read(lba * SECTOR, into, 0, into.length);
    return into;
  }
}

export const filled = (blocks: number, byte: number): Uint8Array =>
  new Uint8Array(blocks * SECTOR).fill(byte);
