/**
 * Packets of the GDB remote serial protocol: `$`, data, `#`, two hexadecimal digits of the sum of the data.
 *
 * [gdb] Debugging with GDB, appendix E "GDB Remote Serial Protocol": E.1 overview, E.7 interrupts
 */
export type Received =
  | { kind: 'packet'; data: string; bad: boolean }
  | { kind: 'interrupt' }
  | { kind: 'nack' }
  | { kind: 'too-long' };

/** What the server tells in qSupported; no packet is longer. */
export const PACKET_MAX = 0x4000;

const INTERRUPT = 0x03;
const ESCAPE = 0x7d; // the next byte, XOR 20h

/** Takes bytes as they come and gives what they were. */
export class PacketReader {
  #data: number[] = [];
  #state: 'between' | 'data' | 'sum-high' | 'sum-low' = 'between';
  #sum = '';

  *push(bytes: Uint8Array): Generator<Received> {
    for (const byte of bytes) {
      const got = this.#next(byte);
      if (got !== null) yield got;
    }
  }

  #next(byte: number): Received | null {
    const character = String.fromCharCode(byte);
    switch (this.#state) {
      case 'between':
        if (byte === INTERRUPT) return { kind: 'interrupt' };
        if (character === '-') return { kind: 'nack' };
        if (character === '$') {
          this.#state = 'data';
          this.#data = [];
        }
        return null; // acknowledgements and noise
      case 'data':
        if (character === '#') this.#state = 'sum-high';
        else if (character === '$')
          this.#data = []; // a new packet: the last one was cut
        else if (this.#data.push(byte) > PACKET_MAX) {
          this.#state = 'between';
          return { kind: 'too-long' };
        }
        return null;
      case 'sum-high':
        this.#sum = character;
        this.#state = 'sum-low';
        return null;
      case 'sum-low':
        this.#state = 'between';
        return this.#whole(this.#sum + character);
    }
  }

  #whole(sum: string): Received {
    const bad = !/^[0-9a-fA-F]{2}$/.test(sum) || Number.parseInt(sum, 16) !== sumOf(this.#data);
    return { kind: 'packet', data: unescaped(this.#data), bad };
  }
}

const sumOf = (data: readonly number[]): number => data.reduce((sum, byte) => (sum + byte) & 0xff, 0);

function unescaped(data: readonly number[]): string {
  let text = '';
  for (let i = 0; i < data.length; i++) {
    const escaped = data[i] === ESCAPE && i + 1 < data.length;
    text += String.fromCharCode(escaped ? data[++i]! ^ 0x20 : data[i]!);
  }
  return text;
}

/** A packet with `data`, one character a byte. */
export function packetOf(data: string): Buffer {
  const escaped = data.replace(
    /[#$}*]/g,
    (character) => `}${String.fromCharCode(character.charCodeAt(0) ^ 0x20)}`,
  );
  const sum = sumOf([...Buffer.from(escaped, 'latin1')]);
  return Buffer.from(`$${escaped}#${sum.toString(16).padStart(2, '0')}`, 'latin1');
}
