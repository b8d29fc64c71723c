/**
 * The network between clients and boards: a volume's address is answered by the board that claimed it last, as after a
 * gratuitous ARP. A request to an address that nobody answers is lost without a word.
 */
import type { Clock } from '../clock.ts';
import type { FrontEndPort } from '../emulated/port.ts';

export interface Sent {
  volume: number;
  cdb: Uint8Array;
  data: Uint8Array | null;
  /** Looks at the data of an answer as it leaves the board; the bytes are good for the time of the call only. */
  accepts(data: Uint8Array | null): boolean;
  /** Called when the answer arrives; `board` gave it, `good` is what `accepts` said. */
  answered(status: number, good: boolean, board: number): void;
}

interface Answer {
  sent: Sent;
  status: number;
  good: boolean;
  board: number;
}

const TO_BOARD = 1;
const TO_CLIENT = 2;

export class Network {
  /** Told when a board answers a request: which board, for which volume. */
  onAnswer: (board: number, volume: number, status: number) => void = () => {};
  #clock: Clock;
  #latency: number;
  #component: number;
  #ports: FrontEndPort[];
  /** Board that answers for a volume, and how often that has changed. */
  #owner: (number | null)[] = [];
  #claims: number[] = [];
  #travelling = new Map<number, { sent: Sent; board: number } | Answer>();
  #next = 0;

  constructor(clock: Clock, latencyNs: number, ports: FrontEndPort[]) {
    this.#clock = clock;
    this.#latency = latencyNs;
    this.#ports = ports;
    this.#component = clock.register((kind, id) => {
      const item = this.#travelling.get(id)!;
      this.#travelling.delete(id);
      if (kind === TO_BOARD) this.#deliver(item);
      else this.#answer(item as Answer);
    });
    ports.forEach((port, board) => {
      port.onClaim = (volume, on) => this.#claim(board, volume, on);
    });
  }

  #claim(board: number, volume: number, on: boolean): void {
    if (on) {
      this.#owner[volume] = board;
      this.#claims[volume] = (this.#claims[volume] ?? 0) + 1;
    } else if (this.#owner[volume] === board) this.#owner[volume] = null;
  }

  /** A number that changes whenever another board, or the same one anew, answers for the volume; 0: never yet. */
  claims(volume: number): number {
    return this.#claims[volume] ?? 0;
  }

  owner(volume: number): number | null {
    return this.#owner[volume] ?? null;
  }

  send(sent: Sent): void {
    const board = this.#owner[sent.volume] ?? null;
    if (board === null) return;
    this.#travel(TO_BOARD, { sent, board });
  }

  #travel(kind: number, item: { sent: Sent; board: number } | Answer): void {
    const id = this.#next++;
    this.#travelling.set(id, item);
    this.#clock.after(this.#latency, this.#component, kind, id);
  }

  #deliver({ sent, board }: { sent: Sent; board: number }): void {
    this.#ports[board]!.place({
      volume: sent.volume,
      cdb: sent.cdb,
      data: sent.data,
      reply: (status, _sense, data) => {
        this.onAnswer(board, sent.volume, status);
        const good = status === 0 && sent.accepts(data);
        this.#travel(TO_CLIENT, { sent, status, good, board });
      },
    });
  }

  #answer({ sent, status, good, board }: Answer): void {
    sent.answered(status, good, board);
  }
}
