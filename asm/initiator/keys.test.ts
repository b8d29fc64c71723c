import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instantiateSync } from '../pkg/index.js';

const test = suite('reservation data that the initiator reads');
const io = instantiateSync();
const bytes = new Uint8Array(io.memory.buffer);
const view = new DataView(io.memory.buffer);
const AT = (io.heap_base() + 63) & ~63;
const ROOM = 512;
const KEY_A = (1001n << 32n) | 3n;
const KEY_B = (1002n << 32n) | 0xffffffffn;
const HIGH = 0xfedc_ba98_7654_3210n;

/** READ KEYS data, [SPC-4] 6.15.2; `listed` is what the additional length says. */
function keys(list: readonly bigint[], listed = list.length * 8): void {
  bytes.fill(0xee, AT, AT + ROOM);
  view.setUint32(AT, 7); // PRgeneration
  view.setUint32(AT + 4, listed);
  list.forEach((key, i) => view.setBigUint64(AT + 8 + i * 8, key));
}

test('a key is found wherever it stands, and one that is not there is not', () => {
  keys([KEY_A, HIGH, KEY_B]);
  for (const key of [KEY_A, HIGH, KEY_B]) assert.is(io.keys_contain(AT, ROOM, key), 1);
  for (const key of [0n, KEY_A + 1n, HIGH >> 32n, 0xeeee_eeee_eeee_eeeen])
    assert.is(io.keys_contain(AT, ROOM, key), 0);
});

test('without registrations there is no key, whatever lies behind', () => {
  keys([KEY_A], 0);
  assert.is(io.keys_contain(AT, ROOM, KEY_A), 0);
  assert.is(io.keys_find_system(AT, ROOM, 1001), 0n);
});

test('a list that says it is longer than what was asked for is read only so far', () => {
  keys([HIGH, KEY_B, KEY_A], 0xffff_fff8);
  assert.is(io.keys_contain(AT, 8 + 16, KEY_B), 1);
  assert.is(io.keys_contain(AT, 8 + 16, KEY_A), 0);
  assert.is(io.keys_find_system(AT, 8 + 16, 1001), 0n);
});

test('half a key at the end of the data is none', () => {
  keys([HIGH, KEY_A], 15);
  assert.is(io.keys_contain(AT, ROOM, KEY_A), 0);
  assert.is(io.keys_contain(AT, ROOM, HIGH), 1);
  keys([HIGH, KEY_A]);
  assert.is(io.keys_contain(AT, 8 + 15, KEY_A), 0);
});

test('the key of a board is found by its system id, the first of several', () => {
  keys([KEY_B, KEY_A, KEY_A + 5n]);
  assert.is(io.keys_find_system(AT, ROOM, 1001), KEY_A);
  assert.is(BigInt.asUintN(64, io.keys_find_system(AT, ROOM, 1002)), KEY_B);
  assert.is(io.keys_find_system(AT, ROOM, 1003), 0n);
  assert.is(io.keys_find_system(AT, ROOM, 3), 0n); // its boot epoch is not its id
});

/** READ RESERVATION data, [SPC-4] 6.15.3. */
function reservation(key: bigint, type: number, listed = 16): void {
  bytes.fill(0, AT, AT + 24);
  view.setUint32(AT + 4, listed);
  view.setBigUint64(AT + 8, key);
  bytes[AT + 21] = type; // scope LU_SCOPE 0h, type
}

test('holder and type of a reservation are read', () => {
  for (const [key, type] of [[KEY_A, 1], [HIGH, 5], [0x7fn, 8]] as const) {
    reservation(key, type);
    assert.is(BigInt.asUintN(64, io.reservation_key(AT)), key);
    assert.is(io.reservation_type(AT), type);
  }
}); // prettier-ignore

test('the scope is no part of the type', () => {
  reservation(KEY_A, 0x35);
  assert.is(io.reservation_type(AT), 5);
});

test('without a reservation there is no holder and no type, whatever lies behind', () => {
  for (const listed of [0, 8, 15]) {
    reservation(KEY_A, 1, listed);
    assert.equal([io.reservation_key(AT), io.reservation_type(AT)], [0n, 0]);
  }
});

test.run();
