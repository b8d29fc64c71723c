/** As many nexuses and registrations as a logical unit can know, with the longest names there are. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import { CHECK_CONDITION, GOOD, Testbed, be16, iscsiId, write10 } from './testbed.test-helper.ts';

const test = suite('bounds');
const APTPL = 1;
/** 223 bytes of name, [RFC 7143] 4.2.7.1, all alike but the last digits. */
const longest = (n: number): Uint8Array =>
  iscsiId(`iqn.2026-01.com.example:${'x'.repeat(195)}${String(n).padStart(4, '0')}`, '00023d000001');

function full(): Testbed {
  const bed = new Testbed();
  for (let n = 0; n < L.NEXUS_MAX; n++) {
    bed.attach(n, longest(n), 1 + (n & 1));
    assert.is(bed.prOut(n, 0, { actionKey: BigInt(n + 1), flags: APTPL }).status, GOOD);
  }
  return bed;
}

test('64 nexuses are registered at once, and each has its own key [SPC-4] 5.13.7', () => {
  const bed = full();
  assert.equal(
    bed.keys(),
    Array.from({ length: L.REGISTRATION_MAX }, (_, n) => BigInt(n + 1)),
  );
  const keys = bed.prIn(0, 0);
  assert.equal([...keys.data.subarray(4, 8)], [0, 0, ...be16(8 * L.REGISTRATION_MAX)]);
  const status = bed.prIn(63, 3, 65535);
  assert.is(status.moved, 8 + L.REGISTRATION_MAX * (24 + longest(0).length));
});

test('the 65th is refused, changes nothing, and finds room when one has gone [SPC-4] 5.13.7', () => {
  const bed = full();
  const before = bed.generation();
  bed.logout(63);
  bed.attach(63, longest(64));
  const refused = bed.prOut(63, 0, { actionKey: 99n });
  assert.equal([refused.status, refused.sense], [CHECK_CONDITION, 0x055504]);
  assert.equal([bed.keys().length, bed.generation()], [64, before]);
  assert.is(bed.prOut(5, 0, { key: 6n, actionKey: 0n, flags: APTPL }).status, GOOD);
  assert.is(bed.prOut(63, 0, { actionKey: 99n, flags: APTPL }).status, GOOD);
  assert.is(bed.keys().length, 64);
});

test('who lost its slot to another keeps its registration, and finds it elsewhere [SPC-4] 5.13.7', () => {
  const bed = full();
  bed.prOut(63, 1, { key: 64n, type: 1 });
  bed.logout(63);
  bed.attach(63, longest(64));
  assert.equal(bed.reservation(), { key: 64n, type: 1, nexus: L.NO_NEXUS });
  bed.logout(10);
  bed.attach(10, longest(63), 2);
  assert.equal(bed.reservation(), { key: 64n, type: 1, nexus: 10 });
  assert.is(bed.execute(10, write10(0, 1), { outBytes: 512 }).status, GOOD);
});

test('all of them with the longest names outlive power loss, saved mode pages beside them [SPC-4] 5.13.5.1', () => {
  const bed = full();
  bed.prOut(7, 1, { key: 8n, type: 6 });
  const out = [0, 0, 0, 0, 0x0a, 0x0a, 0x02, 0x10, 0, 0x40, 0, 0, 0xff, 0xff, 0, 1];
  assert.is(bed.execute(7, [0x15, 0x11, 0, 0, out.length, 0], { out }).status, GOOD);
  bed.powerCycle();
  assert.is(bed.keys().length, 64);
  assert.equal(bed.reservation(), { key: 8n, type: 6, nexus: 7 });
  assert.is(bed.call.lu_control(bed.lu), L.LU_CONTROL_TAS);
});

test('ALL_TG_PT and SPEC_I_PT take as much room as they register, or none [SPC-4] 6.16.3', () => {
  const bed = full();
  assert.is(
    bed.prOut(0, 0, { key: 1n, actionKey: 1n, flags: 4 }).status,
    0x18,
    'the other port is not registered',
  );
  const refused = bed.prOut(0, 6, { actionKey: 1n, flags: 4 });
  assert.equal([refused.sense, bed.keys().length], [0x055504, 64]);
  bed.prOut(1, 0, { key: 2n, actionKey: 0n });
  assert.is(bed.prOut(0, 6, { actionKey: 1n, flags: 4 }).status, GOOD);
  assert.is(bed.keys().filter((key) => key === 1n).length, 2);
});

test.run();
