import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { US } from '../clock.ts';
import {
  A0,
  A1,
  B0,
  B1,
  Bench,
  GOOD,
  SECTOR,
  type Sent,
  TEST_UNIT_READY,
  filled,
  read16,
  write16,
} from './bench.test-helper.ts';
import { boardOf, initiatorAddress, nexusOf } from './fabric.ts';

const test = suite('fabric');

function send(bench: Bench, nexus: number, cdb: Uint8Array, data: Uint8Array | number = 0, disk = 0): Sent {
  const sent = bench.task(nexus, cdb, data, disk);
  bench.fabric.send(sent.task);
  return sent;
}

test('each port of each board is a nexus of its own, with an address of its own', () => {
  const nexuses = [A0, A1, B0, B1];
  assert.is(new Set(nexuses).size, 4);
  assert.equal(
    nexuses.map((nexus) => boardOf(nexus)),
    [0, 0, 1, 1],
  );
  const addresses = [0, 1].flatMap((board) => [0, 1].map((port) => initiatorAddress(board, port)));
  assert.is(new Set(addresses).size, 4);
  assert.ok(addresses.every((address) => address >> 60n === 5n)); // NAA 5h
});

test('a command reaches its disk after the cable, and no other disk', () => {
  const bench = new Bench({ disks: 3 });
  const sent = send(bench, A0, TEST_UNIT_READY, 0, 1);
  bench.clock.runUntil(10 * US - 1);
  assert.is(sent.task.state, 'queued');
  bench.drain();
  assert.is(sent.at, (10 + 60) * US);
  assert.equal(
    bench.ended.map(({ disk }) => disk),
    [1],
  );
});

test('a cut path is cut for that nexus and that disk, and for no other', () => {
  const bench = new Bench({ disks: 2 });
  bench.fabric.setPath(A0, 1, false);
  for (const nexus of [A0, A1, B0, B1]) {
    for (const disk of [0, 1]) {
      assert.is(
        bench.fabric.reachable(nexus, disk),
        !(nexus === A0 && disk === 1),
        `nexus ${nexus} disk ${disk}`,
      );
    }
  }
  bench.fabric.setPath(A0, 1, true);
  assert.ok(bench.fabric.reachable(A0, 1));
});

test('a disk that is not there, and one that is dead, are reachable by nobody', () => {
  const bench = new Bench();
  bench.disks[0]!.dead = true;
  for (const disk of [0, 1, 63, 65535]) assert.not(bench.fabric.reachable(nexusOf(0, 0), disk));
});

test('a path that is cut while a command travels loses it; nothing of it is executed', () => {
  const bench = new Bench();
  const write = send(bench, A0, write16(0, 1), filled(1, 1));
  bench.fabric.setPath(A0, 0, false);
  bench.drain();
  assert.is(write.ended, 'lost');
  assert.equal(bench.landed, []);
});

test('the answer to a command that has arrived comes back although the path is cut behind it', () => {
  const bench = new Bench();
  const write = send(bench, A0, write16(0, 1), filled(1, 1));
  bench.clock.runUntil(20 * US);
  bench.fabric.setPath(A0, 0, false);
  bench.drain();
  assert.is(write.ended, 'completed');
});

test('commands that an initiator abandons on their way never arrive; those of others do', () => {
  const bench = new Bench();
  const write = send(bench, A0, write16(0, 1), filled(1, 1));
  const read = send(bench, B0, read16(0, 1), SECTOR);
  bench.fabric.abandon(write.task.initiator);
  bench.drain();
  assert.equal([write.ended, read.ended], [null, 'completed']);
  assert.is(read.task.status, GOOD);
  assert.equal(bench.landed, []);
});

test('an initiator abandons what it has at every disk at once', () => {
  const bench = new Bench({ disks: 2 });
  const first = send(bench, A0, read16(0, 1), SECTOR, 0);
  const second = bench.task(A0, read16(0, 1), SECTOR, 1);
  second.task.initiator = first.task.initiator;
  bench.fabric.send(second.task);
  bench.clock.runUntil(50 * US); // both are being served
  bench.fabric.abandon(first.task.initiator);
  bench.drain();
  assert.ok(first.task.orphan && second.task.orphan);
  assert.equal([first.ended, second.ended], [null, null]);
});

test.run();
