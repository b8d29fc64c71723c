/**
 * A stream of bytes cut into PDUs. A PDU that lies whole in a chunk is handed on where it is; one that does not is
 * put together in a buffer of its own, which never grows beyond the largest PDU allowed.
 *
 * RFC 7143 11.2 (segments), 7.8 (digest errors: after a bad header the connection is of no more use)
 */
import type { Crc } from './crc.ts';
import { digestAt } from './crc.ts';
import { AHS_WORDS_AT, BHS_BYTES, DATA_BYTES_AT, DIGEST_BYTES, padded, u24 } from './pdu.ts';

export interface PduSink {
  /** One PDU: its header at `at`, AHS behind it, data at `dataAt`. The bytes are good until the call returns. */
  pdu(buf: Uint8Array, at: number, ahsBytes: number, dataAt: number, dataBytes: number): void;
  /** The data segment's digest is wrong; header as in `pdu`. */
  badData(buf: Uint8Array, at: number): void;
  /** The stream is of no more use. */
  broken(why: string): void;
  /** True when no further PDU should be handed on for now. */
  readonly full: boolean;
}

const SMALLEST = 4096;

export class PduReader {
  readonly #sink: PduSink;
  readonly #crc: Crc;
  headerDigest = false;
  dataDigest = false;
  /** MaxRecvDataSegmentLength that we declared. */
  dataMax: number;
  #ahsWordsMax = 63;
  /** The PDU in the making. */
  #held = new Uint8Array(SMALLEST);
  #heldBytes = 0;
  /** Bytes that the whole of it has, as far as known: at first of its header only. */
  #wanted = BHS_BYTES;
  #wholeKnown = false;
  /** What is left of a chunk, while the sink is full. */
  #rest: Uint8Array | null = null;
  /** Where in it the next PDU begins. */
  #restAt = 0;
  #broken = false;

  constructor(sink: PduSink, crc: Crc, dataMax: number) {
    this.#sink = sink;
    this.#crc = crc;
    this.dataMax = dataMax;
  }

  /** Bytes of chunks held back. */
  get heldBack(): number {
    return this.#rest === null ? 0 : this.#rest.length - this.#restAt;
  }

  /** The first `bytes` bytes of `chunk` have come; they are looked at, or copied, before it returns. */
  push(chunk: Uint8Array, bytes: number): void {
    if (this.#broken) return;
    if (this.#rest === null) return this.#take(chunk, 0, bytes);
    // Reading was stopped, but this one was on its way.
    this.#rest = Buffer.concat([this.#rest.subarray(this.#restAt), chunk.subarray(0, bytes)]);
    this.#restAt = 0;
  }

  /** Goes on where it stopped, when the sink has room again. */
  resume(): void {
    const rest = this.#rest;
    if (rest === null || this.#broken) return;
    this.#rest = null;
    this.#take(rest, this.#restAt, rest.length);
  }

  stop(): void {
    this.#broken = true;
    this.#rest = null;
    this.#held = new Uint8Array(0);
    this.#heldBytes = 0;
  }

  #take(chunk: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#sink.full) {
        this.#rest = Uint8Array.from(chunk.subarray(at, end)); // a copy, whatever kind of array it is
        this.#restAt = 0;
        return;
      }
      if (this.#heldBytes === 0 && end - at >= BHS_BYTES) {
        const whole = this.#bytesOf(chunk, at);
        if (whole < 0) return;
        if (end - at >= whole) {
          this.#hand(chunk, at);
          if (this.#broken) return;
          at += whole;
          continue;
        }
        this.#wanted = whole;
        this.#wholeKnown = true;
        this.#hold(whole);
      }
      at = this.#collect(chunk, at, end);
      if (at < 0) return;
    }
  }

  /** Adds to the PDU in the making; -1 when the stream has ended. */
  #collect(chunk: Uint8Array, at: number, end: number): number {
    const part = Math.min(end - at, this.#wanted - this.#heldBytes);
    this.#held.set(chunk.subarray(at, at + part), this.#heldBytes);
    this.#heldBytes += part;
    if (this.#heldBytes < this.#wanted) return at + part;
    if (!this.#wholeKnown) {
      const whole = this.#bytesOf(this.#held, 0);
      if (whole < 0) return -1;
      this.#wholeKnown = true;
      this.#wanted = whole;
      this.#hold(whole);
      if (this.#heldBytes < whole) return at + part;
    }
    this.#heldBytes = 0;
    this.#wanted = BHS_BYTES;
    this.#wholeKnown = false;
    this.#hand(this.#held, 0);
    return this.#broken ? -1 : at + part;
  }

  #hold(bytes: number): void {
    if (this.#held.length >= bytes) return;
    let size = this.#held.length || SMALLEST;
    while (size < bytes) size *= 2;
    const grown = new Uint8Array(size);
    grown.set(this.#held.subarray(0, this.#heldBytes));
    this.#held = grown;
  }

  /** Bytes of the PDU whose header is at `at`, with digests and padding; -1 when it cannot be one. */
  #bytesOf(buf: Uint8Array, at: number): number {
    const ahsWords = buf[at + AHS_WORDS_AT]!;
    const data = u24(buf, at + DATA_BYTES_AT);
    if (data > this.dataMax) return this.#fail(`data segment of ${data} bytes, ${this.dataMax} are allowed`);
    if (ahsWords > this.#ahsWordsMax) return this.#fail(`additional header of ${ahsWords} words`);
    let bytes = BHS_BYTES + ahsWords * 4 + padded(data);
    if (this.headerDigest) bytes += DIGEST_BYTES;
    if (this.dataDigest && data > 0) bytes += DIGEST_BYTES;
    return bytes;
  }

  #fail(why: string): -1 {
    this.stop();
    this.#sink.broken(why);
    return -1;
  }

  #hand(buf: Uint8Array, at: number): void {
    const ahsBytes = buf[at + AHS_WORDS_AT]! * 4;
    const dataBytes = u24(buf, at + DATA_BYTES_AT);
    let dataAt = at + BHS_BYTES + ahsBytes;
    if (this.headerDigest) {
      if (this.#crc(buf, at, dataAt) !== digestAt(buf, dataAt)) {
        this.#fail('header digest error');
        return;
      }
      dataAt += DIGEST_BYTES;
    }
    if (this.dataDigest && dataBytes > 0) {
      const end = dataAt + padded(dataBytes);
      if (this.#crc(buf, dataAt, end) !== digestAt(buf, end)) return this.#sink.badData(buf, at);
    }
    this.#sink.pdu(buf, at, ahsBytes, dataAt, dataBytes);
  }
}
