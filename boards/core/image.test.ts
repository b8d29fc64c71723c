import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Dice } from './formats.test-helper.ts';
import * as L from '../../asm/layout.ts';
import { BLOCKS, EPOCH, ImageWriter, lost, raw, zero } from './image.test-helper.ts';
import { mended } from './source.test-helper.ts';
import { DumpImage } from './image.ts';
import { endOf, readHeaders } from './records.ts';
import { Malformed } from './source.ts';

const test = suite('dump image');
const memory = (seed: number): Uint8Array => new Dice(seed).roll(new Uint8Array(L.CHUNK_BYTES));
const malformed = (error: unknown): boolean => error instanceof Malformed && error.format === 'dump image';
const LITERALS = [0x41, 0x41, 0x41, 0x41, 0x41];
const [ONE, TWO] = [memory(1), memory(2)];

function open(writer: ImageWriter): DumpImage {
  return new DumpImage(writer.disk.read, BLOCKS);
}

/** Raw, zero, lost, raw; chunk 4 was never reached. */
function sample(): ImageWriter {
  const writer = new ImageWriter();
  writer.label();
  writer.header(L.ATTRIBUTE_INACTIVE, 0);
  writer.header(L.ATTRIBUTE_DUMPING, 5);
  writer.chunks(0, [raw(0, ONE), zero(1), lost(2), raw(3, TWO)]);
  writer.header(L.ATTRIBUTE_ABORTED, 5, { [L.HEADER_ABORT_AT]: L.ABORT_LIMIT });
  return writer;
}

test('an image gives back each chunk, and no content for a lost or unreached one', () => {
  const image = open(sample());
  assert.is(image.header.attribute, L.ATTRIBUTE_ABORTED);
  assert.is(image.header.abort, L.ABORT_LIMIT);
  assert.is(image.label?.name, 'spare-1');
  assert.equal(image.problems, []);
  assert.equal(
    [...image].map((c) => [c.index, c.state, c.content]),
    [
      [0, L.CODEC_RAW, ONE],
      [1, L.CODEC_ZERO, new Uint8Array(L.CHUNK_BYTES)],
      [2, L.CODEC_LOST, null],
      [3, L.CODEC_RAW, TWO],
      [4, L.MISSING_UNREACHED, null],
    ],
  );
  assert.is(image.count(L.CODEC_RAW), 2);
});

test('a chunk that was left out on purpose says why, and one with a reason that nobody gives is no entry', () => {
  const writer = sample();
  writer.chunks(1, [lost(4, L.MISSING_POISONED)]);
  writer.chunks(2, [lost(3, L.MISSING_UNREACHED)]);
  const image = open(writer);
  assert.equal(image.chunk(4), { index: 4, state: L.MISSING_POISONED, content: null });
  assert.is(image.state(3), L.CODEC_RAW);
});

test('a chunk with poisoned pages tells which; a mask of none or of all of a chunk is no entry', () => {
  const writer = sample();
  const stored = mended(TWO, 0x8001);
  writer.chunks(1, [{ ...raw(4, stored), poison: 0x8001 }]);
  writer.chunks(2, [{ ...raw(2, stored), poison: L.CHUNK_POISONED }]);
  writer.chunks(3, [{ ...lost(2, L.MISSING_POISONED), poison: 1 }]);
  const image = open(writer);
  assert.equal([image.state(4), image.poison(4)], [L.CODEC_RAW, 0x8001]);
  assert.equal(image.chunk(4).content, stored);
  assert.equal([image.state(2), image.poison(2), image.poison(0)], [L.CODEC_LOST, 0, 0]);
});

test('a chunk that is not as it was is corrupt, and has no content', () => {
  const writer = sample();
  const at = writer.imageAt(128);
  const sector = writer.disk.read(at, 512);
  sector[100]! ^= 1;
  writer.disk.write(at, sector);
  const image = open(writer);
  assert.equal(image.chunk(3), { index: 3, state: L.MISSING_CORRUPT, content: null });
  assert.is(image.chunk(0).content?.length, L.CHUNK_BYTES);
});

test('a table block cut at any sector loses its chunks and no others', () => {
  const writer = sample();
  writer.chunks(1, [raw(4, TWO), ...Array.from({ length: L.TABLE_ENTRIES - 1 }, () => zero(1))]);
  const at = (L.DATA_LBA + L.TABLE_BLOCKS) * L.SECTOR_BYTES;
  const whole = writer.disk.read(at, L.TABLE_BYTES);
  for (let cut = 0; cut < L.TABLE_BLOCKS; cut++) {
    writer.disk.write(at, new Uint8Array(L.TABLE_BYTES));
    writer.disk.write(at, whole.subarray(0, cut * L.SECTOR_BYTES));
    const image = open(writer);
    assert.is(image.state(4), L.MISSING_UNREACHED, `cut after ${cut}`);
    assert.is(image.state(3), L.CODEC_RAW, `cut after ${cut}`);
  }
});

test('a torn block of the table is told of, and those after it still count', () => {
  const writer = sample();
  writer.chunks(1, [raw(4, TWO)]);
  writer.disk.write(L.DATA_LBA * L.SECTOR_BYTES, new Uint8Array(L.TABLE_BYTES));
  const image = open(writer);
  assert.equal(image.problems, ['block 0 of the chunk table: not there']);
  assert.equal([image.state(0), image.state(4)], [L.MISSING_UNREACHED, L.CODEC_RAW]);
});

test('what an older dump left behind is not of this dump', () => {
  const writer = new ImageWriter();
  writer.chunks(0, [raw(0, ONE)], EPOCH - 1);
  writer.header(L.ATTRIBUTE_DUMPING, 2);
  const image = open(writer);
  assert.equal([image.state(0), image.state(1)], [L.MISSING_UNREACHED, L.MISSING_UNREACHED]);
  assert.equal(image.problems, ['block 0 of the chunk table: of another dump']);
});

test('an LZ4 chunk is decompressed, and one that is no LZ4 is corrupt', () => {
  const expected = new Uint8Array(L.CHUNK_BYTES).fill(0x41);
  const length = L.CHUNK_BYTES - 5 - 5; // after the first 5 literals, before the last 5
  const extra = length - 4 - 15;
  const block = Uint8Array.from([
    0x5f,
    ...LITERALS,
    1,
    0,
    ...Array<number>(Math.floor(extra / 255)).fill(255),
    extra % 255,
    0x50,
    ...LITERALS,
  ]);
  for (const [change, state] of [
    [0, L.CODEC_LZ4],
    [1, L.MISSING_CORRUPT],
  ] as const) {
    const writer = new ImageWriter();
    writer.header(L.ATTRIBUTE_DUMPING, 1);
    const stored = block.slice();
    stored[1]! += change;
    writer.chunks(0, [{ chunk: 0, codec: L.CODEC_LZ4, stored, memory: expected }]);
    const chunk = open(writer).chunk(0);
    assert.is(chunk.state, state);
    assert.equal(chunk.content, change ? null : expected);
  }
});

test('a disk without a header, or with one that points elsewhere, has no image', () => {
  assert.throws(() => open(new ImageWriter()), malformed);
  const wrong: Record<number, number | bigint>[] = [
    { [L.HEADER_CHUNK_TOTAL_AT]: 0 },
    { [L.HEADER_CHUNK_TOTAL_AT]: 0xffffffff },
    { [L.HEADER_MEMORY_BYTES_AT]: 2n ** 63n },
    { [L.HEADER_TABLE_LBA_AT]: 2n ** 64n - 1n },
    { [L.HEADER_TABLE_LBA_AT]: 0n },
    { [L.HEADER_TABLE_ROOM_AT]: 0xffffffff },
    { [L.HEADER_IMAGE_LBA_AT]: 1n },
    { [L.HEADER_IMAGE_BLOCKS_AT]: 2n ** 64n - 1n },
  ];
  for (const fields of wrong) {
    const writer = new ImageWriter();
    writer.header(L.ATTRIBUTE_DUMPING, 2, fields);
    assert.throws(() => open(writer), malformed);
  }
});

test('the header before a torn one counts', () => {
  const writer = sample();
  const at = (L.COREDUMP_LBA + L.COPY_BLOCKS) * L.SECTOR_BYTES; // sequence 3 went here
  const sector = writer.disk.read(at, 512);
  sector[L.HEADER_UTC_AT]! ^= 1;
  writer.disk.write(at, sector);
  const image = open(writer);
  assert.is(image.header.attribute, L.ATTRIBUTE_DUMPING);
  assert.is(image.headers.copies[1], null);
});

test('a saved dump has completed only if it has all chunks: one that both boards left without power has no cause', () => {
  const fields = { [L.HEADER_SAVED_AT]: L.SAVED_DONE, [L.HEADER_STORED_AT]: 3, [L.HEADER_ZERO_AT]: 4 };
  const writer = new ImageWriter();
  for (const [chunks, attribute] of [
    [7, L.ATTRIBUTE_COMPLETED],
    [8, L.ATTRIBUTE_ABORTED],
  ] as const) {
    writer.header(L.ATTRIBUTE_INACTIVE, chunks, fields);
    assert.is(endOf(readHeaders(writer.disk.read, L.COREDUMP_LBA).newest!), attribute);
  }
});

test.run();
