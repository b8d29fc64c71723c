/** One reader for a core file and a dump image: what either has, and what either has not. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../asm/layout.ts';
import * as F from '../../firmware/layout.ts';
import { CoreFile } from './core-file.ts';
import { CoreSource } from './core-source.ts';
import { writeCore } from './elf-writer.ts';
import { logOf, panicOf, parseTrace, traceOf } from './epitaph.ts';
import { Dice } from './formats.test-helper.ts';
import { MISSING_NO_RAM, joined, missingRuns, piecesOf, readWhole } from './memory-source.ts';
import type { MemorySource } from './memory-source.ts';
import {
  Bytes,
  CHUNKS,
  PLACE,
  chunkOf,
  contentOf,
  imageOf,
  memoryOf,
  placeOf,
  sourceOf,
} from './source.test-helper.ts';
import type { Cut } from './source.test-helper.ts';
import { Fields, Malformed } from './source.ts';

const test = suite('memory source');
const MEMORY = memoryOf();

async function coreOf(source: MemorySource): Promise<CoreSource> {
  const file = new Bytes();
  const { bytes } = await writeCore(source, file.write);
  return new CoreSource(new CoreFile(file.read, bytes), 'core', () => {});
}

const CUTS: [string, Cut][] = [
  ['a whole dump', {}],
  ['one cut at a third', { reached: 5, attribute: L.ATTRIBUTE_ABORTED, abort: L.ABORT_LIMIT }],
  [
    'one with chunks that could not be written',
    { lost: [10, 12], attribute: L.ATTRIBUTE_ABORTED, abort: L.ABORT_MEDIUM },
  ],
  ['one with poisoned pages', { poisoned: { 10: 0x8421, 12: 0x0003, 3: L.CHUNK_POISONED } }],
];

for (const [name, cut] of CUTS) {
  test(`${name} reads the same out of its image and out of the core file made of it`, async () => {
    const image = sourceOf(imageOf(MEMORY, cut));
    const core = await coreOf(image);
    assert.is(core.memoryBytes, image.memoryBytes);
    const content = await contentOf(image);
    assert.equal(await contentOf(core), content);
    assert.equal(core.map, image.map);
    assert.equal(core.poisoned, image.poisoned);
    for (const [chunk, part] of content.entries()) {
      const memory = chunkOf(MEMORY, chunk);
      if (typeof part !== 'number')
        assert.equal(part, memory.subarray(memory.length - part.length), `chunk ${chunk}`);
    }
    assert.ok(content.some((part) => typeof part !== 'number'));
    assert.equal([core.dump?.attribute, core.dump?.abort], [image.dump.attribute, image.dump.abort]);
  });

  test(`the panic record, the log and the trace of ${name} are there, for they were written first`, async () => {
    const image = sourceOf(imageOf(MEMORY, cut));
    for (const source of [image, await coreOf(image)]) {
      const panic = await panicOf(source);
      if (panic === null || panic === 'none') throw new Error('no record');
      assert.equal([panic.place, panic.line, panic.column, panic.text], [PLACE, 42, 7, 'ring is full']);
      assert.equal(await logOf(source), ['[    0.000100] boot epoch 5', '[    7.000000] ready']);
      assert.equal(
        (await traceOf(source))?.map(({ timeUs, code, a }) => [timeUs, code, a]),
        [
          [100n, F.EV_BOOT, 1],
          [101n, F.EV_PANIC, 2],
        ],
      );
      assert.is((await source.registers()).pc, 0x1234);
    }
  });
}

test('missing memory is a piece without content and with its reason, beside what is there', async () => {
  const source = sourceOf(imageOf(MEMORY, { lost: [10], attribute: L.ATTRIBUTE_ABORTED }));
  const pieces = await source.read(10 * L.CHUNK_BYTES - 16, L.CHUNK_BYTES + 32);
  assert.equal(
    pieces.map(({ address, bytes, content, reason }) => [address, bytes, content === null, reason]),
    [
      [10 * L.CHUNK_BYTES - 16, 16, false, 0],
      [10 * L.CHUNK_BYTES, L.CHUNK_BYTES, true, L.CODEC_LOST],
      [11 * L.CHUNK_BYTES, 16, false, 0],
    ],
  );
  assert.is(await readWhole(source, 10 * L.CHUNK_BYTES - 4, 8), null);
  assert.equal(missingRuns(source.map), [{ first: 10, chunks: 1, reason: L.CODEC_LOST }]);
});

const page = (chunk: number, n: number): number => chunk * L.CHUNK_BYTES + n * L.PAGE_BYTES;

test('a poisoned page is a gap with its reason, and the pages around it are as they were, in image and core', async () => {
  const image = sourceOf(imageOf(MEMORY, { poisoned: { 10: 0x0006, 12: 0x8000, 3: L.CHUNK_POISONED } }));
  for (const source of [image, await coreOf(image)]) {
    assert.is(source.map[10], L.CODEC_RAW);
    assert.is(source.map[12], L.CODEC_ZERO);
    assert.equal([...source.poisoned], [[10, 6], [12, 0x8000]]); // prettier-ignore
    const pieces = await source.read(page(10, 0) + 100, 5 * L.PAGE_BYTES);
    assert.equal(
      pieces.map(({ address, bytes, reason }) => [address, bytes, reason]),
      [
        [page(10, 0) + 100, L.PAGE_BYTES - 100, 0],
        [page(10, 1), 2 * L.PAGE_BYTES, L.MISSING_POISONED],
        [page(10, 3), 2 * L.PAGE_BYTES + 100, 0],
      ],
    );
    assert.equal(pieces[0]!.content, MEMORY.subarray(page(10, 0) + 100, page(10, 1)));
    assert.equal(pieces[1]!.content, null);
    assert.equal(pieces[2]!.content, MEMORY.subarray(page(10, 3), page(10, 5) + 100));
    assert.is(await readWhole(source, page(10, 2) + 4095, 1), null);
    assert.is(await readWhole(source, page(12, 15), 1), null);
    assert.equal(await readWhole(source, page(12, 0), 15 * L.PAGE_BYTES), new Uint8Array(15 * L.PAGE_BYTES));
    assert.equal(
      await readWhole(source, page(10, 3), L.PAGE_BYTES),
      MEMORY.subarray(page(10, 3), page(10, 4)),
    );
    assert.is((await source.read(page(3, 0), 4))[0]!.reason, L.MISSING_POISONED);
  }
});

test('a chunk with poisoned pages that was overwritten is missing as a whole, as corrupt', async () => {
  const writer = imageOf(MEMORY, { poisoned: { 11: 2 } });
  writer.disk.write(placeOf(writer, 11) + 512, new Uint8Array(512));
  const core = await coreOf(sourceOf(writer));
  assert.is(core.map[11], L.MISSING_CORRUPT);
  assert.is(core.poisoned.size, 0);
});

test('what lies past the RAM is no memory', async () => {
  const image = sourceOf(imageOf(MEMORY));
  for (const source of [image, await coreOf(image)]) {
    const [inside, past] = await source.read(MEMORY.length - 4, 12);
    assert.equal([inside!.bytes, past!.bytes, past!.content, past!.reason], [4, 8, null, MISSING_NO_RAM]);
    assert.equal(
      (await source.read(0xffff0000, 8)).map(({ reason }) => reason),
      [MISSING_NO_RAM],
    );
  }
});

test('a chunk that was overwritten is missing as corrupt, in the image and in the core made of it', async () => {
  const writer = imageOf(MEMORY);
  writer.disk.write(placeOf(writer, 11) + 512, new Uint8Array(512));
  const core = await coreOf(sourceOf(writer));
  assert.is(core.map[11], L.MISSING_CORRUPT);
  assert.equal(
    (await core.read(11 * L.CHUNK_BYTES, 8)).map(({ reason }) => reason),
    [L.MISSING_CORRUPT],
  );
  assert.is(core.core.coverage?.missing, 1);
});

test('any range reads as its bytes, however it is asked for', async () => {
  const image = sourceOf(imageOf(MEMORY));
  const dice = new Dice(11);
  for (const source of [image, await coreOf(image)]) {
    for (let i = 0; i < 200; i++) {
      const address = dice.below(MEMORY.length);
      const bytes = 1 + dice.below(Math.min(200_000, MEMORY.length - address));
      assert.equal(await readWhole(source, address, bytes), MEMORY.subarray(address, address + bytes));
    }
  }
});

const made = (address: number, reason: number) => ({
  address,
  bytes: 2,
  content: reason === 0 ? Uint8Array.of(address, 1) : null,
  reason,
});

test('pieces in a row are joined when they are of one kind, and not otherwise', () => {
  const all = joined([made(0, 0), made(2, 0), made(4, 1), made(6, 1), made(8, 2)]);
  assert.equal(
    all.map(({ address, bytes, reason }) => [address, bytes, reason]),
    [
      [0, 4, 0],
      [4, 4, 1],
      [8, 2, 2],
    ],
  );
  assert.equal(all[0]!.content, Uint8Array.of(0, 1, 2, 1));
});

test('a range of several pieces covers it without a gap', async () => {
  const source = sourceOf(imageOf(MEMORY, { reached: 7, attribute: L.ATTRIBUTE_ABORTED }));
  let at = 100;
  for await (const piece of piecesOf(source, 100, MEMORY.length)) {
    assert.is(piece.address, at);
    at += piece.bytes;
  }
  assert.is(at, MEMORY.length + 100);
});

test('a trace ring that has gone round begins with its oldest event', () => {
  const room = 4;
  const bytes = new Uint8Array(16 + room * 24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 6, true);
  for (let n = 0; n < 6; n++) view.setBigUint64(16 + (n % room) * 24, BigInt(n), true);
  assert.equal(
    parseTrace(new Fields('core file', 0, bytes)).map(({ timeUs }) => timeUs),
    [2n, 3n, 4n, 5n],
  );
  assert.throws(
    () => parseTrace(new Fields('core file', 0, bytes.subarray(0, 20))),
    (e: unknown) => e instanceof Malformed,
  );
});

test('the host makes the core file that any map asks for, and any chunk of it reads right', async () => {
  const dice = new Dice(5);
  const states = [L.CODEC_RAW, L.CODEC_ZERO, L.CODEC_LOST, L.MISSING_UNREACHED];
  for (let round = 0; round < 30; round++) {
    const map = Uint8Array.from({ length: 1 + dice.below(60) }, () => states[dice.below(states.length)]!);
    const source = sourceOfMap(map);
    const core = await coreOf(source);
    assert.equal(core.map, map);
    assert.equal(await contentOf(core), await contentOf(source));
  }
});

test('a core of 4 GiB is ELF64, and a small one ELF32', async () => {
  const map = new Uint8Array(65536).fill(L.CODEC_ZERO);
  map[65535] = L.CODEC_RAW;
  const core = await coreOf(sourceOfMap(map));
  assert.is(core.core.is64, true);
  assert.equal(await readWhole(core, 0xffff0000, 4), Uint8Array.of(255, 255, 255, 255));
  assert.is((await coreOf(sourceOfMap(map.subarray(0, CHUNKS)))).core.is64, false);
});

/** Stored chunk n is full of n. */
function sourceOfMap(map: Uint8Array): MemorySource {
  return {
    kind: 'live board',
    name: 'test',
    memoryBytes: map.length * L.CHUNK_BYTES,
    map,
    poisoned: new Map(),
    dump: null,
    scrubbed: [],
    problems: [],
    note: () => null,
    registers: async () => ({ pc: 0 }),
    close: () => {},
    read: async (address, bytes) => {
      const pieces = [];
      for (let at = address; at < address + bytes;) {
        const chunk = Math.floor(at / L.CHUNK_BYTES);
        const end = Math.min(address + bytes, (chunk + 1) * L.CHUNK_BYTES);
        const state = map[chunk] ?? MISSING_NO_RAM;
        const there = state === L.CODEC_RAW || state === L.CODEC_ZERO;
        const content = new Uint8Array(end - at).fill(state === L.CODEC_RAW ? chunk || 1 : 0);
        pieces.push({
          address: at,
          bytes: end - at,
          content: there ? content : null,
          reason: there ? 0 : state,
        });
        at = end;
      }
      return joined(pieces);
    },
  };
}

test.run();
