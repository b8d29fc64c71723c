/** A board that is spoken to call by call: no line, no pace, time passes when it is told to. */
import { KIND_EMULATED, SMP_GROUP_IMAGE, SMP_GROUP_OS } from '../../../firmware/bootloader/layout.ts';
import type { Host, Timer } from '../../host.ts';
import { type SerialEnd, ignore } from '../end.ts';
import { KEY } from '../rig.test-helper.ts';
import type { CborMap } from '../smp/cbor.ts';
import { FrameReader, frameOf } from '../smp/frame.ts';
import { type Command, OP_READ, OP_WRITE, replyOf, requestOf } from '../smp/packet.ts';
import { provision } from './factory.ts';
import { NorFlash } from './flash.ts';
import { FlashRig, type RigOptions, type Running } from './rig.ts';

/** A host whose clock a test turns by hand. */
export class HandHost implements Host {
  #now = 0;
  #due: { at: number; call: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  utc(): number {
    return 0;
  }

  after(ms: number, call: () => void): Timer {
    const due = { at: this.#now + ms * 1e6, call };
    this.#due.push(due);
    return { cancel: () => void (this.#due = this.#due.filter((each) => each !== due)) };
  }

  soon(call: () => void): void {
    this.after(0, call);
  }

  random(bytes: number): Uint8Array {
    return new Uint8Array(bytes);
  }

  pass(ms: number): void {
    const end = this.#now + ms * 1e6;
    for (;;) {
      const [next] = this.#due.toSorted((one, other) => one.at - other.at);
      if (next === undefined || next.at > end) break;
      this.#due = this.#due.filter((each) => each !== next);
      this.#now = next.at;
      next.call();
    }
    this.#now = end;
  }
}

export const UPLOAD: Command = { op: OP_WRITE, group: SMP_GROUP_IMAGE, id: 1 };
export const STATE: Command = { op: OP_READ, group: SMP_GROUP_IMAGE, id: 0 };
export const SET_STATE: Command = { op: OP_WRITE, group: SMP_GROUP_IMAGE, id: 0 };
export const ERASE: Command = { op: OP_WRITE, group: SMP_GROUP_IMAGE, id: 5 };
export const RESET: Command = { op: OP_WRITE, group: SMP_GROUP_OS, id: 5 };
export const ECHO: Command = { op: OP_WRITE, group: SMP_GROUP_OS, id: 0 };

type Body = Parameters<typeof requestOf>[2];

export class HandBoard {
  readonly host = new HandHost();
  readonly flash: NorFlash;
  readonly rig: FlashRig;
  /** The image that has the board. */
  running: Running | null = null;
  /** What the board sent. */
  sent: Uint8Array[] = [];
  #line: SerialEnd;
  #replies: CborMap[] = [];
  #reader = new FrameReader((packet) => {
    const reply = replyOf(packet);
    if (reply !== null) this.#replies.push(reply.body);
  });

  constructor(flash: NorFlash = new NorFlash(), options: Partial<RigOptions> = {}) {
    this.flash = flash;
    const plan = flash.plan;
    flash.plan = null;
    provision(flash, KIND_EMULATED, KEY);
    flash.plan = plan;
    flash.operations = 0;
    this.#line = {
      onData: ignore,
      onClose: ignore,
      isOpen: true,
      queued: 0,
      write: (bytes) => {
        this.sent.push(bytes);
        this.#reader.feed(bytes);
      },
    };
    this.rig = new FlashRig({
      host: this.host,
      flash,
      line: this.#line,
      onImage: (running) => {
        this.running = running;
        return { onData: ignore, stop: () => (this.running = null) };
      },
      ...options,
    });
    this.rig.reset();
  }

  feed(bytes: Uint8Array): void {
    this.#line.onData(bytes);
  }

  /** The board's answer, null when it gave none. */
  ask(command: Command, body: Body = {}): CborMap | null {
    this.#replies = [];
    this.feed(frameOf(requestOf(command, 0, body)));
    return this.#replies[0] ?? null;
  }

  /** Sends bytes and takes what comes back. */
  tell(...bytes: number[]): number[] {
    this.sent = [];
    this.feed(Uint8Array.from(bytes));
    return Array.from(Buffer.concat(this.sent));
  }

  /** Sends an image in chunks; false as soon as the board does not go on. */
  upload(image: Uint8Array, sha: Uint8Array, chunkBytes = 256): boolean {
    let at = 0;
    for (let calls = 0; at < image.length && calls <= 2 * (image.length / chunkBytes) + 4; calls++) {
      const head = at === 0 ? { image: 0, len: image.length, sha } : {};
      const reply = this.ask(UPLOAD, { ...head, off: at, data: image.subarray(at, at + chunkBytes) } as Body);
      if (typeof reply?.['off'] !== 'number') return false;
      at = reply['off'];
    }
    return at === image.length;
  }

  /** Boots, and lets the image have the board if there is one. */
  boot(): void {
    this.rig.reset();
    this.host.pass(2000);
  }

  /** The byte that tells the images of this test apart, 0 when none runs. */
  get version(): number {
    return this.running?.payload[0] ?? 0;
  }
}
