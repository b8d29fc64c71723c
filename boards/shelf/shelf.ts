/**
 * The shelf: disks made from their description, with their device servers.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as L from '../../asm/layout.ts';
import type { Clock } from '../clock.ts';
import type { DiskConfig, LeftoverConfig, Scenario } from '../scenario.ts';
import { Disk, type DiskWatcher } from './disk.ts';
import { Fabric, initiatorAddress, nexusOf } from './fabric.ts';
import { type Media, besidePath, inMemory, SYSTEM_IDS, openAll, takeFolder, wwnOf } from './images.ts';
import { ImageError } from './medium.ts';
import { DeviceServers } from './server.ts';
import { TargetPorts } from './target-port.ts';

export { SYSTEM_IDS, wwnOf } from './images.ts';
const BOARDS = 2;
const PORTS = 2;

export interface Shelf {
  disks: Disk[];
  fabric: Fabric;
  servers: DeviceServers;
  /** Where initiators from outside come in. */
  ports: TargetPorts;
  close(): void;
}

export function makeShelf(
  scenario: Scenario,
  clock: Clock,
  watcher: DiskWatcher,
  folder: string | null,
): Shelf {
  const configs = scenario.disks;
  const servers = new DeviceServers(configs.length);
  const release = folder === null ? () => {} : takeFolder(folder);
  let media: Media[];
  try {
    media =
      folder === null
        ? configs.map((config, number) => inMemory(config, number, servers))
        : openAll(configs, folder, servers);
  } catch (error) {
    release();
    throw error;
  }
  const disks = configs.map((config, number) =>
    makeDisk(number, config, media[number]!, servers, clock, watcher),
  );
  for (const disk of disks) disk.peers = disks;
  for (const disk of disks)
    if (folder !== null) keep(disk, servers, besidePath(folder, disk.config, 'reservations'));
  for (const disk of disks) disk.resume();
  for (const disk of disks) attach(servers, disk.number);
  for (const leftover of scenario.leftover) leave(servers, disks, leftover);
  const fabric = new Fabric(clock, disks);
  const close = (): void => {
    for (const { medium, tags } of media) {
      medium.close();
      tags?.close();
    }
    release();
  };
  return { disks, fabric, servers, ports: new TargetPorts(disks, servers), close };
}

/** A disk and its logical unit. */
export function makeDisk(
  number: number,
  config: DiskConfig,
  { medium, tags }: Media,
  servers: DeviceServers,
  clock: Clock,
  watcher: DiskWatcher,
): Disk {
  servers.create(number, {
    blocks: medium.bytes / config.blockBytes,
    blockBytes: config.blockBytes,
    physicalExponent: config.physicalExponent,
    flags: flagsOf(config),
    wwn: wwnOf(number),
    serial: `SC${String(number).padStart(6, '0')}`,
    rotation: 7200,
    maxTransferBlocks: ((config.maxTransferKib ?? 0) * 1024) / config.blockBytes,
  });
  return new Disk(number, config, medium, servers, clock, watcher, tags);
}

/** LU_FLAG_* of a disk. */
function flagsOf(config: DiskConfig): number {
  return (
    (config.writeCache ? L.LU_FLAG_WRITE_CACHE : 0) |
    (config.writeProtected ? L.LU_FLAG_READ_ONLY : 0) |
    (config.thin ? L.LU_FLAG_THIN : 0) |
    (config.protection === 1 ? L.LU_FLAG_PROTECTED : 0)
  );
}

/** What outlives power loss, as reservations made with APTPL, lies in a file beside the image, replaced as a whole. */
function keep(disk: Disk, servers: DeviceServers, path: string): void {
  if (existsSync(path)) servers.loadNonVolatile(disk.number, readFileSync(path));
  disk.keepReservations = (image) => {
    try {
      writeFileSync(`${path}.new`, image);
      renameSync(`${path}.new`, path);
    } catch (error) {
      throw new ImageError(path, error);
    }
  };
}

function attach(servers: DeviceServers, unit: number): void {
  for (let board = 0; board < BOARDS; board++) {
    for (let port = 0; port < PORTS; port++) {
      servers.login(unit, nexusOf(board, port), initiatorAddress(board, port), port === 0 ? 1 : 2);
    }
  }
}

/** A reservation of an earlier life, made as that board made it. */
function leave(servers: DeviceServers, disks: readonly Disk[], leftover: LeftoverConfig): void {
  const board = leftover.board === 'a' ? 0 : 1;
  const key = (BigInt(SYSTEM_IDS[board]) << 32n) | BigInt(leftover.epoch);
  for (const { number, config } of disks) {
    if (config.role === 'free') continue;
    if (leftover.disks !== 'all' && !leftover.disks.includes(config.name)) continue;
    // Write Exclusive; the mailbox disk's is Registrants Only, [SPC-4] table 193
    const type = config.role === 'mailbox' ? 0x05 : 0x01;
    reserveOut(servers, number, nexusOf(board, 0), 0x06, type, 0n, key); // REGISTER AND IGNORE EXISTING KEY
    reserveOut(servers, number, nexusOf(board, 0), 0x01, type, key, 0n); // RESERVE
  }
}

function reserveOut(
  servers: DeviceServers,
  unit: number,
  nexus: number,
  action: number,
  type: number,
  key: bigint,
  service: bigint,
): void {
  const list = new Uint8Array(24);
  const view = new DataView(list.buffer);
  view.setBigUint64(0, key);
  view.setBigUint64(8, service);
  if (action === 0x06) list[20] = 1; // APTPL
  const cdb = Uint8Array.of(0x5f, action, type, 0, 0, 0, 0, 0, 24, 0);
  // The first command of a nexus is told of the power-on, [SPC-4] 5.14.
  for (let n = 0; n < 4; n++) if (servers.execute(unit, nexus, cdb, list, 24).status === 0) return;
  throw new Error(`a reservation left over could not be made on unit ${unit}`);
}
