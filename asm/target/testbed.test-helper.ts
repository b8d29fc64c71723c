/** One logical unit with nexuses, driven as a host drives it: CDBs in, named outcomes out. */
import { type DiskIo, instantiateSync } from '../pkg/index.js';
import * as L from '../layout.ts';

export interface Outcome {
  status: number;
  /** Sense key << 16 | ASC << 8 | ASCQ; 0 without sense data. */
  sense: number;
  /** Field pointer: byte of CDB or parameter list; -1 without one. */
  field: number;
  bit: number;
  inCdb: boolean;
  information: bigint | null;
  action: number;
  lba: bigint;
  blocks: bigint;
  flags: number;
  moved: number;
  residual: number;
  overflow: number;
  abort: bigint;
  nvChanged: number;
  data: Uint8Array;
  senseData: Uint8Array;
}

export interface Config {
  blocks: bigint;
  blockBytes: number;
  flags: number;
  exponent: number;
  rotation: number;
  maxTransfer: number;
  protocol: number;
  wwn: bigint;
}

export const GOOD = 0x00;
export const CHECK_CONDITION = 0x02;
export const RESERVATION_CONFLICT = 0x18;
export const DATA_ROOM = 32768;
export const CAPACITY = 1_000_000n;

/** TransportID of a SAS initiator port, [SPC-4] 7.6.4.5. */
export function sasId(address: bigint): Uint8Array {
  const id = new Uint8Array(24);
  id[0] = 0x06;
  new DataView(id.buffer).setBigUint64(4, address);
  return id;
}

/** TransportID of an iSCSI initiator port, [SPC-4] 7.6.4.6, format 01b. */
export function iscsiId(name: string, isid: string): Uint8Array {
  const text = `${name},i,0x${isid}\0`;
  const additional = Math.max(20, (text.length + 3) & ~3);
  const id = new Uint8Array(4 + additional);
  id[0] = 0x45;
  new DataView(id.buffer).setUint16(2, additional);
  id.set(Buffer.from(text), 4);
  return id;
}

export const be16 = (n: number): number[] => [(n >> 8) & 255, n & 255];
export const be32 = (n: number): number[] => [...be16(n >>> 16), ...be16(n)];
export const be64 = (n: bigint): number[] => [...be32(Number(n >> 32n)), ...be32(Number(n & 0xffffffffn))];

export class Testbed {
  readonly memory = new WebAssembly.Memory({ initial: 32, maximum: 65536 });
  readonly call: DiskIo;
  readonly lu: number;
  readonly task: number;
  readonly config: number;
  readonly id: number;
  readonly out: number;
  readonly dataIn: number;
  readonly luBytes: number;
  readonly end: number;

  constructor(config: Partial<Config> = {}) {
    this.call = instantiateSync({ memory: this.memory });
    const place = (size: number): number => {
      const at = this.#next;
      this.#next += (size + 4096 + 7) & ~7; // a guard behind each
      return at;
    };
    this.#next = (this.call.heap_base() + 4096 + 7) & ~7;
    this.luBytes = this.call.lu_size();
    this.config = place(L.LU_CONFIG_BYTES);
    this.lu = place(this.luBytes);
    this.task = place(L.TASK_BYTES);
    this.id = place(65536);
    this.out = place(DATA_ROOM);
    this.dataIn = place(DATA_ROOM);
    this.end = this.#next;
    if (this.end > this.memory.buffer.byteLength) throw new Error('the testbed needs more memory');
    this.create(config);
  }
  #next = 0;

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }
  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  create(config: Partial<Config> = {}): number {
    const at = this.config;
    const v = this.view;
    this.bytes.fill(0, at, at + L.LU_CONFIG_BYTES);
    v.setBigUint64(at + L.LU_CONFIG_BLOCKS_LO_AT, config.blocks ?? CAPACITY, true);
    v.setUint32(at + L.LU_CONFIG_BLOCK_BYTES_AT, config.blockBytes ?? 512, true);
    v.setUint32(at + L.LU_CONFIG_FLAGS_AT, config.flags ?? L.LU_FLAG_WRITE_CACHE, true);
    v.setUint32(at + L.LU_CONFIG_PHYSICAL_EXPONENT_AT, config.exponent ?? 3, true);
    v.setUint32(at + L.LU_CONFIG_ROTATION_AT, config.rotation ?? 10500, true);
    v.setUint32(at + L.LU_CONFIG_MAX_TRANSFER_AT, config.maxTransfer ?? 0, true);
    v.setUint32(at + L.LU_CONFIG_PROTOCOL_AT, config.protocol ?? 6, true);
    v.setBigUint64(at + L.LU_CONFIG_WWN_LO_AT, config.wwn ?? 0x5000c50012345678n, true);
    v.setBigUint64(at + L.LU_CONFIG_PORT1_LO_AT, 0x5000c50012345679n, true);
    v.setBigUint64(at + L.LU_CONFIG_PORT2_LO_AT, 0x5000c5001234567an, true);
    v.setBigUint64(at + L.LU_CONFIG_DEVICE_LO_AT, 0x5000c5001234567bn, true);
    this.bytes.set(Buffer.from('SPARECOR'), at + L.LU_CONFIG_VENDOR_AT);
    this.bytes.set(Buffer.from('DISK            '), at + L.LU_CONFIG_PRODUCT_AT);
    this.bytes.set(Buffer.from('0001'), at + L.LU_CONFIG_REVISION_AT);
    this.bytes.set(Buffer.from('S0000001'), at + L.LU_CONFIG_SERIAL_AT);
    return this.call.lu_create(this.lu, at);
  }

  login(nexus: number, id: Uint8Array, port = 1): number {
    this.bytes.set(id, this.id);
    return this.call.nexus_login(this.lu, nexus, this.id, id.length, port);
  }

  logout(nexus: number): void {
    this.call.nexus_logout(this.lu, nexus);
  }

  /** Logs in and takes the unit attention of it. */
  attach(nexus: number, id: Uint8Array, port = 1): void {
    if (this.login(nexus, id, port) !== L.LOGIN_OK) throw new Error('login failed');
    this.drain(nexus);
  }

  /** Sense codes of the unit attentions of a nexus, which are so cleared. */
  drain(nexus: number): number[] {
    const told: number[] = [];
    for (;;) {
      const { data } = this.execute(nexus, [0x03, 0, 0, 0, 18, 0], { room: 18 });
      const code = (data[2]! << 16) | (data[12]! << 8) | data[13]!;
      if (code >> 16 !== 6) return told;
      told.push(code);
    }
  }

  execute(
    nexus: number,
    cdb: readonly number[],
    { out = [], outBytes, room }: { out?: ArrayLike<number>; outBytes?: number; room?: number } = {},
  ): Outcome {
    const v = this.view;
    const t = this.task;
    this.bytes.fill(0, t, t + 32);
    this.bytes.set(cdb, t + L.TASK_CDB_AT);
    v.setUint32(t + L.TASK_CDB_LENGTH_AT, cdb.length, true);
    v.setUint32(t + L.TASK_NEXUS_AT, nexus, true);
    v.setUint32(t + L.TASK_ATTRIBUTE_AT, 0, true);
    v.setUint32(t + L.TASK_DATA_OUT_AT, this.out, true);
    v.setUint32(t + L.TASK_DATA_OUT_BYTES_AT, outBytes ?? out.length, true);
    v.setUint32(t + L.TASK_DATA_IN_AT, this.dataIn, true);
    v.setUint32(t + L.TASK_DATA_IN_BYTES_AT, room ?? 0, true);
    v.setUint32(t + L.TASK_DATA_IN_ROOM_AT, DATA_ROOM, true);
    this.bytes.set(out, this.out);
    this.call.lu_execute(this.lu, t);
    return this.outcome();
  }

  outcome(): Outcome {
    const v = this.view;
    const t = this.task;
    const u32 = (at: number): number => v.getUint32(t + at, true);
    const u64 = (at: number): bigint => v.getBigUint64(t + at, true);
    const senseData = this.bytes.slice(
      t + L.TASK_SENSE_AT,
      t + L.TASK_SENSE_AT + u32(L.TASK_SENSE_LENGTH_AT),
    );
    const moved = u32(L.TASK_MOVED_BYTES_AT);
    const action = u32(L.TASK_ACTION_AT);
    return {
      status: u32(L.TASK_STATUS_AT),
      ...decodeSense(senseData),
      action,
      lba: u64(L.TASK_LBA_LO_AT),
      blocks: u64(L.TASK_BLOCKS_LO_AT),
      flags: u32(L.TASK_FLAGS_AT),
      moved,
      residual: u32(L.TASK_RESIDUAL_AT),
      overflow: u32(L.TASK_OVERFLOW_AT),
      abort: u64(L.TASK_ABORT_LO_AT),
      nvChanged: u32(L.TASK_NV_CHANGED_AT),
      data:
        action === L.ACTION_NONE
          ? this.bytes.slice(this.dataIn, this.dataIn + Math.min(moved, DATA_ROOM))
          : new Uint8Array(),
      senseData,
    };
  }

  /** PERSISTENT RESERVE OUT with the basic parameter list, [SPC-4] 6.16.3. */
  prOut(nexus: number, action: number, options: PrOut = {}): Outcome {
    const { type = 0, scope = 0, key = 0n, actionKey = 0n, flags = 0, more = [] } = options;
    const list = [...be64(key), ...be64(actionKey), 0, 0, 0, 0, flags, 0, 0, 0, ...more];
    const length = options.length ?? list.length;
    return this.execute(nexus, [0x5f, action, (scope << 4) | type, 0, 0, ...be32(length), 0], { out: list });
  }

  /** PERSISTENT RESERVE OUT REGISTER AND MOVE, [SPC-4] 6.16.4. */
  prMove(
    nexus: number,
    id: Uint8Array,
    options: { key?: bigint; actionKey?: bigint; flags?: number; port?: number },
  ): Outcome {
    const { key = 0n, actionKey = 0n, flags = 0, port = 1 } = options;
    const list = [...be64(key), ...be64(actionKey), 0, flags, ...be16(port), ...be32(id.length), ...id];
    return this.execute(nexus, [0x5f, 7, 0, 0, 0, ...be32(list.length), 0], { out: list });
  }

  prIn(nexus: number, action: number, allocation = 8192): Outcome {
    return this.execute(nexus, [0x5e, action, 0, 0, 0, 0, 0, ...be16(allocation), 0], { room: allocation });
  }

  /** Reservation keys, as an observer sees them: no unit attention is in the way. */
  keys(): bigint[] {
    const count = this.call.lu_registrations(this.lu, this.dataIn, DATA_ROOM);
    return Array.from({ length: count }, (_, i) =>
      this.view.getBigUint64(this.dataIn + i * L.LU_REGISTRATION_BYTES, true),
    );
  }

  generation(): number {
    this.call.lu_reservation(this.lu, this.out);
    return this.view.getUint32(this.out + L.LU_RESERVATION_GENERATION_AT, true);
  }

  /** What an observer sees of the reservation; null: none. */
  reservation(): { key: bigint; type: number; nexus: number } | null {
    if (!this.call.lu_reservation(this.lu, this.out)) return null;
    return {
      key: this.view.getBigUint64(this.out + L.LU_RESERVATION_KEY_LO_AT, true),
      type: this.view.getUint32(this.out + L.LU_RESERVATION_TYPE_AT, true),
      nexus: this.view.getUint32(this.out + L.LU_RESERVATION_NEXUS_AT, true),
    };
  }

  manage(nexus: number, management: number, pending = 0n): { response: number; abort: bigint } {
    this.view.setBigUint64(this.task + L.TASK_PENDING_LO_AT, pending, true);
    const response = this.call.lu_task_management(this.lu, nexus, management, this.task);
    this.view.setBigUint64(this.task + L.TASK_PENDING_LO_AT, 0n, true);
    return { response, abort: this.view.getBigUint64(this.task + L.TASK_ABORT_LO_AT, true) };
  }

  /** The non-volatile image as a host would have it on its own storage. */
  nv(): Uint8Array {
    const at = this.call.lu_nv_ptr(this.lu);
    return this.bytes.slice(at, at + this.call.lu_nv_bytes());
  }

  /** Power is lost: all but the non-volatile image that reached the host's storage is gone, then it comes back. */
  powerCycle(image: Uint8Array = this.nv()): void {
    this.bytes.set(image, this.call.lu_nv_ptr(this.lu));
    this.call.lu_power_on(this.lu);
  }
}

export interface PrOut {
  type?: number;
  scope?: number;
  key?: bigint;
  actionKey?: bigint;
  flags?: number;
  more?: ArrayLike<number> & Iterable<number>;
  length?: number;
}

type Sense = Pick<Outcome, 'sense' | 'field' | 'bit' | 'inCdb' | 'information'>;

export function decodeSense(data: Uint8Array): Sense {
  const none: Sense = { sense: 0, field: -1, bit: -1, inCdb: false, information: null };
  if (data.length === 0) return none;
  const v = new DataView(data.buffer, data.byteOffset, data.length);
  const specific = (at: number): Partial<Sense> =>
    data[at]! & 0x80
      ? {
          field: v.getUint16(at + 1),
          inCdb: (data[at]! & 0x40) !== 0,
          bit: data[at]! & 8 ? data[at]! & 7 : -1,
        }
      : {};
  if ((data[0]! & 0x7f) === 0x70) {
    const sense = (data[2]! << 16) | (data[12]! << 8) | data[13]!;
    const information = data[0]! & 0x80 ? BigInt(v.getUint32(3)) : null;
    return { ...none, sense, information, ...specific(15) };
  }
  const found: Sense = { ...none, sense: (data[1]! << 16) | (data[2]! << 8) | data[3]! };
  for (let at = 8; at < data.length; at += data[at + 1]! + 2) {
    if (data[at] === 0) found.information = v.getBigUint64(at + 4);
    if (data[at] === 2) Object.assign(found, specific(at + 4));
  }
  return found;
}

export const read10 = (lba: number, blocks: number, flags = 0): number[] => [
  0x28,
  flags,
  ...be32(lba),
  0,
  ...be16(blocks),
  0,
];
export const write10 = (lba: number, blocks: number, flags = 0): number[] => [
  0x2a,
  flags,
  ...be32(lba),
  0,
  ...be16(blocks),
  0,
];
export const TEST_UNIT_READY = [0, 0, 0, 0, 0, 0];

/** Three initiator ports as the pair has them: A and B on port 1, A again on port 2. */
export const A = 0;
export const B = 1;
export const C = 2;
export const ID_A = sasId(0x500605b000000a00n);
export const ID_B = sasId(0x500605b000000b00n);
export const KEY_A = 0xa1n;
export const KEY_B = 0xb1n;
export const KEY_C = 0xc1n;

export function threeNexuses(config: Partial<Config> = {}): Testbed {
  const bed = new Testbed(config);
  bed.attach(A, ID_A, 1);
  bed.attach(B, ID_B, 1);
  bed.attach(C, ID_A, 2);
  return bed;
}
