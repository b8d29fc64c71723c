import { crc32c as oracle } from '@node-rs/crc32';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instantiateSync } from '../pkg/index.js';
import { Dice, Formats } from '../../boards/core/formats.test-helper.ts';
import { plain } from './plain.test-helper.ts';

const test = suite('checksums and scans');
const LENGTHS = [
  ...Array(600).keys(),
  1263,
  1264,
  1265,
  3343,
  3344,
  3345,
  4096,
  6687,
  6688,
  16384,
  65535,
  65536,
  200001,
];

for (const build of ['with SIMD', 'without SIMD']) {
  test(`crc32c is Castagnoli's at every length and alignment, ${build}`, async () => {
    const io = new Formats(build === 'with SIMD' ? undefined : await plain());
    const at = io.room(1 << 18);
    new Dice(1).roll(io.part(at, 1 << 18));
    for (const bytes of LENGTHS) {
      for (const shift of [0, 1, 3, 7, 8, 13, 15]) {
        assert.is(
          io.u32('crc32c', 0, at + shift, bytes),
          oracle(io.part(at + shift, bytes)),
          `${bytes} at ${shift}`,
        );
      }
    }
  });

  test(`is_zero sees every single byte, at every length and alignment, ${build}`, async () => {
    const io = new Formats(build === 'with SIMD' ? undefined : await plain());
    const at = io.room(8192);
    for (const bytes of [0, 1, 2, 3, 4, 15, 16, 17, 31, 32, 33, 255, 256, 257, 300, 511, 512, 1023]) {
      for (const shift of [0, 1, 5, 16]) {
        io.part(at, 8192).fill(0xff);
        io.part(at + shift, bytes).fill(0);
        assert.is(io.call('is_zero', at + shift, bytes), 1, `${bytes} at ${shift}`);
        for (let i = 0; i < bytes; i++) {
          io.bytes[at + shift + i] = 1 << (i & 7);
          assert.is(io.call('is_zero', at + shift, bytes), 0, `byte ${i} of ${bytes} at ${shift}`);
          io.bytes[at + shift + i] = 0;
        }
      }
    }
  });
}

test('crc32c by folding meets the table wherever a pass of the kernel ends', () => {
  const io = new Formats();
  const at = io.room(1 << 16);
  new Dice(7).roll(io.part(at, 1 << 16));
  for (let bytes = 496; bytes < 30_000; bytes += 16)
    assert.is(io.u32('crc32c', 0x1234, at, bytes), oracle(io.part(at, bytes), 0x1234), `${bytes} bytes`);
});

test('crc32c of a whole is that of its parts, wherever it is cut', () => {
  const io = new Formats();
  const at = io.room(20000);
  new Dice(2).roll(io.part(at, 20000));
  const whole = io.u32('crc32c', 0, at, 20000);
  const dice = new Dice(3);
  for (let i = 0; i < 200; i++) {
    const cut = dice.below(20001);
    assert.is(io.u32('crc32c', io.call('crc32c', 0, at, cut), at + cut, 20000 - cut), whole, `cut at ${cut}`);
  }
});

test('crc32c: the examples of RFC 3720 B.4', () => {
  const io = new Formats();
  const at = io.room(32);
  const bytes = io.part(at, 32);
  for (const [fill, sum] of [
    [(): number => 0, 0x8a9136aa],
    [(): number => 0xff, 0x62a8ab43],
    [(i: number): number => i, 0x46dd794e],
    [(i: number): number => 31 - i, 0x113fdb5c],
  ] as const) {
    bytes.forEach((_, i) => (bytes[i] = fill(i)));
    assert.is(io.u32('crc32c', 0, at, 32), sum);
  }
});

test('the last bytes of a memory of 4 GiB are checksummed and scanned like all others', () => {
  const memory = new WebAssembly.Memory({ initial: 65536, maximum: 65536 });
  const io = new Formats(instantiateSync({ memory }));
  const at = 2 ** 32 - 65536;
  assert.is(io.call('is_zero', at, 65536), 1);
  new Dice(4).roll(io.part(at, 65536));
  assert.is(io.u32('crc32c', 0, at, 65536), oracle(io.part(at, 65536)));
  io.part(at, 65535).fill(0);
  io.bytes[2 ** 32 - 1] = 1;
  assert.is(io.call('is_zero', at, 65536), 0);
});

test.run();
