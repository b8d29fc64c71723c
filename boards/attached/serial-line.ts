/** The host's end of the link on a serial port: pumped by what comes, by what is to be sent, and by time. */
import * as K from '../../asm/link/layout.ts';
import { type Host, type Timer, realHost } from '../host.ts';
import { Inbox } from './inbox.ts';
import { LinkEnd, type Chunk } from '../serial/link-end.ts';
import type { SerialAddress } from './address.ts';
import { type FarPort, openFarPort } from './far-port.ts';
import type { ToLine, ToRun } from './letters.ts';
import type { Letters } from './mailbox.ts';

/** A board that has been silent for so long is dead. */
export const DEAD_US = 5_000_000;
/** So long the last frames of a session may take to get out. */
const GOODBYE_MS = 200;

export async function serveSerial(letters: Letters<ToRun, ToLine>, address: SerialAddress): Promise<void> {
  const port = await openFarPort(address.path, address.baud);
  new SerialLine(letters, port, realHost()).start();
}

class SerialLine {
  readonly #letters: Letters<ToRun, ToLine>;
  readonly #port: FarPort;
  readonly #host: Host;
  readonly #link: LinkEnd;
  #timer: Timer | null = null;
  #sends: Chunk[] = [];
  readonly #inbox = new Inbox();
  #owes = false;
  #session: number;
  #writing = false;
  #gone = false;
  #frames = 0;

  constructor(letters: Letters<ToRun, ToLine>, port: FarPort, host: Host) {
    this.#letters = letters;
    this.#port = port;
    this.#host = host;
    const random = host.random(2);
    this.#session = random[0]! * 256 + random[1]!;
    this.#link = new LinkEnd(K.LINK_HOST, 0, this.#now());
  }

  start(): void {
    this.#port.onData = (bytes) => {
      this.#link.receive(bytes, this.#now());
      this.#turn();
    };
    this.#port.onGone = () => {
      this.#gone = true;
      this.#turn();
    };
    this.#letters.port.on('message', (letter: ToLine) => this.#heard(letter));
  }

  #now(): number {
    return Math.floor(this.#host.now() / 1000);
  }

  #heard(letter: ToLine): void {
    if ('close' in letter) return this.#close();
    this.#sends = letter.send;
    this.#owes = true;
    const { state } = this.#link;
    if (!this.#gone && (state === K.LINK_CLOSED || state === K.LINK_LOST)) {
      this.#session = (this.#session % 0xffff) + 1;
      this.#inbox.clear();
      this.#link.open(this.#session, this.#now());
    }
    this.#turn();
  }

  #turn(): void {
    this.#give();
    if (this.#owes) this.#answer();
    this.#transmit();
    this.#plan();
  }

  #give(): void {
    if (this.#link.state !== K.LINK_OPEN) return;
    while (this.#sends.length > 0) {
      const first = this.#sends[0]!;
      const went = this.#link.write(first.channel, first.bytes);
      if (went < first.bytes.length) {
        this.#sends[0] = { channel: first.channel, bytes: first.bytes.subarray(went) };
        return;
      }
      this.#sends.shift();
    }
    this.#link.flush();
  }

  #answer(): void {
    if (this.#inbox.gather(this.#link))
      return this.#reply({ came: this.#inbox.take(), frames: this.#frames });
    if (this.#gone) return this.#reply({ lost: 'the serial port is gone' });
    if (this.#link.state === K.LINK_LOST) return this.#reply({ lost: 'the board was reset' });
    if (this.#link.silent(this.#now()) <= DEAD_US) return;
    this.#link.close();
    this.#reply({ lost: 'the board does not answer' });
  }

  #reply(letter: ToRun): void {
    this.#owes = false;
    this.#sends = [];
    this.#letters.post(letter);
  }

  /** One frame after the other: the next one when the port has taken the last. */
  #transmit(): void {
    if (this.#writing || this.#gone) return;
    const line = this.#link.transmit(this.#now());
    if (line === null) return;
    this.#frames++;
    this.#writing = true;
    this.#port.write(line, () => {
      this.#writing = false;
      this.#turn();
    });
  }

  #plan(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#gone) return;
    const due = this.#writing ? Infinity : this.#link.due(this.#now());
    const ms = Math.min(1000, Math.max(0, Math.ceil(due / 1000)));
    this.#timer = this.#host.after(ms, () => this.#turn());
  }

  /** The board is told, and then the port is free for others. */
  #close(): void {
    this.#link.close();
    this.#turn();
    this.#host.after(GOODBYE_MS, () => {
      this.#gone = true;
      this.#timer?.cancel();
      this.#port.close();
      this.#letters.port.close();
    });
  }
}
