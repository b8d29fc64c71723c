/** Core files before foreign tools: binutils, file, gdb. */
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { buildCore } from './core.test-helper.ts';
import type { CoreOptions } from './core.test-helper.ts';
import * as L from '../../asm/layout.ts';
import { needsTool, testUnless } from '../../scripts/harness.ts';

/** Lends `use` a core file on the disk, sparse. */
function withCore(options: CoreOptions, use: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-'));
  try {
    const path = join(folder, 'core');
    const file = openSync(path, 'w');
    const { fileBytes } = buildCore(options, (at, bytes) => writeSync(file, bytes, 0, bytes.length, at));
    ftruncateSync(file, fileBytes);
    closeSync(file);
    use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function map(chunks: number, pick: (i: number) => number): Uint8Array {
  return Uint8Array.from({ length: chunks }, (_, i) => pick(i));
}

const { CODEC_LOST: LOST, CODEC_ZERO: ZERO, CODEC_RAW: RAW, MISSING_UNREACHED: UNREACHED } = L;
const CORES: Record<string, CoreOptions> = {
  'a whole dump': { map: map(256, (i) => (i % 3 ? ZERO : RAW)) },
  'one that was cut': {
    map: map(256, (i) => (i < 100 ? RAW : i === 100 ? LOST : i < 200 ? ZERO : UNREACHED)),
    missed: new Map([[7, L.MISSING_CORRUPT]]),
    attribute: L.ATTRIBUTE_ABORTED,
    abort: L.ABORT_LIMIT,
  },
  'one with nothing in it': { map: map(16, () => UNREACHED) },
  'one of 4 GiB': { map: map(65_536, (i) => (i % 5000 ? ZERO : RAW)) },
  'one with very many runs': { map: map(20_000, (i) => (i % 2 ? ZERO : RAW)) },
};

for (const [name, options] of Object.entries(CORES)) {
  testUnless(needsTool('readelf'), `readelf -a reads ${name} without a warning`, () => {
    withCore(options, (path) => {
      const { status, stdout, stderr } = spawnSync('readelf', ['-a', '-W', path], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      assert.is(status, 0);
      assert.is(stderr, '');
      assert.not.match(stdout, /warning|error|<corrupt/i);
      assert.match(stdout, /CORE \(Core file\)/);
      assert.match(stdout, /NT_PRSTATUS/);
      assert.is(stdout.match(/^ {2}sparecore /gm)?.length, 3);
    });
  });
}

function gdb(path: string, ...commands: string[]): string {
  const args = ['-nx', '-batch', ...[`core-file ${path}`, ...commands].flatMap((c) => ['-ex', c])];
  const { stdout, stderr } = spawnSync('gdb', args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return stdout + stderr;
}

testUnless(needsTool('gdb'), 'gdb reads memory at its wasm addresses, and none that is missing', () => {
  withCore(CORES['one that was cut']!, (path) => {
    const said = gdb(
      path,
      'x/2wx 0x50010',
      'x/2wx 0xa00000',
      'x/wx 0x640000',
      'x/wx 0x70000',
      'x/wx 0xd00000',
      'p $eip',
    );
    assert.match(said, /0x50010:\s+0x00050010\s+0x00050014/);
    assert.match(said, /0xa00000:\s+0x00000000\s+0x00000000/);
    for (const address of ['0x640000', '0x70000', '0xd00000']) {
      assert.match(said, `Cannot access memory at address ${address}`);
    }
    assert.match(said, 'sparecore');
    assert.match(said, /SIGABRT/);
    assert.match(said, /\(\*?\)?.*0x1234/);
  });
});

testUnless(needsTool('gdb'), 'gdb reads a core of 4 GiB up to its last page', () => {
  withCore(CORES['one of 4 GiB']!, (path) => {
    const said = gdb(path, 'x/wx 0xfde80008', 'x/wx 0xfffffffc');
    assert.match(said, /0xfde80008:\s+0xfde80008/); // chunk 65,000
    assert.match(said, /0xfffffffc:\s+0x00000000/);
  });
});

test.run();
