import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import { A, CAPACITY, GOOD, Testbed, be16, be32, be64, sasId, threeNexuses } from './testbed.test-helper.ts';

const test = suite('MODE SENSE');
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
  for (let at = start; at < data.length; ) {
    const long = (data[at]! & 0x40) !== 0;
    const size = long ? ((data[at + 2]! << 8) | data[at + 3]!) + 4 : data[at + 1]! + 2;
    pages.push([data[at]! & 0x3f, long ? data[at + 1]! : 0, data.slice(at, at + size)]);
    at += size;
  }
  return pages;
}
const names = (data: Uint8Array, start: number) => pagesOf(data, start).map(([code, sub]) => `${code.toString(16)}/${sub}`);

test('test_modesense6_all_pages: 3Fh returns the pages, FFh the subpages too [SPC-4] 6.13 table 182', () => {
  const { data } = sense6(CURRENT, 0x3f);
  assert.is(data[0], data.length - 1, 'MODE DATA LENGTH');
  assert.equal(names(data, 12), ['1/0', '8/0', 'a/0', '1c/0']);
  assert.equal(names(sense6(CURRENT, 0x3f, { subpage: 0xff }).data, 12), ['1/0', '8/0', 'a/0', 'a/1', '1c/0']);
});

test('test_modesense10_all_pages [SPC-4] 6.14', () => {
  const { data } = sense10(CURRENT, 0x3f);
  assert.equal([...data.subarray(0, 2)], be16(data.length - 2));
  assert.equal(names(data, 16), ['1/0', '8/0', 'a/0', '1c/0']);
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
  assert.equal(mask.map(([code]) => code), current.map(([code]) => code));
  assert.is(mask[1]![2][2]! & 0x04, 0x04, 'WCE');
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
  for (const [flags, wce, dSense] of [[0, 0, 0], [L.LU_FLAG_WRITE_CACHE, 4, 0], [L.LU_FLAG_DESCRIPTOR_SENSE, 0, 4]] as const) {
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

test.run();
