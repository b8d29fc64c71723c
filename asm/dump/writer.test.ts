/** The dump writer against a disk that answers as a test likes: what it sends, when, and what then lies on the disk. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { crc32c } from '../../boards/core/crc32c.ts';
import { Dice } from '../../boards/core/formats.test-helper.ts';
import { type Entry, entry } from '../../boards/core/image.ts';
import { lz4Decode } from '../../boards/core/lz4.ts';
import { Fields } from '../../boards/core/source.ts';
import { mended } from '../../boards/core/source.test-helper.ts';
import * as L from '../layout.ts';
import { EPOCH, FIRST, IMAGE_LBA, SYSTEM, TABLE_LBA, WriterRig } from './writer.test-helper.ts';
import type { RigOptions, Write } from './writer.test-helper.ts';

const test = suite('dump writer');
const BLOCKS = L.CHUNK_BYTES / L.SECTOR_BYTES;
const BATCHES = 8;
const BATCH_CHUNKS = 16;
const TABLE_US = 250_000;
const chunksOf = (count: number): number[] => Array.from({ length: count }, (_, i) => FIRST + i);

/** Every chunk has other bytes; of every third, only a few. */
function rigOf(count: number, options: RigOptions = {}): WriterRig {
  const rig = new WriterRig(options);
  for (const chunk of chunksOf(count)) {
    const memory = rig.memory(chunk);
    memory.subarray(0, 4096).fill(chunk & 0xff);
    memory.set([chunk >> 8, chunk & 0xff, 0x5c], 60_000);
  }
  return rig;
}

/** The entries of the table as far as its blocks are on the disk: those of one block after those of the last. */
function tableOf({ disk, io }: WriterRig, room = 64): Entry[] {
  const at = io.room(L.TABLE_BYTES);
  const entries: Entry[] = [];
  for (let index = 0; index < room; index++) {
    const bytes = disk.read((TABLE_LBA + index * L.TABLE_BLOCKS) * L.SECTOR_BYTES, L.TABLE_BYTES);
    if (bytes.every((byte) => byte === 0)) continue;
    io.part(at, L.TABLE_BYTES).set(bytes);
    assert.is(io.call('table_valid', at, index, SYSTEM, EPOCH, 65535, 190_000n), 1, `block ${index}`);
    const block = new Fields('dump image', 0, bytes);
    for (let i = 0; i < block.u32(L.TABLE_COUNT_AT); i++) entries.push(entry(block, i));
  }
  return entries;
}

/** What the disk has of a chunk is what memory has; the blocks it takes. */
function assertStored(rig: WriterRig, found: Entry): number {
  const memory = mended(rig.memory(found.chunk), found.poison);
  assert.is(found.crc, crc32c(memory), `checksum of chunk ${found.chunk}`);
  if (found.codec === L.CODEC_ZERO) {
    assert.ok(memory.every((byte) => byte === 0));
    return 0;
  }
  const stored = rig.disk.read((IMAGE_LBA + found.block) * L.SECTOR_BYTES, found.bytes);
  const content = found.codec === L.CODEC_RAW ? stored : lz4Decode(stored, L.CHUNK_BYTES);
  assert.is(Buffer.compare(content!, memory), 0, `chunk ${found.chunk}`);
  return Math.ceil(found.bytes / L.SECTOR_BYTES);
}

/** The image has these chunks in this order, block behind block, and nothing lies beyond or between. */
function assertImage(rig: WriterRig, chunks: readonly number[]): Entry[] {
  const entries = tableOf(rig);
  assert.equal(entries.map(({ chunk }) => chunk), chunks); // prettier-ignore
  let block = 0;
  for (const found of entries) {
    if (found.codec === L.CODEC_LOST) continue;
    if (found.codec !== L.CODEC_ZERO) assert.is(found.block, block, `place of chunk ${found.chunk}`);
    block += assertStored(rig, found);
  }
  const beyond = [...rig.disk.sectors.keys()].filter((lba) => lba >= IMAGE_LBA + block);
  assert.equal(beyond, [], 'nothing lies behind the image');
  assert.is(rig.get('next_block'), block);
  return entries;
}

test('chunks are written one behind the other in the order in which they are offered, straight from where they lie', () => {
  const rig = rigOf(40);
  const order = chunksOf(40).toReversed();
  rig.dump(order);
  const entries = assertImage(rig, order);
  assert.ok(entries.every(({ codec, bytes }) => codec === L.CODEC_RAW && bytes === L.CHUNK_BYTES));
  assert.equal([rig.get('stored'), rig.get('stored_bytes')], [40, 40 * L.CHUNK_BYTES]);
  for (const { from, isTable } of rig.sent)
    if (!isTable) for (const [at] of from) assert.ok(at >= FIRST * L.CHUNK_BYTES, 'no copy was made');
});

test('chunks that lie in a row in memory are one piece of a write', () => {
  const rig = rigOf(32);
  rig.dump(chunksOf(32));
  const first = rig.sent[0]!;
  assert.equal(first.from, [[FIRST * L.CHUNK_BYTES, BATCH_CHUNKS * L.CHUNK_BYTES]]);
  assert.is(first.blocks, BATCH_CHUNKS * BLOCKS);
});

test('a block of the table is sent only when every chunk that it lists is on the disk, in whatever order writes end', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const dice = new Dice(seed);
    const rig = rigOf(300, { codec: seed % 2 ? L.CODEC_LZ4 : 0 });
    const checked = new Set<Write>();
    rig.dump(chunksOf(300), () => {
      for (const write of rig.out.filter((each) => each.isTable && !checked.has(each))) {
        checked.add(write);
        const block = new Fields('dump image', 0, write.data);
        for (let i = 0; i < block.u32(L.TABLE_COUNT_AT); i++) assertStored(rig, entry(block, i));
      }
      if (rig.out.length > 0) rig.answer(dice.below(rig.out.length));
    });
    assert.ok(checked.size >= 4, `${checked.size} blocks of the table`);
    assertImage(rig, chunksOf(300));
  }
});

test('the first chunks are of use early: one write and its table block, then two, four, and eight from there on', () => {
  const rig = rigOf(400);
  const most = new Map<number, number>();
  rig.dump(chunksOf(400), () => {
    const tables = Math.min(rig.get('tables_written'), 4);
    const batches = rig.out.filter(({ isTable }) => !isTable).length;
    most.set(tables, Math.max(most.get(tables) ?? 0, batches));
    rig.answer(0);
  });
  assert.equal([...most].slice(0, 4), [[0, 1], [1, 2], [2, 4], [3, BATCHES]]); // prettier-ignore
  assert.equal(rig.sent.slice(0, 2).map(({ isTable }) => isTable), [false, true]); // prettier-ignore
});

for (const answer of ['attention', 'busy'] as const) {
  test(`what comes back ${answer} is sent again as it was, and the dump is whole; five times are one too many`, () => {
    const rig = rigOf(100);
    let n = 0;
    rig.dump(chunksOf(100), () => rig.answer(0, n++ % 3 === 0 ? answer : 'good'));
    assertImage(rig, chunksOf(100));
    assert.equal([rig.get('failed'), rig.get('lost')], [0, 0]);
    const stubborn = rigOf(16);
    for (const chunk of chunksOf(16)) stubborn.offer(chunk);
    for (let tries = 0; tries < 5; tries++) {
      assert.is(stubborn.get('failed'), 0);
      stubborn.answer(0, answer);
      stubborn.set('now', (tries + 1) * 20_000);
      stubborn.step();
    }
    assert.equal([stubborn.get('failed'), stubborn.out.length], [1, 0]);
  });
}

test('a disk that is busy is asked again after ten milliseconds, one with a unit attention at once', () => {
  for (const [answer, after] of [
    ['busy', 10_000],
    ['attention', 0],
  ] as const) {
    const rig = rigOf(16);
    for (const chunk of chunksOf(16)) rig.offer(chunk);
    rig.answer(0, answer);
    const sent: number[] = [];
    for (let now = 0; now <= 10_000; now += 1000) {
      rig.set('now', now);
      rig.step();
      sent.push(rig.out.length);
    }
    assert.is(sent.indexOf(1) * 1000, after);
  }
});

test('a medium error ends an attempt; the last one goes past it, and lists the chunks of that write alone as lost', () => {
  const first = rigOf(64);
  first.dump(chunksOf(64), () => first.answer(0, first.sent.length === 3 ? 'medium' : 'good'));
  assert.is(first.get('failed'), 1);

  const last = rigOf(200, { pastErrors: true });
  const zeros = [FIRST + 5, FIRST + 20, FIRST + 70]; // the first lies between chunks of a write that fails
  for (const chunk of zeros) last.memory(chunk).fill(0);
  const gone: Write[] = [];
  last.dump(chunksOf(200), () => {
    const isBad = !last.out[0]!.isTable && (gone.length === 0 || last.sent.length === 12);
    const write = last.answer(0, isBad ? 'medium' : 'good');
    if (isBad) gone.push(write);
  });
  assert.is(last.get('failed'), 0);
  const lostChunks = gone.flatMap(({ from }) =>
    from.flatMap(([at, bytes]) =>
      Array.from({ length: bytes / L.CHUNK_BYTES }, (_, i) => at / L.CHUNK_BYTES + i),
    ),
  );
  assert.ok(gone.length >= 2 && lostChunks.length === last.get('lost'));
  const entries = tableOf(last);
  assert.equal(entries.map(({ chunk }) => chunk), chunksOf(200)); // prettier-ignore
  for (const found of entries) {
    const isLost = lostChunks.includes(found.chunk);
    assert.is(found.codec === L.CODEC_LOST, isLost, `chunk ${found.chunk}`);
    if (isLost) assert.equal([found.bytes, found.block, found.crc, found.poison], [0, 0, 0, 0]);
    else assertStored(last, found);
  }
  for (const chunk of zeros) assert.is(entries.find((each) => each.chunk === chunk)!.codec, L.CODEC_ZERO);
});

test('a disk that stops: no more is sent to it than is in flight, and what was not answered twice has failed', () => {
  const rig = rigOf(400);
  let answered = 0;
  const chunks = chunksOf(400);
  let next = 0;
  for (let turn = 0; turn < 500; turn++) {
    rig.set('now', turn * 100);
    rig.step();
    while (next < chunks.length && rig.offer(chunks[next]!)) next++;
    if (rig.out.length > 0 && answered < 20) {
      rig.answer(0);
      answered++;
    }
  }
  const batches = rig.out.filter(({ isTable }) => !isTable).length;
  assert.is(batches, BATCHES);
  assert.not.ok(rig.offer(chunks[next]!), 'nothing more is taken');
  assert.is(rig.get('now') > 0 && rig.get('failed'), 0);
  const sent = rig.sent.length;
  for (let i = 0; i < 100; i++) rig.step();
  assert.is(rig.sent.length, sent);
  rig.answer(0, 'lost');
  rig.step();
  assert.equal([rig.sent.length, rig.get('failed')], [sent + 1, 0], 'sent once more');
  rig.answer(rig.out.length - 1, 'lost');
  assert.is(rig.get('failed'), 1);
  // All that the table lists by then is there.
  for (const found of tableOf(rig)) assertStored(rig, found);
});

for (const [batchBlocks, chunks] of [
  [BLOCKS, 1],
  [300, 2],
  [BLOCKS * 5 + 1, 5],
  [BLOCKS * 16, 16],
  [1 << 20, 16],
] as const) {
  test(`a disk that takes ${batchBlocks} blocks in a write gets ${chunks} chunks at a time, and no more blocks`, () => {
    const rig = rigOf(64, { batchBlocks });
    rig.dump(chunksOf(64));
    assertImage(rig, chunksOf(64));
    const sizes = rig.sent.filter(({ isTable }) => !isTable).map(({ blocks }) => blocks);
    assert.is(Math.max(...sizes), chunks * BLOCKS);
    assert.ok(sizes.every((blocks) => blocks <= batchBlocks));
  });
}

for (const ring of [2, 4, 8, 16, 64]) {
  test(`an HBA with rings of ${ring} entries never has more commands than that, and one entry is left to the caller`, () => {
    const rig = rigOf(400, { ring });
    const dice = new Dice(ring);
    const refused = new Set<number>();
    let most = 0;
    let batches = 0;
    rig.dump(chunksOf(400), () => {
      most = Math.max(most, rig.out.length);
      batches = Math.max(batches, rig.out.filter(({ isTable }) => !isTable).length);
      const { lba } = rig.out[0]!;
      rig.answer(0, dice.below(3) === 0 && !refused.has(lba) ? 'attention' : 'good');
      refused.add(lba);
    });
    assertImage(rig, chunksOf(400));
    assert.ok(most <= ring - 1, `${most} commands`);
    assert.is(
      ring - 1 < BATCHES ? most : batches,
      Math.min(ring - 1, BATCHES),
      'and all of its depth is used',
    );
  });
}

test('no time at all: nothing is written, and nothing is left open', () => {
  const rig = rigOf(1);
  rig.set('closing', 1);
  rig.step();
  assert.equal([rig.isDrained, rig.sent.length, rig.disk.written], [true, 0, 0]);
});

test('time is up in the middle of a write: what was taken goes out, is listed, and that is all', () => {
  const rig = rigOf(5);
  for (const chunk of chunksOf(5)) assert.ok(rig.offer(chunk));
  assert.is(rig.sent.length, 0, 'gathering');
  rig.set('closing', 1);
  rig.step();
  assert.equal(rig.sent.map(({ blocks, isTable }) => [blocks, isTable]), [[5 * BLOCKS, false]]); // prettier-ignore
  assert.not.ok(rig.isDrained);
  rig.answer(0);
  rig.step();
  assert.equal(rig.sent.slice(1).map(({ isTable }) => isTable), [true]); // prettier-ignore
  rig.answer(0);
  assert.ok(rig.isDrained);
  assertImage(rig, chunksOf(5));
});

test('a block of the table that is not full goes out all the same when it is old, and the chunks go before it', () => {
  const rig = rigOf(3);
  for (const chunk of chunksOf(3)) rig.offer(chunk);
  rig.set('now', TABLE_US - 1);
  rig.step();
  assert.is(rig.sent.length, 0);
  rig.set('now', TABLE_US);
  rig.step();
  assert.is(rig.sent.length, 1);
  rig.answer(0);
  rig.step();
  rig.answer(0);
  assertImage(rig, chunksOf(3));
});

test('compressed chunks lie behind each other block by block; one that does not shrink is taken as it is from where it lies', () => {
  const rig = rigOf(60, { codec: L.CODEC_LZ4 });
  const noise = FIRST + 30;
  new Dice(9).roll(rig.memory(noise));
  const almost = FIRST + 31; // shrinks, and saves no block
  new Dice(10).roll(rig.memory(almost).subarray(0, L.CHUNK_BYTES - 600));
  rig.memory(almost).fill(1, L.CHUNK_BYTES - 600);
  rig.dump(chunksOf(60));
  const entries = assertImage(rig, chunksOf(60));
  for (const { chunk, codec, bytes } of entries) {
    const isRaw = chunk === noise || bytes === L.CHUNK_BYTES;
    assert.is(codec, isRaw ? L.CODEC_RAW : L.CODEC_LZ4, `chunk ${chunk}`);
    if (!isRaw) assert.ok(bytes <= L.CHUNK_BYTES - L.SECTOR_BYTES);
  }
  assert.is(entries.find(({ chunk }) => chunk === noise)!.codec, L.CODEC_RAW);
  const pieces = rig.sent.filter(({ isTable }) => !isTable).flatMap(({ from }) => from);
  assert.ok(
    pieces.some(([at, bytes]) => at <= noise * L.CHUNK_BYTES && at + bytes >= (noise + 1) * L.CHUNK_BYTES),
  );
  assert.ok(rig.get('next_block') < 10 * BLOCKS, 'and the others take little room');
});

test('a first and a last chunk of zeros take no block, and are told apart from those that are not there', () => {
  const rig = rigOf(20);
  for (const chunk of [FIRST, FIRST + 19]) rig.memory(chunk).fill(0);
  rig.memory(FIRST + 18).fill(0)[L.CHUNK_BYTES - 1] = 1; // a single byte, the last
  rig.dump(chunksOf(20));
  const entries = assertImage(rig, chunksOf(20));
  const zeros = entries.filter(({ codec }) => codec === L.CODEC_ZERO).map(({ chunk }) => chunk);
  assert.equal(zeros, [FIRST, FIRST + 19]);
  assert.equal([rig.get('zero'), rig.get('stored'), rig.get('next_block')], [2, 18, 18 * BLOCKS]);
  const empty = new WriterRig();
  empty.dump(chunksOf(20));
  assert.equal(empty.sent.map(({ isTable }) => isTable), [true]); // prettier-ignore
  assertImage(empty, chunksOf(20));
});

test('a spare exactly as large as needed takes all; one a block smaller ends before the chunk that does not fit', () => {
  for (const short of [0, 1, BLOCKS - 1, BLOCKS]) {
    const rig = rigOf(33, { imageBlocks: 33 * BLOCKS - short });
    rig.dump(chunksOf(33));
    assert.is(rig.get('no_room'), short > 0 ? 1 : 0);
    assertImage(rig, chunksOf(short > 0 ? 32 : 33));
  }
});

test('a table without room for more blocks ends the dump, and lists what there is', () => {
  const rig = rigOf(100, { tableRoom: 2 });
  rig.dump(chunksOf(100));
  assert.is(rig.get('no_room'), 1);
  const entries = tableOf(rig);
  assert.ok(entries.length >= BATCH_CHUNKS && entries.length < 100);
  assertImage(rig, chunksOf(entries.length));
  assert.ok(rig.sent.every(({ isTable, lba }) => !isTable || lba < TABLE_LBA + 2 * L.TABLE_BLOCKS));
});

test('a conflict and a dead path are told at once; while the path is changed nothing is sent, and then all of it again', () => {
  const rig = rigOf(64);
  for (const chunk of chunksOf(16)) rig.offer(chunk);
  rig.answer(0, 'path');
  assert.equal([rig.get('path_dead'), rig.get('fenced'), rig.get('failed')], [1, 0, 0]);
  rig.set('hold', 1);
  rig.step();
  assert.is(rig.out.length, 0);
  rig.set('hold', 0);
  rig.step();
  assert.equal([rig.sent[1]!.lba, rig.sent[1]!.blocks], [rig.sent[0]!.lba, rig.sent[0]!.blocks]);
  rig.answer(0);
  assert.is(rig.get('stored'), 16);
  assert.not.ok(rig.offer(FIRST + 16), 'the first block of the table closes');
  rig.step();
  assert.ok(rig.out[0]!.isTable);
  rig.answer(0, 'conflict');
  assert.is(rig.get('fenced'), 1);
});

for (const codec of [0, L.CODEC_LZ4]) {
  test(`${codec ? 'LZ4' : 'raw'}: DMA never touches a poisoned page, and each chunk is stored without it`, () => {
    const rig = rigOf(60, { codec });
    const poison = new Map(chunksOf(60).filter((n) => n % 3 === 0).map((n, i) => [n, 1 + ((i * 4097) % 0xfffe)])); // prettier-ignore
    for (const chunk of poison.keys()) new Dice(chunk).roll(rig.memory(chunk));
    const bare = FIRST + 2; // its one page that is not zero is poisoned
    rig.memory(bare).fill(0).fill(7, 4096, 8192);
    poison.set(bare, 2);
    const left = FIRST + 60;
    const chunks = chunksOf(60);
    let next = 0;
    assert.ok(rig.leaveOut(left));
    for (let turn = 0; !(next === 60 && rig.isDrained); turn++) {
      rig.set('now', turn * 100);
      rig.step();
      while (next < 60 && rig.offer(chunks[next]!, poison.get(chunks[next]!) ?? 0)) next++;
      if (next === 60) rig.set('closing', 1);
      if (rig.out.length > 0 && turn % 4 === 0) rig.answer(rig.out.length - 1);
      assert.ok(turn < 5000);
    }
    for (const [at, bytes] of rig.sent.flatMap(({ from }) => from)) {
      for (let page = at; page < at + bytes; page += L.PAGE_BYTES) {
        const mask = poison.get(Math.floor(page / L.CHUNK_BYTES)) ?? 0;
        assert.is((mask >> Math.floor((page % L.CHUNK_BYTES) / L.PAGE_BYTES)) & 1, 0, `page at ${page}`);
      }
    }
    const entries = assertImage(rig, [left, ...chunks]);
    for (const found of entries)
      assert.is(found.poison, poison.get(found.chunk) ?? 0, `chunk ${found.chunk}`);
    assert.equal([entries[0]!.codec, entries[0]!.block], [L.CODEC_LOST, L.MISSING_POISONED]);
    assert.is(entries.find(({ chunk }) => chunk === bare)!.codec, L.CODEC_ZERO);
    const pages = [...poison.values()].reduce(
      (sum, mask) => sum + mask.toString(2).replaceAll('0', '').length,
      0,
    );
    assert.equal([rig.get('poisoned'), rig.get('poisoned_pages')], [1, pages]);
  });
}

test('a chunk of nothing but poisoned pages is left out, and so is any with one when there is no place for a copy', () => {
  const rig = rigOf(2);
  assert.ok(rig.offer(FIRST, L.CHUNK_POISONED));
  rig.set('mend', 0);
  assert.ok(rig.offer(FIRST + 1, 1));
  rig.set('closing', 1);
  rig.step();
  rig.answer(0);
  assert.equal(
    tableOf(rig).map(({ chunk, codec, block, poison }) => [chunk, codec, block, poison]),
    [FIRST, FIRST + 1].map((chunk) => [chunk, L.CODEC_LOST, L.MISSING_POISONED, 0]),
  );
});

test('a mended chunk that is lost on its way is lost as a whole, and its pages are no longer counted', () => {
  const rig = rigOf(16, { pastErrors: true });
  for (const chunk of chunksOf(16)) rig.offer(chunk, chunk === FIRST ? 3 : 0);
  assert.is(rig.get('poisoned_pages'), 2);
  rig.answer(0, 'medium');
  assert.equal([rig.get('poisoned_pages'), rig.get('lost')], [0, 16]);
});

test('past errors, a block of the table that cannot be written makes its chunks lost, and each is counted once', () => {
  const rig = rigOf(200, { pastErrors: true });
  for (const chunk of [FIRST + 1, FIRST + 40]) rig.memory(chunk).fill(0);
  let tables = 0;
  rig.dump(chunksOf(200), () => {
    const isBad = rig.out[0]!.isTable && ++tables === 2;
    rig.answer(0, isBad ? 'medium' : 'good');
  });
  const [stored, zero, lost] = [rig.get('stored'), rig.get('zero'), rig.get('lost')];
  assert.ok(lost > 0 && tables > 2);
  assert.is(stored + zero + lost, 200);
  const entries = tableOf(rig);
  assert.is(entries.length, 200 - lost);
  assert.is(entries.filter(({ codec }) => codec === L.CODEC_ZERO).length, zero);
});

test('an image that is full at the first chunk of a block of the table ends, too', () => {
  const rig = rigOf(17, { imageBlocks: BATCH_CHUNKS * BLOCKS });
  rig.dump(chunksOf(17));
  assert.equal([rig.get('no_room'), rig.get('stored')], [1, BATCH_CHUNKS]); // prettier-ignore
});

test('a completion that is not of the writer is left to others', () => {
  const rig = rigOf(1);
  assert.not.ok(rig.isOwn(0x300) || rig.isOwn(0x100 + BATCHES) || rig.isOwn(0x200 + 8) || rig.isOwn(0));
});

test.run();
