/** A medium that takes writes and does nothing with them once told so: what is left is the way of the commands. */
import { MemoryMedium } from '../shelf/medium.ts';

export class NowhereMedium extends MemoryMedium {
  #deaf = false;

  deaf(): void {
    this.#deaf = true;
  }

  override write(offset: number, from: Uint8Array, at: number, count: number): void {
    if (!this.#deaf) super.write(offset, from, at, count);
  }
}
