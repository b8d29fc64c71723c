// A dump that is encrypted to a public key: only the owner of the private key reads it, and no board has that.
import { type KeyObject, createPrivateKey, createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { containedImage } from '../boards/core/container.ts';
import { crc32c, crc32cWithout } from '../boards/core/crc32c.ts';
import { WrongKey } from '../boards/core/decrypt.ts';
import { DumpImage } from '../boards/core/image.ts';
import { ImageSource } from '../boards/core/image-source.ts';
import { SalvagedImage, searchDisk } from '../boards/core/salvage.ts';
import { verify } from '../boards/core/verify.ts';
import { type Medium, MemoryMedium } from '../boards/shelf/medium.ts';
import { Exfat } from '../boards/core/exfat.ts';
import { privateKeyOf, publicKeyOf, rawPublicKey } from '../boards/core/key.ts';
import { MS } from '../boards/clock.ts';
import { type Machine, makeMachine } from '../boards/machine.ts';
import { Pair, eventOf, smallScenario } from '../boards/machine.test-helper.ts';
import { finalChecks, settled } from '../boards/observer/end.ts';
import { reader } from '../boards/observer/observer.ts';
import { resultOf } from '../boards/observer/report.ts';
import * as F from './layout.ts';

const test = suite('encrypted dump');
const PRIVATE = privateKeyOf('77'.repeat(32))!;
const PUBLIC = rawPublicKey(createPublicKey(PRIVATE)).toString('hex');
const MARK = Buffer.from('the quick brown fox knows what is in this memory ', 'latin1');
const BASE = L.DATA_LBA * L.SECTOR_BYTES;

/** Board A has dumped with the key, and B has saved it; with memory as it was. */
function dumped(
  codec: 'raw' | 'lz4',
  build: string,
  use: (machine: Machine, memory: Uint8Array, disk: number) => void,
): void {
  const machine = makeMachine({
    scenario: smallScenario({ boards: { dumpCodec: codec, dumpKey: PUBLIC, rebootAfterPanic: false } }),
    seed: '9',
    folder: null,
    firmware: join(import.meta.dirname, '..', 'build', `${build}.wasm`),
  });
  try {
    for (const board of machine.boards) board.powerOn();
    machine.clock.runUntil(600 * MS);
    const ram = machine.boards[0].ram()!;
    for (let at = 230 * L.CHUNK_BYTES; at < 236 * L.CHUNK_BYTES; at += 4096) ram.set(MARK, at);
    ram.copyWithin(235 * L.CHUNK_BYTES, 234 * L.CHUNK_BYTES, 235 * L.CHUNK_BYTES);
    machine.boards[0].nmi(L.PANIC_OPERATOR, 0);
    const memory = ram.slice().fill(0, F.WORK_AT, F.WORK_AT + F.WORK_BYTES);
    machine.clock.runUntil(3000 * MS);
    finalChecks(machine, settled(machine));
    assert.equal(machine.observer.invariants.violations, []);
    const { report, disk } = machine.observer.dump!;
    assert.is(report.attribute, L.ATTRIBUTE_COMPLETED);
    assert.ok(report.sealed > 20 && report.stored === report.sealed);
    use(machine, memory, disk);
  } finally {
    machine.close();
  }
}

const mediumOf = (machine: Machine, disk: number): { read: ReturnType<typeof reader>; bytes: number } => {
  const { medium } = machine.shelf.disks[disk]!;
  return { read: reader(medium), bytes: medium.bytes };
};

function assertExact(image: DumpImage, memory: Uint8Array, what: string): void {
  for (const { index, state, content } of image) {
    assert.ok(
      state === L.CODEC_ZERO || state === L.CODEC_RAW || state === L.CODEC_LZ4,
      `${what}: ${index}: ${state}`,
    );
    const at = index * L.CHUNK_BYTES;
    assert.is(
      Buffer.compare(content!, memory.subarray(at, at + L.CHUNK_BYTES)),
      0,
      `${what}: chunk ${index}`,
    );
  }
}

for (const build of ['firmware', 'firmware-mcu']) {
  for (const codec of ['raw', 'lz4'] as const) {
    test(`${build}, ${codec}: the private key opens the image on the disk and the saved container; without it nothing is there`, async () => {
      let container: Buffer | null = null;
      dumped(codec, build, (machine, memory, disk) => {
        const { read, bytes } = mediumOf(machine, disk);
        const blocks = bytes / L.SECTOR_BYTES;
        assertExact(new DumpImage(read, blocks, { privateKey: PRIVATE }), memory, 'on the disk');
        const closed = new DumpImage(read, blocks);
        assert.is(closed.header.cipher, L.CIPHER_X25519_STORED);
        assert.ok(closed.count(L.MISSING_SEALED) > 20);
        assert.is(closed.chunk(230).content, null);
        assert.is(Buffer.from(read(0, bytes)).indexOf(MARK), -1, 'not a line of it on the disk');
        const root = mediumOf(
          machine,
          machine.scenario.disks.findIndex(({ name }) => name === 'a.root'),
        );
        assert.is(Buffer.from(root.read(0, root.bytes)).indexOf(MARK), -1);

        const region = root.bytes - BASE - L.TAIL_BLOCKS * L.SECTOR_BYTES;
        const volume = new Exfat((at, count) => root.read(BASE + at, count), region);
        const files = volume.list('/cores');
        assert.is(files.length, 1);
        assert.match(files[0]!.name, /^core\.1001\.\d{4}-\d\d-\d\d\.\d\d_\d\d_\d\d\.enc$/);
        const file = Buffer.concat([...volume.read(files[0]!.path)]);
        const part = (at: number, count: number): Uint8Array => file.subarray(at, at + count);
        assertExact(containedImage(part, file.length, PRIVATE), memory, 'in the container');
        assert.ok(containedImage(part, file.length, null).count(L.MISSING_SEALED) > 20);
        assert.match(resultOf(machine, '9', true).core!.path, /\.enc$/);
        assert.is(resultOf(machine, '9', true).dump.verified, null);
        container = file;
      });
      for (const key of [PRIVATE, null]) {
        const part = (at: number, count: number): Uint8Array => container!.subarray(at, at + count);
        const image = containedImage(part, container!.length, key);
        const checks = await verify(new ImageSource(image, 'core.enc', () => {}, true));
        assert.equal(
          checks.flatMap(({ problems }) => problems),
          [],
          'the container is in order',
        );
      }
    });
  }
}

test('another key is refused by name, and a bit that is other makes its chunk corrupt, never content', () => {
  dumped('raw', 'firmware', (machine, _memory, disk) => {
    const { medium } = machine.shelf.disks[disk]!;
    const read = reader(medium);
    const blocks = medium.bytes / L.SECTOR_BYTES;
    assert.throws(
      () => new DumpImage(read, blocks, { privateKey: privateKeyOf('78'.repeat(32)) }),
      (error: Error) => error instanceof WrongKey,
    );
    const image = new DumpImage(read, blocks, { privateKey: PRIVATE });
    const { at, bytes } = image.place(230);
    for (const [offset, what] of [
      [0, 'first byte'],
      [bytes - 17, 'last byte'],
      [bytes - 1, 'tag'],
    ] as const) {
      const byte = read(at + offset, 1);
      medium.write(at + offset, Uint8Array.of(byte[0]! ^ 4), 0, 1);
      assert.equal(image.chunk(230), { index: 230, state: L.MISSING_CORRUPT, content: null }, what);
      medium.write(at + offset, byte, 0, 1);
    }
    // A chunk in the place of another: the address is a part of what is authenticated.
    const other = image.place(231);
    assert.is(other.bytes, bytes);
    medium.write(at, read(other.at, bytes), 0, bytes);
    assert.is(image.chunk(230).state, L.MISSING_CORRUPT);
  });
});

/** Changes the entry of each chunk in the table on the disk, and seals the block again, as one who has no key can. */
function forge(medium: Medium, change: (view: DataView, at: number, chunk: number) => void): void {
  const read = reader(medium);
  for (let index = 0; ; index++) {
    const place = (L.DATA_LBA + index * L.TABLE_BLOCKS) * L.SECTOR_BYTES;
    const block = read(place, L.TABLE_BYTES).slice();
    const view = new DataView(block.buffer);
    if (view.getUint32(L.TABLE_MAGIC_AT, true) !== L.TABLE_MAGIC) return assert.ok(index > 0);
    for (let i = 0; i < view.getUint32(L.TABLE_COUNT_AT, true); i++) {
      const at = L.TABLE_ENTRIES_AT + i * L.TABLE_ENTRY_BYTES;
      change(view, at, view.getUint16(at, true));
    }
    view.setUint32(L.TABLE_CRC_AT, crc32cWithout(block, L.TABLE_CRC_AT), true);
    medium.write(place, block, 0, block.length);
  }
}

const imageOf = (medium: Medium, privateKey: KeyObject | null = null): DumpImage =>
  new DumpImage(reader(medium), medium.bytes / L.SECTOR_BYTES, { privateKey });

const problemsOf = async (medium: Medium): Promise<string[]> => {
  const checks = await verify(new ImageSource(imageOf(medium), 'spare.img', () => {}));
  return checks.flatMap(({ problems }) => problems);
};

test('no checksum tells what is in a chunk: each is of what is stored, and two chunks that are the same have others', () => {
  dumped('raw', 'firmware', (machine, memory, disk) => {
    const { medium } = machine.shelf.disks[disk]!;
    const image = imageOf(medium);
    const sums = new Map<number, number>();
    forge(medium, (view, at, chunk) => sums.set(chunk, view.getUint32(at + 12, true)));
    let sealed = 0;
    for (const [chunk, sum] of sums) {
      if (image.state(chunk) !== L.MISSING_SEALED) continue;
      sealed++;
      const { at, bytes } = image.place(chunk);
      assert.is(sum, crc32c(reader(medium)(at, bytes)));
      assert.is.not(sum, crc32c(memory.subarray(chunk * L.CHUNK_BYTES, (chunk + 1) * L.CHUNK_BYTES)));
    }
    assert.ok(sealed > 20);
    const [one, two] = [234, 235].map((chunk) =>
      memory.subarray(chunk * L.CHUNK_BYTES, (chunk + 1) * L.CHUNK_BYTES),
    );
    assert.is(Buffer.compare(one!, two!), 0);
    assert.is.not(sums.get(234), sums.get(235));
  });
});

test('without the key a dump is verified all the same, and salvaged: what was overwritten is found', async () => {
  for (const codec of ['raw', 'lz4'] as const) {
    const found: Medium[] = [];
    dumped(codec, 'firmware', (machine, _memory, disk) => {
      const { medium } = machine.shelf.disks[disk]!;
      const copy = new MemoryMedium(medium.bytes);
      for (let at = 0; at < medium.bytes; at += 1 << 20)
        copy.write(at, reader(medium)(at, 1 << 20), 0, Math.min(1 << 20, medium.bytes - at));
      found.push(copy);
    });
    const medium = found[0]!;
    // The saver has marked it as saved since: what is verified is the dump.
    assert.equal(await problemsOf(medium), []);
    const { dumps, headers } = searchDisk(reader(medium), medium.bytes / L.SECTOR_BYTES);
    const none = [null, null] as const;
    const salvaged = new SalvagedImage(reader(medium), medium.bytes / L.SECTOR_BYTES, dumps[0]!, none);
    assert.is(
      salvaged.header.imageLba,
      headers.find((each) => each !== null)!.imageLba,
      'found by its checksums',
    );
    const opened = new SalvagedImage(
      reader(medium),
      medium.bytes / L.SECTOR_BYTES,
      dumps[0]!,
      headers,
      PRIVATE,
    );
    assert.ok(opened.chunk(230).content !== null, 'with the key and a header it is opened');
    const { at, bytes } = imageOf(medium).place(230);
    const last = reader(medium)(at + bytes - 1, 1);
    medium.write(at + bytes - 1, Uint8Array.of(last[0]! ^ 1), 0, 1);
    assert.equal(await problemsOf(medium), ['chunk 230: what is stored of it is not what was written']);
  }
});

test('who forges the table gets no chunk in the place of another, and no page of zeros for memory or for a gap', () => {
  dumped('raw', 'firmware', (machine, _memory, disk) => {
    const { medium } = machine.shelf.disks[disk]!;
    const places = new Map<number, readonly [number, number]>();
    forge(medium, (view, at, chunk) =>
      places.set(chunk, [view.getUint32(at + 8, true), view.getUint32(at + 12, true)]),
    );
    forge(medium, (view, at, chunk) => {
      if (chunk !== 230 && chunk !== 231) return;
      const [block, crc] = places.get(chunk ^ 1)!;
      view.setUint32(at + 8, block, true);
      view.setUint32(at + 12, crc, true);
    });
    assert.equal(
      [imageOf(medium).isStoredExact(230), imageOf(medium, PRIVATE).chunk(230).state],
      [true, L.MISSING_CORRUPT],
    );
    forge(medium, (view, at, chunk) => {
      if (chunk === 232) view.setUint16(at + 2, 6, true);
    });
    assert.equal(
      [imageOf(medium).isStoredExact(232), imageOf(medium, PRIVATE).chunk(232).state],
      [true, L.MISSING_CORRUPT],
    );
    assert.is(imageOf(medium, PRIVATE).chunk(233).state, L.CODEC_RAW);
  });
});

test('a dump of before, whose checksums are of the chunks, is read with the key', () => {
  dumped('lz4', 'firmware', (machine, memory, disk) => {
    const { medium } = machine.shelf.disks[disk]!;
    const before = imageOf(medium);
    forge(medium, (view, at, chunk) => {
      if (before.state(chunk) !== L.MISSING_SEALED) return;
      const content = memory.subarray(chunk * L.CHUNK_BYTES, (chunk + 1) * L.CHUNK_BYTES);
      view.setUint32(at + 12, crc32c(content), true);
    });
    for (const copy of [0, 1]) {
      const place = (L.COREDUMP_LBA + copy * L.COPY_BLOCKS) * L.SECTOR_BYTES;
      const header = reader(medium)(place, L.COPY_BYTES).slice();
      const view = new DataView(header.buffer);
      view.setUint32(L.HEADER_CIPHER_AT, L.CIPHER_X25519, true);
      view.setUint32(L.HEADER_CRC_AT, crc32cWithout(header, L.HEADER_CRC_AT), true);
      medium.write(place, header, 0, header.length);
    }
    const image = imageOf(medium, PRIVATE);
    assert.is(image.header.cipher, L.CIPHER_X25519);
    assertExact(image, memory, 'of before');
    assert.is(imageOf(medium).isStoredExact(230), null, 'without the key nothing tells');
  });
});

test('no key is on any disk, nor in the memory of the board that has halted', () => {
  const pair = new Pair({
    boards: { dumpKey: PUBLIC, rebootAfterPanic: false },
    events: [eventOf({ atMs: 600, do: 'nmi', board: 'a' })],
  });
  try {
    pair.started(599);
    const at = F.KEYS_AT + 0x100; // firmware/dump-key.ts
    const key = pair.a.ram()!.slice(at, at + 32);
    assert.ok(new Set(key).size > 10);
    assert.ok(
      pair.a
        .ram()!
        .subarray(F.KEYS_AT + 0x200, F.KEYS_AT + 0x1000)
        .every((byte) => byte === 0),
    );
    pair.until(F.EV_SAVE_END, { board: 1 });
    pair.run(50);
    assert.is(Buffer.from(pair.a.ram()!).indexOf(key), -1, 'in memory');
    for (const { medium } of pair.machine.shelf.disks) {
      assert.is(Buffer.from(reader(medium)(0, medium.bytes)).indexOf(key), -1);
    }
  } finally {
    pair.close();
  }
});

for (const [what, dumpKey, spoil] of [
  ['a public key that is none', '00'.repeat(32), false],
  ['a key that was damaged in memory', PUBLIC, true],
] as const) {
  test(`with ${what} there is no dump: never one in the clear`, () => {
    const pair = new Pair({
      boards: { dumpKey, rebootAfterPanic: false },
      events: [eventOf({ atMs: 600, do: 'nmi', board: 'a' })],
    });
    try {
      pair.started(599);
      if (spoil) pair.a.ram()![F.KEYS_AT + 0x100 + 20]! ^= 1;
      pair.until(F.EV_DUMP_NONE, { board: 0 });
      pair.run(1000);
      assert.is(pair.events(F.EV_DUMP_BEGIN).length, 0);
      assert.is(pair.events(F.EV_SERVICE, 1).length, 1);
      assert.equal(pair.machine.observer.invariants.violations, []);
    } finally {
      pair.close();
    }
  });
}

test('keys are read as hexadecimal digits and as PEM, and nothing else is a key', () => {
  const pem = createPublicKey(PRIVATE).export({ type: 'spki', format: 'pem' }) as string;
  assert.is(rawPublicKey(publicKeyOf(pem)!).toString('hex'), PUBLIC);
  assert.is(rawPublicKey(publicKeyOf(` ${PUBLIC}\n`)!).toString('hex'), PUBLIC);
  const secret = PRIVATE.export({ type: 'pkcs8', format: 'pem' }) as string;
  assert.ok(privateKeyOf(secret)!.equals(createPrivateKey(secret)));
  for (const bad of [
    '',
    'abc',
    PUBLIC.slice(2),
    `${PUBLIC}00`,
    pem.replace('MCow', 'MCoA'),
    'zz'.repeat(32),
  ]) {
    assert.is(publicKeyOf(bad), null, bad);
    assert.is(privateKeyOf(bad), null, bad);
  }
});

test.run();
