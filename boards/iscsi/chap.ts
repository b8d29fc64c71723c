/**
 * CHAP, and mutual CHAP: each side proves that it knows a secret by a hash over identifier, secret and challenge.
 *
 * RFC 7143 12.1.3 (exchange, key formats), 9.2.1 (reflection, secrets); RFC 1994 4.1 (the response)
 */
import { createHash, getHashes, timingSafeEqual } from 'node:crypto';

export interface ChapSecret {
  user: string;
  secret: string;
}

/** What the initiator must know, and, for mutual authentication, what we prove to know. */
export interface ChapSecrets extends ChapSecret {
  mutual?: ChapSecret;
}

/** Algorithms by their numbers in CHAP_A, [IANA] PPP authentication algorithms. */
const HASHES: Readonly<Record<string, string>> = { 5: 'md5', 6: 'sha1', 7: 'sha256', 8: 'sha3-256' };

const LONGEST = 1024;

/** The first algorithm of a CHAP_A list that we have; null without one. */
export function chooseAlgorithm(list: string): string | null {
  const available = getHashes().map((name) => name.toLowerCase());
  for (const number of list.split(',')) {
    const hash = HASHES[number];
    if (hash !== undefined && available.includes(hash)) return number;
  }
  return null;
}

export const responseBytes = (algorithm: string): number => createHash(HASHES[algorithm]!).digest().length;

export const chapResponse = (
  algorithm: string,
  identifier: number,
  secret: string,
  challenge: Uint8Array,
): Uint8Array =>
  createHash(HASHES[algorithm]!)
    .update(Uint8Array.of(identifier))
    .update(secret, 'utf8')
    .update(challenge)
    .digest();

/** A binary value, 0x hexadecimal or 0b base 64, RFC 7143 6.1; null for anything else. */
export function binaryOf(text: string): Uint8Array | null {
  const body = text.slice(2);
  if (/^0[xX]/.test(text)) {
    if (body.length === 0 || body.length > 2 * LONGEST || !/^[0-9a-fA-F]+$/.test(body)) return null;
    return Buffer.from(body.length % 2 === 0 ? body : `0${body}`, 'hex');
  }
  if (!/^0[bB]/.test(text) || body.length === 0 || body.length > (LONGEST * 4) / 3 + 4) return null;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body)) return null;
  return Buffer.from(body, 'base64');
}

export const formatBinary = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;

const fingerprint = (bytes: Uint8Array | string): Uint8Array => createHash('sha256').update(bytes).digest();

/** Compares in a time that does not depend on where they differ. */
const same = (a: Uint8Array | string, b: Uint8Array | string): boolean =>
  timingSafeEqual(fingerprint(a), fingerprint(b));

/** One authentication. Each step takes keys and gives keys; null means that it has failed. */
export class Chap {
  readonly #secrets: ChapSecrets;
  readonly #random: (bytes: number) => Uint8Array;
  #algorithm = '';
  #identifier = 0;
  #challenge: Uint8Array = new Uint8Array(0);

  constructor(secrets: ChapSecrets, random: (bytes: number) => Uint8Array) {
    this.#secrets = secrets;
    this.#random = random;
  }

  /** The initiator's CHAP_A: we choose one and challenge it. */
  challenge(list: string): Map<string, string> | null {
    const algorithm = chooseAlgorithm(list);
    if (algorithm === null) return null;
    this.#algorithm = algorithm;
    this.#identifier = this.#random(1)[0]!;
    this.#challenge = this.#random(Math.max(16, responseBytes(algorithm)));
    return new Map([
      ['CHAP_A', algorithm],
      ['CHAP_I', String(this.#identifier)],
      ['CHAP_C', formatBinary(this.#challenge)],
    ]);
  }

  /** The initiator's answer, perhaps with a challenge for us. */
  verify(keys: ReadonlyMap<string, string>): Map<string, string> | null {
    const name = keys.get('CHAP_N');
    const response = binaryOf(keys.get('CHAP_R') ?? '');
    if (name === undefined || response === null) return null;
    const expected = chapResponse(this.#algorithm, this.#identifier, this.#secrets.secret, this.#challenge);
    // Both are always compared, so that a wrong name takes as long as a wrong secret.
    const knownName = same(name, this.#secrets.user);
    const rightSecret = same(response, expected);
    if (!knownName || !rightSecret) return null;
    return this.#prove(keys.get('CHAP_I'), keys.get('CHAP_C'));
  }

  #prove(identifier: string | undefined, challenge: string | undefined): Map<string, string> | null {
    if (identifier === undefined && challenge === undefined) return new Map();
    const { mutual } = this.#secrets;
    if (mutual === undefined || identifier === undefined || challenge === undefined) return null;
    const number = /^[0-9]{1,3}$/.test(identifier)
      ? Number(identifier)
      : Number(/^0x[0-9a-fA-F]{1,2}$/.test(identifier) ? identifier : NaN);
    const bytes = binaryOf(challenge);
    if (!(number >= 0 && number <= 255) || bytes === null) return null;
    // Our own challenge sent back would make us answer it ourselves, RFC 7143 9.2.1
    if (Buffer.from(bytes).equals(this.#challenge)) return null;
    return new Map([
      ['CHAP_N', mutual.user],
      ['CHAP_R', formatBinary(chapResponse(this.#algorithm, number, mutual.secret, bytes))],
    ]);
  }
}
