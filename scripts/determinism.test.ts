/** A run depends on its scenario and its seed, and on nothing else: where, when and beside what it runs. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runPair } from '../boards/pair.ts';
import type { RunOptions } from '../boards/pair.ts';
import type { RunResult } from '../boards/result.ts';
import { loadScenario } from '../boards/scenario-file.ts';
import { recordRun } from './recorder.test-helper.ts';
import { ROOT } from './repository.ts';

const SMALL = loadScenario('small');

/** All of a result but the host's own time. */
async function run(options: Partial<RunOptions> = {}): Promise<RunResult> {
  return { ...(await runPair({ scenario: SMALL, ...options })), host_s: 0 };
}

function runElsewhere(parameters: string[], env: NodeJS.ProcessEnv = {}): RunResult {
  const child = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'scripts/sparecore.ts', 'run', 'small', '--json', ...parameters],
    { cwd: ROOT, encoding: 'utf8', env: { ...process.env, ...env } },
  );
  assert.is(child.status, 0, child.stderr);
  return { ...(JSON.parse(child.stdout) as RunResult), host_s: 0 };
}

async function inFolder(use: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-same-'));
  try {
    await use(join(folder, 'shelf'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the same seed gives the same result twice in a process, to the last field', async () => {
  const first = await run();
  assert.match(first.digest, /^[0-9a-f]{32}$/);
  assert.equal(await run(), first);
});

test('runs of other scenarios and seeds in between change nothing', async () => {
  const first = await run();
  await run({ scenario: loadScenario('path-loss') });
  await run({ seed: '77' });
  assert.equal(await run(), first);
});

test('the same seed gives the same result in two other processes, whatever their time zone and locale', async () => {
  const here = await run();
  assert.equal(runElsewhere([], { TZ: 'Asia/Tokyo', LC_ALL: 'de_DE.UTF-8' }), here);
  assert.equal(runElsewhere([], { TZ: 'America/New_York', NODE_OPTIONS: '--max-old-space-size=900' }), here);
});

test('media in files give the same result as media in memory', async () => {
  const inMemory = await run();
  await inFolder(async (folder) => assert.equal(await run({ disksDir: folder }), inMemory));
  await inFolder((folder) => assert.equal(runElsewhere(['--disks', folder]), inMemory));
});

test('another seed gives another digest, in this process and in another', async () => {
  const digests = new Set<string>();
  for (const seed of ['1', '2', '3', '18446744073709551615', '0']) digests.add((await run({ seed })).digest);
  assert.is(digests.size, 5);
  const elsewhere = runElsewhere(['--seed', '2']);
  assert.is(elsewhere.seed, '2');
  assert.equal(elsewhere, await run({ seed: '2' }));
});

test('the digest tells runs apart that differ by a cycle of latency, a millisecond, the policy, or a MiB of memory', async () => {
  const [event] = SMALL.events;
  const digests = [
    await run(),
    await run({ scenario: { ...SMALL, interconnectUs: SMALL.interconnectUs + SMALL.boards.cycleUs } }),
    await run({ scenario: { ...SMALL, events: [{ ...event!, atMs: event!.atMs! + 1 }] } }),
    await run({ scenario: { ...SMALL, policy: 'sequential' } }),
    await run({ scenario: { ...SMALL, boards: { ...SMALL.boards, memoryMib: 17 } } }),
  ].map(({ digest }) => digest);
  assert.is(new Set(digests).size, digests.length);
});

test('being watched and being paused change nothing', async () => {
  const alone = await run();
  let shown = 0;
  let paused = 0;
  const watched = await run({
    onProgress: () => void shown++,
    pause: async () => {
      paused++;
      await Promise.resolve();
    },
  });
  assert.ok(shown > 10 && paused > 10);
  assert.equal(watched, alone);
  assert.is(recordRun(SMALL).result.digest, alone.digest);
});

test.run();
