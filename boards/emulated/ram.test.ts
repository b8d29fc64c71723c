import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { giveMemory, takeMemory } from './ram.ts';

const test = suite('ram');
const MIB = 2 ** 20;
const bytesOf = (memory: WebAssembly.Memory): Uint8Array => new Uint8Array(memory.buffer);

for (const mib of [16, 64, 128]) {
  test(`RAM of ${mib} MiB has that size, is zero, and can not grow`, () => {
    const memory = takeMemory(mib * MIB);
    assert.is(memory.buffer.byteLength, mib * MIB);
    assert.is(Buffer.compare(bytesOf(memory), new Uint8Array(mib * MIB)), 0);
    assert.throws(() => memory.grow(1), RangeError);
    giveMemory(memory);
  });
}

test('RAM that another board had is zero for the next, to its last byte', () => {
  const first = takeMemory(16 * MIB);
  bytesOf(first).fill(0xa5);
  giveMemory(first);
  const second = takeMemory(16 * MIB);
  assert.is(Buffer.compare(bytesOf(second), new Uint8Array(16 * MIB)), 0);
  giveMemory(second);
});

test('two boards never share RAM', () => {
  const held = Array.from({ length: 4 }, () => takeMemory(16 * MIB));
  assert.is(new Set(held).size, 4);
  held.forEach(giveMemory);
  const again = Array.from({ length: 12 }, () => takeMemory(16 * MIB));
  assert.is(new Set(again).size, 12);
  again.forEach(giveMemory);
});

test('RAM of two CPUs is shared, and no other board gets it, because one of them may still be in it', () => {
  const shared = takeMemory(16 * MIB, true);
  assert.instance(shared.buffer, SharedArrayBuffer);
  assert.is(shared.buffer.byteLength, 16 * MIB);
  giveMemory(shared);
  for (const isShared of [true, false]) {
    const next = takeMemory(16 * MIB, isShared);
    assert.is.not(next, shared);
    assert.is(next.buffer instanceof SharedArrayBuffer, isShared);
    if (!isShared) giveMemory(next);
  }
});

test('memories of another size do not take each other’s place', () => {
  const small = takeMemory(16 * MIB);
  giveMemory(small);
  const large = takeMemory(32 * MIB);
  assert.is(large.buffer.byteLength, 32 * MIB);
  giveMemory(large);
});

test.run();
