import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { testUnless } from './harness.ts';
import { ROOT } from './repository.ts';

const PACKAGE = join(ROOT, 'asm/pkg');
const MANIFEST = { name: 'user', version: '1.0.0', private: true, type: 'module' };
const USE = `
import { compile, instantiate, instantiateSync, wasmUrl } from '@sparecore/disk-io';
import { existsSync } from 'node:fs';
const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536 });
const io = await instantiate({ memory });
const again = instantiateSync();
console.log(JSON.stringify({
  file: existsSync(wasmUrl),
  module: compile() instanceof WebAssembly.Module,
  own: io.memory === memory && again.memory !== memory,
  functions: Object.values(io).filter((each) => typeof each === 'function').length > 0,
}));
`;

const missing = existsSync(join(PACKAGE, 'disk-io.wasm')) ? null : 'asm/pkg is not built';

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  assert.is(status, 0, `${command} ${args.join(' ')}: ${error?.message ?? stderr + stdout}`);
  return stdout;
}

/** A project beside nothing of this repository. */
function inProject(work: (folder: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sparecore-pkg-'));
    try {
      writeFileSync(join(folder, 'package.json'), JSON.stringify(MANIFEST));
      writeFileSync(join(folder, 'use.js'), USE);
      await work(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

const install = (folder: string, what: string): string =>
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', what], folder);

function assertUsable(folder: string): void {
  assert.equal(JSON.parse(run(process.execPath, ['use.js'], folder)), {
    file: true,
    module: true,
    own: true,
    functions: true,
  });
}

testUnless(
  missing,
  'another project installs the folder of the disk I/O module and uses it',
  inProject((folder) => {
    install(folder, PACKAGE);
    assertUsable(folder);
  }),
);

testUnless(
  missing,
  'the packed module is self-contained: installed from its archive it works and type-checks',
  inProject((folder) => {
    mkdirSync(join(folder, 'packed'));
    run('npm', ['pack', PACKAGE, '--pack-destination', 'packed'], folder);
    const [archive, ...others] = readdirSync(join(folder, 'packed'));
    assert.equal(others, []);
    install(folder, `./packed/${archive}`);
    assertUsable(folder);
    writeFileSync(
      join(folder, 'use.ts'),
      `import { instantiate, type DiskIo } from '@sparecore/disk-io';
export const io: Promise<DiskIo> = instantiate();
export const bytes: number = (await io).memory.buffer.byteLength;`,
    );
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--lib',
      'es2023,dom',
    ];
    run(
      process.execPath,
      [join(ROOT, 'node_modules/typescript/bin/tsc'), ...options, '--types', '', 'use.ts'],
      folder,
    );
  }),
);

testUnless(missing, 'publint has nothing to say about the package', async () => {
  const { messages, pkg } = await publint({ pkgDir: PACKAGE, strict: true });
  assert.equal(
    messages.map((message) => formatMessage(message, pkg, { color: false })),
    [],
  );
});

testUnless(missing, 'publint has nothing to say about sparecore itself', async () => {
  const { messages, pkg } = await publint({ pkgDir: ROOT, strict: true });
  // "exports" of the module's folder: used by those who install that folder alone
  const others = messages.filter(({ code }) => code !== 'NESTED_PACKAGE_JSON_FIELD_IGNORED');
  assert.equal(
    others.map((message) => formatMessage(message, pkg, { color: false })),
    [],
  );
});

test.run();
