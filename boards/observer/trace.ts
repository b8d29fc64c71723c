/**
 * The trace of a run: every event of both boards and every command at every disk goes through here, in order, into a
 * digest. Two runs with the same digest did the same.
 */

export interface TraceEvent {
  time: number; // ns
  board: 0 | 1;
  code: number; // EV_*
  a: number;
  b: number;
  c: number;
}

/** Events kept for the report; a longer run still counts all in its digest. */
const EVENTS_MAX = 200_000;

export class Trace {
  readonly events: TraceEvent[] = [];
  // Four lanes of 32 bits, mixed as in MurmurHash3's rounds.
  #lanes = Uint32Array.of(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344);
  #count = 0;

  event(time: number, board: 0 | 1, code: number, a: number, b: number, c: number): TraceEvent {
    this.mix(time, (board << 16) | code, a, b ^ Math.imul(c, 0x9e3779b1));
    const event = { time, board, code, a, b, c };
    if (this.events.length < EVENTS_MAX) this.events.push(event);
    return event;
  }

  /** Adds a time and three words to the digest. */
  mix(time: number, x: number, y: number, z: number): void {
    const lanes = this.#lanes;
    this.#count++;
    lanes[0] = round(lanes[0]! ^ (time % 0x1_0000_0000), lanes[3]!);
    lanes[1] = round(lanes[1]! ^ x, lanes[0] ^ Math.floor(time / 0x1_0000_0000));
    lanes[2] = round(lanes[2]! ^ y, lanes[1]);
    lanes[3] = round(lanes[3]! ^ z, lanes[2]);
  }

  /** 32 hexadecimal digits. */
  digest(): string {
    const last = this.#lanes.slice();
    for (let i = 0; i < 4; i++) last[i] = round(last[i]! ^ this.#count, last[(i + 3) & 3]!);
    return [...last].map((lane) => lane.toString(16).padStart(8, '0')).join('');
  }
}

function round(value: number, with_: number): number {
  let k = Math.imul(value ^ with_, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  k = Math.imul(k, 0x1b873593);
  k ^= with_;
  k = (k << 13) | (k >>> 19);
  k = (Math.imul(k, 5) + 0xe6546b64) | 0;
  return (k ^ (k >>> 16)) >>> 0;
}
