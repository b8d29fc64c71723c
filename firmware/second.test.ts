// A board with two CPUs: its dump is that of one CPU, whoever has done what of it, and whatever becomes of the second.
import { createHash, createPublicKey } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { MS } from '../boards/clock.ts';
import { Dice } from '../boards/core/formats.test-helper.ts';
import { DumpImage, isPresent } from '../boards/core/image.ts';
import { privateKeyOf, rawPublicKey } from '../boards/core/key.ts';
import { EmulatedBoard } from '../boards/emulated/board.ts';
import type { SecondCpu } from '../boards/emulated/second-cpu.ts';
import { type Overrides, Pair, eventOf } from '../boards/machine.test-helper.ts';
import { finalChecks } from '../boards/observer/end.ts';
import { reader } from '../boards/observer/observer.ts';
import * as F from './layout.ts';

const test = suite('two CPUs');
const KEY = privateKeyOf('5'.repeat(64))!;
const SEALED = { dumpKey: rawPublicKey(createPublicKey(KEY)).toString('hex') } as const;
const LZ4 = { dumpCodec: 'lz4' } as const;
const NMI = eventOf({ atMs: 800, do: 'nmi', board: 'a' });
const MEMORY_ERROR = eventOf({ atMs: 800, do: 'memory-error', board: 'a' });

const secondOf = (pair: Pair): SecondCpu => {
  assert.instance(pair.a, EmulatedBoard);
  const { second } = (pair.a as EmulatedBoard).socket;
  assert.ok(second, 'a second CPU is there');
  return second;
};

/** Chunks of the cache: zero, noise, text, half and half; of some, pages that nobody may read. */
function fill({ a }: Pair, poisoned: boolean): void {
  const ram = a.ram()!;
  const dice = new Dice(7);
  for (let chunk = 140; chunk < 250; chunk++) {
    const bytes = ram.subarray(chunk * L.CHUNK_BYTES, (chunk + 1) * L.CHUNK_BYTES).fill(0);
    const kind = chunk % 5;
    if (kind === 1) dice.roll(bytes);
    if (kind === 2) for (let at = 0; at < bytes.length; at++) bytes[at] = (at >> 5) & 0x7f;
    if (kind === 3) dice.roll(bytes.subarray(0, 30_000));
    if (kind === 4) bytes[L.CHUNK_BYTES - 1] = 1;
    if (poisoned && chunk % 20 < 3) a.ecc.poison(chunk * L.CHUNK_BYTES + (chunk % 16) * L.PAGE_BYTES);
  }
  if (!poisoned) return;
  for (let page = 0; page < L.CHUNK_PAGES; page++) a.ecc.poison(240 * L.CHUNK_BYTES + page * L.PAGE_BYTES);
}

/** What becomes of the second CPU: nothing, it is dead before the panic, or it dies with a job in its hands. */
type Fate = 'lives' | 'dead' | 'dies';

interface Way {
  name: string;
  boards?: Overrides['boards'];
  events?: Overrides['events'];
  poisoned?: boolean;
  /** The disk takes no write for a while from the n-th on. */
  failAt?: number;
}

const SHORT = 'with too short a time';
/** So long a disk's writes fail, from the n-th on. */
const FAILS_MS = 12;

const WAYS: readonly Way[] = [
  { name: 'raw' },
  { name: 'compressed', boards: LZ4 },
  { name: 'encrypted', boards: SEALED },
  { name: 'compressed and encrypted', boards: { ...LZ4, ...SEALED } },
  { name: 'with poisoned pages', events: [MEMORY_ERROR], poisoned: true },
  { name: 'compressed, with poisoned pages', boards: LZ4, events: [MEMORY_ERROR], poisoned: true },
  { name: 'past errors', boards: LZ4, failAt: 3 },
  { name: SHORT, boards: { ...LZ4, dumpLimitMs: 30 } },
];

interface Dumped {
  digest: string;
  /** SHA-256 of the whole medium. */
  medium: string;
  memory: Uint8Array;
  image: DumpImage;
  attribute: number;
  lost: number;
  boardMs: number;
}

/** Runs until the dump has ended; `each` is called after each event of the queue. */
async function untilEnd({ machine }: Pair, each: () => Promise<void> | void): Promise<void> {
  const { events } = machine.observer.trace;
  for (let seen = events.length; ;) {
    for (; seen < events.length; seen++) if (events[seen]!.code === F.EV_DUMP_END) return;
    machine.clock.step();
    // oxlint-disable-next-line no-await-in-loop -- one event after the other
    await each();
  }
}

/** Jobs of board A that are in this state: addresses. */
function jobsOf(pair: Pair, state: number): number[] {
  const view = new DataView(pair.a.ram()!.buffer);
  const first = F.JOBS_AT + F.JOBS_HEAD_BYTES;
  const places = Array.from({ length: F.JOBS_MAX }, (_, n) => first + n * F.JOB_BYTES);
  return places.filter((at) => view.getUint32(at, true) === state);
}

async function dump(way: Way, cpus: 1 | 2, fate: Fate = 'lives'): Promise<Dumped> {
  const pair = new Pair({
    events: way.events ?? [NMI],
    boards: { rebootAfterPanic: false, cpus, ...way.boards },
  });
  const { machine } = pair;
  try {
    pair.started(799);
    fill(pair, way.poisoned === true);
    if (fate === 'dead') await secondOf(pair).stop();
    const frozen = pair.until(F.EV_FROZEN, { board: 0 }).time;
    const memory = pair.a
      .ram()!
      .slice()
      .fill(0, F.WORK_AT, F.WORK_AT + F.WORK_BYTES);
    const disk = machine.shelf.disks[pair.disk('a.spare.0')]!;
    const { medium } = disk;
    let writes = 0;
    const write = medium.write.bind(medium);
    medium.write = (...what) => {
      writes++;
      write(...what);
    };
    let failedAt = Infinity;
    let lives = fate === 'lives' || fate === 'dead';
    await untilEnd(pair, async () => {
      const { now } = machine.clock;
      if (way.failAt !== undefined && writes >= way.failAt && failedAt === Infinity) failedAt = now;
      disk.writesFail = now >= failedAt && now < failedAt + FAILS_MS * MS;
      if (lives || writes < 2) return;
      await secondOf(pair).stop();
      const [posted] = jobsOf(pair, F.JOB_POSTED);
      if (posted === undefined) return; // it was faster: the next ones are nobody's
      new DataView(pair.a.ram()!.buffer).setUint32(posted, F.JOB_CLAIMED, true);
      lives = true;
    });
    assert.ok(lives, 'it died with a job in its hands');
    const boardMs = (machine.clock.now - frozen) / MS;
    finalChecks(machine, true);
    assert.equal(machine.observer.invariants.violations, []);
    const { report } = machine.observer.dump!;
    assert.equal(report.wrong, []);
    const read = reader(medium);
    return {
      digest: machine.observer.trace.digest(),
      medium: createHash('sha256').update(read(0, medium.bytes)).digest('hex'),
      memory,
      image: new DumpImage(read, medium.bytes / L.SECTOR_BYTES, { privateKey: KEY }),
      attribute: report.attribute,
      lost: report.lost,
      boardMs,
    };
  } finally {
    pair.close();
  }
}

const chunkOf = (memory: Uint8Array, chunk: number): Uint8Array =>
  memory.subarray(chunk * L.CHUNK_BYTES, (chunk + 1) * L.CHUNK_BYTES);

/** Chunks that one CPU's memory and two CPUs' have in common: all but those with what tells the builds apart. */
function common(one: Uint8Array, two: Uint8Array): number[] {
  const all = Array.from({ length: one.length / L.CHUNK_BYTES }, (_, chunk) => chunk);
  const found = all.filter((chunk) => Buffer.compare(chunkOf(one, chunk), chunkOf(two, chunk)) === 0);
  for (const chunk of all)
    assert.ok(
      found.includes(chunk) || chunk * L.CHUNK_BYTES < F.LOG_AT,
      `chunk ${chunk} differs before the dump`,
    );
  return found;
}

for (const way of WAYS) {
  test(`${way.name}: the dump is that of one CPU, chunk by chunk and in the same order`, async () => {
    const one = await dump(way, 1);
    const two = await dump(way, 2);
    const isCut = way.name === SHORT;
    assert.is(one.attribute, isCut || way.failAt !== undefined ? L.ATTRIBUTE_ABORTED : L.ATTRIBUTE_COMPLETED);
    assert.is(two.attribute, one.attribute);
    assert.is(one.lost > 0, way.failAt !== undefined);
    assert.is(two.lost > 0, way.failAt !== undefined);
    if (way.failAt === undefined && !isCut) assert.ok(two.boardMs < one.boardMs, `${two.boardMs} ms`);
    const chunks = common(one.memory, two.memory);
    const there = ({ image }: Dumped): number[] => chunks.filter((chunk) => isPresent(image.state(chunk)));
    const both = there(one).filter((chunk) => isPresent(two.image.state(chunk)));
    assert.ok(both.length > (isCut ? 20 : 100), `${both.length} chunks`);
    if (isCut) assert.ok(there(two).length >= there(one).length, 'in the same time two CPUs get further');
    else if (way.failAt === undefined) assert.is(both.length, there(one).length);
    for (const chunk of both) {
      assert.is(two.image.state(chunk), one.image.state(chunk), `codec of chunk ${chunk}`);
      assert.is(two.image.poison(chunk), one.image.poison(chunk), `pages of chunk ${chunk}`);
      assert.is(two.image.place(chunk).bytes, one.image.place(chunk).bytes, `bytes of chunk ${chunk}`);
      const [mine, other] = [one.image.chunk(chunk).content, two.image.chunk(chunk).content];
      assert.is(Buffer.compare(mine!, other!), 0, `chunk ${chunk}`);
    }
    const inOrder = ({ image }: Dumped): number[] =>
      both
        .filter((chunk) => image.place(chunk).bytes > 0)
        .toSorted((a, b) => image.place(a).at - image.place(b).at);
    if (way.failAt === undefined) assert.equal(inOrder(two), inOrder(one));
  });

  test(`${way.name}: with a second CPU that is dead, or dies at work, the same comes of it, to the last bit and event`, async () => {
    const lives = await dump(way, 2);
    for (const fate of ['lives', 'dead', 'dies'] as const) {
      const { digest, medium } = await dump(way, 2, fate);
      assert.equal([fate, digest, medium], [fate, lives.digest, lives.medium]);
    }
  });
}

/** Threads of this process, where the system tells; else 0. */
const threads = (): number => (existsSync('/proc/self/task') ? readdirSync('/proc/self/task').length : 0);

test('each life of a board has a second CPU of its own, which ends with it', async () => {
  const pair = new Pair({ boards: { cpus: 2 } });
  const boards = pair.machine.boards as readonly [EmulatedBoard, EmulatedBoard];
  const lives = new Set<SecondCpu>();
  const before = threads();
  try {
    for (let life = 0; life < 5; life++) {
      pair.started(pair.machine.clock.now / MS + 200);
      for (const { socket, running } of boards) {
        assert.is(running, true);
        lives.add(socket.second!);
      }
      for (const board of boards) board.powerOff();
      for (const { socket } of boards) assert.is(socket.second, null);
    }
  } finally {
    pair.close();
  }
  assert.is(lives.size, 10);
  await Promise.all([...lives].map(async (second) => second.stop())); // has been told before: waits for the end
  assert.ok(threads() <= before, `${threads()} threads, ${before} before`);
});

test('until a panic the second CPU touches nothing: its work area is zero, and so the dump has it', () => {
  const pair = new Pair({ boards: { cpus: 2 } });
  try {
    pair.started(700);
    const work = pair.a.ram()!.subarray(F.WORK_AT, F.WORK_AT + F.WORK_BYTES);
    assert.ok(work.every((byte) => byte === 0));
  } finally {
    pair.close();
  }
});

test.run();
