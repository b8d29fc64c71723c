/** Logical unit numbers, [SAM-5] 4.7: eight bytes, of which single level addressing uses two. */
import { put32, u32 } from './pdu.ts';

const WELL_KNOWN_REPORT_LUNS = 0xc101;
export const REPORT_LUNS_UNIT = -2;

/** The number of the logical unit, REPORT_LUNS_UNIT, or -1 for an address that none can have. */
export function lunOf(buf: Uint8Array, at: number): number {
  const first = (buf[at]! << 8) | buf[at + 1]!;
  if (((buf[at + 2]! << 8) | buf[at + 3]! | u32(buf, at + 4)) !== 0) return -1;
  if (first < 256) return first; // 00b, peripheral device of bus 0
  if (first >> 14 === 1) return first & 0x3fff; // 01b, flat space
  return first === WELL_KNOWN_REPORT_LUNS ? REPORT_LUNS_UNIT : -1;
}

export function putLun(buf: Uint8Array, at: number, lun: number): void {
  put32(buf, at, (lun < 256 ? lun : 0x4000 | lun) << 16);
  put32(buf, at + 4, 0);
}
