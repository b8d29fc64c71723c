/**
 * The SMP client: requests with a sequence number each, several under way at once; a reply goes to the request whose
 * number it carries, and what was not answered in time is the caller's to repeat.
 */
import type { Host, Timer } from '../../host.ts';
import type { SerialEnd } from '../end.ts';
import { LineLost, NoAnswer } from '../line-error.ts';
import type { cborEncode } from './cbor.ts';
import { FrameReader, frameOf } from './frame.ts';
import { type Command, type Reply, replyOf, requestOf } from './packet.ts';

type Body = Parameters<typeof cborEncode>[0];

interface Waiting {
  command: Command;
  settle: (reply: Reply | Error) => void;
}

export class SmpClient {
  readonly host: Host;
  readonly line: SerialEnd;
  #reader: FrameReader;
  #waiting = new Map<number, Waiting>();
  #sequence: number;

  constructor(host: Host, line: SerialEnd) {
    this.host = host;
    this.line = line;
    this.#sequence = host.random(1)[0]!; // replies to who asked before us are not ours
    this.#reader = new FrameReader((packet) => this.#packet(packet));
    line.onData = (bytes) => this.#reader.feed(bytes);
    line.onClose = (reason) => this.#lost(reason ?? 'the port was closed');
  }

  /** Replies that were damaged on their way. */
  get dropped(): number {
    return this.#reader.dropped;
  }

  /** Ends whatever a damaged line has left half way at the other end. */
  sendNewline(): void {
    this.line.write(Uint8Array.of(0x0a));
  }

  /** Sends a request. `ms` counts from now: whoever has others under way before it adds their time. */
  request(command: Command, body: Body, ms: number): Promise<Reply> {
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) & 255;
    this.#waiting.get(sequence)?.settle(new NoAnswer('no answer'));
    return new Promise((resolve, reject) => {
      if (!this.line.isOpen) {
        reject(new LineLost('the port is gone'));
        return;
      }
      let timer: Timer | null = null;
      const settle = (reply: Reply | Error): void => {
        timer?.cancel();
        this.#waiting.delete(sequence);
        if (reply instanceof Error) reject(reply);
        else resolve(reply);
      };
      timer = this.host.after(ms, () => settle(new NoAnswer('no answer')));
      this.#waiting.set(sequence, { command, settle });
      this.line.write(frameOf(requestOf(command, sequence, body)));
    });
  }

  /** The same, sent again when it was not answered. */
  async ask(command: Command, body: Body, ms: number, tries: number): Promise<Reply> {
    for (let n = 1; ; n++) {
      try {
        return await this.request(command, body, ms);
      } catch (error) {
        if (!(error instanceof NoAnswer) || n >= tries) throw error;
        this.sendNewline();
      }
    }
  }

  #packet(packet: Buffer): void {
    const reply = replyOf(packet);
    if (reply === null) return;
    const waiting = this.#waiting.get(reply.sequence);
    if (waiting === undefined) return;
    const { op, group, id } = waiting.command;
    if (reply.op === op && reply.group === group && reply.id === id) waiting.settle(reply);
  }

  #lost(reason: string): void {
    for (const { settle } of this.#waiting.values()) settle(new LineLost(reason));
  }
}
