/** Who the logical unit says it is, by the transport it is asked through; and LUNs with nothing behind them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import {
  A,
  B,
  CHECK_CONDITION,
  GOOD,
  type Outcome,
  Testbed,
  be32,
  iscsiId,
  sasId,
} from './testbed.test-helper.ts';

const test = suite('names and LUNs by transport');
const IQN = 'iqn.2026-01.com.example:port-a';
/** A SAS initiator on port 1, an iSCSI one on port 1 and on port 2. */
const SAS = A;
const ISCSI = B;
const ISCSI_2 = 2;

function shelf(names: [string, string] = [IQN, `${IQN}2,t,0x0007`]): Testbed {
  const bed = new Testbed();
  names.forEach((name, i) => {
    bed.bytes.set(Buffer.from(name), bed.out);
    assert.is(bed.call.lu_target_name(bed.lu, i + 1, bed.out, name.length), 1);
  });
  bed.attach(SAS, sasId(1n));
  bed.attach(ISCSI, iscsiId('iqn.x', '00023d000001'));
  bed.attach(ISCSI_2, iscsiId('iqn.x', '00023d000001'), 2);
  return bed;
}
/** Peripheral device addressing below 256, flat space from there, [SAM-5] 4.7.5, 4.7.6. */
const lun = (n: number): number[] => [n < 256 ? 0 : 0x40 | (n >> 8), n & 255, 0, 0, 0, 0, 0, 0];
function setLuns(bed: Testbed, numbers: readonly number[]): number {
  bed.bytes.set(numbers.flatMap(lun), bed.out);
  return bed.call.lu_set_luns(bed.lu, bed.out, numbers.length);
}
const reportLuns = (select: number, room = 4096): number[] => [0xa0, 0, select, 0, 0, 0, ...be32(room), 0, 0];
const lunsOf = ({ data }: Outcome): number[][] =>
  Array.from({ length: (data.length - 8) / 8 }, (_, i) => [...data.subarray(8 + i * 8, 16 + i * 8)]);

interface Designator {
  protocol: number;
  association: number;
  type: number;
  text: string;
}
function designators(bed: Testbed, nexus: number): Designator[] {
  const { data } = bed.execute(nexus, [0x12, 1, 0x83, 4, 0, 0], { room: 1024 });
  const found: Designator[] = [];
  for (let at = 4; at < data.length; at += 4 + data[at + 3]!) {
    assert.is(data[at + 3]! % 4, 0);
    const body = Buffer.from(data.subarray(at + 4, at + 4 + data[at + 3]!));
    found.push({
      protocol: data[at + 1]! & 0x80 ? data[at]! >> 4 : -1,
      association: (data[at + 1]! >> 4) & 3,
      type: data[at + 1]! & 15,
      text: (data[at]! & 15) === 3 ? body.toString().replace(/\0+$/, '') : body.toString('hex'),
    });
  }
  return found;
}

test('through iSCSI the port has a SCSI name string with its portal group tag, and the device its name [SPC-4] 7.8.6.11', () => {
  const bed = shelf();
  const ofPort = (nexus: number) => designators(bed, nexus).filter(({ association }) => association > 0);
  assert.equal(ofPort(ISCSI), [
    { protocol: 5, association: 1, type: 4, text: '00000001' },
    { protocol: 5, association: 1, type: 8, text: `${IQN},t,0x0001` },
    { protocol: 5, association: 2, type: 8, text: IQN },
  ]);
  assert.equal(ofPort(ISCSI_2), [
    { protocol: 5, association: 1, type: 4, text: '00000002' },
    { protocol: 5, association: 1, type: 8, text: `${IQN}2,t,0x0007` },
    { protocol: 5, association: 2, type: 8, text: `${IQN}2` },
  ]);
});

test('through SAS the same logical unit has SAS names, and the same designators of its own [SPC-4] 7.8.6', () => {
  const bed = shelf();
  const own = (nexus: number) => designators(bed, nexus).filter(({ association }) => association === 0);
  assert.equal(own(SAS), own(ISCSI));
  for (const { protocol } of designators(bed, SAS).filter(({ association }) => association > 0))
    assert.is(protocol, 6);
});

test('version descriptors name the transport that asks [SPC-4] 6.6.2 table 178', () => {
  const bed = shelf();
  const versions = (nexus: number) => {
    const { data } = bed.execute(nexus, [0x12, 0, 0, 0, 96, 0], { room: 96 });
    return [58, 60, 62, 64].map((at) => (data[at]! << 8) | data[at + 1]!);
  };
  assert.equal(versions(ISCSI), [0x00a0, 0x0460, 0x04c0, 0x0960]);
  assert.equal(versions(SAS), [0x00a0, 0x0460, 0x04c0, 0x0c20]);
});

test('the longest iSCSI name fits, with its tag; a longer one, a blank, and a third port are refused [RFC 7143] 4.2.7.1', () => {
  const long = `iqn.${'x'.repeat(219)}`;
  const bed = shelf([long, IQN]);
  assert.is(designators(bed, ISCSI).at(-1)?.text, long);
  assert.is(designators(bed, ISCSI).at(-2)?.text, `${long},t,0x0001`);
  for (const [port, name] of [
    [1, `${long}y`],
    [1, 'iqn.a b'],
    [1, ',t,0x0001'],
    [1, 'iqn.a,x'],
    [3, IQN],
    [0, IQN],
  ] as const) {
    bed.bytes.set(Buffer.from(name), bed.out);
    assert.is(bed.call.lu_target_name(bed.lu, port, bed.out, name.length), 0, name);
  }
  assert.is(designators(bed, ISCSI).at(-1)?.text, long, 'nothing has changed');
});

test('without a name the iSCSI port has its number only', () => {
  const bed = new Testbed();
  bed.attach(ISCSI, iscsiId('iqn.x', '00023d000001'));
  assert.equal(
    designators(bed, ISCSI).map(({ type }) => type),
    [3, 1, 4],
  );
});

test('the SCSI ports page names both ports, by the transport that asks [SPC-4] 7.8.14', () => {
  const bed = shelf();
  const ports = (nexus: number) => {
    const { data } = bed.execute(nexus, [0x12, 1, 0x88, 4, 0, 0], { room: 1024 });
    assert.is((data[2]! << 8) | data[3]!, data.length - 4);
    const found: [number, string][] = [];
    for (let at = 4; at < data.length;) {
      const bytes = (data[at + 10]! << 8) | data[at + 11]!;
      const designator = Buffer.from(data.subarray(at + 16, at + 12 + bytes));
      const text = (data[at + 12]! & 15) === 3 ? designator.toString() : designator.toString('hex');
      found.push([(data[at + 2]! << 8) | data[at + 3]!, text.replace(/\0+$/, '')]);
      at += 12 + bytes;
    }
    return found;
  };
  assert.equal(ports(ISCSI), [
    [1, `${IQN},t,0x0001`],
    [2, `${IQN}2,t,0x0007`],
  ]);
  assert.equal(ports(SAS), [
    [1, '5000c50012345679'],
    [2, '5000c5001234567a'],
  ]);
});

test('test_report_luns: iSCSI initiators see the target’s LUNs, a SAS one LUN 0 [SPC-4] 6.33', () => {
  const bed = shelf();
  assert.is(setLuns(bed, [0, 1, 255, 256, 300]), 1);
  bed.drain(ISCSI);
  const all = bed.execute(ISCSI, reportLuns(0), { room: 4096 });
  assert.equal(lunsOf(all), [0, 1, 255, 256, 300].map(lun));
  assert.equal([...all.data.subarray(0, 4)], be32(40));
  assert.equal(lunsOf(bed.execute(ISCSI, reportLuns(2), { room: 4096 })).length, 5);
  assert.equal(lunsOf(bed.execute(ISCSI, reportLuns(1), { room: 4096 })), [], 'well known ones');
  assert.equal(lunsOf(bed.execute(SAS, reportLuns(0), { room: 4096 })), [lun(0)]);
});

test('test_report_luns_alloclen: LUN LIST LENGTH is not cut [SPC-4] 4.2.5.6', () => {
  const bed = shelf();
  setLuns(bed, [0, 1, 2]);
  for (const room of [0, 4, 8, 16, 20]) {
    const { data, status } = bed.execute(ISCSI, reportLuns(0, room), { room });
    assert.is(status, GOOD);
    assert.is(data.length, room);
    if (room >= 4) assert.equal([...data.subarray(0, 4)], be32(24));
  }
});

for (const select of [3, 0x10, 0x11, 0x12, 0xff])
  test(`test_report_luns_select: ${select.toString(16)}h is refused [SPC-4] table 279`, () => {
    const bed = shelf();
    const { status, sense, field } = bed.execute(ISCSI, reportLuns(select), { room: 64 });
    assert.equal([status, sense, field], [CHECK_CONDITION, 0x052400, 2]);
  });

test('LUNs that change are a unit attention for iSCSI initiators, once, and nothing for others [SPC-4] 6.33', () => {
  const bed = shelf();
  setLuns(bed, [0, 1]);
  assert.equal([bed.drain(ISCSI), bed.drain(ISCSI_2), bed.drain(SAS)], [[0x063f0e], [0x063f0e], []]);
  setLuns(bed, [0, 1]);
  assert.equal(bed.drain(ISCSI), []);
  assert.is(bed.call.lu_set_luns(bed.lu, bed.out, L.LUN_MAX + 1), 0);
});

/** A command to a LUN that is not there. */
function absent(bed: Testbed, cdb: readonly number[], room = 4096): Outcome {
  const luns = [0, 3].flatMap(lun);
  bed.execute(SAS, cdb, { room }); // fills the task block
  bed.bytes.fill(0, bed.dataIn, bed.dataIn + 256);
  bed.bytes.set(luns, bed.out);
  assert.is(bed.call.no_lu_execute(bed.out, 2, bed.task), L.ACTION_NONE);
  return bed.outcome();
}

test('where there is no logical unit INQUIRY says 7Fh, [SAM-5] 5.11 and [SPC-4] 6.6.2', () => {
  const { status, data } = absent(shelf(), [0x12, 0, 0, 0, 255, 0]);
  assert.equal([status, data[0], data[3]! & 15, data.length], [GOOD, 0x7f, 2, data[4]! + 5]);
  for (const [cdb, field] of [
    [[0x12, 1, 0x83, 0, 255, 0], 1],
    [[0x12, 0, 0x80, 0, 255, 0], 2],
  ] as const) {
    const { sense, field: told } = absent(shelf(), cdb);
    assert.equal([sense, told], [0x052400, field]);
  }
});

test('REPORT LUNS lists what is there all the same, REQUEST SENSE says 05/25/00 with GOOD [SAM-5] 5.11', () => {
  assert.equal(lunsOf(absent(shelf(), reportLuns(0))), [lun(0), lun(3)]);
  assert.is(absent(shelf(), reportLuns(0x10)).sense, 0x052400);
  const fixed = absent(shelf(), [3, 0, 0, 0, 252, 0]);
  assert.equal(
    [fixed.status, fixed.data[0], fixed.data[2], fixed.data[12], fixed.data.length],
    [GOOD, 0x70, 5, 0x25, 18],
  );
  const descriptor = absent(shelf(), [3, 1, 0, 0, 252, 0]);
  assert.equal([...descriptor.data], [0x72, 5, 0x25, 0, 0, 0, 0, 0]);
});

test('every other command ends with LOGICAL UNIT NOT SUPPORTED and moves nothing [SAM-5] 5.11', () => {
  const bed = shelf();
  for (let opcode = 0; opcode < 256; opcode++) {
    if (opcode === 0x12 || opcode === 0xa0 || opcode === 0x03) continue;
    const { status, sense, moved, residual } = absent(bed, [opcode, ...Array<number>(15).fill(0)], 512);
    assert.equal([status, sense, moved, residual], [CHECK_CONDITION, 0x052500, 0, 512], `${opcode}`);
  }
});

test.run();
