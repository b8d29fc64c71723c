/**
 * Records of the remote procedure calls: written into chunks of channels, read from them.
 *
 * [layout] firmware/attached/layout.ts
 */
import * as R from '../../firmware/attached/layout.ts';
import { CpuLost } from '../cpu.ts';
import type { Chunk } from '../serial/link-end.ts';

export interface RpcRecord {
  type: number;
  a: number;
  b: number;
  body: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Little-endian words. */
export const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);

export const wordAt = (body: Uint8Array, at: number): number =>
  (body[at]! | (body[at + 1]! << 8) | (body[at + 2]! << 16) | (body[at + 3]! << 24)) >>> 0;

export class RecordWriter {
  #chunks: Chunk[] = [];

  say(channel: number, type: number, a: number, b: number, body: Uint8Array = NOTHING): void {
    const bytes = new Uint8Array(R.RECORD_HEAD_BYTES + body.length);
    const view = new DataView(bytes.buffer);
    view.setUint8(R.RECORD_TYPE_AT, type);
    view.setUint8(R.RECORD_A_AT, a);
    view.setUint16(R.RECORD_BYTES_AT, body.length, true);
    view.setUint32(R.RECORD_B_AT, b, true);
    bytes.set(body, R.RECORD_HEAD_BYTES);
    this.#chunks.push({ channel, bytes });
  }

  take(): Chunk[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }
}

const CALLS: ReadonlySet<number> = new Set([
  R.RPC_WELCOME,
  R.RPC_READY,
  R.RPC_RETURN,
  R.RPC_TRAP,
  R.RPC_RANDOM,
  R.RPC_FETCH,
]);
const MAY_CALL: ReadonlySet<number> = new Set([R.RPC_TRACE, R.RPC_RAM, R.RPC_SUMS_ARE]);

/** Heads of records alone: tells when the board has said something that calls for the host. */
export class CallWatch {
  #head = new Uint8Array(R.RECORD_HEAD_BYTES);
  #have = 0;
  #body = 0;

  clear(): void {
    this.#have = this.#body = 0;
  }

  /** True when a record that calls for the host has ended in these bytes. */
  push(bytes: Uint8Array): boolean {
    let calls = false;
    for (let at = 0; at < bytes.length;) {
      if (this.#have < R.RECORD_HEAD_BYTES) {
        this.#head[this.#have++] = bytes[at++]!;
        if (this.#have < R.RECORD_HEAD_BYTES) continue;
        this.#body = this.#head[R.RECORD_BYTES_AT]! | (this.#head[R.RECORD_BYTES_AT + 1]! << 8);
      }
      const part = Math.min(this.#body, bytes.length - at);
      at += part;
      this.#body -= part;
      if (this.#body > 0) break;
      this.#have = 0;
      const type = this.#head[R.RECORD_TYPE_AT]!;
      calls ||= CALLS.has(type) || (MAY_CALL.has(type) && this.#head[R.RECORD_A_AT] === 1);
    }
    return calls;
  }
}

/** Deny by default: what is no record ends the session. */
export class RecordReader {
  #rest: Uint8Array = NOTHING;
  #channel = 0;
  #records: RpcRecord[] = [];

  clear(): void {
    this.#rest = NOTHING;
    this.#records = [];
  }

  push({ channel, bytes }: Chunk): void {
    if (this.#rest.length > 0 && channel !== this.#channel)
      throw new CpuLost('the board began a record in the middle of another');
    let all = bytes;
    if (this.#rest.length > 0) {
      all = new Uint8Array(this.#rest.length + bytes.length);
      all.set(this.#rest);
      all.set(bytes, this.#rest.length);
    }
    this.#channel = channel;
    this.#rest = all.subarray(this.#split(all));
  }

  /** Takes whole records; returns where the rest begins. */
  #split(all: Uint8Array): number {
    let at = 0;
    while (all.length - at >= R.RECORD_HEAD_BYTES) {
      const bytes = all[at + R.RECORD_BYTES_AT]! | (all[at + R.RECORD_BYTES_AT + 1]! << 8);
      const type = all[at + R.RECORD_TYPE_AT]!;
      if (bytes > (type === R.RPC_RAM ? R.RECORD_BULK_MAX : R.RECORD_SMALL_MAX))
        throw new CpuLost(`the board sent ${bytes} bytes in a record of type ${type}`);
      const end = at + R.RECORD_HEAD_BYTES + bytes;
      if (end > all.length) break;
      this.#records.push({
        type,
        a: all[at + R.RECORD_A_AT]!,
        b: wordAt(all, at + R.RECORD_B_AT),
        body: all.subarray(at + R.RECORD_HEAD_BYTES, end),
      });
      at = end;
    }
    return at;
  }

  next(): RpcRecord | null {
    return this.#records.shift() ?? null;
  }
}
