/** Logical unit numbers, [SAM-5] 4.7: eight bytes, of which single level addressing uses two. */
import { u32 } from './pdu.ts';

/** The number of the logical unit, or -1 for an address that no disk has. */
export function lunOf(buf: Uint8Array, at: number): number {
  const first = (buf[at]! << 8) | buf[at + 1]!;
  if (((buf[at + 2]! << 8) | buf[at + 3]! | u32(buf, at + 4)) !== 0) return -1;
  if (first < 256) return first; // 00b, peripheral device of bus 0
  return first >> 14 === 1 ? first & 0x3fff : -1; // 01b, flat space
}
