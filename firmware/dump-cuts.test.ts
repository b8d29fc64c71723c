// A dump is cut at every one of its writes: what is on the medium is found, exactly, and nothing else is believed.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { DumpImage, isPresent } from '../boards/core/image.ts';
import { Malformed } from '../boards/core/source.ts';
import { Pair, eventOf } from '../boards/machine.test-helper.ts';
import { finalChecks, unsettled } from '../boards/observer/end.ts';
import { reader } from '../boards/observer/observer.ts';
import * as F from './layout.ts';

const test = suite('a dump that is cut');
const LIMIT_MS = 700;

/** Where the cut is: within the n-th write of the dump, or right after it. */
type Cut = 'torn' | 'after';

interface Landed {
  lba: number;
  blocks: number;
}

class Dumping {
  readonly pair: Pair;
  /** Memory as it was frozen. */
  memory = new Uint8Array(0);
  readonly landed: Landed[] = [];
  #isCut = false;

  constructor(codec: 'raw' | 'lz4', cutAt = Infinity, cut: Cut = 'after') {
    this.pair = new Pair({
      boards: { dumpCodec: codec, dumpLimitMs: LIMIT_MS, heartbeatLossMs: 1500, rebootAfterPanic: false },
      clients: { perVolume: 1, workingSetMib: 2, thinkUs: 1000 },
      events: [eventOf({ atMs: 600, do: 'nmi', board: 'a' })],
    });
    this.pair.started(500);
    this.pair.until(F.EV_FROZEN, { board: 0 });
    // The handler has begun to work in its own area, which was zero.
    this.memory = this.pair.a
      .ram()!
      .slice()
      .fill(0, F.WORK_AT, F.WORK_AT + F.WORK_BYTES);
    const { medium } = this.pair.machine.shelf.disks[this.pair.disk('a.spare.0')]!;
    const write = medium.write.bind(medium);
    let left = 0;
    medium.write = (offset, from, at, bytes) => {
      const begins = this.#begins(offset, bytes);
      const isIt = !this.#isCut && begins && this.landed.length === cutAt;
      if (isIt) {
        this.#isCut = true;
        left = cut === 'torn' ? L.SECTOR_BYTES * 3 : Infinity;
      }
      if (!this.#isCut) return write(offset, from, at, bytes);
      // Of the write that is cut some sectors land, of later ones none.
      const part = Math.min(bytes, left);
      if (part > 0) write(offset, from, at, part);
      left -= part;
    };
  }

  /** A write comes in pieces of memory; one that follows the last belongs to it. */
  #begins(offset: number, bytes: number): boolean {
    const [lba, blocks] = [offset / L.SECTOR_BYTES, bytes / L.SECTOR_BYTES];
    const last = this.landed.at(-1);
    const { now } = this.pair.machine.clock;
    if (last !== undefined && this.#at === now && last.lba + last.blocks === lba) {
      last.blocks += blocks;
      return false;
    }
    this.#at = now;
    this.landed.push({ lba, blocks });
    return true;
  }
  #at = -1;

  run(): this {
    const ended = (): boolean => this.pair.events(F.EV_DUMP_END, 0).length > 0;
    while (!this.#isCut && !ended()) this.pair.machine.clock.step();
    if (this.#isCut) this.pair.a.powerOff();
    return this;
  }

  image(): DumpImage | null {
    const { medium } = this.pair.machine.shelf.disks[this.pair.disk('a.spare.0')]!;
    try {
      return new DumpImage(reader(medium), medium.bytes / L.SECTOR_BYTES);
    } catch (error) {
      if (error instanceof Malformed) return null;
      throw error;
    }
  }
}

/** Chunks that are found, each equal to memory. */
function found(dumping: Dumping, what: string): number {
  const image = dumping.image();
  if (image === null || image.header.attribute === L.ATTRIBUTE_INACTIVE) return 0;
  let present = 0;
  for (const { index, state, content } of image) {
    if (!isPresent(state)) {
      assert.is(content, null);
      continue;
    }
    present++;
    const at = index * L.CHUNK_BYTES;
    const memory = dumping.memory.subarray(at, at + L.CHUNK_BYTES);
    assert.is(Buffer.compare(content!, memory), 0, `${what}: chunk ${index}`);
  }
  return present;
}

for (const codec of ['raw', 'lz4'] as const) {
  const whole = new Dumping(codec).run();
  const writes = whole.landed.length;
  const all = found(whole, 'not cut');
  const tables = whole.landed.filter(
    ({ blocks, lba }) => blocks === L.TABLE_BLOCKS && lba >= L.DATA_LBA,
  ).length;
  whole.pair.close();

  test(`${codec}: not cut, every chunk is found`, () => {
    assert.is(all, (16 << 20) / L.CHUNK_BYTES);
    assert.ok(writes >= 7 && tables >= 2, `${writes} writes, ${tables} blocks of the table`);
  });

  for (const cut of ['torn', 'after'] as const) {
    test(`${codec}: power is lost at each of its writes, ${cut}: what is found is exact, and what the partner saves is that`, () => {
      let before = 0;
      for (let n = 1; n <= writes; n++) {
        const dumping = new Dumping(codec, n, cut);
        const what = `cut at write ${n} of ${writes}, ${cut}`;
        try {
          dumping.run();
          const present = found(dumping, what);
          assert.ok(present >= before, `${what}: ${present} chunks, and ${before} one write earlier`);
          before = present;
          const { machine } = dumping.pair;
          dumping.pair.run(2 * LIMIT_MS);
          const end = machine.clock.now + 10e9;
          while (unsettled(machine).length > 0 && machine.clock.now < end) dumping.pair.run(50);
          finalChecks(machine, true);
          assert.equal(machine.observer.invariants.violations, [], what);
          const report = machine.observer.dumps.at(-1)?.report;
          assert.is((report?.zero ?? 0) + (report?.stored ?? 0), present, what);
        } finally {
          dumping.pair.close();
        }
      }
      assert.ok(before > 200, `${before} chunks at the last cut`);
    });
  }
}

test.run();
