/**
 * The claims of the invention, one by one, each shown on runs of the real firmware: by what stood on the disks, who
 * held them, and in which order.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { CACHE_AT, RECORD_AT, RECORD_MAGIC } from '../firmware/layout.ts';
import { PATIENCE_S } from '../boards/clients/client.ts';
import { MissingMemory } from '../boards/core/core-file.ts';
import { DumpImage, isPresent } from '../boards/core/image.ts';
import { readLabels } from '../boards/core/records.ts';
import { firmwarePath } from '../boards/machine.ts';
import { reader } from '../boards/observer/observer.ts';
import type { Scenario } from '../boards/scenario.ts';
import { SYSTEM_IDS } from '../boards/shelf/shelf.ts';
import { claim } from './harness.ts';
import {
  A,
  B,
  CONFLICT,
  PREEMPT,
  PREEMPT_AND_ABORT,
  WRITE_EXCLUSIVE,
  attributesOf,
  configOf,
  coreOf,
  dataWrites,
  diskNamed,
  disksOf,
  firstEvent,
  hasEvent,
  holderOf,
  msAfterFailure,
  recordRun,
  rootVolume,
  sendWrite,
  smallPair,
} from './recorder.test-helper.ts';
import type { BoardIndex, RunRecord, SeenCommand, SeenEvent, SeenHolder } from './recorder.test-helper.ts';
import { ROOT } from './repository.ts';

const { ATTRIBUTE_DUMPING: DUMPING, ATTRIBUTE_INACTIVE: INACTIVE } = L;
/** What follows once the core file is made: the disk is free for another dump. */
const SAVED = [INACTIVE];
const { ATTRIBUTE_COMPLETED: COMPLETED, ATTRIBUTE_ABORTED: ABORTED } = L;

// ----------------------------------------------------------------------------------------------------------- runs

/** The medium that the instructions are read from: a copy of the built image, and nothing else of the build. */
const folder = mkdtempSync(join(tmpdir(), 'sparecore-claims-'));
const IMAGE = join(folder, 'firmware.wasm');
copyFileSync(firmwarePath(), IMAGE);
copyFileSync(`${firmwarePath()}.map`, `${IMAGE}.map`);
test.after(() => rmSync(folder, { recursive: true }));

/** Clients that fill the cache of A, so that the dump lasts. */
const BUSY = { io_kib: 64, think_us: 3000, working_set_mib: 16 };
const LIMIT_MS = 350;
const DEATH_LIMIT_MS = 700;
const DEATH = { on: 'dump-begin', plus_ms: 260, do: 'power-off', board: 'a' };
const PANIC = { at_s: 0.9, do: 'trap', board: 'a' };

const busy = ({ boards, events = [PANIC] }: { boards: object; events?: object[] }): Scenario =>
  smallPair({
    boards: { memory_mib: 64, ...boards },
    workload: BUSY,
    events: events as never,
    more: { end_s: 2 },
  });

const SCENARIOS = {
  /** A panics, dumps and reboots; B keeps the disks. */
  whole: () => smallPair({}),
  /** The dump takes more than a third of a second. */
  long: () => busy({ boards: {} }),
  /** The same dump, and less time for it. */
  limit: () => busy({ boards: { dump_limit_ms: LIMIT_MS } }),
  /** A loses power in the middle of its dump. */
  death: () => busy({ boards: { dump_limit_ms: DEATH_LIMIT_MS }, events: [PANIC, DEATH] }),
  dedicated: () =>
    smallPair({
      disks: [
        { role: 'mailbox' },
        { role: 'root', owner: 'a' },
        { role: 'data', owner: 'a', count: 2, size_mib: 64 },
        { role: 'spare', owner: 'a' },
        { role: 'dump', owner: 'a' },
        { role: 'root', owner: 'b' },
        { role: 'data', owner: 'b', size_mib: 64 },
        { role: 'spare', owner: 'b' },
      ],
    }),
  /** Without the parallel takeover, and with a dump that never ends: A loses power in it. */
  waiting: () =>
    smallPair({ events: [PANIC, { ...DEATH, plus_ms: 20 }], more: { end_s: 30, takeover: 'sequential' } }),
  assert: () => smallPair({ events: [{ ...PANIC, do: 'assert' }] }),
  giveback: () => smallPair({ boards: { giveback_ms: 100 } }),
} satisfies Record<string, () => Scenario>;

const records = new Map<string, RunRecord>();

/** Of a run that settled with every invariant held; made once. */
function recordOf(name: keyof typeof SCENARIOS): RunRecord {
  const known = records.get(name);
  if (known !== undefined) return known;
  const record = recordRun(SCENARIOS[name](), { firmware: IMAGE });
  assert.equal(record.result.invariants.violations, [], name);
  assert.ok(record.result.settled, name);
  records.set(name, record);
  return record;
}

// ---------------------------------------------------------------------------------------------- what is looked for

const isTaking = ({ kind, action, status }: SeenCommand): boolean =>
  kind === 'reserve-out' && status === 0 && (action === PREEMPT || action === PREEMPT_AND_ABORT);

/** The coredump disk, by its header on the medium: the only disk of A that ever said dumping. */
function coredumpDisk(record: RunRecord): number {
  const said = new Set(record.headers.filter((h) => h.header?.attribute === DUMPING).map((h) => h.disk));
  assert.is(said.size, 1, 'disks that said dumping');
  return [...said][0]!;
}

const others = (record: RunRecord): number[] =>
  disksOf(record, 'a').filter((disk) => disk !== coredumpDisk(record));

/** Whoever holds the disk at that place in the order. */
function holderAt({ holders }: RunRecord, disk: number, n: number): SeenHolder | undefined {
  return holders.findLast((each) => each.disk === disk && each.n < n);
}

/** B's preemption of A's reservation of a disk: the command, and the change of holder that it made. */
function takingOf(
  record: RunRecord,
  disk: number,
): { change: SeenHolder; command: SeenCommand; taken: SeenEvent } {
  const change = record.holders.find((h) => h.disk === disk && h.holder === B);
  assert.ok(change, `disk ${disk} was never B's`);
  assert.is(holderAt(record, disk, change.n)?.holder, A, `disk ${disk} was A's until then`);
  const command = record.commands.find((c) => c.disk === disk && c.board === B && isTaking(c));
  assert.ok(command && command.n > change.n);
  return { change, command, taken: firstEvent(record, 'taken', (e) => e.board === B && e.a === disk) };
}

/** The change of the attribute of a disk to `attribute`, as it landed on the medium. */
function attributeChange(record: RunRecord, disk: number, attribute: number): RunRecord['headers'][number] {
  const change = record.headers.find(
    (h) => h.disk === disk && h.by !== null && h.header?.attribute === attribute,
  );
  assert.ok(change, `disk ${disk} never said ${attribute}`);
  return change;
}

const headerReads = ({ commands }: RunRecord, disk: number, board: BoardIndex): SeenCommand[] =>
  commands.filter((c) => c.disk === disk && c.board === board && c.attribute !== null);

/** Only the coredump disk says dumping, from before its first image write until the dump is over. */
function assertAttributes(record: RunRecord, end: number): void {
  const disk = coredumpDisk(record);
  assert.equal(attributesOf(record, disk), [INACTIVE, DUMPING, end, ...SAVED]);
  const marked = attributeChange(record, disk, DUMPING);
  assert.is(marked.by, A);
  assert.ok(marked.at > record.failedAt);
  const image = dataWrites(record, disk, A);
  assert.ok(image.length >= 5, `${image.length} writes of the image`);
  assert.ok(
    image.every(({ n }) => n > marked.n),
    'no image before the mark',
  );
  const ended = attributeChange(record, disk, end);
  assert.ok(
    image.every(({ n }) => n < ended.n),
    'no image after the end',
  );
  for (const other of record.scenario.disks.keys()) {
    if (other !== disk) assert.equal(attributesOf(record, other), [INACTIVE], `disk ${other}`);
  }
}

/** B reads the header of each other disk, finds no dump there, and preempts it before the dump is over. */
function assertOthersTaken(record: RunRecord, dumpEnd: { n: number; at: number }): void {
  const marked = attributeChange(record, coredumpDisk(record), DUMPING);
  const begin = firstEvent(record, 'takeover-begin', ({ board }) => board === B);
  assert.ok(others(record).length >= 4);
  for (const disk of others(record)) {
    const { change, taken } = takingOf(record, disk);
    const [looked] = headerReads(record, disk, B).filter(({ n }) => n > begin.n);
    assert.is(looked?.attribute, INACTIVE);
    assert.ok(looked!.n < change.n, 'identified before it is taken');
    assert.ok(change.n > marked.n && taken.n < dumpEnd.n && taken.at < dumpEnd.at, 'while the dump goes on');
    assert.is(taken.b, 1, 'reason: inactive');
    assert.is(holderOf(record.machine, disk).holder, B);
  }
}

/** Until `end` A holds the coredump disk, and B sends it nothing but reads. */
function assertLeftAlone(record: RunRecord, end: { n: number }): void {
  const disk = coredumpDisk(record);
  const marked = attributeChange(record, disk, DUMPING);
  for (const { n, holder } of record.holders.filter((h) => h.disk === disk && h.n > marked.n)) {
    if (n < end.n) assert.is(holder, A);
  }
  assert.is(holderAt(record, disk, end.n)?.holder, A);
  const fromB = record.commands.filter(
    (c) => c.disk === disk && c.board === B && c.n > marked.n && c.n < end.n,
  );
  assert.ok(fromB.length > 0, 'B looks at it');
  for (const { kind, action } of fromB)
    assert.not.ok(kind === 'write' || (kind === 'reserve-out' && action > 0));
}

/** B reads that the dump is over, and only then preempts the coredump disk. */
function assertTakenAfterwards(record: RunRecord, attribute: number, reason: number): void {
  const disk = coredumpDisk(record);
  const ended = attributeChange(record, disk, attribute);
  const looked = headerReads(record, disk, B).find((c) => c.attribute === attribute);
  const { change, taken } = takingOf(record, disk);
  assert.ok(looked !== undefined && ended.n < looked.n && looked.n < change.n);
  assertLeftAlone(record, looked);
  assert.is(taken.b, reason);
  assert.is(holderOf(record.machine, disk).holder, B);
}
const [REASON_COMPLETED, REASON_ABORTED, REASON_LIMIT] = [2, 3, 4] as const;

/** Client writes that A put on a disk before it failed. */
const servedWrites = (record: RunRecord, disk: number): SeenCommand[] =>
  dataWrites(record, disk, A).filter(({ at }) => at < record.failedAt);

/** B took the data disks while image writes of A landed: some before, some between, some after. */
function assertSimultaneous(record: RunRecord): void {
  const disk = coredumpDisk(record);
  const data = others(record).filter((d) => configOf(record, d).role === 'data');
  const changes = data.map((d) => takingOf(record, d).change.n);
  const image = dataWrites(record, disk, A);
  const marked = attributeChange(record, disk, DUMPING);
  const sentDuring = image.filter(({ n }) => n > Math.max(...changes));
  assert.ok(marked.n < Math.min(...changes) && sentDuring.length >= 5);
  const first = image[0]!;
  const begin = firstEvent(record, 'takeover-begin', ({ board }) => board === B);
  assert.ok(begin.at < first.at && marked.at < takingOf(record, data[0]!).taken.at);
}

/** What one disk holds of an A that dumped: its reader finds the same memory as the panic handler did. */
function assertImage(record: RunRecord): { present: number; missing: number } {
  const { medium } = record.machine.shelf.disks[coredumpDisk(record)]!;
  const image = new DumpImage(reader(medium), medium.bytes / L.SECTOR_BYTES);
  const counts = { present: 0, missing: 0 };
  for (const { index, state, content } of image) {
    if (!isPresent(state)) counts.missing++;
    else {
      counts.present++;
      const was = record.memory!.subarray(index * L.CHUNK_BYTES, (index + 1) * L.CHUNK_BYTES);
      assert.is(Buffer.compare(content!, was), 0, `chunk ${index}`);
    }
  }
  return counts;
}

// --------------------------------------------------------------------------------------------------------- claims

claim(
  1,
  'A marks one disk, dumps to it and unmarks it; B takes the others meanwhile, and that one after',
  () => {
    const record = recordOf('whole');
    const disk = coredumpDisk(record);
    assertAttributes(record, COMPLETED);
    assertOthersTaken(record, attributeChange(record, disk, COMPLETED));
    assertTakenAfterwards(record, COMPLETED, REASON_COMPLETED);
    assert.equal(assertImage(record), { present: 256, missing: 0 });
    assert.is(attributeChange(record, disk, COMPLETED).by, A);
  },
);

claim(2, 'the coredump disk is a spare that A owns, marked as not formatted for file service', () => {
  const record = recordOf('whole');
  const disk = coredumpDisk(record);
  const { role, owner, volume } = configOf(record, disk);
  assert.equal({ role, owner, volume }, { role: 'spare', owner: 'a', volume: null });
  const label = readLabels(reader(record.machine.shelf.disks[disk]!.medium), L.LABEL_LBA).newest;
  assert.is(label?.role, L.ROLE_SPARE);
  assert.is(label?.owner, SYSTEM_IDS[A]);
  assert.is(label?.state, L.LABEL_NOT_FORMATTED);
  const marked = attributeChange(record, disk, DUMPING);
  assert.is(
    record.commands.filter((c) => c.disk === disk && c.lba >= L.DATA_LBA && c.n < marked.n).length,
    0,
  );
  assert.is(holderAt(record, disk, marked.n)?.holder, A);
});

claim(
  3,
  'a disk dedicated to coredumps is chosen before a spare, and the spare is taken like any other',
  () => {
    const record = recordOf('dedicated');
    const disk = coredumpDisk(record);
    assert.is(disk, diskNamed(record, 'a.dump.0'));
    assertAttributes(record, COMPLETED);
    assertOthersTaken(record, attributeChange(record, disk, COMPLETED));
    assertTakenAfterwards(record, COMPLETED, REASON_COMPLETED);
    const spare = diskNamed(record, 'a.spare.0');
    assert.ok(others(record).includes(spare));
    assert.is(dataWrites(record, spare, A).length, 0);
  },
);

claim(
  4,
  'a coredump file is made from the dumped memory in the root file system of the filer that failed',
  () => {
    const record = recordOf('whole');
    const [disk, root] = [coredumpDisk(record), diskNamed(record, 'a.root')];
    const core = coreOf(record, 'a');
    assert.is(Buffer.compare(core.read(0, record.memory!.length), record.memory!), 0);
    assert.is(core.panic?.system, SYSTEM_IDS[A]);
    assert.equal(rootVolume(record, 'b').list('/cores'), []);
    assert.equal(rootVolume(record, 'a').check(), { problems: [], leaks: 0 });
    // Made from what was written on the coredump disk, after it was taken.
    const { taken } = takingOf(record, disk);
    const read = record.commands.filter((c) => c.disk === disk && c.kind === 'read' && c.lba >= L.DATA_LBA);
    const bytes = read.reduce((sum, { blocks }) => sum + blocks * L.SECTOR_BYTES, 0);
    assert.ok(bytes >= record.result.dump.stored_bytes, `${bytes} bytes read`);
    assert.ok(read.every(({ n, board }) => board === B && n > taken.n));
    const written = dataWrites(record, root, B).reduce((sum, { blocks }) => sum + blocks * L.SECTOR_BYTES, 0);
    assert.ok(written >= record.result.core!.bytes, `${written} bytes written`);
  },
);

/** When A's last write landed on the coredump disk before that was taken, in ms after the failure. */
function lastWrite(record: RunRecord): number {
  const disk = coredumpDisk(record);
  const { taken } = takingOf(record, disk);
  const last = record.commands.findLast(
    (c) => c.disk === disk && c.board === A && c.kind === 'write' && c.n < taken.n,
  );
  assert.ok(last);
  return msAfterFailure(record, last);
}

claim(5, 'no write lands on the coredump disk after the time limit, counted from the failure', () => {
  const limited = recordOf('limit');
  const free = recordOf('long');
  assert.ok(lastWrite(free) > LIMIT_MS, `without the limit the dump takes ${lastWrite(free)} ms`);
  assert.ok(lastWrite(limited) <= LIMIT_MS, `last write after ${lastWrite(limited)} ms`);
  const whole = assertImage(free);
  const cut = assertImage(limited);
  assert.is(whole.missing, 0);
  assert.ok(cut.present > 20 && cut.missing > 20, `${cut.present} of ${cut.present + cut.missing} chunks`);
});

claim(
  6,
  'the time limit is shorter than the patience of every client: none gives up, even if all wait for it',
  () => {
    const record = recordOf('waiting');
    const patience = Math.min(...record.scenario.clients.protocols.map((protocol) => PATIENCE_S[protocol]));
    const { result } = record;
    assert.ok(result.dump.limit_s < patience);
    assert.is(result.dump.limit_s, 25);
    assert.equal(
      result.takeover.disks.filter(({ taken_s }) => taken_s! < 25 || taken_s! > 25.1),
      [],
      'all of them at the limit',
    );
    const { timed_out, longest_wait_s } = result.clients;
    assert.is(timed_out, 0);
    assert.ok(longest_wait_s > 24 && longest_wait_s < patience, `waited ${longest_wait_s} s`);
    assert.throws(
      () => smallPair({ boards: { dump_limit_ms: patience * 1000 } }),
      /dump_limit_ms: 30000 is not shorter than the patience of linux-scsi clients, 30000 ms/,
    );
  },
);

claim(7, 'when the limit has elapsed the attribute becomes aborted, by A, or by B when A died before', () => {
  const ended = recordOf('limit');
  const byA = attributeChange(ended, coredumpDisk(ended), ABORTED);
  assertAttributes(ended, ABORTED);
  assert.is(byA.by, A);
  assert.is(byA.header!.abort, L.ABORT_LIMIT);
  assert.ok(msAfterFailure(ended, byA) <= LIMIT_MS, `after ${msAfterFailure(ended, byA)} ms`);

  const died = recordOf('death');
  const byB = attributeChange(died, coredumpDisk(died), ABORTED);
  assert.equal(attributesOf(died, coredumpDisk(died)), [INACTIVE, DUMPING, ABORTED, ...SAVED]);
  assert.is(byB.by, B);
  assert.is(byB.header!.abort, L.ABORT_LIMIT);
  const after = msAfterFailure(died, byB);
  assert.ok(after >= DEATH_LIMIT_MS && after < DEATH_LIMIT_MS + 60, `after ${after} ms`);
});

interface Region {
  name: string;
  first: number;
  last: number;
}

/** The partition table, [UEFI] 5.3.3. */
function regionsOf({ machine }: RunRecord, disk: number): Region[] {
  const table = Buffer.from(reader(machine.shelf.disks[disk]!.medium)(0, 34 * 512));
  assert.is(table.toString('latin1', 512, 520), 'EFI PART');
  const regions: Region[] = [];
  for (let at = 1024; table.readBigUInt64LE(at) !== 0n; at += 128) {
    regions.push({
      name: table.toString('utf16le', at + 56, at + 128).replace(/\0.*$/, ''),
      first: Number(table.readBigUInt64LE(at + 32)),
      last: Number(table.readBigUInt64LE(at + 40)),
    });
  }
  return regions;
}

const region = (record: RunRecord, disk: number, name: string): Region => {
  const found = regionsOf(record, disk).find((each) => each.name === name);
  assert.ok(found, `disk ${disk} has a region ${name}`);
  return found;
};

const inside = (r: Region, { lba, blocks }: SeenCommand): boolean =>
  lba >= r.first && lba + blocks - 1 <= r.last;

claim(
  [8, 20],
  'all disks have a coredump region and a data region, and the memory goes into that data region',
  () => {
    const record = recordOf('whole');
    for (const disk of disksOf(record, 'a')) {
      assert.equal(
        regionsOf(record, disk).map(({ name }) => name),
        ['label', 'coredump', 'data'],
      );
      const [coredump, data] = [region(record, disk, 'coredump'), region(record, disk, 'data')];
      assert.ok(coredump.first < coredump.last && coredump.last < data.first && data.first < data.last);
      // File service of a data disk stays in the same region, as a reader of the table finds it.
      const served = servedWrites(record, disk);
      assert.is(served.length > 0, configOf(record, disk).role === 'data');
      assert.ok(served.every((c) => inside(data, c)));
    }
    const disk = coredumpDisk(record);
    const data = region(record, disk, 'data');
    const coredump = region(record, disk, 'coredump');
    const header = attributeChange(record, disk, DUMPING).header!;
    assert.ok(Number(header.imageLba) >= data.first && Number(header.tableLba) >= data.first);
    assert.ok(Number(header.imageLba + header.imageBlocks) - 1 <= data.last);
    const writes = record.commands.filter(
      (c) => c.disk === disk && c.board === A && c.kind === 'write' && c.at > record.failedAt,
    );
    const image = writes.filter((c) => inside(data, c));
    const stored = image.reduce((sum, { blocks }) => sum + blocks * L.SECTOR_BYTES, 0);
    assert.ok(stored >= record.result.dump.stored_bytes && stored > 1 << 20, `${stored} bytes`);
    for (const write of writes) assert.ok(inside(data, write) || inside(coredump, write));
  },
);

claim(9, 'the coredump region holds a header, and that header the attribute', () => {
  const record = recordOf('long');
  const disk = coredumpDisk(record);
  for (const number of disksOf(record, 'a')) {
    const { medium } = record.machine.shelf.disks[number]!;
    const { first, last } = region(record, number, 'coredump');
    const bytes = Buffer.from(reader(medium)(first * L.SECTOR_BYTES, 2 * L.COPY_BYTES));
    assert.ok(first + 2 * L.COPY_BLOCKS - 1 <= last);
    const copies = [bytes.subarray(0, L.COPY_BYTES), bytes.subarray(L.COPY_BYTES)];
    assert.equal(
      copies.map((copy) => copy.toString('latin1', 0, 4)),
      ['SCDH', 'SCDH'],
    );
    const newest = copies[0]!.readUInt32LE(12) > copies[1]!.readUInt32LE(12) ? copies[0]! : copies[1]!;
    assert.is(newest.readUInt32LE(L.HEADER_ATTRIBUTE_AT), INACTIVE);
    assert.is(attributesOf(record, number).includes(COMPLETED), number === disk);
  }
  // Each change of the attribute was a write into that region and nowhere else.
  const { first, last } = region(record, disk, 'coredump');
  const changes = record.headers.filter((h) => h.disk === disk && h.by !== null);
  for (const change of changes) {
    const write = record.commands.find((c) => c.disk === disk && c.kind === 'write' && c.n > change.n)!;
    assert.is(write.at, change.at);
    assert.ok(write.lba >= first && write.lba + write.blocks - 1 <= last && write.blocks === L.COPY_BLOCKS);
  }
  assert.ok(changes.length >= 3);
});

/** Claims 10, 15 and 23 say the same of a system, of a medium with its instructions, and of a method. */
function assertParallelTakeover(record: RunRecord): void {
  const disk = coredumpDisk(record);
  const ended = attributeChange(record, disk, COMPLETED);
  // Each server owns devices of its own before.
  for (const [name, board] of [
    ['a', A],
    ['b', B],
  ] as const) {
    for (const own of disksOf(record, name)) {
      const before = record.holders.findLast((h) => h.disk === own && h.at < record.failedAt);
      assert.is(before?.holder, board, `disk ${own} before the failure`);
    }
  }
  assert.is(record.result.panic?.reason, 'trap', 'a failure that was sensed');
  assertAttributes(record, COMPLETED);
  assertOthersTaken(record, ended);
  assertSimultaneous(record);
  // B's own devices stay B's.
  for (const own of disksOf(record, 'b')) {
    assert.ok(
      record.holders.filter((h) => h.disk === own && h.at > record.failedAt).every((h) => h.holder === B),
    );
  }
  // And it serves the volumes of A while A still dumps.
  for (const own of others(record)) {
    const { volume } = configOf(record, own);
    if (volume === null) continue;
    const served = firstEvent(record, 'serve', (e) => e.board === B && e.a === volume);
    assert.ok(served.n > takingOf(record, own).change.n && served.at < ended.at);
  }
}

claim(
  10,
  'coredump and takeover run at the same time: every disk but the one being dumped to changes hands',
  () => {
    const record = recordOf('long');
    assertParallelTakeover(record);
    // B learned of it over the interconnect.
    const lost = firstEvent(record, 'lost');
    assert.is(record.result.takeover.seen_by, 'message');
    assert.ok(msAfterFailure(record, lost) < 1);
    const free = attributeChange(record, coredumpDisk(record), COMPLETED);
    assert.ok(
      msAfterFailure(record, free) > 20 * record.result.takeover.service_s! * 1000,
      'the dump is long',
    );
  },
);

claim(
  [11, 16, 24],
  'B takes the coredump disk at the end of the dump or at the limit, whichever is first',
  () => {
    const done = recordOf('long');
    assertTakenAfterwards(done, COMPLETED, REASON_COMPLETED);
    const doneAt = msAfterFailure(done, takingOf(done, coredumpDisk(done)).taken);
    const endedAt = msAfterFailure(done, attributeChange(done, coredumpDisk(done), COMPLETED));
    assert.ok(doneAt > endedAt && doneAt < endedAt + 50 && doneAt < done.scenario.boards.dumpLimitMs);

    const died = recordOf('death');
    const disk = coredumpDisk(died);
    const { change, taken } = takingOf(died, disk);
    assert.is(taken.b, REASON_LIMIT);
    assert.ok(
      msAfterFailure(died, change) >= DEATH_LIMIT_MS,
      `preempted after ${msAfterFailure(died, change)} ms`,
    );
    assert.ok(
      msAfterFailure(died, taken) < DEATH_LIMIT_MS + 60,
      `taken after ${msAfterFailure(died, taken)} ms`,
    );
    assertLeftAlone(died, change);
    assert.ok(headerReads(died, disk, B).filter((c) => c.attribute === DUMPING).length >= 2, 'it was polled');
    assert.is(died.machine.boards[A].running, false, 'A is needed for nothing');
    assertOthersTaken(died, change);

    const stopped = recordOf('limit');
    assertTakenAfterwards(stopped, ABORTED, REASON_ABORTED);
    assert.ok(msAfterFailure(stopped, takingOf(stopped, coredumpDisk(stopped)).taken) < LIMIT_MS + 50);
  },
);

claim([12, 17], 'the attribute leaves dumping at the end of the dump and at the limit', () => {
  const ends: [keyof typeof SCENARIOS, number, BoardIndex][] = [
    ['whole', COMPLETED, A],
    ['long', COMPLETED, A],
    ['limit', ABORTED, A],
    ['death', ABORTED, B],
  ];
  for (const [name, attribute, by] of ends) {
    const record = recordOf(name);
    const disk = coredumpDisk(record);
    assert.equal(attributesOf(record, disk), [INACTIVE, DUMPING, attribute, ...SAVED], name);
    assert.is(attributeChange(record, disk, attribute).by, by, name);
    const last = record.commands.findLast((c) => c.disk === disk && c.board === A && c.kind === 'write');
    assert.ok(name === 'death' || attributeChange(record, disk, attribute).at === last!.at, 'its last word');
  }
});

claim(
  [13, 18],
  'aborted, completed and inactive are all three non-coredump states: B takes such disks',
  () => {
    const wanted: [keyof typeof SCENARIOS, string, number, number][] = [
      ['whole', 'a.data.0', INACTIVE, 1],
      ['whole', 'a.spare.0', COMPLETED, REASON_COMPLETED],
      ['limit', 'a.spare.0', ABORTED, REASON_ABORTED],
    ];
    for (const [name, disk, attribute, reason] of wanted) {
      const record = recordOf(name);
      const number = diskNamed(record, disk);
      const { change, taken } = takingOf(record, number);
      const lastLook = headerReads(record, number, B).findLast(({ n }) => n < change.n);
      assert.is(lastLook?.attribute, attribute, `${name}: ${disk}`);
      assert.is(taken.b, reason);
      const decided = record.events.findLast(
        (e) => e.name === 'attribute' && e.a === number && e.n < change.n,
      );
      assert.equal([decided?.b, decided?.c], [attribute, 0], 'read, and not left');
    }
    const left = firstEvent(recordOf('whole'), 'attribute', (e) => e.b === DUMPING);
    assert.is(left.c, 1, 'the fourth state is left');
  },
);

claim(
  [14, 19],
  'the disks taken at once were in file service, the coredump disk is a spare that was not',
  () => {
    const record = recordOf('whole');
    const data = disksOf(record, 'a').filter((disk) => configOf(record, disk).role === 'data');
    assert.is(data.length, 3);
    for (const disk of data) {
      assert.ok(servedWrites(record, disk).length >= 5, `${servedWrites(record, disk).length} writes`);
      assert.ok(dataWrites(record, disk, B).length >= 5, 'and go on in file service under B');
    }
    const spare = coredumpDisk(record);
    assert.is(configOf(record, spare).role, 'spare');
    assert.is(servedWrites(record, spare).length, 0);
    assert.is(
      hasEvent(record, 'serve', (e) => e.b === spare),
      false,
    );
  },
);

claim(15, 'the instructions for all of it are in the firmware image, whose only outside is a board', () => {
  const image = readFileSync(IMAGE);
  const needs = WebAssembly.Module.imports(new WebAssembly.Module(image));
  const devices = new Set(needs.map(({ module }) => module));
  assert.equal([...devices].toSorted(), [
    'ecc',
    'env',
    'hba',
    'interconnect',
    'irq',
    'nvram',
    'port',
    'random',
    'reset',
    'timer',
    'trace',
    'uart',
    'watchdog',
  ]);
  const record = recordOf('whole');
  assertParallelTakeover(record);
  // Memory and core tell which instructions were running: those of the copy.
  const build = createHash('sha256').update(image).digest('hex').slice(0, 16);
  assert.is(coreOf(record, 'a').panic?.build, build);
  assert.is(attributeChange(record, coredumpDisk(record), DUMPING).header?.build, build);
  assert.ok(existsSync(IMAGE));
});

claim(21, 'B makes a data set of the dump that tells why A failed, and where in its source', () => {
  const record = recordOf('assert');
  const { panic, log, coverage } = coreOf(record, 'a');
  assert.ok(panic !== null && log !== null && coverage !== null);
  assert.is(panic.reason, L.PANIC_ASSERT);
  assert.is(panic.system, SYSTEM_IDS[A]);
  assert.is(Math.abs(Number(panic.timeUs) * 1000 - record.failedAt) < 1_000_000, true);
  const [file, line] = [panic.place.replace(/^~lib\//, ''), panic.line];
  const source = readFileSync(join(ROOT, file), 'utf8').split('\n')[line - 1];
  assert.match(source!, /\bassert\(/, `${file}:${line}`);
  assert.ok(source!.includes(panic.text) && panic.text.length > 5, panic.text);
  assert.match(log, /boot epoch 1\n/);
  assert.match(log, /ready, volumes served: 3\n/);
  assert.equal([coverage.missing, coverage.attribute], [0, COMPLETED]);
  const saved = firstEvent(record, 'save-end');
  assert.equal([saved.board, saved.a], [B, 1]);
});

claim(22, 'B writes the data set to the root file system of A, where A finds it after giveback', () => {
  const record = recordOf('giveback');
  const root = diskNamed(record, 'a.root');
  const begin = firstEvent(record, 'save-begin');
  const end = firstEvent(record, 'save-end');
  const written = dataWrites(record, root, B).filter(({ n }) => n > begin.n && n <= end.n);
  assert.ok(written.length > 5);
  assert.is(dataWrites(record, root, A).length, 0, 'B alone wrote it');
  assert.ok(takingOf(record, root).taken.n < begin.n, 'on a disk that it had taken');
  const returned = firstEvent(record, 'returned', (e) => e.board === A && e.a === root);
  assert.ok(returned.n > end.n);
  assert.is(holderOf(record.machine, root).holder, A);
  const files = rootVolume(record, 'a').list('/cores');
  assert.is(files.length, 1);
  assert.match(files[0]!.name, /^core\.1001\.2026-01-01\.00_00_00$/);
  assert.is(Buffer.compare(coreOf(record, 'a').read(0, record.memory!.length), record.memory!), 0);
});

claim(23, 'the takeover of the other disks proceeds in parallel with the writing of the memory', () => {
  for (const name of ['whole', 'long', 'dedicated'] as const) assertParallelTakeover(recordOf(name));
  // How long the dump takes makes no difference to it.
  const [fast, slow] = [recordOf('whole').result, recordOf('long').result];
  assert.ok(slow.dump.ended_s! > 4 * fast.dump.ended_s!);
  assert.is(slow.takeover.service_s, fast.takeover.service_s);
});

claim(25, 'ownership is a reservation of each disk in the name of B', () => {
  const record = recordOf('whole');
  for (const disk of disksOf(record, 'a')) {
    const { change, command, taken } = takingOf(record, disk);
    assert.is(change.n < taken.n && command.n < taken.n, true, 'owned only when reserved');
    assert.equal(holderOf(record.machine, disk), { holder: B, epoch: 1, type: WRITE_EXCLUSIVE, scope: 0 });
  }
});

claim(26, 'the reservation is a SCSI-3 persistent one, and the disk itself turns A away by it', () => {
  let sent: { disk: number; status: () => unknown; before: Uint8Array }[] = [];
  const lba = L.DATA_LBA + 1024;
  const record = recordRun(SCENARIOS.whole(), {
    firmware: IMAGE,
    onEvent: ({ name, b: reason }, machine) => {
      if (name !== 'service' || reason !== 0 || sent.length > 0) return;
      const data = disksOf(machine, 'a').filter((disk) => configOf(machine, disk).role === 'data');
      sent = data.flatMap((disk) =>
        // The first command of a nexus may bring news ([SPC-4] 5.13.11.2.6), the next one must be turned away.
        [1, 2].map(() => {
          const { medium } = machine.shelf.disks[disk]!;
          const { status } = sendWrite(machine, { board: A, disk }, lba, new Uint8Array(512).fill(0xa5));
          return { disk, status, before: reader(medium)(lba * 512, 512) };
        }),
      );
    },
  });
  assert.equal(record.result.invariants.violations, []);
  assert.is(sent.length, 6);
  for (const { disk, status, before } of sent.filter((_, i) => i % 2 === 1)) {
    assert.is(status(), CONFLICT);
    assert.not.ok(
      reader(record.machine.shelf.disks[disk]!.medium)(lba * 512, 512).every((byte) => byte === 0xa5),
    );
    assert.not.ok(before.every((byte) => byte === 0xa5));
  }
  // 5Fh, scope LU, type Write Exclusive.
  for (const disk of disksOf(record, 'a')) {
    const [taking, ...again] = record.commands.filter((c) => c.disk === disk && c.board === B && isTaking(c));
    assert.equal([taking?.action, taking?.type, taking?.scope], [PREEMPT_AND_ABORT, WRITE_EXCLUSIVE, 0]);
    assert.is(again.length, 0);
  }
});

claim(
  27,
  'B takes the disks in file service and A writes its memory to a disk without, simultaneously',
  () => {
    const record = recordOf('long');
    assertSimultaneous(record);
    const disk = coredumpDisk(record);
    assert.is(servedWrites(record, disk).length, 0);
    const data = others(record).filter((d) => configOf(record, d).role === 'data');
    const times = data.map((d) => msAfterFailure(record, takingOf(record, d).taken));
    const [marked, ended] = [DUMPING, COMPLETED].map((a) =>
      msAfterFailure(record, attributeChange(record, disk, a)),
    );
    assert.ok(
      times.every((ms) => ms > marked! && ms < ended! / 10),
      times.join(' '),
    );
    assert.equal(assertImage(record), { present: 1024, missing: 0 });
  },
);

claim(28, 'B takes the disk with the memory when it has been written whole', () => {
  const record = recordOf('long');
  const { change } = takingOf(record, coredumpDisk(record));
  const image = dataWrites(record, coredumpDisk(record), A);
  assert.ok(image.every(({ n }) => n < change.n));
  assert.is(
    record.result.dump.chunks.stored,
    image.reduce((n, w) => n + Math.floor(w.blocks / 128), 0),
  );
  assert.is(record.result.dump.verified, true);
  assertTakenAfterwards(record, COMPLETED, REASON_COMPLETED);
});

claim(29, 'A itself sets the attribute before the first byte of memory and resets it after the last', () => {
  const record = recordOf('long');
  const disk = coredumpDisk(record);
  assertAttributes(record, COMPLETED);
  const by = record.headers
    .filter((h) => h.disk === disk && h.header?.attribute === DUMPING)
    .map((h) => h.by);
  assert.ok(by.length >= 1 && by.every((board) => board === A));
  assert.is(attributeChange(record, disk, COMPLETED).by, A);
  assert.ok(
    record.holders
      .filter((h) => h.disk === disk && h.n < attributeChange(record, disk, COMPLETED).n)
      .every((h) => h.holder !== B),
  );
});

claim(30, 'B checks the attribute again and again, and takes the disk only after it was reset', () => {
  const record = recordOf('long');
  const disk = coredumpDisk(record);
  const { change } = takingOf(record, disk);
  const begin = firstEvent(record, 'takeover-begin', ({ board }) => board === B);
  const looks = headerReads(record, disk, B).filter(({ n }) => n > begin.n && n < change.n);
  const seen = looks.map(({ attribute }) => attribute);
  assert.ok(seen.length >= 4, `${seen.length} looks`);
  assert.equal(seen, [...seen.slice(1).map(() => DUMPING), COMPLETED]);
  assertTakenAfterwards(record, COMPLETED, REASON_COMPLETED);
  // The longer it stays set, the later: a disk ten times slower changes hands so much later.
  const fast = recordOf('whole');
  const later =
    msAfterFailure(record, change) - msAfterFailure(fast, takingOf(fast, coredumpDisk(fast)).change);
  assert.ok(later > 250, `${later} ms later`);
});

test('a disk ten times slower: the header closes before the limit all the same, and what was written counts', () => {
  const disks = [
    { role: 'mailbox' },
    { role: 'root', owner: 'a' },
    { role: 'data', owner: 'a', size_mib: 64 },
    { role: 'spare', owner: 'a', rate_mb_s: 10 },
    { role: 'root', owner: 'b' },
    { role: 'data', owner: 'b', size_mib: 64 },
  ];
  for (const limit of [LIMIT_MS, 2 * LIMIT_MS]) {
    const scenario = smallPair({ disks, workload: BUSY, boards: { dump_limit_ms: limit }, events: [PANIC] });
    const record = recordRun(scenario, { firmware: IMAGE });
    assert.equal(record.result.invariants.violations, []);
    assert.equal(attributesOf(record, coredumpDisk(record)), [INACTIVE, DUMPING, ABORTED, ...SAVED]);
    assert.ok(lastWrite(record) <= limit, `limit ${limit} ms, last write after ${lastWrite(record)} ms`);
    const { present, missing } = assertImage(record);
    assert.ok(present > 15 && missing > 20, `${present} chunks of ${present + missing}`);
    assert.is(Buffer.from(coreOf(record, 'a').read(RECORD_AT, 4)).readUInt32LE(0), RECORD_MAGIC);
  }
});

test('a board that dies a twentieth of a second after its dump began leaves its panic record and its own state', () => {
  const record = recordRun(
    busy({ boards: { dump_limit_ms: 500 }, events: [PANIC, { ...DEATH, plus_ms: 50 }] }),
    {
      firmware: IMAGE,
    },
  );
  assert.equal(record.result.invariants.violations, []);
  const core = coreOf(record, 'a');
  assert.is(core.panic?.reason, L.PANIC_TRAP);
  assert.is(Buffer.compare(core.read(0, CACHE_AT), record.memory!.subarray(0, CACHE_AT)), 0);
  assert.ok(core.coverage!.missing > 500);
});

test('a core that was cut by the limit has what was written, and says of the rest that it is missing', () => {
  for (const name of ['limit', 'death'] as const) {
    const record = recordOf(name);
    const core = coreOf(record, 'a');
    assert.equal([core.coverage?.attribute, core.coverage?.abort], [ABORTED, L.ABORT_LIMIT], name);
    // The panic record goes first.
    assert.is(Buffer.from(core.read(RECORD_AT, 4)).readUInt32LE(0), RECORD_MAGIC);
    let missing = 0;
    for (let chunk = 0; chunk < core.coverage!.chunks; chunk++) {
      try {
        const bytes = core.read(chunk * L.CHUNK_BYTES, L.CHUNK_BYTES);
        const was = record.memory!.subarray(chunk * L.CHUNK_BYTES, (chunk + 1) * L.CHUNK_BYTES);
        assert.is(Buffer.compare(bytes, was), 0, `${name}: chunk ${chunk}`);
      } catch (error) {
        if (!(error instanceof MissingMemory)) throw error;
        missing++;
        assert.ok(chunk * L.CHUNK_BYTES >= CACHE_AT, `${name}: chunk ${chunk} of the firmware's own state`);
      }
    }
    assert.is(missing, core.coverage?.missing);
    assert.ok(missing > 20, `${name}: ${missing}`);
  }
});

test.run();
