import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RunResult } from '../boards/result.ts';
import { ROOT } from './repository.ts';

/** As it is installed; npm test builds it first. */
const COMPILED = 'build/js/scripts/sparecore.js';

interface Run {
  code: number | null;
  out: string;
  err: string;
}

function sparecore(parameters: string[], env: NodeJS.ProcessEnv = {}): Run {
  const run = spawnSync(process.execPath, [COMPILED, ...parameters], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

const COMMANDS = ['start', 'run', 'scenarios', 'schema', 'bench', 'core'];

test('--help names every command and every exit code', () => {
  const { code, out } = sparecore(['--help']);
  assert.is(code, 0);
  for (const name of COMMANDS) assert.match(out, new RegExp(`^ {2}${name}\\b`, 'm'));
  for (const exit of [0, 1, 2, 3, 4, 5, 9, 70, 74]) assert.match(out, new RegExp(`^ {2}${exit}\\b`, 'm'));
});

for (const name of COMMANDS) {
  test(`${name} --help says what it does`, () => {
    const { code, out } = sparecore([name, '--help']);
    assert.is(code, 0);
    assert.match(out, new RegExp(`^Usage: sparecore ${name} `));
  });
}

const USAGE: [why: string, parameters: string[], says: RegExp][] = [
  ['no command', [], /Usage: sparecore/],
  ['an unknown command', ['rnu'], /unknown command 'rnu'[\s\S]*Did you mean run/],
  ['an unknown option', ['run', '--sed', '1'], /unknown option '--sed'[\s\S]*Did you mean --seed/],
  ['one argument too many', ['run', 'small', 'small'], /too many arguments/],
  ['a policy that is none', ['run', '--takeover', 'never'], /Allowed choices are parallel, sequential/],
  [
    'a seed of letters',
    ['run', '--seed', 'x'],
    /must be a whole decimal number from 0 to 18446744073709551615/,
  ],
  ['a seed under 0', ['run', '--seed', '-1'], /must be a whole decimal number/],
  ['a seed over 2^64 - 1', ['run', '--seed', '18446744073709551616'], /must be a whole decimal number/],
  ['a bench that is none', ['bench', 'x'], /Allowed choices are small, standard, digest, disks/],
];
for (const [why, parameters, says] of USAGE) {
  test(`exits with 2 on ${why}`, () => {
    const { code, out, err } = sparecore(parameters);
    assert.is(code, 2);
    assert.is(out, '');
    assert.match(err, says);
    assert.not.match(err, /^ +at /m);
  });
}

test('exits with 3 on a bad scenario: a line for each error, no stack trace, nothing on stdout', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-cli-'));
  try {
    const file = join(folder, 'bad.yaml');
    writeFileSync(file, 'title: x\nboards: { memory_mib: 8 }\ndisks: [{ role: sprae }]\n');
    const { code, out, err } = sparecore(['run', file]);
    assert.is(code, 3);
    assert.is(out, '');
    assert.equal(err.trimEnd().split('\n'), [
      `${file}:2:23: boards.memory_mib: must be at least 16, not 8`,
      `${file}:3:17: disks[0].role: must be one of root, data, spare, dump, mailbox, free, not sprae: did you mean spare?`,
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('exits with 3 on a scenario that is not there, and names the nearest', () => {
  const { code, err } = sparecore(['run', 'smal']);
  assert.is(code, 3);
  assert.is(err, 'smal: no such scenario or file: did you mean small?\n');
});

test('SPARECORE_DEBUG=1 shows where an error came from', () => {
  const { code, err } = sparecore(['run', 'smal'], { SPARECORE_DEBUG: '1' });
  assert.is(code, 3);
  assert.match(err, /^ +at /m);
});

test('schema prints the JSON Schema that the repository holds', () => {
  const { code, out } = sparecore(['schema']);
  assert.is(code, 0);
  assert.is((JSON.parse(out) as { $schema: string }).$schema, 'https://json-schema.org/draft/2020-12/schema');
});

test('scenarios lists each with what happens in it', () => {
  assert.match(sparecore(['scenarios']).out, /^power-loss +Board A loses power/m);
  const all = JSON.parse(sparecore(['scenarios', '--json']).out) as { name: string; title: string }[];
  assert.is(all[0]?.name, 'standard');
  assert.ok(all.every(({ title }) => title.length > 0));
});

test('a reader that goes away ends it without a word', () => {
  const command = `"${process.execPath}" ${COMPILED} schema | true; exit "\${PIPESTATUS[0]}"`;
  const { stderr, status } = spawnSync('bash', ['-c', command], { cwd: ROOT, encoding: 'utf8' });
  assert.is(stderr, '');
  assert.ok(status === 141 || status === 0); // 0: all was written before the reader went
});

/** Runs `body` with a folder that is gone afterwards. */
function withFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-cli-'));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const digest = (run: Run): string => (JSON.parse(run.out) as RunResult).digest;

test('run --json prints the result as one object and nothing else', () => {
  const { code, out, err } = sparecore(['run', 'small', '--json', '--seed', '18446744073709551615']);
  assert.is(code, 0);
  assert.is(err, '');
  assert.is(out.trimEnd().split('\n').length, 1);
  const result = JSON.parse(out) as RunResult;
  assert.is(result.seed, '18446744073709551615');
  assert.match(result.digest, /^[0-9a-f]{32}$/);
  assert.is(result.memory_bytes, 16 << 20);
  assert.ok(result.host_s > 0 && result.virtual_s > 0 && (result.outage_s ?? 0) > 0);
  assert.is(result.takeover.policy, 'parallel');
  assert.equal(
    result.takeover.disks.map(({ name, role, reason }) => [name, role, reason]),
    [
      ['a.root', 'root', 'inactive'],
      ['a.data.0', 'data', 'inactive'],
      ['a.spare.0', 'spare', 'completed'],
    ],
  );
  assert.is(result.dump.disk, 'a.spare.0');
  assert.is(result.dump.verified, true);
  const { total, zero, stored, lost } = result.dump.chunks;
  assert.is(total, zero + stored + lost);
  assert.match(result.core?.sha256 ?? '', /^[0-9a-f]{64}$/);
  assert.is(result.clients.writes_lost, 0);
  assert.is(result.invariants.each.length, 7);
  assert.ok(result.invariants.checked > 500);
  assert.equal(result.invariants.violations, []);
});

test('a firmware image that is none is refused with its own exit code and one line', () => {
  const { code, err } = sparecore(['run', 'small', '--firmware', 'package.json']);
  assert.is(code, 5);
  assert.match(err, /^sparecore: package\.json: is no WebAssembly module: [^\n]*\n$/);
});

test('the same seed gives the same digest in two processes, another seed another', () => {
  const [one, same, other] = ['7', '7', '8'].map((seed) =>
    digest(sparecore(['run', 'small', '--json', '--seed', seed])),
  );
  assert.is(one, same);
  assert.is.not(one, other);
});

test('run in a pipe prints the plan, then steps, then what came of it, and no colours', () => {
  const { code, out } = sparecore(['run', 'small', '--takeover', 'sequential']);
  assert.is(code, 0);
  assert.match(out, /^small, seed 1: .*\n {2}two boards of 16 MiB, 6 disks/);
  assert.match(out, /^ {3}0\.4000 s {2}a {2}PANIC: operator NMI/m);
  assert.match(out, /No acknowledged write was lost\.$/m);
  assert.match(out, /^ +again: npx sparecore run small --seed 1 --takeover sequential$/m);
  assert.not.match(out, /\p{Cc}\[/u);
});

test('run --quiet prints the summary only', () => {
  const { out } = sparecore(['run', 'small', '--quiet']);
  assert.match(out, /^Board a failed, and clients were served again/);
  assert.not.match(out, /elected as coredump disk/);
});

test('run exits with 1 when the run ends before everything has settled', () => {
  withFolder((folder) => {
    const file = join(folder, 'short.yaml');
    const small = readFileSync(join(ROOT, 'boards/scenarios/small.yaml'), 'utf8');
    writeFileSync(file, small.replace('end_s: 1', 'end_s: 0.45\nend_max_s: 0.45'));
    const { code, out } = sparecore(['run', file, '--quiet']);
    assert.is(code, 1);
    assert.match(out, /^(VIOLATED|NOT SETTLED)/);
    assert.match(out, /again: npx sparecore run \S+short\.yaml --seed 1/);
  });
});

test('run --disks keeps the disks, gives the same digest, and leaves foreign files alone', () => {
  withFolder((folder) => {
    const shelf = join(folder, 'shelf');
    const kept = sparecore(['run', 'small', '--json', '--disks', shelf]);
    assert.is(kept.code, 0);
    assert.ok(existsSync(join(shelf, 'a.root.img')));
    assert.is(digest(kept), digest(sparecore(['run', 'small', '--json'])));

    writeFileSync(join(folder, 'a.root.img'), 'something else');
    const { code, out, err } = sparecore(['run', 'small', '--json', '--disks', folder]);
    assert.is(code, 4);
    assert.is(out, '');
    assert.is(err.trimEnd().split('\n').length, 1);
    assert.is(readFileSync(join(folder, 'a.root.img'), 'utf8'), 'something else');
  });
});

test.run();
