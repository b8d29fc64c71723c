/**
 * The shelf: disks made from their description, formatted or opened, with their device servers. Images in a folder are
 * never overwritten unless they are ours: a folder that holds anything else is refused as a whole, before a byte is
 * written.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as L from '../../asm/layout.ts';
import type { Clock } from '../clock.ts';
import { EXIT_BAD_IMAGE, InputError } from '../input-error.ts';
import type { DiskConfig, DiskRole, LeftoverConfig, Scenario } from '../scenario.ts';
import { Disk, type DiskWatcher } from './disk.ts';
import { Fabric, initiatorAddress, nexusOf } from './fabric.ts';
import { formatDisk, inspectDisk } from './format.ts';
import { lockFolder } from './lock.ts';
import { FileMedium, type Medium, MemoryMedium } from './medium.ts';
import { DeviceServers } from './server.ts';

export const SYSTEM_IDS: readonly [number, number] = [1001, 1002];
const BOARDS = 2;
const PORTS = 2;
const ROLES: Readonly<Record<DiskRole, number>> = {
  free: L.ROLE_FREE,
  root: L.ROLE_ROOT,
  data: L.ROLE_DATA,
  spare: L.ROLE_SPARE,
  dump: L.ROLE_DUMP,
  mailbox: L.ROLE_MAILBOX,
};

/** World wide name of disk `number`: NAA 5h, a made-up company id. */
export const wwnOf = (number: number): bigint => 0x5_0acc_d000_0000_000n + BigInt(number * 16);

export interface Shelf {
  disks: Disk[];
  fabric: Fabric;
  servers: DeviceServers;
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
  let media: Medium[];
  try {
    media =
      folder === null
        ? configs.map((config) => new MemoryMedium(bytesOf(config)))
        : openAll(configs, folder, servers);
  } catch (error) {
    release();
    throw error;
  }
  const disks = configs.map((config, number) => {
    const medium = media[number]!;
    if (folder === null) format(servers, medium, config, number);
    servers.create(number, {
      blocks: medium.bytes / L.SECTOR_BYTES,
      wwn: wwnOf(number),
      serial: `SC${String(number).padStart(6, '0')}`,
      rotation: 7200,
      maxTransferBlocks: ((config.maxTransferKib ?? 0) * 1024) / L.SECTOR_BYTES,
    });
    return new Disk(number, config, medium, servers, clock, watcher);
  });
  for (const disk of disks) if (folder !== null) keep(disk, servers, reservationsPath(folder, disk.config));
  for (const disk of disks) attach(servers, disk.number);
  for (const leftover of scenario.leftover) leave(servers, disks, leftover);
  const fabric = new Fabric(clock, disks);
  const close = (): void => {
    media.forEach((medium) => medium.close());
    release();
  };
  return { disks, fabric, servers, close };
}

const bytesOf = (config: DiskConfig): number => config.sizeMib * 2 ** 20;
const imagePath = (folder: string, config: DiskConfig): string => join(folder, `${config.name}.img`);
const reservationsPath = (folder: string, config: DiskConfig): string =>
  join(folder, `${config.name}.reservations`);

function format(servers: DeviceServers, medium: Medium, config: DiskConfig, number: number): void {
  formatDisk(servers.call, (at, bytes) => medium.write(at, bytes, 0, bytes.length), {
    blocks: medium.bytes / L.SECTOR_BYTES,
    wwn: wwnOf(number),
    role: ROLES[config.role],
    owner: config.owner === null ? 0 : SYSTEM_IDS[config.owner === 'a' ? 0 : 1],
    name: config.name,
    volume: config.volume,
    guidSeed: wwnOf(number),
  });
}

/** Looks at every image before it writes to any. */
function openAll(configs: readonly DiskConfig[], folder: string, servers: DeviceServers): Medium[] {
  configs.forEach((config, number) => refuse(config, number, imagePath(folder, config), servers));
  return configs.map((config, number) => {
    const path = imagePath(folder, config);
    if (existsSync(path)) return new FileMedium(path, bytesOf(config), false);
    const medium = new FileMedium(path, bytesOf(config), true);
    format(servers, medium, config, number);
    return medium;
  });
}

/** Takes the folder for this run; a folder that cannot be made or written is the user's to mend. */
function takeFolder(folder: string): () => void {
  if (existsSync(folder) && !statSync(folder).isDirectory()) {
    throw new InputError(`${folder}: is a file; --disks takes a folder`, EXIT_BAD_IMAGE);
  }
  try {
    // One level at a time: some file systems never let a recursive mkdir end.
    if (!existsSync(folder)) mkdirSync(folder);
    return lockFolder(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof InputError || code === undefined) throw error;
    throw new InputError(
      `${folder}: cannot be used for disks (${code}); --disks takes a folder that can be written`,
      EXIT_BAD_IMAGE,
    );
  }
}

/** Throws for an image that this scenario did not make. */
function refuse(config: DiskConfig, number: number, path: string, servers: DeviceServers): void {
  if (!existsSync(path)) return;
  const no = (what: string): never => {
    throw new InputError(`${path}: ${what}; nothing was written, use another folder`, EXIT_BAD_IMAGE);
  };
  if (!statSync(path).isFile()) no('is not a file');
  if (statSync(path).size !== bytesOf(config))
    no(`has ${statSync(path).size} bytes where disk ${config.name} has ${bytesOf(config)}`);
  const medium = new FileMedium(path, bytesOf(config), false);
  try {
    const found = inspectDisk(
      servers.call,
      (at, bytes) => {
        const into = new Uint8Array(Math.max(0, Math.min(bytes, medium.bytes - at)));
        medium.read(at, into, 0, into.length);
        return into;
      },
      medium.bytes / L.SECTOR_BYTES,
    );
    if (found.kind === 'foreign') no(`is a disk of another format (${found.what})`);
    if (found.kind === 'blank') no('is blank: an image that sparecore did not make');
    if (found.kind === 'torn label') no('has no valid label: its formatting or relabelling was cut');
    if (found.kind !== 'ours') return;
    if (found.damaged) no('has a damaged partition table: something else has written to it');
    if (found.label.wwn !== wwnOf(number) || found.label.role !== ROLES[config.role]) {
      no(`is disk ${found.label.name} of another shelf`);
    }
  } finally {
    medium.close();
  }
}

/** Reservations made with APTPL survive in a file beside the image, replaced as a whole. */
function keep(disk: Disk, servers: DeviceServers, path: string): void {
  if (existsSync(path)) servers.loadNonVolatile(disk.number, readFileSync(path));
  disk.keepReservations = (image) => {
    writeFileSync(`${path}.new`, image);
    renameSync(`${path}.new`, path);
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
