/** The tools that people have, on what `sparecore core` makes and serves: gdb, readelf, drgn. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import * as F from '../firmware/layout.ts';
import { core, cutDump } from './core.test-helper.ts';
import { needsTool, testUnless } from './harness.ts';
import { ROOT } from './repository.ts';

const disks = cutDump();
test.after(disks.remove);
const IMAGE = disks.image('a.spare.0');
const CORE = disks.file('core');
assert.is(core('extract', IMAGE, '-o', CORE).code, 0);

const OBJECT = join(ROOT, 'build/debug/sparecore.o');
const PROGRAM = join(ROOT, 'build/debug/sparecore.elf');
const GDB = [needsTool('gdb'), needsTool('gcc')];
const CLI = join(ROOT, 'build/js/scripts/sparecore.js');

function tool(name: string, ...parameters: string[]): string {
  const { status, stdout, stderr } = spawnSync(name, parameters, {
    encoding: 'utf8',
    cwd: ROOT,
    maxBuffer: 1 << 28,
    timeout: 60_000,
    env: { ...process.env, LC_ALL: 'C', DEBUGINFOD_URLS: '' },
  });
  assert.is(status, 0, `${name}: ${stderr}${stdout}`);
  return stdout + stderr;
}

const gdb = (files: readonly string[], ...commands: string[]): string =>
  tool('gdb', '-nx', '-batch', ...files, ...commands.flatMap((command) => ['-ex', command]));

/** What `sparecore core print` says of a field. */
function field(what: string): string {
  return String(
    Object.values(Object.values(JSON.parse(core('print', IMAGE, what, '--json').out))[0] as object)[0],
  );
}

/** Of the first chunk that the dump did not reach. */
const MISSING =
  JSON.parse(core('info', IMAGE, '--json').out).memory.missing_ranges[0].first_chunk * L.CHUNK_BYTES;

testUnless(GDB, 'gdb prints the firmware’s structures out of a core file, by name and by address', () => {
  const said = gdb(
    [PROGRAM, CORE],
    'p core.phase',
    'p core.epoch',
    'p disks[3].wwn',
    'p panic_record.text',
    'p panic_record.reason',
    'info symbol 0x42000',
  );
  assert.match(said, /^\$1 = PHASE_CONSOLE$/m);
  assert.match(said, /^\$2 = 1$/m);
  assert.match(said, new RegExp(`^\\$3 = ${field('disks[3].wwn')}$`, 'm'));
  assert.match(said, /^\$4 = "failed on request of the console"/m);
  assert.match(said, /^\$5 = PANIC_ASSERT$/m);
  assert.match(said, /^disks in section /m);
});

testUnless(GDB, 'the debug object alone does as well: add-symbol-file, p *(struct core *), ptype /o', () => {
  const said = gdb(
    [`--core=${CORE}`],
    `add-symbol-file ${OBJECT}`,
    `p (*(struct core *)${F.CORE_AT}).system`,
    `p *(struct disk *)${F.DISKS_AT + F.DISK_BYTES}`,
    'ptype /o struct disk',
  );
  assert.match(said, /^\$1 = 1001$/m);
  assert.match(said, /^\$2 = \{present = 1 .*owner = 1001, wwn = \d+/m);
  for (const name of ['wwn', 'blocks', 'holder', 'attribute', 'label_holder']) {
    const { at, bytes } = JSON.parse(tool(process.execPath, '-e', FIELD, name));
    assert.match(said, new RegExp(`^/\\* +${at} +\\| +${bytes} \\*/ +\\S.* ${name};$`, 'm'));
  }
  assert.match(said, /total size \(bytes\): {2}256 /);
});

const FIELD = `const l = JSON.parse(require('fs').readFileSync('build/debug/layout.json'));
console.log(JSON.stringify(l.structs.find((s) => s.name === 'disk').fields.find((f) => f.name === process.argv[1])))`;

interface Server {
  port: string;
  /** Resolves with its exit code. */
  ended: Promise<number | null>;
  kill: () => void;
}

/** `core gdb` on a port that it picks itself. */
async function server(...parameters: string[]): Promise<Server> {
  const child = spawn(process.execPath, [CLI, 'core', 'gdb', ...parameters], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const port = /^listening on 127\.0\.0\.1:(\d+): /.exec(line)?.[1];
  if (port === undefined) throw new Error(line);
  return { port, ended, kill: () => void child.kill() };
}

testUnless(
  GDB,
  'gdb attaches to the image of a dump, reads structures and memory, and none that is missing',
  async () => {
    const { port, ended, kill } = await server(IMAGE, '--once');
    try {
      const said = await gdbAsync(
        PROGRAM,
        `target remote 127.0.0.1:${port}`,
        'p core.phase',
        'p disks[3].wwn',
        'p/x $eip',
        'p $esp',
        `x/4cb ${F.RECORD_AT}`,
        `x/wx ${MISSING - 4}`,
        `x/wx ${MISSING}`,
        `monitor why ${MISSING}`,
        'monitor info',
        'info threads',
        'set var core.phase = 1',
        'continue',
        'p core.phase',
        'detach',
      );
      assert.match(said, /^\$1 = PHASE_CONSOLE$/m);
      assert.match(said, new RegExp(`^\\$2 = ${field('disks[3].wwn')}$`, 'm'));
      assert.match(said, new RegExp(`^\\$3 = 0x${Number(field('panic_record.pc')).toString(16)}$`, 'm'));
      assert.match(said, /^\$4 = <unavailable>$/m);
      assert.match(said, /<panic_record>:\s+83 'S'\s+67 'C'\s+80 'P'\s+82 'R'/);
      assert.match(said, new RegExp(`Cannot access memory at address 0x${MISSING.toString(16)}`));
      assert.match(said, /: unreached: the dump did not get there$/m);
      assert.match(said, /^PANIC: failed assert: "failed on request of the console"$/m);
      assert.match(said, /Thread 1 \(dump image .*a\.spare\.0\.img\)/);
      assert.match(said, /Cannot access memory at address 0x40014/, 'nothing is written');
      assert.match(said, /Remote failure reply: E01/, 'nothing runs');
      assert.match(said, /^\$5 = PHASE_CONSOLE$/m);
      assert.is(await ended, 0, 'it ends when gdb has gone');
    } finally {
      kill();
    }
  },
);

/** While the server lives in this process's care, gdb must not block it. */
async function gdbAsync(program: string, ...commands: string[]): Promise<string> {
  const child = spawn('gdb', ['-nx', '-batch', program, ...commands.flatMap((command) => ['-ex', command])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', DEBUGINFOD_URLS: '' },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (said += part));
  await once(child, 'close');
  return said;
}

testUnless(GDB, 'gdb starts the server itself, on standard streams', () => {
  const remote = `target remote | ${process.execPath} ${CLI} core gdb --stdio ${CORE}`;
  const said = gdb([PROGRAM], remote, 'p core.system', 'monitor log');
  assert.match(said, /^\$1 = 1001$/m);
  assert.match(said, /^\[ +0\.\d+\] boot epoch 1$/m);
});

testUnless(needsTool('readelf'), 'readelf reads what extract and export write, without a warning', () => {
  const exported = disks.file('exported');
  assert.is(core('export', disks.image('a.root'), '--format', 'elf', '-o', exported).code, 0);
  for (const path of [CORE, exported]) {
    const said = tool('readelf', '-a', '-W', path);
    assert.match(said, /CORE \(Core file\)/);
    assert.match(said, /NT_PRSTATUS/);
    assert.is(said.match(/^ {2}sparecore /gm)?.length, 5);
    assert.not.match(said, /warning|error|<corrupt/i);
  }
});

testUnless([needsTool('drgn'), needsTool('gcc')], 'drgn reads the structures out of the core file', () => {
  const script = disks.file('drgn.py');
  writeScript(script);
  const said = tool('drgn', '--quiet', '-c', CORE, '-s', PROGRAM, script);
  assert.match(said, /^system 1001$/m);
  assert.match(said, /^epoch 1$/m);
  assert.match(said, new RegExp(`^wwn ${field('disks[3].wwn')}$`, 'm'));
  assert.match(said, /^text failed on request of the console$/m);
  assert.match(said, /^disk 256 24$/m);
  assert.match(said, /^missing fault$/m);
});

function writeScript(path: string): void {
  writeFileSync(
    path,
    `from drgn import FaultError, Object
core = Object(prog, prog.type('struct core'), address=${F.CORE_AT})
print('system', core.system.value_())
print('epoch', core.epoch.value_())
print('wwn', prog['disks'][3].wwn.value_())
print('text', prog['panic_record'].text.string_().decode())
disk = prog.type('struct disk')
print('disk', disk.size, [m.offset for m in disk.members if m.name == 'wwn'][0])
try:
    print('missing', prog.read(${MISSING}, 4))
except FaultError:
    print('missing fault')
`,
  );
}

test.run();
