/**
 * A client of a volume: reads and writes its part of it, one request at a time, and waits for an answer as long as its
 * protocol does. While it waits it tries again whenever the volume's address has moved or the board refused.
 */
import { type Clock, MS, SECOND, US } from '../clock.ts';
import type { RandomStream } from '../random.ts';
import type { Protocol } from '../scenario.ts';
import { History, NEVER_WRITTEN } from './history.ts';
import type { Network } from './network.ts';

/** How long a client of this protocol waits before its user sees an error. */
export const PATIENCE_S: Readonly<Record<Protocol, number>> = {
  'linux-scsi': 30, // /sys/block/*/device/timeout
  nfs: 60, // timeo of NFS over TCP
  windows: 60, // TimeOutValue as storage vendors advise
  iscsi: 120, // open-iscsi node.session.timeo.replacement_timeout
};

const RETRY = 200 * MS;
const SECTOR = 512;
const THINK = 1;
const LOOK = 2;

export interface ClientOptions {
  volume: number;
  protocol: Protocol;
  firstBlock: number; // of its part
  slots: number;
  ioBytes: number;
  writePercent: number;
  thinkUs: number;
}

export interface ClientWatcher {
  /** A request was answered well. */
  served(client: Client, board: number, waitedNs: number): void;
  wrongRead(client: Client, slot: number): void;
  timedOut(client: Client): void;
}

interface Operation {
  write: boolean;
  slot: number;
  content: number;
  cdb: Uint8Array;
  began: number;
  sentClaims: number; // 0: not on its way
}

export class Client {
  readonly options: ClientOptions;
  readonly history: History;
  writesAcked = 0;
  /** Acknowledged and not on the disk at the end: counted by the observer. */
  writesLost = 0;
  reads = 0;
  wrongReads = 0;
  timedOut = 0;
  longestNs = 0;
  #clock: Clock;
  #network: Network;
  #random: RandomStream;
  #watcher: ClientWatcher;
  #component: number;
  #poolBytes: number;
  #operation: Operation | null = null;
  #serial = 0;
  #quiet = false;

  constructor(
    options: ClientOptions,
    clock: Clock,
    network: Network,
    random: RandomStream,
    pool: Uint8Array,
    watcher: ClientWatcher,
  ) {
    this.options = options;
    this.#clock = clock;
    this.#network = network;
    this.#random = random;
    this.#watcher = watcher;
    this.#poolBytes = pool.length;
    this.history = new History(options.slots, options.ioBytes, pool);
    this.#component = clock.register((kind, serial) => {
      if (kind === THINK) this.#begin();
      else if (serial === this.#serial) this.#look();
    });
    this.#think();
  }

  /** How long the request under way has waited by now, ns; 0 without one. */
  waitedNs(now: number): number {
    return this.#operation === null ? 0 : now - this.#operation.began;
  }

  get waiting(): boolean {
    return this.#operation !== null;
  }

  /** No new requests; those on their way end. */
  quiet(): void {
    this.#quiet = true;
  }

  /** The end of the run: a write on its way may have landed, or not. */
  abandon(): void {
    const operation = this.#operation;
    this.longestNs = Math.max(this.longestNs, this.waitedNs(this.#clock.now));
    if (operation?.write === true) this.history.gaveUp(operation.slot, operation.content);
    this.#operation = null;
    this.#serial++;
  }

  #think(): void {
    const mean = this.options.thinkUs;
    this.#clock.after(
      (Math.floor(mean / 2) + this.#random.below(Math.max(1, mean))) * US,
      this.#component,
      THINK,
    );
  }

  #begin(): void {
    if (this.#quiet) return;
    if (this.#network.claims(this.options.volume) === 0) return this.#think(); // nobody has served it yet
    const slot = this.#random.below(this.options.slots);
    // What was never written is written first: reads of zeros tell little.
    const write =
      this.history.acked[slot] === NEVER_WRITTEN || this.#random.chance(this.options.writePercent, 100);
    const content = write ? this.#newContent(slot) : 0;
    const cdb = new Uint8Array(16);
    const view = new DataView(cdb.buffer);
    cdb[0] = write ? 0x8a : 0x88; // WRITE(16), READ(16)
    const blocks = this.options.ioBytes / SECTOR;
    view.setBigUint64(2, BigInt(this.options.firstBlock + slot * blocks));
    view.setUint32(10, blocks);
    this.#operation = { write, slot, content, cdb, began: this.#clock.now, sentClaims: 0 };
    this.#serial++;
    this.#send();
    this.#clock.after(RETRY, this.#component, LOOK, this.#serial);
  }

  /** Other bytes than the slot holds now, so that a write that got lost shows. */
  #newContent(slot: number): number {
    const places = Math.floor((this.#poolBytes - this.options.ioBytes) / SECTOR);
    const now = this.history.acked[slot]!;
    for (let n = 0; ; n++) {
      const offset = this.#random.below(places) * SECTOR;
      if (now === NEVER_WRITTEN || n === 8) return offset;
      if (Buffer.compare(this.history.content(offset), this.history.content(now)) !== 0) return offset;
    }
  }

  #send(): void {
    const operation = this.#operation!;
    operation.sentClaims = this.#network.claims(this.options.volume);
    if (this.#network.owner(this.options.volume) === null) operation.sentClaims = 0;
    if (operation.sentClaims === 0) return;
    const serial = this.#serial;
    this.#network.send({
      volume: this.options.volume,
      cdb: operation.cdb,
      data: operation.write ? this.history.content(operation.content) : null,
      accepts: (data) => operation.write || (data !== null && this.history.allows(operation.slot, data)),
      answered: (status, good, board) => {
        if (serial === this.#serial && this.#operation === operation) this.#answered(status, good, board);
      },
    });
  }

  /** Still waiting: send again if the address has moved or the board refused; give up when patience is over. */
  #look(): void {
    const operation = this.#operation;
    if (operation === null) return;
    if (this.#clock.now - operation.began >= PATIENCE_S[this.options.protocol] * SECOND) {
      this.timedOut++;
      if (operation.write) this.history.gaveUp(operation.slot, operation.content);
      this.#watcher.timedOut(this);
      return this.#done();
    }
    const { volume } = this.options;
    if (this.#network.owner(volume) !== null && this.#network.claims(volume) !== operation.sentClaims)
      this.#send();
    this.#clock.after(RETRY, this.#component, LOOK, this.#serial);
  }

  #answered(status: number, good: boolean, board: number): void {
    const operation = this.#operation!;
    if (status !== 0) {
      operation.sentClaims = 0; // refused: again at the next look
      return;
    }
    if (operation.write) {
      this.writesAcked++;
      this.history.acknowledged(operation.slot, operation.content);
    } else {
      this.reads++;
      if (!good) {
        this.wrongReads++;
        this.#watcher.wrongRead(this, operation.slot);
      }
    }
    const waited = this.#clock.now - operation.began;
    this.longestNs = Math.max(this.longestNs, waited);
    this.#watcher.served(this, board, waited);
    this.#done();
  }

  #done(): void {
    this.#operation = null;
    this.#serial++;
    this.#think();
  }
}
