/**
 * What goes out on a connection: PDUs are built in place, one behind the other, in large chunks, and a whole batch goes
 * to the socket at once. A chunk that the kernel took at once is used again; the others wait for the socket to drain.
 */
import { DIGEST_BYTES, BHS_BYTES, DATA_BYTES_AT, padded, put24 } from './pdu.ts';
import type { Crc } from './crc.ts';
import { putDigest } from './crc.ts';

export interface Wire {
  write(bytes: Uint8Array): unknown;
  /** Bytes that the kernel has not taken yet. */
  readonly writableLength: number;
}

const CHUNK = 1 << 19;
/** So much goes out even before the batch is complete. */
const FLUSH = 1 << 18;
const SPARE_MAX = 2;

export class Output {
  readonly #wire: Wire;
  readonly #crc: Crc;
  headerDigest = false;
  dataDigest = false;
  #chunk: Uint8Array | null = null;
  #from = 0;
  #to = 0;
  /** Chunks with bytes that wait in the socket. */
  #busy: Uint8Array[] = [];
  #spare: Uint8Array[] = [];
  /** The chunk and place of the PDU that `begin` gave out. */
  buf: Uint8Array = new Uint8Array(0);
  /** Bytes built in all, for statistics and tests. */
  total = 0;

  constructor(wire: Wire, crc: Crc) {
    this.#wire = wire;
    this.#crc = crc;
  }

  /** Bytes built that the kernel has not taken. */
  get queued(): number {
    return this.#to - this.#from + this.#wire.writableLength;
  }

  /** Bytes that a PDU with so much data takes. */
  sizeOf(dataBytes: number): number {
    return (
      BHS_BYTES +
      padded(dataBytes) +
      (this.headerDigest ? DIGEST_BYTES : 0) +
      (this.dataDigest && dataBytes > 0 ? DIGEST_BYTES : 0)
    );
  }

  /** Room for `bytes` bytes in one piece: the result is where they begin in `buf`. `sent` makes them go out. */
  reserve(bytes: number): number {
    if (this.#chunk === null || this.#chunk.length - this.#to < bytes) {
      this.flush();
      if (this.#chunk === null || this.#chunk.length < bytes || this.#to > 0) this.#another(bytes);
    }
    this.buf = this.#chunk!;
    return this.#to;
  }

  /** `bytes` bytes from where `reserve` said are complete. */
  sent(bytes: number): void {
    this.#to += bytes;
    this.total += bytes;
    if (this.#to - this.#from >= FLUSH) this.flush();
  }

  /** Begins a PDU: a header of zeros with opcode, flags and data length; the result is where it begins in `buf`. */
  begin(opcode: number, flags: number, dataBytes: number): number {
    const at = this.reserve(this.sizeOf(dataBytes));
    this.header(at, opcode, flags, dataBytes);
    return at;
  }

  header(at: number, opcode: number, flags: number, dataBytes: number): void {
    const { buf } = this;
    buf.fill(0, at, at + BHS_BYTES);
    buf[at] = opcode;
    buf[at + 1] = flags;
    put24(buf, at + DATA_BYTES_AT, dataBytes);
  }

  /** Where the data of the PDU at `at` lies. */
  dataAt(at: number): number {
    return at + BHS_BYTES + (this.headerDigest ? DIGEST_BYTES : 0);
  }

  /** Digests and padding of the PDU at `at`, whose header and data are there; the result is its end. */
  seal(at: number, dataBytes: number): number {
    const { buf } = this;
    if (this.headerDigest) putDigest(buf, at + BHS_BYTES, this.#crc(buf, at, at + BHS_BYTES));
    const dataAt = this.dataAt(at);
    const end = dataAt + padded(dataBytes);
    for (let i = dataAt + dataBytes; i < end; i++) buf[i] = 0;
    if (!this.dataDigest || dataBytes === 0) return end;
    putDigest(buf, end, this.#crc(buf, dataAt, end));
    return end + DIGEST_BYTES;
  }

  /** Ends what `begin` began. */
  end(at: number, dataBytes: number): void {
    this.sent(this.seal(at, dataBytes) - at);
  }

  flush(): void {
    if (this.#chunk === null || this.#from === this.#to) return;
    this.#wire.write(this.#chunk.subarray(this.#from, this.#to));
    this.#from = this.#to;
    if (this.#wire.writableLength === 0) {
      this.drained();
      this.#from = this.#to = 0;
    }
  }

  /** The socket has taken everything. */
  drained(): void {
    for (const chunk of this.#busy) {
      if (chunk.length === CHUNK && this.#spare.length < SPARE_MAX) this.#spare.push(chunk);
    }
    this.#busy = [];
  }

  #another(bytes: number): void {
    if (this.#chunk !== null && this.#to > 0) this.#busy.push(this.#chunk);
    this.#chunk = (bytes <= CHUNK ? this.#spare.pop() : undefined) ?? new Uint8Array(Math.max(CHUNK, bytes));
    this.#from = this.#to = 0;
  }

  stop(): void {
    this.#chunk = null;
    this.#busy = [];
    this.#spare = [];
    this.#from = this.#to = 0;
  }
}
