/** The Login Response PDU, RFC 7143 11.13. */
import { LOGIN_SUCCESS, type LoginReply } from './login-status.ts';
import {
  CMD_SN_AT,
  EXP_CMD_SN_AT,
  ITT_AT,
  LOGIN_RESPONSE,
  MAX_CMD_SN_AT,
  STAT_SN_AT,
  put32,
  u32,
} from './pdu.ts';
import type { Link, Session } from './session.ts';

const STATUS_CLASS_AT = 36;
const ISID_AT = 8;
const TSIH_AT = 14;

/** The answer to the request at `at`; `session`: once there is one. */
export function answerLogin(
  link: Link,
  session: Session | null,
  buf: Uint8Array,
  at: number,
  reply: LoginReply,
): void {
  const { output } = link;
  const out = output.begin(LOGIN_RESPONSE, reply.flags, reply.data.length);
  const to = output.buf;
  to.set(buf.subarray(at + ISID_AT, at + TSIH_AT + 2), out + ISID_AT);
  if (session !== null) {
    to[out + TSIH_AT] = session.identity.tsih >> 8;
    to[out + TSIH_AT + 1] = session.identity.tsih;
  }
  put32(to, out + ITT_AT, u32(buf, at + ITT_AT));
  if (reply.status === LOGIN_SUCCESS) {
    put32(to, out + STAT_SN_AT, link.statSn);
    link.statSn = (link.statSn + 1) >>> 0;
  }
  const cmdSn = u32(buf, at + CMD_SN_AT);
  put32(to, out + EXP_CMD_SN_AT, session?.expCmdSn ?? cmdSn);
  put32(to, out + MAX_CMD_SN_AT, session?.maxCmdSn ?? cmdSn);
  to[out + STATUS_CLASS_AT] = reply.status >> 8;
  to[out + STATUS_CLASS_AT + 1] = reply.status;
  to.set(reply.data, output.dataAt(out));
  output.end(out, reply.data.length);
}
