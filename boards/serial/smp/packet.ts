/** An SMP packet: a header of 8 bytes and a CBOR map. [SMP] smp_protocol.rst "Frame: The envelope" */
import { type CborMap, cborDecode, cborEncode } from './cbor.ts';

export const HEADER_BYTES = 8;
export const OP_READ = 0;
export const OP_WRITE = 2;

export interface Command {
  op: number;
  group: number;
  id: number;
}

export interface Reply extends Command {
  sequence: number;
  body: CborMap;
}

export function requestOf(
  { op, group, id }: Command,
  sequence: number,
  body: Parameters<typeof cborEncode>[0],
): Buffer {
  const map = cborEncode(body);
  const header = Uint8Array.of(
    op,
    0,
    map.length >> 8,
    map.length & 255,
    group >> 8,
    group & 255,
    sequence,
    id,
  );
  return Buffer.concat([header, map]);
}

/** Null when it is no reply. */
export function replyOf(packet: Buffer): Reply | null {
  if (packet.length < HEADER_BYTES || packet.readUInt16BE(2) !== packet.length - HEADER_BYTES) return null;
  const op = packet[0]! & 7;
  if (op !== OP_READ + 1 && op !== OP_WRITE + 1) return null;
  try {
    const body = cborDecode(packet.subarray(HEADER_BYTES));
    if (typeof body !== 'object' || body === null || Array.isArray(body) || body instanceof Uint8Array)
      return null;
    return { op: op - 1, group: packet.readUInt16BE(4), sequence: packet[6]!, id: packet[7]!, body };
  } catch {
    return null;
  }
}
