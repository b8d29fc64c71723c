import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../asm/layout.ts';
import {
  A0,
  B0,
  Bench,
  CHECK_CONDITION,
  GOOD,
  RESERVATION_CONFLICT,
  REGISTER_AND_IGNORE,
  RESERVE,
  SECTOR,
  TEST_UNIT_READY,
  inquiry,
  read16,
  reserveOut,
  senseOf,
  write16,
} from './bench.test-helper.ts';
import { DeviceServers } from './server.ts';

const test = suite('device servers of a shelf');
const KEY = 0x1122334455667788n;

test('each unit is itself: its own serial number, size and reservations', () => {
  const { servers } = new Bench({ disks: 3 });
  const serials = [0, 1, 2].map((unit) => {
    const { moved } = servers.execute(unit, A0, Uint8Array.of(0x12, 1, 0x80, 0, 64, 0), null, 64);
    return Buffer.from(servers.parameterData(moved).subarray(4)).toString().trim();
  });
  assert.equal(serials, ['B0', 'B1', 'B2']);
  const { cdb, data } = reserveOut(REGISTER_AND_IGNORE, 0n, KEY);
  servers.execute(1, A0, cdb, data, 24);
  const reserve = reserveOut(RESERVE, KEY, 0n);
  assert.is(servers.execute(1, A0, reserve.cdb, reserve.data, 24).status, GOOD);
  assert.equal(
    [0, 1, 2].map((unit) => servers.holderKey(unit)),
    [0n, KEY, 0n],
  );
  assert.is(servers.execute(1, B0, write16(0, 1), null, SECTOR).status, RESERVATION_CONFLICT);
  assert.is(servers.execute(2, B0, write16(0, 1), null, SECTOR).status, GOOD);
});

test('a command for the medium says what to move and where; one that is not has its data at once', () => {
  const { servers } = new Bench();
  const read = servers.execute(0, A0, read16(2 ** 14, 3), null, 3 * SECTOR);
  assert.equal([read.action, read.lba, read.blocks, read.moved], [L.ACTION_READ, 2 ** 14, 3, 3 * SECTOR]);
  const short = servers.execute(0, A0, read16(0, 3), null, SECTOR);
  assert.is(short.moved, SECTOR);
  const data = servers.execute(0, A0, inquiry(36), null, 36);
  assert.equal([data.action, data.status, data.moved], [L.ACTION_NONE, GOOD, 36]);
});

test('sense data is a copy: the next command does not change it', () => {
  const { servers } = new Bench();
  const bad = servers.execute(0, A0, read16(2 ** 40, 1), null, SECTOR);
  const before = bad.sense!.slice();
  servers.execute(0, A0, Uint8Array.of(0xff, 0, 0, 0, 0, 0), null, 0);
  assert.equal(bad.sense, before);
  assert.is(senseOf(bad.sense), 0x052100);
});

test('parameter data is a copy: the next command does not change it', () => {
  const { servers } = new Bench({ disks: 2 });
  const serial = Uint8Array.of(0x12, 1, 0x80, 0, 64, 0);
  const first = servers.parameterData(servers.execute(0, A0, serial, null, 64).moved);
  const before = first.slice();
  servers.execute(1, A0, serial, null, 64);
  assert.equal(first, before);
});

for (const [kind, sense] of [
  [L.MEDIUM_READ_ERROR, 0x031100],
  [L.MEDIUM_WRITE_ERROR, 0x030c00],
  [L.MEDIUM_HARDWARE, 0x044400],
] as const) {
  test(`a medium that fails with kind ${kind} is told as ${sense.toString(16)}`, () => {
    const { servers } = new Bench();
    const failed = servers.mediumError(0, A0, kind, 1234);
    assert.is(failed.status, CHECK_CONDITION);
    assert.is(senseOf(failed.sense), sense);
  });
}

test('reservations come back with their image; without it they are gone', () => {
  const first = new Bench();
  first.hold(A0, KEY);
  const image = first.servers.nonVolatile(0).slice();
  const half = image.length / 2;
  const smaller = Buffer.concat([image.subarray(0, 17920), image.subarray(half, half + 17920)]);
  for (const [kept, key] of [
    [image, KEY],
    [smaller, KEY], // as it was once
    [new Uint8Array(image.length), 0n],
  ] as const) {
    const { servers } = new Bench();
    servers.loadNonVolatile(0, kept);
    assert.is(servers.holderKey(0), key);
    // Power came: each nexus is told.
    assert.is(senseOf(servers.execute(0, A0, TEST_UNIT_READY, null, 0).sense), 0x062901);
  }
});

test('CRC32C is that of RFC 3720, appendix B.4', () => {
  const { servers } = new Bench();
  assert.is(servers.crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.is(servers.crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.is(servers.crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
});

test('a shelf of 64 disks has room, and the last one works', () => {
  const servers = new DeviceServers(64);
  servers.create(63, { blocks: 1000, wwn: 0x5000c50000000001n, serial: 'LAST', rotation: 0 });
  servers.login(63, A0, 0x5000c50000000aa0n, 1);
  servers.execute(63, A0, TEST_UNIT_READY, null, 0);
  assert.is(servers.execute(63, A0, TEST_UNIT_READY, null, 0).status, GOOD);
});

test('a unit of no blocks, and a nexus of no port, are refused', () => {
  const servers = new DeviceServers(1);
  assert.throws(
    () => servers.create(0, { blocks: 0, wwn: 1n, serial: '', rotation: 0 }),
    /lu_create refused the configuration of unit 0/,
  );
  servers.create(0, { blocks: 1000, wwn: 1n, serial: '', rotation: 0 });
  assert.throws(() => servers.login(0, L.NEXUS_MAX, 1n, 1), /nexus_login refused nexus 64 of unit 0/);
});

test.run();
