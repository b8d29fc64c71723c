/** Logical units of every format there is, with what their checker knows of them. */
import type { DiskIo } from '#disk-io';
import * as L from '../../../asm/layout.ts';
import { type Template, cdbBytes } from './cdb.ts';
import { type Identity, Reservation } from './reservation.ts';

export interface UnitConfig {
  name: string;
  blocks: number;
  blockBytes: number;
  flags: number;
}

const WC = L.LU_FLAG_WRITE_CACHE;
export const UNITS: readonly UnitConfig[] = [
  { name: '512n', blocks: 1_000_000, blockBytes: 512, flags: WC },
  { name: '4Kn', blocks: 262_144, blockBytes: 4096, flags: 0 },
  { name: 'small', blocks: 40, blockBytes: 512, flags: WC },
  { name: 'over 2 TiB', blocks: 2 ** 33 + 5, blockBytes: 512, flags: WC | L.LU_FLAG_DESCRIPTOR_SENSE },
  { name: 'thin', blocks: 65_536, blockBytes: 512, flags: WC | L.LU_FLAG_THIN },
  { name: 'protected', blocks: 65_536, blockBytes: 512, flags: WC | L.LU_FLAG_PROTECTED },
  { name: 'write-protected', blocks: 4096, blockBytes: 512, flags: WC | L.LU_FLAG_READ_ONLY },
  { name: 'conflict first', blocks: 4096, blockBytes: 512, flags: WC | L.LU_FLAG_CONFLICT_FIRST },
];

export interface Unit extends UnitConfig {
  lu: number;
  end: number;
  templates: readonly Template[];
  nexuses: (Identity | null)[];
  model: Reservation;
  readOnly: boolean;
  /** SWP of the control mode page, current and saved. */
  swp: boolean;
  savedSwp: boolean;
  /** It said so itself. */
  isStopped: boolean;
  /** Commands until the sanitize operation that runs is over; 0: none runs. */
  sanitizing: number;
}

/** NAA of the unit of that number. */
export const wwnOf = (unit: number): bigint => 0x5000_c500_0000_0000n + BigInt(unit);

/** TransportID of a SAS initiator port, [SPC-4] 7.6.4.5. */
export function sasId(address: bigint): Uint8Array {
  const id = Buffer.alloc(24);
  id[0] = 6;
  id.writeBigUInt64BE(address, 4);
  return id;
}

/** TransportID of an iSCSI initiator port, [SPC-4] 7.6.4.6. */
export function iscsiId(name: string, isid: string): Uint8Array {
  const text = `${name},i,0x${isid}\0`;
  const id = Buffer.alloc(4 + ((text.length + 3) & ~3));
  id[0] = 0x45;
  id.writeUInt16BE(id.length - 4, 2);
  id.write(text, 4, 'latin1');
  return id;
}

/** A new unit at `lu`; `scratch` is room for its configuration, a task and data. */
export function createUnit(
  call: DiskIo,
  view: DataView,
  scratch: number,
  lu: number,
  config: UnitConfig,
  wwn: bigint,
): Unit {
  const bytes = new Uint8Array(view.buffer);
  bytes.fill(0, scratch, scratch + 4096);
  view.setBigUint64(scratch + L.LU_CONFIG_BLOCKS_LO_AT, BigInt(config.blocks), true);
  view.setUint32(scratch + L.LU_CONFIG_BLOCK_BYTES_AT, config.blockBytes, true);
  view.setUint32(scratch + L.LU_CONFIG_FLAGS_AT, config.flags, true);
  view.setBigUint64(scratch + L.LU_CONFIG_WWN_LO_AT, wwn, true);
  const answer = call.lu_create(lu, scratch);
  if (answer !== L.LU_OK) throw new Error(`unit ${config.name} can not be: ${answer}`);
  return {
    ...config,
    lu,
    end: lu + call.lu_size(),
    templates: templatesOf(call, view, scratch, lu),
    nexuses: [],
    model: new Reservation(),
    readOnly: (config.flags & L.LU_FLAG_READ_ONLY) !== 0,
    swp: false,
    savedSwp: false,
    isStopped: false,
    sanitizing: 0,
  };
}

/** What the unit says that it has: REPORT SUPPORTED OPERATION CODES, one by one, [SPC-4] 6.35. */
function templatesOf(call: DiskIo, view: DataView, scratch: number, lu: number): Template[] {
  const bytes = new Uint8Array(view.buffer);
  const task = scratch + 1024;
  const data = scratch + 2048;
  bytes.set(sasId(99n), data);
  call.nexus_login(lu, 0, data, 24, 1);
  const ask = (options: number, opcode: number, action: number): Uint8Array | null => {
    bytes.set([0xa3, 0x0c, options, opcode, 0, action, 0, 0, 0, 64, 0, 0], task);
    view.setUint32(task + L.TASK_CDB_LENGTH_AT, 12, true);
    view.setUint32(task + L.TASK_DATA_IN_AT, data, true);
    view.setUint32(task + L.TASK_DATA_IN_BYTES_AT, 64, true);
    view.setUint32(task + L.TASK_DATA_IN_ROOM_AT, 64, true);
    call.lu_execute(lu, task);
    if (view.getUint32(task + L.TASK_STATUS_AT, true) !== 0) return null;
    const supported = (bytes[data + 1]! & 7) === 3;
    const length = view.getUint16(data + 2);
    return supported ? bytes.slice(data + 4, data + 4 + length) : new Uint8Array();
  };
  ask(1, 0, 0); // takes the unit attention of the log-in
  const found: Template[] = [];
  const add = (usage: Uint8Array, action: number): void => {
    if (usage.length === 0) return;
    bytes.set(usage, data);
    const kind = call.lu_command(lu, data);
    found.push({
      usage,
      action,
      bytes: usage.length,
      opcode: usage[0]!,
      isList: (kind & L.COMMAND_LIST) !== 0,
      isMedium: (kind & L.COMMAND_MEDIUM) !== 0,
    });
  };
  for (let opcode = 0; opcode < 256; opcode++) {
    const plain = ask(1, opcode, 0);
    if (plain !== null) add(plain, -1);
    else for (let action = 0; action < 32; action++) add(ask(2, opcode, action) ?? new Uint8Array(), action);
  }
  if (found.some(({ bytes: size, opcode }) => size !== cdbBytes(opcode)))
    throw new Error('a CDB of an odd length');
  call.nexus_logout(lu, 0);
  return found;
}

/** Any reset: mode parameters as saved, the disk runs, no reservation of RESERVE. */
export function resetUnit(unit: Unit): void {
  unit.model.reserver = null;
  unit.swp = unit.savedSwp;
  unit.isStopped = false;
}
