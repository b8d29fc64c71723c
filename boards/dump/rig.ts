/**
 * One board with nothing to do but to panic: the firmware, the HBA, the fabric and the device servers of any other
 * board, its spare on a medium of the caller's, and nobody who watches. For measuring the way of a dump: what else a
 * run does to be believed (an observer, a partner, clients) is not here.
 */
import * as L from '../../asm/layout.ts';
import * as F from '../../firmware/layout.ts';
import { Clock, MS, SECOND } from '../clock.ts';
import { EmulatedBoard } from '../emulated/board.ts';
import { Interconnect } from '../interconnect.ts';
import { loadFirmwareFor } from '../machine.ts';
import type { DiskConfig } from '../scenario.ts';
import { dumpMib, roundUp } from '../scenario-shelf.ts';
import { Fabric, initiatorAddress, nexusOf } from '../shelf/fabric.ts';
import { SYSTEM_IDS, blankFor, inMemory } from '../shelf/images.ts';
import type { Medium } from '../shelf/medium.ts';
import { DeviceServers } from '../shelf/server.ts';
import { makeDisk } from '../shelf/shelf.ts';

const MIB = 2 ** 20;
const MAILBOX = 0;
const SPARE = 2;
const NEXUS_PORTS = [0, 1] as const;
/** A board that found no spare in so long has none. */
const ELECTED_MAX = 120 * SECOND;
const DUMP_MAX = 3600 * SECOND;
/** Firmware, its tables, and the index of the cache of the largest memory lie below. */
export const CONTENT_AT = 16 * MIB;

export interface DumpRigOptions {
  memoryMib: number;
  /** By default 1. */
  cpus?: 1 | 2;
  codec: 'raw' | 'lz4';
  /** What the spare's blocks lie on: of spareBytes(memoryMib), all zero. */
  medium: Medium;
  /** The most that a WRITE may carry, KiB. */
  maxTransferKib?: number;
  /** The disks have the standard times of a disk; else none. */
  timed?: boolean;
}

export const spareBytes = (memoryMib: number): number => roundUp(dumpMib(memoryMib)) * MIB;

function diskOf(
  name: string,
  role: DiskConfig['role'],
  sizeMib: number,
  options: DumpRigOptions,
): DiskConfig {
  return {
    name,
    role,
    owner: role === 'mailbox' ? null : 'a',
    sizeMib,
    volume: null,
    accessUs: 2000,
    rateMbS: 1000,
    reserveUs: 700,
    immediate: options.timed !== true,
    blockBytes: L.SECTOR_BYTES,
    physicalExponent: 3,
    thin: false,
    protection: 0,
    writeProtected: false,
    writeCache: false,
    ...(role === 'spare' && options.maxTransferKib !== undefined
      ? { maxTransferKib: options.maxTransferKib }
      : {}),
  };
}

export class DumpRig {
  readonly clock = new Clock();
  readonly board: EmulatedBoard;
  readonly servers: DeviceServers;
  readonly medium: Medium;
  /** Board time, ns, of the panic, of the first block that landed after it, and of the end. */
  panicAt = 0;
  firstWriteAt = 0;
  endAt = 0;
  /** ATTRIBUTE_* that the dump ended with; null while it runs. */
  ended: number | null = null;
  commands = 0;
  written = 0;
  #elected = false;

  constructor(options: DumpRigOptions) {
    const { memoryMib } = options;
    const disks = [
      diskOf('mailbox', 'mailbox', 16, options),
      diskOf('a.root', 'root', 64, options),
      diskOf('a.spare.0', 'spare', spareBytes(memoryMib) / MIB, options),
    ];
    this.medium = options.medium;
    this.servers = new DeviceServers(disks.length);
    const watcher = {
      wrote: (disk: number, _nexus: number, _lba: number, blocks: number): void => this.#wrote(disk, blocks),
      ended: (): void => void this.commands++,
      reserved: (): void => {},
    };
    const made = disks.map((config, number) => {
      const media =
        number === SPARE
          ? { medium: blankFor(this.servers, this.medium, config, number), tags: null }
          : inMemory(config, number, this.servers);
      return makeDisk(number, config, media, this.servers, this.clock, watcher);
    });
    for (const disk of made) {
      disk.peers = made;
      for (const port of NEXUS_PORTS)
        this.servers.login(disk.number, nexusOf(0, port), initiatorAddress(0, port), port === 0 ? 1 : 2);
    }
    const fabric = new Fabric(this.clock, made);
    this.board = new EmulatedBoard(
      {
        index: 0,
        memoryBytes: memoryMib * MIB,
        periodUs: 100,
        postMs: 1,
        startUtc: 0,
        random: () => 0x5ca1ab1e,
      },
      this.clock,
      loadFirmwareFor(options.cpus ?? 1, null),
      fabric,
      new Interconnect(this.clock, 1000),
      { event: (_board, code, a, b) => this.#event(code, a, b), console: () => {}, power: () => {} },
    );
    this.#configure(options);
  }

  #configure({ codec, cpus }: DumpRigOptions): void {
    const words: readonly (readonly [number, number])[] = [
      [F.NV_SYSTEM, SYSTEM_IDS[0]],
      [F.NV_PARTNER, SYSTEM_IDS[1]],
      [F.NV_HEARTBEAT_MS, 1000],
      [F.NV_HEARTBEAT_LOSS_MS, 2000],
      [F.NV_LIMIT_MS, DUMP_MAX / MS],
      [F.NV_WATCHDOG_MS, 60_000],
      [F.NV_GIVEBACK_MS, F.NV_NEVER],
      [F.NV_ROOM_PERCENT, 100],
      [F.NV_FLOOR_MIB, 1],
      [F.NV_SAVE_SHARE, 50],
      [F.NV_CODEC, codec === 'lz4' ? L.CODEC_LZ4 : 0],
      [F.NV_OVERWRITE, 1],
      [F.NV_CPUS, cpus ?? 1],
    ];
    for (const [word, value] of words) this.board.nvram.write(word, value);
  }

  #event(code: number, a: number, b: number): void {
    if (code === F.EV_ELECTED && a === SPARE) this.#elected = true;
    if (code === F.EV_DUMP_NONE) this.ended = 0;
    if (code !== F.EV_DUMP_END) return;
    this.ended = b;
    this.endAt = this.clock.now;
  }

  #wrote(disk: number, blocks: number): void {
    if (this.panicAt === 0 || disk === MAILBOX) return;
    if (this.firstWriteAt === 0) this.firstWriteAt = this.clock.now;
    this.written += blocks * L.SECTOR_BYTES;
  }

  /** Power on, and on until the spare is chosen. Gives the memory that the caller may fill from CONTENT_AT on. */
  started(): Uint8Array {
    this.board.powerOn();
    while (!this.#elected) {
      if (this.clock.next > ELECTED_MAX) throw new Error('the board has chosen no spare');
      this.clock.step();
    }
    this.clock.runUntil(this.clock.now + 100 * MS);
    return this.board.ram()!;
  }

  /** The operator's button. */
  panic(): void {
    this.panicAt = this.clock.now;
    this.commands = 0;
    this.board.nmi(L.PANIC_OPERATOR, 0);
  }

  /** Up to `steps` events of the queue; true when the dump is over. */
  step(steps: number): boolean {
    const { clock } = this;
    for (let n = 0; n < steps && this.ended === null; n++) {
      if (!clock.step()) throw new Error('nothing happens any more, and the dump has not ended');
    }
    if (clock.now - this.panicAt > DUMP_MAX) throw new Error('the dump does not end');
    return this.ended !== null;
  }

  close(): void {
    this.board.release();
  }
}
