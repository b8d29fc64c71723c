import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instantiateSync } from '../pkg/index.js';
import * as L from '../layout.ts';

const test = suite('protection information and comparing');
const io = instantiateSync();
const AT = (io.heap_base() + 15) & ~15;
const bytes = new Uint8Array(io.memory.buffer);
const view = new DataView(io.memory.buffer);

/** Long division of the data with 16 zeros behind it by 1_8BB7h, [SBC-3] 4.22.4.2. */
function remainder(data: Uint8Array): number {
  let rest = 0n;
  for (const byte of data) rest = (rest << 8n) | BigInt(byte);
  rest <<= 16n;
  for (let bit = BigInt(data.length * 8 + 15); bit >= 16n; bit--) {
    if ((rest >> bit) & 1n) rest ^= 0x1_8bb7n << (bit - 16n);
  }
  return Number(rest);
}

test('the guard is the remainder of the division, and that of the test cases of the standard [SBC-3] 4.22.4', () => {
  for (const [data, crc] of [
    [new Uint8Array(32), 0x0000],
    [new Uint8Array(32).fill(0xff), 0xa293],
    [Uint8Array.from({ length: 32 }, (_, i) => i), 0x0224],
    [Uint8Array.from({ length: 32 }, (_, i) => (i < 2 ? 0xff : 0)), 0x21b8],
    [Uint8Array.from({ length: 32 }, (_, i) => 0xff - i), 0xa0b7],
    [Uint8Array.from({ length: 97 }, (_, i) => (i * i * 31) & 255), null],
  ] as const) {
    bytes.set(data, AT);
    io.pi_make(AT, 1, data.length, 0x01020304);
    const made = view.getUint16(AT + data.length);
    assert.is(made, crc ?? remainder(data));
    assert.is(made, remainder(data));
    assert.is(view.getUint32(AT + data.length + L.PI_REF_AT), 0x01020304);
  }
});

test('one wrong bit anywhere in a block or its protection information is found, and told by block', () => {
  const size = 64;
  const stride = size + L.PI_BYTES;
  for (let i = 0; i < 3 * stride; i++) bytes[AT + i] = (i * 37) & 255;
  io.pi_make(AT, 3, size, 0xffffffff); // the reference tag wraps
  const all = L.TASK_FLAG_PI_GUARD | L.TASK_FLAG_PI_REF;
  const check = (flags = all, escape = 0): number =>
    io.pi_check(AT, 3, size, 0xffffffff, flags, escape) >>> 0;
  assert.is(check(), L.PI_GOOD);
  for (let bit = 0; bit < 3 * stride * 8; bit++) {
    const at = bit >> 3;
    const inBlock = at % stride;
    bytes[AT + at]! ^= 1 << (bit & 7);
    const isApp = inBlock >= size + L.PI_APP_AT && inBlock < size + L.PI_REF_AT;
    const isRef = inBlock >= size + L.PI_REF_AT;
    const block = Math.floor(at / stride) * 4;
    assert.is(check(), isApp ? L.PI_GOOD : block + (isRef ? L.PI_BAD_REF : L.PI_BAD_GUARD));
    assert.is(check(L.TASK_FLAG_PI_REF), isRef ? block + L.PI_BAD_REF : L.PI_GOOD);
    assert.is(check(0), L.PI_GOOD);
    bytes[AT + at]! ^= 1 << (bit & 7);
  }
});

test('first_difference and or_into do what a loop over bytes does, at any alignment', () => {
  const other = AT + 4096;
  for (let length = 0; length < 40; length++) {
    for (const shift of [0, 1, 5]) {
      for (let i = 0; i < 64; i++) bytes[AT + i] = bytes[other + i] = (i * 11) & 255;
      assert.is(io.first_difference(AT + shift, other + shift, length), length);
      for (let at = 0; at < length; at++) {
        bytes[other + shift + at]! ^= 0x80;
        assert.is(io.first_difference(AT + shift, other + shift, length), at);
        bytes[other + shift + at]! ^= 0x80;
      }
      for (let i = 0; i < 64; i++) bytes[other + i] = (i * 29) & 255;
      const expected = Array.from({ length: 64 }, (_, i) =>
        i >= shift && i < shift + length ? bytes[AT + i]! | bytes[other + i]! : bytes[AT + i]!,
      );
      io.or_into(AT + shift, other + shift, length);
      assert.equal([...bytes.subarray(AT, AT + 64)], expected);
    }
  }
});

test.run();
