/** Sense data as it must be, in either format. [SPC-4] 4.5.2 descriptor, 4.5.3 fixed, 4.5.2.4.2 field pointer */
import * as L from '../../../asm/layout.ts';

const FIXED = 0x70;
const DESCRIPTOR = 0x72;
const FIXED_BYTES = 18;
const SENSE_KEY_SPECIFIC = 2;
const CDB_LAST = 15;

/** What is wrong with the `bytes` bytes at `at`: not whole, no key, a pointer to a byte that is not there; or null. */
export function senseWrong(b: Uint8Array, at: number, bytes: number): string | null {
  const format = b[at]! & 0x7f;
  let specific = 0;
  if (format === FIXED) {
    if (bytes !== FIXED_BYTES || b[at + 7] !== FIXED_BYTES - 8) return `fixed sense data of ${bytes} bytes`;
    specific = at + 15;
  } else if (format === DESCRIPTOR) {
    if (bytes !== b[at + 7]! + 8 || bytes > L.TASK_SENSE_BYTES)
      return `descriptor sense data of ${bytes} bytes`;
    let next = at + 8;
    for (; next < at + bytes; next += 2 + b[next + 1]!)
      if (b[next] === SENSE_KEY_SPECIFIC) specific = next + 4;
    if (next !== at + bytes) return 'sense data descriptors that do not add up';
  } else return `sense data of format ${format}`;
  if (senseCode(b, at) === 0) return 'sense data that says nothing';
  const inCdb = specific !== 0 && (b[specific]! & 0xc0) === 0xc0;
  if (inCdb && ((b[specific + 1]! << 8) | b[specific + 2]!) > CDB_LAST)
    return 'a field pointer beyond the CDB';
  return null;
}

/** Sense key << 16 | additional sense code << 8 | its qualifier. */
export function senseCode(b: Uint8Array, at: number): number {
  return (b[at]! & 0x7f) === FIXED
    ? ((b[at + 2]! & 15) << 16) | (b[at + 12]! << 8) | b[at + 13]!
    : ((b[at + 1]! & 15) << 16) | (b[at + 2]! << 8) | b[at + 3]!;
}
