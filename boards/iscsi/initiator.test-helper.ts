/**
 * An initiator for tests, written from the RFC and not from the target: it knows nothing of the target's files but the
 * port that it listens on. It sends what it is told to, right or wrong.
 */
import { type Socket, connect } from 'node:net';

export interface Pdu {
  opcode: number;
  flags: number;
  header: Buffer;
  data: Buffer;
}

export interface Outgoing {
  opcode: number;
  immediate?: boolean;
  flags?: number;
  lun?: number;
  itt?: number;
  data?: Uint8Array;
  /** Bytes to put into the header: offset, bytes. */
  put?: [number, Uint8Array | number[]][];
}

export const be32 = (n: number): Buffer => {
  const b = Buffer.alloc(4);
  b.writeUInt32BE(n >>> 0);
  return b;
};

/** Bit by bit, [RFC 3385]: slow, and independent of every table. */
export function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

const padded = (bytes: Uint8Array): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
const digest = (bytes: Uint8Array): Buffer => {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(crc32c(bytes));
  return b;
};

export const text = (keys: Record<string, string>): Buffer =>
  Buffer.from(
    Object.entries(keys)
      .map(([key, value]) => `${key}=${value}\0`)
      .join(''),
  );

export const keysOf = (data: Buffer): Record<string, string> =>
  Object.fromEntries(
    data
      .toString()
      .split('\0')
      .filter((pair) => pair !== '')
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );

export const OPERATIONAL: Record<string, string> = {
  HeaderDigest: 'None',
  DataDigest: 'None',
  InitialR2T: 'No',
  ImmediateData: 'Yes',
  MaxBurstLength: '1048576',
  FirstBurstLength: '262144',
  MaxRecvDataSegmentLength: '262144',
  MaxOutstandingR2T: '4',
  MaxConnections: '1',
  ErrorRecoveryLevel: '0',
};

export interface LoginOptions {
  target: string;
  name?: string;
  isid?: number[];
  tsih?: number;
  cid?: number;
  keys?: Record<string, string>;
}

export class Initiator {
  readonly socket: Socket;
  headerDigest = false;
  dataDigest = false;
  cmdSn = 1;
  expStatSn = 0;
  tsih = 0;
  /** The target has closed the connection. */
  closed = false;
  agreed: Record<string, string> = {};
  #nextTag = 100;
  #input = Buffer.alloc(0);
  #waiting: ((pdu: Pdu | null) => void)[] = [];
  #arrived: Pdu[] = [];

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('data', (chunk) => {
      this.#input = Buffer.concat([this.#input, chunk]);
      this.#cut();
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
      for (const call of this.#waiting.splice(0)) call(null);
    });
  }

  #cut(): void {
    for (;;) {
      if (this.#input.length < 48) return;
      const dataBytes = this.#input.readUIntBE(5, 3);
      let at = 48 + this.#input[4]! * 4 + (this.headerDigest ? 4 : 0);
      const whole = at + ((dataBytes + 3) & ~3) + (this.dataDigest && dataBytes > 0 ? 4 : 0);
      if (this.#input.length < whole) return;
      const header = this.#input.subarray(0, 48);
      if (this.headerDigest && this.#input.readUInt32LE(48) !== crc32c(header))
        throw new Error('header digest');
      const data = Buffer.from(this.#input.subarray(at, at + dataBytes));
      at += (dataBytes + 3) & ~3;
      if (this.dataDigest && dataBytes > 0) {
        const covered = this.#input.subarray(at - ((dataBytes + 3) & ~3), at);
        if (this.#input.readUInt32LE(at) !== crc32c(covered)) throw new Error('data digest');
      }
      const pdu = { opcode: header[0]! & 0x3f, flags: header[1]!, header: Buffer.from(header), data };
      this.#input = this.#input.subarray(whole);
      const call = this.#waiting.shift();
      if (call === undefined) this.#arrived.push(pdu);
      else call(pdu);
    }
  }

  /** The next PDU of the target, or null when it has closed the connection. */
  receiveOrEnd(): Promise<Pdu | null> {
    const pdu = this.#arrived.shift();
    if (pdu !== undefined) return Promise.resolve(pdu);
    if (this.closed) return Promise.resolve(null);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async receive(): Promise<Pdu> {
    const pdu = await this.receiveOrEnd();
    if (pdu === null) throw new Error('the target closed the connection');
    return pdu;
  }

  /** PDUs that have come and were not asked for. */
  get pending(): number {
    return this.#arrived.length;
  }

  tag(): number {
    return this.#nextTag++;
  }

  build({ opcode, immediate = false, flags = 0x80, lun = 0, itt = 0, data, put = [] }: Outgoing): Buffer {
    const header = Buffer.alloc(48);
    header[0] = opcode | (immediate ? 0x40 : 0);
    header[1] = flags;
    header.writeUIntBE(data?.length ?? 0, 5, 3);
    header[9] = lun;
    header.writeUInt32BE(itt, 16);
    for (const [at, bytes] of put) header.set(bytes, at);
    const parts: Buffer[] = [header];
    if (this.headerDigest) parts.push(digest(header));
    if (data !== undefined && data.length > 0) {
      parts.push(padded(data));
      if (this.dataDigest) parts.push(digest(padded(data)));
    }
    return Buffer.concat(parts);
  }

  send(pdu: Outgoing): void {
    this.socket.write(this.build(pdu));
  }

  raw(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  loginRequest(
    { isid = [0x80, 0, 0, 1, 0, 0], tsih = 0, cid = 1 }: LoginOptions,
    flags: number,
    keys: Record<string, string>,
  ): void {
    this.send({
      opcode: 0x03,
      immediate: true,
      flags,
      itt: 1,
      data: text(keys),
      put: [
        [8, isid],
        [14, [tsih >> 8, tsih & 255]],
        [20, [cid >> 8, cid & 255]],
        [24, be32(this.cmdSn)],
      ],
    });
  }

  /** Straight to the full feature phase, without authentication; the last response's status. */
  async login(options: LoginOptions): Promise<number> {
    const { target, name = 'iqn.2026-01.test:initiator', keys = {} } = options;
    const identity = { InitiatorName: name, SessionType: 'Normal', TargetName: target };
    this.loginRequest(options, 0x87, { ...identity, ...OPERATIONAL, ...keys });
    return this.loggedIn(await this.receive());
  }

  /** Takes in the final login response. */
  loggedIn(response: Pdu): number {
    const status = response.header.readUInt16BE(36);
    if (status !== 0) return status;
    this.agreed = keysOf(response.data);
    this.headerDigest = this.agreed['HeaderDigest'] === 'CRC32C';
    this.dataDigest = this.agreed['DataDigest'] === 'CRC32C';
    this.tsih = response.header.readUInt16BE(14);
    this.expStatSn = response.header.readUInt32BE(24) + 1;
    return 0;
  }

  command(
    cdb: Uint8Array | number[],
    {
      lun = 0,
      read = 0,
      write = 0,
      data,
      final = true,
      attribute = 1,
      itt = this.tag(),
      immediate = false,
    }: {
      lun?: number;
      read?: number;
      write?: number;
      data?: Uint8Array;
      final?: boolean;
      attribute?: number;
      itt?: number;
      immediate?: boolean;
    } = {},
  ): number {
    const flags = (final ? 0x80 : 0) | (read > 0 ? 0x40 : 0) | (write > 0 ? 0x20 : 0) | attribute;
    const sn = immediate ? this.cmdSn : this.cmdSn++;
    this.send({
      opcode: 0x01,
      immediate,
      flags,
      lun,
      itt,
      ...(data === undefined ? {} : { data }),
      put: [
        [20, be32(read || write)],
        [24, be32(sn)],
        [28, be32(this.expStatSn)],
        [32, Uint8Array.from(cdb)],
      ],
    });
    return itt;
  }

  dataOut(itt: number, ttt: number, dataSn: number, offset: number, data: Uint8Array, final: boolean): void {
    this.send({
      opcode: 0x05,
      flags: final ? 0x80 : 0,
      itt,
      data,
      put: [
        [20, be32(ttt)],
        [28, be32(this.expStatSn)],
        [36, be32(dataSn)],
        [40, be32(offset)],
      ],
    });
  }

  /** A command to its end: status, sense code, data in order, residual. */
  async run(
    cdb: Uint8Array | number[],
    options: Parameters<Initiator['command']>[1] = {},
  ): Promise<{ status: number; sense: number; data: Buffer; flags: number; residual: number }> {
    const itt = this.command(cdb, options);
    return this.outcome(itt);
  }

  async outcome(
    itt: number,
  ): Promise<{ status: number; sense: number; data: Buffer; flags: number; residual: number }> {
    const parts: Buffer[] = [];
    for (;;) {
      const pdu = await this.receive();
      if (pdu.header.readUInt32BE(16) !== itt) throw new Error(`an answer to ${pdu.header.readUInt32BE(16)}`);
      const residual = pdu.header.readUInt32BE(44);
      const status = pdu.header[3]!;
      if (pdu.opcode === 0x25) {
        parts.push(pdu.data);
        if ((pdu.flags & 1) === 0) continue;
        return { status, sense: 0, data: Buffer.concat(parts), flags: pdu.flags, residual };
      }
      if (pdu.opcode !== 0x21) throw new Error(`opcode ${pdu.opcode} for a command`);
      const sense = pdu.data.length > 2 ? (pdu.data[4]! << 16) | (pdu.data[14]! << 8) | pdu.data[15]! : 0;
      return { status, sense, data: Buffer.concat(parts), flags: pdu.flags, residual };
    }
  }

  /** The unit attention of a new nexus is taken. */
  async ready(lun = 0): Promise<void> {
    for (let i = 0; i < 4; i++) if ((await this.run([0, 0, 0, 0, 0, 0], { lun })).status === 0) return;
    throw new Error('never ready');
  }

  async manage(what: number, { lun = 0, tag = 0xffffffff } = {}): Promise<number> {
    const itt = this.tag();
    this.send({
      opcode: 0x02,
      immediate: true,
      flags: 0x80 | what,
      lun,
      itt,
      put: [
        [20, be32(tag)],
        [24, be32(this.cmdSn)],
        [28, be32(this.expStatSn)],
      ],
    });
    const response = await this.receive();
    if (response.opcode !== 0x22 || response.header.readUInt32BE(16) !== itt)
      throw new Error('not the response');
    return response.header[2]!;
  }

  end(): void {
    this.socket.destroy();
  }
}

export const read10 = (lba: number, blocks: number): number[] => [
  0x28,
  0,
  ...be32(lba),
  0,
  blocks >> 8,
  blocks & 255,
  0,
];
export const write10 = (lba: number, blocks: number): number[] => [
  0x2a,
  0,
  ...be32(lba),
  0,
  blocks >> 8,
  blocks & 255,
  0,
];
