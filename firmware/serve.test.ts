import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { type Pair, withPair } from '../boards/machine.test-helper.ts';
import * as F from './layout.ts';
import { onMedium, troubles } from './talk.test-helper.ts';

const test = suite('volume service');
const VOLUME_OF_A = 0;
const VOLUME_OF_B = 1;
const be = (value: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** (bytes - 1 - i)) % 256);
const read10 = (lba: number, blocks: number): number[] => [0x28, 0, ...be(lba, 4), 0, ...be(blocks, 2), 0];
const write10 = (lba: number, blocks: number): number[] => [0x2a, 0, ...be(lba, 4), 0, ...be(blocks, 2), 0];
const read16 = (lba: number, blocks: number): number[] => [0x88, 0, ...be(lba, 8), ...be(blocks, 4), 0, 0];
const write16 = (lba: number, blocks: number): number[] => [0x8a, 0, ...be(lba, 8), ...be(blocks, 4), 0, 0];
const data = (blocks: number, byte: number): Uint8Array => new Uint8Array(blocks * 512).fill(byte);
const VOLUME_BLOCKS = (64 << 20) / 512 - L.DATA_LBA - L.TAIL_BLOCKS;

interface Reply {
  status: number;
  sense: number;
  data: Uint8Array | null;
}

/** One request at the front-end port of board A, to its answer; null: none within a second. */
function request(
  pair: Pair,
  volume: number,
  cdb: readonly number[],
  sent: Uint8Array | null = null,
): Reply | null {
  const replies: Reply[] = [];
  const placed = pair.a.port.place({
    volume,
    cdb: Uint8Array.from(cdb),
    data: sent,
    reply: (status, sense, got) => replies.push({ status, sense, data: got?.slice() ?? null }),
  });
  assert.ok(placed);
  pair.run(1000);
  assert.ok(replies.length <= 1, 'answered once');
  return replies[0] ?? null;
}

/** A pair at work, without clients but the test. */
function served(use: (pair: Pair) => void): void {
  withPair({ clients: { perVolume: 0 } }, (pair) => {
    pair.started();
    use(pair);
    assert.equal(troubles(pair), []);
  });
}

function assertBytes(got: Uint8Array | null | undefined, expected: Uint8Array): void {
  assert.is(got?.length, expected.length);
  const first = expected.findIndex((byte, i) => byte !== got![i]);
  assert.is(first, -1, `first other byte: ${first}`);
}

const GOOD = { status: 0, sense: 0, data: null };

test('what is written reads back, and lies on the disk when it is acknowledged', () => {
  served((pair) => {
    assert.equal(request(pair, VOLUME_OF_A, write16(130, 8), data(8, 0x5a)), GOOD);
    const disk = pair.disk('a.data.0');
    assertBytes(onMedium(pair, disk, L.DATA_LBA + 130, 4096), data(8, 0x5a));
    assertBytes(
      request(pair, VOLUME_OF_A, read16(128, 4))?.data,
      Uint8Array.of(...data(2, 0), ...data(2, 0x5a)),
    );
    assertBytes(request(pair, VOLUME_OF_A, read10(130, 8))?.data, data(8, 0x5a));
  });
});

test('parts of cache lines are written and read in any order, and never mix', () => {
  served((pair) => {
    const expected = new Uint8Array(128 * 512);
    for (const [n, [lba, blocks]] of [[3, 5], [0, 1], [7, 1], [8, 8], [1, 2], [100, 28], [5, 20]].entries()) {
      const bytes = data(blocks!, n + 1);
      assert.equal(request(pair, VOLUME_OF_A, write10(lba!, blocks!), bytes), GOOD);
      expected.set(bytes, lba! * 512);
    }
    assertBytes(request(pair, VOLUME_OF_A, read16(0, 128))?.data, expected);
    const disk = pair.disk('a.data.0');
    assertBytes(onMedium(pair, disk, L.DATA_LBA, 128 * 512), expected);
  });
}); // prettier-ignore

const REFUSED: readonly (readonly [what: string, volume: number, cdb: number[], sent: Uint8Array | null, sense: number])[] = [
  ['for a volume of the partner', VOLUME_OF_B, read16(0, 1), null, 0x020400],
  ['for a volume that does not exist', 63, read16(0, 1), null, 0x020400],
  ['for a volume beyond all', 0xffffffff, read16(0, 1), null, 0x020400],
  ['of an unknown operation code', VOLUME_OF_A, [0xff, 0, 0, 0, 0, 0], null, 0x052000],
  ['of INQUIRY, which the port answers itself', VOLUME_OF_A, [0x12, 0, 0, 0, 36, 0], null, 0x052000],
  ['beyond the end', VOLUME_OF_A, read16(VOLUME_BLOCKS, 1), null, 0x052100],
  ['across the end', VOLUME_OF_A, read16(VOLUME_BLOCKS - 1, 2), null, 0x052100],
  ['at the highest LBA', VOLUME_OF_A, [0x88, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 1, 0, 0], null, 0x052100],
  ['whose end wraps around', VOLUME_OF_A, read16(1, 0xffffffff), null, 0x052100],
  ['across two cache lines', VOLUME_OF_A, read16(127, 2), null, 0x052400],
  ['of more than 64 KiB', VOLUME_OF_A, read16(0, 129), null, 0x052400],
  ['to write more than was sent', VOLUME_OF_A, write16(0, 8), data(7, 1), 0x052400],
  ['to write less than was sent', VOLUME_OF_A, write16(0, 8), data(9, 1), 0x052400],
  ['to write without data', VOLUME_OF_A, write16(0, 8), null, 0x052400],
]; // prettier-ignore

for (const [what, volume, cdb, sent, sense] of REFUSED) {
  test(`a request ${what} is refused with ${sense.toString(16).padStart(6, '0')}, and nothing is written`, () => {
    served((pair) => {
      assert.equal(request(pair, volume, cdb, sent), { status: 2, sense, data: null });
      assert.ok(onMedium(pair, pair.disk('a.data.0'), L.DATA_LBA, 65536).every((byte) => byte === 0));
      assert.is(request(pair, VOLUME_OF_A, read16(0, 1))?.status, 0);
    });
  });
}

test('the last block of a volume is served', () => {
  served((pair) => {
    assert.equal(request(pair, VOLUME_OF_A, write16(VOLUME_BLOCKS - 1, 1), data(1, 9)), GOOD);
    assertBytes(request(pair, VOLUME_OF_A, read16(VOLUME_BLOCKS - 1, 1))?.data, data(1, 9));
  });
});

test('a request for no blocks is good and moves nothing', () => {
  served((pair) => assert.equal(request(pair, VOLUME_OF_A, read16(0, 0)), GOOD));
});

for (const [what, strike, cdb, sent, sense] of [
  ['a write that the disk cannot do', 'writesFail', write16(0, 8), data(8, 1), 0x030c00],
  ['a write to a dead disk', 'dead', write16(0, 8), data(8, 1), 0x030c00],
  ['a read from a dead disk', 'dead', read16(0, 8), null, 0x031100],
] as const) {
  test(`${what} is refused as such, not acknowledged`, () => {
    withPair({ clients: { perVolume: 0 } }, (pair) => {
      pair.started();
      pair.machine.shelf.disks[pair.disk('a.data.0')]![strike] = true;
      const replies: number[] = [];
      pair.a.port.place({
        volume: VOLUME_OF_A,
        cdb: Uint8Array.from(cdb),
        data: sent,
        reply: (status, code) => replies.push(status, code),
      });
      pair.run(30_000);
      assert.equal(replies, [2, sense]);
      assert.equal(pair.events(F.EV_PANIC), []);
    });
  });
}

test('after a failed write the cache does not pretend: what is read comes from the disk', () => {
  served((pair) => {
    assert.equal(request(pair, VOLUME_OF_A, write16(0, 8), data(8, 1)), GOOD);
    const disk = pair.machine.shelf.disks[pair.disk('a.data.0')]!;
    disk.writesFail = true;
    assert.is(request(pair, VOLUME_OF_A, write16(0, 8), data(8, 2))?.status, 2);
    disk.writesFail = false;
    assertBytes(request(pair, VOLUME_OF_A, read16(0, 8))?.data, data(8, 1));
  });
});

test('more requests at once than the ring holds: those that found room are all answered, each once', () => {
  served((pair) => {
    let placed = 0;
    const replies = new Map<number, number>();
    for (let n = 0; n < F.REQUEST_MAX + 50; n++) {
      const isPlaced = pair.a.port.place({
        volume: VOLUME_OF_A,
        cdb: Uint8Array.from(n % 2 === 0 ? write16((n % 40) * 128, 4) : read16((n % 40) * 128, 4)),
        data: n % 2 === 0 ? data(4, n & 255) : null,
        reply: (status) => {
          assert.is(status, 0);
          replies.set(n, (replies.get(n) ?? 0) + 1);
        },
      });
      if (isPlaced) placed++;
    }
    assert.is(placed, F.REQUEST_MAX);
    pair.run(20_000);
    assert.is(replies.size, placed);
    assert.ok([...replies.values()].every((count) => count === 1));
  });
});

test.run();
