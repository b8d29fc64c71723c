import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../asm/layout.ts';
import { diff } from './diff.ts';
import type { Difference } from './diff.ts';
import { Dice } from './formats.test-helper.ts';
import { imageOf, memoryOf, sourceOf, wholeOf } from './source.test-helper.ts';
import type { Cut } from './source.test-helper.ts';

const test = suite('diff');
const MEMORY = memoryOf();

async function between(a: Uint8Array, b: Uint8Array, cutB: Cut | null = null): Promise<Difference[]> {
  const other = cutB === null ? wholeOf(b) : sourceOf(imageOf(b, cutB));
  const all: Difference[] = [];
  for await (const each of diff(wholeOf(a), other, 0, a.length)) all.push(each);
  return all;
}

function changed(...places: [at: number, byte: number][]): Uint8Array {
  const other = MEMORY.slice();
  for (const [at, byte] of places) other[at] = byte;
  return other;
}

const ranges = (all: readonly Difference[]): [number, number][] =>
  all.map(({ address, bytes }) => [address, bytes]);

test('the same memory differs nowhere', async () => {
  assert.equal(await between(MEMORY, MEMORY), []);
});

test('bytes close to each other are one range, those far apart are two', async () => {
  const all = await between(MEMORY, changed([0x100, 1], [0x105, 2], [0x200, 3]));
  assert.equal(ranges(all), [
    [0x100, 6],
    [0x200, 1],
  ]);
  assert.equal([all[0]!.a, all[0]!.b], [new Uint8Array(6), Uint8Array.of(1, 0, 0, 0, 0, 2)]);
});

test('a range goes on over the end of a chunk', async () => {
  assert.equal(ranges(await between(MEMORY, changed([L.CHUNK_BYTES - 1, 1], [L.CHUNK_BYTES, 1]))), [
    [L.CHUNK_BYTES - 1, 2],
  ]);
});

test('what only one of them has is told as missing in the other, and not compared with zero', async () => {
  const all = await between(MEMORY, MEMORY, { reached: 9, attribute: L.ATTRIBUTE_ABORTED });
  assert.equal(ranges(all), [[9 * L.CHUNK_BYTES, 7 * L.CHUNK_BYTES]]);
  assert.is(all[0]!.b, null);
  assert.instance(all[0]!.a, Uint8Array);
});

test('every byte that differs is in a range, and each range begins and ends with one', async () => {
  const dice = new Dice(8);
  for (let round = 0; round < 20; round++) {
    const places = Array.from({ length: dice.below(40) }, (): [number, number] => [
      dice.below(MEMORY.length),
      dice.below(256),
    ]);
    const other = changed(...places);
    const covered = new Set<number>();
    for (const { address, bytes } of await between(MEMORY, other)) {
      for (const at of [address, address + bytes - 1]) assert.is.not(MEMORY[at], other[at]);
      for (let at = address; at < address + bytes; at++) covered.add(at);
    }
    for (const [at] of places) if (MEMORY[at] !== other[at]) assert.ok(covered.has(at));
  }
});

test.run();
