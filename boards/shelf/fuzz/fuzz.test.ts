/** SPARECORE_FUZZ: how many commands; SPARECORE_SEED: another stream. `scripts/bench/fuzz-cdb.ts` runs many more. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../../asm/layout.ts';
import { Fuzz } from './fuzz.ts';
import { Reservation, identity } from './reservation.ts';
import { iscsiId, sasId } from './unit.ts';

const test = suite('random commands to every kind of disk');
const COUNT = Number(process.env['SPARECORE_FUZZ'] ?? 300_000);
const SEED = Number(process.env['SPARECORE_SEED'] ?? 1);
const ACTIONS = [
  L.ACTION_READ,
  L.ACTION_WRITE,
  L.ACTION_SYNC,
  L.ACTION_VERIFY,
  L.ACTION_WRITE_VERIFY,
  L.ACTION_COMPARE_WRITE,
  L.ACTION_WRITE_SAME,
  L.ACTION_UNMAP,
  L.ACTION_OR_WRITE,
  L.ACTION_LBA_STATUS,
  L.ACTION_SANITIZE,
  L.ACTION_COPY,
];

test(`${COUNT} commands: no trap, no stray byte, nothing past a reservation or a write protection (SPARECORE_SEED=${SEED})`, () => {
  const fuzz = new Fuzz(SEED);
  fuzz.run(COUNT);
  const { commands, statuses, actions } = fuzz.tally;
  assert.is(commands, COUNT);
  for (const status of [0x00, 0x02, 0x18]) assert.ok(statuses[status]! > COUNT / 10, `status ${status}`);
  for (const action of ACTIONS) assert.ok((actions[action] ?? 0) > COUNT / 30_000, `action ${action}`);
});

test('the same seed gives the same commands and answers', () => {
  const [one, other, third] = [5, 5, 6].map((seed) => {
    const fuzz = new Fuzz(seed);
    fuzz.run(20_000);
    return fuzz.tally;
  });
  assert.equal(one, other);
  assert.not.equal(one, third);
});

// --- the second opinion on reservations, by itself ------------------------------------------------------------------

const A = identity(sasId(1n), 1);
const B = identity(iscsiId('iqn.b', '00023d000001'), 2);

/** A parameter list of PERSISTENT RESERVE OUT with this service action reservation key. */
function list(key: number, flags = 0, id: Uint8Array = new Uint8Array()): Uint8Array {
  const bytes = Buffer.alloc(24 + (id.length ? 4 + id.length : 0));
  bytes[15] = key;
  bytes[20] = flags;
  if (id.length) {
    bytes.writeUInt32BE(id.length, 24);
    bytes.set(id, 28);
  }
  return bytes;
}
const cdb = (action: number, type = 0): Uint8Array => Uint8Array.of(0x5f, action, type);

test('the model keeps writes of another out of type 1, and reads too out of type 3', () => {
  for (const [type, read] of [
    [1, true],
    [3, false],
  ] as const) {
    const model = new Reservation();
    model.reserved(A, cdb(0), list(1));
    model.reserved(B, cdb(0), list(2));
    model.reserved(A, cdb(1, type), list(0));
    assert.equal(
      [model.allows(A.text, true), model.allows(B.text, true), model.allows(B.text, false)],
      [true, false, read],
    );
    model.reserved(B, cdb(4, 5), list(1));
    assert.equal([model.holder, model.type, [...model.keys.values()]], [B.text, 5, [2n]]);
    assert.is(model.allows(A.text, true), false);
  }
});

test('the model knows TransportIDs of either kind, and forgets without APTPL', () => {
  const model = new Reservation();
  model.reserved(A, cdb(0), list(7, 8 | 4 | 1, iscsiId('IQN.B', '00023D000001')));
  assert.is(model.keys.size, 4, 'two initiator ports, two target ports');
  assert.ok(model.keys.has(B.text), 'names are not case-sensitive');
  model.powerCycle();
  assert.is(model.keys.size, 4);
  model.reserved(A, cdb(0), list(7, 0));
  model.powerCycle();
  assert.is(model.keys.size, 0);
});

test.run();
