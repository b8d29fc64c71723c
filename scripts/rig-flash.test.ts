/** From an empty board to one that runs what was flashed: the same serial line for the bootloader and for the firmware. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT_BAD_FLASH_IMAGE } from '../boards/input-error.ts';
import { needsTool, testUnless } from './harness.ts';
import { ROOT } from './repository.ts';

const SPARECORE = join(ROOT, 'build/js/scripts/sparecore.js');
const SOCAT = needsTool('socat');
const scratch = mkdtempSync(join(tmpdir(), 'sparecore-rig-flash-'));
const env = { ...process.env, XDG_RUNTIME_DIR: scratch };
const key = join(scratch, 'rig.pem');
const trusted = join(scratch, 'rig.pub.pem');

function sparecore(...words: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SPARECORE, ...words], {
    encoding: 'utf8',
    env,
  });
  return { code: status, out: stdout, err: stderr };
}

function good(...words: string[]): string {
  const { code, out, err } = sparecore(...words);
  assert.is(code, 0, `${words.join(' ')}: ${err}${out}`);
  return out;
}

function imageOf(name: string, version: string, signer = key): string {
  const out = join(scratch, `${name}.img`);
  const build = join(ROOT, 'build/firmware.wasm');
  good('image', 'sign', build, '--key', signer, '--version', version, '--out', out);
  return out;
}

test.before(() => void good('image', 'keygen', key));
test.after(() => {
  sparecore('rig', 'stop', 'bare');
  rmSync(scratch, { recursive: true, force: true });
});

testUnless(
  SOCAT,
  'an empty board is flashed, boots, and does what an emulated one does; flashed again it runs on until it is reset',
  () => {
    const started = good('rig', 'start', 'bare', '--empty', '--key', trusted, '--memory', '16', '--json');
    const { port } = JSON.parse(started) as { port: string };
    assert.match(good('flash', port, imageOf('first', '1.0.0'), '--yes'), /1\.0\.0: .* over SMP/);
    assert.match(good('compare', 'small', '--board-a', `serial:${port}`), /^The same: \d+ events/m);
    // It has confirmed itself by then; the next one is on trial, and the host finds the bootloader behind the firmware.
    assert.match(good('flash', port, imageOf('second', '1.1.0'), '--yes'), /1\.1\.0: .* over SMP/);
    assert.match(good('compare', 'small', '--board-b', `serial:${port}`), /^The same: \d+ events/m);
  },
);

testUnless(SOCAT, 'an image of another key is refused, and the board runs what it had', () => {
  const other = join(scratch, 'other.pem');
  good('image', 'keygen', other);
  const { port } = (JSON.parse(good('rig', 'list', '--json')) as { port: string }[])[0]!;
  const refused = sparecore('flash', port, imageOf('foreign', '9.0.0', other), '--yes');
  assert.is(refused.code, EXIT_BAD_FLASH_IMAGE, refused.out);
  assert.match(refused.err, /key/);
  assert.match(good('compare', 'small', '--board-a', `serial:${port}`), /^The same: \d+ events/m);
});

test.run();
