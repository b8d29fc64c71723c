/**
 * Random commands to logical units of every format, over several nexuses, with resets, log-outs, power cycles and
 * errors of the medium between them. After each: no trap, a status and sense data that can be, nothing moved beyond
 * what was offered, no block touched beyond the medium, none written where it is write-protected or another's, not a
 * byte of memory changed that is not the unit's, the task's or the buffer's.
 */
import * as L from '../../../asm/layout.ts';
import { RandomStream } from '../../random.ts';
import { Arena } from './arena.ts';
import { type Template, cdbBytes, fillCdb } from './cdb.ts';
import { Law } from './law.ts';
import { fillList } from './list.ts';
import { UNITS, type Unit } from './unit.ts';
import { NEXUSES, World } from './world.ts';

const DATA_ROOM = 2048;
const LIST_ROOM = 65_536;
const GAPS_BYTES = 8192;
const WHOLE_EVERY = 16_384;
const EVENT_EVERY = 200;
/** A disk that has stopped, and stays so, would hide most of what there is to see. */
const START_EVERY = 24;

export interface Tally {
  commands: number;
  events: number;
  /** By status, [SAM-5] 5.3.1, and by ACTION_*. */
  statuses: Record<number, number>;
  actions: Record<number, number>;
}

export class Fuzz {
  readonly tally: Tally = { commands: 0, events: 0, statuses: {}, actions: {} };
  readonly #seed: number;
  readonly #random: RandomStream;
  readonly #arena: Arena;
  readonly #world: World;
  readonly #law: Law;
  readonly #task: number;
  readonly #cdb: Uint8Array;
  readonly #dataIn: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new RandomStream(String(seed), 'cdb');
    const arena = new Arena((call) => (UNITS.length + 5) * (call.lu_size() + GAPS_BYTES) + 2 * LIST_ROOM);
    this.#arena = arena;
    this.#task = arena.place(L.TASK_BYTES);
    this.#cdb = arena.bytes.subarray(this.#task, this.#task + 32);
    this.#dataIn = arena.place(DATA_ROOM);
    const scratch = arena.place(LIST_ROOM);
    this.#world = new World(this.#random, arena, this.#task, scratch);
    const { units } = this.#world;
    arena.seal(LIST_ROOM);
    units.forEach(({ lu }, i) => arena.view.setUint32(scratch + i * 4, lu, true));
    arena.view.setUint32(this.#task + L.TASK_UNITS_AT, scratch, true);
    arena.view.setUint32(this.#task + L.TASK_UNIT_COUNT_AT, units.length, true);
    this.#law = new Law(arena.call, arena.view, this.#task, scratch + 4096, units);
  }

  run(commands: number): void {
    const { units } = this.#world;
    for (let i = 0; i < commands; i++) {
      const unit = units[this.#random.below(units.length)]!;
      this.#command(unit);
      const n = ++this.tally.commands;
      if (n % EVENT_EVERY === 0) {
        this.tally.events++;
        this.#world.event(unit);
      }
      if (n % WHOLE_EVERY === 0) this.#checkGaps();
    }
    this.#checkGaps();
  }

  #command(unit: Unit): void {
    const random = this.#random;
    const r = random.next();
    if (unit.sanitizing > 0 && --unit.sanitizing === 0)
      this.#arena.call.lu_sanitize(unit.lu, L.SANITIZE_DONE);
    const nexus = (r & 1023) === 0 ? random.below(100) : (r >>> 10) % NEXUSES;
    const cdb = this.#cdb;
    let template: Template | null = null;
    if ((r >>> 20) % START_EVERY === 0 && unit.isStopped) {
      cdb.fill(0);
      cdb[0] = 0x1b;
      cdb[4] = 1;
    } else template = fillCdb(random, unit.templates, unit.blocks, cdb);
    const outBytes = this.#offered(template, cdb, unit);
    const inBytes = (r >>> 24) * 8;
    const room = (r & 0x3000) === 0 ? (r >>> 14) & 511 : DATA_ROOM;
    const list = this.#arena.end - Math.min(outBytes, LIST_ROOM);
    const parameters = this.#arena.bytes.subarray(list, this.#arena.end);
    if (template === null || template.isList) {
      if (parameters.length < 2048) fillList(random, cdb, this.#world.identities, unit.blocks, parameters);
    }
    this.#prepare(nexus, list, outBytes, inBytes, room);
    let action = 0;
    try {
      action = this.#arena.call.lu_execute(unit.lu, this.#task);
    } catch (error) {
      this.#fail(unit, nexus, String(error));
    }
    const status = this.#arena.words[(this.#task + L.TASK_STATUS_AT) >> 2]!;
    this.tally.statuses[status] = (this.tally.statuses[status] ?? 0) + 1;
    this.tally.actions[action] = (this.tally.actions[action] ?? 0) + 1;
    const wrong =
      this.#law.answer(unit, nexus, action, status, inBytes, outBytes) ??
      this.#law.state(unit, nexus, template, status, parameters);
    if (wrong !== null) this.#fail(unit, nexus, wrong);
    if (!this.#guarded(unit, room)) this.#fail(unit, nexus, 'wrote where it may not');
  }

  /** Bytes that the initiator sends: most often what the CDB says. */
  #offered(template: Template | null, cdb: Uint8Array, unit: Unit): number {
    const r = this.#random.next();
    if ((r & 31) === 0) return (r >>> 8) & 511;
    if (template?.isList) {
      const { bytes, opcode } = template;
      if (opcode === 0x5f) return (cdb[7]! << 8) | cdb[8]!;
      if (opcode === 0x1d) return (cdb[3]! << 8) | cdb[4]!;
      return bytes === 6
        ? cdb[4]!
        : bytes === 10
          ? (cdb[7]! << 8) | cdb[8]!
          : (cdb[bytes - 4]! << 8) | cdb[bytes - 3]!;
    }
    return ((r >>> 8) & 15) * unit.blockBytes;
  }

  #prepare(nexus: number, list: number, outBytes: number, inBytes: number, room: number): void {
    const w = this.#arena.words;
    const t = this.#task >> 2;
    w[t + (L.TASK_CDB_LENGTH_AT >> 2)] = cdbBytes(this.#cdb[0]!);
    w[t + (L.TASK_NEXUS_AT >> 2)] = nexus;
    w[t + (L.TASK_DATA_OUT_AT >> 2)] = list;
    w[t + (L.TASK_DATA_OUT_BYTES_AT >> 2)] = outBytes;
    w[t + (L.TASK_DATA_IN_AT >> 2)] = this.#dataIn;
    w[t + (L.TASK_DATA_IN_BYTES_AT >> 2)] = inBytes;
    w[t + (L.TASK_DATA_IN_ROOM_AT >> 2)] = room;
    if (room < DATA_ROOM) this.#arena.guard(this.#dataIn + room);
  }

  /** The words next to what may be written. */
  #guarded({ lu, end }: Unit, room: number): boolean {
    const arena = this.#arena;
    return (
      arena.holds(lu, end) &&
      arena.holds(this.#task, this.#task + L.TASK_BYTES) &&
      arena.holds(this.#dataIn, this.#dataIn + DATA_ROOM) &&
      (room === DATA_ROOM || arena.guarded(this.#dataIn + room))
    );
  }

  #checkGaps(): void {
    const at = this.#arena.strayed();
    if (at >= 0) throw new Error(`${this.#again()}: wrote at ${at}, outside of all`);
  }

  #again(): string {
    const n = this.tally.commands + 1;
    return `node --import tsx scripts/bench/fuzz-cdb.ts --seed ${this.#seed} --count ${n}`;
  }

  #fail(unit: Unit, nexus: number, what: string): never {
    const cdb = Buffer.from(this.#cdb.subarray(0, cdbBytes(this.#cdb[0]!))).toString('hex');
    throw new Error(`${unit.name}, nexus ${nexus}, CDB ${cdb}: ${what}\n${this.#again()}`);
  }
}
