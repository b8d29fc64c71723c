// What a run was, for a person: the answer first, then what it rests on.
import type { RunResult, TakeReason, TakenDisk } from '../../boards/result.ts';
import { breakdown } from './breakdown.ts';
import { bytes, count, plural, ranges, rate, seconds, table, wrap } from './format.ts';
import { type Look, paint } from './look.ts';

export interface SummaryOptions {
  look: Look;
  /** Every disk and every step. */
  verbose: boolean;
  /** The command that does the same run again. */
  repeat: string;
}

type Block = [label: string, lines: string[]];

export const isGood = ({ settled, invariants }: RunResult): boolean =>
  settled && invariants.violations.length === 0;

export function summary(result: RunResult, options: SummaryOptions): string[] {
  const { look, verbose } = options;
  const blocks: Block[] = [
    ['failure', failureLines(result)],
    ['takeover', takeoverLines(result)],
    ['outage', outageLines(result)],
    ['disks', diskLines(result.takeover.disks, verbose)],
    ['dump', dumpLines(result)],
    ['core', coreLines(result)],
    ['giveback', givebackLines(result)],
    ['clients', clientLines(result)],
    ['where the time went', breakdown(result, verbose)],
    ['invariants', invariantLines(result, verbose)],
    ['run', runLines(result, options.repeat)],
  ];
  return [...verdict(result, look), '', ...blocks.flatMap(([label, lines]) => block(look, label, lines))];
}

const LABEL = 11;

/** A long label stands above its lines. */
function block(look: Look, label: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const indent = ' '.repeat(LABEL);
  const wrapped = lines.flatMap((line) => wrap(line, look.columns() - LABEL));
  if (label.length >= LABEL)
    return [paint(look, 'bold', label), ...wrapped.map((line) => `${indent}${line}`)];
  return wrapped.map((line, at) => (at === 0 ? paint(look, 'bold', label.padEnd(LABEL)) : indent) + line);
}

function verdict(result: RunResult, look: Look): string[] {
  if (!isGood(result)) {
    const { violations } = result.invariants;
    return [
      ...violations.map((violation) => paint(look, 'red', `VIOLATED: ${violation}`)),
      ...(result.settled
        ? []
        : [paint(look, 'red', 'NOT SETTLED: the run ended before everything was as it must be')]),
    ];
  }
  return wrap(headline(result), look.columns()).map((line) => paint(look, 'green', line));
}

function headline({ failed_board: board, outage_s: outage, dump, clients }: RunResult): string {
  if (board === null) return 'No board failed, and no disk changed hands.';
  const lost = `${clients.writes_lost === 0 ? 'No' : count(clients.writes_lost)} acknowledged write was lost`;
  if (outage === null) return `Board ${board} failed. ${lost}.`;
  const served = `Board ${board} failed, and clients were served again after ${seconds(outage)}`;
  if (dump.ended_s === null || dump.started_s === null) return `${served}. ${lost}.`;
  const order =
    outage < dump.ended_s
      ? `, ${seconds(dump.ended_s - outage)} before its memory dump had ended`
      : `, ${seconds(outage - dump.ended_s)} after its memory dump had ended`;
  return `${served}${order}. ${lost}.`;
}

function failureLines({ failed_board: board, failure_s: at, panic }: RunResult): string[] {
  if (board === null || at === null) return ['none'];
  const lines = [
    `board ${board}, ${seconds(at)} after power-on: ${panic?.reason ?? 'stopped without a panic'}`,
  ];
  if (panic?.text) lines.push(`"${panic.text}"`);
  if (panic?.place) lines.push(/:\d/.test(panic.place) ? `at ${panic.place}` : panic.place);
  return lines;
}

const SEEN = {
  message: 'by its panic message over the interconnect',
  silence: 'by silence on the interconnect and on the mailbox disk',
  mailbox: 'by its slot on the mailbox disk',
} as const;

function takeoverLines({ failed_board: board, takeover }: RunResult): string[] {
  if (takeover.detected_s === null || board === null) return ['none'];
  const seen = takeover.seen_by === null ? '' : `, ${SEEN[takeover.seen_by]}`;
  const waited = takeover.policy === 'sequential' ? ', having waited for the dump' : '';
  const served =
    takeover.service_s === null
      ? []
      : [`and served all of board ${board}'s volumes after ${seconds(takeover.service_s)}${waited}`];
  return [`board ${board === 'a' ? 'b' : 'a'} knew after ${seconds(takeover.detected_s)}${seen}`, ...served];
}

function outageLines({ outage_s: outage, takeover }: RunResult): string[] {
  if (takeover.detected_s === null && outage === null) return [];
  if (outage === null) return ['service did not come back'];
  const ready = takeover.service_s;
  const volumes = takeover.disks.filter(({ role, taken_s: at }) => role === 'data' && at !== null).length;
  const rest = ready === null ? 0 : outage - ready;
  return [
    `${seconds(outage)} until a client was served again on the last of ${plural(volumes, 'volume')}`,
    ...(rest < 0.001
      ? []
      : [`${seconds(rest)} of it after the partner was ready, until the last client had tried again`]),
  ];
}

/** The coredump attribute that was read on the disk decides. */
const WHY: Readonly<Record<TakeReason, string>> = {
  inactive: 'inactive: no dump on it',
  completed: 'completed: the dump was done',
  aborted: 'aborted: the dump was given up',
  limit: 'limit: the time of the dump was up',
};

interface DiskGroup {
  names: string[];
  role: string;
  reason: TakeReason | null;
  from: number | null;
  to: number | null;
}

/** Disks of one role and one reason stand in one line. */
function diskLines(disks: readonly TakenDisk[], all: boolean): string[] {
  if (disks.every(({ taken_s: at }) => at === null)) return [];
  const groups: DiskGroup[] = [];
  for (const { name, role, taken_s: at, reason } of disks) {
    const last = all ? undefined : groups.find((group) => group.role === role && group.reason === reason);
    if (last === undefined) groups.push({ names: [name], role, reason, from: at, to: at });
    else {
      last.names.push(name);
      if (at !== null) {
        last.from = Math.min(last.from ?? at, at);
        last.to = Math.max(last.to ?? at, at);
      }
    }
  }
  const rows = groups.map(({ names, role, reason, from, to }) => {
    const when =
      from === to || from === null || to === null ? seconds(from) : `${seconds(from)} to ${seconds(to)}`;
    return [ranges(names), role, when, reason === null ? '-' : WHY[reason]];
  });
  return table([['disk', 'role', 'changed hands after', 'why'], ...rows]);
}

function dumpLines({ dump, panic, failed_board: board }: RunResult): string[] {
  if (dump.disk === null || dump.started_s === null) {
    if (board === null) return [];
    return [panic === null ? 'none: the panic handler never ran' : 'none: there was no disk for it'];
  }
  const { total, zero, stored, lost } = dump.chunks;
  const cause = dump.cause === null ? '' : ` (${dump.cause})`;
  const ended =
    dump.ended_s === null
      ? 'did not end'
      : `${seconds(dump.started_s)} to ${seconds(dump.ended_s)}, limit ${seconds(dump.limit_s)}`;
  const missing = total - zero - stored - lost;
  const lines = [
    `${dump.attribute === 'dumping' ? 'cut off while dumping' : (dump.attribute ?? 'unknown')}${cause} on ${dump.disk}: ${ended}`,
    `${bytes(dump.memory_bytes)} of memory, ${bytes(dump.stored_bytes)} written: ${plural(total, 'chunk')} = ` +
      `${count(stored)} stored + ${count(zero)} zero + ${count(lost)} lost` +
      (missing > 0 ? ` + ${count(missing)} not reached` : ''),
  ];
  if (dump.ended_s !== null) {
    const time = dump.ended_s - dump.started_s;
    const share = total > 0 ? (stored + zero) / total : 0;
    lines.push(
      `${rate(dump.memory_bytes * share, time)} of memory, ${rate(dump.stored_bytes, time)} to the disk, in board time`,
    );
  }
  if (dump.verified === true && stored + zero > 0)
    lines.push('compared with the memory at the panic, byte by byte: exact');
  if (dump.verified === false) lines.push('compared with the memory at the panic, byte by byte: NOT EXACT');
  return lines;
}

function coreLines({ core, dump, steps }: RunResult): string[] {
  if (core === null) {
    const why = steps
      .find(({ what }) => what.startsWith('no core file: '))
      ?.what.slice('no core file: '.length);
    return dump.started_s === null ? [] : [why === undefined ? 'none' : `none: ${why}`];
  }
  return [
    `${core.path}, ${bytes(core.bytes)}, in the failed board's root file system after ${seconds(core.saved_s)}`,
    `sha256 ${core.sha256}`,
  ];
}

function givebackLines({ giveback }: RunResult): string[] {
  if (giveback === null) return [];
  const ended =
    giveback.ended_s === null ? 'and did not end' : `and ended after ${seconds(giveback.ended_s)}`;
  return [`began after ${seconds(giveback.began_s)} ${ended}`];
}

function clientLines({ clients }: RunResult): string[] {
  return [
    `${count(clients.writes_acked)} writes acknowledged, ${count(clients.writes_lost)} lost; ` +
      `${count(clients.reads)} reads, ${count(clients.wrong_reads)} wrong`,
    `${count(clients.timed_out)} timed out; longest wait ${seconds(clients.longest_wait_s)}`,
  ];
}

function invariantLines({ invariants }: RunResult, verbose: boolean): string[] {
  const { checked, each, violations } = invariants;
  const held = violations.length === 0 ? 'all held' : `${violations.length} violations`;
  const head = `${held}: ${plural(checked, 'check')} of ${plural(each.length, 'invariant')}`;
  if (!verbose && violations.length === 0) {
    return [`${head} (${each.map(({ number, checks: n }) => `${number}: ${count(n)}`).join(', ')})`];
  }
  return [
    head,
    ...table(
      each.map(({ number, what, checks: n }) => [String(number), count(n), what]),
      [0, 1],
    ),
  ];
}

function runLines(result: RunResult, repeat: string): string[] {
  const { run, skipped, overruns } = result.cycles;
  return [
    `${seconds(result.virtual_s)} of board time in ${seconds(result.host_s)}; ` +
      `${plural(run, 'cycle')} run, ${count(skipped)} idle ones skipped, ${count(overruns)} overrun`,
    `digest ${result.digest}`,
    `again: ${repeat}`,
  ];
}
