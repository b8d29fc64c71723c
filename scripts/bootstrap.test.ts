import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT } from './repository.ts';

const SCRIPTS = ['bootstrap.mjs', 'build.mjs', 'build-debug.mjs', 'setup-lock.mjs', 'launch.mjs'];
const STAMP = 'node_modules/.sparecore-installed';
const MANIFEST = { name: 'tree', version: '1.0.0', type: 'module', license: 'Apache-2.0' };

/** A tree with the real scripts, a lock-file without packages, and one TypeScript and one AssemblyScript source. */
function inTree(work: (root: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const root = mkdtempSync(join(tmpdir(), 'sparecore-tree-'));
    try {
      for (const folder of ['scripts', 'asm', 'firmware', 'boards']) mkdirSync(join(root, folder));
      for (const file of SCRIPTS) cpSync(join(ROOT, 'scripts', file), join(root, 'scripts', file));
      cpSync(join(ROOT, 'asm/glue'), join(root, 'asm/glue'), { recursive: true });
      for (const file of ['asconfig.json', 'asm/asconfig.json', 'tsconfig.json', 'LICENSE']) {
        cpSync(join(ROOT, file), join(root, file));
      }
      writeFileSync(join(root, 'package.json'), JSON.stringify(MANIFEST));
      const lock = { ...MANIFEST, lockfileVersion: 3, requires: true, packages: { '': MANIFEST } };
      writeFileSync(join(root, 'package-lock.json'), JSON.stringify(lock));
      writeFileSync(join(root, 'asm/index.ts'), 'export function one(): u32 {\n  return load<u32>(64);\n}\n');
      writeFileSync(
        join(root, 'scripts/sparecore.ts'),
        `console.log('started', ...process.argv.slice(2));\n`,
      );
      await work(root);
    } finally {
      rmSync(root, { recursive: true });
    }
  };
}

interface Run {
  code: number | null;
  errors: string;
  output: string;
}

function node(root: string, ...args: string[]): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  return { code: status, output: stdout, errors: stderr };
}

const installOnly = (root: string): Run => node(root, 'scripts/bootstrap.mjs', '--install-only');
const build = (root: string): Run => node(root, 'scripts/build.mjs');

/** Takes the packages of this repository instead of installing them. */
function borrowPackages(root: string): void {
  rmSync(join(root, 'node_modules'), { recursive: true, force: true });
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  cpSync(join(ROOT, 'package-lock.json'), join(root, 'package-lock.json'));
}

test(
  'the first set-up installs, the second is silent, and a changed lock-file installs again',
  inTree((root) => {
    const first = installOnly(root);
    assert.is(first.code, 0, first.errors);
    assert.match(first.errors, /installing packages/);
    assert.ok(existsSync(join(root, STAMP)));
    assert.equal(installOnly(root), { code: 0, output: '', errors: '' });
    writeFileSync(
      join(root, 'package-lock.json'),
      `${readFileSync(join(root, 'package-lock.json'), 'utf8')}\n`,
    );
    assert.match(installOnly(root).errors, /installing packages/);
  }),
);

test(
  'a failed installation is one line that says what to do, and leaves no stamp',
  inTree((root) => {
    writeFileSync(
      join(root, 'package.json'),
      JSON.stringify({ ...MANIFEST, dependencies: { uvu: '0.5.6' } }),
    );
    const { code, errors } = installOnly(root);
    assert.is(code, 1);
    assert.match(
      errors,
      /^sparecore: installing.*\nsparecore: npm ci failed \(.+\): check the network .*\n$/,
    );
    assert.not.ok(existsSync(join(root, STAMP)));
  }),
);

test(
  'two set-ups at once install once',
  inTree(async (root) => {
    const runs = [1, 2, 3].map(
      () =>
        new Promise<string>((resolve) => {
          const child = spawn(process.execPath, ['scripts/bootstrap.mjs', '--install-only'], { cwd: root });
          let errors = '';
          child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
          // On a slow machine those that come later say that they wait.
          const told = (): string => errors.replace(/^sparecore: waiting for another set-up.*\n/gm, '');
          child.on('close', (code) => resolve(`${code} ${told()}`.trim()));
        }),
    );
    const ended = (await Promise.all(runs)).toSorted();
    assert.equal(ended, ['0', '0', '0 sparecore: installing packages (once for each lock-file)']);
  }),
);

test(
  'the lock of a process that is gone does not stop a set-up',
  inTree((root) => {
    const gone = spawnSync(process.execPath, ['-e', '0']).pid;
    mkdirSync(join(root, 'build'));
    writeFileSync(
      join(root, 'build/.setup-lock'),
      JSON.stringify({ pid: gone, start: '1', host: hostname() }),
    );
    assert.is(installOnly(root).code, 0);
    assert.not.ok(existsSync(join(root, 'build/.setup-lock')));
  }),
);

test(
  'a build is not repeated until an input or an output changes',
  inTree((root) => {
    borrowPackages(root);
    const again = `const { build, isBuilt } = await import('./scripts/build.mjs');
      const before = isBuilt();
      const failures = await build({ onlyChanged: true });
      console.log(before, failures.length, isBuilt());`;
    const rebuild = (): string =>
      node(root, '--input-type=module', '-e', again).output.split('\n').at(-2) ?? '';
    assert.is(build(root).code, 0);
    assert.is(rebuild(), 'true 0 true');
    writeFileSync(join(root, 'asm/index.ts'), 'export function two(): u32 {\n  return 2;\n}\n');
    assert.is(rebuild(), 'false 0 true');
    rmSync(join(root, 'asm/pkg'), { recursive: true });
    assert.is(rebuild(), 'false 0 true');
    assert.ok(existsSync(join(root, 'asm/pkg/disk-io.wasm')));
  }),
);

test(
  'a build that fails says why, leaves no stamp, and what asc or tsc said',
  inTree((root) => {
    borrowPackages(root);
    assert.is(build(root).code, 0);
    writeFileSync(join(root, 'asm/index.ts'), 'export function f(): u32 {\n  return missing;\n}\n');
    writeFileSync(join(root, 'boards/a.ts'), `export const a: number = '';\n`);
    const { code, errors } = build(root);
    assert.is(code, 1);
    assert.match(errors, /asm\/asconfig\.json.*[^]*missing.*[^]*asm\/index\.ts\(2,10\)/);
    assert.match(errors, /boards\/a\.ts\(1,14\): error TS2322/);
    assert.not.ok(existsSync(join(root, 'build/.stamps/disk-io')));
    assert.not.ok(existsSync(join(root, 'build/.stamps/js')));
  }),
);

test(
  'JavaScript of a source that is gone is removed',
  inTree((root) => {
    borrowPackages(root);
    writeFileSync(join(root, 'boards/a.ts'), 'export const a = 1;\n');
    build(root);
    assert.ok(existsSync(join(root, 'build/js/boards/a.js')));
    rmSync(join(root, 'boards/a.ts'));
    build(root);
    assert.not.ok(existsSync(join(root, 'build/js/boards/a.js')));
  }),
);

test(
  'no module runs code by itself: a host that instantiates one has started nothing',
  inTree((root) => {
    borrowPackages(root);
    writeFileSync(
      join(root, 'asm/index.ts'),
      `let made: u32 = compute();
      function compute(): u32 {
        store<u32>(64, 7);
        return load<u32>(64);
      }
      export function get(): u32 {
        return made;
      }`,
    );
    assert.is(build(root).code, 0);
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536 });
    const module = new WebAssembly.Module(readFileSync(join(root, 'asm/pkg/disk-io.wasm')));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const cell = new Uint32Array(memory.buffer, 64, 1);
    assert.is(cell[0], 0);
    (exports['start'] as () => void)();
    assert.is(cell[0], 7);
  }),
);

test(
  'the command starts from a clean tree and passes its arguments on',
  inTree((root) => {
    borrowPackages(root);
    assert.is(build(root).code, 0);
    rmSync(join(root, 'scripts/bootstrap.mjs')); // as in an installed package
    assert.is(node(root, 'scripts/launch.mjs', 'run', '--x').output, 'started run --x\n');
  }),
);

test.run();
