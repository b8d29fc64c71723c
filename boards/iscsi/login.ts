/**
 * The login phase of one connection, as a state machine without a socket: a Login request comes in, the answer goes
 * out. Every way that a login can fail has its status.
 *
 * RFC 7143 6.3 (login), 11.12 and 11.13 (PDUs, 11.13.5 status), 13.21 (SessionType)
 */
import { Chap, type ChapSecrets } from './chap.ts';
import {
  LOGIN_SUCCESS,
  INITIATOR_ERROR,
  AUTHENTICATION_FAILURE,
  TARGET_NOT_FOUND,
  UNSUPPORTED_VERSION,
  MISSING_PARAMETER,
  SESSION_TYPE_NOT_SUPPORTED,
  type LoginReply,
  Refused,
} from './login-status.ts';
import {
  type Parameters,
  TARGET_SEGMENT,
  LOGIN_SEGMENT,
  FIRST_BURST,
  answerKey,
  conclude,
  defaults,
  isOperational,
} from './negotiate.ts';
import { CMD_SN_AT, ITT_AT, u32 } from './pdu.ts';
import { type Pair, formatText, parseText } from './text.ts';

const TRANSIT = 0x80;
const CONTINUE = 0x40;
const SECURITY = 0;
const OPERATIONAL = 1;
const FULL_FEATURE = 3;
const ISID_AT = 8;
const TSIH_AT = 14;
const CID_AT = 20;
const VERSION_MIN_AT = 3;

/** A login that needs more is not one. */
const REQUESTS_MAX = 64;
const TEXT_MAX = 65536;

/** What the first keys say of who logs in to what. */
export interface LoginIdentity {
  initiator: string;
  /** Twelve hexadecimal digits. */
  isid: string;
  tsih: number;
  cid: number;
  discovery: boolean;
}

export interface LoginContext {
  readonly target: string;
  readonly portalGroup: number;
  readonly chap: ChapSecrets | null;
  random(bytes: number): Uint8Array;
  /** The login is complete but for this: a status, LOGIN_SUCCESS if it is taken. */
  admit(identity: LoginIdentity, parameters: Parameters, cmdSn: number): number;
}

const NAME = /^(?:iqn\.|eui\.|naa\.)[^\s\0]{1,219}$/;
const RESERVED_VALUES = new Set(['NotUnderstood', 'Irrelevant', 'Reject']);

export class Login {
  readonly parameters = defaults();
  identity: LoginIdentity | null = null;
  /** Why it was refused. */
  refused = '';
  /** The full feature phase begins after the reply. */
  done = false;
  itt = 0;
  readonly #context: LoginContext;
  #isid: string | null = null;
  #tsih = 0;
  #cid = 0;
  #stage = SECURITY;
  #requests = 0;
  #input: Uint8Array[] = [];
  #inputBytes = 0;
  /** Text of an answer that did not fit into one PDU. */
  #output: Uint8Array = new Uint8Array(0);
  #outputFlags = 0;
  #seen = new Set<string>();
  #named = false;
  #method: 'none' | 'chap' | null = null;
  #chap: Chap | null = null;
  #authenticated = false;
  #declared = false;

  constructor(context: LoginContext) {
    this.#context = context;
  }

  request(buf: Uint8Array, at: number, dataAt: number, dataBytes: number): LoginReply {
    try {
      return this.#request(buf, at, buf.subarray(dataAt, dataAt + dataBytes));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.refused = error.message;
      return { flags: 0, status: error.status, data: new Uint8Array(0) };
    }
  }

  #request(buf: Uint8Array, at: number, data: Uint8Array): LoginReply {
    const flags = buf[at + 1]!;
    this.#head(buf, at, flags);
    if (this.#output.length > 0) {
      if (data.length > 0)
        throw new Refused(INITIATOR_ERROR, 'text before the rest of the answer was fetched');
      return this.#piece();
    }
    this.#inputBytes += data.length;
    if (this.#inputBytes > TEXT_MAX) throw new Refused(INITIATOR_ERROR, 'too much text');
    this.#input.push(data.slice());
    const csg = (flags >> 2) & 3;
    // 11.12.2: the text goes on in the next request
    if ((flags & CONTINUE) !== 0) return { flags: csg << 2, status: LOGIN_SUCCESS, data: new Uint8Array(0) };
    const pairs = parseText(Buffer.concat(this.#input));
    this.#input = [];
    this.#inputBytes = 0;
    if (pairs === null) throw new Refused(INITIATOR_ERROR, 'a text segment that is none');
    return this.#answer(pairs, flags, u32(buf, at + CMD_SN_AT));
  }

  /** What the header may say, 11.12. */
  #head(buf: Uint8Array, at: number, flags: number): void {
    if (++this.#requests > REQUESTS_MAX) throw new Refused(INITIATOR_ERROR, 'a login without end');
    const csg = (flags >> 2) & 3;
    const nsg = flags & 3;
    const transit = (flags & TRANSIT) !== 0;
    if (transit && (flags & CONTINUE) !== 0) throw new Refused(INITIATOR_ERROR, 'both T and C are set');
    if (csg > OPERATIONAL) throw new Refused(INITIATOR_ERROR, 'a stage that does not exist');
    if (transit && (nsg <= csg || nsg === 2)) throw new Refused(INITIATOR_ERROR, 'a transition that is none');
    const isid = Buffer.from(buf.subarray(at + ISID_AT, at + TSIH_AT)).toString('hex');
    const tsih = (buf[at + TSIH_AT]! << 8) | buf[at + TSIH_AT + 1]!;
    const cid = (buf[at + CID_AT]! << 8) | buf[at + CID_AT + 1]!;
    const itt = u32(buf, at + ITT_AT);
    if (this.#isid === null) {
      if (buf[at + VERSION_MIN_AT]! > 0) throw new Refused(UNSUPPORTED_VERSION, 'a version of the future');
      this.#isid = isid;
      this.#tsih = tsih;
      this.#cid = cid;
      this.itt = itt;
      this.#stage = csg;
    } else if (isid !== this.#isid || tsih !== this.#tsih || cid !== this.#cid || itt !== this.itt) {
      throw new Refused(INITIATOR_ERROR, 'another login on the same connection');
    }
    if (csg !== this.#stage) throw new Refused(INITIATOR_ERROR, 'not the stage that it is in');
  }

  #answer(pairs: readonly Pair[], flags: number, cmdSn: number): LoginReply {
    const keys = new Map<string, string>();
    for (const [key, value] of pairs) {
      if (this.#seen.has(key)) throw new Refused(INITIATOR_ERROR, `${key} comes twice`); // 6.3
      this.#seen.add(key);
      keys.set(key, value);
    }
    const out: Pair[] = [];
    if (!this.#named) this.#name(keys, out);
    if (this.#stage === OPERATIONAL && !this.#free) {
      throw new Refused(AUTHENTICATION_FAILURE, 'without authentication');
    }
    const ready = this.#security(keys, out);
    this.#operational(keys, out);
    return this.#reply(out, flags, ready, cmdSn);
  }

  /** Nothing more is asked of who logs in. */
  get #free(): boolean {
    return this.#context.chap === null || this.#authenticated;
  }

  /** The keys that the first text must have, 6.3. */
  #name(keys: ReadonlyMap<string, string>, out: Pair[]): void {
    const initiator = keys.get('InitiatorName');
    if (initiator === undefined) throw new Refused(MISSING_PARAMETER, 'no InitiatorName');
    if (!NAME.test(initiator) || Buffer.byteLength(initiator) > 223) {
      throw new Refused(INITIATOR_ERROR, 'an InitiatorName that is none');
    }
    const type = keys.get('SessionType') ?? 'Normal';
    if (type !== 'Normal' && type !== 'Discovery')
      throw new Refused(SESSION_TYPE_NOT_SUPPORTED, 'SessionType');
    const discovery = type === 'Discovery';
    const target = keys.get('TargetName');
    if (!discovery && target === undefined) throw new Refused(MISSING_PARAMETER, 'no TargetName');
    if (target !== undefined && target.toLowerCase() !== this.#context.target.toLowerCase()) {
      throw new Refused(TARGET_NOT_FOUND, 'a target that is not at this portal');
    }
    this.identity = { initiator, isid: this.#isid!, tsih: this.#tsih, cid: this.#cid, discovery };
    this.#named = true;
    if (!discovery) out.push(['TargetPortalGroupTag', String(this.#context.portalGroup)]); // 13.9
  }

  /** Keys of the security stage; true when the stage may be left. */
  #security(keys: ReadonlyMap<string, string>, out: Pair[]): boolean {
    const methods = keys.get('AuthMethod');
    if (methods !== undefined) {
      const wanted = this.#context.chap === null ? 'None' : 'CHAP';
      if (this.#stage !== SECURITY || !methods.split(',').includes(wanted)) {
        throw new Refused(AUTHENTICATION_FAILURE, `${wanted} is not among the methods offered`);
      }
      this.#method = wanted === 'None' ? 'none' : 'chap';
      out.push(['AuthMethod', wanted]);
    }
    const list = keys.get('CHAP_A');
    const response = keys.get('CHAP_R');
    if (list !== undefined || response !== undefined) {
      if (this.#method !== 'chap') throw new Refused(AUTHENTICATION_FAILURE, 'CHAP was not agreed on');
      for (const pair of this.#chapStep(keys, list, response)) out.push(pair);
    }
    return this.#free;
  }

  #chapStep(
    keys: ReadonlyMap<string, string>,
    list: string | undefined,
    response: string | undefined,
  ): Map<string, string> {
    let answer: Map<string, string> | null = null;
    if (list !== undefined && this.#chap === null) {
      this.#chap = new Chap(this.#context.chap!, (bytes) => this.#context.random(bytes));
      answer = this.#chap.challenge(list);
    } else if (response !== undefined && this.#chap !== null && !this.#authenticated) {
      answer = this.#chap.verify(keys);
      if (answer !== null) this.#authenticated = true;
    }
    if (answer === null) throw new Refused(AUTHENTICATION_FAILURE, 'CHAP');
    return answer;
  }

  #operational(keys: ReadonlyMap<string, string>, out: Pair[]): void {
    const firstBurst = keys.get(FIRST_BURST);
    const ordered = [...keys].filter(([key]) => key !== FIRST_BURST);
    if (firstBurst !== undefined) ordered.push([FIRST_BURST, firstBurst]);
    for (const [key, value] of ordered) {
      if (KNOWN.has(key) || RESERVED_VALUES.has(value)) continue;
      const answer = isOperational(key) ? answerKey(this.parameters, [key, value]) : 'NotUnderstood';
      if (answer !== null) out.push([key, answer]);
    }
    if (this.#stage !== OPERATIONAL || this.#declared) return;
    this.#declared = true;
    out.push(['MaxRecvDataSegmentLength', String(TARGET_SEGMENT)]);
  }

  #reply(out: readonly Pair[], flags: number, ready: boolean, cmdSn: number): LoginReply {
    const csg = this.#stage;
    const nsg = flags & 3;
    const transit = (flags & TRANSIT) !== 0 && ready;
    if ((flags & TRANSIT) !== 0 && !ready && out.every(([key]) => !/^AuthMethod$|^CHAP_/.test(key))) {
      throw new Refused(AUTHENTICATION_FAILURE, 'without authentication');
    }
    if (transit && nsg === FULL_FEATURE) {
      conclude(this.parameters);
      const status = this.#context.admit(this.identity!, this.parameters, cmdSn);
      if (status !== LOGIN_SUCCESS) throw new Refused(status, 'not admitted');
    }
    this.#output = formatText(out);
    this.#outputFlags = transit ? TRANSIT | (csg << 2) | nsg : csg << 2;
    return this.#piece();
  }

  /** As much of the answer as a PDU may hold before anything is declared, 13.12. */
  #piece(): LoginReply {
    const data = this.#output.slice(0, LOGIN_SEGMENT);
    this.#output = this.#output.slice(data.length);
    if (this.#output.length > 0) {
      return { flags: CONTINUE | (this.#stage << 2), status: LOGIN_SUCCESS, data };
    }
    const flags = this.#outputFlags;
    if ((flags & TRANSIT) !== 0) {
      this.#stage = flags & 3;
      this.done = this.#stage === FULL_FEATURE;
    }
    return { flags, status: LOGIN_SUCCESS, data };
  }
}

/** Keys that are answered elsewhere, or declarations. */
const KNOWN = new Set([
  'InitiatorName',
  'InitiatorAlias',
  'SessionType',
  'TargetName',
  'AuthMethod',
  'CHAP_A',
  'CHAP_I',
  'CHAP_C',
  'CHAP_N',
  'CHAP_R',
]);
