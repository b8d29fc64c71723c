import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import { Formats } from '../../boards/core/formats.test-helper.ts';

const test = suite('chunk table');
const CHUNKS = 4096;
const IMAGE_BLOCKS = 1_000_000n;

function begin(): {
  io: Formats;
  at: number;
  valid: (index?: number, system?: number, epoch?: number) => number;
} {
  const io = new Formats();
  const at = io.room(L.TABLE_BYTES);
  io.call('table_begin', at, 3, 11, 5);
  return {
    io,
    at,
    valid: (index = 3, system = 11, epoch = 5) =>
      io.call('table_valid', at, index, system, epoch, CHUNKS, IMAGE_BLOCKS),
  };
}

test('a full block gives back its entries, and takes no more', () => {
  const { io, at, valid } = begin();
  for (let i = 0; i < L.TABLE_ENTRIES; i++) {
    const codec = i & 1 ? L.CODEC_RAW : L.CODEC_ZERO;
    const added = io.call('table_append', at, i, codec, i & 1 ? L.CHUNK_BYTES : 0, i * 128, 0xdeadbeef - i);
    assert.is(added, 1);
    assert.is(io.call('table_room', at), L.TABLE_ENTRIES - 1 - i);
  }
  assert.is(io.call('table_append', at, 999, L.CODEC_ZERO, 0, 0, 0), 0);
  io.call('table_seal', at);
  assert.is(valid(), 1);
  assert.is(io.call('table_count', at), L.TABLE_ENTRIES);
  for (let i = 0; i < L.TABLE_ENTRIES; i++) {
    const entry = ['chunk', 'codec', 'stored_bytes', 'offset_blocks', 'crc'].map((f) =>
      io.u32(`table_${f}`, at, i),
    );
    const raw = (i & 1) === 1;
    assert.equal(entry, [
      i,
      raw ? L.CODEC_RAW : L.CODEC_ZERO,
      raw ? L.CHUNK_BYTES : 0,
      i * 128,
      0xdeadbeef - i,
    ]);
  }
});

test('a block of another place, board or epoch is not of this table', () => {
  const { io, at, valid } = begin();
  io.call('table_seal', at);
  assert.equal([valid(), valid(4), valid(3, 12), valid(3, 11, 4)], [1, 0, 0, 0]);
});

test('a torn block does not count, wherever it is torn', () => {
  const { io, at, valid } = begin();
  const old = new Formats();
  const oldAt = old.room(L.TABLE_BYTES);
  old.call('table_begin', oldAt, 3, 11, 5);
  for (let i = 0; i < L.TABLE_ENTRIES; i++) {
    io.call('table_append', at, i, L.CODEC_LZ4, 100 + i, i, i);
    old.call('table_append', oldAt, i, L.CODEC_RAW, L.CHUNK_BYTES, i, ~i);
  }
  io.call('table_seal', at);
  old.call('table_seal', oldAt);
  const whole = io.part(at, L.TABLE_BYTES).slice();
  for (let cut = 1; cut < L.TABLE_BLOCKS; cut++) {
    io.part(at, L.TABLE_BYTES).set(old.part(oldAt, L.TABLE_BYTES));
    io.part(at, cut * L.SECTOR_BYTES).set(whole.subarray(0, cut * L.SECTOR_BYTES));
    assert.is(valid(), 0, `cut after sector ${cut}`);
  }
});

test('an entry that points past the memory or the image makes its block worthless', () => {
  const entries: [string, number, number, number, number][] = [
    ['chunk past the memory', CHUNKS, L.CODEC_ZERO, 0, 0],
    ['unknown codec', 0, 4, 1, 0],
    ['zero with bytes', 0, L.CODEC_ZERO, 1, 0],
    ['lost with bytes', 0, L.CODEC_LOST, 1, 0],
    ['lost for a reason that nobody gives', 0, L.CODEC_LOST, 0, L.MISSING_CORRUPT],
    ['raw of other size', 0, L.CODEC_RAW, L.CHUNK_BYTES - 1, 0],
    ['LZ4 that did not shrink', 0, L.CODEC_LZ4, L.CHUNK_BYTES, 0],
    ['LZ4 of nothing', 0, L.CODEC_LZ4, 0, 0],
    ['past the image', 0, L.CODEC_RAW, L.CHUNK_BYTES, Number(IMAGE_BLOCKS) - 127],
    ['far past the image', 0, L.CODEC_RAW, L.CHUNK_BYTES, 0xffffffff],
  ];
  for (const [what, ...entry] of entries) {
    const { io, at, valid } = begin();
    io.call('table_append', at, ...entry, 0);
    io.call('table_seal', at);
    assert.is(valid(), 0, what);
  }
});

test('a chunk that was left out keeps its reason in the map', () => {
  const { io, at, valid } = begin();
  const map = io.room(CHUNKS);
  io.part(map, CHUNKS).fill(L.MISSING_UNREACHED);
  io.call('table_append', at, 7, L.CODEC_LOST, 0, L.MISSING_POISONED, 0);
  io.call('table_seal', at);
  assert.is(valid(), 1);
  assert.is(io.u32('table_reason', at, 0), L.MISSING_POISONED);
  io.call('table_enter', at, map);
  assert.equal([...io.part(map + 6, 3)], [L.MISSING_UNREACHED, L.MISSING_POISONED, L.MISSING_UNREACHED]);
});

test('a chunk once written stays so in the map, whatever a later entry says of a lost try', () => {
  const { io, at } = begin();
  const map = io.room(CHUNKS);
  io.part(map, CHUNKS).fill(L.MISSING_UNREACHED);
  for (const [chunk, codec] of [
    [0, L.CODEC_RAW],
    [0, L.CODEC_LOST],
    [1, L.CODEC_LOST],
    [1, L.CODEC_RAW],
    [2, L.CODEC_LOST],
    [3, L.CODEC_ZERO],
  ] as const) {
    io.call('table_append', at, chunk, codec, codec === L.CODEC_RAW ? L.CHUNK_BYTES : 0, 0, 0);
  }
  io.call('table_enter', at, map);
  assert.equal(
    [...io.part(map, 5)],
    [L.CODEC_RAW, L.CODEC_RAW, L.CODEC_LOST, L.CODEC_ZERO, L.MISSING_UNREACHED],
  );
});

test('a mask of poisoned pages goes with its chunk; one of no page that is there, or of a lost chunk, is not sound', () => {
  const io = new Formats();
  const [at, map, poison] = [io.room(L.TABLE_BYTES), io.room(64), io.room(128)];
  const block = (entries: readonly (readonly number[])[]): number => {
    io.call('table_begin', at, 0, 1, 1);
    for (const entry of entries) io.call('table_append', at, ...entry);
    io.call('table_seal', at);
    return io.call('table_valid', at, 0, 1, 1, 64, 1000n);
  };
  assert.is(block([[5, L.CODEC_ZERO, 0, 0, 0, 0x8001], [63, L.CODEC_RAW, L.CHUNK_BYTES, 0, 0, 0xfffe]]), 1); // prettier-ignore
  assert.equal([0, 1].map((i) => [io.call('table_chunk', at, i), io.call('table_poison', at, i)]), [[5, 0x8001], [63, 0xfffe]]); // prettier-ignore
  io.call('table_enter', at, map, poison);
  assert.equal([5, 63].map((chunk) => io.view.getUint16(poison + chunk * 2, true)), [0x8001, 0xfffe]); // prettier-ignore
  assert.is(block([[5, L.CODEC_ZERO, 0, 0, 0, L.CHUNK_POISONED]]), 0);
  assert.is(block([[5, L.CODEC_LOST, 0, L.MISSING_POISONED, 0, 1]]), 0);
  assert.is(block([[64, L.CODEC_ZERO, 0, 0, 0, 0]]), 0);
});

test.run();
