/** What is found on a disk whose dump was torn, overwritten in part, or followed by another. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../asm/layout.ts';
import { Dice } from './formats.test-helper.ts';
import type { Disk } from './formats.test-helper.ts';
import { BLOCKS, EPOCH, ImageWriter, SYSTEM } from './image.test-helper.ts';
import { isMissing } from './memory-source.ts';
import { SalvagedImage, searchDisk } from './salvage.ts';
import { CHUNKS, ORDER, chunkOf, imageOf, memoryOf, mended, placeOf } from './source.test-helper.ts';
import { Malformed } from './source.ts';

const test = suite('salvage');
const MEMORY = memoryOf();
const HEADERS_AT = L.COREDUMP_LBA * L.SECTOR_BYTES;
const TABLE_AT = L.DATA_LBA * L.SECTOR_BYTES;

/** As far as these tests write. */
const SEARCHED = L.DATA_LBA + 2048;

function salvaged(disk: Disk, epoch?: number): SalvagedImage {
  const { dumps, headers } = searchDisk(disk.read, SEARCHED);
  const dump = dumps.find((each) => epoch === undefined || each.epoch === epoch);
  if (!dump) throw new Error('nothing found');
  return new SalvagedImage(disk.read, SEARCHED, dump, headers);
}

/** Chunks that it gives; each must be as it was. */
function assertExact(image: SalvagedImage): number[] {
  const there: number[] = [];
  for (let chunk = 0; chunk < image.chunks; chunk++) {
    const { content, state } = image.chunk(chunk);
    assert.is(content === null, isMissing(state));
    if (content === null) continue;
    assert.equal(content, chunkOf(MEMORY, chunk), `chunk ${chunk}`);
    there.push(chunk);
  }
  return there;
}

test('poisoned pages are salvaged as gaps, with the headers gone', () => {
  const { disk } = imageOf(MEMORY, { poisoned: { 10: 0x0006 } });
  disk.write(HEADERS_AT, noise(2 * L.COPY_BYTES));
  const image = salvaged(disk);
  assert.equal([image.poison(10), image.poison(11)], [6, 0]);
  assert.equal(image.chunk(10).content, mended(chunkOf(MEMORY, 10), 6));
});

const noise = (bytes: number): Uint8Array => new Dice(99).roll(new Uint8Array(bytes));

test('a whole dump is found as it is', () => {
  const image = salvaged(imageOf(MEMORY).disk);
  assert.is(image.header.attribute, L.ATTRIBUTE_COMPLETED);
  assert.equal(image.problems, []);
  assert.is(assertExact(image).length, CHUNKS);
});

test('with both copies of the header torn, all of the memory is still there', () => {
  const { disk } = imageOf(MEMORY);
  disk.write(HEADERS_AT, noise(2 * L.COPY_BYTES));
  const image = salvaged(disk);
  assert.is(assertExact(image).length, CHUNKS);
  assert.equal(
    [image.header.system, image.header.epoch, image.header.reason],
    [SYSTEM, EPOCH, L.PANIC_ASSERT],
  );
  assert.is(image.header.attribute, L.ATTRIBUTE_DUMPING, 'nobody knows how it ended');
  assert.match(image.problems.join(), /no header of this dump is left/);
});

test('chunks that lie on the disk more than once do not lead to another place of the image', () => {
  const memory = memoryOf();
  for (const chunk of [11, 12, 13, 14]) memory.set(chunkOf(memory, 10), chunk * L.CHUNK_BYTES);
  const { disk } = imageOf(memory);
  disk.write(HEADERS_AT, noise(2 * L.COPY_BYTES));
  const image = salvaged(disk);
  for (let chunk = 0; chunk < CHUNKS; chunk++)
    assert.equal(image.chunk(chunk).content, chunkOf(memory, chunk), `chunk ${chunk}`);
  assert.is(image.header.reason, L.PANIC_ASSERT, 'its record is there');
});

test('of two copies of the header the newer one tells how it ended, wherever it lies', () => {
  for (const more of [0, 1]) {
    const writer = imageOf(MEMORY, { attribute: L.ATTRIBUTE_DUMPING });
    for (let n = 0; n < more; n++) writer.header(L.ATTRIBUTE_DUMPING, CHUNKS);
    writer.header(L.ATTRIBUTE_ABORTED, CHUNKS, { [L.HEADER_ABORT_AT]: L.ABORT_LIMIT });
    assert.is(salvaged(writer.disk).header.attribute, L.ATTRIBUTE_ABORTED);
  }
});

test('a header that tells of more memory than there can be is none', () => {
  for (const field of [L.HEADER_CHUNK_TOTAL_AT, L.HEADER_TABLE_COUNT_AT]) {
    const writer = imageOf(MEMORY);
    for (let copy = 0; copy < 2; copy++)
      writer.header(L.ATTRIBUTE_COMPLETED, CHUNKS, { [field]: 0xffff_fff0 });
    assert.is(assertExact(salvaged(writer.disk)).length, CHUNKS);
  }
});

test('a block of the table that is gone costs the chunks that it lists, and no other', () => {
  const { disk } = imageOf(MEMORY);
  disk.write(HEADERS_AT, noise(2 * L.COPY_BYTES));
  disk.write(TABLE_AT + L.TABLE_BYTES, noise(L.SECTOR_BYTES));
  const image = salvaged(disk);
  const gone = ORDER.slice(5, 10);
  assert.equal(
    assertExact(image),
    Array.from({ length: CHUNKS }, (_, i) => i).filter((i) => !gone.includes(i)),
  );
  for (const chunk of gone) assert.is(image.state(chunk), L.MISSING_UNREACHED);
  assert.match(image.problems.join(), /1 of 4 blocks of the chunk table/);
});

test('the first block of the table may be gone, too: the others know where it was', () => {
  const { disk } = imageOf(MEMORY);
  disk.write(TABLE_AT, noise(L.TABLE_BYTES));
  const image = salvaged(disk);
  assert.equal(assertExact(image).length, CHUNKS - 5);
});

test('chunks that were overwritten are missing as corrupt, never memory', () => {
  const writer = imageOf(MEMORY);
  writer.disk.write(placeOf(writer, 10), noise(L.SECTOR_BYTES));
  writer.disk.write(HEADERS_AT, noise(2 * L.COPY_BYTES));
  const image = salvaged(writer.disk);
  assert.is(image.chunk(10).state, L.MISSING_CORRUPT);
  assert.is(assertExact(image).length, CHUNKS - 1);
});

test('the dump of an older life is found on a disk that is prepared for the next one', () => {
  const writer = imageOf(MEMORY);
  writer.header(L.ATTRIBUTE_INACTIVE, CHUNKS, {}, EPOCH + 1);
  writer.header(L.ATTRIBUTE_INACTIVE, CHUNKS, {}, EPOCH + 2);
  const image = salvaged(writer.disk);
  assert.is(image.header.epoch, EPOCH);
  assert.is(assertExact(image).length, CHUNKS);
});

test('of a newer dump that overwrote an older one in part, each chunk belongs to its own', () => {
  const writer = imageOf(MEMORY);
  const other = new ImageWriter();
  other.chunks(
    0,
    [{ chunk: 3, codec: L.CODEC_RAW, stored: noise(L.CHUNK_BYTES), memory: noise(L.CHUNK_BYTES) }],
    EPOCH + 1,
  );
  for (const [sector, bytes] of other.disk.sectors) writer.disk.write(sector * L.SECTOR_BYTES, bytes);
  assert.equal(
    searchDisk(writer.disk.read, SEARCHED).dumps.map(({ epoch }) => epoch),
    [EPOCH + 1, EPOCH],
  );
  const newer = salvaged(writer.disk, EPOCH + 1);
  assert.equal(newer.chunk(3).content, noise(L.CHUNK_BYTES));
  const older = salvaged(writer.disk, EPOCH);
  assert.is(assertExact(older).length, CHUNKS - 5, 'the first block of its table is gone');
});

test('without any table a panic record on the disk is told, and no memory', () => {
  const writer = imageOf(MEMORY);
  writer.disk.write(TABLE_AT, noise(4 * L.TABLE_BYTES));
  const { dumps, record } = searchDisk(writer.disk.read, SEARCHED);
  assert.equal(dumps, []);
  assert.is(record?.panic.text, 'ring is full');
  assert.is(record?.panic.line, 42);
});

test('a table whose chunks are all gone is no dump', () => {
  const writer = imageOf(MEMORY);
  writer.disk.write(HEADERS_AT, noise(2 * L.COPY_BYTES));
  for (const chunk of [4, 7, 8, 10, 11]) writer.disk.write(placeOfTorn(chunk), noise(L.CHUNK_BYTES));
  assert.throws(
    () => salvaged(writer.disk),
    (error: unknown) => error instanceof Malformed && /none of its chunks is left/.test(error.message),
  );
});

const WHOLE = imageOf(MEMORY);
const placeOfTorn = (chunk: number): number => placeOf(WHOLE, chunk);

test('an empty disk, and one that ends anywhere, are searched to their end', () => {
  assert.equal(searchDisk(() => new Uint8Array(0), BLOCKS).dumps, []);
  const { disk } = imageOf(MEMORY);
  for (const blocks of [0, 1, L.DATA_LBA, L.DATA_LBA + 1, L.DATA_LBA + 9, L.DATA_LBA + 100]) {
    const read = (at: number, bytes: number): Uint8Array =>
      disk.read(at, Math.max(0, Math.min(bytes, blocks * L.SECTOR_BYTES - at)));
    const { dumps } = searchDisk(read, blocks);
    assert.ok(dumps.length <= 1);
  }
});

test('whatever is overwritten, what salvage gives is exact or missing', () => {
  const dice = new Dice(2024);
  let salvages = 0;
  for (let round = 0; round < 150; round++) {
    const { disk } = imageOf(MEMORY);
    for (let n = 1 + dice.below(8); n > 0; n--) {
      const near = dice.below(3);
      const at =
        near === 0
          ? HEADERS_AT + dice.below(2 * L.COPY_BYTES)
          : near === 1
            ? TABLE_AT + dice.below(4 * L.TABLE_BYTES)
            : TABLE_AT + dice.below(700_000);
      const first = Math.floor(at / L.SECTOR_BYTES) * L.SECTOR_BYTES;
      const sector = disk.read(first, L.SECTOR_BYTES).slice();
      const wide = 1 << dice.below(10);
      for (let i = at - first; i < Math.min(L.SECTOR_BYTES, at - first + wide); i++)
        sector[i] = dice.below(256);
      disk.write(first, sector);
    }
    try {
      assertExact(salvaged(disk));
      salvages++;
    } catch (error) {
      if (!(error instanceof Malformed) && (error as Error).message !== 'nothing found') throw error;
    }
  }
  assert.ok(salvages > 100, `${salvages}`);
});

test.run();
