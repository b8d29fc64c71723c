/** Two ends of the link on one line, in virtual time: for measuring the link itself, and for testing it. */
import * as K from '../../asm/link/layout.ts';
import { RandomStream } from '../random.ts';
import { Line, type LineFaults, NO_FAULTS } from './line.ts';
import { type Chunk, LinkEnd } from './link-end.ts';

export interface LinkPairOptions {
  baud?: number | null;
  faults?: LineFaults;
  seed?: string;
  /** Where the clock of both ends begins, us: it wraps around at 2^32. */
  startUs?: number;
}

export class LinkPair {
  readonly host: LinkEnd;
  readonly board: LinkEnd;
  readonly toBoard: Line;
  readonly toHost: Line;
  nowNs: number;
  /** What each end took. */
  readonly atHost: Chunk[] = [];
  readonly atBoard: Chunk[] = [];
  /** An end that takes nothing lets its credits run out. */
  hostTakes = true;
  boardTakes = true;

  constructor({ baud = null, faults = NO_FAULTS, seed = '1', startUs = 0 }: LinkPairOptions = {}) {
    this.nowNs = startUs * 1000;
    this.host = new LinkEnd(K.LINK_HOST, 0, startUs);
    this.board = new LinkEnd(K.LINK_BOARD, new RandomStream(seed, 'nonce').next(), startUs);
    this.toBoard = new Line(baud, faults, seed, 'to the board');
    this.toHost = new Line(baud, faults, seed, 'to the host');
  }

  get nowUs(): number {
    return Math.floor(this.nowNs / 1000);
  }

  open(session = 1): this {
    this.host.open(session, this.nowUs);
    this.run(() => this.host.state === K.LINK_OPEN && this.board.state === K.LINK_OPEN);
    return this;
  }

  /** Until `done`, or for `ms` at most; true when it is done. */
  run(done: () => boolean, ms = 60_000): boolean {
    const end = this.nowNs + ms * 1e6;
    for (;;) {
      this.turn();
      if (done()) return true;
      if (this.nowNs >= end) return false;
      this.nowNs = Math.min(end, Math.max(this.nowNs + 1, this.#next()));
    }
  }

  /** What can happen at this moment. */
  turn(): void {
    deliver(this.toHost, this.host, this.nowNs);
    deliver(this.toBoard, this.board, this.nowNs);
    if (this.hostTakes) take(this.host, this.atHost);
    if (this.boardTakes) take(this.board, this.atBoard);
    transmit(this.host, this.toBoard, this.nowNs);
    transmit(this.board, this.toHost, this.nowNs);
  }

  #next(): number {
    const due = (end: LinkEnd, line: Line): number => {
      const us = end.due(this.nowUs);
      return us === 0 ? line.roomAt : this.nowNs + us * 1000;
    };
    return Math.min(
      this.toBoard.next,
      this.toHost.next,
      due(this.host, this.toBoard),
      due(this.board, this.toHost),
    );
  }
}

function deliver(line: Line, end: LinkEnd, nowNs: number): void {
  for (let bytes = line.receive(nowNs); bytes !== null; bytes = line.receive(nowNs))
    end.receive(bytes, Math.floor(nowNs / 1000));
}

function take(end: LinkEnd, into: Chunk[]): void {
  for (let chunk = end.take(); chunk !== null; chunk = end.take()) into.push(chunk);
}

function transmit(end: LinkEnd, line: Line, nowNs: number): void {
  while (line.room(nowNs)) {
    const frame = end.transmit(Math.floor(nowNs / 1000));
    if (frame === null) return;
    line.send(frame, nowNs);
  }
}
