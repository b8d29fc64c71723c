/**
 * The firmware as native code on a Cortex-M3 that QEMU emulates, behind a serial line: it does what the emulated board
 * does, at the same moments, and its core file is one that gdb reads as of an ARM.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { needsExternal, needsTool, testUnless } from './harness.ts';
import { ROOT } from './repository.ts';
import type { RigRecord } from './rig/records.ts';
import { writeSmallPair } from './small-pair.test-helper.ts';

const BUILD = [needsExternal(), needsTool('wasm2c'), needsTool('arm-none-eabi-gcc')];
const RIG = [...BUILD, needsTool('qemu-system-arm'), needsTool('socat')];
const SPARECORE = join(ROOT, 'build/js/scripts/sparecore.js');
const NATIVE = join(ROOT, 'build/native');
const ELF = join(NATIVE, 'sparecore.elf');
const scratch = mkdtempSync(join(tmpdir(), 'sparecore-native-'));
const env = { ...process.env, XDG_RUNTIME_DIR: scratch, LC_ALL: 'C', DEBUGINFOD_URLS: '' };
const RIG_NAME = 'native';

interface Told {
  code: number | null;
  out: string;
  err: string;
}

function tell(program: string, parameters: readonly string[], cwd = ROOT): Told {
  const { status, stdout, stderr } = spawnSync(program, parameters, {
    encoding: 'utf8',
    cwd,
    env,
    maxBuffer: 1 << 26,
  });
  return { code: status, out: stdout, err: stderr };
}

const sparecore = (...words: string[]): Told => tell(process.execPath, [SPARECORE, ...words]);

test.after(() => {
  sparecore('rig', 'stop', RIG_NAME);
  rmSync(scratch, { recursive: true, force: true });
});

testUnless(BUILD, 'the native image tells its sizes, and is the same bytes built in another folder', () => {
  const { code, out, err } = tell(process.execPath, ['scripts/build-native.mjs']);
  assert.is(code, 0, err);
  for (const [name, flashMax, ramMax] of [
    ['bootloader', 64 * 1024, 128 * 1024],
    ['sparecore', 256 * 1024, 1024 * 1024],
  ] as const) {
    const said = new RegExp(String.raw`${name}\.elf: flash (\d+) bytes, RAM (\d+) bytes`).exec(out) ?? [];
    assert.ok(Number(said[1]) > 16_384 && Number(said[1]) <= flashMax, out);
    assert.ok(Number(said[2]) > 65_536 && Number(said[2]) <= ramMax, out);
  }
  const [, lines] = /: (\d+) lines of C/.exec(out) ?? [];
  assert.ok(Number(lines) < 400, out);
  const other = join(scratch, 'elsewhere');
  for (const part of [
    'boards/native',
    'build/attached.wasm',
    'build/bootloader.wasm',
    'build/firmware-mcu.wasm',
    'build/debug',
    'build/js/firmware',
    'package.json',
  ])
    cpSync(join(ROOT, part), join(other, part), { recursive: true });
  const script = pathToFileURL(join(ROOT, 'scripts/build-native.mjs')).href;
  const again = tell(process.execPath, [
    '--input-type=module',
    '-e',
    `await (await import('${script}')).buildNative(${JSON.stringify(other)})`,
  ]);
  assert.is(again.code, 0, again.err);
  for (const made of ['sparecore.elf', 'sparecore.bin', 'bootloader.elf'])
    assert.ok(readFileSync(join(other, 'build/native', made)).equals(readFileSync(join(NATIVE, made))), made);
});

let port = '';

/** The commands of README's page on serial lines, with the port of a rig. */
function page(): string[][] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, block = ''] = /## A board on a serial line\n[^]*?```\n([^]*?)```/.exec(readme) ?? [];
  return block
    .trim()
    .split('\n')
    .map((line) => line.replace(/ +# .*$/, '').replaceAll('PORT', port))
    .map((line) => [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!));
}

/** In the folder of the test, but for what the build makes. */
function walk(words: readonly string[]): Told {
  const [program, ...rest] = words.map((word) => (word.startsWith('build/') ? join(ROOT, word) : word));
  if (program === 'npm') return tell('npm', rest);
  const isOurs = program === 'npx' && rest[0] === 'sparecore';
  const [run, parameters] = isOurs ? [process.execPath, [SPARECORE, ...rest.slice(1)]] : [program!, rest];
  const batch = run === 'gdb-multiarch' ? ['-nx', '-batch'] : [];
  return tell(run, [...batch, ...parameters], scratch);
}

testUnless(
  [...RIG, needsTool('gdb-multiarch')],
  "README's page: an empty native board is flashed, does what an emulated one does, panics, and its core opens in gdb",
  () => {
    const started = sparecore('rig', 'start', RIG_NAME, '--kind', 'qemu', '--empty', '--json');
    assert.is(started.code, 0, started.err);
    port = (JSON.parse(started.out) as RigRecord).port;
    const said = new Map<string, string>();
    for (const words of page()) {
      const { code, out, err } = walk(words);
      assert.is(code, 0, `${words.join(' ')}\n${out}${err}`);
      said.set(words.slice(0, 3).join(' '), out);
    }
    assert.match(said.get(`npx sparecore flash`)!, / over SMP/);
    assert.match(
      said.get('npx sparecore compare')!,
      /^The same: \d+ events of the firmware, each at the same moment\.$/m,
    );
    assert.match(said.get('npx sparecore run')!, /PANIC: operator NMI/);
    const gdbSaid = said.get('gdb-multiarch build/native/sparecore.elf core')!;
    assert.match(gdbSaid, /^#\d+ .*\bmain \(\) at \.\/boards\/native\/main\.c:\d+$/m);
    assert.match(gdbSaid, /^\$1 = PANIC_OPERATOR$/m);
  },
);

testUnless(
  [...RIG, needsTool('gdb-multiarch'), needsTool('readelf')],
  'gdb shows the native backtrace and the structures of a native board out of its core',
  () => {
    const scenario = join(scratch, 'trap.yaml');
    writeSmallPair(scenario, 0.4, [{ at_s: 0.15, do: 'trap', board: 'a' }]);
    const disks = join(scratch, 'trap-disks');
    const run = sparecore('run', scenario, '--quiet', '--disks', disks, '--board-a', `serial:${port}`);
    assert.is(run.code, 0, run.out + run.err);
    const file = join(scratch, 'trap-core');
    // What savecore put into the root file system is the same memory, as a core of a wasm machine.
    const saved = join(scratch, 'saved');
    for (const words of [
      ['extract', join(disks, 'a.spare.0.img'), '-o', file],
      ['export', join(disks, 'a.root.img'), '-o', saved],
    ]) {
      const made = sparecore('core', ...words);
      assert.is(made.code, 0, made.err);
    }
    for (const core of [file, saved]) {
      assert.match(tell('readelf', ['-h', core]).out, /Machine: +ARM/);
      assert.is(sparecore('core', 'verify', core).code, 0);
      const said = gdb(
        core,
        'bt',
        'p core.phase',
        'p panic_record.reason',
        'p panic_record.pc == $pc',
        'p $sp',
      );
      assert.match(said, /^#0 .* at firmware\.c:\d+$/m);
      assert.match(said, /^#\d+ .*\bZ_firmwareZ_cycle \(/m);
      assert.match(said, /^#\d+ .*\bZ_cpuZ_cycle .* at \.\/boards\/native\/main\.c:\d+$/m);
      assert.match(said, /^#\d+ .*\bmain \(\) at \.\/boards\/native\/main\.c:\d+$/m);
      assert.match(said, /^\$1 = PHASE_CONSOLE$/m);
      assert.match(said, /^\$2 = PANIC_TRAP$/m);
      assert.match(said, /^\$3 = 1$/m);
      assert.match(said, /^\$4 = .*0x2000[0-9a-f]{4}\b/m);
    }
  },
);

function gdb(core: string, ...commands: string[]): string {
  const words = commands.flatMap((command) => ['-ex', command]);
  const { code, out, err } = tell('gdb-multiarch', ['-nx', '-batch', ELF, core, ...words]);
  assert.is(code, 0, err);
  return out;
}

test.run();
