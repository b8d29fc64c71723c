/**
 * The device servers of a shelf: one instance of the disk I/O module, with a block of its memory for each disk. All of
 * SCSI is in there; here is only its calling convention.
 */
import { type DiskIo, instantiateSync } from '#disk-io';
import * as L from '../../asm/layout.ts';
import { DIRECTION_BOTH, DIRECTION_IN, DIRECTION_OUT } from './task.ts';
import { Workbench } from './workbench.ts';

const PARAMETER_ROOM = 65536;
/** The largest transfer that a unit takes, with protection information: no transport need carry more. */
export const TRANSFER_BYTES_MAX = 32 << 20;
/** Of the task block, for a CDB. */
const CDB_ROOM = 32;
const BENCH_BYTES = 1 << 18;
const NO_EXTENTS: readonly number[] = [];

export interface UnitConfig {
  blocks: number;
  wwn: bigint;
  serial: string;
  rotation: number;
  /** By default 512e: blocks of 512 bytes, eight a physical block. */
  blockBytes?: number;
  physicalExponent?: number;
  /** LU_FLAG_*. */
  flags?: number;
  /** Blocks that a command may move; 0 or absent: as many as can be. */
  maxTransferBlocks?: number;
}

export interface Executed {
  action: number;
  status: number;
  lba: number;
  blocks: number;
  flags: number;
  extents: readonly number[];
  moved: number;
  residual: number;
  /** What the command had to move beyond the initiator's buffer. */
  overflow: number;
  sense: Uint8Array | null;
  /** Nexuses whose other tasks must be aborted, a bit each. */
  abort: bigint;
  nvChanged: boolean;
}

const align = (n: number): number => (n + 4095) & ~4095;

export class DeviceServers {
  readonly memory: WebAssembly.Memory;
  readonly call: DiskIo;
  readonly dataOut: number;
  readonly dataIn: number;
  /** For the actions on media. */
  readonly bench: Workbench;
  readonly #task: number;
  readonly #units: number[] = [];
  readonly #nvBytes: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** The task block, by words; WebAssembly and every host of Node are little-endian. */
  readonly #words: Uint32Array;
  readonly #unitBytes: number;

  constructor(units: number) {
    const call = instantiateSync({ memory: new WebAssembly.Memory({ initial: 16, maximum: 65536 }) });
    this.call = call;
    this.memory = call.memory;
    this.#unitBytes = call.lu_size();
    this.#nvBytes = call.lu_nv_bytes();
    this.#task = align(call.heap_base());
    this.dataOut = this.#task + 4096;
    this.dataIn = this.dataOut + PARAMETER_ROOM;
    const benchAt = this.dataIn + PARAMETER_ROOM;
    const table = benchAt + BENCH_BYTES;
    let at = align(table + units * 4);
    for (let i = 0; i < units; i++) {
      this.#units.push(at);
      at = align(at + this.#unitBytes);
    }
    const missing = Math.ceil((at - this.memory.buffer.byteLength) / 65536);
    if (missing > 0) this.memory.grow(missing);
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#view = new DataView(this.memory.buffer);
    this.#words = new Uint32Array(this.memory.buffer, this.#task, L.TASK_BYTES / 4);
    this.bench = new Workbench(call, benchAt, BENCH_BYTES);
    this.#units.forEach((unit, number) => this.#view.setUint32(table + number * 4, unit, true));
    this.#view.setUint32(this.#task + L.TASK_UNITS_AT, table, true);
    this.#view.setUint32(this.#task + L.TASK_UNIT_COUNT_AT, units, true);
  }

  create(unit: number, config: UnitConfig): void {
    const at = this.dataOut;
    const v = this.#view;
    this.#bytes.fill(0, at, at + L.LU_CONFIG_BYTES);
    v.setBigUint64(at + L.LU_CONFIG_BLOCKS_LO_AT, BigInt(config.blocks), true);
    const blockBytes = config.blockBytes ?? L.SECTOR_BYTES;
    v.setUint32(at + L.LU_CONFIG_BLOCK_BYTES_AT, blockBytes, true);
    v.setUint32(at + L.LU_CONFIG_PHYSICAL_EXPONENT_AT, config.physicalExponent ?? 3, true);
    v.setUint32(at + L.LU_CONFIG_FLAGS_AT, config.flags ?? 0, true);
    const wireBytes = blockBytes + ((config.flags ?? 0) & L.LU_FLAG_PROTECTED ? L.PI_BYTES : 0);
    const most = Math.floor(TRANSFER_BYTES_MAX / wireBytes);
    v.setUint32(at + L.LU_CONFIG_MAX_TRANSFER_AT, Math.min(config.maxTransferBlocks || most, most), true);
    v.setUint32(at + L.LU_CONFIG_ROTATION_AT, config.rotation, true);
    v.setBigUint64(at + L.LU_CONFIG_WWN_LO_AT, config.wwn, true);
    v.setBigUint64(at + L.LU_CONFIG_PORT1_LO_AT, config.wwn + 1n, true);
    v.setBigUint64(at + L.LU_CONFIG_PORT2_LO_AT, config.wwn + 2n, true);
    v.setBigUint64(at + L.LU_CONFIG_DEVICE_LO_AT, config.wwn + 3n, true);
    this.#text(at + L.LU_CONFIG_VENDOR_AT, 'SPARECOR', 8);
    this.#text(at + L.LU_CONFIG_PRODUCT_AT, 'EMULATED DISK', 16);
    this.#text(at + L.LU_CONFIG_REVISION_AT, '0001', 4);
    this.#text(at + L.LU_CONFIG_SERIAL_AT, config.serial, 20);
    const result = this.call.lu_create(this.#units[unit]!, at);
    if (result !== 0) throw new Error(`lu_create refused the configuration of unit ${unit}: ${result}`);
  }

  #text(at: number, text: string, bytes: number): void {
    this.#bytes.set(Buffer.from(text.padEnd(bytes).slice(0, bytes), 'latin1'), at);
  }

  /** Nexus `nexus` of the unit is the SAS initiator port of this address on target port 1 or 2. */
  login(unit: number, nexus: number, sasAddress: bigint, port: 1 | 2): void {
    const id = this.dataOut;
    this.#bytes.fill(0, id, id + 24);
    this.#bytes[id] = 0x06; // TransportID of a SAS port, [SPC-4] 7.6.4.5
    this.#view.setBigUint64(id + 4, sasAddress);
    const result = this.call.nexus_login(this.#units[unit]!, nexus, id, 24, port);
    if (result !== L.LOGIN_OK)
      throw new Error(`nexus_login refused nexus ${nexus} of unit ${unit}: ${result}`);
  }

  /** Nexus `nexus` of the unit is the initiator port of this TransportID; false when the unit does not take it. */
  loginPort(unit: number, nexus: number, transportId: Uint8Array, port: 1 | 2): boolean {
    this.#bytes.set(transportId, this.dataOut);
    const bytes = transportId.length;
    return this.call.nexus_login(this.#units[unit]!, nexus, this.dataOut, bytes, port) === L.LOGIN_OK;
  }

  /**
   * The iSCSI names of both target ports, and the inventory of the targets: every unit, its number the LUN. Kept until
   * they are replaced.
   */
  nameTargets(names: readonly [string, string]): void {
    this.#inventory();
    for (const unit of this.#units) {
      this.call.lu_set_luns(unit, this.dataOut, Math.min(this.#units.length, L.LUN_MAX));
    }
    names.forEach((name, i) => {
      const bytes = Buffer.from(name.toLowerCase());
      this.#bytes.set(bytes, this.dataOut);
      for (const unit of this.#units) {
        if (this.call.lu_target_name(unit, i + 1, this.dataOut, bytes.length) !== 1) {
          throw new Error(`lu_target_name refused ${name}`);
        }
      }
    });
  }

  /** All LUNs, at dataOut; [SAM-5] 4.7.7.1: peripheral device addressing below 256. */
  #inventory(): void {
    this.#bytes.fill(0, this.dataOut, this.dataOut + L.LUN_MAX * L.LUN_BYTES);
    for (let lun = 0; lun < Math.min(this.#units.length, L.LUN_MAX); lun++) {
      this.#bytes[this.dataOut + lun * L.LUN_BYTES + 1] = lun;
    }
  }

  /** A command for a LUN that is no unit's. */
  executeAbsent(cdb: Uint8Array, bytes: number, direction: number): Executed {
    this.#load(0, cdb, null, bytes, 0, direction);
    this.#inventory();
    const count = Math.min(this.#units.length, L.LUN_MAX);
    return this.#result(this.call.no_lu_execute(this.dataOut, count, this.#task));
  }

  logout(unit: number, nexus: number): void {
    this.call.nexus_logout(this.#units[unit]!, nexus);
  }

  /**
   * Runs a command; `out` is the parameter list, `bytes` what the initiator's buffer holds, in which `direction`.
   * `pending`: nexuses that have other tasks, a bit each.
   */
  execute(
    unit: number,
    nexus: number,
    cdb: Uint8Array,
    out: Uint8Array | null,
    bytes: number,
    attribute = 0,
    direction = DIRECTION_BOTH,
    pending = 0n,
  ): Executed {
    this.#load(nexus, cdb, out, bytes, attribute, direction);
    this.#setPending(pending);
    return this.#result(this.call.lu_execute(this.#units[unit]!, this.#task));
  }

  #load(
    nexus: number,
    cdb: Uint8Array,
    out: Uint8Array | null,
    bytes: number,
    attribute: number,
    direction: number,
  ): void {
    const words = this.#words;
    const at = this.#task + L.TASK_CDB_AT;
    // A loop: for so few bytes fill() and set() take longer.
    for (let i = 0; i < CDB_ROOM; i++) this.#bytes[at + i] = i < cdb.length ? cdb[i]! : 0;
    words[L.TASK_CDB_LENGTH_AT >> 2] = cdb.length;
    words[L.TASK_NEXUS_AT >> 2] = nexus;
    words[L.TASK_ATTRIBUTE_AT >> 2] = attribute;
    if (out !== null) this.#bytes.set(out.subarray(0, PARAMETER_ROOM), this.dataOut);
    words[L.TASK_DATA_OUT_AT >> 2] = this.dataOut;
    words[L.TASK_DATA_OUT_BYTES_AT >> 2] = (direction & DIRECTION_OUT) === 0 ? 0 : bytes;
    words[L.TASK_DATA_IN_AT >> 2] = this.dataIn;
    words[L.TASK_DATA_IN_BYTES_AT >> 2] = (direction & DIRECTION_IN) === 0 ? 0 : bytes;
    words[L.TASK_DATA_IN_ROOM_AT >> 2] = PARAMETER_ROOM;
  }

  #result(action: number): Executed {
    const words = this.#words;
    const senseBytes = words[L.TASK_SENSE_LENGTH_AT >> 2]!;
    const senseAt = this.#task + L.TASK_SENSE_AT;
    const residual = words[L.TASK_RESIDUAL_AT >> 2]!;
    return {
      action,
      status: words[L.TASK_STATUS_AT >> 2]!,
      lba: this.#long(L.TASK_LBA_LO_AT),
      blocks: this.#long(L.TASK_BLOCKS_LO_AT),
      flags: words[L.TASK_FLAGS_AT >> 2]!,
      extents: action >= L.ACTION_UNMAP ? this.#extents(action) : NO_EXTENTS,
      moved: words[L.TASK_MOVED_BYTES_AT >> 2]!,
      residual,
      overflow: words[L.TASK_OVERFLOW_AT >> 2] === 0 ? 0 : residual,
      sense: senseBytes ? this.#bytes.slice(senseAt, senseAt + senseBytes) : null,
      abort: this.#abort(),
      nvChanged: words[L.TASK_NV_CHANGED_AT >> 2] === 1,
    };
  }

  /** Two words of the task block. Most often the upper one is 0, and the number then a small integer, kept unboxed. */
  #long(at: number): number {
    const lo = this.#words[at >> 2]!;
    const hi = this.#words[(at >> 2) + 1]!;
    return hi === 0 ? lo : lo + hi * 0x1_0000_0000;
  }

  /** Of ACTION_UNMAP: LBA, blocks. Of ACTION_COPY: source and destination unit, their LBAs, bytes. Of ACTION_SANITIZE: bytes. */
  #extents(action: number): number[] {
    const v = this.#view;
    const from = v.getUint32(this.#task + L.TASK_EXTENTS_AT, true);
    const hasExtents = action === L.ACTION_UNMAP || action === L.ACTION_COPY || action === L.ACTION_SANITIZE;
    const count = hasExtents ? v.getUint32(this.#task + L.TASK_EXTENT_COUNT_AT, true) : 0;
    const u32 = (at: number): number => v.getUint32(at, true);
    const u64 = (at: number): number => u32(at) + u32(at + 4) * 0x1_0000_0000;
    const extents: number[] = [];
    for (let i = 0; i < count; i++) {
      if (action === L.ACTION_SANITIZE) extents.push(this.#bytes[from + i]!);
      else if (action === L.ACTION_UNMAP) {
        const at = from + i * L.EXTENT_BYTES;
        extents.push(u64(at + L.EXTENT_LBA_LO_AT), u32(at + L.EXTENT_BLOCKS_AT));
      } else {
        const at = from + i * L.COPY_EXTENT_BYTES;
        extents.push(u32(at + L.COPY_SOURCE_AT), u32(at + L.COPY_DESTINATION_AT));
        extents.push(u64(at + L.COPY_SOURCE_LBA_LO_AT), u64(at + L.COPY_DESTINATION_LBA_LO_AT));
        extents.push(u32(at + L.COPY_BYTES_AT));
      }
    }
    return extents;
  }

  /** COMMAND_* of a CDB; 0: the unit has no such command. */
  kind(unit: number, cdb: Uint8Array): number {
    this.#bytes.set(cdb.subarray(0, 16), this.#task + L.TASK_CDB_AT);
    return this.call.lu_command(this.#units[unit]!, this.#task + L.TASK_CDB_AT);
  }

  #setPending(pending: bigint): void {
    this.#words[L.TASK_PENDING_LO_AT >> 2] = pending === 0n ? 0 : Number(pending & 0xffff_ffffn);
    this.#words[L.TASK_PENDING_HI_AT >> 2] = pending === 0n ? 0 : Number(pending >> 32n);
  }

  #abort(): bigint {
    const lo = this.#words[L.TASK_ABORT_LO_AT >> 2]!;
    const hi = this.#words[L.TASK_ABORT_HI_AT >> 2]!;
    return (lo | hi) === 0 ? 0n : (BigInt(hi) << 32n) | BigInt(lo);
  }

  /** A task management function, TMF_*; `pending`: nexuses that have tasks, a bit each. */
  manage(
    unit: number,
    nexus: number,
    management: number,
    pending: bigint,
  ): { response: number; abort: bigint } {
    this.#setPending(pending);
    const response = this.call.lu_task_management(this.#units[unit]!, nexus, management, this.#task);
    return { response, abort: response === L.TMF_COMPLETE ? this.#abort() : 0n };
  }

  /** RESET_*: registrations stay; the host ends all tasks. */
  reset(unit: number, kind: number): void {
    this.call.lu_reset(this.#units[unit]!, kind);
  }

  powerOn(unit: number): void {
    this.call.lu_power_on(this.#units[unit]!);
  }

  /** LU_CONTROL_*: what the control mode page asks of the keeper of the task set. */
  control(unit: number): number {
    return this.call.lu_control(this.#units[unit]!);
  }

  /** The copy of ACTION_COPY is done. */
  copied(unit: number): void {
    this.call.lu_copied(this.#units[unit]!);
  }

  /** It was aborted. */
  copyAborted(unit: number): void {
    this.call.lu_copy_aborted(this.#units[unit]!);
  }

  /** Whether a copy by `unit` for `nexus` may still read the unit `other`, or write to it. */
  copyAllowed(unit: number, nexus: number, other: number, writes: boolean): boolean {
    return this.call.lu_copy_allowed(this.#units[unit]!, nexus, this.#units[other]!, writes ? 1 : 0) === 1;
  }

  /** How far a sanitize operation is, or SANITIZE_DONE, SANITIZE_FAILED; true: the non-volatile image has changed. */
  sanitize(unit: number, progress: number): boolean {
    return this.call.lu_sanitize(this.#units[unit]!, progress) === 1;
  }

  /** The pattern of a sanitize operation that power loss interrupted, empty: it erases; null: there is none. */
  interruptedSanitize(unit: number): readonly number[] | null {
    const bytes = this.call.lu_sanitize_pattern(this.#units[unit]!, this.dataIn) >>> 0;
    return bytes === L.SANITIZE_NONE ? null : Array.from(this.parameterData(bytes));
  }

  parameterData(bytes: number): Uint8Array {
    return this.#bytes.slice(this.dataIn, this.dataIn + bytes);
  }

  /** The medium failed under the command of `nexus`; `kind` is MEDIUM_*, `pending` as of `execute`. */
  mediumError(unit: number, nexus: number, kind: number, lba: number, pending = 0n): Executed {
    const t = this.#task;
    this.#setPending(pending);
    this.#view.setUint32(t + L.TASK_NEXUS_AT, nexus, true);
    this.call.lu_medium_error(this.#units[unit]!, t, kind, lba >>> 0, Math.floor(lba / 0x1_0000_0000));
    return this.#result(L.ACTION_NONE);
  }

  /** The non-volatile image of a unit's persistent reservations, for the host to make durable. */
  nonVolatile(unit: number): Uint8Array {
    const at = this.call.lu_nv_ptr(this.#units[unit]!);
    return this.#bytes.subarray(at, at + this.#nvBytes);
  }

  /** Loads a non-volatile image, maybe one with slots of another size, and powers the unit on. */
  loadNonVolatile(unit: number, image: Uint8Array): void {
    const into = this.nonVolatile(unit).fill(0);
    const slot = image.length >> 1;
    const bytes = Math.min(slot, into.length >> 1);
    into.set(image.subarray(0, bytes));
    into.set(image.subarray(slot, slot + bytes), into.length >> 1);
    this.call.lu_nv_load(this.#units[unit]!);
    this.call.lu_power_on(this.#units[unit]!);
  }

  /** CRC32C of at most 64 KiB. */
  crc32c(bytes: Uint8Array): number {
    this.#bytes.set(bytes, this.dataIn);
    return this.call.crc32c(0, this.dataIn, bytes.length) >>> 0;
  }

  /** The unit's persistent reservation, and how many registrations there are. */
  reservation(unit: number): { key: bigint; type: number; nexus: number | null; registrations: number } {
    this.call.lu_reservation(this.#units[unit]!, this.dataIn);
    const nexus = this.#view.getUint32(this.dataIn + L.LU_RESERVATION_NEXUS_AT, true);
    return {
      key: this.#view.getBigUint64(this.dataIn + L.LU_RESERVATION_KEY_LO_AT, true),
      type: this.#view.getUint32(this.dataIn + L.LU_RESERVATION_TYPE_AT, true),
      nexus: nexus === L.NO_NEXUS ? null : nexus,
      registrations: this.#view.getUint32(this.dataIn + L.LU_RESERVATION_COUNT_AT, true),
    };
  }

  /** Key of the reservation holder, 0 without one. */
  holderKey(unit: number): bigint {
    this.call.lu_reservation(this.#units[unit]!, this.dataIn);
    return this.#view.getBigUint64(this.dataIn + L.LU_RESERVATION_KEY_LO_AT, true);
  }
}
