import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Progress, RunResult, Step, TakenDisk } from '../../boards/result.ts';
import { breakdown } from './breakdown.ts';
import { comparison } from './comparison.ts';
import { bytes, count, fit, ranges, rate, seconds, table, wrap } from './format.ts';
import { LiveView } from './live.ts';
import { type Look, PLAIN, lookOf } from './look.ts';
import { loadScenario } from '../../boards/scenario-file.ts';
import { plan, withEvents } from './plan.ts';
import { stepLines } from './steps.ts';
import { isGood, summary } from './summary.ts';

const disk = (name: string, role: TakenDisk['role'], at: number | null): TakenDisk => ({
  name,
  role,
  taken_s: at,
  reason: at === null ? null : name === 'a.spare.0' ? 'completed' : 'inactive',
});

const STEPS: Step[] = [
  { at_s: 0, board: 'a', what: 'panic: wasm trap' },
  { at_s: 0.0004, board: 'b', what: 'panic message received' },
  { at_s: 0.0124, board: 'b', what: 'mailbox disk preempted' },
  { at_s: 0.412, board: 'b', what: 'last volume served' },
  { at_s: 1.712, board: 'a', what: 'dump completed' },
];

/** A run of the standard scenario, as the emulator returns it. */
const RESULT: RunResult = {
  seed: '1',
  digest: '0123456789abcdef0123456789abcdef',
  virtual_s: 65,
  host_s: 3.2,
  memory_bytes: 256 << 20,
  scenario: 'standard',
  failure_s: 30,
  failed_board: 'a',
  panic: { reason: 'wasm trap', place: 'firmware/console.ts:41:7', text: null },
  outage_s: 0.412,
  takeover: {
    policy: 'parallel',
    detected_s: 0.0004,
    seen_by: 'message',
    service_s: 0.4,
    disks: [
      disk('a.root', 'root', 0.05),
      ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => disk(`a.data.${n}`, 'data', 0.06 + n / 100)),
      disk('a.spare.0', 'spare', 1.72),
      disk('a.spare.1', 'spare', 0.2),
    ],
  },
  dump: {
    disk: 'a.spare.0',
    attribute: 'completed',
    cause: null,
    started_s: 0.002,
    ended_s: 1.712,
    limit_s: 25,
    memory_bytes: 256 << 20,
    stored_bytes: 128 << 20,
    chunks: { total: 4096, zero: 2048, stored: 2048, lost: 0, poisoned: 0, poisoned_pages: 0 },
    verified: true,
  },
  core: { path: '/core.101.1767225630', bytes: 134_300_000, sha256: 'ab'.repeat(32), saved_s: 9.5 },
  giveback: { began_s: 17.5, ended_s: 18.25 },
  clients: {
    writes_acked: 12_345,
    writes_lost: 0,
    reads: 23_456,
    wrong_reads: 0,
    timed_out: 0,
    longest_wait_s: 0.46,
  },
  invariants: {
    checked: 37_001,
    each: [
      { number: 1, what: 'no write lands after a preemption', checks: 1_200 },
      { number: 5, what: 'no acknowledged write is lost', checks: 35_801 },
    ],
    violations: [],
  },
  cycles: { run: 90_000, skipped: 1_210_000, overruns: 0 },
  steps: STEPS,
  settled: true,
};

const OPTIONS = { look: PLAIN, verbose: false, repeat: 'npx sparecore run standard --seed 1' };
const text = (result: RunResult, verbose = false): string =>
  summary(result, { ...OPTIONS, verbose }).join('\n');

test('the summary begins with what a client noticed, and that nothing was lost', () => {
  assert.is(
    summary(RESULT, OPTIONS)[0],
    'Board a failed, and clients were served again after 0.412 s, 1.300 s before its memory dump had ended. ' +
      'No acknowledged write was lost.',
  );
});

for (const [what, line] of [
  ['when and where the panic was', /^failure +board a, 30\.00 s after power-on: wasm trap$/m],
  ['the place in the source', /^ +at firmware\/console\.ts:41:7$/m],
  ['how the partner knew', /^takeover +board b knew after 0\.0004 s, by its panic message/m],
  ['when the partner served', /^ +and served all of board a's volumes after 0\.400 s$/m],
  ['the outage', /^outage +0\.412 s until a client was served again on the last of 8 volumes$/m],
  ['equal disks in one line', /^ +a\.data\.0-7 +data +0\.0600 s to 0\.130 s +inactive: no dump on it$/m],
  [
    'the disk of the dump apart from the other spare',
    /^ +a\.spare\.0 +spare +1\.720 s +completed: the dump was done$/m,
  ],
  ['how the dump went', /^dump +completed on a\.spare\.0: 0\.0020 s to 1\.712 s, limit 25\.00 s$/m],
  [
    'what the dump holds',
    /256 MiB of memory, 128 MiB written: 4,096 chunks = 2,048 stored \+ 2,048 zero \+ 0 lost$/m,
  ],
  ['the rate of the dump', /^ +157\.0 MB\/s of memory, 78\.5 MB\/s to the disk, in board time$/m],
  ['that the dump is exact', /byte by byte: exact$/m],
  [
    'the core file',
    /^core +\/core\.101\.1767225630, 128\.1 MiB, in the failed board's root .* after 9\.500 s$/m,
  ],
  ['its hash', /^ +sha256 (ab){32}$/m],
  ['the giveback', /^giveback +began after 17\.50 s and ended after 18\.25 s$/m],
  [
    'the clients',
    /^clients +12,345 writes acknowledged, 0 lost; 23,456 reads, 0 wrong\n +0 timed out; longest wait 0\.460 s$/m,
  ],
  ['where the time went', /^ +0\.400 +\+0\.400 +b +panic message received$/m],
  ['the invariants', /^invariants +all held: 37,001 checks of 2 invariants \(1: 1,200, 5: 35,801\)$/m],
  ['the digest', /^ +digest 0123456789abcdef0123456789abcdef$/m],
  ['the command that repeats it', /^ +again: npx sparecore run standard --seed 1$/m],
] as const) {
  test(`the summary tells ${what}`, () => {
    assert.match(text(RESULT), line);
  });
}

test('--verbose tells every disk, every step and every invariant', () => {
  const all = text(RESULT, true);
  for (const line of [
    /^ +a\.data\.3 +data/m,
    /dump completed$/m,
    /^ +5 +35,801 +no acknowledged write is lost$/m,
  ]) {
    assert.match(all, line);
  }
  assert.not.match(text(RESULT), /dump completed$/m);
});

test('a violated invariant stands first, and the run is not good', () => {
  const bad = {
    ...RESULT,
    invariants: { ...RESULT.invariants, violations: ['5: slot 7 of volume 2 rolled back'] },
  };
  assert.is(summary(bad, OPTIONS)[0], 'VIOLATED: 5: slot 7 of volume 2 rolled back');
  assert.not(isGood(bad));
});

test('a run that did not settle says so, and is not good', () => {
  assert.match(text({ ...RESULT, settled: false }), /^NOT SETTLED/);
  assert.not(isGood({ ...RESULT, settled: false }));
});

test('a run without a failure says just that', () => {
  const quiet: RunResult = {
    ...RESULT,
    failure_s: null,
    failed_board: null,
    panic: null,
    outage_s: null,
    takeover: { policy: 'parallel', detected_s: null, seen_by: null, service_s: null, disks: [] },
    dump: { ...RESULT.dump, disk: null, attribute: null, started_s: null, ended_s: null, verified: null },
    core: null,
    giveback: null,
    steps: [],
  };
  const lines = summary(quiet, OPTIONS);
  assert.is(lines[0], 'No board failed, and no disk changed hands.');
  assert.not.match(lines.join('\n'), /null|NaN|undefined|outage|disks/);
});

test('a board without power has no dump, and no time is invented', () => {
  const dark: RunResult = {
    ...RESULT,
    panic: null,
    dump: { ...RESULT.dump, disk: null, attribute: null, started_s: null, ended_s: null, verified: null },
    core: null,
  };
  assert.match(text(dark), /stopped without a panic/);
  assert.match(text(dark), /^dump +none: the panic handler never ran$/m);
  assert.not.match(text(dark), /null|NaN|undefined|^core/m);
});

test('an aborted dump tells why, and what it did not reach', () => {
  const cut: RunResult = {
    ...RESULT,
    dump: {
      ...RESULT.dump,
      attribute: 'aborted',
      cause: 'limit',
      chunks: { total: 4096, zero: 500, stored: 1500, lost: 2, poisoned: 0, poisoned_pages: 0 },
    },
  };
  assert.match(text(cut), /^dump +aborted \(limit\) on a\.spare\.0/m);
  assert.match(text(cut), /1,500 stored \+ 500 zero \+ 2 lost \+ 2,094 not reached$/m);
});

test('the breakdown of a long way keeps what boards did and the clients that waited longest', () => {
  const steps = Array.from({ length: 100 }, (_, n) => ({
    at_s: n < 50 ? n / 1e6 : 0.1 + n / 1e6,
    board: n === 0 ? ('a' as const) : null,
    what: `s${n}`,
  }));
  const lines = breakdown({ ...RESULT, steps, outage_s: 1 }, false).join('\n');
  for (const step of ['s0', 's50', 's99']) assert.match(lines, new RegExp(`\\b${step}$`, 'm'));
  assert.match(lines, /76 steps more: --verbose/);
});

test('the plan tells what exists and what will happen', () => {
  const lines = plan(loadScenario('spare-fails')).join('\n');
  assert.match(lines, /^two boards of 64 MiB, 16 disks, 8 volumes, 16 clients$/m);
  assert.match(lines, /^takeover parallel, dump limit 25\.00 s, giveback after 8\.000 s$/m);
  assert.match(lines, /^at 5\.000 s: nmi, board a$/m);
  assert.match(lines, /^0\.100 s after the first dump-begin: fail-disk, the coredump disk of board a$/m);
  const left = plan(loadScenario('leftover-reservations')).join('\n');
  assert.match(
    left,
    /^at power-on: mailbox, a\.root, a\.spare\.0, b\.data\.0-1 reserved by board a of epoch 7$/m,
  );
});

test('what the scenario does stands among the steps, before what comes of it', () => {
  const told = withEvents(loadScenario('panic-interconnect-cut'));
  const log = ['4.800000 a x', '5.000000 a PANIC: operator NMI; interrupts off'];
  assert.equal(stepLines(PLAIN, told({ ...PROGRESS, now_s: 5, log }).log), [
    '   4.8000 s  a  x',
    '   4.9000 s  -  cut-interconnect',
    '   5.0000 s  -  nmi, board a',
    '   5.0000 s  a  PANIC: operator NMI; interrupts off',
  ]);
  assert.equal(told({ ...PROGRESS, now_s: 6, log: [] }).log, []);
});

test('disks that change hands together stand in one step', () => {
  const log = ['a.root', 'a.data.0', 'a.data.1'].map((name) => `30.011600 b took ${name} (inactive)`);
  const back = ['40.1 a a.root is back', '40.2 a a.data.0 is back', '40.3 a a.data.1 is back'];
  assert.equal(stepLines(PLAIN, [...log, '30.020000 b takeover done', ...back]), [
    '  30.0116 s  b  took a.root, a.data.0-1 (inactive)',
    '  30.0200 s  b  takeover done',
    '  40.3000 s  a  a.root, a.data.0-1 are back',
  ]);
});

test('the comparison says how much longer the other way takes', () => {
  const sequential: RunResult = {
    ...RESULT,
    outage_s: 2.06,
    takeover: { ...RESULT.takeover, policy: 'sequential' },
  };
  const lines = comparison(RESULT, sequential, PLAIN).join('\n');
  assert.match(lines, /parallel +no service +0\.412 s +#{8}$/m);
  assert.match(lines, /sequential +no service +2\.060 s +#{40}$/m);
  assert.match(lines, /keeps clients out 5\.0 times as long with 256 MiB/);
});

test('numbers read as a person writes them', () => {
  assert.equal([0.00042, 0.412, 1.7, 30, 120, null].map(seconds), [
    '0.0004 s',
    '0.412 s',
    '1.700 s',
    '30.00 s',
    '120.0 s',
    '-',
  ]);
  assert.equal([12, 4096, 65536, 16 << 20, 1.5 * 2 ** 20, 2 ** 32].map(bytes), [
    '12 B',
    '4096 B',
    '64 KiB',
    '16 MiB',
    '1.5 MiB',
    '4 GiB',
  ]);
  assert.equal([0, 999, 1000, 1234567].map(count), ['0', '999', '1,000', '1,234,567']);
  assert.is(rate(100e6, 0), '-');
  assert.equal(
    table(
      [
        ['a', '1'],
        ['bcd', '22'],
      ],
      [1],
    ),
    ['a     1', 'bcd  22'],
  );
});

test('a long text is broken at blanks and keeps its indentation', () => {
  assert.equal(wrap('  aaaa bbbb cccc dddd eeee ffff', 20), ['  aaaa bbbb cccc', '  dddd eeee ffff']);
  assert.equal(wrap('short', 20), ['short']);
  assert.equal(wrap('x'.repeat(30), 20), ['x'.repeat(30)]);
});

test('neighbours in number are told as a range', () => {
  assert.is(
    ranges(['a.root', 'a.data.0', 'a.data.1', 'a.data.3', 'b.data.4']),
    'a.root, a.data.0-1, a.data.3, b.data.4',
  );
  assert.is(ranges(['x', 'a.spare.0']), 'x, a.spare.0');
  assert.is(ranges([]), '');
});

test('a text for the terminal carries no commands for it', () => {
  assert.is(fit('a\x1b[2Jb\nc', 20), 'a [2Jb c');
  assert.is(fit('abcdef', 3), 'abc');
});

const TERMINAL = { isTTY: true, columns: 60, rows: 24 };

test('colours are for terminals, and NO_COLOR turns them off', () => {
  assert.ok(lookOf(TERMINAL, { TERM: 'xterm' }).color);
  assert.not(lookOf(TERMINAL, { TERM: 'xterm', NO_COLOR: '1' }).color);
  assert.not(lookOf(TERMINAL, { TERM: 'dumb' }).color);
  assert.not(lookOf({}, { TERM: 'xterm' }).color);
  assert.match(
    summary(RESULT, { ...OPTIONS, look: { ...PLAIN, color: true } })[0] ?? '',
    /^\p{Cc}\[32m.*\p{Cc}\[0m$/u,
  );
});

test('lines are drawn live on terminals that can, and only there', () => {
  assert.ok(lookOf(TERMINAL, { TERM: 'xterm' }).live);
  assert.not(lookOf(TERMINAL, { TERM: 'dumb' }).live);
  assert.not(lookOf(TERMINAL, { TERM: 'xterm', CI: 'true' }).live);
  assert.not(lookOf({}, { TERM: 'xterm' }).live);
});

const PROGRESS: Progress = {
  now_s: 30.5,
  end_s: 65,
  boards: [
    { name: 'a', state: 'panic', serving: 0, doing: 'dumping to a.spare.0' },
    { name: 'b', state: 'taking', serving: 12, doing: 'taking over' },
  ],
  dump: { disk: 'a.spare.0', done: 1024, total: 4096, attribute: 'dumping' },
  clients: { writes_acked: 1234, reads: 2345, waiting: 3 },
  log: [],
};

const plain = (frame: string): string => frame.replace(/\p{Cc}\[[?\d]*[A-Za-z]|\r/gu, '');

/** Draws once for each entry, so many ms after the last. */
function drawn(look: Look, updates: [ms: number, progress: Progress][]): { frames: string[]; end: string } {
  const frames: string[] = [];
  let now = 0n;
  const view = new LiveView(look, { write: (frame) => void frames.push(frame), now: () => now });
  for (const [ms, progress] of updates) {
    now += BigInt(ms) * 1_000_000n;
    view.update(progress);
  }
  const before = frames.length;
  view.close();
  return { frames: frames.slice(0, before), end: frames.slice(before).join('') };
}

const SCREEN: Look = { ...PLAIN, live: true, columns: () => 80, rows: () => 24 };

test('the live view shows a line a board, the dump and the clock', () => {
  const frame = plain(drawn(SCREEN, [[0, PROGRESS]]).frames.join(''));
  assert.match(frame, /^board a {2}panic {4}0 volumes {2}dumping to a\.spare\.0$/m);
  assert.match(frame, /^board a +.*\nboard b +taking +12 volumes +taking over$/m);
  assert.match(frame, /^dump +#+\.+ +25 % +64 MiB of 256 MiB to a\.spare\.0 +dumping$/m);
  assert.match(frame, /^time +30\.50 s of 65\.00 s +#+\.+$/m);
  assert.match(frame, /^clients +1,234 writes +2,345 reads +3 waiting$/m);
});

const step = (n: number): Progress => ({ ...PROGRESS, log: [`0.010000 b step ${n}`] });

test('the live view draws at most 20 times a second, and loses no step', () => {
  const { frames, end } = drawn(
    SCREEN,
    Array.from({ length: 100 }, (_, n) => [10, step(n)] as [number, Progress]),
  );
  assert.is(frames.length, 20);
  const all = frames.join('') + end;
  for (let n = 0; n < 100; n++) assert.match(all, new RegExp(`^.*0\\.0100 s {2}b {2}step ${n}$`, 'm'));
});

test('the live view gives the cursor back, and leaves nothing of itself', () => {
  const { frames, end } = drawn(SCREEN, [[0, PROGRESS]]);
  assert.ok(frames[0]?.startsWith('\x1b[?25l'));
  assert.is(end, '\x1b[5A\r\x1b[J\x1b[?25h');
});

for (const columns of [1, 5, 20, 40, 200]) {
  test(`no line of the live view is wider than a terminal of ${columns} columns`, () => {
    const narrow = { ...SCREEN, columns: () => columns };
    const { frames } = drawn(narrow, [[0, { ...PROGRESS, log: ['x'.repeat(300)] }]]);
    const lines = plain(frames.join('')).split('\n');
    assert.ok(
      lines.every((line) => line.length < Math.max(columns, 2)),
      String(Math.max(...lines.map((line) => line.length))),
    );
  });
}

test('the live view fits a terminal of few rows', () => {
  const { end } = drawn({ ...SCREEN, rows: () => 4 }, [[0, PROGRESS]]);
  assert.match(end, /^\p{Cc}\[2A/u);
});

test.run();
