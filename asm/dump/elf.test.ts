import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CoreFile, MissingMemory } from '../../boards/core/core-file.ts';
import { Dice, Disk } from '../../boards/core/formats.test-helper.ts';
import * as L from '../layout.ts';
import {
  LOG_TEXT,
  PANIC_TEXT,
  buildCore,
  chunkContent,
  pageContent,
} from '../../boards/core/core.test-helper.ts';
import type { Built, CoreOptions } from '../../boards/core/core.test-helper.ts';

const test = suite('core file');
const {
  CODEC_LOST: LOST,
  CODEC_ZERO: ZERO,
  CODEC_RAW: RAW,
  CODEC_LZ4: LZ4,
  MISSING_UNREACHED: UNREACHED,
} = L;

/** The file is kept as sparse sectors, so that a core of 4 GiB costs what is in it. */
function build(options: CoreOptions): { built: Built; core: CoreFile } {
  const disk = new Disk(2 ** 26);
  const built = buildCore(options, (at, bytes) => disk.write(at, pad(bytes)));
  return { built, core: new CoreFile(disk.read, built.fileBytes) };
}

function pad(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(bytes.length / 512) * 512);
  out.set(bytes);
  return out;
}

/** Every chunk reads as it was, or as missing for the reason in the map; none is taken for zero. */
function assertHolds(core: CoreFile, map: Uint8Array, missed = new Map<number, number>()): void {
  map.forEach((value, chunk) => {
    const address = chunk * L.CHUNK_BYTES;
    const reason = missed.get(chunk) ?? (value >= ZERO && value <= LZ4 ? null : value);
    if (reason === null) {
      const expected = value === ZERO ? new Uint8Array(64) : chunkContent(chunk).subarray(0, 64);
      assert.equal(core.read(address, 64), expected, `chunk ${chunk}`);
      return;
    }
    assert.throws(
      () => core.read(address, 1),
      (error: unknown) =>
        error instanceof MissingMemory && error.address === address && error.reason === reason,
      `chunk ${chunk}`,
    );
  });
}

function runs(count: number, pick: (i: number) => number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => pick(i));
}

test('each chunk is found at its wasm address; missing ones are in no segment', () => {
  const map = runs(70, (i) => [RAW, ZERO, ZERO, LZ4, LOST, RAW, UNREACHED][i % 7]!);
  const { core, built } = build({ map });
  assert.not.ok(built.is64);
  assert.is(built.headBytes % 4096, 0);
  assertHolds(core, map);
  assert.is(built.pieces.length, 30); // zero chunks take no room
});

test('any map at all is told exactly, whatever turns out missing while it is copied', () => {
  const dice = new Dice(11);
  for (let round = 0; round < 150; round++) {
    const density = 1 + dice.below(6);
    const values = [RAW, LZ4, ZERO, LOST, UNREACHED, L.MISSING_POISONED].slice(0, density);
    let value: number = RAW;
    const stay = dice.below(8);
    const map = runs(1 + dice.below(300), () => {
      if (dice.below(9) >= stay) value = values[dice.below(values.length)]!;
      return value;
    });
    const missed = new Map<number, number>();
    map.forEach((v, chunk) => {
      const stored = v === RAW || v === LZ4;
      if (stored && missed.size < 64 && dice.below(10) === 0) {
        missed.set(chunk, dice.below(2) ? L.MISSING_CORRUPT : L.MISSING_UNREADABLE);
      }
    });
    const { core, built } = build({ map, missed, headPiece: 1 + dice.below(5000) * 512 });
    assertHolds(core, map, missed);
    const { coverage } = core;
    assert.ok(coverage);
    assert.is(coverage.zero, map.filter((v) => v === ZERO).length);
    assert.is(coverage.stored, map.filter((v) => v === RAW || v === LZ4).length - missed.size);
    assert.is(built.fileBytes, built.headBytes + built.pieces.length * L.CHUNK_BYTES);
  }
});

/** Page `page` of the chunk reads as it was, or as missing. */
function assertPage(core: CoreFile, chunk: number, page: number, reason: number | null, value: number): void {
  const address = chunk * L.CHUNK_BYTES + page * L.PAGE_BYTES;
  if (reason === null) {
    const expected = value === ZERO ? new Uint8Array(64) : pageContent(chunk, page).subarray(0, 64);
    return assert.equal(core.read(address, 64), expected, `page ${page} of chunk ${chunk}`);
  }
  for (const at of [address, address + L.PAGE_BYTES - 1])
    assert.throws(
      () => core.read(at, 1),
      (error: unknown) => error instanceof MissingMemory && error.address === at && error.reason === reason,
      `page ${page} of chunk ${chunk}`,
    );
}

test('poisoned pages are in no segment and in the coverage, and the other pages of their chunks are there', () => {
  const dice = new Dice(12);
  for (let round = 0; round < 20; round++) {
    const values = [RAW, LZ4, ZERO, LOST];
    const map = runs(1 + dice.below(80), () => values[dice.below(4)]!);
    const poison = Uint16Array.from(map, (value) =>
      value === LOST || dice.below(3) > 0 ? 0 : 1 + dice.below(0xfffe),
    );
    const missed = new Map<number, number>();
    map.forEach((value, chunk) => {
      if ((value === RAW || value === LZ4) && dice.below(10) === 0) missed.set(chunk, L.MISSING_CORRUPT);
    });
    const { core } = build({ map, poison, missed, headPiece: 1 + dice.below(5000) * 512 });
    const told: [number, number, number][] = [];
    map.forEach((value, chunk) => {
      const whole = missed.get(chunk) ?? (value === LOST ? LOST : null);
      if (whole === null && poison[chunk] !== 0) told.push([chunk, poison[chunk]!, L.MISSING_POISONED]);
      for (let page = 0; page < L.CHUNK_PAGES; page++) {
        const isPoisoned = ((poison[chunk]! >> page) & 1) === 1;
        assertPage(core, chunk, page, whole ?? (isPoisoned ? L.MISSING_POISONED : null), value);
      }
    });
    assert.equal(core.coverage?.pages.map(({ chunk, pages, reason }) => [chunk, pages, reason]), told); // prettier-ignore
    assert.is(core.coverage?.missing, map.filter((v) => v === LOST).length + missed.size);
  }
});

test('so many runs of good pages that no ELF file has room for them: their chunks are missing as a whole', () => {
  const map = runs(9000, () => ZERO);
  const { core } = build({ map, poison: new Uint16Array(9000).fill(0x5555).fill(0, 0, 10) });
  assert.is(core.segments.length, 1);
  assert.equal(core.coverage?.ranges, [{ firstChunk: 10, chunks: 8990, reason: L.MISSING_POISONED }]);
  const fewer = build({ map, poison: new Uint16Array(9000).fill(0x5555).fill(0, 8000) });
  assert.is(fewer.core.segments.length, 8000 * 8 + 1);
});

test('a map that needs too many segments stores its shortest gaps of zeros, and only as many as it takes', () => {
  const map = runs(65_535, (i) => (i % 8 === 0 || i % 8 === 2 ? RAW : ZERO)); // gaps of 1 and of 5
  const { core, built } = build({ map });
  assert.ok(core.segments.length <= 2048 - 64 - 1, `${core.segments.length} segments`);
  const stored = map.filter((v) => v === RAW).length;
  const gaps = built.pieces.length - stored;
  assert.ok(gaps < 8192 + 5 * 6300, `${gaps} zero chunks stored`);
  assertHolds(core, map.subarray(0, 4000));
});

test('lost chunks are never made up to save segments', () => {
  const map = runs(20_000, (i) => (i % 2 ? LOST : RAW));
  const { core } = build({ map });
  assert.is(core.segments.length, 10_000);
  assert.is(core.coverage?.missing, 10_000);
});

test('a memory of 4 GiB makes an ELF64 file, one just under it an ELF32 file while offsets fit', () => {
  const full = build({ map: runs(65_536, (i) => (i < 65_000 ? ZERO : RAW)) });
  assert.ok(full.built.is64);
  assert.equal(full.core.read(2 ** 32 - L.CHUNK_BYTES, 16), chunkContent(65_535).subarray(0, 16));
  assert.not.ok(build({ map: runs(65_535, (i) => (i < 65_000 ? ZERO : RAW)) }).built.is64);
  assert.not.ok(build({ map: runs(65_535, (i) => (i % 3000 ? RAW : ZERO)) }).built.is64);
});

test('the notes say why and where the board panicked, what it logged and what is missing', () => {
  const map = runs(20, (i) => (i < 3 ? UNREACHED : i < 5 ? LOST : RAW));
  const { core } = build({ map, attribute: L.ATTRIBUTE_ABORTED, abort: L.ABORT_LIMIT });
  assert.is(core.panic?.reason, L.PANIC_ASSERT);
  assert.is(core.panic?.text, PANIC_TEXT);
  assert.is(core.panic?.place, 'firmware/serve.ts:42');
  assert.is(core.panic?.build, 'abcd');
  assert.is(core.panic?.timeUs, 7_000_000n);
  assert.is(core.log, LOG_TEXT);
  assert.equal(core.coverage, {
    chunkBytes: L.CHUNK_BYTES,
    chunks: 20,
    stored: 15,
    zero: 0,
    missing: 5,
    attribute: L.ATTRIBUTE_ABORTED,
    abort: L.ABORT_LIMIT,
    ranges: [
      { firstChunk: 0, chunks: 3, reason: UNREACHED },
      { firstChunk: 3, chunks: 2, reason: LOST },
    ],
    pages: [],
  });
});

test('a core of nothing but missing chunks still tells why', () => {
  const { core, built } = build({ map: runs(16, () => UNREACHED) });
  assert.equal(core.segments, []);
  assert.is(built.pieces.length, 0);
  assert.is(core.panic?.text, PANIC_TEXT);
});

test.run();
