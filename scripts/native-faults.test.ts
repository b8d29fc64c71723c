/** What native code can do that a WebAssembly module cannot: jump to nowhere, and run out of stack. Both are panics. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { signedBuild } from './commands/rig.ts';
import { needsExternal, needsTool, testUnless } from './harness.ts';
import { developmentKey } from './image-keys.ts';
import { ROOT } from './repository.ts';
import { makeFlash, nativePath, qemuParameters } from './rig/kinds.ts';
import { writeSmallPair } from './small-pair.test-helper.ts';

const NEEDS = [
  needsExternal(),
  ...['wasm2c', 'arm-none-eabi-gcc', 'qemu-system-arm', 'gdb-multiarch'].map((each) => needsTool(each)),
];
const SPARECORE = join(ROOT, 'build/js/scripts/sparecore.js');
const scratch = mkdtempSync(join(tmpdir(), 'sparecore-native-faults-'));
const env = { ...process.env, XDG_RUNTIME_DIR: scratch, LC_ALL: 'C', DEBUGINFOD_URLS: '' };
const running = new Set<ChildProcess>();

test.after(() => {
  for (const each of running) each.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});

/** A program; resolves with what it said when it has ended, or when `heard` is in it. */
function run(
  program: string,
  parameters: readonly string[],
  heard?: RegExp,
): Promise<{ said: string; code: number | null }> {
  const child = spawn(program, parameters, {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  });
  running.add(child);
  let said = '';
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (heard?.test(said) === true) resolve({ said, code: null });
      });
    child.once('error', reject);
    child.once('close', (code) => {
      running.delete(child);
      resolve({ said, code });
    });
  });
}

const gdb = (files: readonly string[], commands: readonly string[]): ReturnType<typeof run> =>
  run('gdb-multiarch', ['-nx', '-batch', ...files, ...commands.flatMap((each) => ['-ex', each])]);

/** Runs the pair with board a in QEMU until a cycle once it has a disk for its dump, where a debugger does `harm`; what gdb finds in the core. */
async function afterHarm(name: string, harm: readonly string[]): Promise<string> {
  const [flash, socket, disks, core, scenario] = ['flash', 'gdb', 'disks', 'core', 'scenario.yaml'].map(
    (each) => join(scratch, `${name}.${each}`),
  ) as [string, string, string, string, string];
  makeFlash(flash, developmentKey(), signedBuild('qemu'));
  writeSmallPair(scenario, 1);
  const qemu = [...qemuParameters(flash, 'pty,id=line'), '-gdb', `unix:${socket},server=on,wait=off`, '-S'];
  const { said } = await run('qemu-system-arm', qemu, /redirected to (\S+)/);
  const [, path] = /redirected to (\S+)/.exec(said)!;
  const elf = nativePath('sparecore.elf');
  const commands = [
    `target remote ${socket}`,
    'set confirm off',
    // In RAM that the bootloader has yet to fill, so by hardware.
    'hbreak Z_firmwareZ_cycle if core.coredump != 0xffffffff && core.spares_seen > 0',
    'ignore 1 40',
    'continue',
    'delete',
    ...harm,
    'detach',
  ];
  const debugging = gdb([elf], commands);
  const pair = await run(process.execPath, [
    SPARECORE,
    'run',
    scenario,
    '--disks',
    disks,
    '--board-a',
    `serial:${path}`,
  ]);
  const { said: debugged } = await debugging;
  assert.is(pair.code, 0, pair.said + debugged);
  assert.match(pair.said, /a  PANIC: /);
  assert.match(pair.said, /byte by byte: exact/, pair.said);
  const made = await run(process.execPath, [
    SPARECORE,
    'core',
    'extract',
    join(disks, 'a.spare.0.img'),
    '-o',
    core,
  ]);
  assert.is(made.code, 0, made.said);
  const asked = await gdb([elf, core], ['p panic_record.reason', 'p/x $pc', 'p/x $sp', 'bt']);
  return asked.said;
}

testUnless(NEEDS, 'a jump to where nothing is: the registers of that moment are in the core', async () => {
  const built = await run(process.execPath, ['scripts/build-native.mjs']);
  assert.is(built.code, 0, built.said);
  const said = await afterHarm('jump', ['set $lr = $pc', 'set $pc = 0x60000000']);
  assert.match(said, /^\$1 = PANIC_TRAP$/m);
  assert.match(said, /^\$2 = 0x60000000$/m);
  assert.match(said, /^\$3 = 0x2000[0-9a-f]{4}$/m);
});

testUnless(NEEDS, 'a stack that runs out: the board dumps all the same', async () => {
  const said = await afterHarm('stack', ['set $sp = (unsigned)&stack_bottom + 16']);
  assert.match(said, /^\$1 = PANIC_TRAP$/m);
  assert.match(said, /^\$3 = 0x20000000$/m);
});

test.run();
