/** Asynchronous messages: the target asks for a logout before it goes. RFC 7143 11.9. */
import { ASYNC_MESSAGE, FINAL, ITT_AT, NO_TAG, put32 } from './pdu.ts';
import type { Session } from './session.ts';

const LOGOUT_REQUESTED = 1;
const EVENT_AT = 36;
const PARAMETER_3_AT = 42;

export function requestLogout(session: Session): void {
  const { output } = session.link;
  const seconds = Math.ceil(session.around.limits.logoutMs / 1000);
  const at = output.begin(ASYNC_MESSAGE, FINAL, 0);
  put32(output.buf, at + ITT_AT, NO_TAG);
  session.stamp(output.buf, at, true);
  output.buf[at + EVENT_AT] = LOGOUT_REQUESTED;
  output.buf[at + PARAMETER_3_AT] = seconds >> 8;
  output.buf[at + PARAMETER_3_AT + 1] = seconds;
  output.end(at, 0);
}
