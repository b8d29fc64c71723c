/** What has come from the board and the run has not yet seen: it is woken only when there is something for it to do. */
import type { Chunk, LinkEnd } from '../serial/link-end.ts';
import { CallWatch } from './records.ts';

/** So much is never held back. */
const BYTES_MAX = 1 << 20;

export class Inbox {
  #chunks: Chunk[] = [];
  #bytes = 0;
  #calls = false;
  readonly #watch = new CallWatch();

  /** Held back so far. */
  get bytes(): number {
    return this.#bytes;
  }

  clear(): void {
    this.take();
    this.#watch.clear();
  }

  /** Takes what has come to this end; true when the run should see it. */
  gather(link: LinkEnd): boolean {
    for (let chunk = link.take(); chunk !== null; chunk = link.take()) {
      this.#chunks.push(chunk);
      this.#bytes += chunk.bytes.length;
      if (this.#watch.push(chunk.bytes)) this.#calls = true;
    }
    return this.#calls || this.#bytes >= BYTES_MAX;
  }

  take(): Chunk[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    this.#calls = false;
    return chunks;
  }
}
