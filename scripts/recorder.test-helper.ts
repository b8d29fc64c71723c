/** Runs a pair and writes down, in one order, what firmware, disks, headers and reservations did. */
import * as L from '../asm/layout.ts';
import * as F from '../firmware/layout.ts';
import { MS, SECOND } from '../boards/clock.ts';
import { Exfat } from '../boards/core/exfat.ts';
import { CoreFile } from '../boards/core/core-file.ts';
import { readHeaders } from '../boards/core/records.ts';
import type { Header } from '../boards/core/records.ts';
import { type Machine, makeMachine } from '../boards/machine.ts';
import { finalChecks, settled } from '../boards/observer/end.ts';
import { eventName } from '../boards/observer/events.ts';
import { reader } from '../boards/observer/observer.ts';
import { resultOf } from '../boards/observer/report.ts';
import type { RunResult } from '../boards/result.ts';
import type { BoardName, DiskConfig, Scenario } from '../boards/scenario.ts';
import { parseScenario } from '../boards/scenario-file.ts';
import { Script } from '../boards/script.ts';
import { boardOf, nexusOf } from '../boards/shelf/fabric.ts';
import { SYSTEM_IDS } from '../boards/shelf/shelf.ts';
import type { Task } from '../boards/shelf/task.ts';

export const A = 0;
export const B = 1;
export type BoardIndex = typeof A | typeof B;

/** Service actions of PERSISTENT RESERVE OUT, [SPC-4] 6.16.2. */
export const RESERVE = 1;
export const RELEASE = 2;
export const PREEMPT = 4;
export const PREEMPT_AND_ABORT = 5;
const OPCODE_RESERVE_OUT = 0x5f;
export const WRITE_EXCLUSIVE = 1;
export const CONFLICT = 0x18;

interface Entry {
  /** Place in the order of everything that was seen. */
  n: number;
  /** Board time, ns from power-on. */
  at: number;
}

export interface SeenEvent extends Entry {
  name: string;
  board: BoardIndex;
  a: number;
  b: number;
  c: number;
}

/** A command that has ended at a disk. */
export interface SeenCommand extends Entry {
  disk: number;
  board: BoardIndex;
  kind: 'read' | 'write' | 'reserve-out' | 'other';
  status: number;
  lba: number;
  blocks: number;
  /** Of a PERSISTENT RESERVE OUT. */
  action: number;
  type: number;
  scope: number;
  /** Of a READ of the coredump header: what it found there. */
  attribute: number | null;
}

/** The coredump header on the medium, at the start and each time one of its blocks has been written. */
export interface SeenHeader extends Entry {
  disk: number;
  by: BoardIndex | null;
  header: Header | null;
}

/** Who holds the reservation of a disk, at the start and after each PERSISTENT RESERVE OUT; null: nobody. */
export interface SeenHolder extends Entry {
  disk: number;
  holder: BoardIndex | null;
  epoch: number;
  type: number;
  scope: number;
}

export interface RunRecord {
  machine: Machine;
  scenario: Scenario;
  result: RunResult;
  events: SeenEvent[];
  commands: SeenCommand[];
  headers: SeenHeader[];
  holders: SeenHolder[];
  /** Board time, ns, of the first failure; NaN without one. */
  failedAt: number;
  /** Memory of the board that panicked first, as its panic handler found it. */
  memory: Uint8Array | null;
}

export interface RecordOptions {
  seed?: string;
  firmware?: string;
  /** Without a copy of the memory at the panic. */
  withoutMemory?: boolean;
  /** The machine before power-on, for a test that spoils it. */
  arrange?: (machine: Machine) => void;
  onEvent?: (event: SeenEvent, machine: Machine) => void;
}

const SLICE = 50 * MS;
const HEADER_END = L.COREDUMP_LBA + 2 * L.COPY_BLOCKS;

/** As boards/pair.ts does it, under watch. */
export function recordRun(scenario: Scenario, options: RecordOptions = {}): RunRecord {
  const seed = options.seed ?? scenario.seed;
  const machine = makeMachine({ scenario, seed, folder: null, firmware: options.firmware ?? null });
  try {
    const record = watch(machine, options);
    options.arrange?.(machine);
    const isSettled = runToEnd(machine);
    finalChecks(machine, isSettled);
    record.result = resultOf(machine, seed, isSettled);
    record.failedAt = machine.observer.firstFailure?.at ?? NaN;
    return record;
  } finally {
    machine.close();
  }
}

function runToEnd(machine: Machine): boolean {
  const { clock, scenario, boards, observer, clients } = machine;
  const script = new Script(machine);
  observer.onEvent = (name) => script.heard(name);
  for (const board of boards) board.powerOn();
  let quietAt = Infinity;
  for (;;) {
    clock.runUntil(clock.now + SLICE);
    if (quietAt === Infinity && clock.now >= scenario.endMs * MS && settled(machine)) {
      quietAt = clock.now;
      for (const client of clients) client.quiet();
    }
    const drained = clock.now - quietAt >= SECOND || !clients.some((client) => client.waiting);
    if (quietAt !== Infinity && drained) break;
    if (clock.now >= scenario.endMaxMs * MS) break;
  }
  return settled(machine);
}

/** Stands between the machine and its observer, and passes everything on. */
function watch(machine: Machine, { onEvent, withoutMemory }: RecordOptions): RunRecord {
  const { observer, clock, boards, shelf, scenario } = machine;
  const record: RunRecord = {
    machine,
    scenario,
    result: null as unknown as RunResult,
    events: [],
    commands: [],
    headers: [],
    holders: [],
    failedAt: NaN,
    memory: null,
  };
  let n = 0;
  const next = (): Entry => ({ n: n++, at: clock.now });
  const headerOf = (disk: number): Header | null =>
    readHeaders(reader(shelf.disks[disk]!.medium), L.COREDUMP_LBA).newest;
  for (const { number } of shelf.disks) {
    record.headers.push({ ...next(), disk: number, by: null, header: headerOf(number) });
    record.holders.push({ ...next(), disk: number, ...holderOf(machine, number) });
  }

  const event = observer.event.bind(observer);
  observer.event = (board, code, a, b, c) => {
    const seen = { ...next(), name: eventName(code), board, a, b, c };
    record.events.push(seen);
    if (code === F.EV_FROZEN && withoutMemory !== true) record.memory ??= boards[board].ram()!.slice();
    event(board, code, a, b, c);
    onEvent?.(seen, machine);
  };
  const wrote = observer.wrote.bind(observer);
  observer.wrote = (disk, nexus, lba, blocks) => {
    wrote(disk, nexus, lba, blocks);
    if (!meetsHeader(lba, blocks)) return;
    record.headers.push({ ...next(), disk, by: boardOf(nexus) as BoardIndex, header: headerOf(disk) });
  };
  const reserved = observer.reserved.bind(observer);
  observer.reserved = (disk, task) => {
    reserved(disk, task);
    if (task.status === 0) record.holders.push({ ...next(), disk, ...holderOf(machine, disk) });
  };
  const ended = observer.ended.bind(observer);
  observer.ended = (disk, task) => {
    ended(disk, task);
    record.commands.push({ ...next(), disk, ...commandOf(task, () => headerOf(disk)) });
  };
  return record;
}

const meetsHeader = (lba: number, blocks: number): boolean =>
  lba < HEADER_END && lba + blocks > L.COREDUMP_LBA;

function commandOf(task: Task, header: () => Header | null): Omit<SeenCommand, 'n' | 'at' | 'disk'> {
  const { cdb, action, status, lba, blocks } = task;
  const isReserve = cdb[0] === OPCODE_RESERVE_OUT;
  const kind =
    action === L.ACTION_READ
      ? 'read'
      : action === L.ACTION_WRITE
        ? 'write'
        : isReserve
          ? 'reserve-out'
          : 'other';
  const readsHeader = kind === 'read' && status === 0 && meetsHeader(lba, blocks);
  return {
    board: boardOf(task.nexus) as BoardIndex,
    kind,
    status,
    lba,
    blocks,
    action: isReserve ? cdb[1]! & 0x1f : 0,
    type: isReserve ? cdb[2]! & 0xf : 0,
    scope: isReserve ? cdb[2]! >> 4 : 0,
    attribute: readsHeader ? (header()?.attribute ?? null) : null,
  };
}

/** As the disk's device server has it. */
export function holderOf({ shelf }: Machine, disk: number): Omit<SeenHolder, 'n' | 'at' | 'disk'> {
  const { servers } = shelf;
  const key = servers.holderKey(disk); // leaves the whole answer of lu_reservation there
  const view = new DataView(servers.memory.buffer, servers.dataIn, L.LU_RESERVATION_BYTES);
  const board = SYSTEM_IDS.indexOf(Number(key >> 32n));
  return {
    holder: board < 0 ? null : (board as BoardIndex),
    epoch: Number(key & 0xffff_ffffn),
    type: view.getUint32(L.LU_RESERVATION_TYPE_AT, true),
    scope: view.getUint32(L.LU_RESERVATION_SCOPE_AT, true),
  };
}

export interface Sent {
  task: Task;
  status: () => number | 'lost' | 'under way';
}

export interface Target {
  board: BoardIndex;
  port?: number;
  disk: number;
}

/** A command that no firmware sends: a test puts it on the fabric by hand, and may look later what became of it. */
export function sendCommand(
  machine: Machine,
  { board, port = 0, disk }: Target,
  cdb: Uint8Array,
  data: Uint8Array,
): Sent {
  let status: number | 'lost' | 'under way' = 'under way';
  const task: Task = {
    nexus: nexusOf(board, port),
    disk,
    cdb,
    memory: data,
    list: [0, data.length],
    bytes: data.length,
    tag: 0,
    initiator: { completed: (done) => (status = done.status), lost: () => (status = 'lost') },
    orphan: false,
    state: 'queued',
    action: L.ACTION_NONE,
    lba: 0,
    blocks: 0,
    flags: 0,
    extents: [],
    moved: 0,
    status: 0,
    residual: 0,
    sense: null,
    reply: null,
  };
  machine.shelf.fabric.send(task);
  return { task, status: () => status };
}

export function sendWrite(machine: Machine, to: Target, lba: number, data: Uint8Array): Sent {
  const cdb = new Uint8Array(16);
  const view = new DataView(cdb.buffer);
  cdb[0] = 0x8a; // WRITE(16)
  view.setBigUint64(2, BigInt(lba));
  view.setUint32(10, data.length / L.SECTOR_BYTES);
  return sendCommand(machine, to, cdb, data);
}

/** A PERSISTENT RESERVE OUT in the name of `board` in its boot epoch `epoch`. */
export function sendReserve(
  machine: Machine,
  to: Target & { epoch?: number },
  action: number,
  victim: { board: BoardIndex; epoch: number } | null,
): Sent {
  const list = new Uint8Array(24);
  const view = new DataView(list.buffer);
  const key = (board: BoardIndex, epoch: number): bigint =>
    (BigInt(SYSTEM_IDS[board]) << 32n) | BigInt(epoch);
  view.setBigUint64(0, key(to.board, to.epoch ?? 1));
  if (victim !== null) view.setBigUint64(8, key(victim.board, victim.epoch));
  const cdb = Uint8Array.of(OPCODE_RESERVE_OUT, action, WRITE_EXCLUSIVE, 0, 0, 0, 0, 0, 24, 0);
  return sendCommand(machine, to, cdb, list);
}

// ----------------------------------------------------------------------------------------- questions to a record

export const disksOf = ({ scenario }: { scenario: Scenario }, owner: BoardName): number[] =>
  scenario.disks.flatMap((disk, number) => (disk.owner === owner ? [number] : []));

export const diskNamed = ({ scenario }: { scenario: Scenario }, name: string): number => {
  const number = scenario.disks.findIndex((disk) => disk.name === name);
  if (number < 0) throw new Error(`no disk ${name}`);
  return number;
};

export const configOf = ({ scenario }: { scenario: Scenario }, disk: number): DiskConfig =>
  scenario.disks[disk]!;

/** The first event of that name, which must be there. */
export function firstEvent(
  { events }: RunRecord,
  name: string,
  fits: (event: SeenEvent) => boolean = () => true,
): SeenEvent {
  const found = events.find((event) => event.name === name && fits(event));
  if (found === undefined) throw new Error(`no event ${name}`);
  return found;
}

export const hasEvent = (
  { events }: RunRecord,
  name: string,
  fits: (event: SeenEvent) => boolean = () => true,
): boolean => events.some((event) => event.name === name && fits(event));

/** Attributes that the header of a disk showed, one after the other. */
export function attributesOf({ headers }: RunRecord, disk: number): (number | null)[] {
  const all = headers.filter((each) => each.disk === disk).map(({ header }) => header?.attribute ?? null);
  return all.filter((attribute, i) => i === 0 || attribute !== all[i - 1]);
}

/** Milliseconds from the failure to then. */
export const msAfterFailure = ({ failedAt }: RunRecord, { at }: { at: number }): number =>
  (at - failedAt) / 1e6;

/** Writes of a board to the data region of a disk, that succeeded. */
export const dataWrites = ({ commands }: RunRecord, disk: number, board: BoardIndex): SeenCommand[] =>
  commands.filter(
    (c) =>
      c.disk === disk && c.board === board && c.kind === 'write' && c.status === 0 && c.lba >= L.DATA_LBA,
  );

/** The root file system of a board, as any reader of exFAT finds it on the medium. */
export function rootVolume({ machine, scenario }: RunRecord, owner: BoardName): Exfat {
  const root = scenario.disks.findIndex((disk) => disk.role === 'root' && disk.owner === owner);
  const { medium } = machine.shelf.disks[root]!;
  const read = reader(medium);
  const base = L.DATA_LBA * L.SECTOR_BYTES;
  return new Exfat(
    (at, bytes) => read(base + at, bytes),
    medium.bytes - base - L.TAIL_BLOCKS * L.SECTOR_BYTES,
  );
}

/** The only core file there, read from the file system. */
export function coreOf(record: RunRecord, owner: BoardName): CoreFile {
  const volume = rootVolume(record, owner);
  const files = volume.list('/cores');
  if (files.length !== 1) throw new Error(`${files.length} core files`);
  const bytes = Buffer.concat([...volume.read(files[0]!.path)]);
  return new CoreFile((at, count) => bytes.subarray(at, at + count), bytes.length);
}

// ------------------------------------------------------------------------------------------------------ scenarios

type Yaml = Readonly<Record<string, unknown>>;

/** A small pair in the words of a scenario file (JSON is YAML): two data disks of A, two spares, and what differs. */
export function smallPair(differs: {
  boards?: Yaml;
  disks?: readonly Yaml[];
  workload?: Yaml;
  events?: readonly Yaml[];
  more?: Yaml;
}): Scenario {
  const disks = differs.disks ?? [
    { role: 'mailbox' },
    { role: 'root', owner: 'a' },
    { role: 'data', owner: 'a', count: 3, size_mib: 64 },
    { role: 'spare', owner: 'a', count: 2 },
    { role: 'root', owner: 'b' },
    { role: 'data', owner: 'b', size_mib: 64 },
    { role: 'spare', owner: 'b' },
  ];
  const scenario = {
    title: 'of a test',
    end_s: 1.2,
    boards: { memory_mib: 16, post_ms: 50, ...differs.boards },
    disks,
    workload: { working_set_mib: 4, ...differs.workload },
    events: differs.events ?? [{ at_s: 0.6, do: 'trap', board: 'a' }],
    ...differs.more,
  };
  return parseScenario(JSON.stringify(scenario), 'test.yaml');
}
