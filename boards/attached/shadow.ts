/**
 * The host's shadow of an attached board's RAM: what devices see. Devices read from it what the board sent before a
 * doorbell, and what they write into it goes to the board before its next call. Asked for as a whole, it is brought up
 * to date by comparing checksums page by page.
 */
import { type DiskIo, instantiateSync } from '#disk-io';
import { CHANNEL_CONTROL, CHANNEL_HBA } from '../../asm/link/layout.ts';
import * as R from '../../firmware/attached/layout.ts';
import { giveMemory, takeMemory } from '../emulated/ram.ts';
import { type RpcRecord, wordAt, words } from './records.ts';
import { type Rpc, foul } from './rpc.ts';

/** Contents that one READ asks for. */
const READ_MAX = 1 << 20;

export class Shadow {
  readonly bytes: Uint8Array;
  readonly #memory: WebAssembly.Memory;
  readonly #rpc: Rpc;
  /** Address and bytes of what devices have written and the board has not, in turn. */
  #written: number[] = [];

  constructor(rpc: Rpc, bytes: number) {
    this.#rpc = rpc;
    this.#memory = takeMemory(bytes);
    this.bytes = new Uint8Array(this.#memory.buffer);
  }

  /** DMA is about to write there. */
  note(address: number, bytes: number): void {
    if (bytes > 0 && address + bytes <= this.bytes.length) this.#written.push(address, bytes);
  }

  /** What devices have written goes to the board. */
  forward(): void {
    const written = this.#written;
    this.#written = [];
    for (let i = 0; i < written.length; i += 2) {
      const end = written[i]! + written[i + 1]!;
      for (let at = written[i]!; at < end; at += R.RECORD_BULK_MAX) {
        const part = this.bytes.subarray(at, Math.min(end, at + R.RECORD_BULK_MAX));
        this.#rpc.say(CHANNEL_HBA, R.RPC_WRITE, 0, at, part);
      }
    }
  }

  /** Contents of RAM, from the board. */
  take({ b, body }: RpcRecord): void {
    if (b + body.length > this.bytes.length) throw foul('sent RAM beyond the end of it');
    this.bytes.set(body, b);
  }

  /** Everything is as in the board's RAM. */
  refresh(): void {
    this.forward();
    const pages = this.bytes.length / R.PAGE_BYTES;
    const sums = this.#sums(pages);
    const own = checksums();
    let wanted = 0;
    for (let page = 0; page < pages;) {
      if (own(this.#page(page)) === sums[page]) {
        page++;
        continue;
      }
      const first = page;
      const room = READ_MAX / R.PAGE_BYTES;
      while (page < pages && page - first < room && own(this.#page(page)) !== sums[page]) page++;
      const bytes = (page - first) * R.PAGE_BYTES;
      wanted += bytes;
      this.#rpc.say(CHANNEL_CONTROL, R.RPC_READ, 0, first * R.PAGE_BYTES, words(bytes));
    }
    while (wanted > 0) {
      const record = this.#rpc.only(R.RPC_RAM);
      this.take(record);
      wanted -= record.body.length;
    }
  }

  #page(page: number): Uint8Array {
    return this.bytes.subarray(page * R.PAGE_BYTES, (page + 1) * R.PAGE_BYTES);
  }

  #sums(pages: number): Uint32Array {
    const sums = new Uint32Array(pages);
    this.#rpc.say(CHANNEL_CONTROL, R.RPC_SUMS, 0, 0, words(pages));
    for (let page = 0; page < pages;) {
      const { b, body } = this.#rpc.only(R.RPC_SUMS_ARE);
      if (b !== page || body.length === 0 || body.length % 4 !== 0 || page + body.length / 4 > pages)
        throw foul('sent checksums of other pages');
      for (let at = 0; at < body.length; at += 4) sums[page++] = wordAt(body, at);
    }
    return sums;
  }

  give(): void {
    giveMemory(this.#memory);
  }
}

let io: DiskIo | null = null;

/** CRC32C of a page, by the module. */
function checksums(): (page: Uint8Array) => number {
  const module = (io ??= instantiateSync());
  const at = module.heap_base();
  const bytes = new Uint8Array(module.memory.buffer);
  return (page) => {
    bytes.set(page, at);
    return module.crc32c(0, at, page.length) >>> 0;
  };
}
