/** Reject: a PDU that is not carried out, with the reason and its header. RFC 7143 11.17. */
import { BHS_BYTES, DATA_SN_AT, FINAL, ITT_AT, NO_TAG, REJECT, put32 } from './pdu.ts';
import type { Session } from './session.ts';

export const REJECT_DATA_DIGEST = 0x02;
export const REJECT_SNACK = 0x03;
export const REJECT_PROTOCOL_ERROR = 0x04;
export const REJECT_NOT_SUPPORTED = 0x05;
export const REJECT_TOO_MANY_IMMEDIATE = 0x06;
export const REJECT_IN_PROGRESS = 0x07;
export const REJECT_INVALID_FIELD = 0x09;

export function reject(session: Session, reason: number, buf: Uint8Array, at: number): void {
  const { output } = session.link;
  const header = buf.slice(at, at + BHS_BYTES);
  const out = output.begin(REJECT, FINAL, BHS_BYTES);
  output.buf[out + 2] = reason;
  put32(output.buf, out + ITT_AT, NO_TAG);
  session.stamp(output.buf, out, true);
  put32(output.buf, out + DATA_SN_AT, 0);
  output.buf.set(header, output.dataAt(out));
  output.end(out, BHS_BYTES);
}
