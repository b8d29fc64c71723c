import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DATA_LBA, SECTOR_BYTES, TAIL_BLOCKS } from '../layout.ts';
import { Formats } from '../../boards/core/formats.test-helper.ts';

const test = suite('partition table');
const BLOCKS = 262_144n;
const [ABSENT, BROKEN, FOREIGN, OURS] = [0, 1, 2, 3];
const PRIMARY_BYTES = 34 * SECTOR_BYTES;
const BACKUP_BYTES = 33 * SECTOR_BYTES;

function built(blocks = BLOCKS, seed = 1n, data = 1): { io: Formats; primary: number; backup: number } {
  const io = new Formats();
  const [primary, backup] = [io.room(PRIMARY_BYTES), io.room(BACKUP_BYTES)];
  io.call('gpt_primary', primary, blocks, seed, data);
  io.call('gpt_backup', backup, blocks, seed, data);
  return { io, primary, backup };
}

/** Of the disk and of its partitions. */
function guids(seed: bigint): string[] {
  const { io, primary } = built(BLOCKS, seed);
  return [512 + 56, 1024 + 16, 1152 + 16, 1280 + 16].map((at) =>
    Buffer.from(io.part(primary + at, 16)).toString('hex'),
  );
}

test('what is built is known as ours, both copies, for either kind of data', () => {
  for (const blocks of [16384n, BLOCKS, 2n ** 33n + 7n]) {
    for (const data of [0, 1]) {
      const { io, primary, backup } = built(blocks, 3n, data);
      assert.is(io.call('gpt_primary_state', primary, blocks), OURS);
      assert.is(io.call('gpt_backup_state', backup, blocks), OURS);
      assert.is(io.call('gpt_data_kind', primary), data);
    }
  }
});

test('a table is not ours on a disk of another size', () => {
  const { io, primary, backup } = built();
  assert.is(io.call('gpt_primary_state', primary, BLOCKS + 1n), FOREIGN);
  assert.is(io.call('gpt_backup_state', backup, BLOCKS + 1n), BROKEN);
});

test('a changed bit in a header or entry breaks its copy', () => {
  const { io, primary, backup } = built();
  for (let at = 512; at < 512 + 92; at++) {
    io.bytes[primary + at]! ^= 4;
    assert.is(io.call('gpt_primary_state', primary, BLOCKS), at < 520 ? ABSENT : BROKEN, `byte ${at}`);
    io.bytes[primary + at]! ^= 4;
  }
  for (let at = 0; at < 16384; at += 37) {
    io.bytes[backup + at]! ^= 1;
    assert.is(io.call('gpt_backup_state', backup, BLOCKS), BROKEN, `byte ${at}`);
    io.bytes[backup + at]! ^= 1;
  }
});

test("GUIDs follow from the seed, differ from each other, and are of RFC 4122's random kind", () => {
  assert.equal(guids(5n), guids(5n));
  const all = [...guids(5n), ...guids(6n), ...guids(2n ** 64n - 1n)];
  assert.is(new Set(all).size, all.length);
  for (const guid of all) assert.match(guid, /^.{14}4.(8|9|a|b)/);
});

test('the data region leaves room for the backup, and small disks have none', () => {
  const io = new Formats();
  assert.is(io.call('gpt_data_blocks', BLOCKS), Number(BLOCKS) - DATA_LBA - TAIL_BLOCKS);
  assert.is(io.call('gpt_data_blocks', 100n), 0);
  assert.is(io.call('gpt_data_blocks', BigInt(DATA_LBA + TAIL_BLOCKS)), 0);
});

test.run();
