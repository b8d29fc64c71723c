// Builds the wasm modules, the package around the first of them, and the JavaScript.
// Top level of Node built-ins only: the bootstrap imports this file before `npm ci` has run.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DEBUG_OUTPUTS, buildDebug } from './build-debug.mjs';
import { withLock } from './setup-lock.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const LOCK = 'build/.setup-lock';

/** What asc makes: one module a configuration, from the sources of the folders named. */
const MODULES = [
  {
    name: 'disk-io',
    config: 'asm/asconfig.json',
    entry: 'asm/index.ts',
    out: 'asm/pkg/disk-io.wasm',
    folders: ['asm'],
  },
  {
    name: 'firmware',
    config: 'firmware/asconfig.json',
    entry: 'firmware/main.ts',
    out: 'build/firmware.wasm',
    folders: ['asm', 'firmware'],
  },
  {
    name: 'firmware-smp',
    config: 'firmware/asconfig.smp.json',
    entry: 'firmware/second.ts',
    out: 'build/firmware-smp.wasm',
    folders: ['asm', 'firmware'],
  },
  {
    name: 'firmware-mcu',
    config: 'firmware/asconfig.mcu.json',
    entry: 'firmware/main.ts',
    out: 'build/firmware-mcu.wasm',
    folders: ['asm', 'firmware'],
  },
  {
    name: 'attached',
    config: 'firmware/attached/asconfig.json',
    entry: 'firmware/attached/main.ts',
    out: 'build/attached.wasm',
    folders: ['asm', 'firmware'],
  },
  {
    name: 'bootloader',
    config: 'firmware/bootloader/asconfig.json',
    entry: 'firmware/bootloader/main.ts',
    out: 'build/bootloader.wasm',
    folders: ['asm', 'firmware'],
  },
];

const isTest = (path) => path.endsWith('.test.ts');
const isBuildInput = (path) => /\.(ts|js|mjs|json|md)$/.test(path);

/** Every file under `folder`, as paths with '/' from the root, sorted; generated parts are left out. */
function filesUnder(root, folder) {
  const found = [];
  const walk = (path) => {
    for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
      const child = `${path}/${entry.name}`;
      if (entry.isDirectory()) {
        if (entry.name !== 'node_modules' && child !== 'asm/pkg') walk(child);
      } else found.push(child);
    }
  };
  if (existsSync(join(root, folder))) walk(folder);
  return found.toSorted();
}

function hashOf(root, files) {
  const hash = createHash('sha256').update(process.version);
  for (const file of files) {
    const path = join(root, file);
    hash.update(`\0${file}\0`).update(existsSync(path) ? readFileSync(path) : 'absent');
  }
  return hash.digest('hex');
}

const asSources = (root, folders) =>
  folders.flatMap((folder) =>
    filesUnder(root, folder).filter(
      (path) => /\.(ts|json)$/.test(path) && !isTest(path) && !path.startsWith('asm/glue/'),
    ),
  );

/** Section 8 of a module is code that runs at instantiation. */
function hasStartSection(bytes) {
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (id === 8) return true;
    at += size >>> 0;
  }
  return false;
}

function writeWhole(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}.unfinished`;
  writeFileSync(unfinished, contents);
  renameSync(unfinished, path); // a process that is reading the old one is not disturbed
}

async function compileModule(root, { name, config, entry, out }) {
  if (!existsSync(join(root, entry))) return `${entry} does not exist yet: ${name} is not built`;
  const { default: asc } = await import('assemblyscript/asc');
  const outputs = new Map();
  let messages = '';
  const { error } = await asc.main(['--config', config, '--target', 'release', '--baseDir', root], {
    writeFile: (path, contents) => void outputs.set(resolve(root, path), contents),
    stderr: { write: (text) => void (messages += text) },
  });
  if (error) throw new Error(`asc ${config}: ${error.message}\n${messages.trim()}`);
  const wasm = outputs.get(join(root, out));
  if (wasm === undefined) throw new Error(`asc ${config}: ${out} was not written; see outFile there`);
  if (hasStartSection(wasm)) {
    throw new Error(`asc ${config}: ${out} runs code at instantiation; keep "exportStart" in asconfig.json`);
  }
  for (const [path, contents] of outputs) writeWhole(path, contents);
  return messages.trim();
}

/** The folder that `npm install` and `npm pack` take: the module, its glue and its manifest. */
function assemblePackage(root) {
  const { version, license, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const manifest = {
    name: '@sparecore/disk-io',
    version,
    description: 'The SCSI command path of sparecore as one WebAssembly module',
    license,
    type: 'module',
    sideEffects: false,
    engines,
    exports: {
      '.': { types: './index.d.ts', default: './index.js' },
      './disk-io.wasm': './disk-io.wasm',
      './package.json': './package.json',
    },
    files: ['disk-io.wasm', 'disk-io.wasm.map', 'index.js', 'index.d.ts', 'LICENSE'],
  };
  const folder = join(root, 'asm/pkg');
  for (const file of ['index.js', 'index.d.ts', 'README.md']) {
    writeWhole(join(folder, file), readFileSync(join(root, 'asm/glue', file)));
  }
  if (existsSync(join(root, 'LICENSE'))) copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  writeWhole(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** What tsc left of sources that are gone would still be imported. */
function pruneJavaScript(root) {
  for (const file of filesUnder(root, 'build/js')) {
    const source = relative('build/js', file).replace(/\.js(\.map)?$/, '.ts');
    if (!existsSync(join(root, source))) rmSync(join(root, file));
  }
}

function compileTypeScript(root) {
  const tsc = join(
    dirname(createRequire(join(root, 'package.json')).resolve('typescript/package.json')),
    'bin/tsc',
  );
  const run = spawnSync(process.execPath, [tsc, '--pretty', 'false'], { cwd: root, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`tsc:\n${(run.stdout + run.stderr).trim()}`);
  pruneJavaScript(root);
}

/** The steps in order. A step is done again when one of its inputs or outputs changed. */
function steps(root) {
  const modules = MODULES.map((module) => ({
    name: module.name,
    inputs: () => [
      'asconfig.json',
      'package-lock.json',
      'scripts/build.mjs',
      ...asSources(root, module.folders),
    ],
    outputs: () => (existsSync(join(root, module.entry)) ? [module.out, `${module.out}.map`] : []),
    run: () => compileModule(root, module),
  }));
  const pkg = {
    name: 'package',
    inputs: () => ['package.json', 'LICENSE', 'scripts/build.mjs', ...filesUnder(root, 'asm/glue')],
    outputs: () => ['index.js', 'index.d.ts', 'README.md', 'package.json'].map((file) => `asm/pkg/${file}`),
    run: async () => assemblePackage(root),
  };
  const typeScript = () =>
    ['asm', 'firmware', 'boards', 'scripts']
      .flatMap((folder) => filesUnder(root, folder))
      .filter(isBuildInput);
  const js = {
    name: 'js',
    inputs: () => ['tsconfig.json', 'package.json', 'package-lock.json', ...typeScript()],
    outputs: () =>
      typeScript()
        .filter((path) => /^(boards|scripts)\/.*\.ts$/.test(path) && !path.endsWith('.d.ts'))
        .map((path) => `build/js/${path.slice(0, -'.ts'.length)}.js`),
    run: async () => compileTypeScript(root),
  };
  const debug = {
    name: 'debug',
    inputs: () => ['package-lock.json', 'scripts/build-debug.mjs', ...asSources(root, ['asm', 'firmware'])],
    outputs: () => (existsSync(join(root, 'firmware/memory.ts')) ? DEBUG_OUTPUTS : []),
    run: async () => (existsSync(join(root, 'firmware/memory.ts')) ? buildDebug(root) : ''),
  };
  return [...modules, pkg, js, debug];
}

const stampOf = (root, step) => join(root, 'build/.stamps', step.name);

/** Sizes of the outputs, or null when one is missing. */
function sizes(root, files) {
  const found = {};
  for (const file of files) {
    const stat = statSync(join(root, file), { throwIfNoEntry: false });
    if (stat === undefined) return null;
    found[file] = stat.size;
  }
  return JSON.stringify(found);
}

function isDone(root, step) {
  try {
    const stamp = JSON.parse(readFileSync(stampOf(root, step), 'utf8'));
    return stamp.inputs === hashOf(root, step.inputs()) && stamp.outputs === sizes(root, step.outputs());
  } catch {
    return false; // no stamp: never built, or it ended half way
  }
}

export const isBuilt = (root = ROOT) => steps(root).every((step) => isDone(root, step));

/**
 * Runs the steps, or only those that are not done, and returns the messages of those that failed.
 * One that fails does not keep the next from running. The caller holds the lock.
 */
export async function build({ root = ROOT, onlyChanged = false, say = console.log } = {}) {
  const failures = [];
  for (const step of steps(root)) {
    if (onlyChanged && isDone(root, step)) continue;
    const stamp = stampOf(root, step);
    rmSync(stamp, { force: true });
    const inputs = hashOf(root, step.inputs()); // of before: what changes meanwhile is built next time
    try {
      const note = await step.run();
      if (note) say(`${step.name}: ${note}`);
    } catch (error) {
      failures.push(error.message);
      continue;
    }
    const outputs = sizes(root, step.outputs());
    if (outputs !== null) writeWhole(stamp, JSON.stringify({ inputs, outputs }));
  }
  return failures;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  const failures = await withLock(join(ROOT, LOCK), () => build());
  for (const failure of failures) console.error(failure);
  if (failures.length > 0) {
    console.error(`${basename(import.meta.url)}: ${failures.length} of the build's steps failed`);
    process.exitCode = 1;
  }
}
