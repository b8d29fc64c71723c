import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lz4Decode } from '../../boards/core/lz4.ts';
import { Dice, Formats } from '../../boards/core/formats.test-helper.ts';
import { instantiateSync } from '../pkg/index.js';
import { plain } from './plain.test-helper.ts';

const test = suite('LZ4 blocks');
const BLOCK = 65536;
const TABLE_BYTES = 16384;
/** Bytes behind the output that the kernel may overwrite. */
const SPILL = 8;
const GUARD = 0xa5;
const GUARDED = new Uint8Array(1024).fill(GUARD);

type Fill = (bytes: Uint8Array, dice: Dice) => void;

const CONTENTS: Readonly<Record<string, Fill>> = {
  random: (bytes, dice) => void dice.roll(bytes),
  zeros: (bytes) => void bytes.fill(0),
  'one byte': (bytes) => void bytes.fill(0x5a),
  'period 2': (bytes) => bytes.forEach((_, i) => (bytes[i] = i & 1)),
  'period 7': (bytes) => bytes.forEach((_, i) => (bytes[i] = i % 7)),
  'few letters': (bytes, dice) => bytes.forEach((_, i) => (bytes[i] = 97 + dice.below(3))),
  words: (bytes, dice) => {
    for (let i = 0; i < bytes.length;)
      for (const letter of `word${dice.below(60)} `) bytes[i++] = letter.charCodeAt(0);
  },
  'records, then noise': (bytes, dice) => {
    bytes.forEach((_, i) => (bytes[i] = (i >> 6) & (i & 63 ? 0xff : 0x0f)));
    dice.roll(bytes.subarray(bytes.length >> 1));
  },
  'noise, twice': (bytes, dice) => {
    dice.roll(bytes.subarray(0, bytes.length >> 1));
    bytes.copyWithin(bytes.length >> 1, 0);
  },
};
const LENGTHS = [...Array(301).keys()].slice(1).concat([4096, 5000, 65535, BLOCK]);

interface Kernel {
  io: Formats;
  table: number;
  from: number;
  to: number;
}

function kernel(io: Formats): Kernel {
  return { io, table: io.room(TABLE_BYTES), from: io.room(BLOCK + 64), to: io.room(BLOCK + 4096) };
}

/** Compresses `data` into `room` bytes, with guards around all that the kernel may write. */
function compress({ io, table, from, to }: Kernel, data: Uint8Array, room: number): Uint8Array | null {
  const end = to + room + SPILL;
  io.bytes.fill(GUARD, to - 64, end + GUARDED.length);
  io.bytes.set(data, from);
  const bytes = io.call('lz4_compress', from, data.length, to, room, table);
  const isWhole =
    Buffer.compare(io.bytes.subarray(to - 64, to), GUARDED.subarray(0, 64)) === 0 &&
    Buffer.compare(io.bytes.subarray(end, end + GUARDED.length), GUARDED) === 0;
  assert.ok(isWhole, `${data.length} bytes into ${room}: nothing else is written`);
  assert.equal(Buffer.compare(io.part(from, data.length), data), 0);
  assert.ok(bytes <= room);
  return bytes === 0 ? null : io.bytes.slice(to, to + bytes);
}

test('the expander of the disk I/O module takes back what the kernel made, byte for byte', async () => {
  for (const each of await builds()) {
    const dice = new Dice(21);
    const { io, to } = each;
    const [from, out] = [io.room(BLOCK + 4096), io.room(BLOCK + 64)];
    for (const fill of Object.values(CONTENTS)) {
      for (const length of [1, 4, 12, 13, 40, 300, 5000, BLOCK]) {
        const data = new Uint8Array(length);
        fill(data, dice);
        const block = compress(each, data, bound(length))!;
        io.bytes.copyWithin(from, to, to + block.length);
        io.part(out, BLOCK + 64).fill(GUARD);
        assert.is(io.call('lz4_expand', from, block.length, out, length), length);
        assert.is(Buffer.compare(io.part(out, length), data), 0);
        assert.is(io.bytes[out + length], GUARD);
        assert.is(io.call('lz4_expand', from, block.length, out, length - 1), 0, 'no room for the last byte');
        assert.is(io.call('lz4_expand', from, block.length - 1, out, length) === length, false);
      }
    }
  }
});

test('the expander believes no block: damaged ones write nothing outside, and agree with the decoder of core files', () => {
  const each = kernel(new Formats());
  const { io } = each;
  const dice = new Dice(22);
  const [from, out] = [io.room(8192), io.room(8192)];
  const data = new Uint8Array(2000);
  for (let n = 0; n < 2_000; n++) {
    CONTENTS[Object.keys(CONTENTS)[n % 9]!]!(data, dice);
    const block =
      n % 10 ? compress(each, data, bound(data.length))! : dice.roll(new Uint8Array(1 + dice.below(60)));
    for (let flips = dice.below(3) + 1; flips > 0; flips--)
      block[dice.below(Math.min(block.length, 40))] = dice.below(256);
    io.bytes.set(block, from);
    io.part(out, 4096).fill(GUARD);
    const made = io.call('lz4_expand', from, block.length, out, data.length);
    assert.ok(io.part(out + data.length, 2096).every((byte) => byte === GUARD));
    const expected = lz4Decode(block, data.length);
    if (expected !== null) assert.is(Buffer.compare(io.part(out, made), expected), 0);
    else assert.is.not(made, data.length);
  }
});

const bound = (bytes: number): number => bytes + Math.floor(bytes / 255) + 16;

const builds = async (): Promise<readonly [Kernel, Kernel]> => [
  kernel(new Formats()),
  kernel(new Formats(await plain())),
];

test('every length and content comes back through the decoder of core files, and both builds choose alike', async () => {
  const [simd, mcu] = await builds();
  for (const [what, fill] of Object.entries(CONTENTS)) {
    const dice = new Dice(7);
    for (const length of LENGTHS) {
      const data = new Uint8Array(length);
      fill(data, dice);
      const block = compress(simd, data, bound(length));
      assert.ok(block !== null, `${what}, ${length}`);
      const back = lz4Decode(block, length);
      assert.ok(back !== null && Buffer.compare(back, data) === 0, `${what}, ${length}`);
      const other = compress(mcu, data, bound(length));
      assert.ok(other !== null && Buffer.compare(other, block) === 0, `${what}, ${length}, without SIMD`);
    }
  }
});

test('a block that does not fit gives 0, one that just fits is whole, and never a byte more is written', async () => {
  const [simd, mcu] = await builds();
  for (const [what, fill] of Object.entries(CONTENTS)) {
    const dice = new Dice(8);
    for (const length of [1, 5, 12, 13, 14, 64, 300, 4096, BLOCK]) {
      const data = new Uint8Array(length);
      fill(data, dice);
      const whole = compress(simd, data, bound(length))!;
      const rooms = [
        0,
        1,
        2,
        8,
        16,
        whole.length >> 1,
        whole.length - 20,
        whole.length - 1,
        whole.length + 20,
      ];
      for (const room of rooms.filter((each) => each >= 0)) {
        for (const each of [simd, mcu]) {
          const block = compress(each, data, room);
          if (room < whole.length) assert.is(block, null, `${what}, ${length} into ${room}`);
          else if (block !== null)
            assert.is(Buffer.compare(block, whole), 0, `${what}, ${length} into ${room}`);
        }
      }
    }
  }
});

test('noise does not shrink, a page of one byte shrinks to next to nothing, text to less than half', () => {
  const simd = kernel(new Formats());
  const of = (what: string): number | undefined => {
    const data = new Uint8Array(BLOCK);
    CONTENTS[what]!(data, new Dice(9));
    return compress(simd, data, BLOCK - 512)?.length;
  };
  assert.is(of('random'), undefined);
  assert.ok(of('one byte')! < 300);
  assert.ok(of('words')! < BLOCK / 2);
});

test('what is compressed never depends on what was compressed before, nor on where it lies', () => {
  const { io, table, from, to } = kernel(new Formats());
  const data = new Uint8Array(BLOCK - 16);
  CONTENTS['words']!(data, new Dice(10));
  const blocks = [0, 1, 3, 8, 13].map((shift) => {
    new Dice(shift + 1).roll(io.part(table, TABLE_BYTES));
    io.bytes.set(data, from + shift);
    return io.bytes.slice(to, to + io.call('lz4_compress', from + shift, data.length, to, BLOCK, table));
  });
  for (const block of blocks) assert.is(Buffer.compare(block, blocks[0]!), 0);
});

test('blocks of random make come back: lengths, repeats and distances of every size', () => {
  const simd = kernel(new Formats());
  const dice = new Dice(11);
  for (let n = 0; n < 150; n++) {
    const data = new Uint8Array(1 + dice.below(n % 4 ? 3000 : BLOCK));
    for (let at = 0; at < data.length;) {
      const run = Math.min(1 + dice.below(n % 3 ? 40 : 900), data.length - at);
      if (at > 0 && dice.below(3) > 0) {
        const distance = 1 + dice.below(Math.min(at, n % 5 ? 300 : at));
        for (let i = 0; i < run; i++) data[at + i] = data[at + i - distance]!;
      } else dice.roll(data.subarray(at, at + run));
      at += run;
    }
    const block = compress(simd, data, bound(data.length))!;
    const back = lz4Decode(block, data.length);
    assert.ok(back !== null && Buffer.compare(back, data) === 0, `block ${n}`);
  }
});

test('the last bytes of a memory of 4 GiB are compressed like all others', () => {
  const memory = new WebAssembly.Memory({ initial: 65536, maximum: 65536 });
  const { io, table, to } = kernel(new Formats(instantiateSync({ memory })));
  const from = 2 ** 32 - BLOCK;
  const data = new Uint8Array(BLOCK);
  for (const what of ['words', 'zeros', 'random', 'noise, twice']) {
    CONTENTS[what]!(data, new Dice(12));
    io.bytes.set(data, from);
    const bytes = io.call('lz4_compress', from, BLOCK, to, BLOCK + 1024, table);
    const back = lz4Decode(io.bytes.slice(to, to + bytes), BLOCK);
    assert.ok(back !== null && Buffer.compare(back, data) === 0, what);
  }
});

test.run();
