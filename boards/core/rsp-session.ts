/** One gdb that is attached: bytes in, bytes out, one packet after the other. */
import { PacketReader, packetOf } from './rsp-packet.ts';
import type { Received } from './rsp-packet.ts';
import type { Reply, RspTarget } from './rsp-target.ts';

export class RspSession {
  readonly #target: RspTarget;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #end: () => void;
  readonly #reader = new PacketReader();
  #quiet = false;
  #last: Uint8Array = new Uint8Array();
  #over = false;
  #queue: Promise<void> = Promise.resolve();

  constructor(target: RspTarget, send: (bytes: Uint8Array) => void, end: () => void) {
    this.#target = target;
    this.#send = send;
    this.#end = end;
  }

  /** Resolves when all of it has been answered. */
  push(bytes: Uint8Array): Promise<void> {
    for (const got of withoutRepeats([...this.#reader.push(bytes)])) {
      this.#queue = this.#queue.then(() => this.#handle(got)).catch(() => this.#finish());
    }
    return this.#queue;
  }

  async #handle(got: Received): Promise<void> {
    if (this.#over) return;
    switch (got.kind) {
      case 'too-long':
        this.#finish();
        return;
      case 'nack':
        this.#send(this.#last);
        return;
      case 'interrupt':
        this.#reply(this.#target.interrupt());
        return;
      case 'packet':
        if (!this.#quiet) this.#send(Buffer.from(got.bad ? '-' : '+'));
        if (!got.bad) this.#reply(await this.#target.answer(got.data));
    }
  }

  #reply({ packets, end, quiet }: Reply): void {
    for (const packet of packets) this.#send((this.#last = packetOf(packet)));
    if (quiet) this.#quiet = true;
    if (end) this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#end();
  }
}

const isSame = (a: Received, b: Received | undefined): boolean =>
  a.kind === 'packet' && b?.kind === 'packet' && a.data === b.data;

/** gdb waits for each answer, and repeats a packet that is late: of the same packets that come at once, one counts. */
const withoutRepeats = (all: readonly Received[]): Received[] =>
  all.filter((each, i) => !isSame(each, all[i + 1]));
