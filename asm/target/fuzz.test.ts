/**
 * Random and mutated CDBs with random parameter data: no trap, no byte outside the unit's block, the data-in buffer
 * and the task block, nothing moved that may not be, and no state that cannot be.
 * SPARECORE_FUZZ: how many commands; SPARECORE_SEED: another stream.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import { CAPACITY, DATA_ROOM, Testbed, be32, iscsiId, sasId } from './testbed.test-helper.ts';

const test = suite('fuzz');
const COUNT = Number(process.env['SPARECORE_FUZZ'] ?? 200_000);
const SEED = Number(process.env['SPARECORE_SEED'] ?? 1);
const GUARD = 0xa5;
const NEXUSES = 4;
const IDS = [
  sasId(1n),
  sasId(2n),
  iscsiId('iqn.a', '00000000000a'),
  iscsiId(`iqn.${'b'.repeat(200)}`, '00000000000b'),
];

let state = (SEED * 2654435761) >>> 0 || 1;
function random(below: number): number {
  state ^= state << 13;
  state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state % below;
}
const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
const chance = (one: number): boolean => random(one) === 0;

const KNOWN = [
  0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x16, 0x17, 0x1a, 0x1b, 0x1d, 0x1e, 0x25, 0x28, 0x2a, 0x2e, 0x2f, 0x34,
  0x35, 0x37, 0x41, 0x42, 0x48, 0x4d, 0x55, 0x56, 0x57, 0x5a, 0x5e, 0x5f, 0x5f, 0x5f, 0x5f, 0x7f, 0x83, 0x84,
  0x88, 0x89, 0x8a, 0x8b, 0x8e, 0x8f, 0x90, 0x91, 0x93, 0x9c, 0x9e, 0x9f, 0xa0, 0xa3, 0xa4, 0xa8, 0xaa, 0xae,
  0xaf, 0xb7,
];
const WRITES = new Set([0x0a, 0x2a, 0x2e, 0xaa, 0xae, 0x8a, 0x8e]);
const ACTION_OF: Record<number, readonly number[]> = {
  [L.ACTION_READ]: [0x08, 0x28, 0xa8, 0x88],
  [L.ACTION_WRITE]: [0x0a, 0x2a, 0xaa, 0x8a, 0x9c],
  [L.ACTION_WRITE_VERIFY]: [0x2e, 0xae, 0x8e],
  [L.ACTION_VERIFY]: [0x2f, 0xaf, 0x8f, 0x34, 0x90],
  [L.ACTION_COMPARE_WRITE]: [0x89],
  [L.ACTION_OR_WRITE]: [0x8b],
  [L.ACTION_WRITE_SAME]: [0x41, 0x93],
  [L.ACTION_UNMAP]: [0x42],
  [L.ACTION_LBA_STATUS]: [0x9e],
  [L.ACTION_SANITIZE]: [0x48],
  [L.ACTION_COPY]: [0x83],
  [L.ACTION_SYNC]: [0x35, 0x91, 0x1b, 0x15, 0x55], // a stop, or WCE turned off, flushes
};

/** Bytes of a CDB by its group code. */
const cdbBytes = (opcode: number): number => [6, 10, 10, 32, 16, 12, 16, 16][opcode >> 5]!;

function fillCdb(cdb: Uint8Array): void {
  cdb.fill(0);
  const opcode = chance(8) ? random(256) : pick(KNOWN);
  const bytes = cdbBytes(opcode);
  cdb[0] = opcode;
  if (chance(3)) {
    for (let i = 1; i < bytes; i++) cdb[i] = random(256);
  } else {
    // near what is valid: a small length at the end, an LBA now and then near the end of the medium
    cdb[1] =
      opcode === 0x5f || opcode === 0x5e ? random(9) : opcode === 0x9e ? 0x10 : chance(4) ? random(256) : 0;
    cdb[bytes - 2] = random(40);
    if (bytes === 10) cdb[8] = random(64);
    if (opcode === 0x5f) {
      cdb[2] = chance(6) ? random(256) : pick([1, 3, 5, 6, 7, 8]);
      cdb[8] = chance(3) ? random(256) : 24;
      cdb[7] = chance(10) ? random(4) : 0;
    }
    if (chance(3) && bytes >= 10) cdb.set(be32(Number(CAPACITY) - random(40)), bytes === 16 ? 6 : 2);
    if (opcode === 0x12)
      cdb.set(
        [
          chance(2) ? 1 : 0,
          pick([0, 0x80, 0x83, 0x86, 0xb0, 0xb1, 0xb2, random(256)]),
          random(4),
          random(256),
        ],
        1,
      );
    if (opcode === 0x1a || opcode === 0x5a)
      cdb.set([random(4) << 3, pick([0x3f, 8, 10, 1, 28, random(256)]), pick([0, 0, 1, 255])], 1);
  }
  if (chance(5)) cdb[1 + random(bytes - 1)]! ^= 1 << random(8);
}

/** A parameter list of MODE SELECT: pages as they might be, a byte of them changed. */
function fillModeList(list: Uint8Array, long: boolean): void {
  list.fill(0);
  let at = long ? 8 : 4;
  if (chance(4) && list.length >= at) list[at - 1] = pick([8, 8, 16, random(256)]);
  while (at + 2 < list.length) {
    const [code, bytes] = pick([
      [1, 10],
      [8, 18],
      [10, 10],
      [0x1c, 10],
      [0x4a, 1],
      [random(256), random(256)],
    ] as const);
    list[at] = code;
    list[at + 1] = bytes;
    if (at + 2 + random(12) < list.length) list[at + 2 + random(10)] = pick([0, 2, 4, 6, 8, 0xff]);
    at += code === 0x4a ? 32 : bytes + 2;
  }
}

/** A parameter list of PERSISTENT RESERVE OUT that is often nearly right. */
function fillList(list: Uint8Array, cdb: Uint8Array): void {
  list.fill(0);
  if (chance(6)) for (let i = 0; i < list.length; i++) list[i] = random(256);
  if (list.length < 24) return;
  list[7] = random(4);
  list[15] = random(4);
  if ((cdb[1]! & 0x1f) === 7) {
    list[17] = random(4);
    list[19] = random(4);
  } else {
    list[20] = chance(3) ? random(16) : chance(2) ? 1 : 0;
  }
  let at = (cdb[1]! & 0x1f) === 7 ? 24 : 28;
  const start = at;
  while (at < list.length && !chance(4)) {
    const id = pick(IDS);
    list.set(id.subarray(0, list.length - at), at);
    at += id.length;
  }
  if (list.length >= start && !chance(5)) list.set(be32(chance(4) ? random(400) : at - start), start - 4);
}

/** Descriptors near what is valid, [SBC-3] 5.28.2. */
function fillUnmapList(list: Uint8Array): void {
  list.fill(0);
  if (list.length < 8) return;
  list[3] = chance(4) ? random(256) : Math.max(0, list.length - 8) & 0xff;
  for (let at = 8; at + 16 <= list.length; at += 16) {
    list.set(be32(chance(8) ? random(2 ** 31) : random(Number(CAPACITY))), at + 4);
    list.set(be32(random(chance(8) ? 2 ** 31 : 64)), at + 8);
  }
}

/** Bytes the initiator offers: most often what the CDB asks for. */
function offered(cdb: Uint8Array): number {
  const opcode = cdb[0]!;
  if (chance(20)) return random(512);
  if (opcode === 0x5f || opcode === 0x55 || opcode === 0x42 || opcode === 0x48)
    return (cdb[7]! << 8) | cdb[8]!;
  if (opcode === 0x15) return cdb[4]!;
  return WRITES.has(opcode) ? random(40) * 512 : random(2) * 512;
}

test(`${COUNT} random commands: no trap, no stray byte, nothing that may not be (SPARECORE_SEED=${SEED})`, () => {
  const bed = new Testbed({ flags: L.LU_FLAG_WRITE_CACHE | L.LU_FLAG_THIN });
  const { call, lu, task } = bed;
  const bytes = bed.bytes;
  const view = bed.view;
  const memoryEnd = bytes.length;
  for (let n = 0; n < NEXUSES; n++) bed.attach(n, IDS[n % IDS.length]!, 1 + (n & 1));

  // everything that is not the unit, the task or the data-in buffer is guard
  const guards: [number, number][] = [
    [call.heap_base(), bed.config],
    [bed.config + L.LU_CONFIG_BYTES, lu],
    [lu + bed.luBytes, task],
    [task + L.TASK_BYTES, bed.id],
    [bed.dataIn + DATA_ROOM, memoryEnd - 65536],
  ];
  for (const [from, to] of guards) bytes.fill(GUARD, from, to);
  const pattern = new Uint8Array(memoryEnd).fill(GUARD);
  const intact = (from: number, to: number): boolean =>
    Buffer.compare(bytes.subarray(from, to), pattern.subarray(0, to - from)) === 0;

  const statuses = new Map<number, number>();
  const cdb = bytes.subarray(task + L.TASK_CDB_AT, task + L.TASK_CDB_AT + 32);
  const u32 = (at: number): number => view.getUint32(task + at, true);
  let writes = 0;
  let unmaps = 0;

  for (let i = 0; i < COUNT; i++) {
    const nexus = chance(200) ? random(100) : random(NEXUSES);
    fillCdb(cdb);
    const opcode = cdb[0]!;
    const outBytes = offered(cdb);
    const inBytes = random(600);
    const room = chance(4) ? random(600) : 600;
    // the list lies at the very end of the memory: to read beyond it is a trap
    const list = memoryEnd - Math.min(outBytes, 65000);
    if (opcode === 0x15 || opcode === 0x55) fillModeList(bytes.subarray(list, memoryEnd), opcode === 0x55);
    else if (opcode === 0x42) fillUnmapList(bytes.subarray(list, memoryEnd));
    else fillList(bytes.subarray(list, memoryEnd), cdb);
    bytes.fill(GUARD, bed.dataIn, bed.dataIn + 1024);
    view.setUint32(task + L.TASK_CDB_LENGTH_AT, cdbBytes(opcode), true);
    view.setUint32(task + L.TASK_NEXUS_AT, nexus, true);
    view.setUint32(task + L.TASK_ATTRIBUTE_AT, random(4), true);
    view.setUint32(task + L.TASK_DATA_OUT_AT, list, true);
    view.setUint32(task + L.TASK_DATA_OUT_BYTES_AT, outBytes, true);
    view.setUint32(task + L.TASK_DATA_IN_AT, bed.dataIn, true);
    view.setUint32(task + L.TASK_DATA_IN_BYTES_AT, inBytes, true);
    view.setUint32(task + L.TASK_DATA_IN_ROOM_AT, room, true);
    const reservation = bed.reservation();
    const registered = new Set<number>();
    if (WRITES.has(opcode) && reservation !== null) {
      const count = call.lu_registrations(lu, bed.out, 16384);
      for (let r = 0; r < count; r++)
        registered.add(
          view.getUint32(bed.out + r * L.LU_REGISTRATION_BYTES + L.LU_REGISTRATION_NEXUS_AT, true),
        );
    }

    const told = `command ${i}: nexus ${nexus}, CDB ${Buffer.from(cdb.subarray(0, cdbBytes(opcode))).toString('hex')}`;
    let action = 0;
    try {
      action = call.lu_execute(lu, task);
    } catch (error) {
      assert.unreachable(`${told}: ${String(error)}`);
    }
    const status = u32(L.TASK_STATUS_AT);
    const senseBytes = u32(L.TASK_SENSE_LENGTH_AT);
    const moved = u32(L.TASK_MOVED_BYTES_AT);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (![0x00, 0x02, 0x04, 0x18].includes(status)) assert.unreachable(`${told}: status ${status}`);
    if ((status === 0x02) !== senseBytes > 0 || senseBytes > L.TASK_SENSE_BYTES)
      assert.unreachable(`${told}: sense`);
    if (action !== u32(L.TASK_ACTION_AT)) assert.unreachable(`${told}: action`);
    if (!intact(bed.dataIn + room, bed.dataIn + 1024))
      assert.unreachable(`${told}: wrote beyond the data-in buffer`);
    if (action === L.ACTION_NONE) {
      if (
        ![0x5f, 0x15, 0x55, 0x42, 0x48, 0x83, 0x4c, 0x1d].includes(opcode) &&
        moved > Math.min(room, inBytes)
      )
        assert.unreachable(`${told}: moved ${moved}`);
    } else {
      const lba = view.getBigUint64(task + L.TASK_LBA_LO_AT, true);
      const blocks = view.getBigUint64(task + L.TASK_BLOCKS_LO_AT, true);
      if ((status !== 0 && status !== 4) || !ACTION_OF[action]?.includes(opcode))
        assert.unreachable(`${told}: action ${action}`);
      if (lba >= CAPACITY || blocks > CAPACITY - lba) assert.unreachable(`${told}: beyond the medium`);
      if (action === L.ACTION_UNMAP) {
        const extents = u32(L.TASK_EXTENTS_AT);
        for (let n = 0; n < u32(L.TASK_EXTENT_COUNT_AT); n++) {
          const from = view.getBigUint64(extents + n * L.EXTENT_BYTES, true);
          const count = BigInt(view.getUint32(extents + n * L.EXTENT_BYTES + L.EXTENT_BLOCKS_AT, true));
          if (from >= CAPACITY || count > CAPACITY - from) assert.unreachable(`${told}: unmaps beyond`);
        }
        unmaps++;
      }
      if (WRITES.has(opcode)) {
        writes++;
        if (moved > outBytes || blocks * 512n > BigInt(outBytes))
          assert.unreachable(`${told}: more than was sent`);
        if (reservation !== null) {
          const holds = reservation.type >= 7 ? registered.has(nexus) : reservation.nexus === nexus;
          if (!holds && !(registered.has(nexus) && reservation.type >= 5))
            assert.unreachable(`${told}: a write past a reservation`);
        }
      }
    }
    checkState(bed, told);

    if (action === L.ACTION_SANITIZE) call.lu_sanitize(lu, L.SANITIZE_DONE);
    if (chance(64)) {
      switch (random(6)) {
        case 0:
          bed.logout(random(NEXUSES));
          break;
        case 1:
          bed.powerCycle();
          break;
        case 2:
          call.lu_reset(lu, random(5));
          break;
        case 3:
          call.lu_task_management(lu, random(70), random(256), task);
          break;
        case 4:
          call.lu_medium_error(lu, task, random(9), random(2 ** 31), random(2));
          break;
        default:
          break;
      }
      const n = random(NEXUSES);
      bed.login(n, pick(IDS), 1 + random(2));
      if (chance(2)) bed.drain(n);
      bytes.set([0, 0, 0, 0, 0, 0], task); // the drain's CDB
    }
    if (i % 1024 === 0)
      for (const [from, to] of guards)
        if (!intact(from, to)) assert.unreachable(`${told}: a guard from ${from} on`);
  }
  for (const [from, to] of guards) assert.ok(intact(from, to), 'guards');
  for (const status of [0x00, 0x02, 0x18])
    assert.ok((statuses.get(status) ?? 0) > COUNT / 100, `status ${status} is met`);
  assert.ok(writes > COUNT / 1000, `${writes} writes`);
  assert.ok(unmaps > COUNT / 10000, `${unmaps} unmaps`);
});

/** A reservation has a valid type and a holder that is registered; there are as many registrations as are counted. */
function checkState(bed: Testbed, told: string): void {
  const { call, lu, view, out } = bed;
  const held = call.lu_reservation(lu, out);
  const type = view.getUint32(out + L.LU_RESERVATION_TYPE_AT, true);
  const key = view.getBigUint64(out, true);
  const count = view.getUint32(out + L.LU_RESERVATION_COUNT_AT, true);
  if (held !== (type === 0 ? 0 : 1) || ![0, 1, 3, 5, 6, 7, 8].includes(type))
    assert.unreachable(`${told}: type ${type}`);
  if (type !== 0 && count === 0) assert.unreachable(`${told}: a reservation without registrations`);
  if (count > L.REGISTRATION_MAX) assert.unreachable(`${told}: ${count} registrations`);
  if ((type === 0 || type >= 7) !== (key === 0n))
    assert.unreachable(`${told}: holder's key ${key} of type ${type}`);
}

test.run();
