/** Remote procedure calls to one attached board, a record at a time. Whatever ends the session throws CpuLost. */
import { CpuLost } from '../cpu.ts';
import type { Chunk } from '../serial/link-end.ts';
import { RecordReader, type RpcRecord, RecordWriter } from './records.ts';

/** What carries chunks: sends these, and blocks until something has come. */
export interface Carrier {
  exchange(send: Chunk[]): Chunk[];
  close(): void;
}

export class Rpc {
  readonly #carrier: Carrier;
  readonly #writer = new RecordWriter();
  readonly #reader = new RecordReader();
  /** Came while something else was waited for. */
  #later: RpcRecord[] = [];

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  /** To be sent when something is waited for next. */
  say(channel: number, type: number, a: number, b: number, body?: Uint8Array): void {
    this.#writer.say(channel, type, a, b, body);
  }

  /** The next record, whatever it is. */
  next(): RpcRecord {
    return this.#later.shift() ?? this.#fresh();
  }

  /** The next one of this type; others wait. */
  only(type: number): RpcRecord {
    for (;;) {
      const record = this.#fresh();
      if (record.type === type) return record;
      this.#later.push(record);
    }
  }

  #fresh(): RpcRecord {
    for (;;) {
      const record = this.#reader.next();
      if (record !== null) return record;
      try {
        for (const chunk of this.#carrier.exchange(this.#writer.take())) this.#reader.push(chunk);
      } catch (error) {
        this.forget();
        throw error;
      }
    }
  }

  /** A new session begins with nothing. */
  forget(): void {
    this.#writer.take();
    this.#reader.clear();
    this.#later = [];
  }

  close(): void {
    this.#carrier.close();
  }
}

/** The board does what no board does. */
export const foul = (what: string): CpuLost => new CpuLost(`the board ${what}`);
