// Boards with two CPUs as a person runs them: from the scenario to a core that is verified, and what is refused.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT_BAD_FIRMWARE, EXIT_BAD_SCENARIO } from '../boards/input-error.ts';
import type { RunResult } from '../boards/result.ts';
import { core, sparecore } from './core.test-helper.ts';
import { Served } from './served.test-helper.ts';
import { SMALL_PAIR } from './small-pair.test-helper.ts';

const folder = mkdtempSync(join(tmpdir(), 'sparecore-cpus-'));
test.after(() => rmSync(folder, { recursive: true }));

function scenarioOf(name: string, boards: object, events: readonly object[]): string {
  const path = join(folder, `${name}.yaml`);
  const all = { ...SMALL_PAIR.boards, cpus: 2, ...boards };
  writeFileSync(path, JSON.stringify({ ...SMALL_PAIR, end_s: 1, boards: all, events }));
  return path;
}

const PANIC = [{ at_s: 0.4, do: 'assert', board: 'a' }];

for (const codec of ['raw', 'lz4'] as const) {
  test(`${codec}: a run of boards with two CPUs saves a core that is good, leads to the source line, and is the same each time`, () => {
    const path = scenarioOf(codec, { dump_codec: codec, reboot_after_panic: false }, PANIC);
    const disks = join(folder, codec);
    const first = sparecore('run', path, '--json', '--disks', disks);
    assert.is(first.code, 0, first.err);
    const again = sparecore('run', path, '--json');
    assert.is(again.code, 0, again.err);
    assert.is(JSON.parse(again.out).digest, JSON.parse(first.out).digest);
    const image = join(disks, 'a.root.img');
    const verified = core('verify', image);
    assert.is(verified.code, 0, verified.out + verified.err);
    assert.match(core('info', image).out, /^board +system 1001, .*, the build here$/m);
    assert.match(core('info', image).out, /at firmware\/console\.ts:\d+:\d+$/m);
  });
}

test('a reboot gives a board a new second CPU, with which it serves again', () => {
  const path = scenarioOf('reboot', { giveback_ms: 200 }, PANIC);
  const { code, out, err } = sparecore('run', path, '--json');
  assert.is(code, 0, err);
  const { dump, giveback, invariants, settled } = JSON.parse(out) as RunResult;
  assert.equal([dump.verified, settled, invariants.violations], [true, true, []]);
  assert.ok(giveback?.ended_s);
});

function refused(code: number, says: RegExp, ...parameters: string[]): void {
  const found = sparecore('run', ...parameters);
  assert.is(found.code, code, found.err);
  assert.match(found.err, says);
  assert.is(found.err.trimEnd().split('\n').length, 1, found.err);
}

test('what has one CPU is told in one line: an attached board, firmware for one, and the other way round', () => {
  const path = scenarioOf('refused', {}, []);
  const attached = /an attached board has one CPU, and boards\.cpus is 2: make it 1$/m;
  refused(EXIT_BAD_SCENARIO, attached, path, '--board-a', 'inproc');
  refused(EXIT_BAD_SCENARIO, attached, path, '--board-b', 'inproc');
  const one = 'build/firmware.wasm';
  refused(
    EXIT_BAD_FIRMWARE,
    /is firmware of a board with one CPU, and boards\.cpus is 2: make it 1, or give other firmware$/m,
    path,
    '--firmware',
    one,
  );
  const two = 'build/firmware-smp.wasm';
  refused(
    EXIT_BAD_FIRMWARE,
    /is firmware of a board with two CPUs, and boards\.cpus is 1: make it 2, or give other firmware$/m,
    'small',
    '--firmware',
    two,
  );
});

test('three CPUs are none, and the place in the file is told', () => {
  const path = scenarioOf('three', { cpus: 3 }, []);
  const { code, err } = sparecore('run', path);
  assert.is(code, EXIT_BAD_SCENARIO);
  assert.match(err, /three\.yaml:\d+:\d+: boards\.cpus: must be one of 1, 2, not 3$/m);
});

test('a pair of such boards that serves ends when it is told to', async () => {
  const served = await Served.start(scenarioOf('serve', {}, []));
  assert.is(await served.stop(), 0);
});

test.run();
