/** The command line with boards behind real serial ports: the native binding on one end of a line, a rig on the other. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT_BAD_PORT } from '../boards/input-error.ts';
import { runPair } from '../boards/pair.ts';
import type { RunResult } from '../boards/result.ts';
import { loadScenario } from '../boards/scenario-file.ts';
import { needsTool, testUnless } from './harness.ts';
import { ROOT } from './repository.ts';
import type { RigRecord } from './rig/records.ts';

const SPARECORE = join(ROOT, 'build/js/scripts/sparecore.js');
const SOCAT = needsTool('socat');
const scratch = mkdtempSync(join(tmpdir(), 'sparecore-rig-'));
const env = { ...process.env, XDG_RUNTIME_DIR: scratch };

interface Told {
  code: number | null;
  out: string;
  err: string;
}

function sparecore(...words: string[]): Told {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SPARECORE, ...words], {
    encoding: 'utf8',
    env,
  });
  return { code: status, out: stdout, err: stderr };
}

const started: string[] = [];

function startRig(name: string, ...words: string[]): RigRecord {
  const { code, out, err } = sparecore('rig', 'start', name, '--memory', '16', '--json', ...words);
  assert.is(code, 0, err);
  started.push(name);
  return JSON.parse(out) as RigRecord;
}

const listed = (): RigRecord[] => JSON.parse(sparecore('rig', 'list', '--json').out) as RigRecord[];

test.after(() => {
  for (const name of started) sparecore('rig', 'stop', name);
  rmSync(scratch, { recursive: true, force: true });
});

const emulated = async (): Promise<RunResult> => ({
  ...(await runPair({ scenario: loadScenario('small') })),
  host_s: 0,
});

testUnless(SOCAT, 'a rig starts, is listed, refuses a second of its name, and stops without a trace', () => {
  const rig = startRig('first');
  assert.ok(existsSync(rig.port));
  assert.equal(
    listed().map(({ name, pid }) => ({ name, pid })),
    [{ name: 'first', pid: rig.pid }],
  );
  const again = sparecore('rig', 'start', 'first');
  assert.is(again.code, EXIT_BAD_PORT);
  assert.match(again.err, /^sparecore: rig first runs already, at .*\n$/);
  const { boardPid } = listed()[0]!;
  assert.is(sparecore('rig', 'stop', 'first').code, 0);
  assert.not(existsSync(rig.port));
  assert.equal(listed(), []);
  assert.throws(() => process.kill(boardPid, 0), /ESRCH/);
  const gone = sparecore('rig', 'stop', 'first');
  assert.is(gone.code, EXIT_BAD_PORT);
  assert.match(gone.err, /^sparecore: no rig first; none runs\n$/);
});

testUnless(
  SOCAT,
  'with either board or both behind a serial port a run has the same result, core file included',
  async () => {
    const here = await emulated();
    const a = startRig('a').port;
    const b = startRig('b').port;
    for (const words of [
      ['--board-a', `serial:${a}`],
      ['--board-b', `serial:${b},baud=115200`],
      ['--board-a', `serial:${a}`, '--board-b', `serial:${b}`],
    ]) {
      const { code, out, err } = sparecore('run', 'small', '--json', ...words);
      assert.is(code, 0, err);
      assert.equal({ ...(JSON.parse(out) as RunResult), host_s: 0 }, here, words.join(' '));
    }
    const compared = sparecore('compare', 'small', '--board-a', `serial:${a}`);
    assert.is(compared.code, 0, compared.err);
    assert.match(compared.out, /^The same: \d+ events of the firmware, each at the same moment\.$/m);
  },
);

testUnless(
  SOCAT,
  'a board that is killed in the middle of a run is a dead board, and the next run finds a new one',
  async () => {
    const { port } = startRig('victim');
    const run = spawn(process.execPath, [SPARECORE, 'run', 'small', '--board-a', `serial:${port}`], { env });
    let out = '';
    let killed = false;
    run.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      // Its first step is told, so it is at work.
      if (killed || !out.includes('boots, epoch 1')) return;
      killed = true;
      process.kill(listed().find(({ name }) => name === 'victim')!.boardPid, 'SIGKILL');
    });
    const code = await new Promise<number | null>((resolve) => run.once('exit', resolve));
    assert.ok(killed);
    assert.is(code, 0, out);
    assert.match(out, /Board a failed/);
    const next = sparecore('run', 'small', '--json', '--board-a', `serial:${port}`);
    assert.is(next.code, 0, next.err);
    assert.is((JSON.parse(next.out) as RunResult).digest, (await emulated()).digest);
  },
);

test('a port that is not there, or is none, is told in a line', () => {
  const none = sparecore('run', 'small', '--board-a', `serial:${join(scratch, 'nothing')}`);
  assert.is(none.code, EXIT_BAD_PORT);
  assert.match(none.err, /^sparecore: .*nothing: there is no such port\n$/);
  for (const [words, told] of [
    ['ttyUSB0', /names no serial port/],
    ['serial:', /names no serial port/],
    ['serial:x,speed=3', /there is no setting speed/],
    ['serial:x,baud=fast', /baud is a whole number/],
    ['serial:x,baud=1', /the slowest line/],
  ] as const) {
    const { code, err } = sparecore('run', 'small', '--board-a', words);
    assert.is(code, EXIT_BAD_PORT, words);
    assert.match(err, told);
  }
});

testUnless(SOCAT, 'a scenario that wants more RAM than the board has is refused', () => {
  const { port } = startRig('little');
  const { code, err } = sparecore('run', 'standard', '--board-a', `serial:${port}`);
  assert.is(code, EXIT_BAD_PORT);
  assert.match(err, /^sparecore: the attached board has 16 MiB of RAM, and the scenario wants 256\n$/);
});

test.run();
