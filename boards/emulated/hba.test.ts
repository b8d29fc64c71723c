import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../asm/layout.ts';
import { MS, US } from '../clock.ts';
import { RandomStream } from '../random.ts';
import {
  A0,
  Bench,
  DISK_BYTES,
  PREEMPT_AND_ABORT,
  REGISTER_AND_IGNORE,
  B0,
  SECTOR,
  TEST_UNIT_READY,
  filled,
  inquiry,
  read16,
  senseOf,
  write16,
} from '../shelf/bench.test-helper.ts';
import { Ecc } from './ecc.ts';
import { Hba } from './hba.ts';

const test = suite('hba');
const RAM_BYTES = 1 << 20;
const GUARD_BYTES = 65536;
const SQ = 0;
const CQ = 4096;
const COUNT = 64;
const DATA = 65536;
const LIST = 16384;
const PATTERN = 0x5c;

interface Entry {
  target?: number;
  port?: number;
  cdb?: Uint8Array;
  cdbLength?: number;
  data?: number;
  flags?: number;
  bytes?: number;
  pieces?: readonly (readonly [address: number, bytes: number])[];
  count?: number;
}

interface Completion {
  tag: number;
  host: number;
  status: number;
  sense: number;
  port: number;
  residual: number;
  target: number;
}

/** RAM of board A with its HBA on a shelf; behind RAM lies memory that is not the board's. */
class Rig extends Bench {
  readonly hba: Hba;
  readonly ecc = new Ecc();
  readonly ram: Uint8Array;
  readonly guard: Uint8Array;
  readonly view: DataView;
  interrupts = 0;
  tail = 0;
  seen = 0;

  constructor(disks = 2) {
    super({ disks });
    const buffer = new ArrayBuffer(RAM_BYTES + GUARD_BYTES);
    this.ram = new Uint8Array(buffer, 0, RAM_BYTES).fill(PATTERN);
    this.guard = new Uint8Array(buffer, RAM_BYTES).fill(PATTERN);
    this.view = new DataView(buffer);
    this.hba = new Hba(this.clock, this.fabric, 0, this.ecc);
    this.hba.onInterrupt = () => this.interrupts++;
    this.hba.attach(this.ram);
    this.hba.configure(SQ, COUNT, CQ, COUNT);
  }

  put(entry: Entry): number {
    const tag = this.tag++;
    const at = SQ + (this.tail & (COUNT - 1)) * L.SQE_BYTES;
    const cdb = entry.cdb ?? TEST_UNIT_READY;
    const v = this.view;
    this.ram.fill(0, at, at + L.SQE_BYTES);
    v.setUint32(at + L.SQE_TAG_AT, tag, true);
    v.setUint16(at + L.SQE_TARGET_AT, entry.target ?? 0, true);
    v.setUint8(at + L.SQE_PORT_AT, entry.port ?? 0);
    this.ram.set(cdb, at + L.SQE_CDB_AT);
    v.setUint8(at + L.SQE_FLAGS_AT, entry.flags ?? 0);
    v.setUint8(at + L.SQE_CDB_LENGTH_AT, entry.cdbLength ?? cdb.length);
    v.setUint32(at + L.SQE_SGL_AT, entry.data ?? DATA, true);
    v.setUint32(at + L.SQE_DATA_BYTES_AT, entry.bytes ?? 0, true);
    entry.pieces?.forEach(([address, bytes], i) => {
      if (LIST + i * 8 + 8 > DATA) return;
      v.setUint32(LIST + i * 8, address, true);
      v.setUint32(LIST + i * 8 + 4, bytes, true);
    });
    if (entry.pieces !== undefined) v.setUint32(at + L.SQE_SGL_AT, entry.data ?? LIST, true);
    v.setUint16(at + L.SQE_SGL_COUNT_AT, entry.count ?? entry.pieces?.length ?? 0, true);
    this.tail = (this.tail + 1) >>> 0;
    return tag;
  }
  tag = 100;

  /** Rings the doorbell. */
  ring(): void {
    this.hba.doorbell(this.tail);
  }

  /** Completions since the last call. */
  completions(): Completion[] {
    const found: Completion[] = [];
    for (; this.seen !== this.hba.poll(); this.seen++) {
      const at = CQ + (this.seen & (COUNT - 1)) * L.CQE_BYTES;
      const v = this.view;
      const senseBytes = v.getUint8(at + L.CQE_SENSE_LENGTH_AT);
      found.push({
        tag: v.getUint32(at + L.CQE_TAG_AT, true),
        host: v.getUint8(at + L.CQE_HOST_STATUS_AT),
        status: v.getUint8(at + L.CQE_STATUS_AT),
        sense: senseOf(
          senseBytes === 0 ? null : this.ram.slice(at + L.CQE_SENSE_AT, at + L.CQE_SENSE_AT + senseBytes),
        ),
        port: v.getUint8(at + L.CQE_PORT_AT),
        residual: v.getUint32(at + L.CQE_RESIDUAL_AT, true),
        target: v.getUint16(at + L.CQE_TARGET_AT, true),
      });
    }
    return found;
  }

  /** One entry, to its end. */
  run(entry: Entry): Completion {
    const tag = this.put(entry);
    this.ring();
    this.drain();
    const [completion, ...others] = this.completions();
    assert.equal(others, []);
    assert.is(completion?.tag, tag);
    return completion!;
  }
}

test('a write moves data from RAM to the disk, a read from the disk to RAM', () => {
  const rig = new Rig();
  rig.ram.fill(7, DATA, DATA + 4096);
  const write = rig.run({ cdb: write16(64, 8), bytes: 4096, target: 1 });
  assert.equal(write, { tag: 100, host: L.HOST_OK, status: 0, sense: 0, port: 0, residual: 0, target: 1 });
  assert.equal(rig.onMedium(64, 8, 1), filled(8, 7));
  const read = rig.run({ cdb: read16(64, 8), bytes: 4096, target: 1, data: DATA + 65536, port: 1 });
  assert.equal([read.host, read.status, read.port], [L.HOST_OK, 0, 1]);
  assert.equal(rig.ram.slice(DATA + 65536, DATA + 65536 + 4096), filled(8, 7));
  assert.is(rig.interrupts, 2);
});

test('a transfer is gathered from and scattered to pieces of RAM', () => {
  const rig = new Rig();
  rig.ram.fill(1, 200_000, 201_000).fill(2, 300_000, 300_024);
  rig.run({ cdb: write16(0, 2), bytes: 1024, pieces: [[200_000, 1000], [300_000, 24]] }); // prettier-ignore
  rig.run({ cdb: read16(0, 2), bytes: 1024, pieces: [[400_000, 24], [500_000, 1000]] }); // prettier-ignore
  assert.ok(rig.ram.subarray(400_000, 400_024).every((byte) => byte === 1));
  assert.ok(rig.ram.subarray(500_000, 500_976).every((byte) => byte === 1));
  assert.ok(rig.ram.subarray(500_976, 501_000).every((byte) => byte === 2));
  assert.is(rig.ram[400_024], PATTERN);
  assert.is(rig.ram[501_000], PATTERN);
});

test('sense data and residual of a refused command stand in its completion', () => {
  const rig = new Rig();
  const bad = rig.run({ cdb: read16(DISK_BYTES / SECTOR, 1), bytes: SECTOR });
  assert.equal(bad, { tag: 100, host: 0, status: 2, sense: 0x052100, port: 0, residual: 512, target: 0 });
  const short = rig.run({ cdb: inquiry(255), bytes: 255 });
  assert.is(short.status, 0);
  assert.ok(short.residual > 0);
});

// --------------------------------------------------------------------------------------- entries nobody can serve

const WRITE = { cdb: write16(0, 8), bytes: 4096 };
const READ = { cdb: read16(0, 8), bytes: 4096 };
const pieces = (count: number, bytes: number): [number, number][] =>
  Array.from({ length: count }, (_, i) => [DATA + i * bytes, bytes]);

const BAD: readonly (readonly [what: string, entry: Entry, host: number])[] = [
  ['without a CDB', { cdbLength: 0 }, L.HOST_BAD_ENTRY],
  ['with a CDB of 17 bytes', { cdbLength: 17 }, L.HOST_BAD_ENTRY],
  ['with a CDB of 255 bytes', { cdbLength: 255 }, L.HOST_BAD_ENTRY],
  ['for port 2', { port: 2 }, L.HOST_BAD_ENTRY],
  ['for port 255', { ...READ, port: 255 }, L.HOST_BAD_ENTRY],
  ['that reads to beyond RAM', { ...READ, data: RAM_BYTES }, L.HOST_DMA_ERROR],
  ['that reads to across the end of RAM', { ...READ, data: RAM_BYTES - 4095 }, L.HOST_DMA_ERROR],
  ['that writes from across the end of RAM', { ...WRITE, data: RAM_BYTES - 1 }, L.HOST_DMA_ERROR],
  ['at the top of the address space', { ...READ, data: 2 ** 32 - 1 }, L.HOST_DMA_ERROR],
  ['that asks for 4 GiB', { ...READ, bytes: 2 ** 32 - 1 }, L.HOST_DMA_ERROR],
  ['whose list lies outside RAM', { ...READ, pieces: pieces(8, 512), data: RAM_BYTES - 63 }, L.HOST_DMA_ERROR],
  ['whose list is longer than the HBA takes', { ...READ, pieces: pieces(257, 16) }, L.HOST_DMA_ERROR],
  ['whose list says 65535 pieces', { ...READ, pieces: pieces(2, 2048), count: 65_535 }, L.HOST_DMA_ERROR],
  ['whose list is shorter than the transfer', { ...READ, pieces: pieces(7, 512) }, L.HOST_DMA_ERROR],
  ['one of whose pieces lies outside RAM', { ...READ, pieces: [[DATA, 4000], [RAM_BYTES - 95, 96]] }, L.HOST_DMA_ERROR],
  ['one of whose pieces wraps around', { ...READ, pieces: [[DATA, 4000], [2 ** 32 - 8, 96]] }, L.HOST_DMA_ERROR],
  ['for a disk that is not there', { target: 2 }, L.HOST_NO_TARGET],
  ['for target 65535', { ...WRITE, target: 65_535 }, L.HOST_NO_TARGET],
]; // prettier-ignore

for (const [what, entry, host] of BAD) {
  test(`an entry ${what} ends in host status ${host}; no disk hears of it and RAM is untouched`, () => {
    const rig = new Rig();
    const tag = rig.put(entry);
    const before = rig.ram.slice();
    rig.ring();
    rig.drain();
    const found = rig.completions();
    assert.equal(
      found.map((each) => [each.tag, each.host, each.status, each.sense]),
      [[tag, host, 0, 0]],
    );
    rig.ram.fill(0, CQ, CQ + L.CQE_BYTES);
    before.fill(0, CQ, CQ + L.CQE_BYTES);
    assert.ok(Buffer.from(rig.ram).equals(before));
    assert.equal(rig.ended, []);
    assert.is(rig.clock.now, host === L.HOST_NO_TARGET ? 1 * MS : 0);
    // and the next one is served
    assert.is(rig.run({}).host, L.HOST_OK);
  });
}

test('data that ends with RAM, and a list of 256 pieces, are good', () => {
  const rig = new Rig();
  assert.is(rig.run({ ...READ, data: RAM_BYTES - 4096 }).host, L.HOST_OK);
  assert.is(rig.run({ ...READ, pieces: pieces(256, 16) }).host, L.HOST_OK);
  assert.ok(rig.guard.every((byte) => byte === PATTERN));
});

test('a write that would read a poisoned page ends in a DMA error, and not a byte of it leaves the board', () => {
  const rig = new Rig();
  const out = { cdb: write16(0, 16), flags: L.SQE_DATA_OUT };
  rig.ecc.poison(DATA + 8192 + 17);
  for (const [at, bytes, host] of [
    [DATA, 8192, L.HOST_OK],
    [DATA + 12288, 8192, L.HOST_OK],
    [DATA + 4096, 8192, L.HOST_DMA_ERROR],
    [DATA + 8192, 8192, L.HOST_DMA_ERROR],
    [DATA + 12287, 8192, L.HOST_DMA_ERROR],
  ] as const) {
    const landed = rig.landed.length;
    assert.is(rig.run({ ...out, data: at, bytes }).host, host, `${bytes} at ${at - DATA}`);
    assert.is(rig.landed.length - landed, host === L.HOST_OK ? 1 : 0);
  }
  const list: [number, number][] = [[DATA, 4096], [DATA + 8192 + 512, 4096]]; // prettier-ignore
  assert.is(rig.run({ ...out, bytes: 8192, pieces: list }).host, L.HOST_DMA_ERROR);
  assert.is(
    rig.run({ cdb: read16(0, 16), flags: L.SQE_DATA_IN, data: DATA + 8192, bytes: 8192 }).host,
    L.HOST_OK,
  );
});

test('without data the address says nothing', () => {
  const rig = new Rig();
  assert.is(rig.run({ data: 2 ** 32 - 1 }).host, L.HOST_OK);
});

for (const [what, sq, sqCount, cq, cqCount] of [
  ['a submission ring outside RAM', RAM_BYTES, COUNT, CQ, COUNT],
  ['a submission ring across the end of RAM', RAM_BYTES - 64, 2, CQ, COUNT],
  ['a completion ring outside RAM', SQ, COUNT, RAM_BYTES - 64, COUNT],
  ['a ring at the top of the address space', 2 ** 32 - 64, 1, CQ, COUNT],
  ['a count that is no power of two', SQ, 63, CQ, COUNT],
  ['a completion count that is no power of two', SQ, COUNT, CQ, 3],
  ['no entries', SQ, 0, CQ, COUNT],
  ['a ring larger than RAM', SQ, 2 ** 31, CQ, COUNT],
] as const) {
  test(`with ${what} the HBA takes nothing and writes nothing`, () => {
    const rig = new Rig();
    rig.hba.configure(sq, sqCount, cq, cqCount);
    rig.put(READ);
    const before = rig.ram.slice();
    rig.ring();
    rig.drain();
    assert.is(rig.hba.poll(), 0);
    assert.is(rig.hba.outstanding, 0);
    assert.ok(Buffer.from(rig.ram).equals(before));
    assert.equal(rig.ended, []);
  });
}

test('a doorbell before the rings are set is no doorbell', () => {
  const rig = new Rig();
  rig.hba.attach(rig.ram);
  rig.put(READ);
  rig.ring();
  rig.drain();
  assert.is(rig.hba.poll(), 0);
});

test('a doorbell far ahead takes one ring of entries, not four thousand million', () => {
  const rig = new Rig();
  for (let n = 0; n < COUNT; n++) rig.put({});
  rig.hba.doorbell(0xffffffff);
  rig.drain();
  assert.is(rig.hba.poll(), COUNT);
});

test('running counts go on through the end of 32 bits of ring positions', () => {
  const rig = new Rig();
  for (let round = 0; round < 5; round++) {
    for (let n = 0; n < 40; n++) rig.put({ ...READ, cdb: read16(n * 8, 8) });
    rig.ring();
    rig.drain();
    const found = rig.completions();
    assert.is(found.length, 40);
    assert.ok(found.every(({ host, status }) => host === 0 && status === 0));
  }
});

// ------------------------------------------------------------------------------------------- reset and time-outs

test('a reset forgets what is queued and on its way; a write in service lands as RAM was at the reset', () => {
  const rig = new Rig();
  rig.ram.fill(1, DATA, DATA + 4096);
  rig.ram.fill(2, DATA + 4096, DATA + 8192);
  rig.put({ cdb: write16(0, 8), bytes: 4096 });
  rig.put({ cdb: write16(100, 8), bytes: 4096, data: DATA + 4096 });
  rig.ring();
  rig.clock.runUntil(100 * US); // the first is in service, the second waits
  rig.put({ cdb: write16(200, 8), bytes: 4096 });
  rig.ring(); // on the cable
  rig.hba.reset();
  rig.ram.fill(0xee, DATA, DATA + 8192); // frozen memory is dumped, used, changed: the disk must not see it
  rig.drain();
  assert.equal(rig.onMedium(0, 8), filled(8, 1));
  assert.equal(
    rig.landed.map(({ lba }) => lba),
    [0],
  );
  assert.equal(rig.completions(), []);
  assert.is(rig.interrupts, 0);
  assert.is(rig.hba.outstanding, 0);
});

test('after a reset no read reaches RAM, and no completion the ring, whatever was on its way', () => {
  const rig = new Rig();
  rig.put(READ);
  rig.put({ cdb: inquiry(36), bytes: 36 });
  rig.put({ target: 9 }); // waits for its selection time-out
  rig.ring();
  rig.clock.runUntil(30 * US);
  const before = rig.ram.slice();
  rig.hba.reset();
  rig.drain();
  assert.ok(Buffer.from(rig.ram).equals(before));
  assert.is(rig.hba.poll(), 0);
});

test('a disk that dies under a write of before the reset is not heard of, not even after the time-out', () => {
  const rig = new Rig();
  rig.put(WRITE);
  rig.ring();
  rig.clock.runUntil(100 * US);
  rig.hba.reset();
  rig.disks[0]!.dead = true;
  rig.drain();
  assert.is(rig.hba.poll(), 0);
  assert.is(rig.interrupts, 0);
});

test('after a reset and new rings the HBA works; old tags never come back', () => {
  const rig = new Rig();
  rig.put(READ);
  rig.ring();
  rig.hba.reset();
  rig.hba.configure(SQ, COUNT, CQ, COUNT);
  rig.tail = 0;
  const tag = rig.put({ ...READ, data: DATA + 4096 });
  rig.ring();
  rig.drain();
  assert.equal(
    rig.completions().map((each) => each.tag),
    [tag],
  );
});

test('new RAM after a power cycle: nothing of before reaches it', () => {
  const rig = new Rig();
  rig.execute(A0, write16(0, 8), filled(8, 9));
  rig.put(READ);
  rig.ring();
  rig.clock.runUntil(rig.clock.now + 50 * US);
  const old = rig.ram.slice();
  rig.hba.attach(new Uint8Array(RAM_BYTES));
  rig.drain();
  assert.ok(Buffer.from(rig.ram).equals(old));
  assert.is(rig.hba.poll(), 0);
});

test('a disk that dies under a command ends in the HBA’s time-out, not in silence for ever', () => {
  const rig = new Rig();
  rig.put(READ);
  rig.ring();
  rig.clock.runUntil(1 * MS);
  rig.disks[0]!.dead = true;
  rig.drain();
  assert.equal(
    rig.completions().map(({ host }) => host),
    [L.HOST_TIMEOUT],
  );
  assert.ok(rig.clock.now >= 2000 * MS && rig.clock.now < 2100 * MS);
  assert.is(rig.run({}).host, L.HOST_NO_TARGET);
});

test('a path cut under a command on its way ends in the HBA’s time-out; the other path works', () => {
  const rig = new Rig();
  rig.put(READ);
  rig.ring();
  rig.fabric.setPath(A0, 0, false);
  rig.drain();
  assert.equal(
    rig.completions().map(({ host }) => host),
    [L.HOST_TIMEOUT],
  );
  assert.is(rig.run({ ...READ, port: 0 }).host, L.HOST_NO_TARGET);
  assert.is(rig.run({ ...READ, port: 1 }).host, L.HOST_OK);
});

test('a command that the partner aborts is never answered by the disk: the time-out ends it, and nothing lands', () => {
  const rig = new Rig();
  rig.hold(A0, 1n);
  rig.reserve(B0, REGISTER_AND_IGNORE, 0n, 2n);
  rig.drain();
  rig.put(WRITE);
  rig.ring();
  rig.clock.runUntil(rig.clock.now + 100 * US);
  rig.reserve(B0, PREEMPT_AND_ABORT, 2n, 1n);
  rig.drain();
  assert.equal(
    rig.completions().map(({ host }) => host),
    [L.HOST_TIMEOUT],
  );
  assert.equal(rig.landed, []);
});

// ----------------------------------------------------------------------------------------------------------- fuzz

const FUZZ = Number(process.env['SPARECORE_FUZZ'] ?? 20_000);

test(`${FUZZ} random entries: no exception, nothing beyond RAM, one completion each and no more`, () => {
  const rig = new Rig();
  const seed = process.env['SPARECORE_SEED'] ?? '1';
  const random = new RandomStream(seed, 'hba fuzz');
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)]!;
  const address = (): number =>
    pick([
      random.below(RAM_BYTES),
      RAM_BYTES - random.below(600),
      random.below(2 ** 32),
      DATA,
      2 ** 32 - 1 - random.below(600),
    ]);
  const length = (): number =>
    pick([512, 4096, random.below(8192), random.below(RAM_BYTES), random.below(2 ** 32), 0]);
  const block = (): number => pick([random.below(200), random.below(DISK_BYTES / SECTOR + 10)]);
  const cdb = (): Uint8Array =>
    pick<() => Uint8Array>([
      () => read16(block(), random.below(200)),
      () => write16(block(), random.below(200)),
      () => inquiry(random.below(256)),
      () => TEST_UNIT_READY,
      () => Uint8Array.from({ length: 16 }, () => random.below(256)),
    ])();
  const hosts = new Set<number>();
  const statuses = new Set<number>();
  let submitted = 0;
  let completed = 0;
  while (submitted < FUZZ) {
    const batch = 1 + random.below(COUNT);
    for (let n = 0; n < batch; n++, submitted++) {
      const at = SQ + (rig.tail & (COUNT - 1)) * L.SQE_BYTES;
      rig.put({
        target: pick([0, 0, 1, 1, 2, random.below(65536)]),
        port: pick([0, 0, 1, 1, 2, random.below(256)]),
        cdb: cdb(),
        cdbLength: pick([16, 16, 16, 10, 6, random.below(256)]),
        data: address(),
        bytes: length(),
        count: pick([0, 0, 1, 2, 256, random.below(65536)]),
      });
      // Whatever else stands in an entry, too.
      if (random.chance(1, 4))
        for (let i = 0; i < L.SQE_BYTES; i++) if (random.chance(1, 8)) rig.ram[at + i] = random.below(256);
    }
    if (random.chance(1, 3)) {
      const list = random.below(RAM_BYTES - 4096);
      for (let i = 0; i < 32; i++) {
        rig.view.setUint32(list + i * 8, address(), true);
        rig.view.setUint32(list + i * 8 + 4, length(), true);
      }
    }
    rig.ring();
    rig.drain();
    const posted = rig.hba.poll();
    assert.is(posted, submitted, `seed ${seed}`);
    for (let i = completed; i < posted; i++) {
      const at = CQ + (i & (COUNT - 1)) * L.CQE_BYTES;
      // A read may have fallen on the ring itself; what the HBA posts last is what counts.
      hosts.add(rig.view.getUint8(at + L.CQE_HOST_STATUS_AT));
      statuses.add(rig.view.getUint8(at + L.CQE_STATUS_AT));
    }
    completed = posted;
    assert.is(rig.hba.outstanding, 0);
    if (submitted % 16 === 0)
      assert.ok(Buffer.compare(rig.guard, new Uint8Array(GUARD_BYTES).fill(PATTERN)) === 0);
  }
  assert.ok(rig.guard.every((byte) => byte === PATTERN));
  assert.ok(rig.interrupts === completed);
  // It was a real test: every kind of end was met.
  for (const host of [L.HOST_OK, L.HOST_NO_TARGET, L.HOST_DMA_ERROR, L.HOST_BAD_ENTRY])
    assert.ok(hosts.has(host), `host ${host}`);
  assert.ok(statuses.has(0) && statuses.has(2));
  assert.ok(rig.landed.length > 100);
});

test.run();
