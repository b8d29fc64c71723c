import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import { Formats } from '../../boards/core/formats.test-helper.ts';

const test = suite('coredump header');
const SECTORS = L.COPY_BYTES / L.SECTOR_BYTES;

/** Two copies as on a disk, and the next header to be written. */
function setUp(): { io: Formats; copies: number; next: number } {
  const io = new Formats();
  return { io, copies: io.room(2 * L.COPY_BYTES), next: io.room(L.COPY_BYTES) };
}

function build(io: Formats, at: number, attribute: number, sequence: number, epoch = 7): void {
  io.call('header_begin', at);
  io.view.setUint32(at + L.HEADER_ATTRIBUTE_AT, attribute, true);
  io.view.setUint32(at + L.HEADER_EPOCH_AT, epoch, true);
  io.call('header_seal', at, sequence);
}

/** The attribute that a board reading the disk goes by, 0 without a valid copy. */
function attributeOf(io: Formats, copies: number): number {
  const newest = io.call('header_newest', copies);
  return newest < 0 ? 0 : io.view.getUint32(copies + newest * L.COPY_BYTES + L.HEADER_ATTRIBUTE_AT, true);
}

test('a write torn in any way leaves the header before it, and never reads as completed', () => {
  const { io, copies, next } = setUp();
  build(io, copies, L.ATTRIBUTE_INACTIVE, 4);
  build(io, copies + L.COPY_BYTES, L.ATTRIBUTE_DUMPING, 5);
  build(io, next, L.ATTRIBUTE_COMPLETED, 6);
  // The last sector of a copy is zero in both: make each sector differ, as the build id and the order do on a board.
  for (let sector = 1; sector < SECTORS; sector++) io.bytes[next + sector * L.SECTOR_BYTES + 300] = sector;
  io.call('header_seal', next, 6);
  const victim = io.call('header_victim', copies);
  assert.is(victim, 0);
  const before = io.part(copies, 2 * L.COPY_BYTES).slice();
  for (let landed = 0; landed < 1 << SECTORS; landed++) {
    io.part(copies, 2 * L.COPY_BYTES).set(before);
    for (let sector = 0; sector < SECTORS; sector++) {
      if (!(landed & (1 << sector))) continue;
      const at = sector * L.SECTOR_BYTES;
      io.part(copies + at, L.SECTOR_BYTES).set(io.part(next + at, L.SECTOR_BYTES));
    }
    const whole = landed === (1 << SECTORS) - 1;
    assert.is(
      attributeOf(io, copies),
      whole ? L.ATTRIBUTE_COMPLETED : L.ATTRIBUTE_DUMPING,
      `sectors ${landed}`,
    );
  }
});

test('a copy with any one bit changed does not count', () => {
  const { io, copies } = setUp();
  build(io, copies, L.ATTRIBUTE_COMPLETED, 1);
  for (let bit = 0; bit < L.COPY_BYTES * 8; bit += 3) {
    io.bytes[copies + (bit >> 3)]! ^= 1 << (bit & 7);
    assert.is(io.call('header_valid', copies), 0, `bit ${bit}`);
    io.bytes[copies + (bit >> 3)]! ^= 1 << (bit & 7);
  }
  assert.is(io.call('header_valid', copies), 1);
});

test('the higher sequence number counts, across its wrap, and the other copy is overwritten next', () => {
  const { io, copies } = setUp();
  for (const [a, b, newest] of [
    [1, 2, 1],
    [2, 1, 0],
    [0xffffffff, 0, 1],
    [0, 0xffffffff, 0],
    [3, 3, 0],
  ] as const) {
    build(io, copies, L.ATTRIBUTE_INACTIVE, a);
    build(io, copies + L.COPY_BYTES, L.ATTRIBUTE_DUMPING, b);
    assert.is(io.call('header_newest', copies), newest, `${a} and ${b}`);
    assert.is(io.call('header_victim', copies), 1 - newest, `${a} and ${b}`);
    assert.is(io.u32('header_next_sequence', copies), ((newest ? b : a) + 1) >>> 0);
  }
});

test('without a valid copy there is no header, and the first one gets sequence number 1', () => {
  const { io, copies } = setUp();
  io.part(copies, 2 * L.COPY_BYTES).fill(0xff);
  assert.is(io.call('header_newest', copies), -1);
  assert.is(io.call('header_victim', copies), 0);
  assert.is(io.call('header_next_sequence', copies), 1);
});

test('a sealed header with an attribute, cause or order that the layout does not name does not count', () => {
  for (const [at, bad] of [
    [L.HEADER_ATTRIBUTE_AT, 0],
    [L.HEADER_ATTRIBUTE_AT, 5],
    [L.HEADER_ABORT_AT, 6],
    [L.HEADER_ORDER_COUNT_AT, L.ORDER_MAX + 1],
    [L.HEADER_VERSION_AT, 2],
    [L.HEADER_MAGIC_AT, L.LABEL_MAGIC],
  ] as const) {
    const { io, copies } = setUp();
    build(io, copies, L.ATTRIBUTE_DUMPING, 1);
    io.view.setUint32(copies + at, bad, true);
    io.call('header_seal', copies, 1);
    assert.is(io.call('header_valid', copies), 0, `${bad} at ${at}`);
  }
});

test('an image is sound only within the data region of its disk, without overlap', () => {
  const { io, copies } = setUp();
  const blocks = 1_000_000;
  const good: [number, bigint | number][] = [
    [L.HEADER_CHUNK_BYTES_AT, L.CHUNK_BYTES],
    [L.HEADER_CHUNK_TOTAL_AT, 256],
    [L.HEADER_MEMORY_BYTES_AT, 256n * 65536n],
    [L.HEADER_TABLE_LBA_AT, BigInt(L.DATA_LBA)],
    [L.HEADER_TABLE_ROOM_AT, 8],
    [L.HEADER_IMAGE_LBA_AT, BigInt(L.DATA_LBA + 64)],
    [L.HEADER_IMAGE_BLOCKS_AT, 40000n],
  ];
  const set = (fields: typeof good): void => {
    for (const [at, value] of fields) {
      if (typeof value === 'bigint') io.view.setBigUint64(copies + at, value, true);
      else io.view.setUint32(copies + at, value, true);
    }
  };
  io.call('header_begin', copies);
  set(good);
  assert.is(io.call('header_image_sound', copies, BigInt(blocks)), 1);
  for (const [at, bad] of [
    [L.HEADER_CHUNK_BYTES_AT, 4096],
    [L.HEADER_CHUNK_TOTAL_AT, 0],
    [L.HEADER_CHUNK_TOTAL_AT, 65537],
    [L.HEADER_MEMORY_BYTES_AT, 1n],
    [L.HEADER_TABLE_LBA_AT, BigInt(L.DATA_LBA - 1)],
    [L.HEADER_TABLE_LBA_AT, 2n ** 64n - 8n],
    [L.HEADER_TABLE_ROOM_AT, 0xffffffff],
    [L.HEADER_TABLE_COUNT_AT, 9],
    [L.HEADER_IMAGE_LBA_AT, BigInt(L.DATA_LBA)],
    [L.HEADER_IMAGE_LBA_AT, BigInt(blocks)],
    [L.HEADER_IMAGE_BLOCKS_AT, 2n ** 64n - 1n],
    [L.HEADER_IMAGE_BLOCKS_AT, BigInt(blocks - L.TAIL_BLOCKS - L.DATA_LBA - 63)],
    [L.HEADER_LOST_AT, 257],
    [L.HEADER_POISONED_PAGES_AT, 256 * L.CHUNK_PAGES + 1],
  ] as const) {
    io.call('header_begin', copies);
    set([...good, [at, bad]]);
    assert.is(io.call('header_image_sound', copies, BigInt(blocks)), 0, `${bad} at ${at}`);
  }
});

test.run();
