/** A WebAssembly coredump before the engine and before a parser of its own. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../asm/layout.ts';
import { parseCoverage } from './notes.ts';
import { CHUNKS, chunkOf, imageOf, memoryOf, mended, sourceOf } from './source.test-helper.ts';
import { Fields } from './source.ts';
import { signed, unsigned, writeWasmCoredump } from './wasm-coredump.ts';
import type { CodeRange } from './wasm-code.ts';

const test = suite('WebAssembly coredump');
const MEMORY = memoryOf();
const WHERE: CodeRange = { index: 300, name: 'serve', from: 0x1200, to: 0x1300 };

interface Section {
  id: number;
  name: string;
  at: number;
  end: number;
}

/** [wasm] 5.5, read strictly: every length ends where it says. */
class Module {
  readonly bytes: Uint8Array;
  readonly sections: Section[] = [];
  at = 8;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    assert.equal([...bytes.subarray(0, 8)], [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    while (this.at < bytes.length) {
      const id = this.u8();
      const size = this.u32();
      const end = this.at + size;
      const name = id === 0 ? this.text() : '';
      this.sections.push({ id, name, at: this.at, end });
      this.at = end;
    }
    assert.is(this.at, bytes.length);
  }

  u8(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error('past the end');
    return byte;
  }

  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  i32(): number {
    let value = 0;
    let shift = 0;
    for (;;) {
      const byte = this.u8();
      value |= (byte & 127) << shift;
      shift += 7;
      if (byte < 128) return shift < 32 && byte & 64 ? value | (-1 << shift) : value;
    }
  }

  text(): string {
    const size = this.u32();
    this.at += size;
    return new TextDecoder().decode(this.bytes.subarray(this.at - size, this.at));
  }

  open(key: number | string): Section {
    const found = this.sections.find(({ id, name }) =>
      typeof key === 'number' ? id === key : id === 0 && name === key,
    );
    if (!found) throw new Error(`no section ${key}`);
    this.at = found.at;
    return found;
  }
}

async function coredump(cut = {}, where: CodeRange | null = WHERE): Promise<Module> {
  const parts: Uint8Array[] = [];
  await writeWasmCoredump(sourceOf(imageOf(MEMORY, cut)), where, (bytes) => parts.push(bytes.slice()));
  return new Module(Buffer.concat(parts));
}

/** The memory that its data segments make, and which chunks they cover. */
function dataOf(module: Module): { memory: Uint8Array; covered: Set<number> } {
  const memory = new Uint8Array(MEMORY.length);
  const covered = new Set<number>();
  const { end } = module.open(11);
  for (let left = module.u32(); left > 0; left--) {
    assert.is(module.u8(), 0); // active, memory 0
    assert.is(module.u8(), 0x41); // i32.const
    const address = module.i32() >>> 0;
    assert.is(module.u8(), 0x0b); // end
    const size = module.u32();
    memory.set(module.bytes.subarray(module.at, module.at + size), address);
    for (let at = address; at < address + size; at += L.CHUNK_BYTES) covered.add(at / L.CHUNK_BYTES);
    module.at += size;
  }
  assert.is(module.at, end);
  return { memory, covered };
}

test('the engine takes it for a module, and its data segments make the memory', async () => {
  const module = await coredump();
  assert.ok(WebAssembly.validate(module.bytes as Uint8Array<ArrayBuffer>));
  assert.equal(dataOf(module).memory, MEMORY);
});

test('process, module, instance and stack are as tool-conventions have them', async () => {
  const module = await coredump();
  module.open('core');
  assert.equal([module.u8(), module.text()], [0, 'firmware.wasm']);
  module.open('coremodules');
  assert.equal([module.u32(), module.u8(), module.text()], [1, 0, 'firmware.wasm']);
  const instances = module.open('coreinstances');
  assert.equal(
    [module.u32(), module.u8(), module.u32(), module.u32(), module.u32(), module.u32()],
    [1, 0, 0, 1, 0, 0],
  );
  assert.is(module.at, instances.end);
  const stack = module.open('corestack');
  assert.equal([module.u8(), module.text(), module.u32()], [0, 'board', 1]);
  const frame = [module.u8(), module.u32(), module.u32(), module.u32(), module.u32(), module.u32()];
  assert.equal(frame, [0, 0, 300, 0x34, 0, 0], 'instance, function, offset in it, no locals, no operands');
  assert.is(module.at, stack.end);
});

test('without a known place the stack has no frame', async () => {
  const module = await coredump({}, null);
  module.open('corestack');
  assert.equal([module.u8(), module.text(), module.u32()], [0, 'board', 0]);
});

test('missing memory has no segment, and a section says why', async () => {
  const module = await coredump({
    reached: 11,
    lost: [5],
    attribute: L.ATTRIBUTE_ABORTED,
    abort: L.ABORT_LIMIT,
  });
  assert.ok(WebAssembly.validate(module.bytes as Uint8Array<ArrayBuffer>));
  const { memory, covered } = dataOf(module);
  const { at, end } = module.open('sparecore-coverage');
  const coverage = parseCoverage(new Fields('core file', 0, module.bytes.slice(at, end)));
  assert.is(coverage.chunks, CHUNKS);
  assert.equal([coverage.attribute, coverage.abort], [L.ATTRIBUTE_ABORTED, L.ABORT_LIMIT]);
  const missing = coverage.ranges.flatMap(({ firstChunk, chunks }) =>
    Array.from({ length: chunks }, (_, i) => firstChunk + i),
  );
  assert.equal(missing, [5, 11, 12, 13, 14, 15]);
  for (const chunk of missing) assert.not.ok(covered.has(chunk));
  for (let chunk = 0; chunk < 11; chunk++) {
    if (chunk !== 5) assert.equal(chunkOf(memory, chunk), chunkOf(MEMORY, chunk));
  }
});

test('a poisoned page has no segment, and the pages around it have', async () => {
  const module = await coredump({ poisoned: { 10: 0x0006 } });
  assert.ok(WebAssembly.validate(module.bytes as Uint8Array<ArrayBuffer>));
  const { memory } = dataOf(module);
  const { at, end } = module.open('sparecore-coverage');
  const coverage = parseCoverage(new Fields('core file', 0, module.bytes.slice(at, end)));
  assert.equal(coverage.pages, [{ chunk: 10, pages: 6, reason: L.MISSING_POISONED }]);
  assert.equal(chunkOf(memory, 10), mended(chunkOf(MEMORY, 10), 6));
  assert.equal(chunkOf(memory, 11), chunkOf(MEMORY, 11));
});

for (const value of [0, 1, 63, 64, 127, 128, 65536, 0x7fffffff, 0x80000000, 0xffff0000, 0xffffffff]) {
  test(`0x${value.toString(16)} as LEB128, unsigned and signed`, () => {
    const module = new Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 0));
    const reader = (bytes: number[]): Module =>
      Object.assign(Object.create(Object.getPrototypeOf(module)), { bytes: Uint8Array.from(bytes), at: 0 });
    assert.is(reader(unsigned(value)).u32(), value);
    assert.is(reader(signed(value)).i32() >>> 0, value);
    assert.ok(signed(value).length <= 5);
  });
}

test.run();
