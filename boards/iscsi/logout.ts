/** Logout: of the session, or of its only connection. RFC 7143 11.14, 11.15. */
import { FINAL, FLAGS_AT, ITT_AT, LOGOUT_RESPONSE, TTT_AT, put32, u32 } from './pdu.ts';
import type { Session } from './session.ts';

const CLOSE_SESSION = 0;
const CLOSE_CONNECTION = 1;
const FOR_RECOVERY = 2;

const CLOSED = 0;
const CID_NOT_FOUND = 1;
const RECOVERY_NOT_SUPPORTED = 2;
const FAILED = 3;
const TIME_2_WAIT_AT = 40;

/** Returns true when the connection ends after the response. */
export function logout(session: Session, buf: Uint8Array, at: number): boolean {
  const reason = buf[at + FLAGS_AT]! & 0x7f;
  const cid = u32(buf, at + TTT_AT) >>> 16;
  let response = FAILED;
  if (reason === CLOSE_SESSION) response = CLOSED;
  else if (reason === CLOSE_CONNECTION) response = cid === session.link.cid ? CLOSED : CID_NOT_FOUND;
  else if (reason === FOR_RECOVERY) response = RECOVERY_NOT_SUPPORTED;
  if (response === CLOSED) session.endTasks();
  const { output } = session.link;
  const out = output.begin(LOGOUT_RESPONSE, FINAL, 0);
  output.buf[out + 2] = response;
  put32(output.buf, out + ITT_AT, u32(buf, at + ITT_AT));
  session.stamp(output.buf, out, true);
  put32(output.buf, out + TIME_2_WAIT_AT, session.parameters.defaultTime2Wait << 16); // Time2Retain: 0
  output.end(out, 0);
  return response === CLOSED;
}
