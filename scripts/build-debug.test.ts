/** The structures that debuggers are given are those of the sources. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as F from '../firmware/layout.ts';
import { Structs } from '../boards/core/structs.ts';
import { valueOf } from '../boards/core/struct-value.ts';
import { needsTool, testUnless } from './harness.ts';
import { ROOT } from './repository.ts';
// @ts-expect-error: a script of the build without types
import { parseStructs } from './build-debug.mjs';

interface Parsed {
  name: string;
  bytes: number;
  fields: { name: string; type: string; at: number; comment: string }[];
}

const structs = Structs.load();
const HEADER = join(ROOT, 'build/debug/sparecore.h');

test('a 64-bit field stands at a multiple of 8, a byte right after another', () => {
  const source =
    '@unmanaged\nexport class BigThing {\n  a: u8; // first\n  b: u8;\n  c: u64;\n  d: u16;\n  e: u32;\n}\n';
  const [struct] = parseStructs(source, 'x.ts') as [Parsed];
  assert.is(struct.name, 'big_thing');
  assert.equal(
    struct.fields.map(({ name, at }) => `${name} ${at}`),
    ['a 0', 'b 1', 'c 8', 'd 16', 'e 20'],
  );
  assert.is(struct.fields[0]!.comment, 'first');
  assert.is(struct.bytes, 24);
});

test('a field whose layout is not known fails the build', () => {
  assert.throws(
    () => parseStructs('@unmanaged\nclass X {\n  a: string;\n}\n', 'x.ts'),
    /x\.ts: X\.a: no layout for a string/,
  );
});

test('every unmanaged class of the memory map has its structure, and its table room for it', () => {
  for (const name of [
    'core',
    'disk',
    'volume',
    'command',
    'cache_entry',
    'seal',
    'dump',
    'save',
    'job',
    'writer',
    'batch',
    'panic_record',
    'trace_event',
  ]) {
    assert.ok(structs.structs.has(name), name);
  }
  for (const { type, stride } of structs.symbols) {
    if (stride !== undefined) assert.ok(structs.structs.get(type)!.bytes <= stride, type);
  }
});

test('an address has the name of what lies there', () => {
  const disk = structs.structs.get('disk')!;
  const wwn = disk.fields.find(({ name }) => name === 'wwn')!;
  assert.is(structs.nameAt(F.DISKS_AT + 3 * F.DISK_BYTES + wwn.at), 'disks[3].wwn');
  assert.is(structs.nameAt(F.DISKS_AT + 3 * F.DISK_BYTES + wwn.at + 2), 'disks[3].wwn+2');
  assert.is(structs.nameAt(F.DISKS_AT + F.DISK_BYTES - 1), 'disks[0]+0xff');
  assert.is(structs.nameAt(F.CORE_AT), 'core.index');
  assert.is(structs.nameAt(0), null);
  assert.is(structs.nameAt(0xffffffff), null);
});

test('a name is found as a person types it, and nothing else is', () => {
  assert.equal(
    structs.find('disks[3]')?.map(({ name, address }) => [name, address]),
    [['disks[3]', F.DISKS_AT + 3 * F.DISK_BYTES]],
  );
  assert.is(structs.find('disks')?.length, F.DISK_MAX);
  assert.is(structs.find('core.phase')?.[0]?.field?.name, 'phase');
  for (const text of ['', 'disks[64]', 'disks[-1]', 'core.nothing', 'Core', 'disks[3', 'core;'])
    assert.is(structs.find(text), null, text);
  assert.is(structs.at('struct disk', 0x42000)?.struct.name, 'disk');
  assert.is(structs.at('none', 0), null);
});

const field = (at: number, bytes: number) => ({
  name: 'x',
  type: bytes === 8 ? 'u64' : 'u32',
  at,
  bytes,
  comment: '',
});

test('a field that is partly missing is missing, and its neighbours are not', () => {
  const pieces = [
    { address: 100, bytes: 6, content: Uint8Array.of(1, 0, 0, 0, 9, 9), reason: 0 },
    { address: 106, bytes: 20, content: null, reason: 0x80 },
  ];
  assert.equal(valueOf(pieces, 100, field(0, 4)), { kind: 'number', value: 1n });
  assert.equal(valueOf(pieces, 100, field(4, 4)), { kind: 'missing', reason: 0x80 });
  assert.equal(valueOf(pieces, 100, field(8, 8)), { kind: 'missing', reason: 0x80 });
});

testUnless(needsTool('gcc'), 'gcc takes the header, and its assertions hold: 64 and 32 bit', () => {
  assert.ok(existsSync(HEADER));
  assert.ok((readFileSync(HEADER, 'utf8').match(/_Static_assert/g) ?? []).length > 300);
  for (const mode of ['-m32', '-m64']) {
    const { status, stderr } = spawnSync(
      'gcc',
      [mode, '-std=c11', '-Wall', '-Werror', '-ffreestanding', '-fsyntax-only', '-x', 'c', '-'],
      {
        input: `#include "${HEADER}"\n`,
        encoding: 'utf8',
      },
    );
    assert.is(status, 0, stderr);
  }
});

testUnless(needsTool('gcc'), 'an offset that is wrong by one does not pass', () => {
  const wrong = readFileSync(HEADER, 'utf8').replace(/(OFFSET\(core, now\) == )\d+/, '$133');
  const { status, stderr } = spawnSync('gcc', ['-m32', '-ffreestanding', '-fsyntax-only', '-x', 'c', '-'], {
    input: wrong,
    encoding: 'utf8',
  });
  assert.is.not(status, 0);
  assert.match(stderr, /static assertion failed: "core\.now"/);
});

test.run();
