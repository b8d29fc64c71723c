import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NV_BYTES } from '../../firmware/layout.ts';
import { Nvram } from './nvram.ts';

const test = suite('nvram');

test('a word reads back as it was written, unsigned, and its neighbours stay', () => {
  const nvram = new Nvram();
  nvram.write(8, 0xfedcba98);
  assert.is(nvram.read(8), 0xfedcba98);
  nvram.write(8, -1);
  assert.is(nvram.read(8), 0xffffffff);
  assert.equal([nvram.read(4), nvram.read(12)], [0, 0]);
});

test('any byte of a word names the word', () => {
  const nvram = new Nvram();
  nvram.write(5, 77);
  assert.equal(
    [4, 5, 6, 7].map((offset) => nvram.read(offset)),
    [77, 77, 77, 77],
  );
});

for (const offset of [NV_BYTES, NV_BYTES + 4, 2 ** 31, 2 ** 32 - 4]) {
  test(`beyond its end, at ${offset}, it reads as zero and takes no write`, () => {
    const nvram = new Nvram();
    nvram.write(offset, 1);
    assert.is(nvram.read(offset), 0);
    assert.ok(nvram.words.every((word) => word === 0));
    assert.is(nvram.words.length * 4, NV_BYTES);
  });
}

test('the last word is usable', () => {
  const nvram = new Nvram();
  nvram.write(NV_BYTES - 4, 5);
  assert.is(nvram.read(NV_BYTES - 4), 5);
});

test.run();
