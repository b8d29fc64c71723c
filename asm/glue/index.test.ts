import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile, instantiate, instantiateSync, wasmUrl } from '../pkg/index.js';

const test = suite('package of the disk I/O module');
const DECLARED = readFileSync(new URL('index.d.ts', import.meta.url), 'utf8');

const I64 = 0x7e;
const I32 = 0x7f;

interface Signature {
  params: number[];
  results: number[];
}

/** Signatures of the exported functions: [WebAssembly] 5.5, sections 1, 2, 3 and 7. */
function signatures(bytes: Uint8Array): Map<string, Signature> {
  let at = 8;
  const leb = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  const list = <T>(read: () => T): T[] => Array.from({ length: leb() }, read);
  const text = (): string => Buffer.from(list(() => bytes[at++]!)).toString();
  let types: Signature[] = [];
  let functions: number[] = [];
  const found = new Map<string, Signature>();
  while (at < bytes.length) {
    const id = bytes[at++]!;
    const size = leb();
    const next = at + size;
    if (id === 1) {
      types = list(() => {
        at++; // func
        return { params: list(() => bytes[at++]!), results: list(() => bytes[at++]!) };
      });
    } else if (id === 3) functions = list(leb);
    else if (id === 7) {
      list(() => {
        const name = text();
        const kind = bytes[at++]!;
        const index = leb();
        if (kind === 0) found.set(name, types[functions[index]!]!); // only memory is imported
      });
    }
    at = next;
  }
  return found;
}

const width = (type: string): number[] => {
  if (type === 'void') return [];
  return [type === 'bigint' ? I64 : I32];
};

/** What index.d.ts says of each function, in the types of WebAssembly. */
function declarations(): Map<string, Signature> {
  const body = /export interface DiskIo \{\n([^]*?)\n\}\n/.exec(DECLARED)![1]!;
  const code = body.replaceAll(/\/\*\*[^]*?\*\//g, '');
  return new Map(
    [...code.matchAll(/^ {2}(\w+)\(([^)]*)\): (\w+);/gm)].map(([, name, params, result]) => [
      name!,
      {
        params: [...params!.matchAll(/\w+: (\w+)/g)].flatMap(([, type]) => width(type!)),
        results: width(result!),
      },
    ]),
  );
}

const EXPORTED = signatures(readFileSync(wasmUrl));

test('every function that the module exports is declared, and no other', () => {
  const exported = [...EXPORTED.keys()].filter((name) => name !== 'start');
  assert.equal([...declarations().keys()].toSorted(), exported.toSorted());
  assert.ok(exported.length > 80);
});

test('each declaration has the parameters and the result of the function: 64-bit ones are bigint', () => {
  for (const [name, declared] of declarations()) assert.equal(declared, EXPORTED.get(name), name);
});

test('every constant that the module exports is declared, and has a value', () => {
  const io = instantiateSync();
  const globals = WebAssembly.Module.exports(compile()).filter(({ kind }) => kind === 'global');
  for (const { name } of globals) {
    assert.match(DECLARED, new RegExp(`readonly ${name}: WebAssembly\\.Global;`));
    assert.type((io as unknown as Record<string, WebAssembly.Global>)[name]!.value, 'number');
  }
});

test('each function and constant has a line that says what it is', () => {
  const members = DECLARED.split('\n').flatMap((line, i, lines) =>
    /^ {2}(?:readonly [A-Z]\w+:|[a-z]\w*\()/.test(line) ? [[line, lines[i - 1]!] as const] : [],
  );
  assert.ok(members.length > 100);
  for (const [member, before] of members) assert.match(before, /\*\/$/, member);
});

test('no function needs to be told how many arguments it gets', () => {
  assert.not(EXPORTED.has('__setArgumentsLength'));
});

test('the example of the README does what it says', () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  const expected = /toString\('hex'\)\); \/\/ ([0-9a-f]{32})/.exec(readme)?.[1];
  const io = instantiateSync({ memory: new WebAssembly.Memory({ initial: 16, maximum: 65536 }) });
  const entry = io.heap_base();
  io.cdb_read16(entry, 2048n, 8, entry + 4096, 4096);
  assert.is(Buffer.from(io.memory.buffer, entry + 8, 16).toString('hex'), expected);
});

test('instances have memories of their own, unless they are given one', async () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536 });
  const given = await instantiate({ memory });
  assert.is(given.memory, memory);
  assert.is.not(instantiateSync().memory, instantiateSync().memory);
});

test('a new instance on the same memory finds what the last one left there', () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536 });
  const first = instantiateSync({ memory });
  const at = first.heap_base();
  first.cdb_test_unit_ready(at);
  new Uint8Array(memory.buffer).fill(0x5a, at, at + 100);
  const again = instantiateSync({ memory });
  assert.is(again.heap_base(), at);
  assert.is(again.is_zero(at, 100), 0);
  assert.is(new Uint8Array(memory.buffer)[at], 0x5a);
});

test('an instance can not be changed by those who share it', () => {
  const io = instantiateSync() as { heap_base: () => number };
  assert.throws(() => (io.heap_base = () => 0), TypeError);
});

test.run();
