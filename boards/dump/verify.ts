/** Reads a dump back from its medium and compares it with memory, byte by byte. */
import * as L from '../../asm/layout.ts';
import { WORK_AT, WORK_BYTES } from '../../firmware/layout.ts';
import { DumpImage } from '../core/image.ts';
import { lz4Decode } from '../core/lz4.ts';
import type { Medium } from '../shelf/medium.ts';

export interface ReadBack {
  /** ATTRIBUTE_*. */
  attribute: number;
  zero: number;
  stored: number;
  storedBytes: number;
  /** Chunks that are not there, or not as memory is. */
  wrong: number[];
}

const CHUNK = L.CHUNK_BYTES;
const ZEROS = new Uint8Array(CHUNK);

/** The panic handler's own area was zero when it froze the rest. */
const isWork = (chunk: number): boolean => chunk >= WORK_AT / CHUNK && chunk < (WORK_AT + WORK_BYTES) / CHUNK;

/** `ram` as it is after the dump, of a board that has halted. */
export function readBack(medium: Medium, ram: Uint8Array): ReadBack {
  const read = (at: number, bytes: number): Uint8Array => {
    const into = new Uint8Array(Math.max(0, Math.min(bytes, medium.bytes - at)));
    medium.read(at, into, 0, into.length);
    return into;
  };
  const image = new DumpImage(read, medium.bytes / L.SECTOR_BYTES);
  const found: ReadBack = {
    attribute: image.header.attribute,
    zero: 0,
    stored: 0,
    storedBytes: 0,
    wrong: [],
  };
  const buffer = new Uint8Array(CHUNK);
  for (let chunk = 0; chunk < image.chunks; chunk++) {
    const state = image.state(chunk);
    const { at, bytes } = image.place(chunk);
    let content: Uint8Array | null = null;
    if (state === L.CODEC_ZERO) {
      found.zero++;
      content = ZEROS;
    } else if (state === L.CODEC_RAW || state === L.CODEC_LZ4) {
      found.stored++;
      found.storedBytes += bytes;
      medium.read(at, buffer, 0, bytes);
      content = state === L.CODEC_RAW ? buffer : lz4Decode(buffer.subarray(0, bytes), CHUNK);
    }
    const memory = isWork(chunk) ? ZEROS : ram.subarray(chunk * CHUNK, (chunk + 1) * CHUNK);
    if (content === null || image.poison(chunk) !== 0 || Buffer.compare(content, memory) !== 0)
      found.wrong.push(chunk);
  }
  if (image.chunks * CHUNK !== ram.length) found.wrong.push(image.chunks);
  return found;
}
