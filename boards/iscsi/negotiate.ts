/**
 * Operational keys: what each is by default, what we want, and how the two become one.
 *
 * RFC 7143 6.2 (negotiation), 13 (keys), 7144 for iSCSIProtocolLevel and TaskReporting
 */
import type { Pair } from './text.ts';

/** What a session runs with. `target...` is what we declared, `initiator...` what the other side did. */
export interface Parameters {
  headerDigest: boolean;
  dataDigest: boolean;
  initiatorSegment: number; // its MaxRecvDataSegmentLength
  maxBurst: number;
  firstBurst: number;
  initialR2T: boolean;
  immediateData: boolean;
  maxOutstandingR2T: number;
  defaultTime2Wait: number;
  defaultTime2Retain: number;
  protocolLevel: number;
}

/** Before anything is negotiated, RFC 7143 13. */
export const defaults = (): Parameters => ({
  headerDigest: false,
  dataDigest: false,
  initiatorSegment: 8192,
  maxBurst: 262144,
  firstBurst: 65536,
  initialR2T: true,
  immediateData: true,
  maxOutstandingR2T: 1,
  defaultTime2Wait: 2,
  defaultTime2Retain: 20,
  protocolLevel: 1,
});

/** MaxRecvDataSegmentLength of the target: data segments that it takes. */
export const TARGET_SEGMENT = 262144;
/** Before the full feature phase nobody declared anything. */
export const LOGIN_SEGMENT = 8192;
const SEGMENT_MAX = 2 ** 24 - 1;

type Rule =
  | { is: 'list'; ours: readonly string[]; set: (p: Parameters, value: string) => void }
  | { is: 'min' | 'max'; from: number; to: number; ours: number; set: (p: Parameters, value: number) => void }
  | { is: 'and' | 'or'; ours: boolean; set: (p: Parameters, value: boolean) => void }
  | { is: 'segment' }
  | { is: 'obsolete' };

const nothing = (): void => {};

const RULES: Readonly<Record<string, Rule>> = {
  HeaderDigest: {
    is: 'list',
    ours: ['CRC32C', 'None'],
    set: (p, v) => void (p.headerDigest = v === 'CRC32C'),
  },
  DataDigest: { is: 'list', ours: ['CRC32C', 'None'], set: (p, v) => void (p.dataDigest = v === 'CRC32C') },
  MaxConnections: { is: 'min', from: 1, to: 65535, ours: 1, set: nothing },
  InitialR2T: { is: 'or', ours: false, set: (p, v) => void (p.initialR2T = v) },
  ImmediateData: { is: 'and', ours: true, set: (p, v) => void (p.immediateData = v) },
  MaxBurstLength: {
    is: 'min',
    from: 512,
    to: SEGMENT_MAX,
    ours: 1 << 20,
    set: (p, v) => void (p.maxBurst = v),
  },
  FirstBurstLength: {
    is: 'min',
    from: 512,
    to: SEGMENT_MAX,
    ours: 1 << 18,
    set: (p, v) => void (p.firstBurst = v),
  },
  MaxRecvDataSegmentLength: { is: 'segment' },
  MaxOutstandingR2T: {
    is: 'min',
    from: 1,
    to: 65535,
    ours: 16,
    set: (p, v) => void (p.maxOutstandingR2T = v),
  },
  DefaultTime2Wait: {
    is: 'max',
    from: 0,
    to: 3600,
    ours: 0,
    set: (p, v) => void (p.defaultTime2Wait = v),
  },
  DefaultTime2Retain: {
    is: 'min',
    from: 0,
    to: 3600,
    ours: 0,
    set: (p, v) => void (p.defaultTime2Retain = v),
  },
  DataPDUInOrder: { is: 'or', ours: true, set: nothing },
  DataSequenceInOrder: { is: 'or', ours: true, set: nothing },
  ErrorRecoveryLevel: { is: 'min', from: 0, to: 2, ours: 0, set: nothing },
  iSCSIProtocolLevel: { is: 'min', from: 0, to: 31, ours: 2, set: (p, v) => void (p.protocolLevel = v) },
  TaskReporting: { is: 'list', ours: ['RFC3720'], set: nothing },
  IFMarker: { is: 'obsolete' },
  OFMarker: { is: 'obsolete' },
  IFMarkInt: { is: 'obsolete' },
  OFMarkInt: { is: 'obsolete' },
};

/** An unsigned number in decimal or 0x hexadecimal, RFC 7143 6.1; NaN for anything else. */
export function numberOf(text: string): number {
  return /^(?:0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10})$/.test(text) ? Number(text) : Number.NaN;
}

export const isOperational = (key: string): boolean => key in RULES;
/** The only operational key that may come again in the full feature phase, RFC 7143 13.12. */
export const isDeclarable = (key: string): boolean => key === 'MaxRecvDataSegmentLength';

/** To be answered after all others of a text: it depends on MaxBurstLength, and keys come in any order. */
export const FIRST_BURST = 'FirstBurstLength';

/** The end of the negotiation: what was said of the first burst before its bound was holds no longer, 13.14. */
export function conclude(parameters: Parameters): void {
  parameters.firstBurst = Math.min(parameters.firstBurst, parameters.maxBurst);
}

/** The answer to one operational key; null: it was a declaration, none is due. */
export function answerKey(parameters: Parameters, [key, value]: Pair): string | null {
  const rule = RULES[key];
  if (rule === undefined) return 'NotUnderstood';
  switch (rule.is) {
    case 'list': {
      // The first of the initiator's that we have, 6.2.1
      const chosen = value.split(',').find((each) => rule.ours.includes(each));
      if (chosen === undefined) return 'Reject';
      rule.set(parameters, chosen);
      return chosen;
    }
    case 'min':
    case 'max': {
      const theirs = numberOf(value);
      if (!(theirs >= rule.from && theirs <= rule.to)) return 'Reject';
      // No first burst is longer than any burst, 13.14.
      const ours = key === FIRST_BURST ? Math.min(rule.ours, parameters.maxBurst) : rule.ours;
      const result = rule.is === 'min' ? Math.min(theirs, ours) : Math.max(theirs, ours);
      rule.set(parameters, result);
      return String(result);
    }
    case 'and':
    case 'or': {
      if (value !== 'Yes' && value !== 'No') return 'Reject';
      const theirs = value === 'Yes';
      const result = rule.is === 'and' ? theirs && rule.ours : theirs || rule.ours;
      rule.set(parameters, result);
      return result ? 'Yes' : 'No';
    }
    case 'segment': {
      const theirs = numberOf(value);
      if (!(theirs >= 512 && theirs <= SEGMENT_MAX)) return 'Reject';
      parameters.initiatorSegment = theirs;
      return null;
    }
    case 'obsolete':
      // 13.25: Reject, or No where both sides say so anyway
      return value === 'No' ? 'No' : 'Reject';
    default:
      return rule satisfies never;
  }
}
