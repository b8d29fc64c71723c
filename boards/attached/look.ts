/**
 * A first look at what is behind a serial port: a board of ours says what it is, and its log is read out of its RAM as
 * the last run left it. What it says otherwise, a boot loader's text for instance, is kept as it came.
 */
import * as K from '../../asm/link/layout.ts';
import * as R from '../../firmware/attached/layout.ts';
import { LOG_AT, LOG_BYTES } from '../../firmware/layout.ts';
import { CpuLost } from '../cpu.ts';
import type { Host } from '../host.ts';
import { LinkEnd } from '../serial/link-end.ts';
import { type SerialEnd, ignore } from '../serial/end.ts';
import { RecordReader, RecordWriter, type RpcRecord, wordAt, words } from './records.ts';

export interface Look {
  /** EM_*. */
  machine: number;
  roomMib: number;
  /** RAM as the last run left it; 0: none since power-on. */
  ramMib: number;
  build: string;
  log: string;
}

/** A board of ours answers within this. */
const ANSWER_MS = 1_500;
const UNIT_MIB = R.RAM_UNIT_BYTES / 2 ** 20;
/** The ring's text lies behind its count and fills half of its place, firmware/log.ts. */
const TEXT_AT = 16;
const TEXT_BYTES = LOG_BYTES / 2;

/** Resolves to null when no board of ours answers; `raw` is given what came then. */
export function lookAt(port: SerialEnd, host: Host, raw: (bytes: Uint8Array) => void): Promise<Look | null> {
  return new Promise((resolve) => {
    const looker = new Looker(port, host, (look) => {
      if (look === null) for (const bytes of looker.heard) raw(bytes);
      resolve(look);
    });
    looker.start();
  });
}

class Looker {
  readonly heard: Uint8Array[] = [];
  readonly #port: SerialEnd;
  readonly #host: Host;
  readonly #done: (look: Look | null) => void;
  readonly #link: LinkEnd;
  readonly #reader = new RecordReader();
  #look: Look | null = null;
  #ring = new Uint8Array(LOG_BYTES);
  #asked = false;
  #over = false;
  readonly #until: number;

  constructor(port: SerialEnd, host: Host, done: (look: Look | null) => void) {
    this.#port = port;
    this.#host = host;
    this.#done = done;
    this.#link = new LinkEnd(K.LINK_HOST, 0, this.#now());
    this.#until = this.#now() + ANSWER_MS * 1000;
  }

  #now(): number {
    return Math.floor(this.#host.now() / 1000);
  }

  start(): void {
    const [low = 1, high = 0] = this.#host.random(2);
    this.#link.open(1 + ((low + high * 256) % 0xffff), this.#now());
    this.#port.onData = (bytes) => {
      this.heard.push(bytes.slice());
      this.#link.receive(bytes, this.#now());
      this.#turn();
    };
    this.#port.onClose = () => this.#end(null);
    this.#turn();
  }

  #turn(): void {
    if (this.#over) return;
    if (this.#link.state === K.LINK_OPEN && !this.#asked)
      this.#ask(K.CHANNEL_CONTROL, R.RPC_HELLO, R.RPC_VERSION);
    try {
      for (let chunk = this.#link.take(); chunk !== null; chunk = this.#link.take()) this.#reader.push(chunk);
      for (let record = this.#reader.next(); record !== null; record = this.#reader.next())
        this.#heard(record);
    } catch (error) {
      if (!(error instanceof CpuLost)) throw error;
      return this.#end(this.#look);
    }
    this.#send();
    if (this.#over) return;
    if (this.#link.state === K.LINK_LOST || this.#now() > this.#until) return this.#end(this.#look);
    this.#host.after(Math.min(50, Math.ceil(this.#link.due(this.#now()) / 1000)), () => this.#turn());
  }

  #send(): void {
    for (let line = this.#link.transmit(this.#now()); line !== null; line = this.#link.transmit(this.#now()))
      this.#port.write(line);
  }

  #ask(channel: number, type: number, b: number, body?: Uint8Array): void {
    this.#asked = true;
    const writer = new RecordWriter();
    writer.say(channel, type, 0, b, body);
    for (const each of writer.take()) this.#link.write(each.channel, each.bytes);
    this.#link.flush();
  }

  #heard({ type, a, b, body }: RpcRecord): void {
    if (type === R.RPC_WELCOME && body.length === 8 + R.BUILD_BYTES) {
      this.#look = {
        machine: wordAt(body, 0),
        roomMib: b * UNIT_MIB,
        ramMib: wordAt(body, 4) * UNIT_MIB,
        build: Buffer.from(body.subarray(8))
          .toString('latin1')
          .replaceAll(/[^0-9a-f]/g, '?'),
        log: '',
      };
      if (this.#look.ramMib * 2 ** 20 < LOG_AT + LOG_BYTES) this.#end(this.#look);
      else this.#ask(K.CHANNEL_CONTROL, R.RPC_READ, LOG_AT, words(LOG_BYTES));
    } else if (type === R.RPC_RAM && b >= LOG_AT && b + body.length <= LOG_AT + LOG_BYTES) {
      this.#ring.set(body, b - LOG_AT);
      if (a !== 1 || this.#look === null) return;
      this.#look.log = logOf(this.#ring);
      this.#end(this.#look);
    }
  }

  #end(look: Look | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#link.close();
    this.#send();
    this.#port.onData = this.#port.onClose = ignore;
    this.#done(look);
  }
}

/** The text of the ring, oldest line first; a line that the newest have run over is left out. */
function logOf(ring: Uint8Array): string {
  const written = wordAt(ring, 0);
  const text = Buffer.from(ring.subarray(TEXT_AT, TEXT_AT + TEXT_BYTES)).toString('latin1');
  if (written <= TEXT_BYTES) return text.slice(0, written);
  const at = written % TEXT_BYTES;
  const all = text.slice(at) + text.slice(0, at);
  return all.slice(all.indexOf('\n') + 1);
}
