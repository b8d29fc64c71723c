/**
 * The device servers of a shelf: one instance of the disk I/O module, with a block of its memory for each disk. All of
 * SCSI is in there; here is only its calling convention.
 */
import { type DiskIo, instantiateSync } from '#disk-io';
import * as L from '../../asm/layout.ts';

const PARAMETER_ROOM = 65536;

export interface UnitConfig {
  blocks: number;
  wwn: bigint;
  serial: string;
  rotation: number;
  /** Blocks that a command may move; 0 or absent: LU_MAX_TRANSFER. */
  maxTransferBlocks?: number;
}

export interface Executed {
  action: number;
  status: number;
  lba: number;
  blocks: number;
  moved: number;
  residual: number;
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
  readonly #task: number;
  readonly #units: number[] = [];
  readonly #nvBytes: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
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
    let at = this.dataIn + PARAMETER_ROOM;
    for (let i = 0; i < units; i++) {
      this.#units.push(at);
      at = align(at + this.#unitBytes);
    }
    const missing = Math.ceil((at - this.memory.buffer.byteLength) / 65536);
    if (missing > 0) this.memory.grow(missing);
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#view = new DataView(this.memory.buffer);
  }

  create(unit: number, config: UnitConfig): void {
    const at = this.dataOut;
    const v = this.#view;
    this.#bytes.fill(0, at, at + L.LU_CONFIG_BYTES);
    v.setBigUint64(at + L.LU_CONFIG_BLOCKS_LO_AT, BigInt(config.blocks), true);
    v.setUint32(at + L.LU_CONFIG_BLOCK_BYTES_AT, L.SECTOR_BYTES, true);
    v.setUint32(at + L.LU_CONFIG_PHYSICAL_EXPONENT_AT, 3, true);
    v.setUint32(at + L.LU_CONFIG_ROTATION_AT, config.rotation, true);
    v.setUint32(at + L.LU_CONFIG_MAX_TRANSFER_AT, config.maxTransferBlocks ?? 0, true);
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

  /** Runs a command; `out` is the parameter list, `bytes` what the initiator's buffer holds. */
  execute(unit: number, nexus: number, cdb: Uint8Array, out: Uint8Array | null, bytes: number): Executed {
    const t = this.#task;
    const v = this.#view;
    this.#bytes.fill(0, t, t + 32);
    this.#bytes.set(cdb, t + L.TASK_CDB_AT);
    v.setUint32(t + L.TASK_CDB_LENGTH_AT, cdb.length, true);
    v.setUint32(t + L.TASK_NEXUS_AT, nexus, true);
    v.setUint32(t + L.TASK_ATTRIBUTE_AT, 0, true);
    if (out !== null) this.#bytes.set(out.subarray(0, PARAMETER_ROOM), this.dataOut);
    v.setUint32(t + L.TASK_DATA_OUT_AT, this.dataOut, true);
    v.setUint32(t + L.TASK_DATA_OUT_BYTES_AT, bytes, true);
    v.setUint32(t + L.TASK_DATA_IN_AT, this.dataIn, true);
    v.setUint32(t + L.TASK_DATA_IN_BYTES_AT, bytes, true);
    v.setUint32(t + L.TASK_DATA_IN_ROOM_AT, PARAMETER_ROOM, true);
    const action = this.call.lu_execute(this.#units[unit]!, t);
    return this.#result(action);
  }

  #result(action: number): Executed {
    const t = this.#task;
    const v = this.#view;
    const senseBytes = v.getUint32(t + L.TASK_SENSE_LENGTH_AT, true);
    return {
      action,
      status: v.getUint32(t + L.TASK_STATUS_AT, true),
      lba: v.getUint32(t + L.TASK_LBA_LO_AT, true) + v.getUint32(t + L.TASK_LBA_HI_AT, true) * 0x1_0000_0000,
      blocks: v.getUint32(t + L.TASK_BLOCKS_LO_AT, true),
      moved: v.getUint32(t + L.TASK_MOVED_BYTES_AT, true),
      residual: v.getUint32(t + L.TASK_RESIDUAL_AT, true),
      sense: senseBytes ? this.#bytes.slice(t + L.TASK_SENSE_AT, t + L.TASK_SENSE_AT + senseBytes) : null,
      abort: v.getBigUint64(t + L.TASK_ABORT_LO_AT, true),
      nvChanged: v.getUint32(t + L.TASK_NV_CHANGED_AT, true) === 1,
    };
  }

  parameterData(bytes: number): Uint8Array {
    return this.#bytes.slice(this.dataIn, this.dataIn + bytes);
  }

  /** The medium failed under the command of `nexus`; `kind` is MEDIUM_*. */
  mediumError(unit: number, nexus: number, kind: number, lba: number): Executed {
    const t = this.#task;
    this.#view.setUint32(t + L.TASK_NEXUS_AT, nexus, true);
    this.call.lu_medium_error(this.#units[unit]!, t, kind, lba >>> 0, Math.floor(lba / 0x1_0000_0000));
    return this.#result(L.ACTION_NONE);
  }

  /** The non-volatile image of a unit's persistent reservations, for the host to make durable. */
  nonVolatile(unit: number): Uint8Array {
    const at = this.call.lu_nv_ptr(this.#units[unit]!);
    return this.#bytes.subarray(at, at + this.#nvBytes);
  }

  /** Loads a non-volatile image and powers the unit on. */
  loadNonVolatile(unit: number, image: Uint8Array): void {
    this.nonVolatile(unit).set(image.subarray(0, this.#nvBytes));
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
