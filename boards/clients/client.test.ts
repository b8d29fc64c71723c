import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Clock, MS, SECOND } from '../clock.ts';
import { FrontEndPort, type Request } from '../emulated/port.ts';
import { RandomStream } from '../random.ts';
import type { Protocol } from '../scenario.ts';
import { Client, type ClientOptions, PATIENCE_S } from './client.ts';
import { Network } from './network.ts';

const test = suite('client');
const LATENCY = 100_000;
const IO = 4096;
const POOL = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31 + (i >> 9)) & 255);
const WRITE = 0x8a;

interface Seen {
  board: number;
  opcode: number;
  lba: number;
  at: number;
}

/** Two boards that are ports only: they keep what is written, and answer when and as the test says. */
class Rig {
  readonly clock = new Clock();
  readonly ports = [new FrontEndPort(), new FrontEndPort()];
  readonly network: Network;
  readonly client: Client;
  readonly seen: Seen[] = [];
  readonly served: { board: number; waited: number }[] = [];
  readonly wrong: number[] = [];
  timedOut = 0;
  blocks = new Map<number, Uint8Array>();
  /** Does the board answer, and with which status? null: it says nothing. */
  answer: (board: number) => number | null = () => 0;
  /** Looks at a request first; false: the board takes it and says nothing. */
  watch: (request: Request) => boolean = () => true;
  /** What the disk gives back of what is on it. */
  spoil: (data: Uint8Array) => Uint8Array = (data) => data;

  constructor(options: Partial<ClientOptions> = {}) {
    this.network = new Network(this.clock, LATENCY, this.ports);
    this.ports.forEach((port, board) => {
      // The front-end port without its ring in RAM: what is placed is looked at right here.
      port.place = (request): boolean => {
        const view = new DataView(request.cdb.buffer);
        const lba = Number(view.getBigUint64(2));
        this.seen.push({ board, opcode: request.cdb[0]!, lba, at: this.clock.now });
        if (!this.watch(request)) return true;
        const status = this.answer(board);
        if (status === null) return true;
        if (request.data !== null && status === 0) this.blocks.set(lba, request.data.slice());
        const data = request.data === null ? this.spoil(this.blocks.get(lba) ?? new Uint8Array(IO)) : null;
        request.reply(status, status === 0 ? 0 : 0x020400, status === 0 ? data : null);
        return true;
      };
    });
    this.client = new Client(
      {
        volume: 0,
        protocol: 'nfs',
        firstBlock: 64,
        slots: 8,
        ioBytes: IO,
        writePercent: 50,
        thinkUs: 1000,
        ...options,
      },
      this.clock,
      this.network,
      new RandomStream('1', 'client'),
      POOL,
      {
        served: (_client, board, waited) => void this.served.push({ board, waited }),
        wrongRead: (_client, slot) => void this.wrong.push(slot),
        timedOut: () => this.timedOut++,
      },
    );
  }

  claim(board: number, on = true): void {
    this.ports[board]!.onClaim(0, on);
  }

  run(ms: number): void {
    this.clock.runUntil(this.clock.now + ms * MS);
  }
}

test('nothing is sent before somebody has served the volume for the first time', () => {
  const rig = new Rig();
  rig.run(60_000);
  assert.equal(rig.seen, []);
  assert.not(rig.client.waiting);
  rig.claim(1);
  rig.run(10);
  assert.ok(rig.seen.length > 0);
  assert.ok(rig.seen.every(({ board }) => board === 1));
});

test('reads and writes go to its own part, one request at a time, and all are right', () => {
  const rig = new Rig();
  rig.claim(0);
  rig.run(1000);
  const { client } = rig;
  assert.ok(client.writesAcked > 20 && client.reads > 20);
  assert.is(client.writesAcked + client.reads, rig.served.length);
  assert.equal([client.wrongReads, client.timedOut], [0, 0]);
  for (const { lba } of rig.seen) assert.ok(lba >= 64 && lba < 64 + (8 * IO) / 512 && lba % 8 === 0);
  assert.ok(rig.served.every(({ waited }) => waited === 2 * LATENCY));
  for (let i = 1; i < rig.seen.length; i++) assert.ok(rig.seen[i]!.at - rig.seen[i - 1]!.at >= 2 * LATENCY);
});

test('a slot is written before it is read for the first time', () => {
  const rig = new Rig({ writePercent: 0 });
  rig.claim(0);
  rig.run(1000);
  assert.is(rig.client.writesAcked, 8);
  const written = new Set<number>();
  for (const { opcode, lba } of rig.seen) {
    if (opcode === WRITE) written.add(lba);
    else assert.ok(written.has(lba));
  }
});

test('a write is other bytes than its slot holds, so that one that got lost would show', () => {
  const rig = new Rig({ slots: 1, writePercent: 100 });
  rig.claim(0);
  let writes = 0;
  rig.watch = (request) => {
    const before = rig.blocks.get(64);
    if (before !== undefined) assert.not.ok(Buffer.from(request.data!).equals(before));
    writes++;
    return true;
  };
  rig.run(400);
  assert.ok(writes > 100);
});

test('a read that returns what was never written is wrong, and told to the observer', () => {
  const rig = new Rig();
  rig.claim(0);
  rig.run(200);
  rig.spoil = (data) => data.map((byte, i) => (i === IO - 1 ? byte ^ 1 : byte));
  rig.run(200);
  assert.ok(rig.client.wrongReads > 0);
  assert.is(rig.wrong.length, rig.client.wrongReads);
  assert.ok(rig.wrong.every((slot) => slot >= 0 && slot < 8));
});

test('a read that returns an older write is wrong: it was rolled back', () => {
  const rig = new Rig({ slots: 1 });
  rig.claim(0);
  while (rig.client.writesAcked < 1) rig.run(1);
  const first = rig.blocks.get(64)!;
  while (rig.client.writesAcked < 2) rig.run(1);
  assert.is(rig.client.wrongReads, 0);
  rig.spoil = () => first;
  const { reads } = rig.client;
  while (rig.client.reads === reads) rig.run(1);
  assert.is(rig.client.wrongReads, 1);
});

for (const [protocol, seconds] of [
  ['linux-scsi', 30],
  ['nfs', 60],
  ['windows', 60],
  ['iscsi', 120],
] as [Protocol, number][]) {
  test(`a client of ${protocol} waits ${seconds} seconds, then its user sees an error, and it goes on`, () => {
    assert.is(PATIENCE_S[protocol], seconds);
    const rig = new Rig({ protocol });
    rig.answer = () => null;
    rig.claim(0);
    while (!rig.client.waiting) rig.run(1);
    const began = rig.clock.now;
    rig.clock.runUntil(began + (seconds - 1) * SECOND);
    assert.is(rig.client.timedOut, 0);
    rig.clock.runUntil(began + (seconds + 1) * SECOND);
    assert.equal([rig.client.timedOut, rig.timedOut], [1, 1]);
    rig.answer = () => 0;
    rig.run(seconds * 1000 + 1000);
    assert.ok(rig.served.length > 0);
    assert.is(rig.client.wrongReads, 0);
  });
}

test('a write that the client gave up on may turn up later: a read of it is not wrong', () => {
  const rig = new Rig({ slots: 1, writePercent: 0, protocol: 'linux-scsi' });
  let lost: Uint8Array | null = null;
  rig.claim(0);
  rig.watch = (request) => {
    lost ??= request.data?.slice() ?? null; // the first write: taken, never answered
    return false;
  };
  rig.run(31_000);
  assert.is(rig.client.timedOut, 1);
  rig.watch = () => true;
  // It is tried again, as the slot was never written by its knowledge; then the old one surfaces.
  while (rig.client.writesAcked === 0) rig.run(1);
  rig.spoil = () => lost!;
  rig.run(100);
  assert.ok(rig.client.reads > 0);
  assert.is(rig.client.wrongReads, 0);
});

test('a request is sent again when the address moves, and not while it stays', () => {
  const rig = new Rig();
  rig.answer = (board) => (board === 0 ? null : 0);
  rig.claim(0);
  rig.run(10_000);
  assert.is(rig.seen.length, 1);
  rig.claim(1);
  rig.run(400);
  assert.ok(rig.seen.length >= 2);
  assert.is(rig.seen[1]!.board, 1);
  assert.equal([rig.seen[1]!.lba, rig.seen[1]!.opcode], [rig.seen[0]!.lba, rig.seen[0]!.opcode]);
  assert.ok(rig.served[0]!.waited > 10 * SECOND - 10 * MS);
  assert.is(rig.served[0]!.board, 1);
});

test('a request that the board refuses is tried again, and counts once', () => {
  const rig = new Rig({ writePercent: 100 });
  let refusals = 3;
  rig.answer = () => (refusals-- > 0 ? 2 : 0);
  rig.claim(0);
  while (rig.client.writesAcked === 0) rig.run(1);
  assert.is(rig.seen.length, 4);
  assert.is(new Set(rig.seen.map(({ lba }) => lba)).size, 1);
  assert.is(rig.client.timedOut, 0);
});

test('while nobody owns the address nothing is sent; the request waits for the next owner', () => {
  const rig = new Rig();
  rig.answer = () => null;
  rig.claim(0);
  while (rig.seen.length === 0) rig.run(1);
  rig.claim(0, false);
  rig.run(5000);
  assert.is(rig.seen.length, 1);
  rig.answer = () => 0;
  rig.claim(0);
  rig.run(400);
  assert.ok(rig.served.length > 0);
});

test('an answer that comes after the client gave up is nobody’s: it neither counts nor ends the next request', () => {
  const rig = new Rig({ protocol: 'linux-scsi', writePercent: 100, slots: 1 });
  const late: (() => void)[] = [];
  rig.claim(0);
  rig.ports[0]!.place = (request) => {
    late.push(() => request.reply(0, 0, null));
    return true;
  };
  rig.run(31_000);
  assert.is(rig.client.timedOut, 1);
  assert.ok(rig.client.waiting);
  late[0]!();
  rig.run(10);
  assert.is(rig.client.writesAcked, 0);
  assert.ok(rig.client.waiting);
  late.at(-1)?.();
  rig.run(10);
  assert.is(rig.client.writesAcked, 1);
});

test('quiet: what is on its way ends, and nothing new begins', () => {
  const rig = new Rig();
  rig.claim(0);
  rig.run(100);
  rig.client.quiet();
  rig.run(10);
  assert.not(rig.client.waiting);
  const { length } = rig.seen;
  rig.run(10_000);
  assert.is(rig.seen.length, length);
});

test('at the end of a run a write on its way may have landed, or not', () => {
  const rig = new Rig({ writePercent: 100, slots: 1 });
  rig.claim(0);
  while (rig.client.writesAcked === 0) rig.run(1);
  const before = rig.blocks.get(64)!;
  rig.answer = () => null;
  const sent: Uint8Array[] = [];
  rig.watch = (request) => sent.push(request.data!.slice()) > 0;
  while (sent.length === 0) rig.run(1);
  assert.not(rig.client.history.allows(0, sent[0]!));
  rig.client.abandon();
  assert.ok(rig.client.history.allows(0, sent[0]!));
  assert.ok(rig.client.history.allows(0, before));
  assert.not(rig.client.waiting);
});

test.run();
