/**
 * Directory entries of an exFAT volume.
 *
 * [exFAT] Microsoft, "exFAT file system specification", 6.2 generic entry, 6.3.3 SetChecksum, 7.1 bitmap, 7.2 up-case
 *         table, 7.3 label, 7.4 file, 7.6 stream extension, 7.7 file name
 */
import type { Fields } from './source.ts';

/** Clusters with a length: one run of them, or a chain in the FAT. */
export interface Allocation {
  cluster: number;
  contiguous: boolean;
  bytes: number;
}

export interface Entry extends Allocation {
  name: string;
  directory: boolean;
  attributes: number;
  validBytes: number;
  /** Seconds since 1970; null when the entry does not say its offset from UTC. */
  modifiedUtc: number | null;
}

export interface Directory {
  label: string;
  bitmap: Allocation | null;
  upcase: Allocation | null;
  entries: Entry[];
  /** The end marker was met. */
  ended: boolean;
}

const BYTES = 32;

/** All of a directory up to its end marker. Malformed for a set that is cut, or whose checksum is wrong. */
export function parseDirectory(fields: Fields): Directory {
  const found: Directory = { label: '', bitmap: null, upcase: null, entries: [], ended: false };
  for (let at = 0; at + BYTES <= fields.bytes.length; at += BYTES) {
    const type = fields.u8(at);
    if (type === 0) {
      found.ended = true;
      break;
    }
    if (type === 0x83) found.label = utf16(fields.part(at + 2, 22).bytes, Math.min(11, fields.u8(at + 1)));
    else if (type === 0x81) found.bitmap ??= system(fields, at);
    else if (type === 0x82) found.upcase ??= system(fields, at);
    else if (type === 0x85) {
      found.entries.push(entrySet(fields, at));
      at += BYTES * fields.u8(at + 1);
    } else if (type >= 0xc0) fields.fail(at, 'a secondary entry without its primary one');
  }
  return found;
}

/** The bitmap and the up-case table: always a chain. */
function system(fields: Fields, at: number): Allocation {
  return { cluster: fields.u32(at + 20), contiguous: false, bytes: fields.size(at + 24) };
}

function entrySet(fields: Fields, at: number): Entry {
  const secondaries = fields.u8(at + 1);
  if (secondaries < 2 || secondaries > 18) fields.fail(at + 1, `${secondaries} secondary entries`);
  const set = fields.part(at, BYTES * (secondaries + 1));
  if (set.u16(2) !== checksum(set.bytes)) fields.fail(at, 'an entry set with a wrong checksum');
  if (set.u8(32) !== 0xc0) fields.fail(at + 32, 'no stream extension');
  const units = set.u8(35);
  if (units < 1 || Math.ceil(units / 15) > secondaries - 1)
    fields.fail(at + 35, `a name of ${units} characters`);
  const raw = new Uint8Array(2 * units);
  for (let i = 0; i < Math.ceil(units / 15); i++) {
    if (set.u8(64 + 32 * i) !== 0xc1) fields.fail(at + 64 + 32 * i, 'no file name entry');
    raw.set(set.part(66 + 32 * i, Math.min(30, 2 * units - 30 * i)).bytes, 30 * i);
  }
  const name = utf16(raw, units);
  if (hasForbidden(raw)) fields.fail(at + 64, 'a name with characters that none may have');
  const bytes = set.size(32 + 24);
  const validBytes = set.size(32 + 8);
  if (validBytes > bytes) fields.fail(at + 40, 'more valid bytes than bytes');
  const attributes = set.u16(4);
  return {
    name,
    directory: (attributes & 0x10) !== 0,
    attributes,
    cluster: set.u32(32 + 20),
    contiguous: (set.u8(33) & 2) !== 0,
    bytes,
    validBytes,
    modifiedUtc: utc(set.u32(12), set.u8(21), set.u8(23)),
  };
}

/** [exFAT] 7.7.3 table 35: control characters and nine others. */
function hasForbidden(raw: Uint8Array): boolean {
  for (let i = 0; i < raw.length; i += 2) {
    const unit = raw[i]! | (raw[i + 1]! << 8);
    if (unit < 0x20 || '"*/:<>?\\|'.includes(String.fromCharCode(unit))) return true;
  }
  return false;
}

function utf16(bytes: Uint8Array, units: number): string {
  return new TextDecoder('utf-16le').decode(bytes.subarray(0, 2 * units));
}

function checksum(set: Uint8Array): number {
  let sum = 0;
  set.forEach((byte, i) => {
    if (i !== 2 && i !== 3) sum = (((sum & 1) << 15) + (sum >> 1) + byte) & 0xffff;
  });
  return sum;
}

/** [exFAT] 7.4.8 to 7.4.10: local date and time, tens of milliseconds, offset in quarters of an hour. */
function utc(stamp: number, tens: number, offset: number): number | null {
  if ((offset & 0x80) === 0) return null;
  const quarters = ((offset & 0x7f) << 25) >> 25;
  const [date, time] = [stamp >>> 16, stamp & 0xffff];
  const ms = Date.UTC(
    1980 + (date >> 9),
    ((date >> 5) & 15) - 1,
    date & 31,
    time >> 11,
    (time >> 5) & 63,
    2 * (time & 31),
  );
  return ms / 1000 + Math.floor(tens / 100) - quarters * 900;
}
