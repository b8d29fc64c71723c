/** The result of a run, out of the trace and the machine at its end. */
import { createHash } from 'node:crypto';
import * as L from '../../asm/layout.ts';
import * as F from '../../firmware/layout.ts';
import { CoreFile } from '../core/core-file.ts';
import { containedImage } from '../core/container.ts';
import { Exfat } from '../core/exfat.ts';
import { Malformed } from '../core/source.ts';
import type { Machine } from '../machine.ts';
import type { RunResult, Step, TakenDisk } from '../result.ts';
import { INVARIANTS } from './invariants.ts';
import { type CheckedDump, reader } from './observer.ts';
import { attributeName } from './progress.ts';
import { ABORT_CAUSES, PANIC_REASONS, TAKE_REASONS, stepText } from './steps.ts';
import type { TraceEvent } from './trace.ts';

const SEEN = ['message', 'silence', 'mailbox'] as const;

export function resultOf(machine: Machine, seed: string, settled: boolean): RunResult {
  const { scenario, clock, observer, clients, boards } = machine;
  const { events } = observer.trace;
  const failure = observer.firstFailure;
  const since = (time: number): number => (time - (failure?.at ?? 0)) / 1e9;
  const partner = failure === null ? null : failure.board ^ 1;
  const first = (code: number, board: number | null): TraceEvent | undefined =>
    failure === null
      ? undefined
      : events.find((e) => e.code === code && e.time >= failure.at && (board === null || e.board === board));
  const at = (event: TraceEvent | undefined): number | null =>
    event === undefined ? null : since(event.time);
  const lost = first(F.EV_LOST, partner);
  const sum = (of: (client: (typeof clients)[number]) => number): number =>
    clients.reduce((n, client) => n + of(client), 0);
  const gaveBack = first(F.EV_GIVEBACK_BEGIN, partner);
  return {
    seed,
    digest: observer.trace.digest(),
    virtual_s: clock.now / 1e9,
    host_s: 0,
    memory_bytes: boards[0].memoryBytes,
    scenario: scenario.name,
    failure_s: failure === null ? null : failure.at / 1e9,
    failed_board: failure === null ? null : failure.board === 0 ? 'a' : 'b',
    panic: panicOf(machine),
    outage_s: outageOf(machine),
    takeover: {
      policy: scenario.policy,
      detected_s: at(lost),
      seen_by: lost === undefined ? null : (SEEN[lost.a - 1] ?? null),
      service_s: at(first(F.EV_SERVICE, partner)),
      disks: failure === null ? [] : takenDisks(machine, failure.board, since),
    },
    dump: dumpOf(machine, since),
    core: coreOf(machine, since),
    giveback:
      gaveBack === undefined
        ? null
        : { began_s: since(gaveBack.time), ended_s: at(first(F.EV_GIVEBACK_END, partner)) },
    clients: {
      writes_acked: sum((client) => client.writesAcked),
      writes_lost: sum((client) => client.writesLost),
      reads: sum((client) => client.reads),
      wrong_reads: sum((client) => client.wrongReads),
      timed_out: sum((client) => client.timedOut),
      longest_wait_s: clients.reduce((most, client) => Math.max(most, client.longestNs), 0) / 1e9,
    },
    invariants: {
      checked: observer.invariants.checks.reduce((all, checks) => all + checks, 0),
      each: INVARIANTS.map((what, i) => ({ number: i + 1, what, checks: observer.invariants.checks[i]! })),
      violations: observer.invariants.violations,
    },
    cycles: {
      run: boards[0].cycles + boards[1].cycles,
      skipped: boards[0].skipped + boards[1].skipped,
      overruns: boards[0].overruns + boards[1].overruns,
    },
    steps: failure === null ? [] : stepsOf(machine, failure.at, since),
    settled,
  };
}

/** From the record in memory, as the board that panicked left it; read when memory was frozen. */
function panicOf({ observer }: Machine): RunResult['panic'] {
  const panic = observer.trace.events.find(({ code }) => code === F.EV_PANIC);
  if (panic === undefined) return null;
  const record = observer.record;
  return {
    reason: PANIC_REASONS[panic.a] ?? `reason ${panic.a}`,
    place: record?.place ?? null,
    text: record?.text ?? null,
  };
}

/** Until a client was served again on the last of the failed board's volumes. */
function outageOf({ scenario, observer, clients }: Machine): number | null {
  const failure = observer.firstFailure;
  if (failure === null) return null;
  const name = failure.board === 0 ? 'a' : 'b';
  let last = 0;
  for (const disk of scenario.disks) {
    if (disk.volume === null || disk.owner !== name) continue;
    if (!clients.some((client) => client.options.volume === disk.volume)) continue;
    const served = observer.servedAfter.get(disk.volume);
    if (served === undefined) return null;
    last = Math.max(last, served - failure.at);
  }
  return last === 0 ? null : last / 1e9;
}

function takenDisks(
  { scenario, observer }: Machine,
  failed: number,
  since: (time: number) => number,
): TakenDisk[] {
  const name = failed === 0 ? 'a' : 'b';
  return scenario.disks.flatMap((disk, number): TakenDisk[] => {
    if (disk.owner !== name) return [];
    // Lent back for the dump and taken again: the last time counts.
    const taken = observer.trace.events.findLast(
      ({ code, a, board }) => code === F.EV_TAKEN && a === number && board !== failed,
    );
    const entry = { name: disk.name, role: disk.role };
    if (taken === undefined) return [{ ...entry, taken_s: null, reason: null }];
    return [{ ...entry, taken_s: since(taken.time), reason: TAKE_REASONS[taken.b] ?? null }];
  });
}

function dumpOf({ scenario, observer, boards }: Machine, since: (time: number) => number): RunResult['dump'] {
  const { events } = observer.trace;
  const begin = events.findLast(({ code }) => code === F.EV_DUMP_BEGIN);
  const end =
    begin &&
    events.findLast(({ code, a, board }) => code === F.EV_DUMP_END && a === begin.a && board === begin.board);
  const report = observer.dump?.report;
  const total = boards[0].memoryBytes / L.CHUNK_BYTES;
  const attribute = report?.attribute ?? end?.b ?? L.ATTRIBUTE_DUMPING;
  return {
    disk: begin === undefined ? null : scenario.disks[begin.a]!.name,
    attribute: begin === undefined ? null : attributeName(attribute),
    cause: report === undefined ? null : (ABORT_CAUSES[report.abort] ?? null),
    started_s: begin === undefined ? null : since(begin.time),
    ended_s: end === undefined ? null : since(end.time),
    limit_s: scenario.boards.dumpLimitMs / 1000,
    memory_bytes: boards[0].memoryBytes,
    stored_bytes: report?.storedBytes ?? 0,
    chunks: {
      total,
      zero: report?.zero ?? 0,
      stored: report?.stored ?? 0,
      lost: report === undefined ? 0 : report.lost + report.missing,
      poisoned: report?.poisoned ?? 0,
      poisoned_pages: report?.poisonedPages ?? 0,
    },
    // What is encrypted only the owner of the private key can compare.
    verified: report === undefined || report.sealed > 0 ? null : report.wrong.length === 0,
  };
}

/** The file as any reader of exFAT finds it on the root disk of the board that failed. */
function coreOf(machine: Machine, since: (time: number) => number): RunResult['core'] {
  const { scenario, observer, shelf } = machine;
  const saved = observer.trace.events.findLast(({ code, a }) => code === F.EV_SAVE_END && a === 1);
  const began =
    saved &&
    observer.trace.events.findLast(
      (e) => e.code === F.EV_SAVE_BEGIN && e.board === saved.board && e.time <= saved.time,
    );
  const dump = began && observer.dumps.findLast(({ disk }) => disk === began.a);
  if (saved === undefined || dump === undefined) return null;
  const owner = dump.board === 0 ? 'a' : 'b';
  const root = scenario.disks.findIndex((disk) => disk.role === 'root' && disk.owner === owner);
  const { medium, config } = shelf.disks[root]!;
  const base = L.DATA_LBA * L.SECTOR_BYTES;
  const read = reader(medium);
  try {
    const volume = new Exfat(
      (at, bytes) => read(base + at, bytes),
      medium.bytes - base - L.TAIL_BLOCKS * L.SECTOR_BYTES,
    );
    // The one whose first block savecore named: there may be older cores.
    const begins = (path: string): number => base + (volume.extents(path)[0]?.at ?? 0);
    const file = volume.list('/cores').find(({ path }) => (begins(path) / L.SECTOR_BYTES) >>> 0 === saved.b);
    if (file === undefined) throw new Malformed('exFAT volume', base, 'the core file is not in /cores');
    const hash = createHash('sha256');
    for (const piece of volume.read(file.path)) hash.update(piece);
    if (file.name.endsWith('.enc')) checkContainer(machine, dump, begins(file.path), file.bytes);
    else checkCore(machine, dump, begins(file.path), file.bytes);
    return {
      path: `${config.name}:${file.path}`,
      bytes: file.bytes,
      sha256: hash.digest('hex'),
      saved_s: since(saved.time),
    };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    observer.invariants.check(7, false, () => `the root volume of board ${owner}: ${error.message}`);
    return null;
  }
}

/** The container holds as many encrypted chunks as the dump. */
function checkContainer(
  { observer, scenario, shelf }: Machine,
  { board, report }: CheckedDump,
  at: number,
  bytes: number,
): void {
  const root = scenario.disks.findIndex((disk) => disk.role === 'root' && disk.owner === 'ab'[board]);
  const whole = reader(shelf.disks[root]!.medium);
  const image = containedImage(
    (offset, count) => whole(at + offset, Math.max(0, Math.min(count, bytes - offset))),
    bytes,
    null,
  );
  const sealed = image.count(L.MISSING_SEALED);
  observer.invariants.check(
    7,
    sealed === report.sealed && image.count(L.CODEC_ZERO) === report.zero,
    () => `the container has ${sealed} encrypted chunks of the ${report.sealed} dumped`,
  );
}

/** The core file holds what the dump holds, bit for bit as memory was. */
function checkCore(
  { observer, scenario, shelf }: Machine,
  dump: CheckedDump,
  at: number,
  bytes: number,
): void {
  const { board, report, memory } = dump;
  const root = scenario.disks.findIndex((disk) => disk.role === 'root' && disk.owner === 'ab'[board]);
  const whole = reader(shelf.disks[root]!.medium);
  const read = (offset: number, count: number): Uint8Array =>
    whole(at + offset, Math.max(0, Math.min(count, bytes - offset)));
  const { present, wrong } = memory.compareCore(new CoreFile(read, bytes), read);
  observer.invariants.check(
    4,
    wrong.length === 0,
    () => `the core file has chunks not as they were: ${wrong.slice(0, 8).join(' ')}`,
  );
  const dumped = report.zero + report.stored;
  observer.invariants.check(
    7,
    present === dumped,
    () => `the core file has ${present} chunks of the ${dumped} dumped`,
  );
}

/** Every step from the failure on that a person wants to see. */
function stepsOf({ scenario, observer }: Machine, failedAt: number, since: (time: number) => number): Step[] {
  const steps: (Step & { time: number })[] = [];
  for (const event of observer.trace.events) {
    if (event.time < failedAt) continue;
    const what = stepText(scenario, event);
    if (what !== null)
      steps.push({ time: event.time, at_s: since(event.time), board: event.board === 0 ? 'a' : 'b', what });
  }
  for (const { board, at, why } of observer.losses) {
    const what = `is lost: ${why}`;
    if (at >= failedAt) steps.push({ time: at, at_s: since(at), board: board === 0 ? 'a' : 'b', what });
  }
  for (const [volume, time] of observer.servedAfter) {
    steps.push({
      time,
      at_s: since(time),
      board: null,
      what: `a client of volume ${volume} is served again`,
    });
  }
  return steps.toSorted((x, y) => x.time - y.time).map(({ at_s, board, what }) => ({ at_s, board, what }));
}
