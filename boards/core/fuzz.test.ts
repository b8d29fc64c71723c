import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Dice, Disk } from './formats.test-helper.ts';
import { buildCore } from './core.test-helper.ts';
import { formatted } from './volume.test-helper.ts';
import * as L from '../../asm/layout.ts';
import { CoreFile, MissingMemory } from './core-file.ts';
import { Exfat } from './exfat.ts';
import { BLOCKS, ImageWriter, lost, raw, zero } from './image.test-helper.ts';
import { DumpImage } from './image.ts';
import { lz4Decode } from './lz4.ts';
import { Malformed } from './source.ts';
import type { Read } from './source.ts';

const test = suite('malformed input');
const NASTY = [0, 1, 0x7f, 0x80, 0xff];
/** No structure of these formats is larger; a reader that asks for more has believed a size it should not. */
const ASK_MAX = 1 << 26;

/** Reads through, with some bytes changed, and counts what is asked for. */
function mutated(
  read: Read,
  bytesChanged: ReadonlyMap<number, number>,
  end = Infinity,
): { read: Read; asked: () => number } {
  let asked = 0;
  return {
    asked: () => asked,
    read: (at, bytes) => {
      assert.ok(bytes <= ASK_MAX, `asks for ${bytes} bytes`);
      asked += bytes;
      assert.ok(asked < 1e9, 'reads without end');
      const got = read(at, Math.max(0, Math.min(bytes, end - at))).slice();
      for (const [where, value] of bytesChanged)
        if (where >= at && where < at + got.length) got[where - at] = value;
      return got;
    },
  };
}

/** A few bytes in the places that matter. */
function changes(dice: Dice, places: readonly [from: number, bytes: number][]): Map<number, number> {
  const map = new Map<number, number>();
  for (let n = 1 + dice.below(4); n > 0; n--) {
    const [from, bytes] = places[dice.below(places.length)]!;
    const at = from + dice.below(bytes);
    const wide = 1 << dice.below(4); // a field's worth
    for (let i = 0; i < wide; i++)
      map.set(at + i, dice.below(3) ? dice.below(256) : NASTY[dice.below(NASTY.length)]!);
  }
  return map;
}

/** Runs `use`, which may only succeed or say that the input is malformed. True when it said so. */
function refuses(use: () => void, how: string): boolean {
  try {
    use();
    return false;
  } catch (error) {
    if (error instanceof Malformed) return true;
    throw new Error(`${how}: ${String(error)}`, { cause: error });
  }
}

test('a changed core file is read or refused, never more', () => {
  const map = Uint8Array.from({ length: 60 }, (_, i) => [L.CODEC_RAW, L.CODEC_ZERO, L.CODEC_LOST][i % 3]!);
  const disk = new Disk(2 ** 20);
  const built = buildCore({ map }, disk.write);
  const dice = new Dice(21);
  let refused = 0;
  for (let round = 0; round < 4000; round++) {
    const changed = changes(dice, [
      [0, 64],
      [52, 32 * 45],
      [52, built.headBytes - 52],
    ]);
    const end = dice.below(4) ? Infinity : dice.below(built.fileBytes);
    const { read } = mutated(disk.read, changed, end);
    const use = (): void => {
      const core = new CoreFile(read, Math.min(end, built.fileBytes));
      for (let chunk = 0; chunk < 60; chunk += 7) {
        try {
          core.read(chunk * L.CHUNK_BYTES, 4096);
        } catch (error) {
          if (!(error instanceof MissingMemory)) throw error;
        }
      }
    };
    if (refuses(use, `round ${round}`)) refused++;
  }
  assert.ok(refused > 1000 && refused < 4000, `${refused} refused`);
});

test('a changed exFAT volume is read or refused, never more', () => {
  const { disk, volume } = formatted(4096);
  volume.mount();
  for (let i = 0; i < 6; i++)
    volume.add(`core.${i}.${'z'.repeat(i * 9)}`, new Uint8Array(i * 30_000).fill(i));
  const whole = disk.region(L.DATA_LBA);
  const { heapAt, fatAt, clusterBytes } = new Exfat(whole, 4096 * 512).geometry;
  const at = (cluster: number): number => heapAt + (cluster - 2) * clusterBytes;
  const dice = new Dice(22);
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const changed = changes(dice, [
      [fatAt, 32],
      [at(4), 32 * 7],
      [at(5), 32 * 30],
      [at(2), 32],
    ]);
    if (dice.below(20) === 0)
      for (const [where, value] of changes(dice, [[0, 12 * 512]])) changed.set(where, value);
    const { read } = mutated(whole, changed);
    const use = (): void => {
      const exfat = new Exfat(read, 4096 * 512);
      for (const node of exfat.list('/cores')) {
        if (!node.directory) for (const piece of exfat.read(node.path)) assert.ok(piece.length <= 1 << 20);
      }
      exfat.check();
    };
    if (refuses(use, `round ${round}`)) refused++;
  }
  assert.ok(refused > 500 && refused < 3000, `${refused} refused`);
});

test('an entry set that is wrong with a right checksum is read or refused, never more', () => {
  const { disk, volume } = formatted(4096);
  volume.mount();
  volume.add('core.1.1700000000', new Uint8Array(100_000).fill(1));
  const whole = disk.region(L.DATA_LBA);
  const { heapAt, clusterBytes } = new Exfat(whole, 4096 * 512).geometry;
  const setAt = heapAt + 3 * clusterBytes; // the first entry of cluster 5
  const dice = new Dice(27);
  for (let round = 0; round < 3000; round++) {
    const set = whole(setAt, 128).slice();
    for (const [where, value] of changes(dice, [[4, 124]])) if (where < 128) set[where] = value;
    let sum = 0;
    set.forEach((byte, i) => {
      if (i !== 2 && i !== 3) sum = (((sum & 1) << 15) + (sum >> 1) + byte) & 0xffff;
    });
    new DataView(set.buffer).setUint16(2, sum, true);
    const { read } = mutated(whole, new Map([...set].map((byte, i) => [setAt + i, byte])));
    const use = (): void => {
      const exfat = new Exfat(read, 4096 * 512);
      exfat.check();
      for (const node of exfat.list('/cores')) {
        if (!node.directory) for (const piece of exfat.read(node.path)) assert.ok(piece.length <= 1 << 20);
      }
    };
    refuses(use, `round ${round}`);
  }
});

test('a boot sector that is wrong with a right checksum is read or refused, never more', () => {
  const { disk } = formatted(4096);
  const dice = new Dice(23);
  for (let round = 0; round < 3000; round++) {
    const boot = disk.read(L.DATA_LBA * 512, 12 * 512);
    for (const [where, value] of changes(dice, [[64, 56]])) boot[where] = value;
    let sum = 0;
    for (let i = 0; i < 11 * 512; i++) {
      if (i !== 106 && i !== 107 && i !== 112)
        sum = ((sum & 1 ? 0x80000000 : 0) + (sum >>> 1) + boot[i]!) >>> 0;
    }
    for (let i = 11 * 512; i < 12 * 512; i += 4) new DataView(boot.buffer).setUint32(i, sum, true);
    const read: Read = (at, bytes) => {
      const got = disk.read(L.DATA_LBA * 512 + at, bytes);
      if (at < boot.length) got.set(boot.subarray(at, at + got.length));
      return got;
    };
    refuses(() => new Exfat(mutated(read, new Map()).read, 4096 * 512).check(), `round ${round}`);
  }
});

test('a changed dump image is read or refused; a chunk it gives is as it was', () => {
  const writer = new ImageWriter();
  const memory = new Dice(24).roll(new Uint8Array(L.CHUNK_BYTES));
  writer.label();
  writer.header(L.ATTRIBUTE_COMPLETED, 8);
  writer.chunks(0, [raw(0, memory), zero(1), lost(2), raw(3, memory)]);
  const dice = new Dice(25);
  for (let round = 0; round < 1500; round++) {
    const changed = changes(dice, [
      [L.COREDUMP_LBA * 512, 2 * L.COPY_BYTES],
      [L.LABEL_LBA * 512, 256],
      [L.DATA_LBA * 512, 128],
      [writer.imageAt(0), 256 * 512],
    ]);
    const { read } = mutated(writer.disk.read, changed);
    const use = (): void => {
      for (const { state, content } of new DumpImage(read, BLOCKS)) {
        if (state === L.CODEC_RAW) assert.equal(content, memory);
        else assert.is(content === null, state !== L.CODEC_ZERO);
      }
    };
    refuses(use, `round ${round}`);
  }
});

test('random bytes are no LZ4 block of the right size, and end', () => {
  const dice = new Dice(26);
  for (let round = 0; round < 3000; round++) {
    const block = dice.roll(new Uint8Array(1 + dice.below(300)));
    const got = lz4Decode(block, 4096);
    assert.ok(got === null || got.length === 4096);
  }
});

test.run();
