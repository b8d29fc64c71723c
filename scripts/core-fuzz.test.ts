/** Damaged cores, images and volumes: every command gets what is right out of them, or one line that says what is wrong. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import * as F from '../firmware/layout.ts';
import { writeCore } from '../boards/core/elf-writer.ts';
import { logOf, panicOf, stateOf, traceOf } from '../boards/core/epitaph.ts';
import { Dice } from '../boards/core/formats.test-helper.ts';
import { BLOCKS } from '../boards/core/image.test-helper.ts';
import { openIn } from '../boards/core/open-source.ts';
import { formatted } from '../boards/core/volume.test-helper.ts';
import { Bytes, imageOf, memoryOf, sourceOf } from '../boards/core/source.test-helper.ts';
import { Malformed } from '../boards/core/source.ts';
import type { Read } from '../boards/core/source.ts';
import { verify } from '../boards/core/verify.ts';
import { InputError } from '../boards/input-error.ts';
import { infoLines } from './render/core-info.ts';
import { PLAIN } from './render/look.ts';

const MEMORY = memoryOf();
const WIDE = [0, 1, 0x7f, 0x80, 0xff];

interface Sample {
  name: string;
  read: Read;
  bytes: number;
  /** Where structures lie. */
  places: readonly [at: number, bytes: number][];
}

async function samples(): Promise<Sample[]> {
  const cut = { reached: 11, lost: [2], attribute: L.ATTRIBUTE_ABORTED, abort: L.ABORT_LIMIT };
  const image = imageOf(MEMORY, cut);
  const core = new Bytes();
  const { bytes } = await writeCore(sourceOf(image), core.write);
  const { disk, volume } = formatted();
  volume.mount();
  volume.add('core.11.2026-01-01.00_00_00', core.read(0, bytes).slice());
  const head = L.DATA_LBA * L.SECTOR_BYTES;
  return [
    {
      name: 'dump image',
      read: image.disk.read,
      bytes: BLOCKS * L.SECTOR_BYTES,
      places: [
        [L.COREDUMP_LBA * L.SECTOR_BYTES, 2 * L.COPY_BYTES],
        [head, 3 * L.TABLE_BYTES],
        [head + 4 * L.TABLE_BYTES, 3 * L.CHUNK_BYTES],
      ],
    },
    {
      name: 'core file',
      read: (at, count) => core.read(at, Math.max(0, Math.min(count, bytes - at))),
      bytes,
      places: [
        [0, 400],
        [0, 2000],
        [0, bytes],
      ],
    },
    {
      name: 'root disk',
      read: disk.read,
      bytes: (disk.blocks + L.TAIL_BLOCKS) * L.SECTOR_BYTES,
      places: [
        [head, 12 * 512],
        [head + 65536, 400_000],
      ],
    },
  ];
}

function damaged({ read, bytes, places }: Sample, dice: Dice): { read: Read; bytes: number } {
  const changes = new Map<number, number>();
  for (let n = 1 + dice.below(5); n > 0; n--) {
    const [from, room] = places[dice.below(places.length)]!;
    const at = from + dice.below(room);
    for (let i = (1 << dice.below(4)) - 1; i >= 0; i--)
      changes.set(at + i, dice.below(2) ? dice.below(256) : WIDE[dice.below(WIDE.length)]!);
  }
  const end = dice.below(8) === 0 ? dice.below(bytes) : bytes;
  let asked = 0;
  return {
    bytes: end,
    read: (at, count) => {
      assert.ok(count <= 1 << 26, `asks for ${count} bytes`);
      assert.ok((asked += count) < 2 ** 32, 'reads without end');
      const got = read(at, Math.max(0, Math.min(count, end - at))).slice();
      for (const [where, value] of changes)
        if (where >= at && where < at + got.length) got[where - at] = value;
      return got;
    },
  };
}

/** As far as the sample has checksums, what is given of the memory is as it was. */
async function use(file: { read: Read; bytes: number }): Promise<void> {
  const source = openIn({ ...file, path: 'x.img', close: () => {} }, null);
  const panic = await panicOf(source);
  const log = await logOf(source);
  await traceOf(source);
  const lines = infoLines(PLAIN, { source, panic, log, symbols: null, state: await stateOf(source) });
  assert.ok(lines.length > 3 && lines.length < 100);
  // oxlint-disable-next-line no-control-regex -- that is what must not reach a terminal
  for (const line of lines) assert.not.match(line, /[\x00-\x08\x0a-\x1f\x7f]/);
  await verify(source);
  if (source.memoryBytes <= 1 << 26) await writeCore(source, () => {});
  if (source.kind !== 'dump image') return;
  for (const address of [F.RECORD_AT, 10 * L.CHUNK_BYTES]) {
    const [piece] = await source.read(address, 4096);
    if (piece?.content) assert.equal(piece.content, MEMORY.subarray(address, address + piece.bytes));
  }
}

for (const sample of await samples()) {
  test(`a ${sample.name} with bytes changed or its end cut off`, async () => {
    const dice = new Dice(sample.name.length);
    let [fine, refused] = [0, 0];
    for (let round = 0; round < 250; round++) {
      try {
        await use(damaged(sample, dice));
        fine++;
      } catch (error) {
        if (!(error instanceof Malformed || error instanceof InputError)) throw error;
        assert.not.match(error.message, /\n/);
        refused++;
      }
    }
    assert.ok(fine > 10 && refused > 10, `${fine} read, ${refused} refused`);
  });
}

test.run();
