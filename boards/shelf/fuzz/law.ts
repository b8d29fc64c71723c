/**
 * What must hold after every command, whatever it was.
 *
 * [SAM-5] 5.3.1 status; [SPC-4] 4.5 sense data, 5.13.1 table 65; [SBC-3] 4.17 reservations, 4.5 addresses
 */
import type { DiskIo } from '#disk-io';
import * as L from '../../../asm/layout.ts';
import type { Template } from './cdb.ts';
import { senseCode, senseWrong } from './sense.ts';
import type { Unit } from './unit.ts';

const GOOD = 0x00;
const CHECK_CONDITION = 0x02;
const CONDITION_MET = 0x04;
const RESERVATION_CONFLICT = 0x18;
const STATUSES = new Set([GOOD, CHECK_CONDITION, CONDITION_MET, RESERVATION_CONFLICT]);
const PRE_FETCHES = new Set([0x34, 0x90]);
const STOPPED = 0x020402;
/** By ACTION_*: what it does to the blocks of its range. */
const READS = new Set([L.ACTION_READ, L.ACTION_VERIFY, L.ACTION_LBA_STATUS]);
const WRITES = new Set([
  L.ACTION_WRITE,
  L.ACTION_WRITE_VERIFY,
  L.ACTION_COMPARE_WRITE,
  L.ACTION_WRITE_SAME,
  L.ACTION_UNMAP,
  L.ACTION_OR_WRITE,
  L.ACTION_SANITIZE,
  L.ACTION_COPY,
]);
/** RESERVE and RELEASE, and PERSISTENT RESERVE OUT, decide by themselves what conflicts. */
const RESERVING = new Set([0x16, 0x17, 0x56, 0x57, 0x5e, 0x5f]);
const COMPARE_EVERY = 64;
const TWO_32 = 2 ** 32;

export class Law {
  readonly #call: DiskIo;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #task: number;
  readonly #out: number;
  readonly #units: readonly Unit[];
  #seen = 0;

  /** `out` is room for what an observer asks. */
  constructor(call: DiskIo, view: DataView, task: number, out: number, units: readonly Unit[]) {
    this.#call = call;
    this.#units = units;
    this.#view = view;
    this.#bytes = new Uint8Array(view.buffer);
    this.#words = new Uint32Array(view.buffer);
    this.#task = task;
    this.#out = out;
  }

  #u32(at: number): number {
    return this.#words[(this.#task + at) >> 2]!;
  }

  /** What is wrong with the answer of a command, or null. */
  answer(
    unit: Unit,
    nexus: number,
    action: number,
    status: number,
    inBytes: number,
    outBytes: number,
  ): string | null {
    if (!STATUSES.has(status)) return `status ${status}`;
    if (status === CONDITION_MET && !PRE_FETCHES.has(this.#bytes[this.#task]!)) return 'CONDITION MET';
    if (action !== this.#u32(L.TASK_ACTION_AT)) return `returned ${action}, not what is in the task block`;
    const senseBytes = this.#u32(L.TASK_SENSE_LENGTH_AT);
    if ((status === CHECK_CONDITION) !== senseBytes > 0)
      return `status ${status} with ${senseBytes} bytes of sense data`;
    if (senseBytes > 0) {
      const at = this.#task + L.TASK_SENSE_AT;
      const wrong = senseWrong(this.#bytes, at, senseBytes);
      if (wrong !== null) return wrong;
      if (senseCode(this.#bytes, at) === STOPPED) unit.isStopped = true;
    }
    const moved = this.#u32(L.TASK_MOVED_BYTES_AT);
    const most =
      action === L.ACTION_NONE
        ? Math.max(inBytes, outBytes)
        : READS.has(action)
          ? Math.max(inBytes, outBytes)
          : outBytes;
    if (moved > most && action !== L.ACTION_SYNC) return `moves ${moved} of ${most}`;
    const residual = this.#u32(L.TASK_RESIDUAL_AT);
    if (this.#u32(L.TASK_OVERFLOW_AT) === 0 && residual > inBytes + outBytes) return `residual ${residual}`;
    if (action === L.ACTION_NONE) return null;
    if (status !== GOOD && status !== CONDITION_MET) return `action ${action} with status ${status}`;
    return this.#action(unit, nexus, action);
  }

  #action(unit: Unit, nexus: number, action: number): string | null {
    const writes = WRITES.has(action);
    if (!writes && !READS.has(action) && action !== L.ACTION_SYNC)
      return `action ${action}, which nobody knows`;
    const isCopy = action === L.ACTION_COPY; // which writes where its extents say
    if (writes && !isCopy && (unit.readOnly || unit.swp)) return `action ${action} on a write-protected disk`;
    const who = unit.nexuses[nexus];
    if (!who) return `action ${action} for nobody`;
    if (!unit.model.allows(who.text, !READS.has(action)))
      return `action ${action} past the reservation of another`;
    if (action === L.ACTION_SANITIZE) unit.sanitizing = 8;
    if (action === L.ACTION_UNMAP) return this.#extents(unit);
    if (isCopy) return this.#copies(who.text);
    return this.#range(
      unit,
      this.#u32(L.TASK_LBA_LO_AT) + this.#u32(L.TASK_LBA_HI_AT) * TWO_32,
      this.#u32(L.TASK_BLOCKS_LO_AT) + this.#u32(L.TASK_BLOCKS_HI_AT) * TWO_32,
    );
  }

  #range({ blocks }: Unit, lba: number, count: number): string | null {
    return lba <= blocks && count <= blocks - lba ? null : `${count} blocks at ${lba} of ${blocks}`;
  }

  #extents(unit: Unit): string | null {
    const at = this.#u32(L.TASK_EXTENTS_AT);
    const v = this.#view;
    for (let i = 0; i < this.#u32(L.TASK_EXTENT_COUNT_AT); i++) {
      const extent = at + i * L.EXTENT_BYTES;
      const lba = Number(v.getBigUint64(extent + L.EXTENT_LBA_LO_AT, true));
      const wrong = this.#range(unit, lba, v.getUint32(extent + L.EXTENT_BLOCKS_AT, true));
      if (wrong !== null) return wrong;
    }
    return null;
  }

  /** Each extent from a unit that the nexus may read to one that it may write. */
  #copies(who: string): string | null {
    const v = this.#view;
    for (let i = 0; i < this.#u32(L.TASK_EXTENT_COUNT_AT); i++) {
      const at = this.#u32(L.TASK_EXTENTS_AT) + i * L.COPY_EXTENT_BYTES;
      const source = this.#units[v.getUint32(at + L.COPY_SOURCE_AT, true)];
      const to = this.#units[v.getUint32(at + L.COPY_DESTINATION_AT, true)];
      if (!source || !to) return 'a copy between units that are not there';
      const bytes = v.getUint32(at + L.COPY_BYTES_AT, true);
      if (!source.model.allows(who, false) || !to.model.allows(who, true)) return 'a copy past a reservation';
      if (bytes > 0 && (to.readOnly || to.swp)) return 'a copy to a write-protected disk';
      const wrong =
        this.#range(
          source,
          Number(v.getBigUint64(at + L.COPY_SOURCE_LBA_LO_AT, true)),
          bytes / source.blockBytes,
        ) ??
        this.#range(
          to,
          Number(v.getBigUint64(at + L.COPY_DESTINATION_LBA_LO_AT, true)),
          bytes / to.blockBytes,
        );
      if (wrong !== null) return wrong;
    }
    return null;
  }

  /** What the command must have changed, and what is another now that it must not; or null. */
  state(
    unit: Unit,
    nexus: number,
    template: Template | null,
    status: number,
    list: Uint8Array,
  ): string | null {
    const { model } = unit;
    const cdb = this.#task + L.TASK_CDB_AT;
    const b = this.#bytes;
    const opcode = b[cdb]!;
    const who = unit.nexuses[nexus] ?? null;
    let compares = ++this.#seen % COMPARE_EVERY === 0;
    if (status === RESERVATION_CONFLICT && !RESERVING.has(opcode)) {
      if (who === null || model.allows(who.text, true)) return 'a conflict with no reservation of another';
    }
    if (status === GOOD && who !== null) {
      const changes = (template?.isList ?? false) && opcode !== 0x5f;
      if (changes && !model.allows(who.text, true)) return 'a change past the reservation of another';
      if (opcode === 0x5f) {
        model.reserved(who, b.subarray(cdb, cdb + 16), list);
        compares = true;
      } else if (opcode === 0x16 || opcode === 0x56) model.reserve(who.text);
      else if (opcode === 0x17 || opcode === 0x57) model.release(who.text);
      else if (opcode === 0x15 || opcode === 0x55) modeSelected(unit, b.subarray(cdb, cdb + 16), list);
      else if (opcode === 0x1b && b[cdb + 4] === 1) unit.isStopped = false;
    } else if (status === GOOD) return 'GOOD for nobody';
    return compares ? this.#compare(unit) : null;
  }

  /** What an observer sees of registrations and reservation is what the model has. */
  #compare({ lu, model }: Unit): string | null {
    const v = this.#view;
    const out = this.#out;
    this.#call.lu_reservation(lu, out);
    const seen = [
      v.getUint32(out + L.LU_RESERVATION_TYPE_AT, true),
      v.getUint32(out + L.LU_RESERVATION_GENERATION_AT, true),
      v.getUint32(out + L.LU_RESERVATION_COUNT_AT, true),
      v.getBigUint64(out + L.LU_RESERVATION_KEY_LO_AT, true),
    ];
    const known = [
      model.type,
      model.generation,
      model.keys.size,
      model.holder === null ? 0n : (model.keys.get(model.holder) ?? -1n),
    ];
    for (let i = 0; i < 4; i++)
      if (seen[i] !== known[i]) return `type, generation, count, key: ${String(seen)}, not ${String(known)}`;
    return null;
  }
}

/** SWP of a control mode page in a list that was taken, and with SP the saved one. */
function modeSelected(unit: Unit, cdb: Uint8Array, list: Uint8Array): void {
  const long = cdb[0] === 0x55;
  const bytes = long ? (cdb[7]! << 8) | cdb[8]! : cdb[4]!;
  const head = long ? 8 : 4;
  if (bytes === 0) {
    if (cdb[1]! & 1) unit.savedSwp = unit.swp;
    return;
  }
  const descriptors = long ? (list[6]! << 8) | list[7]! : list[3]!;
  for (let at = head + descriptors; at < bytes;) {
    const code = list[at]! & 0x7f;
    if (code === 0x0a) unit.swp = (list[at + 4]! & 8) !== 0;
    at += code & 0x40 ? ((list[at + 2]! << 8) | list[at + 3]!) + 4 : list[at + 1]! + 2;
  }
  if (cdb[1]! & 1) unit.savedSwp = unit.swp;
}
