/** The shipped scenarios show what their titles say; and every invariant's checker is seen to fire. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { CACHE_AT, EV_SAVE_END, EV_UNSERVE } from '../firmware/layout.ts';
import { containedImage } from '../boards/core/container.ts';
import { privateKeyOf } from '../boards/core/key.ts';
import type { Machine } from '../boards/machine.ts';
import { runPair } from '../boards/pair.ts';
import type { RunResult, TakeReason } from '../boards/result.ts';
import type { Scenario } from '../boards/scenario.ts';
import { loadScenario, shippedScenarios } from '../boards/scenario-file.ts';
import type { Medium } from '../boards/shelf/medium.ts';
import {
  A,
  B,
  PREEMPT_AND_ABORT,
  RELEASE,
  attributesOf,
  coreOf,
  diskNamed,
  firstEvent,
  hasEvent,
  recordRun,
  rootVolume,
  sendReserve,
  sendWrite,
  smallPair,
} from './recorder.test-helper.ts';
import type { RecordOptions, RunRecord, SeenEvent } from './recorder.test-helper.ts';

// ------------------------------------------------------------------------------------------------ shipped scenarios

/** Reasons by disk: those of the other disks of board A are `inactive`. */
type Reasons = Readonly<Record<string, TakeReason>>;

interface Expected {
  seenBy: RunResult['takeover']['seen_by'];
  /** Of the disks that were not taken as inactive; null: no takeover. */
  reasons: Reasons | null;
  dump: [disk: string, attribute: string, cause: string | null] | null;
  hasCore: boolean;
  hasGiveback: boolean;
  panic: string | null;
  /** The core is a container that only the owner of a key reads. */
  isEncrypted?: boolean;
  /** Seconds from the failure to service. */
  outage: [least: number, most: number] | null;
  more?: (record: RunRecord) => void;
}

const DUMPED: Expected = {
  seenBy: 'message',
  reasons: { 'a.spare.0': 'completed' },
  dump: ['a.spare.0', 'completed', null],
  hasCore: true,
  hasGiveback: true,
  panic: 'operator NMI',
  outage: [0, 1],
};
const UNTOUCHED: Expected = {
  seenBy: null,
  reasons: null,
  dump: null,
  hasCore: false,
  hasGiveback: false,
  panic: null,
  outage: null,
};

const placeOf = ({ result }: RunRecord): string => result.panic?.place ?? '';
/** On disks of their own and of the partner. */
const LEFT_OVER = [
  ['a.root', A, 7],
  ['b.data.0', A, 7],
  ['b.root', B, 3],
  ['a.data.0', B, 3],
] as const;

const EXPECTED: Readonly<Record<string, Expected>> = {
  shelf: UNTOUCHED,
  standard: {
    ...DUMPED,
    panic: 'trap',
    more: (record) => {
      const { result, scenario } = record;
      assert.is(scenario.disks.length, 24);
      assert.is(result.memory_bytes, 256 << 20);
      assert.ok(result.virtual_s >= 60);
      assert.match(placeOf(record), /^firmware\/console\.ts:\d+:\d+$/);
      assert.ok(result.takeover.service_s! < 0.1 && result.dump.ended_s! > 10 * result.takeover.service_s!);
    },
  },
  small: {
    ...DUMPED,
    more: ({ result, scenario }) => {
      assert.is(scenario.disks.length, 6);
      assert.is(result.memory_bytes, 16 << 20);
    },
  },
  'assert-panic': {
    ...DUMPED,
    panic: 'assert',
    more: (record) => {
      assert.match(placeOf(record), /^firmware\/console\.ts:\d+:\d+$/);
      assert.match(record.result.panic?.text ?? '', /\w+ \w+/);
    },
  },
  'dedicated-dump-disk': {
    ...DUMPED,
    reasons: { 'a.dump.0': 'completed' },
    dump: ['a.dump.0', 'completed', null],
    more: (record) => {
      const elected = record.events.filter(({ name }) => name === 'elected').map(({ a }) => a);
      const names = new Set(elected.map((disk) => record.scenario.disks[disk]!.name));
      assert.equal([...names].toSorted(), ['a.dump.0', 'b.dump.0']);
      assert.equal(attributesOf(record, diskNamed(record, 'a.spare.0')), [L.ATTRIBUTE_INACTIVE]);
    },
  },
  'dump-limit': {
    ...DUMPED,
    reasons: { 'a.spare.0': 'aborted' },
    dump: ['a.spare.0', 'aborted', 'time limit'],
    more: ({ result }) => {
      const { chunks, ended_s, limit_s } = result.dump;
      assert.ok(ended_s! <= limit_s, `${ended_s} s, limit ${limit_s} s`);
      assert.ok(chunks.stored > 50 && chunks.lost > 50, 'a part of the memory is saved');
    },
  },
  'encrypted-dump': {
    ...DUMPED,
    isEncrypted: true,
    more: (record) => {
      const { stored_bytes, chunks } = record.result.dump;
      assert.ok(stored_bytes < (chunks.stored * L.CHUNK_BYTES) / 2, `${stored_bytes} bytes`);
      const [file] = rootVolume(record, 'a').list('/cores');
      const bytes = Buffer.concat([...rootVolume(record, 'a').read(file!.path)]);
      const read = (at: number, count: number): Uint8Array => bytes.subarray(at, at + count);
      assert.is(containedImage(read, bytes.length, null).chunk(4).content, null);
      const opened = containedImage(read, bytes.length, privateKeyOf('7'.repeat(64)));
      assert.is(opened.count(L.CODEC_RAW) + opened.count(L.CODEC_LZ4), chunks.stored);
      assert.ok([...opened].every(({ content }) => content !== null));
    },
  },
  'hang-watchdog': {
    ...DUMPED,
    panic: 'watchdog',
    outage: [2, 3],
    more: (record) => {
      assert.is(placeOf(record), 'stuck in a cycle');
      const waited = (firstEvent(record, 'panic').at - record.failedAt) / 1e6;
      assert.ok(Math.abs(waited - record.scenario.boards.watchdogMs) < 20, `${waited} ms`);
    },
  },
  'interconnect-loss': {
    ...UNTOUCHED,
    more: (record) => assert.not.ok(hasEvent(record, 'lost') || hasEvent(record, 'fenced')),
  },
  'leftover-reservations': {
    ...DUMPED,
    more: (record) => {
      const holder = (disk: number, at: number): (number | null)[] => {
        const last = record.holders.findLast((each) => each.disk === disk && each.at <= at);
        return [last!.holder, last!.epoch];
      };
      for (const [name, board, epoch] of LEFT_OVER) {
        assert.equal(holder(diskNamed(record, name), 0), [board, epoch], `${name} at power-on`);
      }
      for (const [disk, { owner }] of record.scenario.disks.entries()) {
        const own = owner === 'a' ? [A, 8] : [B, 4];
        if (owner !== null)
          assert.equal(holder(disk, record.failedAt - 1), own, `disk ${disk} before the panic`);
      }
      // Later epochs than those of the lives that left them.
      assert.ok(firstEvent(record, 'boot', ({ board }) => board === A).a > 7);
      assert.ok(firstEvent(record, 'boot', ({ board }) => board === B).a > 3);
    },
  },
  'dump-lz4': {
    ...DUMPED,
    more: ({ result }) => {
      const { stored_bytes, chunks } = result.dump;
      assert.ok(chunks.stored > 100);
      assert.ok(stored_bytes < (chunks.stored * L.CHUNK_BYTES) / 2, `${stored_bytes} bytes`);
    },
  },
  'two-cpus': {
    ...DUMPED,
    more: ({ result, scenario }) => {
      const { started_s: began, ended_s: ended } = result.dump;
      const one = recordRun({ ...scenario, boards: { ...scenario.boards, cpus: 1 } }).result.dump;
      assert.is(one.verified, true);
      assert.is(one.attribute, result.dump.attribute);
      const ratio = (one.ended_s! - one.started_s!) / (ended! - began!);
      assert.ok(ratio > 1.5, `${ratio} times as fast as with one`);
    },
  },
  'memory-error': {
    ...DUMPED,
    panic: 'memory error',
    more: (record) => {
      const { poisoned, poisoned_pages } = record.result.dump.chunks;
      assert.equal([poisoned, poisoned_pages], [0, 1]);
      const { a: chunk, c: pages } = firstEvent(record, 'left-out');
      const { coverage } = coreOf(record, 'a');
      assert.equal(coverage!.pages, [{ chunk, pages, reason: L.MISSING_POISONED }]);
      assert.equal([coverage!.missing, coverage!.ranges], [0, []]);
    },
  },
  'no-spare': {
    ...DUMPED,
    reasons: {},
    dump: null,
    hasCore: false,
    more: (record) => {
      assert.is(firstEvent(record, 'dump-none').board, A);
      assert.ok(record.result.steps.some(({ board, what }) => board === 'a' && what === 'no dump'));
      // B has spares of its own and does not lend them.
      assert.not.ok(
        record.commands.some(
          (c) =>
            c.board === A &&
            c.kind === 'write' &&
            c.at > record.failedAt &&
            c.at < firstEvent(record, 'halt').at &&
            record.scenario.disks[c.disk]!.role !== 'mailbox',
        ),
      );
    },
  },
  'panic-interconnect-cut': {
    ...DUMPED,
    seenBy: 'mailbox',
    more: ({ result }) => assert.ok(result.takeover.detected_s! > 0.001),
  },
  'path-loss': {
    ...UNTOUCHED,
    more: (record) => {
      const moved = firstEvent(record, 'path', ({ board }) => board === A);
      assert.is(record.scenario.disks[moved.a]!.name, 'a.data.0');
      assert.is(moved.b, 1);
      assert.not.ok(hasEvent(record, 'unserve', ({ board }) => board === A));
      assert.ok(record.result.clients.longest_wait_s < 1);
    },
  },
  'power-loss': {
    ...UNTOUCHED,
    seenBy: 'silence',
    reasons: {},
    outage: [10, 16],
    more: (record) => assert.not.ok(hasEvent(record, 'dump-begin') || hasEvent(record, 'save-begin')),
  },
  'power-loss-while-dumping': {
    ...DUMPED,
    reasons: { 'a.spare.0': 'limit' },
    dump: ['a.spare.0', 'aborted', 'time limit'],
    hasGiveback: false,
    more: ({ result }) => {
      const taken = result.takeover.disks.find(({ name }) => name === 'a.spare.0')?.taken_s;
      assert.ok(taken! >= result.dump.limit_s && taken! < result.dump.limit_s + 0.5, `${taken} s`);
      assert.is(result.dump.ended_s, null);
    },
  },
  'stop-dump': {
    ...DUMPED,
    reasons: { 'a.spare.0': 'aborted' },
    dump: ['a.spare.0', 'aborted', 'stopped by the partner'],
    more: (record) => {
      assert.ok(record.result.dump.chunks.stored > 0 && record.result.dump.chunks.lost > 0);
      assert.equal(
        record.events.filter(({ name }) => name === 'stop').map(({ board, b }) => [board, b]),
        [[B, 1], [A, 2]],
      ); // prettier-ignore
    },
  },
  'unsaved-core': {
    ...DUMPED,
    reasons: {},
    more: (record) => {
      const tries = record.events.filter(({ name }) => name === 'save-try').map(({ board, b }) => [board, b]);
      assert.equal(tries, [[B, 1], [A, 2], [B, 3]]); // prettier-ignore
      assert.is(record.events.filter(({ name }) => name === 'panic').length, 2);
      assert.is(record.events.filter(({ name }) => name === 'dump-begin').length, 1);
      const second = firstEvent(record, 'dump-none');
      assert.is(second.board, A);
      assert.is(coreOf(record, 'a').panic?.epoch, 1, 'of the first crash');
      // And then the spare is free again.
      const saved = firstEvent(record, 'save-end', ({ a }) => a === 1);
      assert.ok(hasEvent(record, 'elected', ({ n, board }) => n > saved.n && board === A));
    },
  },
  'spare-fails': {
    ...DUMPED,
    reasons: { 'a.spare.0': 'aborted', 'a.spare.1': 'completed' },
    dump: ['a.spare.1', 'completed', null],
    more: (record) => {
      const failed = firstEvent(record, 'dump-error');
      assert.is(record.scenario.disks[failed.a]!.name, 'a.spare.0');
      const again = firstEvent(record, 'dump-begin', ({ n }) => n > failed.n);
      assert.is(record.scenario.disks[again.a]!.name, 'a.spare.1');
    },
  },
};

test('every shipped scenario is tested here', () => {
  assert.equal(Object.keys(EXPECTED).toSorted(), shippedScenarios().toSorted());
});

function assertUsual({ result, scenario }: RunRecord): void {
  assert.equal(result.invariants.violations, []);
  assert.ok(result.settled);
  assert.ok(result.virtual_s * 1000 >= scenario.endMs && result.virtual_s * 1000 < scenario.endMaxMs);
  const { writes_acked, writes_lost, wrong_reads, timed_out } = result.clients;
  assert.equal({ writes_lost, wrong_reads, timed_out }, { writes_lost: 0, wrong_reads: 0, timed_out: 0 });
  assert.ok(writes_acked > 100);
  const idle = result.invariants.each.filter(({ checks }) => checks === 0).map(({ number }) => number);
  assert.equal(idle, result.dump.disk === null ? [3, 4] : [], 'invariants that were not checked once');
}

for (const name of shippedScenarios()) {
  const expected = EXPECTED[name];
  if (expected === undefined) continue;
  test(`${name}: ${loadScenario(name).title}`, () => {
    const record = recordRun(loadScenario(name), { withoutMemory: true });
    const { result, scenario } = record;
    assertUsual(record);
    assert.is(result.panic?.reason ?? null, expected.panic);
    assert.is(result.takeover.seen_by, expected.seenBy);
    const { disk, attribute, cause, verified } = result.dump;
    assert.equal(disk === null ? null : [disk, attribute, cause], expected.dump);
    assert.is(verified, expected.dump === null || expected.isEncrypted === true ? null : true);

    const own = scenario.disks.filter(({ owner }) => owner === 'a').map((each) => each.name);
    const reasons = Object.fromEntries(result.takeover.disks.map((each) => [each.name, each.reason]));
    const wanted = own.map((each) => [each, expected.reasons?.[each] ?? 'inactive']);
    assert.equal(reasons, expected.reasons === null ? {} : Object.fromEntries(wanted));

    if (expected.outage === null) assert.is(result.outage_s, null);
    else assert.ok(result.outage_s! > expected.outage[0] && result.outage_s! < expected.outage[1]);
    assertCore(record, expected);
    assert.is(result.giveback !== null && result.giveback.ended_s !== null, expected.hasGiveback);
    expected.more?.(record);
  });
}

/** What the result says of the core is what lies in the file system of A. */
function assertCore(record: RunRecord, { hasCore }: Expected): void {
  const files = rootVolume(record, 'a').list('/cores');
  assert.is(files.length, hasCore ? 1 : 0);
  const { core } = record.result;
  assert.is(core !== null, hasCore);
  if (core === null) return;
  assert.is(core.path, `a.root:/cores/${files[0]!.name}`);
  assert.is(core.bytes, files[0]!.bytes);
}

for (const name of ['small', 'standard']) {
  test(`${name} with the sequential policy: the takeover waits for the dump, in parallel it does not`, async () => {
    const scenario = loadScenario(name);
    const parallel = await runPair({ scenario });
    const record = recordRun({ ...scenario, policy: 'sequential' }, { withoutMemory: true });
    const sequential = record.result;
    assertUsual(record);
    assert.is(sequential.takeover.policy, 'sequential');
    assert.ok(hasEvent(record, 'policy-wait', ({ board }) => board === B));
    const ended = sequential.dump.ended_s!;
    for (const { name: disk, taken_s } of sequential.takeover.disks) assert.ok(taken_s! > ended, disk);
    assert.ok(sequential.outage_s! > ended && sequential.takeover.service_s! > ended);
    assert.ok(parallel.takeover.service_s! < parallel.dump.ended_s! / 2);
    assert.ok(sequential.outage_s! > parallel.outage_s!);
    assert.ok(Math.abs(parallel.dump.ended_s! - ended) < 0.05, 'the dump takes as long in both');
  });
}

// ---------------------------------------------------------------------------------------- invariants that are broken

/** Violations of a small run that was spoiled. Those of `number` must be among them, and say `says`. */
function spoiled(
  number: number,
  says: RegExp,
  options: RecordOptions,
  scenario: Scenario = smallPair({}),
): RunRecord {
  const record = recordRun(scenario, { ...options, withoutMemory: true });
  const { violations } = record.result.invariants;
  const found = violations.filter((each) => each.startsWith(`${number}: `));
  assert.ok(
    found.some((each) => says.test(each)),
    `got ${JSON.stringify(violations)}`,
  );
  return record;
}

test('the pair that is spoiled below has no violation as it is', () => {
  const { result } = recordRun(smallPair({}));
  assert.equal(result.invariants.violations, []);
  assert.ok(result.settled);
});

/** Runs `what` at the first event of that name. */
function once(
  name: string,
  what: (machine: Machine, event: SeenEvent) => void,
): NonNullable<RecordOptions['onEvent']> {
  let done = false;
  return (event, machine) => {
    if (done || event.name !== name) return;
    done = true;
    what(machine, event);
  };
}

/** The device server forgets who asks: to it every command of `from` comes from `to`. */
function confuse({ shelf: { servers } }: Machine, from: number, to: number): void {
  const execute = servers.execute.bind(servers);
  servers.execute = (unit, nexus, cdb, out, bytes) =>
    execute(unit, nexus >> 1 === from && cdb[0] === 0x8a ? to * 2 + (nexus & 1) : nexus, cdb, out, bytes);
}

/** The medium of a disk does something else to what is written, `bytes` from `at` on. */
function spoilWrites(
  machine: Machine,
  name: string,
  spoil: (at: number, bytes: Uint8Array) => Uint8Array | null,
): void {
  const { medium } = machine.shelf.disks[diskNamed(machine, name)]!;
  const write: Medium['write'] = medium.write.bind(medium);
  medium.write = (offset, from, at, count) => {
    const instead = spoil(offset, from.slice(at, at + count));
    if (instead !== null) write(offset, instead, 0, instead.length);
  };
}

const SECTOR = new Uint8Array(L.SECTOR_BYTES).fill(0x5a);
const DATA_AT = L.DATA_LBA * L.SECTOR_BYTES;

test('invariant 1 fails when a write of A lands on a disk that B has preempted', () => {
  spoiled(1, /board a wrote to a\.data\.1, held by b/, {
    onEvent: once('service', (machine) => {
      confuse(machine, A, B);
      for (const port of [0, 1]) {
        sendWrite(
          machine,
          { board: A, port, disk: diskNamed(machine, 'a.data.1') },
          L.DATA_LBA + 99_999,
          SECTOR,
        );
      }
    }),
  });
});

test('invariant 2 fails when B writes to the disk that A dumps to', () => {
  spoiled(2, /board b wrote to a\.spare\.0, where a dumps/, {
    onEvent: once('dump-begin', (machine, { a: disk }) => {
      confuse(machine, B, A);
      for (const port of [0, 1]) sendWrite(machine, { board: B, port, disk }, L.DATA_LBA + 40_000, SECTOR);
    }),
  });
});

test('invariant 2 fails when B preempts the disk that A dumps to', () => {
  spoiled(2, /board b preempted a\.spare\.0, where a dumps/, {
    onEvent: once('dump-begin', (machine, { a: disk }) => {
      for (const port of [0, 1]) {
        sendReserve(machine, { board: B, port, disk }, PREEMPT_AND_ABORT, { board: A, epoch: 1 });
      }
    }),
  });
});

/** The header of the coredump disk, copied to another disk of A. */
function copyHeader(machine: Machine, from: number, to: string): void {
  const copies = new Uint8Array(2 * L.COPY_BYTES);
  machine.shelf.disks[from]!.medium.read(L.COREDUMP_LBA * L.SECTOR_BYTES, copies, 0, copies.length);
  for (const port of [0, 1]) {
    sendWrite(machine, { board: A, port, disk: diskNamed(machine, to) }, L.COREDUMP_LBA, copies);
  }
}

test('invariant 3 fails when a disk in file service says dumping', () => {
  spoiled(3, /a\.data\.0 says dumping and is a data disk/, {
    onEvent: once('dump-begin', (machine, { a: disk }) => copyHeader(machine, disk, 'a.data.0')),
  });
});

test('invariant 3 fails when two disks of a board say dumping', () => {
  spoiled(3, /2 disks of board a say dumping/, {
    onEvent: once('dump-begin', (machine, { a: disk }) => copyHeader(machine, disk, 'a.spare.1')),
  });
});

test('invariant 4 fails when a byte of a completed dump differs from the memory', () => {
  spoiled(4, /a\.spare\.0: chunks not as they were/, {
    arrange: (machine) =>
      spoilWrites(machine, 'a.spare.0', (at, bytes) => {
        if (bytes.length >= L.CHUNK_BYTES && at > DATA_AT) bytes[bytes.length >> 1]! ^= 1;
        return bytes;
      }),
  });
});

test('invariant 4 fails when a completed dump lists too few chunks', () => {
  spoiled(4, /a\.spare\.0: says completed, 0 chunks lost, [1-9]\d* missing/, {
    arrange: (machine) =>
      spoilWrites(machine, 'a.spare.0', (at, bytes) =>
        at >= DATA_AT && bytes.length === L.TABLE_BYTES ? null : bytes,
      ),
  });
});

test('invariant 4 fails when memory changes while it is dumped', () => {
  const chunk = CACHE_AT / L.CHUNK_BYTES + 1;
  spoiled(4, new RegExp(`the panic handler changed memory: chunks ${chunk}`), {
    onEvent: once('dump-begin', ({ boards }) => {
      const ram = boards[A].ram()!;
      ram[chunk * L.CHUNK_BYTES]! ^= 1;
    }),
  });
});

test('invariant 5 fails when a write is acknowledged and does not reach the medium', () => {
  const record = spoiled(5, /an acknowledged write to volume 1, slot \d+, is not on the disk/, {
    arrange: (machine) =>
      spoilWrites(machine, 'a.data.1', (_at, bytes) => (machine.clock.now > 1e9 ? null : bytes)),
  });
  assert.ok(record.result.clients.writes_lost > 0);
});

test('invariant 5 fails when a write that was acknowledged is rolled back to what was there before', () => {
  let before: Uint8Array | null = null;
  spoiled(5, /an acknowledged write to volume 0, slot \d+, is not on the disk/, {
    onEvent: (event, machine) => {
      const { medium } = machine.shelf.disks[diskNamed(machine, 'a.data.0')]!;
      const region = new Uint8Array(4 << 20);
      if (event.name === 'panic') {
        medium.read(DATA_AT, region, 0, region.length);
        before = region;
      } else if (event.name === 'save-end' && before !== null)
        medium.write(DATA_AT, before, 0, before.length);
    },
  });
});

test('invariant 5 fails when a read returns what was never written', () => {
  const record = spoiled(
    5,
    /a read of volume 2, slot \d+, returned what was never written/,
    {
      arrange: ({ shelf, scenario }) => {
        const { medium } = shelf.disks[diskNamed({ scenario }, 'a.data.2')]!;
        const read = medium.read.bind(medium);
        medium.read = (offset, into, at, count) => {
          read(offset, into, at, count);
          if (offset >= DATA_AT) into[at + (count >> 1)]! ^= 0x80;
        };
      },
    },
    smallPair({ workload: { working_set_mib: 1, think_us: 5000 } }),
  );
  assert.ok(record.result.clients.wrong_reads > 0);
});

test('invariant 6 fails when a board goes on serving a volume that it has given back', () => {
  spoiled(
    6,
    /board a serves volume 0 that b serves/,
    {
      arrange: ({ observer }) => {
        const event = observer.event.bind(observer);
        observer.event = (board, code, a, b, c) => {
          if (code !== EV_UNSERVE || board !== B) event(board, code, a, b, c);
        };
      },
    },
    smallPair({ boards: { giveback_ms: 50 } }),
  );
});

test('invariant 6 fails when a board answers for a volume that the other serves', () => {
  spoiled(6, /board b answered for volume 0, served by a/, {
    onEvent: once('ready', ({ boards: [, other] }) => {
      const place = other.port.place.bind(other.port);
      other.port.place = (request) => {
        if (request.volume !== 0) return place(request);
        request.reply(0, 0, null);
        return true;
      };
      other.port.onClaim(0, true);
    }),
  });
});

const SHORT = { more: { end_s: 1.2, end_max_s: 3 } };

test('invariant 7 fails when a disk has no owner at the end', () => {
  spoiled(
    7,
    /b\.data\.0 is held by nobody/,
    {
      onEvent: once('save-end', (machine) => {
        for (const port of [0, 1]) {
          sendReserve(machine, { board: B, port, disk: diskNamed(machine, 'b.data.0') }, RELEASE, null);
        }
      }),
    },
    smallPair(SHORT),
  );
});

test('invariant 7 fails when a disk still says dumping', () => {
  let marked = false;
  spoiled(
    7,
    /a\.spare\.0 still says dumping/,
    {
      arrange: (machine) =>
        spoilWrites(machine, 'a.spare.0', (at, bytes) => {
          const isHeader =
            bytes.length === L.COPY_BYTES && at < DATA_AT && at >= L.COREDUMP_LBA * L.SECTOR_BYTES;
          const isLate = isHeader && marked;
          marked ||= isHeader && bytes[L.HEADER_ATTRIBUTE_AT] === L.ATTRIBUTE_DUMPING;
          return isLate ? null : bytes;
        }),
    },
    smallPair(SHORT),
  );
});

test('invariant 7 fails when nobody serves at the end', () => {
  spoiled(
    7,
    /no board is alive/,
    {},
    smallPair({
      ...SHORT,
      events: [0, 1].map((n) => ({ at_s: 0.8, do: 'power-off', board: 'ab'[n] })),
    }),
  );
});

const isSaved = (at: number, bytes: Uint8Array): boolean =>
  at < DATA_AT && bytes.length === L.COPY_BYTES && bytes[L.HEADER_SAVED_AT] === L.SAVED_DONE;

test('invariant 7 fails when the core file of a completed dump is not made', () => {
  spoiled(
    7,
    /the core of board a is not made yet/,
    {
      arrange: (machine) => {
        const { observer } = machine;
        const event = observer.event.bind(observer);
        observer.event = (board, code, a, b, c) => {
          if (code !== EV_SAVE_END) event(board, code, a, b, c);
        };
        spoilWrites(machine, 'a.spare.0', (at, bytes) => (isSaved(at, bytes) ? null : bytes));
      },
    },
    smallPair(SHORT),
  );
});

test.run();
