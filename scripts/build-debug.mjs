// Writes what debuggers need of the firmware's structures: a C header, the same as JSON for `sparecore core print`, and,
// where gcc and ld are there, an object and a linked file with the debug information and the addresses.
// Node built-ins only at the top level, as in build.mjs.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const DEBUG_OUTPUTS = ['build/debug/sparecore.h', 'build/debug/layout.json'];

/** Files with the structures of a board's memory; a name that two of them have gets a prefix. */
const FILES = [
  { file: 'firmware/memory.ts' },
  { file: 'firmware/seal.ts' },
  { file: 'firmware/order.ts' },
  { file: 'firmware/dump-state.ts' },
  { file: 'firmware/dump-jobs.ts', prefix: 'dump_' },
  { file: 'firmware/save-state.ts' },
  { file: 'asm/dump/writer-state.ts' },
  { file: 'asm/dump/elf/plan.ts' },
  { file: 'asm/volume/exfat/volume.ts', prefix: 'exfat_' },
];

/** Where they lie: name, structure, address, and of a table how many and how far apart. */
const SYMBOLS = (F) => [
  { name: 'core', type: 'core', address: F.CORE_AT },
  { name: 'seal', type: 'seal', address: F.CORE_AT + 0xc00 },
  { name: 'panic_record', type: 'panic_record', address: F.RECORD_AT },
  { name: 'disks', type: 'disk', address: F.DISKS_AT, count: F.DISK_MAX, stride: F.DISK_BYTES },
  { name: 'volumes', type: 'volume', address: F.VOLUMES_AT, count: F.VOLUME_MAX, stride: F.VOLUME_BYTES },
  {
    name: 'commands',
    type: 'command',
    address: F.COMMANDS_AT,
    count: F.COMMAND_MAX,
    stride: F.COMMAND_BYTES,
  },
  { name: 'log_ring', type: 'log_ring', address: F.LOG_AT },
  { name: 'trace_ring', type: 'trace_ring', address: F.TRACE_AT },
  { name: 'save', type: 'save', address: F.SAVE_AT },
  { name: 'dump', type: 'dump', address: F.WORK_AT },
  { name: 'dump_walk', type: 'walk', address: F.WORK_AT + 0x300 },
  { name: 'dump_jobs', type: 'dump_jobs', address: F.JOBS_AT },
  { name: 'dump_ahead', type: 'dump_ahead', address: F.AHEAD_AT },
  {
    name: 'dump_job_ring',
    type: 'dump_job',
    address: F.JOBS_AT + F.JOBS_HEAD_BYTES,
    count: F.JOBS_MAX,
    stride: F.JOB_BYTES,
  },
  { name: 'dump_writer', type: 'writer', address: F.WORK_AT + 0x10000 },
  { name: 'cache', type: 'cache_entry', address: F.CACHE_AT, count: 1024, stride: F.CACHE_ENTRY_BYTES },
];

const BYTES = { u8: 1, i8: 1, bool: 1, u16: 2, i16: 2, u32: 4, i32: 4, usize: 4, u64: 8, i64: 8, f64: 8 };
const C_TYPES = {
  u8: 'uint8_t',
  i8: 'int8_t',
  bool: 'uint8_t',
  u16: 'uint16_t',
  i16: 'int16_t',
  u32: 'uint32_t',
  i32: 'int32_t',
  usize: 'uint32_t',
  u64: 'u64',
  i64: 'i64',
  f64: 'double',
};

const snake = (name) => name.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
const alignTo = (value, size) => Math.ceil(value / size) * size;

/** The classes of a source: C layout, as AssemblyScript gives it to classes without a header. */
export function parseStructs(source, file, prefix = '') {
  const structs = [];
  for (const [, className, body] of source.matchAll(
    /@unmanaged\s+(?:export )?class (\w+) \{\n([^]*?)\n\}/g,
  )) {
    const fields = [];
    let at = 0;
    for (const line of body.split('\n')) {
      const found = /^ {2}(\w+): (\w+);(?:\s*\/\/ ?(.*))?$/.exec(line);
      if (found === null) continue;
      const [, name, type, comment = ''] = found;
      const bytes = BYTES[type];
      if (bytes === undefined) throw new Error(`${file}: ${className}.${name}: no layout for a ${type}`);
      at = alignTo(at, bytes);
      fields.push({ name, type, at, bytes, comment });
      at += bytes;
    }
    structs.push({ name: prefix + snake(className), className, file, bytes: at, fields });
  }
  return structs;
}

/** A record that a layout gives as RECORD_NAME_AT constants with the type first in the comment. */
export function parseRecord(source, layout, prefix, name, bytes) {
  const fields = [];
  const lines = source.matchAll(
    new RegExp(`^export const (${prefix}(\\w+)_AT)\\b[^;]*; // (?:(u32|u64)|(\\d+) bytes)(?:, )?(.*)$`, 'gm'),
  );
  for (const [, constant, field, type, count, comment] of lines) {
    const at = layout[constant];
    if (typeof at !== 'number' || at >= bytes) continue; // a constant of another record
    const own =
      type === undefined
        ? { type: 'char', count: Number(count), bytes: Number(count) }
        : { type, bytes: BYTES[type] };
    fields.push({ name: field.toLowerCase(), at, comment, ...own });
  }
  fields.sort((a, b) => a.at - b.at);
  return { name, className: null, file: null, bytes, fields };
}

const rings = (F) => {
  const text = F.LOG_BYTES / 2;
  const events = 2048;
  return [
    {
      name: 'log_ring',
      bytes: F.LOG_BYTES,
      fields: [
        { name: 'written', type: 'u32', at: 0, bytes: 4, comment: 'bytes ever' },
        { name: 'text', type: 'char', count: text, at: 16, bytes: text, comment: '' },
      ],
    },
    {
      name: 'trace_event',
      bytes: 24,
      fields: [
        { name: 'time', type: 'u64', at: 0, bytes: 8, comment: 'us' },
        { name: 'code', type: 'u32', at: 8, bytes: 4, comment: 'EV_*' },
        { name: 'a', type: 'u32', at: 12, bytes: 4, comment: '' },
        { name: 'b', type: 'u32', at: 16, bytes: 4, comment: '' },
        { name: 'c', type: 'u32', at: 20, bytes: 4, comment: '' },
      ],
    },
    {
      name: 'trace_ring',
      bytes: F.TRACE_BYTES,
      fields: [
        { name: 'written', type: 'u32', at: 0, bytes: 4, comment: 'events ever' },
        { name: 'events', type: 'trace_event', count: events, at: 16, bytes: 24 * events, comment: '' },
      ],
    },
  ];
};

/**
 * Gives each field whose comment names constants as X_* its enum: those of its own file, else of the one shared file
 * that has them.
 */
function nameEnums(structs, text) {
  const enums = {};
  const owners = {};
  const valuesIn = (file, prefix) =>
    [
      ...text(file).matchAll(new RegExp(`^export const (${prefix}[A-Z0-9_]+)(?:: u32)? = (\\d+);`, 'gm')),
    ].filter(([, name]) => !/_(AT|BYTES|MAX|BLOCKS|MAGIC|VERSION)$/.test(name));
  for (const struct of structs) {
    for (const field of struct.fields) {
      const prefix = prefixOf(field.comment);
      if (prefix === undefined || field.bytes > 4) continue;
      const own = struct.file && valuesIn(struct.file, prefix).length > 0 ? [struct.file] : null;
      const files = own ?? SHARED.filter((file) => valuesIn(file, prefix).length > 0);
      if (files.length !== 1) continue;
      const plain = prefix.slice(0, -1).toLowerCase();
      const name = (owners[plain] ?? files[0]) === files[0] ? plain : `${struct.name}_${plain}`;
      owners[name] = files[0];
      enums[name] = Object.fromEntries(
        valuesIn(files[0], prefix).map(([, key, value]) => [key, Number(value)]),
      );
      field.enum = name;
    }
  }
  return enums;
}

/** What several files' fields refer to; savecore's steps and its causes have one prefix, and so no names here. */
const SHARED = [
  'asm/layout.ts',
  'firmware/layout.ts',
  'firmware/memory.ts',
  'firmware/take-state.ts',
  'firmware/save-state.ts',
];

const prefixOf = (comment) => /\b([A-Z]+_)\*/.exec(comment)?.[1];

/** Everything that is known, as `sparecore core print` reads it. */
async function layoutOf(root) {
  // Node keeps a module that it has loaded: another content is another module.
  const load = (file) => {
    const path = join(root, 'build/js', file);
    return import(
      `${pathToFileURL(path).href}?${createHash('sha256').update(readFileSync(path)).digest('hex')}`
    );
  };
  const [F, L] = [await load('firmware/layout.js'), await load('asm/layout.js')];
  const text = (file) => readFileSync(join(root, file), 'utf8');
  const structs = FILES.flatMap(({ file, prefix }) => parseStructs(text(file), file, prefix));
  structs.push(
    parseRecord(text('firmware/layout.ts'), F, 'RECORD_', 'panic_record', F.RECORD_BYTES),
    parseRecord(text('asm/layout.ts'), L, 'HEADER_', 'coredump_header', L.COPY_BYTES),
    parseRecord(text('asm/layout.ts'), L, 'LABEL_', 'label', L.COPY_BYTES),
    ...rings(F),
  );
  const enums = nameEnums(structs, text);
  return { structs, enums, symbols: SYMBOLS(F) };
}

/** Asks the compiler itself where each field is; throws when it is elsewhere than the header says. */
async function checkOffsets(root, structs) {
  const { default: asc } = await import('assemblyscript/asc');
  const own = structs.filter(({ className }) => className !== null && className !== undefined);
  const probeOf = (file) =>
    own
      .filter((struct) => struct.file === file)
      .map(({ name, className, fields }) => {
        const answers = fields.map(
          (field, i) => `if (i == ${i}) return <u32>offsetof<${className}>('${field.name}');`,
        );
        return `export function probe_${name}(i: u32): u32 { ${answers.join(' ')} return <u32>offsetof<${className}>(); }`;
      })
      .join('\n');
  const entry = FILES.map(({ file }) => `export * from './${file.replace(/\.ts$/, '')}';`).join('\n');
  let wasm = null;
  let messages = '';
  const { error } = await asc.main(
    [
      'probe.ts',
      '--baseDir',
      root,
      '--runtime',
      'stub',
      '--importMemory',
      '--outFile',
      'probe.wasm',
      '--use',
      'abort=',
    ],
    {
      readFile: (name) => {
        if (name === 'probe.ts')
          return entry.replace(/export \* from '(.*)';/g, (_, from) => probeExports(from, own));
        const path = join(root, name);
        if (!existsSync(path)) return null;
        const source = readFileSync(path, 'utf8');
        return FILES.some(({ file }) => file === name) ? `${source}\n${probeOf(name)}\n` : source;
      },
      writeFile: (path, contents) => void (wasm = path === 'probe.wasm' ? contents : wasm),
      stderr: { write: (part) => void (messages += part) },
    },
  );
  if (error) throw new Error(`asc: the offsets of the structures: ${error.message}\n${messages.trim()}`);
  const module = new WebAssembly.Module(wasm);
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] =
      kind === 'memory' ? new WebAssembly.Memory({ initial: 16, maximum: 65536 }) : () => 0;
  }
  const { exports } = new WebAssembly.Instance(module, imports);
  for (const { name, fields, bytes } of own) {
    for (const [i, field] of fields.entries()) {
      const at = exports[`probe_${name}`](i);
      if (at !== field.at) throw new Error(`struct ${name}: ${field.name} is at ${at}, not at ${field.at}`);
    }
    const all = exports[`probe_${name}`](fields.length);
    if (all !== bytes) throw new Error(`struct ${name} has ${all} bytes, not ${bytes}`);
  }
}

const probeExports = (from, structs) =>
  `export { ${structs
    .filter(({ file }) => file === `${from.slice(2)}.ts`)
    .map(({ name }) => `probe_${name}`)
    .join(', ')} } from '${from}';`;

/** The room that a structure has in its table. */
const strideOf = (struct, symbols) =>
  symbols.find(({ type }) => type === struct.name)?.stride ?? struct.bytes;

export function headerText({ structs, enums, symbols }) {
  const out = [
    '/* Structures in the memory of a board. Generated by scripts/build-debug.mjs from the firmware: do not edit. */',
    '#pragma once',
    'typedef unsigned char uint8_t; typedef signed char int8_t; typedef unsigned short uint16_t; typedef short int16_t;',
    'typedef unsigned int uint32_t; typedef int int32_t;',
    '/* The i386 ABI aligns these to 4 bytes, AssemblyScript to 8. */',
    'typedef unsigned long long u64 __attribute__((aligned(8)));',
    'typedef long long i64 __attribute__((aligned(8)));',
    '#define OFFSET(type, field) __builtin_offsetof(struct type, field)',
    '',
  ];
  for (const [name, values] of Object.entries(enums)) {
    const entries = Object.entries(values).map(([key, value]) => `  ${key} = ${value}u,`);
    out.push(`enum ${name}_code {`, ...entries, '};', '');
  }
  const byNeed = structs.toSorted(
    (a, b) => Number(b.name === 'trace_event') - Number(a.name === 'trace_event'),
  );
  for (const struct of byNeed) out.push(...structText(struct, strideOf(struct, symbols)), '');
  for (const { name, type, count } of symbols) {
    out.push(`extern struct ${type} ${name}${count === undefined ? '' : `[${count}]`};`);
  }
  return `${out.join('\n')}\n`;
}

function structText({ name, fields, bytes }, room) {
  const lines = [`struct ${name} {`];
  let at = 0;
  for (const field of fields) {
    // What the layout leaves out is there, so that offsets are right.
    const natural = field.count === undefined ? alignTo(at, Math.min(field.bytes, 8)) : at;
    if (field.at > natural) lines.push(`  uint8_t reserved_${at}[${field.at - at}];`);
    const array = field.count === undefined ? '' : `[${field.count}]`;
    const comment = field.comment ? ` /* ${field.comment.replaceAll('*/', '* /')} */` : '';
    lines.push(`  ${cType(field)} ${field.name}${array};${comment}`);
    at = field.at + field.bytes;
  }
  const wide = fields.some(({ bytes: size, count }) => size === 8 && count === undefined);
  const padded = wide ? alignTo(at, 8) : at;
  if (room > padded) lines.push(`  uint8_t reserved_${at}[${room - at}];`);
  lines.push('};');
  for (const field of fields) {
    lines.push(`_Static_assert(OFFSET(${name}, ${field.name}) == ${field.at}, "${name}.${field.name}");`);
  }
  if (room >= bytes && room > padded)
    lines.push(`_Static_assert(sizeof(struct ${name}) == ${room}, "${name}");`);
  return lines;
}

function cType({ type, bytes, enum: named }) {
  if (named !== undefined && bytes === 4) return `enum ${named}_code`;
  if (type === 'char') return 'char';
  return C_TYPES[type] ?? `struct ${type}`;
}

/** A variable a symbol, each in a section that the linker puts at its address: nothing is in the file but names. */
function programText({ structs, symbols }) {
  const used = structs.map(
    ({ name }) => `struct ${name} *type_of_${name} __attribute__((section(".types,\\"aw\\",@nobits#")));`,
  );
  const placed = symbols.map(({ name, type, count }) => {
    const array = count === undefined ? '' : `[${count}]`;
    return `struct ${type} ${name}${array} __attribute__((section(".${name},\\"aw\\",@nobits#")));`;
  });
  return ['#include "sparecore.h"', ...placed, ...used, ''].join('\n');
}

/** With a compiler: sparecore.o to load beside anything, and sparecore.elf as the program whose core it is. */
function compile(root, layout) {
  const folder = join(root, 'build/debug');
  const source = join(folder, 'sparecore.c');
  writeFileSync(source, programText(layout));
  const tool = (name, ...parameters) => spawnSync(name, parameters, { cwd: folder, encoding: 'utf8' });
  for (const file of ['sparecore.o', 'sparecore.elf']) rmSync(join(folder, file), { force: true });
  const gcc = tool(
    'gcc',
    '-m32',
    '-g',
    '-gdwarf-4',
    '-ffreestanding',
    '-fno-pie',
    '-fno-eliminate-unused-debug-types',
    '-w',
    '-c',
    '-o',
    'sparecore.o',
    'sparecore.c',
  );
  if (gcc.error !== undefined) return; // the header and the JSON are there all the same
  if (gcc.status !== 0) throw new Error(`gcc: the structures for debuggers:\n${gcc.stderr.trim()}`);
  const at = layout.symbols.map(({ name, address }) => `--section-start=.${name}=0x${address.toString(16)}`);
  const ld = tool(
    'ld',
    '-m',
    'elf_i386',
    '-e',
    '0',
    '--section-start=.types=0xffff0000',
    ...at,
    '-o',
    'sparecore.elf',
    'sparecore.o',
  );
  if (ld.error === undefined && ld.status !== 0)
    throw new Error(`ld: the symbols for debuggers:\n${ld.stderr.trim()}`);
}

export async function buildDebug(root) {
  const layout = await layoutOf(root);
  await checkOffsets(root, layout.structs);
  mkdirSync(join(root, 'build/debug'), { recursive: true });
  writeFileSync(join(root, 'build/debug/sparecore.h'), headerText(layout));
  compile(root, layout);
  writeFileSync(join(root, 'build/debug/layout.json'), JSON.stringify(layout));
}
