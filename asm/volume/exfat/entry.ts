/**
 * Directory entries: what a file is called, where it lies and since when.
 *
 * [exFAT] Microsoft, "exFAT file system specification", 6.3 generic primary entry, 7.4 file, 7.6 stream extension,
 *         7.7 file name
 */
import { sum16 } from '../../bytes/sum';
import { ENTRY_BYTES } from './volume';
import { upcase } from './upcase';

export const TYPE_BITMAP: u32 = 0x81;
export const TYPE_UPCASE: u32 = 0x82;
export const TYPE_LABEL: u32 = 0x83;
export const TYPE_FILE: u32 = 0x85;
export const TYPE_STREAM: u32 = 0xc0;
export const TYPE_NAME: u32 = 0xc1;
/** A file entry whose InUse bit is off: skipped, [exFAT] 6.2.1.4. */
export const TYPE_UNUSED: u32 = 0x05;

export const ATTRIBUTE_DIRECTORY: u32 = 0x10;
export const ATTRIBUTE_ARCHIVE: u32 = 0x20;
export const ALLOCATION_POSSIBLE: u32 = 1;
export const NO_FAT_CHAIN: u32 = 2;
const NAME_UNITS: u32 = 15;
const NAME_MAX: u32 = 255;

/** Entries in the set of a file whose name has `nameBytes` characters. */
export function set_entries(nameBytes: u32): u32 {
  return 2 + (nameBytes + NAME_UNITS - 1) / NAME_UNITS;
}

/**
 * Builds the entry set of a file or directory at `at`. The name is ASCII of 1 to 255 bytes (see name_valid), `flags`
 * are GeneralSecondaryFlags, the times `utc` in seconds.
 */
export function set_build(
  at: usize,
  name: usize,
  nameBytes: u32,
  attributes: u32,
  flags: u32,
  cluster: u32,
  bytes: u64,
  utc: u64,
): void {
  const entries = set_entries(nameBytes);
  memory.fill(at, 0, entries * ENTRY_BYTES);
  store<u8>(at, TYPE_FILE);
  store<u8>(at, entries - 1, 1);
  store<u16>(at, attributes, 4);
  const stamp = timestamp(utc);
  const tens: u32 = utc & 1 ? 100 : 0;
  store<u32>(at, stamp, 8);
  store<u32>(at, stamp, 12);
  store<u32>(at, stamp, 16);
  store<u8>(at, tens, 20);
  store<u8>(at, tens, 21);
  for (let i: usize = 22; i < 25; i++) store<u8>(at + i, 0x80); // UTC itself, [exFAT] 7.4.10
  const stream = at + ENTRY_BYTES;
  store<u8>(stream, TYPE_STREAM);
  store<u8>(stream, flags, 1);
  store<u8>(stream, nameBytes, 3);
  store<u64>(stream, bytes, 8);
  store<u32>(stream, cluster, 20);
  store<u64>(stream, bytes, 24);
  set_name(at, name, nameBytes);
  store<u16>(at, set_checksum(at), 2);
}

function set_name(at: usize, name: usize, nameBytes: u32): void {
  let hash: u32 = 0;
  for (let i: u32 = 0; i < nameBytes; i++) {
    const unit: u32 = load<u8>(name + i);
    const entry = at + (2 + i / NAME_UNITS) * ENTRY_BYTES;
    store<u8>(entry, TYPE_NAME);
    store<u16>(entry + 2 + 2 * (i % NAME_UNITS), unit);
    hash = hash_byte(hash_byte(hash, upcase(unit)), 0);
  }
  store<u16>(at + ENTRY_BYTES, hash, 4);
}

/** One byte of NameHash, [exFAT] 7.6.4. */
function hash_byte(hash: u32, byte: u32): u32 {
  return (((hash << 15) | (hash >> 1)) + byte) & 0xffff;
}

/** SetChecksum of the entry set at `at`, without its own field, [exFAT] 6.3.3. */
export function set_checksum(at: usize): u32 {
  const bytes = (<u32>load<u8>(at, 1) + 1) * ENTRY_BYTES;
  return sum16(sum16(0, at, 2), at + 4, bytes - 4);
}

/**
 * True when the whole set at `at`, with `room` bytes up to the end of the buffer, is a file or directory with a good
 * checksum.
 */
export function set_valid(at: usize, room: u32): bool {
  const secondaries: u32 = load<u8>(at, 1);
  if (load<u8>(at) != TYPE_FILE || secondaries < 2 || (secondaries + 1) * ENTRY_BYTES > room) return false;
  if (load<u8>(at + ENTRY_BYTES) != TYPE_STREAM || load<u8>(at + 2 * ENTRY_BYTES) != TYPE_NAME) return false;
  const units: u32 = load<u8>(at + ENTRY_BYTES, 3);
  return units > 0 && set_entries(units) <= secondaries + 1 && load<u16>(at, 2) == set_checksum(at);
}

/** True when the valid set at `at` has this ASCII name, case aside, [exFAT] 7.7.3. */
export function set_named(at: usize, name: usize, nameBytes: u32): bool {
  if (<u32>load<u8>(at + ENTRY_BYTES, 3) != nameBytes) return false;
  for (let i: u32 = 0; i < nameBytes; i++) {
    const entry = at + (2 + i / NAME_UNITS) * ENTRY_BYTES;
    if (upcase(load<u16>(entry + 2 + 2 * (i % NAME_UNITS))) != upcase(load<u8>(name + i))) return false;
  }
  return true;
}

/** True for 1 to 255 printable ASCII characters without the nine that a name may not hold, [exFAT] 7.7.3 table 35. */
export function name_valid(name: usize, nameBytes: u32): bool {
  if (nameBytes < 1 || nameBytes > NAME_MAX) return false;
  for (let i: u32 = 0; i < nameBytes; i++) {
    const c: u32 = load<u8>(name + i);
    if (c < 0x20 || c > 0x7e) return false;
    if (c == 0x22 || c == 0x2a || c == 0x2f || c == 0x3a || c == 0x3c || c == 0x3e || c == 0x3f) return false;
    if (c == 0x5c || c == 0x7c) return false;
  }
  return true;
}

/** Seconds since 1970 as a timestamp, held to the years 1980 to 2107, [exFAT] 7.4.8. */
export function timestamp(utc: u64): u32 {
  if (utc < 315532800) return 0x00210000; // 1980-01-01
  if (utc > 4354819199) return 0xff9fbf7d; // 2107-12-31 23:59:58
  const second = <u32>(utc % 86400);
  // The proleptic Gregorian calendar from days, in years that begin on 1 March, so that the leap day comes last.
  const z = <u32>(utc / 86400) + 719468;
  const era = z / 146097;
  const dayOfEra = z % 146097;
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const m = (5 * dayOfYear + 2) / 153;
  const day = dayOfYear - (153 * m + 2) / 5 + 1;
  const month = m < 10 ? m + 3 : m - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const date = ((year - 1980) << 9) | (month << 5) | day;
  const time = ((second / 3600) << 11) | (((second / 60) % 60) << 5) | ((second % 60) >> 1);
  return (date << 16) | time;
}
