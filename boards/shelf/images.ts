/**
 * The media of a shelf's disks, in memory or as images in a folder. Images are never overwritten unless they are ours:
 * a folder that holds anything else is refused as a whole, before a byte is written.
 */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as L from '../../asm/layout.ts';
import { EXIT_BAD_IMAGE, InputError } from '../input-error.ts';
import type { DiskConfig, DiskRole } from '../scenario.ts';
import { formatDisk, inspectDisk } from './format.ts';
import { lockFolder } from './lock.ts';
import { FileMedium, type Medium, MemoryMedium } from './medium.ts';
import type { DeviceServers } from './server.ts';
import { ThinMedium, thinFile } from './thin.ts';

export const SYSTEM_IDS: readonly [number, number] = [1001, 1002];
const ROLES: Readonly<Record<DiskRole, number>> = {
  free: L.ROLE_FREE,
  root: L.ROLE_ROOT,
  data: L.ROLE_DATA,
  spare: L.ROLE_SPARE,
  dump: L.ROLE_DUMP,
  mailbox: L.ROLE_MAILBOX,
};

/** A larger disk is a free one, and has no format of ours. */
const FORMAT_MIB_MAX = 1 << 21;

/** World wide name of disk `number`: NAA 5h, a made-up company id. */
export const wwnOf = (number: number): bigint => 0x5_0acc_d000_0000_000n + BigInt(number * 16);

const bytesOf = (config: DiskConfig): number => config.sizeMib * 2 ** 20;
const imagePath = (folder: string, config: DiskConfig): string => join(folder, `${config.name}.img`);
/** A file beside the image. */
export const besidePath = (folder: string, config: DiskConfig, what: string): string =>
  join(folder, `${config.name}.${what}`);

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

/** The media of a disk: its blocks, and where it has them their protection information. */
export interface Media {
  medium: Medium;
  tags: Medium | null;
}

/** A disk of no format but what its initiators give it. Only such a one is thin, protected, of other blocks. */
const isBlank = (config: DiskConfig): boolean =>
  config.thin ||
  config.protection !== 0 ||
  config.writeProtected ||
  config.blockBytes !== L.SECTOR_BYTES ||
  config.sizeMib > FORMAT_MIB_MAX;

/**
 * A free disk that is there with its format beside it: whatever its initiators put where the label was, a file system
 * of their own for instance, it is ours.
 */
const isTaken = (config: DiskConfig, folder: string): boolean =>
  config.role === 'free' &&
  existsSync(imagePath(folder, config)) &&
  existsSync(besidePath(folder, config, 'format'));

const tagBytes = (config: DiskConfig): number => (bytesOf(config) / config.blockBytes) * L.PI_BYTES;

/** Media of nothing but zeros, in memory. */
export function emptyMedia(config: DiskConfig): Media {
  const whole = new MemoryMedium(bytesOf(config));
  return {
    medium: config.thin ? new ThinMedium(whole) : whole,
    tags: config.protection === 0 ? null : new MemoryMedium(tagBytes(config)),
  };
}

export function inMemory(config: DiskConfig, number: number, servers: DeviceServers): Media {
  const media = emptyMedia(config);
  if (!isBlank(config)) format(servers, media.medium, config, number);
  return media;
}

/** A medium of zeros, as the disk of this configuration comes from its maker. */
export function blankFor(servers: DeviceServers, medium: Medium, config: DiskConfig, number: number): Medium {
  format(servers, medium, config, number);
  return medium;
}

/** Looks at every image before it writes to any. */
export function openAll(configs: readonly DiskConfig[], folder: string, servers: DeviceServers): Media[] {
  configs.forEach((config, number) => {
    if (isBlank(config) || isTaken(config, folder)) refuseBlank(config, number, folder);
    else refuse(config, number, imagePath(folder, config), servers);
  });
  return configs.map((config, number) => {
    const path = imagePath(folder, config);
    const fresh = !existsSync(path);
    const whole = new FileMedium(path, bytesOf(config), fresh);
    if (isBlank(config)) return openBlank(config, number, folder, whole, fresh);
    if (fresh) format(servers, whole, config, number);
    if (fresh && config.role === 'free') tellFormat(config, number, folder);
    return { medium: whole, tags: null };
  });
}

function openBlank(config: DiskConfig, number: number, folder: string, whole: Medium, fresh: boolean): Media {
  const tagsPath = besidePath(folder, config, 'tags');
  if (fresh) tellFormat(config, number, folder);
  return {
    medium: config.thin ? thinFile(whole, besidePath(folder, config, 'map'), fresh) : whole,
    tags: config.protection === 0 ? null : new FileMedium(tagsPath, tagBytes(config), fresh),
  };
}

function no(path: string, what: string): never {
  throw new InputError(`${path}: ${what}; nothing was written, use another folder`, EXIT_BAD_IMAGE);
}

function tellFormat(config: DiskConfig, number: number, folder: string): void {
  writeFileSync(besidePath(folder, config, 'format'), formatLine(config, number));
}

/** What tells an image without a label from one of another shelf. */
function formatLine({ blockBytes, thin, protection }: DiskConfig, number: number): string {
  return `${JSON.stringify({ wwn: wwnOf(number).toString(16), blockBytes, thin, protection })}\n`;
}

/** Throws for an image, or a file beside it, that this scenario did not make. */
function refuseBlank(config: DiskConfig, number: number, folder: string): void {
  const image = imagePath(folder, config);
  const formatPath = besidePath(folder, config, 'format');
  if (!existsSync(image)) {
    for (const what of ['format', 'tags', 'map']) {
      const path = besidePath(folder, config, what);
      if (existsSync(path)) no(path, 'lies there without its image');
    }
    return;
  }
  if (!statSync(image).isFile()) no(image, 'is not a file');
  if (statSync(image).size !== bytesOf(config))
    no(image, `has ${statSync(image).size} bytes where disk ${config.name} has ${bytesOf(config)}`);
  if (!existsSync(formatPath)) no(image, 'is an image that sparecore did not make for this disk');
  if (readFileSync(formatPath, 'utf8') !== formatLine(config, number))
    no(formatPath, 'is of a disk of another format or shelf');
  const tags = besidePath(folder, config, 'tags');
  if (config.protection !== 0 && (!existsSync(tags) || statSync(tags).size !== tagBytes(config)))
    no(image, 'has lost the protection information beside it');
}

/** Takes the folder for this run; a folder that cannot be made or written is the user's to mend. */
export function takeFolder(folder: string): () => void {
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
  if (!statSync(path).isFile()) no(path, 'is not a file');
  if (statSync(path).size !== bytesOf(config))
    no(path, `has ${statSync(path).size} bytes where disk ${config.name} has ${bytesOf(config)}`);
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
    if (found.kind === 'foreign') no(path, `is a disk of another format (${found.what})`);
    if (found.kind === 'blank') no(path, 'is blank: an image that sparecore did not make');
    if (found.kind === 'torn label') no(path, 'has no valid label: its formatting or relabelling was cut');
    if (found.kind !== 'ours') return;
    if (found.damaged) no(path, 'has a damaged partition table: something else has written to it');
    if (found.label.wwn !== wwnOf(number) || found.label.role !== ROLES[config.role]) {
      no(path, `is disk ${found.label.name} of another shelf`);
    }
  } finally {
    medium.close();
  }
}
