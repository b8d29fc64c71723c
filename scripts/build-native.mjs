// Builds what runs on a Cortex-M3: bootloader.elf, and the agent and the firmware as sparecore.elf and sparecore.bin, the
// payload of an image; all as C, with the board support of boards/native. Needs wasm2c (wabt) and the GNU tools for ARM;
// what the wasm build makes must be there.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './build.mjs';
import { withLock } from './setup-lock.mjs';

const FOLDER = 'build/native';
const SUPPORT = 'boards/native';
const GCC = 'arm-none-eabi-gcc';
const PACKAGES = {
  wasm2c: 'wabt',
  [GCC]: 'gcc-arm-none-eabi and libnewlib-arm-none-eabi',
  'arm-none-eabi-objdump': 'binutils-arm-none-eabi',
};
/** Neither a signal handler nor a count: a stack that overflows runs into addresses where nothing is, a bus fault. */
const FLAGS = [
  '-mcpu=cortex-m3',
  '-mthumb',
  '-O2',
  '-g',
  '-ffreestanding',
  '-ffunction-sections',
  '-DNDEBUG',
  '-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0',
  '-DWASM_RT_USE_STACK_DEPTH_COUNT=0',
  '-std=gnu11',
];
const MODULES = {
  agent: 'build/attached.wasm',
  firmware: 'build/firmware-mcu.wasm',
  bootloader: 'build/bootloader.wasm',
};
const PROGRAMS = [
  { name: 'bootloader', modules: ['bootloader'], main: 'boot.c', script: 'boot.ld', isDebugged: false },
  {
    name: 'sparecore',
    modules: ['agent', 'firmware'],
    main: 'main.c',
    script: 'program.ld',
    isDebugged: true,
  },
];
const STRUCTURES = ['build/debug/sparecore.c', 'build/debug/layout.json'];
const SHARED = ['startup.c', 'uart.c', 'flash.c'];

/** Runs a tool; one clear line when it is missing or fails. */
function tool(root, name, parameters) {
  const run = spawnSync(name, parameters, { cwd: join(root, FOLDER), encoding: 'utf8' });
  if (run.error?.code === 'ENOENT')
    throw new Error(
      `${name} is not installed; Debian has it in ${PACKAGES[name] ?? 'binutils-arm-none-eabi'}`,
    );
  if (run.status !== 0)
    throw new Error(`${name} ${parameters.join(' ')}:\n${(run.stderr ?? String(run.error)).trim()}`);
  return run.stdout;
}

/** Of everything that the image is made of. */
function buildId(root) {
  const hash = createHash('sha256').update(FLAGS.join(' '));
  const support = readdirSync(join(root, SUPPORT)).filter((file) => /\.(c|h|ld)$/.test(file));
  for (const path of [...Object.values(MODULES), ...support.toSorted().map((file) => `${SUPPORT}/${file}`)])
    hash.update(`\0${path}\0`).update(readFileSync(join(root, path)));
  return hash.digest('hex').slice(0, 16);
}

/** The device that the firmware imports as DEVICE.NAME is the agent's function DEVICE_NAME. */
function renames(wasm) {
  return WebAssembly.Module.imports(new WebAssembly.Module(wasm))
    .filter(({ kind }) => kind === 'function')
    .map(({ module, name }) => {
      const [from, to] = [module, `${module}_${name}`];
      return `-DZ_${from}Z_${name}=Z_agentZ_${to}`;
    });
}

/** wasm2c ends well without having read or written anything: only what it wrote tells. */
function toC(root, name, path) {
  if (!existsSync(join(root, path))) throw new Error(`${path} is not there: npm run build makes it`);
  const out = join(root, FOLDER, `${name}.c`);
  rmSync(out, { force: true });
  tool(root, 'wasm2c', ['-n', name, join(root, path), '-o', `${name}.c`]);
  if (!existsSync(out) || !readFileSync(out, 'utf8').includes(`void Z_${name}_instantiate(`))
    throw new Error(`wasm2c: made no whole C file of ${path}`);
}

/** Structures of the firmware as gdb finds them: names in board RAM, which the image has no bytes of. */
function placedSymbols(symbols) {
  const sections = symbols.map(
    ({ name, address }) => `  .${name} board_ram + ${address} (NOLOAD) : { KEEP(*(.${name})) } :NONE`,
  );
  return [...sections, '  .types 0xffff0000 (NOLOAD) : { KEEP(*(.types)) } :NONE', ''].join('\n');
}

/** The runtime's header is that of the wasm2c that is there. */
function copyRuntime(root) {
  const folder = (process.env.PATH ?? '').split(delimiter).find((each) => existsSync(join(each, 'wasm2c')));
  const header = join(folder ?? '', '../include/wasm-rt.h');
  if (!existsSync(header)) throw new Error(`${header}, which belongs to wasm2c, is not there`);
  copyFileSync(header, join(root, FOLDER, 'wasm-rt.h'));
}

async function constants(root) {
  const B = await import(pathToFileURL(join(root, 'build/js/firmware/bootloader/layout.js')).href);
  return [
    `-DCONFIRMED_AT=${B.CONFIRMED_AT}u`,
    `-DHEADER_WORDS=${B.HEADER_BYTES / 4}`,
    `-DHEADER_SIZE_WORD=${B.HEADER_SIZE_AT / 4}`,
    `-DHEADER_IMAGE_WORD=${B.HEADER_IMAGE_AT / 4}`,
    `-DBUILD_ID="${buildId(root)}"`,
  ];
}

/** Bytes of code and of what variables begin with, and of RAM without that of the board itself. */
function sizes(root, name) {
  const found = { code: 0, ram: 0 };
  for (const line of tool(root, 'arm-none-eabi-objdump', ['-h', `${name}.elf`]).split('\n')) {
    const [, section, bytes] = /^\s*\d+\s+(\S+)\s+([0-9a-f]{8})/.exec(line) ?? [];
    if (['.text', '.ARM.exidx', '.data'].includes(section)) found.code += parseInt(bytes, 16);
    if (section === '.data' || section === '.bss') found.ram += parseInt(bytes, 16);
  }
  return found;
}

/** Lines of boards/native that are code, neither blank nor comment, in files that end so. */
export function supportLines(ending, root = ROOT) {
  const files = readdirSync(join(root, SUPPORT)).filter((file) => file.endsWith(ending));
  const code = files.map((file) =>
    readFileSync(join(root, SUPPORT, file), 'utf8').replaceAll(/\/\*[^]*?\*\//g, ''),
  );
  return code
    .join('\n')
    .split('\n')
    .filter((line) => line.trim() !== '').length;
}

/** The objects of the firmware's structures. */
function compileStructures(root, compile) {
  // Its way to say that a section has no bytes is for another assembler; here the linker script says so.
  const structures = readFileSync(join(root, 'build/debug/sparecore.c'), 'utf8');
  writeFileSync(join(root, FOLDER, 'structures.c'), structures.replaceAll(',\\"aw\\",@nobits#', ''));
  compile('structures.c', 'structures.o', [
    '-I../debug',
    '-w',
    '-fno-short-enums',
    '-fno-eliminate-unused-debug-types',
  ]);
  const { symbols } = JSON.parse(readFileSync(join(root, 'build/debug/layout.json'), 'utf8'));
  writeFileSync(join(root, FOLDER, 'structures.ld'), placedSymbols(symbols));
}

const MADE = [...PROGRAMS.map(({ name }) => `${name}.elf`), 'sparecore.bin'];

/** Of all that is read here; kept beside what is made of it. */
function stampOf(root) {
  const hash = createHash('sha256').update(buildId(root));
  for (const path of [import.meta.filename, ...STRUCTURES.map((each) => join(root, each))])
    hash.update(readFileSync(path));
  return hash.digest('hex');
}

/** Builds both programs where anything has changed, and returns their sizes. */
export function buildNative(root = ROOT) {
  const folder = join(root, FOLDER);
  mkdirSync(folder, { recursive: true });
  return withLock(join(folder, '.lock'), async () => {
    const stamp = join(folder, '.stamp');
    const wanted = stampOf(root);
    const isThere = MADE.every((each) => existsSync(join(folder, each)));
    if (!isThere || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
      rmSync(stamp, { force: true });
      await build(root);
      writeFileSync(stamp, wanted);
    }
    return Object.fromEntries(PROGRAMS.map(({ name }) => [name, sizes(root, name)]));
  });
}

async function build(root) {
  for (const { name } of PROGRAMS) rmSync(join(root, FOLDER, `${name}.elf`), { force: true });
  for (const [name, path] of Object.entries(MODULES)) toC(root, name, path);
  copyRuntime(root);
  const flags = [...FLAGS, `-ffile-prefix-map=${root}=.`, '-I.', `-I${join(root, SUPPORT)}`];
  const compile = (source, out, more) => tool(root, GCC, [...flags, ...more, '-c', source, '-o', out]);
  compile('agent.c', 'agent.o', ['-w']);
  compile('bootloader.c', 'bootloader.o', ['-w']);
  compile('firmware.c', 'firmware.o', ['-w', ...renames(readFileSync(join(root, MODULES.firmware)))]);
  const more = ['-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter', ...(await constants(root))];
  for (const file of [...SHARED, ...PROGRAMS.map(({ main }) => main)])
    compile(join(root, SUPPORT, file), `${file}.o`, more);
  compileStructures(root, compile);
  for (const { name, modules, main, script, isDebugged } of PROGRAMS)
    tool(root, GCC, [
      ...flags,
      '-nostartfiles',
      '-Wl,--gc-sections,--fatal-warnings,--no-enum-size-warning,--build-id=none',
      `-L${join(root, SUPPORT)}`,
      '-L.',
      `-T${join(root, SUPPORT, script)}`,
      ...modules.map((module) => `${module}.o`),
      ...[main, ...SHARED].map((file) => `${file}.o`),
      ...(isDebugged ? ['structures.o'] : []),
      '-o',
      `${name}.elf`,
    ]);
  tool(root, 'arm-none-eabi-objcopy', ['-O', 'binary', 'sparecore.elf', 'sparecore.bin']);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  try {
    for (const [name, { code, ram }] of Object.entries(await buildNative()))
      console.log(`${FOLDER}/${name}.elf: flash ${code} bytes, RAM ${ram} bytes besides that of the board`);
    console.log(`${SUPPORT}: ${supportLines('.c')} lines of C, ${supportLines('.h')} of their header`);
  } catch (error) {
    console.error(`build-native.mjs: ${error.message}`);
    process.exitCode = 1;
  }
}
