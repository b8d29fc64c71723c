/** NVRAM: words of 32 bits that survive power loss. Configuration lies here, and the boot epoch. */
import { NV_BYTES } from '../../firmware/layout.ts';

export class Nvram {
  readonly words = new Uint32Array(NV_BYTES / 4);

  read(offset: number): number {
    return this.words[offset >>> 2] ?? 0;
  }

  write(offset: number, value: number): void {
    if (offset >>> 2 < this.words.length) this.words[offset >>> 2] = value;
  }
}
