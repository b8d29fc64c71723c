/**
 * Text requests of the full feature phase: SendTargets, and the one key that may be declared anew. Long texts come and
 * go in pieces.
 *
 * RFC 7143 11.10, 11.11 (PDUs), 6.4 (negotiation in the full feature phase), Appendix C (SendTargets)
 */
import { answerKey, isDeclarable, isOperational } from './negotiate.ts';
import { FINAL, FLAGS_AT, ITT_AT, LUN_AT, NO_TAG, TEXT_RESPONSE, TTT_AT, put32, u32 } from './pdu.ts';
import { REJECT_PROTOCOL_ERROR, reject } from './reject.ts';
import type { Session } from './session.ts';
import { type Pair, formatText, parseText } from './text.ts';

/** The answer to SendTargets; `all`: every target, else the session's own. */
export type SendTargets = (all: boolean) => Pair[];

const CONTINUE = 0x40;
const TEXT_MAX = 65536;

export function textRequest(
  session: Session,
  buf: Uint8Array,
  at: number,
  dataAt: number,
  dataBytes: number,
): void {
  const flags = buf[at + FLAGS_AT]!;
  const ttt = u32(buf, at + TTT_AT);
  const bad = (): void => {
    forget(session);
    reject(session, REJECT_PROTOCOL_ERROR, buf, at);
  };
  if ((flags & FINAL) !== 0 && (flags & CONTINUE) !== 0) return bad();
  if (ttt === NO_TAG)
    forget(session); // another negotiation: the last one is over, 11.10.4
  else if (session.text === null || session.text.tag !== ttt) return bad();
  if (session.text !== null && session.text.rest.length > 0) {
    if (dataBytes > 0) return bad();
    return answer(session, buf, at, session.text.rest, true);
  }
  session.textInputBytes += dataBytes;
  if (session.textInputBytes > TEXT_MAX) return bad();
  session.textInput.push(buf.slice(dataAt, dataAt + dataBytes));
  if ((flags & CONTINUE) !== 0) return answer(session, buf, at, new Uint8Array(0), false);
  const pairs = parseText(Buffer.concat(session.textInput));
  if (pairs === null) return bad();
  session.textInput = [];
  session.textInputBytes = 0;
  answer(session, buf, at, formatText(answersOf(session, pairs)), (flags & FINAL) !== 0);
}

function forget(session: Session): void {
  session.text = null;
  session.textInput = [];
  session.textInputBytes = 0;
}

function answersOf(session: Session, pairs: readonly Pair[]): Pair[] {
  const out: Pair[] = [];
  for (const [key, value] of pairs) {
    if (key === 'SendTargets') out.push(...sendTargets(session, value));
    else if (isDeclarable(key)) {
      const said = answerKey(session.parameters, [key, value]);
      if (said !== null) out.push([key, said]);
    } else out.push([key, isOperational(key) ? 'Reject' : 'NotUnderstood']);
  }
  return out;
}

/** All in a discovery session only; none, or the target's own name: the target of the session. */
function sendTargets(session: Session, value: string): Pair[] {
  const { target, nexus } = session.identity;
  if (value === 'All') return nexus === null ? session.sendTargets(true) : [['SendTargets', 'Reject']];
  if (nexus === null) return session.sendTargets(true).filter((_pair, i, all) => ofTarget(all, i, value));
  return value === '' || value === target ? session.sendTargets(false) : [];
}

/** In a list of targets, each a TargetName with what belongs to it: true for what belongs to `wanted`. */
function ofTarget(all: readonly Pair[], index: number, wanted: string): boolean {
  for (let i = index; i >= 0; i--) if (all[i]![0] === 'TargetName') return all[i]![1] === wanted;
  return false;
}

/** One piece of the answer; with `complete` and nothing left it is the last. */
function answer(session: Session, buf: Uint8Array, at: number, text: Uint8Array, complete: boolean): void {
  const piece = text.slice(0, session.parameters.initiatorSegment);
  const rest = text.slice(piece.length);
  const goesOn = rest.length > 0;
  const isFinal = complete && !goesOn;
  const itt = u32(buf, at + ITT_AT);
  const lunHi = u32(buf, at + LUN_AT);
  const lunLo = u32(buf, at + LUN_AT + 4);
  session.text = isFinal ? null : { tag: session.text?.tag ?? session.tag(), rest };
  const { output } = session.link;
  const out = output.begin(TEXT_RESPONSE, (isFinal ? FINAL : 0) | (goesOn ? CONTINUE : 0), piece.length);
  put32(output.buf, out + LUN_AT, lunHi);
  put32(output.buf, out + LUN_AT + 4, lunLo);
  put32(output.buf, out + ITT_AT, itt);
  put32(output.buf, out + TTT_AT, session.text?.tag ?? NO_TAG);
  session.stamp(output.buf, out, true);
  output.buf.set(piece, output.dataAt(out));
  output.end(out, piece.length);
}
