import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NEXUS_MAX } from '../../asm/layout.ts';
import { bareShelf } from './bare.ts';
import { FIRST_NEXUS, iscsiTransportId } from './target-port.ts';

const NAME = 'iqn.2026-01.test:i';
const shelf = () => bareShelf({ disks: 2, sizeMib: 1 });
const isid = (n: number): string => n.toString(16).padStart(12, '0');
const attention = ({ servers }: ReturnType<typeof shelf>, unit: number, nexus: number): number[] => {
  const { status, sense } = servers.execute(unit, nexus, new Uint8Array(6), null, 0);
  return sense === null ? [status] : [status, sense[12]!, sense[13]!];
};

test('the TransportID of an iSCSI initiator port is its name and ISID, padded to words', () => {
  const id = Buffer.from(iscsiTransportId('iqn.2026-01.Test:I', '00023d000001'));
  assert.is(id[0], 0x45);
  assert.is(id.readUInt16BE(2), id.length - 4);
  assert.is(id.length % 4, 0);
  assert.is(id.subarray(4).toString().replace(/\0+$/, ''), 'iqn.2026-01.test:i,i,0x00023d000001');
  assert.ok(id.length <= 256);
  assert.ok(iscsiTransportId(`iqn.${'x'.repeat(219)}`, isid(1)).length <= 256, 'the longest name');
});

test('an initiator port is the same nexus after a logout, and hears of the loss', () => {
  const s = shelf();
  const first = s.ports.login(NAME, isid(1), 1)!;
  assert.ok(first >= FIRST_NEXUS);
  assert.equal(attention(s, 0, first), [2, 0x29, 0x00]);
  assert.equal(attention(s, 0, first), [0]);
  assert.is.not(s.ports.login(NAME, isid(2), 1), first);
  assert.is.not(s.ports.login(NAME, isid(1), 2), first);
  s.ports.logout(first);
  assert.is(s.ports.login(NAME.toUpperCase().replace('IQN', 'iqn'), isid(1), 1), first);
  assert.equal(attention(s, 0, first), [2, 0x29, 0x07]);
});

test('when all nexuses are taken nobody comes in; whoever has been gone longest makes room', () => {
  const s = shelf();
  const room = NEXUS_MAX - FIRST_NEXUS;
  const all = Array.from({ length: room }, (_, i) => s.ports.login(NAME, isid(i), 1));
  assert.is(new Set(all).size, room);
  assert.not(all.includes(null));
  assert.is(s.ports.login(NAME, isid(room), 1), null);
  s.ports.logout(all[7]!);
  s.ports.logout(all[3]!);
  assert.is(s.ports.login(NAME, isid(100), 1), all[7]);
  assert.is(s.ports.login(NAME, isid(3), 1), all[3]);
  assert.equal(
    attention(s, 1, all[7]!),
    [2, 0x29, 0x00],
    'a stranger, not the one who had the number before',
  );
});

test('a name that no TransportID can carry is refused on all disks', () => {
  const s = shelf();
  assert.is(s.ports.login(`iqn.${'x'.repeat(240)}`, isid(1), 1), null);
  assert.ok(s.ports.login(NAME, isid(1), 1) !== null);
});

test.run();
