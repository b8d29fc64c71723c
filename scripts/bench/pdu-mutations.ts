/** PDUs that are right, and what is done to them so that they are not. */
import type { RandomStream } from '../../boards/random.ts';

const be32 = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];

export interface Numbers {
  cmdSn: number;
  itt: number;
}

export function pdu(opcode: number, flags: number, data: Uint8Array, put: [number, number[]][]): Buffer {
  const bytes = Buffer.alloc(48 + ((data.length + 3) & ~3));
  bytes[0] = opcode;
  bytes[1] = flags;
  bytes.writeUIntBE(data.length, 5, 3);
  for (const [at, each] of put) bytes.set(each, at);
  bytes.set(data, 48);
  return bytes;
}

export const loginText = (target: string, more: string): Buffer =>
  Buffer.from(`InitiatorName=iqn.2026-01.fuzz:i\0SessionType=Normal\0TargetName=${target}\0${more}`);

export const loginPdu = (target: string, isid: number, more: string): Buffer =>
  pdu(0x43, 0x87, loginText(target, more), [
    [8, [0x80, 0, 0, isid >> 8, isid & 255, 0]],
    [16, [0, 0, 0, 1]],
    [24, [0, 0, 0, 1]],
  ]);

const CDBS: ((r: RandomStream) => { cdb: number[]; read: number; write: number })[] = [
  (r) => ({ cdb: [0x28, 0, ...be32(r.below(4096)), 0, 0, r.below(16), 0], read: 8192, write: 0 }),
  (r) => ({ cdb: [0x2a, 0, ...be32(r.below(4096)), 0, 0, 8, 0], read: 0, write: 4096 }),
  (r) => ({ cdb: [0x8a, 0, 0, 0, 0, 0, ...be32(r.below(4096)), 0, 0, 0, 8, 0, 0], read: 0, write: 4096 }),
  () => ({ cdb: [0, 0, 0, 0, 0, 0], read: 0, write: 0 }),
  (r) => ({ cdb: [0x12, r.below(2), r.below(256), 0, 255, 0], read: 255, write: 0 }),
  () => ({ cdb: [0xa0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0], read: 255, write: 0 }),
  (r) => ({ cdb: [0x5e, r.below(4), 0, 0, 0, 0, 0, 1, 0, 0], read: 256, write: 0 }),
  () => ({ cdb: [0x1a, 0, 0x3f, 0xff, 255, 0], read: 255, write: 0 }),
  (r) => ({ cdb: [0x42, 0, 0, 0, 0, 0, 0, 0, r.below(64), 0], read: 0, write: r.below(64) }),
  (r) => ({ cdb: Array.from({ length: 16 }, () => r.below(256)), read: r.below(2) * 512, write: 0 }),
];

/** A PDU of the full feature phase that is right, or nearly. */
export function rightPdu(r: RandomStream, numbers: Numbers): Buffer {
  const sn = be32(numbers.cmdSn);
  const itt = be32(numbers.itt);
  const none = new Uint8Array(0);
  switch (r.below(10)) {
    case 0:
      return pdu(0x40, 0x80, Buffer.alloc(r.below(64)), [
        [16, itt],
        [20, [255, 255, 255, 255]],
        [24, sn],
      ]);
    case 1:
      return pdu(0x42, 0x80 | r.below(16), none, [
        [16, itt],
        [20, be32(r.below(numbers.itt + 1))],
        [24, sn],
      ]);
    case 2:
      return pdu(0x44, 0x80, Buffer.from(r.chance(1, 2) ? 'SendTargets=\0' : 'X-a=b\0'), [
        [16, itt],
        [20, [255, 255, 255, 255]],
        [24, sn],
      ]);
    case 3:
    case 4:
      return pdu(0x05, r.chance(1, 2) ? 0x80 : 0, Buffer.alloc(r.below(4097)), [
        [16, be32(Math.max(0, numbers.itt - r.below(4)))],
        [20, r.chance(1, 2) ? [255, 255, 255, 255] : be32(r.below(64))],
        [40, be32(r.below(3) * 1024)],
      ]);
    default:
      return command(r, numbers);
  }
}

function command(r: RandomStream, numbers: Numbers): Buffer {
  const { cdb, read, write } = CDBS[r.below(CDBS.length)]!(r);
  const sent = write > 0 && r.chance(3, 4) ? write : r.below(write + 1);
  const flags = (r.chance(7, 8) ? 0x80 : 0) | (read > 0 ? 0x40 : 0) | (write > 0 ? 0x20 : 0) | r.below(5);
  const bytes = pdu(0x01, flags, Buffer.alloc(sent, r.below(256)), [
    [16, be32(numbers.itt)],
    [20, be32(read || write)],
    [24, be32(numbers.cmdSn)],
    [32, cdb],
  ]);
  numbers.cmdSn = (numbers.cmdSn + 1) >>> 0;
  numbers.itt++;
  return bytes;
}

/** Does something to it. */
export function mutate(r: RandomStream, bytes: Buffer): Buffer {
  if (bytes.length < 48) return bytes; // cut off already
  switch (r.below(12)) {
    case 0:
      bytes[r.below(48)] = r.below(256);
      return bytes;
    case 1:
      bytes[r.below(48)]! ^= 1 << r.below(8);
      return bytes;
    case 2: // the length of the data
      bytes.writeUIntBE(r.chance(1, 2) ? r.below(1 << 24) : r.below(512), 5, 3);
      return bytes;
    case 3: // additional header segments
      bytes[4] = r.below(256);
      return bytes;
    case 4:
      bytes[0] = r.below(256);
      return bytes;
    case 5:
      return bytes.subarray(0, r.below(bytes.length + 1));
    case 6:
      return Buffer.concat([bytes, bytes]);
    case 7:
      return Buffer.from(Array.from({ length: r.below(200) }, () => r.below(256)));
    case 8: // somewhere in the data
      if (bytes.length > 48) bytes[48 + r.below(bytes.length - 48)] = r.below(256);
      return bytes;
    case 9: // an edge of a number
      bytes.writeUInt32BE([0, 1, 0x7fffffff, 0x80000000, 0xffffffff][r.below(5)]!, 16 + 4 * r.below(8));
      return bytes;
    case 10: {
      // an additional header that is there
      const ahs = Buffer.alloc(4 * (1 + r.below(6)));
      ahs.writeUInt16BE(r.below(20), 0);
      ahs[2] = r.below(3);
      bytes[4] = ahs.length / 4;
      return Buffer.concat([bytes.subarray(0, 48), ahs, bytes.subarray(48)]);
    }
    default:
      return bytes;
  }
}
