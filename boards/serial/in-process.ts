/**
 * Both ends of the link and the line between them in one thread, in virtual time: nothing of the real world is in it, so
 * that a run over this line repeats to the last frame, whatever the line does to frames.
 */
import * as K from '../../asm/link/layout.ts';
import { CpuLost } from '../cpu.ts';
import type { Firmware } from '../emulated/firmware.ts';
import { Line, type LineFaults, NO_FAULTS } from './line.ts';
import { Inbox } from '../attached/inbox.ts';
import { type Chunk, LinkEnd } from './link-end.ts';
import { Peer, Reset, type Wire } from './peer.ts';

export interface InProcessOptions {
  firmware: Firmware;
  roomBytes: number;
  seed: string;
  baud?: number | null;
  faults?: LineFaults;
  /** The cable is pulled for good, or the board reset, when so many frames have been sent, both ways together. */
  pullAt?: number | null;
  resetAt?: number | null;
  /** A board that has been silent for so long is dead. */
  deadUs: number;
}

/** What the owner of the host's end says and hears. */
export interface Owner {
  /** Waits for what is to be sent; null: it is over. */
  next(): Chunk[] | null;
  /** And this is what came, or why nothing will come. */
  answer(came: Chunk[] | CpuLost): void;
}

/** The owner wants no more. */
class Over extends Error {}

export class InProcess implements Wire {
  readonly host: LinkEnd;
  readonly toBoard: Line;
  readonly toHost: Line;
  readonly #options: InProcessOptions;
  readonly #owner: Owner;
  #nowNs = 0;
  #session = 0;
  #sends: Chunk[] = [];
  readonly #inbox = new Inbox();
  /** The owner waits for an answer. */
  #owes = false;
  /** When the two last said something to each other, us, beside the link's own frames. */
  #spokeAt = 0;
  #arrived: Uint8Array = new Uint8Array(0);
  #resets = 0;

  constructor(options: InProcessOptions, owner: Owner) {
    const { baud = null, faults = NO_FAULTS, seed } = options;
    this.#options = options;
    this.#owner = owner;
    this.host = new LinkEnd(K.LINK_HOST, 0, 0);
    this.toBoard = new Line(baud, faults, seed, 'line to the board');
    this.toHost = new Line(baud, faults, seed, 'line to the host');
  }

  /** Until the owner wants no more. */
  run(): void {
    try {
      new Peer(this.#options.firmware, this, this.#options.roomBytes).run(1);
    } catch (error) {
      if (!(error instanceof Over)) throw error;
    }
  }

  now(): number {
    return Math.floor(this.#nowNs / 1000);
  }

  read(into: Uint8Array): number {
    if (this.#arrived.length === 0) this.#arrived = this.toBoard.receive(this.#nowNs) ?? this.#arrived;
    const part = this.#arrived.subarray(0, into.length);
    into.set(part);
    this.#arrived = this.#arrived.subarray(part.length);
    return part.length;
  }

  write(bytes: Uint8Array): number {
    if (!this.toHost.room(this.#nowNs)) return 0;
    this.#count();
    this.toHost.send(bytes.slice(), this.#nowNs);
    return bytes.length;
  }

  /** A frame is about to be sent: the moment for what goes wrong at a certain one. */
  #count(): void {
    const { pullAt = null, resetAt = null } = this.#options;
    const frames = this.toBoard.frames + this.toHost.frames;
    if (pullAt !== null && frames >= pullAt) this.toBoard.pulled = this.toHost.pulled = true;
    if (resetAt !== null && frames >= resetAt && this.#resets === 0) {
      this.#resets++;
      this.#arrived = new Uint8Array(0);
      throw new Reset();
    }
  }

  wait(us: number): void {
    const until = us === K.LINK_NEVER ? Infinity : this.#nowNs + us * 1000;
    for (;;) {
      this.#hostTurn();
      if (this.toBoard.next <= this.#nowNs || this.#nowNs >= until) return;
      const due = this.host.due(this.now()) * 1000;
      const hostAt = due === 0 ? this.toBoard.roomAt : this.#nowNs + due;
      const next = Math.min(until, this.toBoard.next, this.toHost.next, hostAt, this.#deadAt());
      this.#nowNs = Math.max(this.#nowNs + 1, next);
    }
  }

  #deadAt(): number {
    return this.#nowNs + (this.#options.deadUs - this.host.silent(this.now()) + 1) * 1000;
  }

  /** The host's end does what it can at this moment, and its owner says what is next when it has an answer. */
  #hostTurn(): void {
    const { host, toHost, toBoard } = this;
    for (;;) {
      for (let line = toHost.receive(this.#nowNs); line !== null; line = toHost.receive(this.#nowNs))
        host.receive(line, this.now());
      this.#give();
      if (this.#owes) this.#answer();
      if (this.#owes) break;
      const sends = this.#owner.next();
      if (sends === null) throw new Over();
      this.#owes = true;
      this.#spokeAt = this.now();
      this.#sends = sends;
      if (host.state === K.LINK_CLOSED || host.state === K.LINK_LOST) this.#open();
    }
    while (toBoard.room(this.#nowNs)) {
      const line = host.transmit(this.now());
      if (line === null) break;
      this.#countHost();
      toBoard.send(line, this.#nowNs);
    }
  }

  /** As for a frame of the board; but the board is not at work, so it is reset when it is. */
  #countHost(): void {
    const { pullAt = null } = this.#options;
    if (pullAt !== null && this.toBoard.frames + this.toHost.frames >= pullAt)
      this.toBoard.pulled = this.toHost.pulled = true;
  }

  #open(): void {
    this.#session = (this.#session % 0xffff) + 1;
    this.#inbox.clear();
    this.host.open(this.#session, this.now());
  }

  #give(): void {
    if (this.host.state !== K.LINK_OPEN) return;
    while (this.#sends.length > 0) {
      const first = this.#sends[0]!;
      const went = this.host.write(first.channel, first.bytes);
      if (went > 0) this.#spokeAt = this.now();
      if (went < first.bytes.length) {
        this.#sends[0] = { channel: first.channel, bytes: first.bytes.subarray(went) };
        return;
      }
      this.#sends.shift();
    }
    this.host.flush();
  }

  #answer(): void {
    const { bytes } = this.#inbox;
    if (this.#inbox.gather(this.host)) return this.#reply(this.#inbox.take());
    if (this.#inbox.bytes > bytes) this.#spokeAt = this.now();
    if (this.host.state === K.LINK_LOST) return this.#reply(new CpuLost('the board was reset'));
    // A board may be out of its mind and its link alive: then both would wait for each other for good.
    const isMute = this.now() - this.#spokeAt > 2 * this.#options.deadUs;
    if (!isMute && this.host.silent(this.now()) <= this.#options.deadUs) return;
    this.host.close();
    this.#reply(new CpuLost('the board does not answer'));
  }

  #reply(came: Chunk[] | CpuLost): void {
    this.#owes = false;
    this.#sends = [];
    this.#owner.answer(came);
  }
}
