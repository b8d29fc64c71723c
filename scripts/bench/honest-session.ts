/** An initiator that does nothing wrong, on a disk of its own: whatever it wrote must be there. */
import type { Medium } from '../../boards/shelf/medium.ts';
import type { RandomStream } from '../../boards/random.ts';
import type { MemorySocket } from './memory-socket.ts';
import { loginPdu, pdu } from './pdu-mutations.ts';

const BLOCKS = 8;
const BYTES = BLOCKS * 512;
const SLOTS = 256;
const be32 = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];

export class HonestSession {
  readonly socket: MemorySocket;
  compared = 0;
  readonly #lun: number;
  readonly #model = Array.from({ length: SLOTS }, () => 0);
  #sn = 1;
  #tag = 10;

  constructor(socket: MemorySocket, target: string, lun: number) {
    this.socket = socket;
    this.#lun = lun;
    socket.send(loginPdu(target, 0x7777, 'MaxRecvDataSegmentLength=65536\0'));
    socket.output = [];
    this.#reserve();
  }

  /** Exclusive to it, for good: Write Exclusive, with APTPL. */
  #reserve(): void {
    const register = Buffer.alloc(24);
    register.writeUInt32BE(0x600d, 12);
    register[20] = 1;
    const reserve = Buffer.alloc(24);
    reserve.writeUInt32BE(0x600d, 4);
    this.#run([0x5f, 6, 0, 0, 0, 0, 0, 0, 24, 0], 0, register);
    this.#run([0x5f, 1, 1, 0, 0, 0, 0, 0, 24, 0], 0, reserve);
  }

  step(random: RandomStream): void {
    const slot = random.below(SLOTS);
    const cdb = (opcode: number): number[] => [opcode, 0, ...be32(slot * BLOCKS), 0, 0, BLOCKS, 0];
    if (random.chance(1, 2)) {
      const byte = random.below(256);
      this.#run(cdb(0x2a), 0, Buffer.alloc(BYTES, byte));
      this.#model[slot] = byte;
      return;
    }
    const data = this.#run(cdb(0x28), BYTES, null);
    this.compared++;
    if (!data.equals(Buffer.alloc(BYTES, this.#model[slot])))
      throw new Error(`slot ${slot} is not what was written`);
  }

  compareAll(medium: Medium): void {
    const into = Buffer.alloc(BYTES);
    this.#model.forEach((byte, slot) => {
      medium.read(slot * BYTES, into, 0, BYTES);
      if (!into.equals(Buffer.alloc(BYTES, byte))) throw new Error(`slot ${slot} has changed on the medium`);
    });
    const rest = Buffer.alloc(medium.bytes - SLOTS * BYTES);
    medium.read(SLOTS * BYTES, rest, 0, rest.length);
    if (rest.some((byte) => byte !== 0))
      throw new Error('something was written behind what the session wrote');
  }

  /** Until it is GOOD: resets by others are told by unit attentions. */
  #run(cdb: number[], read: number, data: Buffer | null): Buffer {
    for (let tries = 0; tries < 16; tries++) {
      const flags = 0x81 | (read > 0 ? 0x40 : 0) | (data === null ? 0 : 0x20);
      this.socket.output = [];
      this.socket.send(
        pdu(0x01, flags, data ?? new Uint8Array(0), [
          [9, [this.#lun]],
          [16, be32(this.#tag++)],
          [20, be32(read || (data?.length ?? 0))],
          [24, be32(this.#sn++)],
          [32, cdb],
        ]),
      );
      const answer = Buffer.concat(this.socket.output);
      const opcode = answer[0];
      if (answer.length < 48) throw new Error('no answer to the honest session');
      if (answer[3] === 0)
        return opcode === 0x25 ? answer.subarray(48, 48 + answer.readUIntBE(5, 3)) : Buffer.alloc(0);
      if (answer[3] !== 2 || (answer[48 + 4]! & 15) !== 6) throw new Error(`status ${answer[3]}`);
    }
    throw new Error('unit attentions without end');
  }
}
