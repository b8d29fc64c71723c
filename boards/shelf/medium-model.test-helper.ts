/** A thin medium with protection information, as plainly as it can be put: a record a block. */
import { guardOf } from './rig.test-helper.ts';

export interface Block {
  data: Uint8Array;
  pi: Uint8Array;
  mapped: boolean;
}

export class MediumModel {
  readonly blocks: Block[];
  readonly size: number;

  constructor(count: number, size: number) {
    this.size = size;
    this.blocks = Array.from({ length: count }, () => this.#erased());
  }

  #erased(): Block {
    return { data: new Uint8Array(this.size), pi: new Uint8Array(8).fill(0xff), mapped: false };
  }

  /** As WRITE with WRPROTECT 000b. */
  put(lba: number, data: Uint8Array): void {
    for (let n = 0; n * this.size < data.length; n++) {
      const block = data.slice(n * this.size, (n + 1) * this.size);
      const pi = new Uint8Array(8);
      const view = new DataView(pi.buffer);
      view.setUint16(0, guardOf(block));
      view.setUint32(4, lba + n);
      this.blocks[lba + n] = { data: block, pi, mapped: true };
    }
  }

  /** As WRITE SAME with NDOB. */
  zero(lba: number, count: number): void {
    for (let n = lba; n < lba + count; n++) this.blocks[n] = { ...this.#erased(), mapped: true };
  }

  unmap(lba: number, count: number): void {
    for (let n = lba; n < lba + count; n++) this.blocks[n] = this.#erased();
  }

  data(lba: number, count: number): Uint8Array {
    const all = new Uint8Array(count * this.size);
    for (let n = 0; n < count; n++) all.set(this.blocks[lba + n]!.data, n * this.size);
    return all;
  }

  wire(lba: number, count: number): Uint8Array {
    const all = new Uint8Array(count * (this.size + 8));
    for (let n = 0; n < count; n++) {
      all.set(this.blocks[lba + n]!.data, n * (this.size + 8));
      all.set(this.blocks[lba + n]!.pi, n * (this.size + 8) + this.size);
    }
    return all;
  }
}
