/**
 * Random commands to logical units of every format, over several nexuses, with resets, log-outs, power cycles and
 * errors of the medium between them. After each: no trap, a status and sense data that can be, nothing moved beyond
 * what was offered, no block touched beyond the medium, none written where it is write-protected or another's, not a
 * byte of memory changed that is not the unit's, the task's or the buffer's.
 */
import { type DiskIo, instantiateSync } from '#disk-io';
import * as L from '../../../asm/layout.ts';
import { RandomStream } from '../../random.ts';
import { type Template, cdbBytes, fillCdb } from './cdb.ts';
import { Law } from './law.ts';
import { fillList } from './list.ts';
import { type Identity, identity } from './reservation.ts';
import { UNITS, type Unit, createUnit, iscsiId, resetUnit, sasId, wwnOf } from './unit.ts';

const NEXUSES = 6;
const GAP = 4096;
const GUARD = 0xa5;
const GUARD_WORD = 0xa5a5a5a5 | 0;
const DATA_ROOM = 2048;
const LIST_ROOM = 65_536;
const WHOLE_EVERY = 16_384;
const EVENT_EVERY = 200;
/** A disk that has stopped, or that is write-protected, and stays so, would hide most of what there is to see. */
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
  readonly #call: DiskIo;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #words: Int32Array;
  readonly #task: number;
  readonly #cdb: Uint8Array;
  readonly #dataIn: number;
  readonly #scratch: number;
  readonly #units: Unit[] = [];
  readonly #identities: Identity[];
  readonly #law: Law;
  readonly #end: number;
  #gaps: [number, number][] = [];
  #next: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new RandomStream(String(seed), 'cdb');
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536 });
    this.#call = instantiateSync({ memory });
    const unitBytes = this.#call.lu_size();
    const wanted = this.#call.heap_base() + (UNITS.length + 5) * (unitBytes + 2 * GAP) + 2 * LIST_ROOM;
    memory.grow(Math.max(0, Math.ceil((wanted - memory.buffer.byteLength) / 65536)));
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.#end = memory.buffer.byteLength;
    this.#next = (this.#call.heap_base() + 4095) & ~4095;
    this.#task = this.#place(L.TASK_BYTES);
    this.#cdb = this.#bytes.subarray(this.#task, this.#task + 32);
    this.#dataIn = this.#place(DATA_ROOM);
    this.#scratch = this.#place(LIST_ROOM);
    const ids = [
      sasId(0x5000_0000_0000_0001n),
      sasId(0x5000_0000_0000_0002n),
      iscsiId('iqn.2026-01.a:host', '00023d000001'),
      iscsiId(`iqn.${'b'.repeat(200)}`, '80123456abcd'),
    ];
    this.#identities = ids.flatMap((id) => [identity(id, 1), identity(id, 2)]);
    for (const [i, config] of UNITS.entries()) {
      const unit = createUnit(
        this.#call,
        this.#view,
        this.#scratch,
        this.#place(unitBytes),
        config,
        wwnOf(i),
      );
      this.#units.push(unit);
      for (let n = 0; n < NEXUSES; n++) this.#login(unit, n, this.#identities[n % this.#identities.length]!);
    }
    this.#bytes.fill(GUARD, this.#next, this.#end - LIST_ROOM);
    this.#gaps.push([this.#next, this.#end - LIST_ROOM]);
    this.#units.forEach(({ lu }, i) => this.#view.setUint32(this.#scratch + i * 4, lu, true));
    this.#view.setUint32(this.#task + L.TASK_UNITS_AT, this.#scratch, true);
    this.#view.setUint32(this.#task + L.TASK_UNIT_COUNT_AT, this.#units.length, true);
    this.#law = new Law(this.#call, this.#view, this.#task, this.#scratch + 4096, this.#units);
  }

  /** Room for `bytes`, with a guard on either side. */
  #place(bytes: number): number {
    const at = this.#next + GAP;
    this.#bytes.fill(GUARD, this.#next, at);
    this.#gaps.push([this.#next, at]);
    this.#next = (at + bytes + 15) & ~15;
    this.#bytes.fill(GUARD, at + bytes, this.#next + GAP);
    return at;
  }

  #login(unit: Unit, nexus: number, who: Identity): void {
    this.#bytes.set(who.id, this.#scratch + 2048);
    const answer = this.#call.nexus_login(unit.lu, nexus, this.#scratch + 2048, who.id.length, who.port);
    if (answer !== L.LOGIN_OK) throw new Error(`nexus ${nexus} can not log in: ${answer}`);
    const before = unit.nexuses[nexus];
    if (before) unit.model.lost(before.text);
    unit.model.lost(who.text);
    const other = unit.nexuses.findIndex((one, n) => n !== nexus && one?.text === who.text);
    if (other >= 0) unit.nexuses[other] = null;
    unit.nexuses[nexus] = who;
  }

  /** The first identity that no nexus has, from a random one on. */
  #loginNew(unit: Unit, nexus: number): void {
    const first = this.#random.below(this.#identities.length);
    for (let i = 0; i < this.#identities.length; i++) {
      const who = this.#identities[(first + i) % this.#identities.length]!;
      if (!unit.nexuses.some((one) => one?.text === who.text)) return this.#login(unit, nexus, who);
    }
  }

  run(commands: number): void {
    for (let i = 0; i < commands; i++) {
      const unit = this.#units[this.#random.below(this.#units.length)]!;
      this.#command(unit);
      const n = ++this.tally.commands;
      if (n % EVENT_EVERY === 0) this.#event(unit);
      if (n % WHOLE_EVERY === 0) this.#checkGaps();
    }
    this.#checkGaps();
  }

  #command(unit: Unit): void {
    const random = this.#random;
    const r = random.next();
    if (unit.sanitizing > 0 && --unit.sanitizing === 0) this.#call.lu_sanitize(unit.lu, L.SANITIZE_DONE);
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
    const list = this.#end - Math.min(outBytes, LIST_ROOM);
    const parameters = this.#bytes.subarray(list, this.#end);
    if (template === null || template.isList) {
      if (parameters.length < 2048) fillList(random, cdb, this.#identities, unit.blocks, parameters);
    }
    this.#prepare(nexus, list, outBytes, inBytes, room);
    let action = 0;
    try {
      action = this.#call.lu_execute(unit.lu, this.#task);
    } catch (error) {
      this.#fail(unit, nexus, String(error));
    }
    const status = this.#words[(this.#task + L.TASK_STATUS_AT) >> 2]!;
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
    const w = this.#words;
    const t = this.#task >> 2;
    w[t + (L.TASK_CDB_LENGTH_AT >> 2)] = cdbBytes(this.#cdb[0]!);
    w[t + (L.TASK_NEXUS_AT >> 2)] = nexus;
    w[t + (L.TASK_DATA_OUT_AT >> 2)] = list;
    w[t + (L.TASK_DATA_OUT_BYTES_AT >> 2)] = outBytes;
    w[t + (L.TASK_DATA_IN_AT >> 2)] = this.#dataIn;
    w[t + (L.TASK_DATA_IN_BYTES_AT >> 2)] = inBytes;
    w[t + (L.TASK_DATA_IN_ROOM_AT >> 2)] = room;
    if (room < DATA_ROOM) this.#bytes.fill(GUARD, this.#dataIn + room, this.#dataIn + room + 32);
  }

  /** The words next to what may be written. */
  #guarded({ lu, end }: Unit, room: number): boolean {
    const w = this.#words;
    for (let i = 0; i < 4; i++) {
      if (w[(lu >> 2) - 1 - i] !== GUARD_WORD || w[(end >> 2) + i] !== GUARD_WORD) return false;
      if (
        w[((this.#task + L.TASK_BYTES) >> 2) + i] !== GUARD_WORD ||
        w[(this.#task >> 2) - 1 - i] !== GUARD_WORD
      )
        return false;
      if (w[((this.#dataIn + DATA_ROOM) >> 2) + i] !== GUARD_WORD) return false;
    }
    if (room === DATA_ROOM) return true;
    for (let i = 0; i < 32; i++) if (this.#bytes[this.#dataIn + room + i] !== GUARD) return false;
    return true;
  }

  #checkGaps(): void {
    for (const [from, to] of this.#gaps)
      for (let at = from >> 2; at < to >> 2; at++)
        if (this.#words[at] !== GUARD_WORD)
          throw new Error(`${this.#again()}: wrote at ${at * 4}, outside of all`);
  }

  /** What happens between commands. */
  #event(unit: Unit): void {
    const random = this.#random;
    const call = this.#call;
    const n = random.below(NEXUSES);
    this.tally.events++;
    switch (random.below(9)) {
      case 0: {
        const who = unit.nexuses[n];
        call.nexus_logout(unit.lu, n);
        if (who) unit.model.lost(who.text);
        unit.nexuses[n] = null;
        break;
      }
      case 1:
        if (random.below(4) > 0) break;
        call.lu_power_on(unit.lu);
        unit.model.powerCycle();
        unit.swp = unit.savedSwp;
        unit.isStopped = false;
        break;
      case 2:
        call.lu_reset(unit.lu, 1 + random.below(3));
        resetUnit(unit);
        break;
      case 3: {
        const management = [0x01, 0x02, 0x04, 0x08, 0x10, 0x80, 0x81, 0x82, 0xff][random.below(9)]!;
        call.lu_task_management(unit.lu, n, management, this.#task);
        const who = unit.nexuses[n];
        if (who && management === L.TMF_LOGICAL_UNIT_RESET) resetUnit(unit);
        if (who && management === L.TMF_I_T_NEXUS_RESET) unit.model.lost(who.text);
        break;
      }
      case 4:
        this.#words[(this.#task + L.TASK_NEXUS_AT) >> 2] = n;
        call.lu_medium_error(unit.lu, this.#task, random.below(14), random.next() | 0, 0);
        break;
      case 5:
        this.#login(unit, n, this.#identities[random.below(this.#identities.length)]!);
        break;
      default:
    }
    // most of the time all are there
    for (let k = 0; k < NEXUSES; k++) if (!unit.nexuses[k] && random.below(4) > 0) this.#loginNew(unit, k);
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
