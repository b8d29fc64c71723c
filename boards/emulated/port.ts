/**
 * The front-end port: puts clients' requests into a ring in board RAM and takes the answers. Data moves between the
 * client and RAM when firmware says so.
 *
 * [layout] REQUEST_*
 */
import * as L from '../../asm/layout.ts';

export interface Request {
  volume: number;
  cdb: Uint8Array;
  /** Data of a write. */
  data: Uint8Array | null;
  /** The answer; `data` is a view of board RAM, good for the time of the call only. */
  reply(status: number, sense: number, data: Uint8Array | null): void;
}

export class FrontEndPort {
  onInterrupt: () => void = () => {};
  /** Told before DMA puts bytes into RAM; null: nobody needs to know. */
  onDma: ((address: number, bytes: number) => void) | null = null;
  onClaim: (volume: number, on: boolean) => void = () => {};
  #ram: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #ring = 0;
  #count = 0;
  #posted = 0;
  #released = 0;
  #next = 1;
  #open = new Map<number, Request>();

  attach(ram: Uint8Array): void {
    this.#ram = ram;
    this.#view = new DataView(ram.buffer);
    this.#count = this.#posted = this.#released = 0;
    this.#open.clear();
  }

  configure(ring: number, count: number): void {
    const good =
      count > 0 && (count & (count - 1)) === 0 && ring + count * L.REQUEST_BYTES <= this.#ram.length;
    this.#ring = ring;
    this.#count = good ? count : 0;
  }

  /** False when the ring is full or there is none: the client sends again later. */
  place(request: Request): boolean {
    if (this.#posted - this.#released >= this.#count) return false;
    const at = this.#ring + (this.#posted & (this.#count - 1)) * L.REQUEST_BYTES;
    const tag = this.#next;
    this.#next = (this.#next + 1) >>> 0 || 1;
    this.#open.set(tag, request);
    this.onDma?.(at, L.REQUEST_BYTES);
    this.#ram.fill(0, at, at + L.REQUEST_BYTES);
    this.#view.setUint32(at + L.REQUEST_TAG_AT, tag, true);
    this.#view.setUint32(at + L.REQUEST_LUN_AT, request.volume, true);
    this.#ram.set(request.cdb.subarray(0, 16), at + L.REQUEST_CDB_AT);
    this.#view.setUint32(at + L.REQUEST_DATA_BYTES_AT, request.data?.length ?? 0, true);
    this.#posted = (this.#posted + 1) >>> 0;
    this.onInterrupt();
    return true;
  }

  poll(): number {
    return this.#posted;
  }

  release(head: number): void {
    this.#released = head;
  }

  fetch(tag: number, address: number, bytes: number): void {
    const data = this.#open.get(tag)?.data;
    if (data === undefined || data === null || address + bytes > this.#ram.length) return;
    this.onDma?.(address, Math.min(bytes, data.length));
    this.#ram.set(data.subarray(0, bytes), address);
  }

  reply(tag: number, status: number, sense: number, address: number, bytes: number): void {
    const request = this.#open.get(tag);
    if (request === undefined || address + bytes > this.#ram.length) return;
    this.#open.delete(tag);
    request.reply(status, sense, bytes === 0 ? null : this.#ram.subarray(address, address + bytes));
  }
}
