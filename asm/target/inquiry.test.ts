import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { A, C, CHECK_CONDITION, GOOD, Testbed, iscsiId, threeNexuses } from './testbed.test-helper.ts';

const test = suite('INQUIRY');
const bed = threeNexuses();
const inquiry = (evpd: number, page: number, allocation = 255, nexus = A) =>
  bed.execute(nexus, [0x12, evpd, page, allocation >> 8, allocation & 255, 0], { room: allocation });
const ascii = (data: Uint8Array, at: number, length: number): string =>
  Buffer.from(data.subarray(at, at + length)).toString();

test('test_inquiry_standard: a dual-ported disk of SPC-4 [SPC-4] 6.6.2', () => {
  const { status, data } = inquiry(0, 0);
  assert.is(status, GOOD);
  assert.is(data.length, 96);
  assert.is(data[0], 0x00, 'direct access block device');
  assert.is(data[2], 0x06, 'VERSION SPC-4');
  assert.is(data[3]! & 0x0f, 2, 'RESPONSE DATA FORMAT');
  assert.is(data[4], 91, 'ADDITIONAL LENGTH');
  assert.is(data[6]! & 0x10, 0x10, 'MULTIP');
  assert.is(data[7]! & 0x02, 0x02, 'CMDQUE');
  assert.is(ascii(data, 8, 8), 'SPARECOR');
  assert.is(ascii(data, 16, 16), 'DISK            ');
  assert.is(ascii(data, 32, 4), '0001');
});

test('test_inquiry_alloclen: ADDITIONAL LENGTH is not cut by the allocation length [SPC-4] 4.2.5.6', () => {
  for (const allocation of [0, 1, 4, 5, 36, 95, 96, 97]) {
    const { status, data, residual, overflow } = inquiry(0, 0, allocation);
    assert.is(status, GOOD);
    assert.is(data.length, Math.min(96, allocation));
    if (allocation > 4) assert.is(data[4], 91);
    assert.is(residual, allocation - Math.min(96, allocation));
    assert.is(overflow, 0);
  }
});

test('test_inquiry_residuals: an initiator that holds less than it asked for gets an overflow [SAM-5] 5.4.3', () => {
  const { moved, residual, overflow } = bed.execute(A, [0x12, 0, 0, 0, 96, 0], { room: 36 });
  assert.equal([moved, residual, overflow], [36, 60, 1]);
});

for (const [name, cdb, byte, bit] of [
  ['a page without EVPD', [0x12, 0, 0x80, 0, 255, 0], 2, 7],
  ['a page that is not supported', [0x12, 1, 0xb9, 0, 255, 0], 2, 7],
  ['the obsolete CMDDT bit', [0x12, 2, 0, 0, 255, 0], 1, 1],
  ['NACA', [0x12, 0, 0, 0, 255, 4], 5, 2],
] as const) {
  test(`test_inquiry_invalid: ${name} is an invalid field in the CDB, and pointed at [SPC-4] 6.6.1, 4.5.2.4.2`, () => {
    const { status, sense, field, bit: at, inCdb, residual } = bed.execute(A, cdb, { room: 255 });
    assert.equal([status, sense, field, at, inCdb], [CHECK_CONDITION, 0x052400, byte, bit, true]);
    assert.is(residual, 255);
  });
}

test('test_inquiry_supported_vpd: page 00 lists every page that answers, in order [SPC-4] 7.8.17', () => {
  const { data } = inquiry(1, 0x00);
  assert.equal([...data.subarray(4)], [0x00, 0x80, 0x83, 0x86, 0x88, 0xb0, 0xb1, 0xb2]);
  for (const page of data.subarray(4)) {
    const answer = inquiry(1, page, 1024);
    assert.is(answer.status, GOOD);
    assert.is(answer.data[1], page);
    assert.is((answer.data[2]! << 8) | answer.data[3]!, answer.data.length - 4, 'PAGE LENGTH');
  }
});

test('test_inquiry_unit_serial: page 80 [SPC-4] 7.8.18', () => {
  assert.is(ascii(inquiry(1, 0x80).data, 4, 20), 'S0000001'.padEnd(20));
});

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

/** Designators by association << 4 | type. */
function designators(nexus: number): Map<number, Uint8Array> {
  const { data } = inquiry(1, 0x83, 1024, nexus);
  const found = new Map<number, Uint8Array>();
  for (let at = 4; at < data.length; at += 4 + data[at + 3]!) {
    found.set(data[at + 1]! & 0x3f, data.slice(at + 4, at + 4 + data[at + 3]!));
  }
  return found;
}

test('test_inquiry_identification: page 83 names unit, port and device; the port is the one asked [SPC-4] 7.8.6', () => {
  const one = designators(A);
  const two = designators(C);
  assert.is(hex(one.get(0x03)), '5000c50012345678', 'NAA of the logical unit');
  assert.is(hex(two.get(0x03)), '5000c50012345678', 'is the same on both ports');
  assert.is(hex(one.get(0x13)), '5000c50012345679');
  assert.is(hex(two.get(0x13)), '5000c5001234567a');
  assert.is(hex(one.get(0x14)), '00000001', 'relative target port');
  assert.is(hex(two.get(0x14)), '00000002');
  assert.is(Buffer.from(one.get(0x28)!).toString(), 'naa.5000C5001234567B\0\0\0\0');
  assert.match(Buffer.from(one.get(0x01)!).toString(), /^SPARECORS0000001/);
});

test('test_inquiry_block_vpd: B0 limits, B1 rotation rate, B2 no provisioning [SBC-3] 6.5', () => {
  const limits = new DataView(inquiry(1, 0xb0).data.buffer);
  assert.is(limits.byteLength, 64);
  assert.is(limits.getUint16(6), 8, 'OPTIMAL TRANSFER LENGTH GRANULARITY: a physical block');
  assert.is(limits.getUint32(8), 65536, 'MAXIMUM TRANSFER LENGTH');
  assert.is(limits.getUint32(12), 2048, 'OPTIMAL TRANSFER LENGTH: 1 MiB');
  assert.is(new DataView(inquiry(1, 0xb1).data.buffer).getUint16(4), 10500);
  assert.equal([...inquiry(1, 0xb2).data], [0, 0xb2, 0, 4, 0, 0, 0, 0]);
});

test('test_inquiry_iscsi: a disk behind iSCSI says so, and takes iSCSI initiator ports [SPC-4] 7.6.1', () => {
  const other = new Testbed({ protocol: 5 });
  other.attach(0, iscsiId('iqn.2004-10.com.example:host', '0123456789ab'));
  const { data } = other.execute(0, [0x12, 1, 0x83, 0, 255, 0], { room: 255 });
  const port = data.indexOf(0x51, 4);
  assert.is(data[port + 1]! & 0x80, 0x80, 'PIV');
});

test.run();
