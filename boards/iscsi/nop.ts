/**
 * NOP: the initiator's ping is answered with its data; ours finds out whether anybody is there, or tells of the command
 * window.
 *
 * RFC 7143 11.18 (NOP-Out), 11.19 (NOP-In)
 */
import { DATA_SN_AT, FINAL, ITT_AT, NOP_IN, NO_TAG, TTT_AT, put32, u32 } from './pdu.ts';
import type { Session } from './session.ts';

/** An unsolicited NOP-In; with a tag the initiator must answer it. */
export function nopIn(session: Session, tag: number | null): void {
  const { output } = session.link;
  const at = output.begin(NOP_IN, FINAL, 0);
  put32(output.buf, at + ITT_AT, NO_TAG);
  put32(output.buf, at + TTT_AT, tag ?? NO_TAG);
  session.stamp(output.buf, at, false);
  put32(output.buf, at + DATA_SN_AT, 0);
  output.end(at, 0);
  session.link.flushSoon();
}

/** The answer to a NOP-Out that wants one. */
export function nopOut(
  session: Session,
  buf: Uint8Array,
  at: number,
  dataAt: number,
  dataBytes: number,
): void {
  const itt = u32(buf, at + ITT_AT);
  if (itt === NO_TAG) return; // the answer to ours, or a confirmation of StatSN
  const { output } = session.link;
  const bytes = Math.min(dataBytes, session.parameters.initiatorSegment);
  const out = output.begin(NOP_IN, FINAL, bytes);
  put32(output.buf, out + ITT_AT, itt);
  put32(output.buf, out + TTT_AT, NO_TAG);
  session.stamp(output.buf, out, true);
  output.buf.set(buf.subarray(dataAt, dataAt + bytes), output.dataAt(out));
  output.end(out, bytes);
}
