import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import { A, CAPACITY, GOOD, Testbed, be16, be32, be64, sasId, threeNexuses } from './testbed.test-helper.ts';

const test = suite('mode parameters');
const bed = threeNexuses();
const CURRENT = 0;
const CHANGEABLE = 1;
const DEFAULT = 2;
const SAVED = 3;
const sense6 = (pc: number, page: number, { dbd = 0, subpage = 0, room = 255, on = bed } = {}) =>
  on.execute(A, [0x1a, dbd << 3, (pc << 6) | page, subpage, room, 0], { room });
const sense10 = (pc: number, page: number, { byte1 = 0, subpage = 0, room = 1024, on = bed } = {}) =>
  on.execute(A, [0x5a, byte1, (pc << 6) | page, subpage, 0, 0, 0, ...be16(room), 0], { room });

/** The mode pages behind header and block descriptor, as [code, subpage, page]. */
function pagesOf(data: Uint8Array, start: number): [number, number, Uint8Array][] {
  const pages: [number, number, Uint8Array][] = [];
  for (let at = start; at < data.length;) {
    const long = (data[at]! & 0x40) !== 0;
    const size = long ? ((data[at + 2]! << 8) | data[at + 3]!) + 4 : data[at + 1]! + 2;
    pages.push([data[at]! & 0x3f, long ? data[at + 1]! : 0, data.slice(at, at + size)]);
    at += size;
  }
  return pages;
}
const names = (data: Uint8Array, start: number) =>
  pagesOf(data, start).map(([code, sub]) => `${code.toString(16)}/${sub}`);

test('test_modesense6_all_pages: 3Fh returns the pages, FFh the subpages too [SPC-4] 6.13 table 182', () => {
  const { data } = sense6(CURRENT, 0x3f);
  assert.is(data[0], data.length - 1, 'MODE DATA LENGTH');
  assert.equal(names(data, 12), ['1/0', '2/0', '8/0', 'a/0', '1a/0', '1c/0']);
  assert.equal(names(sense6(CURRENT, 0x3f, { subpage: 0xff }).data, 12), [
    '1/0',
    '2/0',
    '8/0',
    'a/0',
    'a/1',
    '1a/0',
    '1c/0',
  ]);
});

test('test_modesense10_all_pages [SPC-4] 6.14', () => {
  const { data } = sense10(CURRENT, 0x3f);
  assert.equal([...data.subarray(0, 2)], be16(data.length - 2));
  assert.equal(names(data, 16), ['1/0', '2/0', '8/0', 'a/0', '1a/0', '1c/0']);
});

test('test_modesense_subpages: one, all of a page, one that is not there [SPC-4] 6.13', () => {
  assert.equal(names(sense6(CURRENT, 0x0a, { subpage: 1 }).data, 12), ['a/1']);
  assert.equal(names(sense6(CURRENT, 0x0a, { subpage: 0xff }).data, 12), ['a/0', 'a/1']);
  assert.equal(names(sense6(CURRENT, 0x08, { subpage: 0xff }).data, 12), ['8/0']);
  const none = sense6(CURRENT, 0x0a, { subpage: 2 });
  assert.equal([none.sense, none.field], [0x052400, 3]);
  const page = sense6(CURRENT, 0x2f);
  assert.equal([page.sense, page.field, page.bit], [0x052400, 2, 5]);
});

test('test_modesense_page_control: current, default and saved are alike, changeable is a mask [SPC-4] table 181', () => {
  const current = pagesOf(sense6(CURRENT, 0x3f).data, 12);
  assert.equal(pagesOf(sense6(DEFAULT, 0x3f).data, 12), current);
  assert.equal(pagesOf(sense6(SAVED, 0x3f).data, 12), current);
  const mask = pagesOf(sense6(CHANGEABLE, 0x3f).data, 12);
  assert.equal(
    mask.map(([code]) => code),
    current.map(([code]) => code),
  );
  assert.is(mask[2]![2][2]! & 0x04, 0x04, 'WCE');
  for (const [, , page] of current) assert.is(page[0]! & 0x80, 0x80, 'PS');
});

test('test_modesense_block_descriptor: short, long with LLBAA, none with DBD [SPC-4] 7.5.5, [SBC-3] 6.4.2', () => {
  const { data } = sense6(CURRENT, 0x08);
  assert.is(data[3], 8);
  assert.equal([...data.subarray(4, 12)], [...be32(Number(CAPACITY)), ...be32(512)]);
  assert.is(sense6(CURRENT, 0x08, { dbd: 1 }).data[3], 0);
  assert.equal(names(sense6(CURRENT, 0x08, { dbd: 1 }).data, 4), ['8/0']);
  const long = sense10(CURRENT, 0x08, { byte1: 0x10 }).data;
  assert.equal([long[4], ...long.subarray(6, 8)], [1, 0, 16], 'LONGLBA');
  assert.equal([...long.subarray(8, 24)], [...be64(CAPACITY), 0, 0, 0, 0, ...be32(512)]);
  const large = new Testbed({ blocks: 1n << 40n });
  large.attach(A, sasId(1n));
  assert.equal([...sense6(CURRENT, 0x08, { on: large }).data.subarray(4, 8)], be32(0xffffffff));
});

test('test_modesense_device_specific: DPOFUA always, WP when write protected [SBC-3] 6.4.1', () => {
  assert.is(sense6(CURRENT, 0x08).data[2], 0x10);
  const other = new Testbed({ flags: L.LU_FLAG_READ_ONLY });
  other.attach(A, sasId(1n));
  assert.is(sense10(CURRENT, 0x08, { on: other }).data[3], 0x90);
});

test('test_modesense_by_configuration: WCE and D_SENSE [SBC-3] 6.4.5, [SPC-4] 7.5.8', () => {
  for (const [flags, wce, dSense] of [
    [0, 0, 0],
    [L.LU_FLAG_WRITE_CACHE, 4, 0],
    [L.LU_FLAG_DESCRIPTOR_SENSE, 0, 4],
  ] as const) {
    const other = new Testbed({ flags });
    other.attach(A, sasId(1n));
    for (const pc of [CURRENT, DEFAULT, SAVED]) {
      assert.is(sense6(pc, 0x08, { dbd: 1, on: other }).data[4 + 2]! & 4, wce);
      assert.is(sense6(pc, 0x0a, { dbd: 1, on: other }).data[4 + 2]! & 4, dSense);
    }
  }
});

test('test_modesense_alloclen: MODE DATA LENGTH is not cut [SPC-4] 4.2.5.6', () => {
  const whole = sense6(CURRENT, 0x3f).data;
  for (const room of [0, 1, 4, 20]) {
    const { status, data } = sense6(CURRENT, 0x3f, { room });
    assert.is(status, GOOD);
    assert.equal(data, whole.slice(0, room));
  }
});

/** MODE SELECT(6) or (10) of one page, with PF. */
function select(
  on: Testbed,
  page: readonly number[],
  { sp = 0, long = false, descriptor = [] as number[], pf = 0x10, nexus = A, length = -1 } = {},
) {
  const head = long
    ? [0, 0, 0, 0, descriptor.length === 16 ? 1 : 0, 0, ...be16(descriptor.length)]
    : [0, 0, 0, descriptor.length];
  const out = [...head, ...descriptor, ...page];
  const bytes = length < 0 ? out.length : length;
  const cdb = long ? [0x55, pf | sp, 0, 0, 0, 0, 0, ...be16(bytes), 0] : [0x15, pf | sp, 0, 0, bytes, 0];
  return on.execute(nexus, cdb, { out });
}
/** A short block descriptor, [SBC-3] 6.4.2.2. */
const short = (blocks: number, bytes: number): number[] => [...be32(blocks), ...be32(bytes)];

/** A page as MODE SENSE returns it, PS cleared, with some bytes changed. */
function edited(on: Testbed, code: number, changes: Record<number, number>, subpage = 0): number[] {
  const page = [...sense6(CURRENT, code, { dbd: 1, on, subpage }).data.subarray(4)];
  page[0]! &= 0x7f;
  for (const [at, value] of Object.entries(changes)) page[Number(at)] = value;
  return page;
}

test('test_modeselect_wce: off flushes, makes writes go through, and others are told [SPC-4] 6.11, [SBC-3] 4.15', () => {
  for (const long of [false, true]) {
    const on = threeNexuses();
    const off = select(on, edited(on, 8, { 2: 0 }), { long });
    assert.equal([off.status, off.action, off.blocks], [GOOD, L.ACTION_SYNC, CAPACITY]);
    assert.equal(
      [0, 1, 2].map((n) => on.drain(n)),
      [[], [0x062a01], [0x062a01]],
    );
    assert.is(on.execute(A, [0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0], { outBytes: 512 }).flags, L.TASK_FLAG_FUA);
    assert.is(sense6(CURRENT, 8, { dbd: 1, on }).data[6]! & 4, 0);
    assert.is(sense6(SAVED, 8, { dbd: 1, on }).data[6]! & 4, 4, 'not saved');
    assert.is(select(on, edited(on, 8, { 2: 4 }), { long }).action, L.ACTION_NONE);
  }
});

test('test_modeselect_same: values that are as they were tell nobody [SPC-4] 6.11', () => {
  const on = threeNexuses();
  assert.is(select(on, edited(on, 8, {})).status, GOOD);
  assert.equal(on.drain(1), []);
});

test('test_modeselect_save: without SP a reset brings back what was saved, with SP it stays [SPC-4] 6.11', () => {
  for (const sp of [0, 1]) {
    const on = threeNexuses();
    select(on, edited(on, 10, { 2: 0x06 }), { sp });
    assert.is(on.drain(1).length, 1);
    assert.is(
      on.execute(A, [0x28, 0x20, 0, 0, 0, 0, 0, 0, 1, 0], { room: 512 }).senseData[0],
      0x72,
      'D_SENSE counts',
    );
    on.call.lu_power_on(on.lu);
    on.drain(A);
    assert.is(sense6(CURRENT, 10, { dbd: 1, on }).data[6]! & 4, sp * 4);
    assert.is(sense6(DEFAULT, 10, { dbd: 1, on }).data[6]! & 4, 0);
  }
});

test('test_modeselect_swp: software write protect [SPC-4] 7.5.8', () => {
  const on = threeNexuses();
  select(on, edited(on, 10, { 4: 8 }));
  assert.is(on.execute(A, [0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0], { outBytes: 512 }).sense, 0x072700);
  assert.is(sense6(CURRENT, 10, { on }).data[2], 0x90);
});

test('test_modeselect_descriptor: capacity and block length may be told, not changed [SBC-3] 6.4.2', () => {
  const on = threeNexuses();
  const page = edited(on, 8, {});
  assert.is(select(on, page, { descriptor: short(Number(CAPACITY), 512) }).status, GOOD);
  assert.is(select(on, page, { descriptor: short(0, 512) }).status, GOOD);
  assert.is(
    select(on, page, { descriptor: [...be64(CAPACITY), 0, 0, 0, 0, ...be32(512)], long: true }).status,
    GOOD,
  );
  assert.equal(
    [
      select(on, page, { descriptor: short(5, 512) }).field,
      select(on, page, { descriptor: short(0, 4096) }).field,
    ],
    [4, 9],
  );
  assert.is(select(on, page, { descriptor: [0, 0, 0, 0] }).field, 3);
});

test('test_modeselect_invalid: what may not change is pointed at, and nothing of the list is done [SPC-4] 6.11', () => {
  const on = threeNexuses();
  const good = edited(on, 8, { 2: 0 });
  for (const [page, sense, field] of [
    [edited(on, 8, { 3: 1 }), 0x052600, 4 + 20 + 3],
    [edited(on, 10, { 8: 0 }), 0x052600, 4 + 20 + 8],
    [edited(on, 10, { 1: 9 }), 0x052600, 4 + 20 + 1],
    [edited(on, 10, { 3: 1 }, 1), 0x052600, 4 + 20 + 2],
    [[0x2f, 2, 0, 0], 0x052600, 4 + 20],
    [edited(on, 10, {}).slice(0, 11), 0x051a00, -1],
    [[0x0a], 0x051a00, -1],
  ] as const) {
    const o = select(on, [...good, ...page]);
    assert.equal([o.sense, o.field], [sense, field]);
    assert.is(sense6(CURRENT, 8, { dbd: 1, on }).data[6], 4, 'unchanged');
  }
  assert.is(select(on, good, { pf: 0 }).field, 1);
  assert.is(select(on, good, { length: 3 }).sense, 0x051a00);
  assert.is(select(on, good, { length: 60 }).sense, 0x051a00, 'more than the initiator sends');
  assert.is(select(on, good, { length: 0 }).status, GOOD);
  assert.equal(on.drain(1), []);
});

test.run();
