// Small dumps by the real firmware, each way, read back and compared with memory.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ATTRIBUTE_COMPLETED } from '../../../asm/layout.ts';
import { KernelWorkers } from '../../../boards/dump/kernel-workers.ts';
import { Kernels } from '../../../boards/dump/kernels.ts';
import { readBack } from '../../../boards/dump/verify.ts';
import { CONTENT_AT, DumpRig, spareBytes } from '../../../boards/dump/rig.ts';
import { MemoryMedium } from '../../../boards/shelf/medium.ts';
import { type DumpCase, casesOf } from './cases.ts';
import { fillMemory } from './content.ts';
import { dumpOnce } from './measure.ts';
import { makeImage } from './memory-image.ts';

const SIZE = 64;
const folder = mkdtempSync(join(tmpdir(), 'sparecore-bench-'));
test.after(() => rmSync(folder, { recursive: true }));

test('a dump to memory, to a file, and to a file while firmware goes on, raw and by LZ4, is equal to memory', async () => {
  const image = makeImage(folder, SIZE, 'mixed', false, null);
  assert.ok(image.zeroChunks > 100);
  const stored = new Map<string, Set<number>>();
  for (const one of casesOf({
    memory: [SIZE],
    contents: ['mixed'],
    codecs: ['sparse', 'lz4'],
    media: ['memory', 'tmpfs'],
  })) {
    const { found, time, first } = await dumpOnce(
      one,
      image,
      { tmpfs: folder, disk: folder },
      { check: true },
    );
    assert.equal(found!.wrong, [], `${one.codec}, ${one.medium}, ${one.dma}, ${one.cpus}`);
    assert.is(found!.attribute, ATTRIBUTE_COMPLETED);
    assert.is(found!.zero + found!.stored, SIZE * 16);
    assert.ok(time.busy > 0 && time.wall > 0 && first > 0);
    const kind = `${one.codec}, ${one.cpus}`;
    stored.set(kind, (stored.get(kind) ?? new Set()).add(found!.storedBytes));
  }
  // One size a codec and a firmware, whatever the medium: the two builds differ in a few bytes of memory.
  assert.is(stored.size, 4);
  for (const [kind, sizes] of stored) assert.is(sizes.size, 1, kind);
  assert.equal(readdirSync(folder), ['mixed-64.ram']);
  rmSync(image.path);
});

test('two threads that share the chunks store what one stores', () => {
  const sample = new Uint8Array(37 * 65_536);
  fillMemory(sample, 0, 'mixed', false);
  const workers = new KernelWorkers(sample, 2);
  try {
    const expected = new Kernels(sample).lz4();
    assert.ok(expected > 0 && expected < sample.length);
    for (let round = 0; round < 3; round++) assert.is(workers.lz4(), expected);
  } finally {
    workers.close();
  }
});

test('with no chunk of zeros all of the content is written', async () => {
  const image = makeImage(folder, SIZE, 'zero-heavy', true, null);
  const one: DumpCase = {
    memoryMib: SIZE,
    content: 'zero-heavy',
    codec: 'raw',
    medium: 'memory',
    dma: 'in line',
    cpus: 1,
  };
  const { found } = await dumpOnce(one, image, { tmpfs: folder, disk: folder }, { check: true });
  assert.equal(found!.wrong, []);
  assert.ok(found!.storedBytes >= SIZE * 2 ** 20 - CONTENT_AT);
  rmSync(image.path);
});

test('a byte that differs on the medium is found when the dump is read back', () => {
  const medium = new MemoryMedium(spareBytes(SIZE));
  const rig = new DumpRig({ memoryMib: SIZE, codec: 'raw', medium });
  try {
    const ram = rig.started();
    fillMemory(ram, CONTENT_AT, 'random', false);
    rig.panic();
    while (!rig.step(1000));
    assert.equal(readBack(medium, ram).wrong, []);
    ram[CONTENT_AT + 5 * 65_536]! ^= 1;
    assert.equal(readBack(medium, ram).wrong, [CONTENT_AT / 65_536 + 5]);
  } finally {
    rig.close();
  }
});

const make = (content: 'mixed' | 'zero-heavy' | 'random'): Uint8Array => {
  const memory = new Uint8Array(16 << 20);
  fillMemory(memory, 0, content, false);
  return memory;
};
const zeros = (memory: Uint8Array): number => {
  let count = 0;
  for (let at = 0; at < memory.length; at += 65_536)
    if (memory.subarray(at, at + 65_536).every((byte) => byte === 0)) count++;
  return count / (memory.length / 65_536);
};

test('contents are the same each time, and hold the share of zeros that they are named for', () => {
  const mixed = make('mixed');
  assert.is(Buffer.compare(mixed, make('mixed')), 0);
  assert.ok(zeros(mixed) > 0.1 && zeros(mixed) < 0.6);
  assert.ok(zeros(make('zero-heavy')) > 0.6);
  assert.is(zeros(make('random')), 0);
});

test.run();
