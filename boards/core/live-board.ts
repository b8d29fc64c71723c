/** A board that runs, as a debugger asks for it: two orders, in words, each with one answer that fits a line of JSON. */
import { READ_MAX } from './memory-source.ts';

export interface LiveAnswer {
  ok: boolean;
  /** Why not. */
  text?: string;
  /** Base64. */
  memory?: string;
  registers?: { pc: number; memory_bytes: number };
}

/** What is asked of a board here. */
interface Readable {
  /** Its RAM; null when it has no power. */
  ram(): Uint8Array | null;
}

export const LIVE_ORDERS: readonly { words: string; what: string }[] = [
  { words: 'memory BOARD ADDRESS BYTES', what: "a piece of a board's RAM, in base64" },
  { words: 'registers BOARD', what: 'its program counter, and the size of its RAM' },
];

/** Null for an order of another kind. Between two cycles, which is when orders are heard, there is no program counter. */
export function answerLive(order: string, boards: readonly Readable[]): LiveAnswer | null {
  const words = order.trim().split(/\s+/);
  if (words[0] !== 'memory' && words[0] !== 'registers') return null;
  const board = boards[['a', 'b'].indexOf(words[1]?.toLowerCase() ?? '')];
  if (board === undefined) return refuse(`${words[0]} takes a or b first`);
  const ram = board.ram();
  if (ram === null) return refuse(`board ${words[1]} has no power`);
  if (words[0] === 'registers') return { ok: true, registers: { pc: 0, memory_bytes: ram.length } };
  const [address, bytes] = [numberOf(words[2]), numberOf(words[3])];
  if (address === null || bytes === null || words.length > 4)
    return refuse('memory takes BOARD ADDRESS BYTES');
  if (bytes > READ_MAX) return refuse(`at most ${READ_MAX} bytes at a time`);
  if (address + bytes > ram.length) return refuse(`the RAM ends at ${ram.length}`);
  return { ok: true, memory: Buffer.from(ram.subarray(address, address + bytes)).toString('base64') };
}

const numberOf = (text: string | undefined): number | null =>
  text !== undefined && /^(0x[0-9a-f]{1,9}|\d{1,10})$/i.test(text) ? Number(text) : null;

const refuse = (text: string): LiveAnswer => ({ ok: false, text });
