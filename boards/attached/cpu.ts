/**
 * The CPU of an attached board: the firmware runs at the far end of the link, its devices are here. Every call is a
 * remote procedure call in lockstep; what the firmware does to its devices comes back in order and is done here, at
 * the same moment of board time as on an emulated board.
 */
import * as K from '../../asm/link/layout.ts';
import * as R from '../../firmware/attached/layout.ts';
import type { Cpu, CpuFault, Devices } from '../cpu.ts';
import { type RpcRecord, wordAt } from './records.ts';
import { type Rpc, foul } from './rpc.ts';
import type { Shadow } from './shadow.ts';

/** The firmware trapped. */
class Trap extends Error {
  readonly pc: number;

  constructor(pc: number) {
    super('trap');
    this.pc = pc;
  }
}

const PLACE_MAX = 255;
/** NVRAM words a record. */
const NVRAM_A_RECORD = 128;

export class AttachedCpu implements Cpu {
  readonly #rpc: Rpc;
  readonly #shadow: Shadow;
  readonly #devices: Devices;
  readonly #placeOf: (pc: number) => string | null;
  /** What the board has been told. */
  #hbaPosted = 0;
  #portPosted = 0;
  #messages = 0;
  #typed = 0;
  #ecc: readonly number[] = [];

  constructor(rpc: Rpc, shadow: Shadow, devices: Devices, placeOf: (pc: number) => string | null) {
    this.#rpc = rpc;
    this.#shadow = shadow;
    this.#devices = devices;
    this.#placeOf = placeOf;
  }

  boot(periodUs: number): void {
    const { words } = this.#devices.nvram;
    for (let at = 0; at < words.length; at += NVRAM_A_RECORD) {
      const part = words.slice(at, at + NVRAM_A_RECORD);
      this.#rpc.say(K.CHANNEL_CONTROL, R.RPC_NVRAM, 0, at * 4, new Uint8Array(part.buffer));
    }
    this.#call(K.CHANNEL_TIME, R.RPC_BOOT, 0, periodUs);
  }

  cycle(): number {
    return this.#call(K.CHANNEL_TIME, R.RPC_CYCLE, 0, 0);
  }

  interrupt(lines: number): void {
    this.#call(K.CHANNEL_TIME, R.RPC_INTERRUPT, 0, lines);
  }

  nmi(reason: number, pc: number, address: number, place: string | null): void {
    const text = Buffer.from((place ?? '').slice(0, PLACE_MAX), 'latin1');
    const rest = Buffer.alloc(4 + text.length);
    rest.writeUInt32LE(address >>> 0);
    text.copy(rest, 4);
    this.#call(K.CHANNEL_PANIC, R.RPC_NMI, reason, pc, rest);
  }

  fault(error: unknown): CpuFault | null {
    return error instanceof Trap ? { pc: error.pc, place: this.#placeOf(error.pc) } : null;
  }

  #call(channel: number, type: number, a: number, b: number, rest: Uint8Array = new Uint8Array(0)): number {
    this.#tellChanges();
    const body = new Uint8Array(R.NOW_BYTES + rest.length);
    const view = new DataView(body.buffer);
    view.setBigUint64(0, BigInt(this.#devices.nowUs()), true);
    view.setUint32(8, this.#devices.utc(), true);
    body.set(rest, R.NOW_BYTES);
    this.#rpc.say(channel, type, a, b, body);
    for (;;) {
      const record = this.#rpc.next();
      if (record.type !== R.RPC_RETURN && record.type !== R.RPC_TRAP) this.#output(record);
      else {
        this.#taken(record);
        if (record.type === R.RPC_TRAP) throw new Trap(record.b);
        return record.b;
      }
    }
  }

  /** What has changed since the last call. */
  #tellChanges(): void {
    const { hba, port, messages, typed, ecc } = this.#devices;
    const rpc = this.#rpc;
    this.#shadow.forward();
    if (hba.poll() !== this.#hbaPosted) {
      this.#hbaPosted = hba.poll();
      rpc.say(K.CHANNEL_HBA, R.RPC_POSTED, R.DEVICE_HBA, this.#hbaPosted);
    }
    if (port.poll() !== this.#portPosted) {
      this.#portPosted = port.poll();
      rpc.say(K.CHANNEL_PORT, R.RPC_POSTED, R.DEVICE_PORT, this.#portPosted);
    }
    while (this.#messages < messages.length)
      rpc.say(K.CHANNEL_INTERCONNECT, R.RPC_MESSAGE, 0, 0, messages[this.#messages++]);
    while (this.#typed < Math.min(typed.length, R.TYPED_MAX)) {
      const part = typed.slice(this.#typed, Math.min(this.#typed + R.RECORD_SMALL_MAX, R.TYPED_MAX));
      this.#typed += part.length;
      rpc.say(K.CHANNEL_CONSOLE, R.RPC_TYPED, 0, 0, Uint8Array.from(part));
    }
    if (ecc.pages !== this.#ecc) this.#tellEcc(ecc.pages);
  }

  #tellEcc(pages: readonly number[]): void {
    this.#ecc = pages;
    const each = R.RECORD_SMALL_MAX / 4;
    for (let at = 0; at === 0 || at < Math.min(pages.length, R.ECC_MAX); at += each) {
      const part = Uint32Array.from(pages.slice(at, Math.min(at + each, R.ECC_MAX)));
      this.#rpc.say(K.CHANNEL_CONTROL, R.RPC_ECC, at === 0 ? 1 : 0, 0, new Uint8Array(part.buffer));
    }
  }

  #taken({ body }: RpcRecord): void {
    if (body.length !== 8) throw foul('returned without its counts');
    const messages = wordAt(body, 0);
    const typed = wordAt(body, 4);
    if (messages > this.#messages || typed > this.#typed) throw foul('took more than it was given');
    this.#devices.messages.splice(0, messages);
    this.#devices.typed.splice(0, typed);
    this.#messages -= messages;
    this.#typed -= typed;
  }

  // -------------------------------------------------------------------------------- what the firmware does to devices

  #output(record: RpcRecord): void {
    const { type, a, b, body } = record;
    const { devices } = { devices: this.#devices };
    if (body.length < (LEAST[type] ?? Infinity)) throw foul(`sent a record of type ${type} that is none`);
    switch (type) {
      case R.RPC_RAM:
        return this.#shadow.take(record);
      case R.RPC_CONFIGURE:
        this.#hbaPosted = 0;
        return devices.hba.configure(wordAt(body, 0), wordAt(body, 4), wordAt(body, 8), wordAt(body, 12));
      case R.RPC_DOORBELL:
        return devices.hba.doorbell(b);
      case R.RPC_HBA_RESET:
        return devices.hba.reset();
      case R.RPC_IRQ:
        return a === 1 ? devices.mask(b) : devices.unmask(b);
      case R.RPC_WORK:
        return devices.work(a, b);
      case R.RPC_FEED:
        return devices.feed(b);
      case R.RPC_SEND:
        if (body.length > R.MESSAGE_MAX) throw foul('sent too long a message');
        return devices.send(body.slice());
      case R.RPC_NVRAM_WRITE:
        return devices.nvram.write(b, wordAt(body, 0));
      case R.RPC_TEXT:
        return this.#text(body, a === 1);
      case R.RPC_HALT:
        return a === 1 ? devices.reboot() : devices.halt();
      case R.RPC_TRACE:
        devices.event(b, wordAt(body, 0), wordAt(body, 4), wordAt(body, 8));
        return a === 1 ? this.#resume(0) : undefined;
      case R.RPC_RANDOM:
        return this.#resume(devices.random());
      default:
        return this.#portOutput(record);
    }
  }

  #portOutput({ type, a, b, body }: RpcRecord): void {
    const { port } = this.#devices;
    switch (type) {
      case R.RPC_PORT_CONFIGURE:
        return port.configure(b, wordAt(body, 0));
      case R.RPC_RELEASE:
        return port.release(b);
      case R.RPC_FETCH:
        port.fetch(b, wordAt(body, 0), wordAt(body, 4));
        this.#shadow.forward();
        return this.#resume(0);
      case R.RPC_REPLY:
        return port.reply(b, a, wordAt(body, 0), wordAt(body, 4), wordAt(body, 8));
      case R.RPC_CLAIM:
        return port.onClaim(b, a === 1);
      default:
        throw foul(`sent a record of type ${type}, which nobody knows`);
    }
  }

  #resume(answer: number): void {
    this.#rpc.say(K.CHANNEL_CONTROL, R.RPC_RESUME, 0, answer);
  }

  /** A text is one however many records it took. */
  #text(body: Uint8Array, more: boolean): void {
    this.#line += Buffer.from(body).toString('latin1');
    if (more) return;
    this.#devices.console(this.#line);
    this.#line = '';
  }
  #line = '';
}

/** Bytes of the body, at least. */
const LEAST: Readonly<Record<number, number>> = {
  [R.RPC_RAM]: 0,
  [R.RPC_CONFIGURE]: 16,
  [R.RPC_DOORBELL]: 0,
  [R.RPC_HBA_RESET]: 0,
  [R.RPC_IRQ]: 0,
  [R.RPC_WORK]: 0,
  [R.RPC_FEED]: 0,
  [R.RPC_SEND]: 0,
  [R.RPC_NVRAM_WRITE]: 4,
  [R.RPC_TEXT]: 0,
  [R.RPC_HALT]: 0,
  [R.RPC_TRACE]: 12,
  [R.RPC_RANDOM]: 0,
  [R.RPC_PORT_CONFIGURE]: 4,
  [R.RPC_RELEASE]: 0,
  [R.RPC_FETCH]: 8,
  [R.RPC_REPLY]: 12,
  [R.RPC_CLAIM]: 0,
};
