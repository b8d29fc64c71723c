/** A socket that leads nowhere: what the target writes is kept or dropped, what it is sent goes straight into its buffer. */
import type { Socket } from 'node:net';
import { Connection } from '../../boards/iscsi/connection.ts';
import type { Entrance } from '../../boards/iscsi/entrance.ts';

export class MemorySocket {
  readonly connection: Connection;
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly localAddress = '127.0.0.1';
  readonly writableLength = 0;
  closed = false;
  /** Bytes that the target wrote, when they are kept. */
  output: Buffer[] = [];
  readonly #keep: boolean;
  readonly #events = new Map<string, () => void>();

  constructor(entrance: Entrance, buffer: Uint8Array, keep: boolean) {
    this.#keep = keep;
    this.connection = new Connection(entrance, buffer, () => {
      this.closed = true;
    });
    this.connection.attach(this as unknown as Socket);
  }

  on(event: string, call: () => void): this {
    this.#events.set(event, call);
    return this;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#keep) this.output.push(Buffer.from(bytes));
    return true;
  }

  pause(): void {}
  resume(): void {}

  /** The target has said all; the other side closes, too. */
  end(): void {
    this.closed = true;
    this.#events.get('close')?.();
  }

  destroy(): void {
    this.closed = true;
  }

  /** Bytes arrive. */
  send(bytes: Uint8Array): void {
    const { buffer } = this.connection;
    for (let at = 0; at < bytes.length && !this.closed; at += buffer.length) {
      const part = bytes.subarray(at, at + buffer.length);
      buffer.set(part);
      this.connection.received(part.length);
    }
  }

  /** The initiator hangs up. */
  hangUp(): void {
    if (!this.closed) this.#events.get('close')?.();
  }
}
