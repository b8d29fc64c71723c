// Runs the house checks, then every test file in a process of its own; believes none that ran no test.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClaimRecord, SkipRecord } from './harness.ts';
import { hostNanoseconds } from './host-clock.ts';
import { ROOT, repositoryFiles } from './repository.ts';
import { splitSource } from './source-text.ts';

const AT_ONCE = 2;
const TIMEOUT_MS = 600_000;
const KILL_AFTER_MS = 2_000;
const CLAIMS = 30;
/** Without colours, which npm and terminals turn on. */
const PLAIN = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };
const CLAIMS_FILE = 'scripts/claims.test.ts';

export interface FileResult {
  file: string;
  passed: number;
  failed: number;
  skipped: number;
  seconds: number;
  /** Why the file as a whole fails, beside its failed tests. */
  faults: string[];
  output: string;
  skips: SkipRecord[];
  claims: ClaimRecord[];
}

interface Options {
  root: string;
  timeoutMs: number;
  isCI: boolean;
}

function linesOf<T>(path: string): T[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** uvu's closing lines, the last ones of the output. */
function countsIn(output: string): { total: number; passed: number; skipped: number } | null {
  const found = [...output.matchAll(/^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm)].at(-1);
  return found === undefined
    ? null
    : { total: Number(found[1]), passed: Number(found[2]), skipped: Number(found[3]) };
}

/** Process groups of the test files that run now. */
const running = new Set<number>();

function endGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // all of it is gone
  }
}

interface Ended {
  output: string;
  code: number | null;
  timedOut: boolean;
}

/** The child leads a process group of its own, so that a time-out also ends what the test started. */
function runChild(file: string, env: NodeJS.ProcessEnv, { root, timeoutMs }: Options): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--enable-source-maps', file], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    let timedOut = false;
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (output += data.toString()));
    const end = (signal: NodeJS.Signals): void => {
      if (child.pid !== undefined) endGroup(child.pid, signal);
    };
    if (child.pid !== undefined) running.add(child.pid);
    const kill = setTimeout(() => end('SIGKILL'), timeoutMs + KILL_AFTER_MS);
    const timeout = setTimeout(() => {
      timedOut = true;
      end('SIGTERM');
    }, timeoutMs);
    const finish = (code: number | null): void => {
      clearTimeout(timeout);
      clearTimeout(kill);
      if (child.pid !== undefined) running.delete(child.pid);
      resolve({ output, code, timedOut });
    };
    child.on('error', (error) => {
      output += `${error.message}\n`;
      finish(null);
    });
    child.on('exit', (code) => {
      end('SIGKILL'); // what it left behind would hold the pipes open
      child.on('close', () => finish(code));
    });
  });
}

async function runFile(file: string, scratch: string, index: number, options: Options): Promise<FileResult> {
  const claimsPath = join(scratch, `${index}.claims`);
  const skipsPath = join(scratch, `${index}.skips`);
  const env = {
    ...PLAIN,
    SPARECORE_CLAIMS_OUT: claimsPath,
    SPARECORE_SKIPS_OUT: skipsPath,
  };
  const startedAt = hostNanoseconds();
  const { output, code, timedOut } = await runChild(file, env, options);
  const seconds = Number(hostNanoseconds() - startedAt) / 1e9;
  const skips = linesOf<SkipRecord>(skipsPath);
  const counts = countsIn(output);
  const faults: string[] = [];
  if (timedOut) {
    faults.push(
      counts === null
        ? `timed out after ${options.timeoutMs} ms`
        : `timed out after ${options.timeoutMs} ms although its tests had ended: a handle (server, timer, child) is left open`,
    );
  } else if (counts === null) {
    faults.push(
      code === 0
        ? 'ran no test: does it end with test.run()?'
        : `ended with exit code ${code} before its tests had`,
    );
  } else if (counts.total === 0 && counts.skipped === 0) faults.push('ran no test: it has none');
  else if (code !== 0 && counts.passed === counts.total) faults.push(`ended with exit code ${code}`);
  if (/\.\s*only\s*\(/.test(splitSource(readFileSync(join(options.root, file), 'utf8')).code)) {
    faults.push('runs only some of its tests: remove .only');
  }
  const skipped = counts?.skipped ?? 0;
  if (skipped > skips.length)
    faults.push('skips a test without a reason: use testUnless of scripts/harness.ts');
  if (options.isCI && skipped > 0) faults.push(`skips ${skipped} in CI, where everything must run`);
  const total = counts?.total ?? 0;
  const passed = counts?.passed ?? 0;
  return {
    file,
    passed,
    failed: total - passed, // uvu's own exit code is 0 when a before hook throws
    skipped,
    seconds,
    faults,
    output,
    skips,
    claims: linesOf<ClaimRecord>(claimsPath),
  };
}

function report({ file, passed, failed, skipped, seconds, faults, output, skips }: FileResult): void {
  const bad = failed > 0 || faults.length > 0;
  console.log(
    `${bad ? 'FAIL' : 'ok  '} ${file}  ${passed} passed${failed > 0 ? `, ${failed} failed` : ''}` +
      `${skipped > 0 ? `, ${skipped} skipped` : ''}  (${seconds.toFixed(1)} s)`,
  );
  for (const { name, reason } of skips) console.log(`     skipped: ${name} (${reason})`);
  if (!bad) return;
  for (const fault of faults) console.log(`     ${fault}`);
  console.log(output.trimEnd().replace(/^/gm, '     | '));
  console.log(`     again: npm test -- ${file}`);
}

/** Runs the files, some at once, and reports each as it ends. */
export async function runFiles(files: readonly string[], options: Options): Promise<FileResult[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'sparecore-test-'));
  const results: FileResult[] = [];
  const waiting = [...files.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const result = await runFile(next[1], scratch, next[0], options);
      report(result);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  rmSync(scratch, { recursive: true, force: true });
  return results;
}

/** Claim by claim the tests that stand for it; returns what is missing. */
export function reportClaims(claims: readonly ClaimRecord[]): string[] {
  const missing: number[] = [];
  console.log('\nclaim  result  test');
  for (let number = 1; number <= CLAIMS; number++) {
    const tests = claims.filter((each) => each.claim === number);
    if (tests.length === 0) missing.push(number);
    for (const { name, ok } of tests) {
      console.log(
        `${String(number).padStart(5)}  ${ok ? 'holds ' : 'FAILS '}  ${name.replace(/^claims? [\d, ]+: /, '')}`,
      );
    }
  }
  return missing.length === 0 ? [] : [`no test for claim ${missing.join(', ')}`];
}

export const testFiles = (root: string): string[] =>
  repositoryFiles(root).filter((path) => /^(?:asm|firmware|boards|scripts)\/.*\.test\.ts$/.test(path));

/** What must hold before any test is worth running. */
const HOUSE_CHECKS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['format', ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.']],
  ['lint', ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings']],
  ['check', ['--import', 'tsx', 'scripts/check.ts']],
  ['types', ['node_modules/typescript/bin/tsc', '--noEmit', '--pretty', 'false']],
];

function runHouseChecks(root: string): { passed: number; faults: string[] } {
  const faults: string[] = [];
  for (const [name, args] of HOUSE_CHECKS) {
    const run = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', env: PLAIN });
    const bad = run.status !== 0;
    console.log(`${bad ? 'FAIL' : 'ok  '} ${name}`);
    if (!bad) continue;
    console.log((run.stdout + run.stderr).trimEnd().replace(/^/gm, '     | '));
    faults.push(`${name} fails: npm run ${name === 'types' ? 'build' : name}`);
  }
  return { passed: HOUSE_CHECKS.length - faults.length, faults };
}

/** Everything, or only the test files whose path contains one of `patterns`. Returns the process's exit code. */
export async function main(
  patterns: readonly string[],
  options: Options & { houseChecks: boolean },
): Promise<number> {
  const all = testFiles(options.root);
  const files = all.filter(
    (file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)),
  );
  const house =
    options.houseChecks && patterns.length === 0 ? runHouseChecks(options.root) : { passed: 0, faults: [] };
  const results = await runFiles(files, options);
  const faults = [...house.faults];
  if (files.length === 0)
    faults.push(`no test file${patterns.length > 0 ? ` matches ${patterns.join(' ')}` : ''}`);
  if (all.includes(CLAIMS_FILE)) {
    const missing = reportClaims(results.flatMap(({ claims }) => claims));
    if (patterns.length === 0) faults.push(...missing);
  } else console.log(`\nnote: ${CLAIMS_FILE} does not exist yet: claims are not counted`);

  for (const fault of faults) console.log(`FAIL ${fault}`);
  const sum = (of: (result: FileResult) => number): number =>
    results.reduce((total, each) => total + of(each), 0);
  const failed = sum((each) => each.failed + each.faults.length) + faults.length;
  const skipped = sum((each) => each.skipped);
  console.log(
    `\n${sum((each) => each.passed) + house.passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
  );
  return failed === 0 ? 0 : 1;
}

if (import.meta.filename === process.argv[1]) {
  const env = process.env;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      for (const group of running) endGroup(group, 'SIGKILL');
      process.exit(1);
    });
  }
  process.exitCode = await main(process.argv.slice(2), {
    root: env['SPARECORE_TEST_ROOT'] ?? ROOT,
    timeoutMs: Number(env['SPARECORE_TEST_TIMEOUT_MS'] ?? TIMEOUT_MS),
    isCI: env['CI'] === 'true',
    houseChecks: env['SPARECORE_TEST_ROOT'] === undefined,
  });
}
