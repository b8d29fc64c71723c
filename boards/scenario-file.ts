// A scenario from a YAML file: read, checked against the schema, checked for sense, and spelled out.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LineCounter, isMap, isScalar, parseDocument, type Document } from 'yaml';
import { publicKeyOf, rawPublicKey } from './core/key.ts';
import { EXIT_BAD_SCENARIO, InputError } from './input-error.ts';
import { nearest } from './nearest.ts';
import { EVENT_NAMES } from './observer/events.ts';
import type { EventConfig, Scenario } from './scenario.ts';
import { scenarioProblems, type Path, type Problem } from './scenario-check.ts';
import { SCENARIO, type ScenarioInput } from './scenario-schema.ts';
import { expandDisks, type NamedDisk } from './scenario-shelf.ts';
import { schemaProblems } from './scenario-words.ts';

const BYTES_MAX = 1 << 20;

/** The scenarios that come with sparecore, also when this file runs compiled. */
const SHIPPED = ((): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'boards/scenarios');
})();

/** Names that loadScenario knows. */
export function shippedScenarios(): string[] {
  const names = readdirSync(SHIPPED)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'));
  const first = ['standard', 'small'].filter((name) => names.includes(name));
  return [...first, ...names.filter((name) => !first.includes(name)).toSorted()];
}

/** A shipped scenario by its name, or any by the path of its file. */
export function loadScenario(nameOrPath: string): Scenario {
  const shipped = join(SHIPPED, `${nameOrPath}.yaml`);
  if (/^[a-z0-9-]+$/.test(nameOrPath) && existsSync(shipped)) {
    return parseScenario(readFileSync(shipped, 'utf8'), shipped);
  }
  return parseScenario(readText(nameOrPath), nameOrPath);
}

function readText(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    const near = nearest(path, shippedScenarios());
    const hint =
      near === null ? 'sparecore scenarios lists those that come with it' : `did you mean ${near}?`;
    throw new InputError(`${path}: no such scenario or file: ${hint}`, EXIT_BAD_SCENARIO);
  }
  if (!stat.isFile()) throw new InputError(`${path}: is not a file`, EXIT_BAD_SCENARIO);
  if (stat.size > BYTES_MAX) {
    throw new InputError(`${path}: ${stat.size} bytes are too many for a scenario`, EXIT_BAD_SCENARIO);
  }
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InputError(`${path}: cannot be read: ${(error as Error).message}`, EXIT_BAD_SCENARIO);
  }
}

/** `path` is for messages, for the default name, and for what the scenario names relative to it. */
export function parseScenario(text: string, path: string): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const fail = (found: { line: number; col: number; what: string }[]): never => {
    const sorted = found.toSorted((one, other) => one.line - other.line || one.col - other.col);
    throw new InputError(
      sorted.map(({ line, col, what }) => `${path}:${line}:${col}: ${what}`).join('\n'),
      EXIT_BAD_SCENARIO,
    );
  };
  if (document.errors.length > 0) {
    fail(
      document.errors.map(({ pos, message }) => ({
        ...lines.linePos(pos[0]),
        what: message.split('\n')[0] ?? '',
      })),
    );
  }
  const raw = plain(document);
  if (raw instanceof Error) fail([{ line: 1, col: 1, what: raw.message }]);
  const parsed = SCENARIO.safeParse(raw);
  const locate = ({ path: at, what, isKey }: Problem): { line: number; col: number; what: string } => {
    const { line, col } = lines.linePos(offsetOf(document, at, isKey === true));
    return {
      line: Math.max(line, 1),
      col: Math.max(col, 1),
      what: at.length === 0 ? what : `${pathText(at)}: ${what}`,
    };
  };
  if (!parsed.success) {
    return fail(parsed.error.issues.flatMap((issue) => schemaProblems(issue, raw)).map(locate));
  }
  const input = parsed.data;
  const disks = expandDisks(input);
  const source = input.workload.source === undefined ? null : resolve(dirname(path), input.workload.source);
  const dumpKey = dumpKeyOf(input.boards.dump_key, dirname(path));
  const problems = scenarioProblems(input, disks, { eventNames: EVENT_NAMES, source });
  if (dumpKey instanceof Error) problems.push({ path: ['boards', 'dump_key'], what: dumpKey.message });
  if (problems.length > 0) fail(problems.map(locate));
  return toScenario(input, disks, source, dumpKey as string | null, basename(path).replace(/\.ya?ml$/, ''));
}

/** Seeds do not fit the numbers of JavaScript: the digits as they are in the file. */
function plain(document: Document.Parsed): unknown {
  try {
    const raw: unknown = document.toJS();
    if (raw === null || raw === undefined) return new Error('is empty: a scenario needs title and disks');
    const seed = isMap(document.contents) ? document.contents.get('seed', true) : undefined;
    if (isScalar(seed) && typeof seed.value === 'number') {
      (raw as Record<string, unknown>)['seed'] = seed.source ?? String(seed.value);
    }
    return raw;
  } catch (error) {
    return new Error((error as Error).message); // aliases without end
  }
}

/** Where in the text: the value at the path, or the nearest thing around it that is there. */
function offsetOf(document: Document.Parsed, path: Path, isKey: boolean): number {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown =
      length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && key.value === path[length - 1]);
      const whole = length === path.length && !isKey;
      const node = whole && isScalar(pair?.value) ? pair.value : pair?.key;
      if (isScalar(node) && node.range) return node.range[0];
    }
    const node = document.getIn(path.slice(0, length), true) as
      { range?: [number, number, number] } | undefined;
    if (node?.range) return node.range[0];
  }
  return 0;
}

const pathText = (path: Path): string =>
  path.map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at === 0 ? '' : '.'}${part}`)).join('');

/** The key itself, or from a file. */
function dumpKeyOf(given: string | undefined, folder: string): string | Error | null {
  if (given === undefined) return null;
  const own = publicKeyOf(given);
  if (own !== null) return rawPublicKey(own).toString('hex');
  const file = resolve(folder, given);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
    return new Error(`${given} is neither 64 hexadecimal digits nor a file`);
  const key = publicKeyOf(readText(file));
  return key === null
    ? new Error(`${given} holds no X25519 public key: 64 hexadecimal digits or PEM`)
    : rawPublicKey(key).toString('hex');
}

const msOf = (seconds: number): number => Math.round(seconds * 1000);

function toScenario(
  input: ScenarioInput,
  disks: readonly NamedDisk[],
  source: string | null,
  dumpKey: string | null,
  name: string,
): Scenario {
  const { boards, workload } = input;
  return {
    name: input.name ?? name,
    title: input.title,
    seed: BigInt(input.seed).toString(),
    policy: input.takeover,
    endMs: msOf(input.end_s),
    endMaxMs: msOf(input.end_max_s ?? input.end_s + 60),
    boards: {
      memoryMib: boards.memory_mib,
      cpus: boards.cpus,
      cycleUs: boards.cycle_us,
      postMs: boards.post_ms,
      heartbeatMs: boards.heartbeat_ms,
      heartbeatLossMs: boards.heartbeat_loss_ms,
      watchdogMs: boards.watchdog_ms,
      dumpLimitMs: boards.dump_limit_ms,
      givebackMs: boards.giveback_ms === 'never' ? null : boards.giveback_ms,
      rebootAfterPanic: boards.reboot_after_panic,
      dumpRoomPercent: boards.dump_room_percent,
      rootFloorMib: boards.root_floor_mib,
      saveSharePercent: boards.save_share_percent,
      dumpCodec: boards.dump_codec,
      dumpKey,
      dumpOverwrite: boards.dump_overwrite,
      stopBoundMs: boards.stop_bound_ms,
    },
    disks: disks.map(({ disk }) => disk),
    clients: {
      perVolume: workload.per_volume,
      protocols: workload.protocols,
      writePercent: workload.write_percent,
      ioKib: workload.io_kib,
      thinkUs: workload.think_us,
      workingSetMib: workload.working_set_mib,
      source,
    },
    events: input.events.map((event) => eventOf(event)),
    leftover: input.leftover,
    interconnectUs: input.interconnect_us,
    networkUs: input.network_us,
    startUtc: input.start_utc,
  };
}

const eventOf = (event: ScenarioInput['events'][number]): EventConfig => ({
  atMs: event.at_s === undefined ? null : msOf(event.at_s),
  on: event.on ?? null,
  plusMs: event.plus_ms ?? 0,
  do: event.do,
  board: event.board ?? null,
  disk: event.disk ?? null,
  path: event.path ?? null,
  factor: event.factor ?? null,
});
