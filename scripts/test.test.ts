import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT } from './repository.ts';

const UVU = `import { test } from 'uvu';\n`;
const HARNESS = `import { claim, needsTool, testUnless } from './harness.ts';\n`;

interface Run {
  code: number | null;
  output: string;
  lastLine: string;
}

/** Runs the guard on a tree whose scripts/ holds these files. */
function guard(files: Record<string, string>, env: NodeJS.ProcessEnv = {}, patterns: string[] = []): Run {
  const root = mkdtempSync(join(tmpdir(), 'sparecore-guard-'));
  try {
    mkdirSync(join(root, 'scripts'));
    writeFileSync(join(root, 'package.json'), '{"type":"module"}');
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
    writeFileSync(join(root, 'scripts/harness.ts'), `export * from '${join(ROOT, 'scripts/harness.ts')}';`);
    for (const [file, source] of Object.entries(files)) writeFileSync(join(root, 'scripts', file), source);
    const run = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/test.ts', ...patterns], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, CI: '', SPARECORE_TEST_ROOT: root, SPARECORE_TEST_TIMEOUT_MS: '20000', ...env },
    });
    const output = run.stdout + run.stderr;
    return { code: run.status, output, lastLine: output.trimEnd().split('\n').at(-1) ?? '' };
  } finally {
    rmSync(root, { recursive: true });
  }
}

const GOOD = `${UVU}test('good', () => {}); test.run();`;

test('passes a tree whose tests pass, and closes on their number', () => {
  const run = guard({ 'a.test.ts': GOOD, 'b.test.ts': GOOD });
  assert.is(run.lastLine, '2 passed, 0 failed');
  assert.is(run.code, 0);
});

test('fails when there is no test file', () => {
  const run = guard({});
  assert.match(run.output, /no test file/);
  assert.is(run.lastLine, '0 passed, 1 failed');
  assert.is(run.code, 1);
});

test('fails when no file matches the pattern', () => {
  const run = guard({ 'a.test.ts': GOOD }, {}, ['nothing']);
  assert.match(run.output, /no test file matches nothing/);
  assert.is(run.code, 1);
});

test('runs the files that match the pattern only', () => {
  const run = guard({ 'a.test.ts': GOOD, 'b.test.ts': `throw new Error('not this one')` }, {}, ['scripts/a']);
  assert.is(run.lastLine, '1 passed, 0 failed');
});

test('fails a failing test, shows why, and how to run it again', () => {
  const run = guard({
    'a.test.ts': `${UVU}test('bad', () => { throw new Error('reason'); }); test('good', () => {}); test.run();`,
  });
  assert.match(run.output, /reason/);
  assert.match(run.output, /again: npm test -- scripts\/a\.test\.ts/);
  assert.is(run.lastLine, '1 passed, 1 failed');
  assert.is(run.code, 1);
});

test('fails a file that has no test', () => {
  const run = guard({ 'a.test.ts': `${UVU}test.run();` });
  assert.match(run.output, /ran no test: it has none/);
  assert.is(run.code, 1);
});

test('fails a file that forgets test.run()', () => {
  const run = guard({ 'a.test.ts': `${UVU}test('never run', () => {});` });
  assert.match(run.output, /ran no test: does it end with test\.run\(\)/);
  assert.is(run.code, 1);
});

test('fails a file that does not load', () => {
  const run = guard({ 'a.test.ts': `import './missing.ts';` });
  assert.match(run.output, /exit code 1 before its tests had/);
  assert.is(run.code, 1);
});

test('fails a file that runs only some of its tests', () => {
  const run = guard({
    'a.test.ts': `${UVU}test.${'only'}('one', () => {}); test('other', () => {}); test.run();`,
  });
  assert.match(run.output, /remove \.only/);
  assert.is(run.code, 1);
});

test('fails a file whose before hook throws, which uvu lets pass', () => {
  const run = guard({
    'a.test.ts': `${UVU}test.before(() => { throw 1; }); test('x', () => {}); test.run();`,
  });
  assert.is(run.lastLine, '0 passed, 1 failed');
});

test('ends a test that hangs and says so', () => {
  const source = `${UVU}test('hangs', () => new Promise((done) => setInterval(done, 1e9))); test.run();`;
  const run = guard({ 'a.test.ts': source }, { SPARECORE_TEST_TIMEOUT_MS: '1500' });
  assert.match(run.output, /timed out after 1500 ms\n/);
  assert.is(run.code, 1);
});

test('ends a file that leaves a handle open and names that cause', () => {
  const source = `${UVU}setInterval(() => {}, 1e9); test('x', () => {}); test.run();`;
  const run = guard({ 'a.test.ts': source }, { SPARECORE_TEST_TIMEOUT_MS: '1500' });
  assert.match(run.output, /a handle .* is left open/);
  assert.is(run.code, 1);
});

const SKIPPING = `${UVU}${HARNESS}testUnless(needsTool('no-such-tool'), 'with a tool', () => {}); test('x', () => {}); test.run();`;

test('reports what was skipped and why', () => {
  const run = guard({ 'a.test.ts': SKIPPING });
  assert.match(run.output, /skipped: with a tool \(no-such-tool is not installed\)/);
  assert.is(run.lastLine, '1 passed, 0 failed, 1 skipped');
  assert.is(run.code, 0);
});

test('fails on skips in CI', () => {
  const run = guard({ 'a.test.ts': SKIPPING }, { CI: 'true' });
  assert.match(run.output, /skips 1 in CI/);
  assert.is(run.code, 1);
});

test('fails a skip without a reason', () => {
  const run = guard({ 'a.test.ts': `${UVU}test.skip('x'); test('y', () => {}); test.run();` });
  assert.match(run.output, /without a reason/);
  assert.is(run.code, 1);
});

test('prints the tests of each claim and fails when one has none', () => {
  const claims = `${UVU}${HARNESS}
    claim([1, 2], 'holds', () => {});
    claim(3, 'does not', () => { throw new Error('no'); });
    test.run();`;
  const run = guard({ 'claims.test.ts': claims });
  assert.match(run.output, /^ {4}1 {2}holds {3}holds$/m);
  assert.match(run.output, /^ {4}2 {2}holds {3}holds$/m);
  assert.match(run.output, /^ {4}3 {2}FAILS {3}does not$/m);
  assert.match(run.output, /no test for claim 4, 5, 6, .*, 30/);
  assert.is(run.code, 1);
});

test('passes when every claim has a test that holds', () => {
  const claims = `${UVU}${HARNESS}
    for (let number = 1; number <= 30; number++) claim(number, 'it holds', () => {});
    test.run();`;
  const run = guard({ 'claims.test.ts': claims });
  assert.is(run.lastLine, '30 passed, 0 failed');
  assert.is(run.code, 0);
});

test.run();
