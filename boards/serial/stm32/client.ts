/**
 * The client of the bootloader in STM32's ROM, on a UART: each command is answered step by step with ACK or NACK.
 *
 * [AN3155] 2 bootloader activation, 3 commands
 */
import type { Host, Timer } from '../../host.ts';
import type { SerialEnd } from '../end.ts';
import { LineLost, NoAnswer } from '../line-error.ts';

const ACK = 0x79;
const NACK = 0x1f;
const SYNC = 0x7f;
const GET = 0x00;
const GET_ID = 0x02;
const READ = 0x11;
const GO = 0x21;
const WRITE = 0x31;
const ERASE = 0x43;
const EXTENDED_ERASE = 0x44;

/** Most that a command reads or writes. */
export const BLOCK_BYTES = 256;
const ANSWER_MS = 1000;
/** A page takes up to 40 ms, a whole flash up to half a minute. */
const PAGE_ERASE_MS = 100;
const MASS_ERASE_MS = 60_000;
/** After a pause like this our bootloader forgets half a command; ST's is filled up with bytes instead. */
const FORGET_MS = 1200;
const LONGEST_COMMAND = BLOCK_BYTES + 2;

/** The board understood, and will not. */
export class Nack extends Error {}

export interface Identity {
  version: number;
  commands: number[];
  product: number;
}

const xor = (bytes: Iterable<number>): number => {
  let sum = 0;
  for (const byte of bytes) sum ^= byte;
  return sum;
};

const be32 = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);

export class Stm32Client {
  readonly host: Host;
  readonly line: SerialEnd;
  #arrived: number[] = [];
  #lost: string | null = null;
  #wake: (() => void) | null = null;

  constructor(host: Host, line: SerialEnd) {
    this.host = host;
    this.line = line;
    line.onData = (bytes) => {
      this.#arrived.push(...bytes);
      this.#wake?.();
    };
    line.onClose = (reason) => {
      this.#lost = reason ?? 'the port was closed';
      this.#wake?.();
    };
  }

  /** True when a bootloader answers; one that has answered before refuses, which is an answer, too. */
  async sync(ms: number): Promise<boolean> {
    this.#arrived = [];
    this.line.write(Uint8Array.of(SYNC));
    try {
      const [byte] = await this.#read(1, ms);
      if (byte === ACK || byte === NACK) return true;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
    // It may have taken the first one for half a command; with a second the command is one that it refuses.
    this.line.write(Uint8Array.of(SYNC));
    try {
      const [byte] = await this.#read(1, ms);
      return byte === NACK || byte === ACK;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      return false;
    }
  }

  async identity(): Promise<Identity> {
    await this.#command(GET);
    const [count] = await this.#read(1, ANSWER_MS);
    const [version, ...commands] = await this.#read(count! + 1, ANSWER_MS);
    await this.#ack(ANSWER_MS);
    await this.#command(GET_ID);
    const [more] = await this.#read(1, ANSWER_MS);
    const id = await this.#read(more! + 1, ANSWER_MS);
    await this.#ack(ANSWER_MS);
    return { version: version!, commands, product: id.reduce((sum, byte) => sum * 256 + byte, 0) };
  }

  async read(address: number, bytes: number): Promise<Uint8Array> {
    await this.#command(READ);
    await this.#address(address);
    await this.#send([bytes - 1, 0xff ^ (bytes - 1)], ANSWER_MS);
    return Uint8Array.from(await this.#read(bytes, ANSWER_MS));
  }

  /** Whole words; at most BLOCK_BYTES. */
  async write(address: number, bytes: Uint8Array): Promise<void> {
    await this.#command(WRITE);
    await this.#address(address);
    const said = [bytes.length - 1, ...bytes];
    await this.#send([...said, xor(said)], ANSWER_MS);
  }

  async erasePages(first: number, count: number, extended: boolean): Promise<void> {
    const pages = Array.from({ length: count }, (_, n) => first + n);
    await this.#command(extended ? EXTENDED_ERASE : ERASE);
    const wide = (value: number): number[] => (extended ? [value >> 8, value & 255] : [value]);
    const said = [...wide(count - 1), ...pages.flatMap(wide)];
    await this.#send([...said, xor(said)], ANSWER_MS + count * PAGE_ERASE_MS);
  }

  async eraseAll(extended: boolean): Promise<void> {
    await this.#command(extended ? EXTENDED_ERASE : ERASE);
    await this.#send(extended ? [0xff, 0xff, 0x00] : [0xff, 0x00], MASS_ERASE_MS);
  }

  async go(address: number): Promise<void> {
    await this.#command(GO);
    await this.#address(address, 10 * ANSWER_MS);
  }

  /** After a step that went wrong: brings both sides back to where a command begins. */
  async recover(): Promise<void> {
    await this.#pass(FORGET_MS);
    this.#arrived = [];
    if (await this.#isAtCommand()) return;
    this.line.write(new Uint8Array(LONGEST_COMMAND).fill(0xff));
    await this.#pass(ANSWER_MS);
    this.#arrived = [];
    if (!(await this.#isAtCommand())) throw new NoAnswer('the bootloader stopped answering');
  }

  async #isAtCommand(): Promise<boolean> {
    try {
      await this.identity();
      return true;
    } catch (error) {
      if (error instanceof LineLost) throw error;
      return false;
    }
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => void this.host.after(ms, resolve));
  }

  async #command(code: number): Promise<void> {
    await this.#send([code, 0xff ^ code], ANSWER_MS);
  }

  async #address(address: number, ms = ANSWER_MS): Promise<void> {
    const bytes = be32(address);
    await this.#send([...bytes, xor(bytes)], ms);
  }

  async #send(bytes: readonly number[], ms: number): Promise<void> {
    this.line.write(Uint8Array.from(bytes));
    await this.#ack(ms);
  }

  async #ack(ms: number): Promise<void> {
    const [byte] = await this.#read(1, ms);
    if (byte === ACK) return;
    if (byte === NACK) throw new Nack('the bootloader refused');
    throw new NoAnswer(`an answer that is none (${byte})`);
  }

  async #read(bytes: number, ms: number): Promise<number[]> {
    let isLate = false;
    const timer: Timer = this.host.after(ms, () => {
      isLate = true;
      this.#wake?.();
    });
    try {
      for (;;) {
        if (this.#lost !== null) throw new LineLost(this.#lost);
        if (this.#arrived.length >= bytes) return this.#arrived.splice(0, bytes);
        if (isLate) throw new NoAnswer('no answer');
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      timer.cancel();
      this.#wake = null;
    }
  }
}
