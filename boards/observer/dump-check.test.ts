import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../asm/layout.ts';
import { WORK_AT, WORK_BYTES } from '../../firmware/layout.ts';
import { Dice } from '../core/formats.test-helper.ts';
import { ImageWriter, type Stored, lost, raw, zero } from '../core/image.test-helper.ts';
import { DeviceServers } from '../shelf/server.ts';
import type { Medium } from '../shelf/medium.ts';
import { mended } from '../core/source.test-helper.ts';
import { FrozenMemory } from './dump-check.ts';

const test = suite('check of a dump against memory');
const CHUNKS = (WORK_AT + WORK_BYTES) / L.CHUNK_BYTES + 12; // to beyond the work area
const [FULL, EMPTY, OTHER] = [3, 5, CHUNKS - 10] as const;
const servers = new DeviceServers(1);

/** RAM with bytes in every third chunk or so, as it is when the panic handler freezes it. */
function ramOf(): Uint8Array {
  const ram = new Uint8Array(CHUNKS * L.CHUNK_BYTES);
  const dice = new Dice(1);
  for (const chunk of [0, 1, FULL, 40, OTHER]) dice.roll(chunkOf(ram, chunk));
  return ram;
}
const chunkOf = (ram: Uint8Array, chunk: number): Uint8Array =>
  ram.subarray(chunk * L.CHUNK_BYTES, (chunk + 1) * L.CHUNK_BYTES);
const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

function asStored(ram: Uint8Array, chunk: number): Stored {
  const memory = chunkOf(ram, chunk);
  return isZero(memory) ? zero(chunk) : raw(chunk, memory.slice());
}

interface Dumped {
  medium: Medium;
  writer: ImageWriter;
}

/** A dump of `ram` with what `change` makes of each chunk; null: it is not in the table. */
function dumped(
  ram: Uint8Array,
  change: (chunk: number, stored: Stored) => Stored | null = (_chunk, stored) => stored,
  attribute: number = L.ATTRIBUTE_COMPLETED,
): Dumped {
  const writer = new ImageWriter();
  const list: Stored[] = [];
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    const stored = change(chunk, asStored(ram, chunk));
    if (stored !== null) list.push(stored);
  }
  writer.chunks(0, list);
  writer.header(attribute, CHUNKS, { [L.HEADER_ABORT_AT]: L.ABORT_LIMIT });
  const medium: Medium = {
    bytes: writer.disk.blocks * L.SECTOR_BYTES,
    read: (offset, into, at, count) => into.set(writer.disk.read(offset, count), at),
    write: () => {},
    unmap: () => {},
    fill: () => {},
    extent: () => ({ mapped: true, bytes: 0 }),
    flush: () => {},
    close: () => {},
  };
  return { medium, writer };
}

for (const withRam of [true, false]) {
  const how = withRam ? 'byte by byte' : 'by checksums, when RAM is gone';

  test(`a true dump is found true, ${how}`, () => {
    const ram = ramOf();
    const report = new FrozenMemory(ram, servers).compare(dumped(ram).medium, withRam ? ram : null);
    assert.equal(report, {
      total: CHUNKS,
      zero: CHUNKS - 5,
      stored: 5,
      lost: 0,
      missing: 0,
      poisoned: 0,
      poisonedPages: 0,
      sealed: 0,
      storedBytes: 5 * L.CHUNK_BYTES,
      attribute: L.ATTRIBUTE_COMPLETED,
      abort: L.ABORT_LIMIT,
      wrong: [],
    });
  });

  test(`one bit that is other on the medium is found, ${how}`, () => {
    const ram = ramOf();
    const frozen = new FrozenMemory(ram, servers);
    for (const bit of [0, 1234 * 8 + 5, L.CHUNK_BYTES * 8 - 1]) {
      const { medium } = dumped(ram, (chunk, stored) => {
        if (chunk !== FULL) return stored;
        const bytes = stored.stored.slice();
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        return { ...stored, stored: bytes };
      });
      assert.equal(frozen.compare(medium, withRam ? ram : null)?.wrong, [FULL], `bit ${bit}`);
    }
  });

  test(`a chunk in the place of another is found, ${how}`, () => {
    const ram = ramOf();
    const { medium } = dumped(ram, (chunk, stored) =>
      chunk === FULL ? { ...stored, stored: chunkOf(ram, OTHER).slice() } : stored,
    );
    assert.equal(new FrozenMemory(ram, servers).compare(medium, withRam ? ram : null)?.wrong, [FULL]);
  });
}

test('a chunk that is called zero and was not is found; so is one that was zero and is not', () => {
  const ram = ramOf();
  const { medium } = dumped(ram, (chunk, stored) => {
    if (chunk === FULL) return zero(chunk);
    return chunk === EMPTY ? raw(chunk, new Uint8Array(L.CHUNK_BYTES).fill(1)) : stored;
  });
  assert.equal(new FrozenMemory(ram, servers).compare(medium, ram)?.wrong, [FULL, EMPTY]);
});

function cutShort(chunk: number, stored: Stored): Stored | null {
  if (chunk === FULL) return lost(chunk);
  return chunk >= CHUNKS - 20 ? null : stored;
}

test('lost chunks and chunks that the dump did not reach are counted apart, and are not wrong', () => {
  const ram = ramOf();
  const { medium } = dumped(ram, cutShort, L.ATTRIBUTE_ABORTED);
  const report = new FrozenMemory(ram, servers).compare(medium, ram)!;
  assert.equal([report.lost, report.missing, report.stored], [1, 20, 3]);
  assert.equal(report.wrong, []);
  assert.is(report.attribute, L.ATTRIBUTE_ABORTED);
});

test('a disk without a header that counts is no dump', () => {
  const ram = ramOf();
  const { medium, writer } = dumped(ram);
  for (const copy of [0, 1]) {
    writer.disk.write((L.COREDUMP_LBA + copy * L.COPY_BLOCKS) * L.SECTOR_BYTES, new Uint8Array(L.COPY_BYTES));
  }
  assert.is(new FrozenMemory(ram, servers).compare(medium, ram), null);
});

test('memory that changes after it was frozen is found, but for the panic handler’s own work area', () => {
  const ram = ramOf();
  const frozen = new FrozenMemory(ram, servers);
  assert.equal(frozen.changed(ram), []);
  ram.fill(1, WORK_AT, WORK_AT + WORK_BYTES);
  assert.equal(frozen.changed(ram), []);
  ram[WORK_AT - 1]! ^= 1;
  ram[WORK_AT + WORK_BYTES]! ^= 1;
  ram[0]! ^= 0x80;
  const first = WORK_AT / L.CHUNK_BYTES;
  assert.equal(frozen.changed(ram), [0, first - 1, first + WORK_BYTES / L.CHUNK_BYTES]);
});

test('the work area is dumped as it was when memory was frozen: zeros', () => {
  const ram = ramOf();
  const frozen = new FrozenMemory(ram, servers);
  const { medium } = dumped(ram);
  ram.fill(7, WORK_AT, WORK_AT + WORK_BYTES);
  assert.equal(frozen.compare(medium, ram)?.wrong, []);
  const late = dumped(ram);
  assert.is(frozen.compare(late.medium, ram)?.wrong.length, WORK_BYTES / L.CHUNK_BYTES);
});

/** FULL is poisoned in pages 2 and 15, EMPTY in page 0. */
const POISONED = new Map<number, number>([[FULL, 0x8004], [EMPTY, 1]]); // prettier-ignore
const PAGES = [FULL * L.CHUNK_PAGES + 2, FULL * L.CHUNK_PAGES + 15, EMPTY * L.CHUNK_PAGES];

const withoutPoison = (chunk: number, stored: Stored): Stored => {
  const poison = POISONED.get(chunk) ?? 0;
  const memory = mended(stored.memory, poison);
  return stored.codec === L.CODEC_ZERO ? { ...stored, poison } : { ...raw(chunk, memory), poison };
};

for (const withRam of [true, false]) {
  test(`a dump without its poisoned pages is true, with ${withRam ? 'RAM' : 'checksums'}; one bit of another page is found`, () => {
    const ram = ramOf();
    const frozen = new FrozenMemory(ram, servers, PAGES);
    const { medium } = dumped(ram, withoutPoison);
    const report = frozen.compare(medium, withRam ? ram : null)!;
    assert.equal([report.wrong, report.poisoned, report.poisonedPages, report.stored], [[], 0, 3, 5]);
    for (const [at, wrong] of [
      [0, [FULL]],
      [2 * L.PAGE_BYTES - 1, [FULL]],
      [3 * L.PAGE_BYTES, [FULL]],
    ] as const) {
      const spoiled = dumped(ram, (chunk, stored) => {
        const good = withoutPoison(chunk, stored);
        if (chunk !== FULL) return good;
        const bytes = good.memory.slice();
        bytes[at]! ^= 1;
        return { ...raw(chunk, bytes), poison: 0x8004 };
      });
      assert.equal(frozen.compare(spoiled.medium, withRam ? ram : null)!.wrong, wrong, `byte ${at}`);
    }
  });
}

test('a dump that has a poisoned page, tells one too few or one too many, or leaves all of its chunk out, is found', () => {
  const ram = ramOf();
  const frozen = new FrozenMemory(ram, servers, PAGES);
  const made: [string, (stored: Stored) => Stored][] = [
    ['read', () => raw(FULL, chunkOf(ram, FULL).slice())],
    ['one too few', (stored) => ({ ...stored, poison: 4 })],
    ['one too many', (stored) => ({ ...raw(FULL, mended(stored.memory, 0x8104)), poison: 0x8104 })],
    ['left out', () => lost(FULL, L.MISSING_POISONED)],
  ];
  for (const [what, change] of made) {
    const { medium } = dumped(ram, (chunk, stored) => {
      const good = withoutPoison(chunk, stored);
      return chunk === FULL ? change(good) : good;
    });
    assert.equal(frozen.compare(medium, ram)!.wrong, [FULL], what);
  }
  const { medium } = dumped(ram, withoutPoison);
  assert.equal(
    new FrozenMemory(ram, servers).compare(medium, ram)!.wrong,
    [FULL, EMPTY],
    'nothing was poisoned',
  );
});

test.run();
