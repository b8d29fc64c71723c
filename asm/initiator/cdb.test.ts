import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type DiskIo, instantiateSync } from '../pkg/index.js';
import * as L from '../layout.ts';

const test = suite('commands of the initiator');
const io = instantiateSync();
const bytes = new Uint8Array(io.memory.buffer);
const view = new DataView(io.memory.buffer);
const SQE = (io.heap_base() + 63) & ~63;
const LIST = SQE + 4096;
const DATA = 0x0002_0000;
const KEY = 0x1122_3344_5566_7788n;
const SERVICE = 0x99aa_bbcc_ddee_ff00n;

const hex = (at: number, count: number): string =>
  Buffer.from(bytes.subarray(at, at + count)).toString('hex');
const words = (text: string): string => text.replaceAll(' ', '');

interface Expected {
  cdb: string;
  flags?: number;
  data?: number;
  dataBytes?: number;
  segments?: number;
}

/** [what, clause], how it is built, and the entry that must come of it. */
const COMMANDS: readonly (readonly [what: string, build: (io: DiskIo) => void, expected: Expected])[] = [
  ['TEST UNIT READY, [SPC-4] 6.47', () => io.cdb_test_unit_ready(SQE), { cdb: '00 00 00 00 00 00' }],
  [
    'INQUIRY for standard data, [SPC-4] 6.6',
    () => io.cdb_inquiry(SQE, 0, DATA, 96),
    { cdb: '12 00 00 0060 00', flags: L.SQE_DATA_IN, data: DATA, dataBytes: 96 },
  ],
  [
    'INQUIRY for a page of vital product data, [SPC-4] 6.6',
    () => io.cdb_inquiry(SQE, 0x83, DATA, 4096),
    { cdb: '12 01 83 1000 00', flags: L.SQE_DATA_IN, data: DATA, dataBytes: 4096 },
  ],
  [
    'READ CAPACITY(16), [SBC-3] 5.16',
    () => io.cdb_read_capacity16(SQE, DATA, 32),
    { cdb: '9e 10 0000000000000000 00000020 00 00', flags: L.SQE_DATA_IN, data: DATA, dataBytes: 32 },
  ],
  [
    'READ(16), [SBC-3] 5.15',
    () => io.cdb_read16(SQE, 0x0102_0304_0506_0708n, 0x090a, DATA, 0x12_1400),
    { cdb: '88 00 0102030405060708 0000090a 00 00', flags: L.SQE_DATA_IN, data: DATA, dataBytes: 0x12_1400 },
  ],
  [
    'WRITE(16), [SBC-3] 5.33',
    () => io.cdb_write16(SQE, 0x0102_0304_0506_0708n, 0x90, false, DATA, 0x1_2000),
    { cdb: '8a 00 0102030405060708 00000090 00 00', flags: L.SQE_DATA_OUT, data: DATA, dataBytes: 0x1_2000 },
  ],
  [
    'WRITE(16) with FUA, [SBC-3] 5.33',
    () => io.cdb_write16(SQE, 7n, 8, true, DATA, 4096),
    { cdb: '8a 08 0000000000000007 00000008 00 00', flags: L.SQE_DATA_OUT, data: DATA, dataBytes: 4096 },
  ],
  [
    'WRITE(16) of data in pieces',
    () => io.cdb_write16_list(SQE, 7n, 256, true, LIST, 2, 131_072),
    { cdb: '8a 08 0000000000000007 00000100 00 00', flags: L.SQE_DATA_OUT, data: LIST, dataBytes: 131_072, segments: 2 },
  ],
  ['SYNCHRONIZE CACHE(10), [SBC-3] 5.21', () => io.cdb_synchronize_cache(SQE), { cdb: '35 00 00000000 00 0000 00' }],
  [
    'PERSISTENT RESERVE IN, READ KEYS, [SPC-4] 6.15',
    () => io.cdb_reserve_in(SQE, 0, DATA, 512),
    { cdb: '5e 00 00 00 00 00 00 0200 00', flags: L.SQE_DATA_IN, data: DATA, dataBytes: 512 },
  ],
  [
    'PERSISTENT RESERVE IN, READ RESERVATION, [SPC-4] 6.15',
    () => io.cdb_reserve_in(SQE, 1, DATA, 24),
    { cdb: '5e 01 00 00 00 00 00 0018 00', flags: L.SQE_DATA_IN, data: DATA, dataBytes: 24 },
  ],
]; // prettier-ignore

function assertEntry({ cdb, flags = 0, data = 0, dataBytes = 0, segments = 0 }: Expected): void {
  const expected = words(cdb);
  const count = expected.length / 2;
  assert.is(hex(SQE + L.SQE_CDB_AT, count), expected);
  assert.is(hex(SQE + L.SQE_CDB_AT + count, 16 - count), '00'.repeat(16 - count));
  assert.is(view.getUint8(SQE + L.SQE_CDB_LENGTH_AT), count);
  assert.is(view.getUint8(SQE + L.SQE_FLAGS_AT), flags);
  assert.is(view.getUint32(SQE + L.SQE_SGL_AT, true), data);
  assert.is(view.getUint16(SQE + L.SQE_SGL_COUNT_AT, true), segments);
  assert.is(view.getUint32(SQE + L.SQE_DATA_BYTES_AT, true), dataBytes);
}

for (const [what, build, expected] of COMMANDS) {
  test(`${what}: every byte of the entry is what the standard says, whatever was there before`, () => {
    bytes.fill(0xee, SQE - 64, SQE + 2 * L.SQE_BYTES);
    build(io);
    assertEntry(expected);
    // The caller fills these in: they are 0, and nothing outside the entry is touched.
    assert.is(hex(SQE + L.SQE_TAG_AT, 7), '00'.repeat(7));
    assert.is(
      hex(SQE + L.SQE_TIMEOUT_MS_AT, L.SQE_BYTES - L.SQE_TIMEOUT_MS_AT),
      '00'.repeat(L.SQE_BYTES - L.SQE_TIMEOUT_MS_AT),
    );
    assert.is(hex(SQE - 64, 64) + hex(SQE + L.SQE_BYTES, 64), 'ee'.repeat(128));
  });
}

const ACTIONS = [
  ['REGISTER', 0x00],
  ['RESERVE', 0x01],
  ['RELEASE', 0x02],
  ['CLEAR', 0x03],
  ['PREEMPT', 0x04],
  ['PREEMPT AND ABORT', 0x05],
  ['REGISTER AND IGNORE EXISTING KEY', 0x06],
] as const;

for (const [name, action] of ACTIONS) {
  test(`PERSISTENT RESERVE OUT, ${name}, [SPC-4] 6.16: CDB and parameter list, APTPL where it registers`, () => {
    for (const type of [0, 1, 3, 5, 6, 7, 8]) {
      bytes.fill(0xee, LIST, LIST + 64);
      io.cdb_reserve_out(SQE, action, type, LIST, KEY, SERVICE);
      const cdb = `5f ${action.toString(16).padStart(2, '0')} ${type.toString(16).padStart(2, '0')} 00 00 00000018 00`;
      assertEntry({ cdb, flags: L.SQE_DATA_OUT, data: LIST, dataBytes: 24 });
      const aptpl = action === 0x00 || action === 0x06 ? '01' : '00';
      assert.is(hex(LIST, 24), words(`1122334455667788 99aabbccddeeff00 00000000 ${aptpl} 00 0000`));
      assert.is(hex(LIST + 24, 40), 'ee'.repeat(40));
    }
  });
}

test('an LBA of 64 bits and the largest count pass unharmed', () => {
  io.cdb_read16(SQE, 0xffff_ffff_ffff_fffen, 0xffff_ffff, DATA, 0);
  assert.is(hex(SQE + L.SQE_CDB_AT, 16), words('88 00 fffffffffffffffe ffffffff 00 00'));
});

test('a command that moves nothing has no direction', () => {
  io.cdb_read16(SQE, 0n, 0, DATA, 0);
  assert.is(view.getUint8(SQE + L.SQE_FLAGS_AT), 0);
});

test.run();
