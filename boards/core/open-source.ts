/**
 * Finds the memory in what the user named: a core file, the raw image of a coredump disk, a root disk or exFAT volume
 * with cores in /cores (the newest, or IMAGE:/cores/NAME), or live:a and live:b.
 */
import type { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  ATTRIBUTE_INACTIVE,
  COREDUMP_LBA,
  DATA_LBA,
  LABEL_LBA,
  ROLE_ROOT,
  SECTOR_BYTES,
  TAIL_BLOCKS,
} from '../../asm/layout.ts';
import { EXIT_BAD_CORE, InputError } from '../input-error.ts';
import { containedImage } from './container.ts';
import { CoreFile } from './core-file.ts';
import { CoreSource } from './core-source.ts';
import { WrongKey } from './decrypt.ts';
import { Exfat } from './exfat.ts';
import { HostFile } from './host-file.ts';
import { DumpImage } from './image.ts';
import { ImageSource } from './image-source.ts';
import type { MemorySource } from './memory-source.ts';
import { endOf, readHeaders, readLabels } from './records.ts';
import type { Label } from './records.ts';
import { Malformed } from './source.ts';
import type { Read } from './source.ts';
import { ROLES, word } from './words.ts';

/** Says of whoever reads `name` what is wrong with it, in one line. */
export function told<T>(name: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw toldOf(name, error);
  }
}

export const toldOf = (name: string, error: unknown): unknown =>
  error instanceof Malformed || error instanceof WrongKey
    ? new InputError(`${name}: ${error.message}`, EXIT_BAD_CORE)
    : error;

/** A file on the host, or one in a volume in it. */
export interface Location {
  path: string;
  inside: string | null;
}

export function locate(spec: string): Location {
  const at = spec.lastIndexOf(':/');
  if (at < 1 || existsSync(spec)) return { path: spec, inside: null };
  return { path: spec.slice(0, at), inside: spec.slice(at + 1) };
}

/** Opens a file; `live:` is not for here. InputError in one line when there is no memory in it. */
export function openFile(spec: string, privateKey: KeyObject | null = null): MemorySource {
  const { path, inside } = locate(spec);
  const file = new HostFile(path);
  try {
    return told(path, () => openIn(file, inside, privateKey));
  } catch (error) {
    file.close();
    throw error;
  }
}

/** What a file is read through. */
export interface ReadableFile {
  path: string;
  bytes: number;
  read: Read;
  close(): void;
}

/** Malformed or InputError when there is no memory in it. `privateKey` opens what was encrypted to it. */
export function openIn(
  file: ReadableFile,
  inside: string | null,
  privateKey: KeyObject | null = null,
): MemorySource {
  const { path, bytes, read } = file;
  const close = (): void => file.close();
  const start = new TextDecoder('latin1').decode(read(0, 512));
  if (inside === null && (start.startsWith('\x7fELF') || start.startsWith(CONTAINER)))
    return coreIn(file, path, close, privateKey);
  const volume = volumeOf(file);
  if (volume !== null) {
    const found = inside ?? newestCore(volume, path);
    return coreIn(fileIn(volume.exfat, volume.read, found), `${path}:${found}`, close, privateKey);
  }
  if (inside !== null)
    throw new InputError(`${path}: holds no exFAT volume, so there is no ${inside} in it`, EXIT_BAD_CORE);
  if (bytes <= DATA_LBA * SECTOR_BYTES) throw notOne(path);
  const headers = readHeaders(read, COREDUMP_LBA);
  if (headers.newest === null) throw new InputError(withoutHeader(read, path), EXIT_BAD_CORE);
  const { chunks } = headers.newest;
  if (endOf(headers.newest) === ATTRIBUTE_INACTIVE || chunks === 0)
    throw new InputError(withoutDump(read, path), EXIT_BAD_CORE);
  return new ImageSource(new DumpImage(read, Math.floor(bytes / SECTOR_BYTES), { privateKey }), path, close);
}

/** How the container of an encrypted dump begins: HEADER_MAGIC. */
const CONTAINER = 'SCDH';

/** A core file, or the container of a dump that its saver could not read. */
function coreIn(
  { read, bytes }: { read: Read; bytes: number },
  name: string,
  close: () => void,
  privateKey: KeyObject | null,
): MemorySource {
  const start = new TextDecoder('latin1').decode(read(0, 4));
  return start === CONTAINER
    ? new ImageSource(containedImage(read, bytes, privateKey), name, close, true)
    : new CoreSource(new CoreFile(read, bytes), name, close);
}

const notOne = (path: string): InputError =>
  new InputError(`${path}: is no core file, disk image or exFAT volume`, EXIT_BAD_CORE);

/** What a damaged label holds must not reach a terminal as it is. */
const nameOf = ({ name }: Label): string => name.replace(/\p{Cc}/gu, '?');

function withoutHeader(read: Read, path: string): string {
  const label = readLabels(read, LABEL_LBA).newest;
  if (label === null)
    return `${path}: is no core file, and no disk image with a whole label or coredump header; sparecore core salvage may find something`;
  return `${path}: is a ${word(ROLES, label.role)} disk (${nameOf(label)}) without a valid coredump header; sparecore core salvage may find something`;
}

/** A disk is prepared for the next dump as soon as its board is up again. */
function withoutDump(read: Read, path: string): string {
  const label = readLabels(read, LABEL_LBA).newest;
  const disk = label === null ? 'disk' : `${word(ROLES, label.role)} disk (${nameOf(label)})`;
  return `${path}: is a ${disk} without a dump: its header says inactive; the core may be in /cores of the root disk, or sparecore core salvage finds what is left of it`;
}

export interface Volume {
  exfat: Exfat;
  read: Read;
}

/** The exFAT volume that the file is, or that a root disk has in its data region. */
export function volumeOf({ bytes, read }: Pick<ReadableFile, 'bytes' | 'read'>): Volume | null {
  const isVolume = (at: number): boolean =>
    new TextDecoder('latin1').decode(read(at, 11).subarray(3)) === 'EXFAT   ';
  if (isVolume(0)) return { exfat: new Exfat(read, bytes), read };
  const at = DATA_LBA * SECTOR_BYTES;
  if (!isVolume(at)) return null;
  const label = readLabels(read, LABEL_LBA).newest;
  if (label !== null && label.role !== ROLE_ROOT) return null;
  const inside: Read = (from, count) => read(at + from, count);
  return { exfat: new Exfat(inside, bytes - at - TAIL_BLOCKS * SECTOR_BYTES), read: inside };
}

/** By the date of the file, then by its name, where savecore puts the time. */
function newestCore({ exfat }: Volume, path: string): string {
  const hasCores = exfat.list('/').some(({ name, directory }) => directory && name === 'cores');
  const cores = hasCores ? exfat.list('/cores').filter(({ directory }) => !directory) : [];
  const key = ({ modifiedUtc, name }: (typeof cores)[number]): string =>
    `${String(modifiedUtc ?? 0).padStart(16, '0')} ${name}`;
  const newest = cores.toSorted((a, b) => (key(a) < key(b) ? 1 : -1))[0];
  if (!newest) throw new InputError(`${path}: no core in /cores of its volume`, EXIT_BAD_CORE);
  return newest.path;
}

/** A file of the volume as something that can be read at any place. */
export function fileIn(volume: Exfat, read: Read, path: string): { read: Read; bytes: number } {
  const extents = volume.extents(path);
  const { bytes, validBytes } = volume.stat(path);
  return {
    bytes,
    read: (at, count) => {
      const out = new Uint8Array(Math.max(0, Math.min(count, bytes - at)));
      let start = 0;
      for (const extent of extents) {
        const first = Math.max(at, start);
        const end = Math.min(at + out.length, start + extent.bytes, validBytes);
        if (first < end) {
          const got = read(extent.at + (first - start), end - first);
          out.set(got, first - at);
          if (got.length < end - first) return out.subarray(0, first - at + got.length);
        }
        start += extent.bytes;
      }
      return out;
    },
  };
}
