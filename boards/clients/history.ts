/**
 * What a client's part of a volume must hold: for each slot the content acknowledged last, and those whose fate is not
 * known, because the client gave up waiting. A read must return one of them.
 */
export const NEVER_WRITTEN = -1;

export class History {
  /** Content of a slot, as an offset into the source's pool. */
  readonly acked: Int32Array;
  readonly uncertain = new Map<number, number[]>();
  readonly slotBytes: number;
  #pool: Uint8Array;

  constructor(slots: number, slotBytes: number, pool: Uint8Array) {
    this.acked = new Int32Array(slots).fill(NEVER_WRITTEN);
    this.slotBytes = slotBytes;
    this.#pool = pool;
  }

  content(offset: number): Uint8Array {
    return this.#pool.subarray(offset, offset + this.slotBytes);
  }

  acknowledged(slot: number, offset: number): void {
    this.acked[slot] = offset;
  }

  /** The client gave up: the write may land, or not. */
  gaveUp(slot: number, offset: number): void {
    const list = this.uncertain.get(slot) ?? [];
    list.push(offset);
    this.uncertain.set(slot, list);
  }

  /** True when `data` is what the slot may hold. */
  allows(slot: number, data: Uint8Array): boolean {
    const acked = this.acked[slot]!;
    if (acked === NEVER_WRITTEN ? isZero(data) : same(data, this.content(acked))) return true;
    return this.uncertain.get(slot)?.some((offset) => same(data, this.content(offset))) ?? false;
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function isZero(data: Uint8Array): boolean {
  for (const byte of data) if (byte !== 0) return false;
  return true;
}
