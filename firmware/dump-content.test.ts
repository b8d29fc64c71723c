// What a dump holds, and what it leaves out: compressed chunks, poisoned pages, secrets.
import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { MS } from '../boards/clock.ts';
import { CoreFile, MissingMemory } from '../boards/core/core-file.ts';
import { Exfat } from '../boards/core/exfat.ts';
import { Dice, Formats } from '../boards/core/formats.test-helper.ts';
import { DumpImage, isPresent } from '../boards/core/image.ts';
import { privateKeyOf, rawPublicKey } from '../boards/core/key.ts';
import { pageRuns } from '../boards/core/memory-source.ts';
import { mended } from '../boards/core/source.test-helper.ts';
import {
  type Overrides,
  type Pair,
  eventOf,
  smallScenario,
  withPair,
} from '../boards/machine.test-helper.ts';
import { type Machine, makeMachine } from '../boards/machine.ts';
import { finalChecks } from '../boards/observer/end.ts';
import { reader } from '../boards/observer/observer.ts';
import { recordRun } from '../scripts/recorder.test-helper.ts';
import type { Scenario } from '../boards/scenario.ts';
import * as F from './layout.ts';

const test = suite('what a dump holds');
const LZ4 = { dumpCodec: 'lz4' } as const;
const NMI = eventOf({ atMs: 800, do: 'nmi', board: 'a' });

const imageOf = (machine: Machine, disk: number): DumpImage => {
  const { medium } = machine.shelf.disks[disk]!;
  return new DumpImage(reader(medium), medium.bytes / L.SECTOR_BYTES);
};

/** A pair of which board A has dumped; `prepare` sees it just before the panic. */
function dumped(
  overrides: Overrides,
  use: (pair: Pair, image: DumpImage) => void,
  prepare?: (pair: Pair) => void,
): void {
  withPair(
    { events: [NMI], ...overrides, boards: { rebootAfterPanic: false, ...overrides.boards } },
    (pair) => {
      pair.started(799);
      prepare?.(pair);
      const end = pair.until(F.EV_DUMP_END, { board: 0 });
      assert.equal(pair.machine.observer.invariants.violations, []);
      use(pair, imageOf(pair.machine, end.a));
    },
  );
}

/** Disks for boards of 64 MiB. */
const bigDisks = (): Scenario['disks'] =>
  smallScenario().disks.map((disk) =>
    disk.role === 'root' || disk.role === 'spare' ? { ...disk, sizeMib: 128 } : disk,
  );

/** Most of board A's memory is not zero, so that its dump takes a while: the lines of the cache that are not in use. */
function fillCache({ a }: Pair): void {
  const ram = a.ram()!;
  for (let line = ram.length / 4; line < ram.length; line += L.CHUNK_BYTES) {
    const bytes = ram.subarray(line, line + L.CHUNK_BYTES);
    if (bytes.every((byte) => byte === 0)) bytes.fill(1 + (line >> 16));
  }
}

/** Where in `bytes` the pattern stands; -1: nowhere. */
const find = (bytes: Uint8Array, pattern: Uint8Array): number =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(pattern);

const wholeMedium = (pair: Pair, disk: number): Uint8Array => {
  const { medium } = pair.machine.shelf.disks[disk]!;
  return reader(medium)(0, medium.bytes);
};

test('compressed, a dump is completed, equals memory, and takes less than half of the room', () => {
  let raw = 0n;
  dumped({}, (_, image) => {
    raw = image.header.storedBytes;
    assert.is(image.header.codec, 0);
    assert.is(image.count(L.CODEC_LZ4), 0);
  });
  dumped({ boards: LZ4 }, (pair, image) => {
    const { report } = pair.machine.observer.dump!;
    assert.equal(
      [report.attribute, report.wrong, report.lost, report.missing],
      [L.ATTRIBUTE_COMPLETED, [], 0, 0],
    );
    assert.is(image.header.codec, L.CODEC_LZ4);
    assert.ok(image.count(L.CODEC_LZ4) > 10);
    assert.ok(image.header.storedBytes * 2n < raw, `${image.header.storedBytes} of ${raw}`);
    const stored = [...Array(image.chunks).keys()].reduce((sum, chunk) => sum + image.place(chunk).bytes, 0);
    assert.is(Number(image.header.storedBytes), stored);
    const ram = pair.a.ram()!;
    for (const { index, state, content } of image) {
      if (state === L.CODEC_ZERO) continue;
      const at = index * L.CHUNK_BYTES;
      assert.is(Buffer.compare(content!, ram.subarray(at, at + L.CHUNK_BYTES)), 0, `chunk ${index}`);
    }
  });
});

test('a chunk that does not shrink by a block is stored as it is, from where it lies', () => {
  const noise = 200; // a chunk in the cache
  const at = noise * L.CHUNK_BYTES;
  dumped(
    { boards: LZ4 },
    (_, image) => {
      assert.is(image.state(noise), L.CODEC_RAW);
      assert.is(image.place(noise).bytes, L.CHUNK_BYTES);
      assert.is(image.state(noise + 1), L.CODEC_LZ4);
      assert.ok(image.place(noise + 1).bytes <= L.CHUNK_BYTES - L.SECTOR_BYTES);
    },
    (pair) => {
      const ram = pair.a.ram()!;
      let x = 1;
      for (let i = 0; i < 2 * L.CHUNK_BYTES; i++) {
        x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
        ram[at + i] = x >>> 24;
      }
      ram.fill(0x20, at + L.CHUNK_BYTES, at + L.CHUNK_BYTES + 2048);
    },
  );
});

for (const build of ['firmware', 'firmware-mcu']) {
  test(`${build}: what lies on the disk of a chunk is what the kernel of the disk I/O module makes of it`, () => {
    const machine = makeMachine({
      scenario: smallScenario({ boards: { dumpCodec: 'lz4', rebootAfterPanic: false } }),
      seed: '5',
      folder: null,
      firmware: join(import.meta.dirname, '..', 'build', `${build}.wasm`),
    });
    try {
      for (const board of machine.boards) board.powerOn();
      machine.clock.runUntil(600 * MS);
      machine.boards[0].nmi(L.PANIC_OPERATOR, 0);
      machine.clock.runUntil(1500 * MS);
      finalChecks(machine, true);
      assert.equal(machine.observer.invariants.violations, []);
      assert.is(machine.observer.dump!.report.attribute, L.ATTRIBUTE_COMPLETED);
      const io = new Formats();
      const [table, from, to] = [io.room(16384), io.room(L.CHUNK_BYTES), io.room(L.CHUNK_BYTES + 4096)];
      const image = imageOf(machine, machine.observer.dump!.disk);
      const read = reader(machine.shelf.disks[machine.observer.dump!.disk]!.medium);
      let compared = 0;
      for (const { index, state, content } of image) {
        if (state !== L.CODEC_LZ4) continue;
        io.bytes.set(content!, from);
        const bytes = io.call('lz4_compress', from, L.CHUNK_BYTES, to, L.CHUNK_BYTES - 512, table);
        const stored = image.place(index);
        const inBlocks = read(stored.at, Math.ceil(stored.bytes / 512) * 512);
        const expected = new Uint8Array(inBlocks.length);
        expected.set(io.part(to, bytes)); // and zeros up to the end of its last block
        assert.is(Buffer.compare(inBlocks, expected), 0, `chunk ${index}`);
        compared++;
      }
      assert.ok(compared > 10);
    } finally {
      machine.close();
    }
  });
}

const KEY = privateKeyOf('7'.repeat(64))!;
const CANARY = Buffer.from('poisoned: whoever reads this faults ', 'latin1');
/** Of chunk 220 the pages 5 and 6, of 230 the last and of 231 the first, of 240 all; 128 by the error itself. */
const POISONED = new Map([[128, 1], [220, 0x60], [230, 0x8000], [231, 1], [240, L.CHUNK_POISONED]]); // prettier-ignore

/** Poisons the pages, with bytes in them that nobody may read. */
function poison({ a }: Pair): void {
  for (const [chunk, pages] of POISONED) {
    const ram = a.ram()!.subarray(chunk * L.CHUNK_BYTES, (chunk + 1) * L.CHUNK_BYTES);
    ram.fill(0);
    if (chunk !== 231) new Dice(chunk).roll(ram.subarray(0, 40_000));
    for (const { offset, isPoisoned, bytes } of pageRuns(pages)) {
      if (!isPoisoned) continue;
      for (let at = offset; at < offset + bytes; at += L.PAGE_BYTES) {
        ram.set(CANARY, at);
        if (chunk !== 128) a.ecc.poison(chunk * L.CHUNK_BYTES + at);
      }
    }
  }
}

for (const [how, boards, key] of [
  ['raw', {}, null],
  ['compressed', LZ4, null],
  ['encrypted', { dumpKey: rawPublicKey(createPublicKey(KEY)).toString('hex') }, KEY],
  ['compressed and encrypted', { ...LZ4, dumpKey: rawPublicKey(createPublicKey(KEY)).toString('hex') }, KEY],
] as const) {
  test(`${how}: of a chunk with poisoned pages the others are dumped and saved, and these are told and read by nobody`, () => {
    const events = [eventOf({ atMs: 800, do: 'memory-error', board: 'a' })];
    dumped(
      { events, boards },
      (pair) => {
        const { report, disk } = pair.machine.observer.dump!;
        assert.equal([report.attribute, report.poisoned, report.lost], [L.ATTRIBUTE_COMPLETED, 1, 0]);
        const { medium } = pair.machine.shelf.disks[disk]!;
        const image = new DumpImage(reader(medium), medium.bytes / L.SECTOR_BYTES, { privateKey: key });
        assert.equal([image.header.poisoned, image.header.poisonedPages], [1, 5]);
        const ram = pair.a.ram()!;
        for (const [chunk, pages] of POISONED) {
          if (pages === L.CHUNK_POISONED) {
            assert.equal(image.chunk(chunk), { index: chunk, state: L.MISSING_POISONED, content: null });
            continue;
          }
          assert.is(image.poison(chunk), pages);
          assert.is(isPresent(image.state(chunk)), true);
          const memory = mended(ram.subarray(chunk * L.CHUNK_BYTES, (chunk + 1) * L.CHUNK_BYTES), pages);
          assert.is(Buffer.compare(image.chunk(chunk).content!, memory), 0, `chunk ${chunk}`);
        }
        assert.is(image.state(231), L.CODEC_ZERO, 'what is left of it is zero');
        assert.equal(
          pair.events(F.EV_LEFT_OUT, 0).map(({ a, b, c }) => [a, b, c]).toSorted((x, y) => x[0]! - y[0]!),
          [...POISONED].map(([chunk, pages]) => [chunk, L.MISSING_POISONED, pages]),
        ); // prettier-ignore
        assert.is(find(wholeMedium(pair, pair.disk('a.spare.0')), CANARY), -1);
        const saved = pair.until(F.EV_SAVE_END, { board: 1 });
        assert.is(saved.a, 1);
        assert.equal(pair.machine.observer.invariants.violations, []);
        assert.is(find(wholeMedium(pair, pair.disk('a.root')), CANARY), -1);
        if (key === null) assertSaved(pair);
      },
      poison,
    );
  });
}

/** The core file has every good page, says of each other one why it is not there, and is in order. */
function assertSaved(pair: Pair): void {
  const { medium } = pair.machine.shelf.disks[pair.disk('a.root')]!;
  const base = L.DATA_LBA * L.SECTOR_BYTES;
  const read = reader(medium);
  const volume = new Exfat(
    (at, bytes) => read(base + at, bytes),
    medium.bytes - base - L.TAIL_BLOCKS * L.SECTOR_BYTES,
  );
  const file = Buffer.concat([...volume.read(volume.list('/cores')[0]!.path)]);
  const readCore = (at: number, bytes: number): Uint8Array => file.subarray(at, at + bytes);
  const core = new CoreFile(readCore, file.length);
  const { memory, report } = pair.machine.observer.dump!;
  assert.equal(memory.compareCore(core, readCore), { present: report.zero + report.stored, wrong: [] });
  assert.equal(
    core.coverage!.pages.map(({ chunk, pages }) => [chunk, pages]),
    [...POISONED].filter(([, pages]) => pages !== L.CHUNK_POISONED),
  );
  assert.equal(core.coverage!.ranges, [{ firstChunk: 240, chunks: 1, reason: L.MISSING_POISONED }]);
  const at = 220 * L.CHUNK_BYTES;
  const ram = pair.a.ram()!;
  assert.equal(core.read(at, 5 * L.PAGE_BYTES), ram.subarray(at, at + 5 * L.PAGE_BYTES));
  assert.throws(() => core.read(at, 5 * L.PAGE_BYTES + 1), (error: unknown) =>
    error instanceof MissingMemory && error.address === at + 5 * L.PAGE_BYTES && error.reason === L.MISSING_POISONED); // prettier-ignore
}

test('secrets are nowhere on the spare nor in the core file, and both say which regions were cleared', () => {
  let key = new Uint8Array(0);
  dumped(
    {},
    (pair, image) => {
      assert.ok(key.some((byte) => byte !== 0));
      assert.equal(image.header.scrubbed, [{ address: F.KEYS_AT, bytes: 32, kind: 1 }]);
      const ram = pair.a.ram()!;
      assert.is(find(ram, key), -1);
      assert.is(find(wholeMedium(pair, pair.disk('a.spare.0')), key), -1);
      assert.ok(ram.subarray(F.KEYS_AT, F.KEYS_AT + F.KEYS_BYTES).every((byte) => byte === 0));
      pair.until(F.EV_SAVE_END, { board: 1 });
      pair.run(100);
      assert.is(find(wholeMedium(pair, pair.disk('a.root')), key), -1);
    },
    (pair) => {
      const ram = pair.a.ram()!;
      key = ram.slice(F.KEYS_AT, F.KEYS_AT + 32);
      assert.is(find(ram.subarray(F.KEYS_AT + 32), key), -1, 'it is in one place only');
    },
  );
});

const SECRETS_AT = F.CORE_AT + 0xd00; // firmware/secrets.ts

test('a damaged table of secrets clears neither firmware state nor the panic record, and the keys all the same', () => {
  dumped(
    {},
    (pair, image) => {
      assert.is(pair.word(0, F.RECORD_AT + F.RECORD_MAGIC_AT), F.RECORD_MAGIC);
      assert.is(image.header.attribute, L.ATTRIBUTE_COMPLETED);
      assert.ok(image.header.scrubbed.every(({ bytes }) => bytes === 0));
      assert.ok(
        pair.a
          .ram()!
          .subarray(F.KEYS_AT, F.KEYS_AT + 4096)
          .every((byte) => byte === 0),
      );
    },
    (pair) => {
      const table = new DataView(pair.a.ram()!.buffer, SECRETS_AT, 512);
      assert.is(table.getUint32(16, true), F.KEYS_AT); // this is the table
      table.setUint32(0, 0xffffffff, true);
      for (let i = 0; i < 16; i++) {
        table.setUint32(16 + i * 16, i & 1 ? F.CORE_AT : 0xffffff00, true);
        table.setUint32(20 + i * 16, i & 1 ? 0x10000 : 0x1000, true);
      }
    },
  );
});

test('asked to stop, the board closes its dump as aborted by the partner, which takes the disk and saves what there is', () => {
  withPair(
    {
      boards: { memoryMib: 64, rebootAfterPanic: false },
      disks: bigDisks(),
      events: [NMI, eventOf({ on: 'dump-begin', plusMs: 40, do: 'stop-dump', board: 'a' })],
    },
    (pair) => {
      pair.started(500);
      fillCache(pair);
      const end = pair.until(F.EV_DUMP_END, { board: 0 });
      assert.equal([end.b, end.c], [L.ATTRIBUTE_ABORTED, L.ABORT_PARTNER]);
      assert.equal(pair.events(F.EV_STOP).map(({ board, b }) => [board, b]), [[1, 1], [0, 2]]); // prettier-ignore
      const taken = pair.until(F.EV_TAKEN, { board: 1 });
      assert.equal([taken.a, taken.b], [end.a, F.REASON_ABORTED]);
      assert.ok(taken.time - end.time < 20 * MS, 'at its word, not at the next poll');
      pair.until(F.EV_SAVE_END, { board: 1 });
      assert.equal(pair.machine.observer.invariants.violations, []);
      assert.ok(pair.machine.observer.dump!.report.missing > 0);
    },
  );
});

test('a board that does not answer the request keeps its disk until the limit', () => {
  withPair(
    {
      boards: { memoryMib: 64, dumpLimitMs: 4000, stopBoundMs: 1000, rebootAfterPanic: false },
      disks: bigDisks(),
      events: [
        NMI,
        eventOf({ on: 'dump-begin', do: 'cut-interconnect' }),
        eventOf({ on: 'dump-begin', do: 'slow-disk', disk: 'coredump-of-a', factor: 40 }),
        eventOf({ on: 'dump-begin', plusMs: 40, do: 'stop-dump', board: 'a' }),
      ],
    },
    (pair) => {
      pair.started(500);
      fillCache(pair);
      const asked = pair.until(F.EV_STOP, { board: 1 });
      const gaveUp = pair.until(F.EV_STOP, { board: 1 });
      assert.equal([asked.b, gaveUp.b, (gaveUp.time - asked.time) / MS], [1, 3, 1000]);
      const end = pair.until(F.EV_DUMP_END, { board: 0 });
      assert.is(end.c, L.ABORT_LIMIT);
      assert.equal(pair.machine.observer.invariants.violations, []);
    },
  );
});

test('the dump is written in pieces as large as the disk says that it takes, and saved in such', () => {
  for (const [maxTransferKib, most] of [
    [undefined, 2048],
    [256, 512],
    [72, 144],
  ] as const) {
    const scenario = smallScenario({ events: [NMI], boards: { dumpCodec: 'lz4', rebootAfterPanic: false } });
    const disks = scenario.disks.map((disk) =>
      disk.owner === 'a' && disk.role !== 'data' && maxTransferKib !== undefined
        ? { ...disk, maxTransferKib }
        : disk,
    );
    const record = recordRun({ ...scenario, disks });
    assert.equal(record.result.invariants.violations, []);
    assert.is(record.result.dump.attribute, 'completed');
    assert.ok(record.result.core !== null);
    for (const name of ['a.spare.0', 'a.root']) {
      const number = disks.findIndex((disk) => disk.name === name);
      const sizes = record.commands
        .filter((c) => c.disk === number && c.lba >= L.DATA_LBA)
        .map((c) => c.blocks);
      assert.ok(Math.max(...sizes) <= most, `${name}, ${maxTransferKib} KiB: ${Math.max(...sizes)} blocks`);
      assert.ok(Math.max(...sizes) > 64);
    }
  }
});

for (const [what, sizeMib, spread, attribute, cause] of [
  ['room for what is in use is elected and holds it', 17, 0, L.ATTRIBUTE_COMPLETED, L.ABORT_NONE],
  [
    'room for what was in use is elected, and the dump is cut by importance when it was more',
    17,
    1,
    L.ATTRIBUTE_ABORTED,
    L.ABORT_NO_ROOM,
  ],
] as const) {
  test(`a spare with ${what}`, () => {
    const disks = bigDisks().map((disk) => (disk.name === 'a.spare.0' ? { ...disk, sizeMib } : disk));
    withPair(
      {
        boards: { memoryMib: 64, rebootAfterPanic: false },
        clients: spread ? { workingSetMib: 40, thinkUs: 200 } : {},
        disks,
        events: [eventOf({ atMs: 2500, do: 'nmi', board: 'a' })],
      },
      (pair) => {
        pair.started(2400);
        if (spread) fillCache(pair);
        const chosen = pair.events(F.EV_ELECTED, 0).at(-1);
        assert.equal([chosen?.a, chosen?.c], [pair.disk('a.spare.0'), 2]);
        const end = pair.until(F.EV_DUMP_END, { board: 0 });
        assert.equal([end.b, end.c], [attribute, cause]);
        const image = imageOf(pair.machine, end.a);
        // Firmware's own memory is there, whatever else is not.
        for (let chunk = 0; chunk < F.CACHE_AT / L.CHUNK_BYTES; chunk++)
          assert.ok(isPresent(image.state(chunk)));
        assert.equal(pair.machine.observer.invariants.violations, []);
      },
    );
  });
}

test('the header says dumping within 5 ms of the panic, and memory is on its way', () => {
  dumped({}, (pair) => {
    const panic = pair.events(F.EV_PANIC, 0)[0]!;
    const begin = pair.events(F.EV_DUMP_BEGIN, 0)[0]!;
    assert.ok(begin.time - panic.time < 5 * MS, `${(begin.time - panic.time) / MS} ms`);
  });
});

test.run();
