// What a schema cannot say: that the parts of a scenario fit each other.
import { statSync } from 'node:fs';
import { PATIENCE_S } from './clients/client.ts';
import type { ScenarioInput } from './scenario-schema.ts';
import { LAYOUT_MIB, rootMib, type NamedDisk } from './scenario-shelf.ts';
import { nearest } from './nearest.ts';

export type Path = readonly (string | number)[];

export interface Problem {
  path: Path;
  what: string;
  /** The key is wrong, not its value. */
  isKey?: boolean;
}

const DISKS_MAX = 64;

function* shelfProblems(input: ScenarioInput, disks: readonly NamedDisk[]): Generator<Problem> {
  for (const [index, group] of input.disks.entries()) {
    const path = ['disks', index];
    const ownerless = group.role === 'mailbox' || group.role === 'free';
    if (ownerless && group.owner !== undefined) {
      yield { path: [...path, 'owner'], what: `a ${group.role} disk belongs to no board: remove it` };
    }
    if (!ownerless && group.owner === undefined) {
      yield { path, what: `owner is missing: a ${group.role} disk belongs to board a or b` };
    }
    if (group.name !== undefined && group.count > 1) {
      yield { path: [...path, 'name'], what: `${group.count} disks cannot have one name` };
    }
    if (group.name?.startsWith('coredump-of-')) {
      yield { path: [...path, 'name'], what: 'coredump-of-... stands for the disk that a board dumps to' };
    }
    yield* sizeProblems(input, index, disks);
    yield* formatProblems(group, path);
  }
  const mailboxes = disks.filter(({ disk }) => disk.role === 'mailbox').length;
  if (mailboxes !== 1) {
    yield { path: ['disks'], what: `needs exactly one mailbox disk, has ${mailboxes}` };
  }
  for (const board of ['a', 'b'] as const) {
    const own = (role: string): number =>
      disks.filter(({ disk }) => disk.owner === board && disk.role === role).length;
    if (own('root') !== 1) {
      yield { path: ['disks'], what: `board ${board} needs exactly one root disk, has ${own('root')}` };
    }
    if (own('data') === 0) yield { path: ['disks'], what: `board ${board} needs at least one data disk` };
  }
  if (disks.length > DISKS_MAX) {
    yield { path: ['disks'], what: `the shelf holds at most ${DISKS_MAX} disks, not ${disks.length}` };
  }
  const seen = new Set<string>();
  for (const { disk, group } of disks) {
    if (seen.has(disk.name) && input.disks[group]?.count === 1) {
      yield { path: ['disks', group], what: `two disks have the name ${disk.name}` };
    }
    seen.add(disk.name);
  }
}

function* sizeProblems(input: ScenarioInput, index: number, disks: readonly NamedDisk[]): Generator<Problem> {
  const disk = disks.find(({ group }) => group === index)?.disk;
  if (disk === undefined) return;
  const { memory_mib: memory, root_floor_mib: floor } = input.boards;
  const path = ['disks', index, 'size_mib'];
  if (disk.role === 'root' && disk.sizeMib < rootMib(memory, floor)) {
    const need = rootMib(memory, floor);
    yield {
      path,
      what: `${disk.sizeMib} is too small for a root disk: a core of ${memory} MiB and ${floor} MiB left free need ${need}`,
    };
  }
  const set = input.workload.working_set_mib;
  if (disk.role === 'data' && disk.sizeMib < set + LAYOUT_MIB) {
    yield {
      path,
      what: `${disk.sizeMib} is too small for a data disk: workload.working_set_mib ${set} needs ${set + LAYOUT_MIB}`,
    };
  }
  // A spare may be too small: it is then not elected.
}

/** What only initiators that know of it can use, and the largest disk that a board's own format is for. */
const FREE_ONLY = ['block_bytes', 'protection', 'thin', 'write_protected'] as const;
const OWN_SIZE_MIB_MAX = 1 << 21;

function* formatProblems(group: ScenarioInput['disks'][number], path: Path): Generator<Problem> {
  if (group.role !== 'free') {
    for (const key of FREE_ONLY) {
      if (group[key] === undefined) continue;
      yield {
        path: [...path, key],
        what: `goes with role free only: boards use a ${group.role} disk as it is`,
      };
    }
  }
  const size = group.size_mib ?? 0;
  if (size > OWN_SIZE_MIB_MAX && group.role !== 'free') {
    yield {
      path: [...path, 'size_mib'],
      what: `${size} is more than ${OWN_SIZE_MIB_MAX}: only a free disk is larger`,
    };
  }
}

const BOARD_ACTIONS = new Set([
  'nmi',
  'trap',
  'assert',
  'hang',
  'memory-error',
  'stop-dump',
  'power-off',
  'power-on',
]);
const DISK_ACTIONS = new Set(['fail-disk', 'kill-disk', 'slow-disk', 'mend-disk']);
const PATH_ACTIONS = new Set(['cut-path', 'mend-path']);

function* eventProblems(
  input: ScenarioInput,
  names: ReadonlySet<string>,
  eventNames: readonly string[],
): Generator<Problem> {
  for (const [index, event] of input.events.entries()) {
    const path = ['events', index];
    const needs = {
      board: BOARD_ACTIONS.has(event.do) || PATH_ACTIONS.has(event.do),
      disk: DISK_ACTIONS.has(event.do) || PATH_ACTIONS.has(event.do),
      path: PATH_ACTIONS.has(event.do),
      factor: event.do === 'slow-disk',
    };
    for (const key of ['board', 'disk', 'path', 'factor'] as const) {
      if (needs[key] && event[key] === undefined) yield { path, what: `${event.do} needs ${key}` };
      if (!needs[key] && event[key] !== undefined) {
        yield { path: [...path, key], what: `${event.do} takes no ${key}` };
      }
    }
    if ((event.at_s === undefined) === (event.on === undefined)) {
      yield { path, what: 'needs either at_s or on' };
    }
    if (event.plus_ms !== undefined && event.on === undefined) {
      yield { path: [...path, 'plus_ms'], what: 'goes with on only: use at_s' };
    }
    if (event.on !== undefined && !eventNames.includes(event.on)) {
      yield { path: [...path, 'on'], what: unknown('trace event', event.on, eventNames) };
    }
    if (event.disk !== undefined && !names.has(event.disk) && !/^coredump-of-[ab]$/.test(event.disk)) {
      yield { path: [...path, 'disk'], what: unknown('disk', event.disk, [...names]) };
    }
    if (event.at_s !== undefined && event.at_s >= input.end_s) {
      yield { path: [...path, 'at_s'], what: `${event.at_s} is not before end_s ${input.end_s}` };
    }
  }
}

const unknown = (kind: string, name: string, known: readonly string[]): string => {
  const near = nearest(name, known);
  return `no ${kind} has the name ${name}${near === null ? '' : `: did you mean ${near}?`}`;
};

function* leftoverProblems(input: ScenarioInput, names: ReadonlySet<string>): Generator<Problem> {
  const held = new Set<string>();
  for (const [index, entry] of input.leftover.entries()) {
    const disks = entry.disks === 'all' ? [...names] : entry.disks;
    for (const [at, disk] of disks.entries()) {
      const path = ['leftover', index, 'disks', ...(entry.disks === 'all' ? [] : [at])];
      if (!names.has(disk)) yield { path, what: unknown('disk', disk, [...names]) };
      else if (held.has(disk)) {
        yield { path, what: `${disk} is reserved twice: a disk holds one reservation` };
        if (entry.disks === 'all') break;
      }
      held.add(disk);
    }
  }
}

function* timeProblems(input: ScenarioInput): Generator<Problem> {
  const { boards, workload } = input;
  if (input.end_max_s !== undefined && input.end_max_s < input.end_s) {
    yield { path: ['end_max_s'], what: `${input.end_max_s} is before end_s ${input.end_s}` };
  }
  if (boards.heartbeat_loss_ms < 2 * boards.heartbeat_ms) {
    yield {
      path: ['boards', 'heartbeat_loss_ms'],
      what: `must be at least two heartbeats (heartbeat_ms ${boards.heartbeat_ms}), not ${boards.heartbeat_loss_ms}`,
    };
  }
  if (boards.watchdog_ms * 1000 < 2 * boards.cycle_us) {
    yield {
      path: ['boards', 'watchdog_ms'],
      what: `must be at least two cycles (cycle_us ${boards.cycle_us})`,
    };
  }
  if (workload.per_volume === 0) return;
  const hasty = workload.protocols.toSorted((one, other) => PATIENCE_S[one] - PATIENCE_S[other])[0];
  if (hasty !== undefined && boards.dump_limit_ms >= PATIENCE_S[hasty] * 1000) {
    yield {
      path: ['boards', 'dump_limit_ms'],
      what: `${boards.dump_limit_ms} is not shorter than the patience of ${hasty} clients, ${PATIENCE_S[hasty] * 1000} ms`,
    };
  }
}

function* sourceProblems(source: string | null): Generator<Problem> {
  if (source === null) return;
  const stat = statSync(source, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) yield { path: ['workload', 'source'], what: `${source} is not a folder` };
}

/** Everything that does not fit; none when the scenario can run. */
export function scenarioProblems(
  input: ScenarioInput,
  disks: readonly NamedDisk[],
  { eventNames, source }: { eventNames: readonly string[]; source: string | null },
): Problem[] {
  const names = new Set(disks.map(({ disk }) => disk.name));
  const seed = String(input.seed);
  return [
    ...(isSeed(seed) ? [] : [{ path: ['seed'], what: SEED_RULE }]),
    ...timeProblems(input),
    ...shelfProblems(input, disks),
    ...sourceProblems(source),
    ...eventProblems(input, names, eventNames),
    ...leftoverProblems(input, names),
  ];
}

export const SEED_RULE = `must be a whole decimal number from 0 to ${2n ** 64n - 1n}`;
export const isSeed = (text: string): boolean => /^\d{1,20}$/.test(text) && BigInt(text) < 2n ** 64n;
