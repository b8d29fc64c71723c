/**
 * SMP over a console: length, packet and CRC-16 in base64, in lines of at most 127 bytes; the first begins with 06 09,
 * the others with 04 14.
 *
 * [SMP] Zephyr, services/device_mgmt/smp_transport.rst "Console"
 */
export const LINE_BYTES = 127;
/** What a line carries: two bytes before, a newline behind. */
export const LINE_PAYLOAD_BYTES = ((LINE_BYTES - 3) >> 2) * 3;
const PACKET_MAX = 0xffff - 2;
const FIRST = [0x06, 0x09] as const;
const MORE = [0x04, 0x14] as const;
const NEWLINE = 0x0a;

export function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc;
}

export function frameOf(packet: Uint8Array): Buffer {
  const crc = crc16(packet);
  const length = packet.length + 2;
  const whole = Buffer.concat([
    Uint8Array.of(length >> 8, length & 255),
    packet,
    Uint8Array.of(crc >> 8, crc & 255),
  ]);
  const lines: Uint8Array[] = [];
  for (let done = 0; done < whole.length; done += LINE_PAYLOAD_BYTES) {
    lines.push(Uint8Array.from(done === 0 ? FIRST : MORE));
    lines.push(Buffer.from(whole.subarray(done, done + LINE_PAYLOAD_BYTES).toString('base64')));
    lines.push(Uint8Array.of(NEWLINE));
  }
  return Buffer.concat(lines);
}

/** Bytes on the line for a packet of so many. */
export const frameBytes = (packetBytes: number): number => {
  const whole = packetBytes + 4;
  const full = Math.floor(whole / LINE_PAYLOAD_BYTES);
  const rest = whole % LINE_PAYLOAD_BYTES;
  return full * LINE_BYTES + (rest === 0 ? 0 : 3 + 4 * Math.ceil(rest / 3));
};

/** Finds packets in what arrives; anything else is dropped and counted. */
export class FrameReader {
  /** Lines and frames that were damaged, and text that was none. */
  dropped = 0;
  #line: number[] = [];
  #isTooLong = false;
  #have: Buffer | null = null;
  #onPacket: (packet: Buffer) => void;

  constructor(onPacket: (packet: Buffer) => void) {
    this.#onPacket = onPacket;
  }

  feed(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte === NEWLINE) this.#endLine();
      else if (byte === FIRST[0] || byte === MORE[0]) {
        // No base64 has these: a line begins, whatever the console said before it.
        this.#line = [byte];
        this.#isTooLong = false;
      } else if (this.#line.length < LINE_BYTES) this.#line.push(byte);
      else this.#isTooLong = true;
    }
  }

  #endLine(): void {
    const line = Buffer.from(this.#line);
    const wasTooLong = this.#isTooLong;
    this.#line = [];
    this.#isTooLong = false;
    const isFirst = line[0] === FIRST[0] && line[1] === FIRST[1];
    const isMore = line[0] === MORE[0] && line[1] === MORE[1] && this.#have !== null;
    const text = line.subarray(2).toString('latin1').replace(/\r$/, '');
    if (
      wasTooLong ||
      (!isFirst && !isMore) ||
      text.length % 4 !== 0 ||
      !/^[A-Za-z0-9+/]*={0,2}$/.test(text)
    ) {
      if (line.length > 0) this.#drop();
      return;
    }
    if (isFirst && this.#have !== null) this.dropped++;
    const part = Buffer.from(text, 'base64');
    this.#have = isFirst ? part : Buffer.concat([this.#have!, part]);
    this.#endFrame();
  }

  #endFrame(): void {
    const have = this.#have!;
    if (have.length < 2) return this.#drop();
    const length = have.readUInt16BE();
    if (length < 2 || have.length > length + 2 || length - 2 > PACKET_MAX) return this.#drop();
    if (have.length < length + 2) return;
    this.#have = null;
    if (crc16(have.subarray(2)) !== 0) return this.#drop();
    this.#onPacket(have.subarray(2, -2));
  }

  #drop(): void {
    this.dropped++;
    this.#have = null;
  }
}
