/**
 * The fabric between boards and disks: HBA port p of each board is cabled to target port p of each disk. An I_T nexus
 * is a board's port on a disk's port.
 */
import type { Clock } from '../clock.ts';
import { US } from '../clock.ts';
import type { Disk } from './disk.ts';
import type { Task } from './task.ts';

const CABLE_US = 10;
const ARRIVE = 1;

/** SAS address of HBA port `port` of board `board`; NAA 5h, a made-up company id. */
export const initiatorAddress = (board: number, port: number): bigint =>
  0x5_0acc_e000_0000_000n + BigInt(board * 16 + port);

export const nexusOf = (board: number, port: number): number => board * 2 + port;
export const boardOf = (nexus: number): number => nexus >> 1;

export class Fabric {
  readonly disks: Disk[];
  #clock: Clock;
  #component: number;
  /** By slot; each slot is in use, or in #free. */
  #travelling: (Task | null)[] = [];
  #free: number[] = [];
  /** Paths that are down, as nexus * 64 + disk. */
  #down = new Set<number>();

  constructor(clock: Clock, disks: Disk[]) {
    this.#clock = clock;
    this.disks = disks;
    this.#component = clock.register((_kind, slot) => this.#arrive(slot));
  }

  /** True when somebody would answer on this path. */
  reachable(nexus: number, disk: number): boolean {
    const target = this.disks[disk];
    return target !== undefined && !target.dead && !this.#down.has(nexus * 64 + disk);
  }

  setPath(nexus: number, disk: number, up: boolean): void {
    if (up) this.#down.delete(nexus * 64 + disk);
    else this.#down.add(nexus * 64 + disk);
  }

  send(task: Task): void {
    const slot = this.#free.pop() ?? this.#travelling.length;
    this.#travelling[slot] = task;
    this.#clock.after(CABLE_US * US, this.#component, ARRIVE, slot);
  }

  #arrive(slot: number): void {
    const task = this.#travelling[slot]!;
    this.#travelling[slot] = null;
    this.#free.push(slot);
    if (task.orphan) return; // its sender stopped before it left
    if (!this.reachable(task.nexus, task.disk)) return task.initiator.lost(task);
    this.disks[task.disk]!.submit(task);
  }

  /** The initiator gives up on one task. */
  abandonTask(task: Task): void {
    task.orphan = true;
    this.disks[task.disk]?.abandonTask(task);
  }

  /** The initiator stops all DMA and forgets its tasks. */
  abandon(initiator: Task['initiator']): void {
    for (const task of this.#travelling) if (task?.initiator === initiator) task.orphan = true;
    for (const disk of this.disks) disk.abandon(initiator);
  }
}
