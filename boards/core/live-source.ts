/** The memory of a board that runs. Each read is of one moment; two of them are of two. */
import { CHUNK_BYTES, CODEC_RAW } from '../../asm/layout.ts';
import { EXIT_BAD_CORE, InputError } from '../input-error.ts';
import type { LiveAnswer } from './live-board.ts';
import { MISSING_NO_RAM } from './memory-source.ts';
import type { DumpFacts, MemorySource, Piece, Registers } from './memory-source.ts';
import type { Fields } from './source.ts';

/** Gives an order to the pair that the board is of. */
export type Ask = (order: string) => Promise<LiveAnswer>;

export class LiveSource implements MemorySource {
  readonly kind = 'live board';
  readonly name: string;
  readonly memoryBytes: number;
  readonly map: Uint8Array;
  readonly poisoned: ReadonlyMap<number, number> = new Map();
  readonly dump: DumpFacts | null = null;
  readonly scrubbed = [];
  readonly problems: readonly string[] = [];
  readonly #board: 'a' | 'b';
  readonly #ask: Ask;

  private constructor(board: 'a' | 'b', ask: Ask, memoryBytes: number) {
    this.name = `live:${board}`;
    this.memoryBytes = memoryBytes;
    this.map = new Uint8Array(Math.ceil(memoryBytes / CHUNK_BYTES)).fill(CODEC_RAW);
    this.#board = board;
    this.#ask = ask;
  }

  static async open(board: 'a' | 'b', ask: Ask): Promise<LiveSource> {
    const { registers } = await answerOf(ask, `registers ${board}`);
    if (registers === undefined)
      throw new InputError(`live:${board}: the pair does not tell its memory`, EXIT_BAD_CORE);
    return new LiveSource(board, ask, registers.memory_bytes);
  }

  note(): Fields | null {
    return null;
  }

  async read(address: number, bytes: number): Promise<Piece[]> {
    const there = Math.max(0, Math.min(bytes, this.memoryBytes - address));
    const pieces: Piece[] = [];
    if (there > 0) {
      const { memory } = await answerOf(this.#ask, `memory ${this.#board} ${address} ${there}`);
      const content = Buffer.from(memory ?? '', 'base64');
      if (content.length !== there)
        throw new InputError(`${this.name}: ${content.length} bytes came, of ${there}`, EXIT_BAD_CORE);
      pieces.push({ address, bytes: there, content, reason: 0 });
    }
    if (there < bytes) {
      pieces.push({ address: address + there, bytes: bytes - there, content: null, reason: MISSING_NO_RAM });
    }
    return pieces;
  }

  async registers(): Promise<Registers> {
    return { pc: (await answerOf(this.#ask, `registers ${this.#board}`)).registers?.pc ?? 0 };
  }

  close(): void {}
}

async function answerOf(ask: Ask, order: string): Promise<LiveAnswer> {
  const answer = await ask(order);
  if (!answer.ok) throw new InputError(`${order}: ${answer.text ?? 'refused'}`, EXIT_BAD_CORE);
  return answer;
}
