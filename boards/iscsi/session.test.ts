import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { be32, keysOf, read10, text, write10 } from './initiator.test-helper.ts';
import { ImageError } from '../shelf/medium.ts';
import { TARGETS, moment, until, withRig } from './rig.test-helper.ts';

const GOOD = 0;
const CHECK_CONDITION = 2;
const RESERVATION_CONFLICT = 0x18;
const NO_TAG = 0xffffffff;
const pattern = (bytes: number, seed: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + (i >> 8) + seed) & 255));

test(
  'what is written with immediate data is read back, on either portal',
  withRig(async (rig) => {
    const a = await rig.login();
    const b = await rig.login({ portal: 1 });
    const data = pattern(4096, 1);
    assert.is((await a.run(write10(8, 8), { write: 4096, data })).status, GOOD);
    const back = await b.run(read10(8, 8), { read: 4096 });
    assert.is(back.status, GOOD);
    assert.ok(back.data.equals(data));
  }),
);

test(
  'a read longer than the initiator takes in one segment comes in pieces, with bursts ended by F',
  withRig(async (rig) => {
    const a = await rig.login({ keys: { MaxRecvDataSegmentLength: '1024', MaxBurstLength: '2560' } });
    const data = pattern(8192, 3);
    rig.shelf.disks[0]!.medium.write(0, data, 0, data.length);
    a.command(read10(0, 16), { read: 8192, itt: 7 });
    const parts: Buffer[] = [];
    let burst = 0;
    for (let sn = 0; ; sn++) {
      const pdu = await a.receive();
      assert.is(pdu.opcode, 0x25);
      assert.is(pdu.header.readUInt32BE(36), sn, 'DataSN');
      assert.is(pdu.header.readUInt32BE(40), Buffer.concat(parts).length, 'Buffer Offset');
      assert.ok(pdu.data.length <= 1024);
      parts.push(pdu.data);
      burst += pdu.data.length;
      assert.ok(burst <= 2560, 'MaxBurstLength');
      if (pdu.flags & 0x80) burst = 0;
      if (pdu.flags & 1) break;
    }
    assert.ok(Buffer.concat(parts).equals(data));
  }),
);

test(
  'a large write is asked for with R2Ts within MaxBurstLength and MaxOutstandingR2T',
  withRig(async (rig) => {
    const keys = { MaxBurstLength: '8192', MaxOutstandingR2T: '2', InitialR2T: 'Yes', ImmediateData: 'No' };
    const a = await rig.login({ keys });
    const data = pattern(32768, 5);
    const itt = a.command(write10(0, 64), { write: 32768 });
    for (let sn = 0; sn < 4; sn += 2) {
      const asked = [await a.receive(), await a.receive()];
      await moment();
      assert.is(a.pending, 0, 'no third R2T while two are outstanding');
      asked.forEach((r2t, i) => {
        assert.is(r2t.opcode, 0x31);
        assert.is(r2t.header.readUInt32BE(36), sn + i, 'R2TSN');
        assert.is(r2t.header.readUInt32BE(40), (sn + i) * 8192, 'offset');
        assert.is(r2t.header.readUInt32BE(44), 8192, 'length');
      });
      assert.equal(rig.onMedium(0, 64), Buffer.alloc(32768), 'nothing lands before all is there');
      // Both sequences at once, so that the next two R2Ts come together.
      const bytes = asked.map((r2t) => {
        const ttt = r2t.header.readUInt32BE(20);
        const offset = r2t.header.readUInt32BE(40);
        return a.build({
          opcode: 5,
          flags: 0x80,
          itt,
          data: data.subarray(offset, offset + 8192),
          put: [
            [20, be32(ttt)],
            [40, be32(offset)],
          ],
        });
      });
      a.raw(Buffer.concat(bytes));
    }
    assert.is((await a.outcome(itt)).status, GOOD);
    assert.ok(rig.onMedium(0, 64).equals(data));
  }),
);

test(
  'immediate, unsolicited and solicited data of one write come together',
  withRig(async (rig) => {
    const a = await rig.login({ keys: { FirstBurstLength: '4096' } });
    const data = pattern(16384, 9);
    const itt = a.command(write10(4, 32), { write: 16384, data: data.subarray(0, 1024), final: false });
    a.dataOut(itt, NO_TAG, 0, 1024, data.subarray(1024, 2048), false);
    a.dataOut(itt, NO_TAG, 1, 2048, data.subarray(2048, 4096), true);
    const r2t = await a.receive();
    assert.is(r2t.opcode, 0x31);
    assert.is(r2t.header.readUInt32BE(40), 4096);
    assert.is(r2t.header.readUInt32BE(44), 12288);
    a.dataOut(itt, r2t.header.readUInt32BE(20), 0, 4096, data.subarray(4096), true);
    assert.is((await a.outcome(itt)).status, GOOD);
    assert.ok(rig.onMedium(4, 32).equals(data));
  }),
);

test(
  'unsolicited data that was not agreed on ends the command with 0C/0C, and nothing lands',
  withRig(async (rig) => {
    const a = await rig.login({ keys: { InitialR2T: 'Yes', ImmediateData: 'No' } });
    const { status, sense } = await a.run(write10(0, 8), { write: 4096, data: pattern(4096, 1) });
    assert.is(status, CHECK_CONDITION);
    assert.is(sense, 0x0b0c0c);
    assert.equal(rig.onMedium(0, 8), Buffer.alloc(4096));
  }),
);

test(
  'more or less data than an R2T asked for ends the command with 0C/0D, and nothing lands',
  withRig(async (rig) => {
    const a = await rig.login({ keys: { InitialR2T: 'Yes', ImmediateData: 'No' } });
    for (const bytes of [2048, 8192]) {
      const itt = a.command(write10(0, 8), { write: 4096 });
      const r2t = await a.receive();
      a.dataOut(itt, r2t.header.readUInt32BE(20), 0, 0, pattern(bytes, 1), true);
      const { status, sense } = await a.outcome(itt);
      assert.is(status, CHECK_CONDITION);
      assert.is(sense, 0x0b0c0d);
    }
    assert.equal(rig.onMedium(0, 16), Buffer.alloc(8192));
  }),
);

test(
  'a data PDU out of order ends the connection, and nothing lands',
  withRig(async (rig) => {
    for (const [dataSn, offset] of [
      [1, 0],
      [0, 512],
    ] as const) {
      const a = await rig.login({ keys: { InitialR2T: 'Yes', ImmediateData: 'No' } });
      const itt = a.command(write10(0, 8), { write: 4096 });
      const r2t = await a.receive();
      a.dataOut(itt, r2t.header.readUInt32BE(20), dataSn, offset, pattern(1024, 1), false);
      assert.is(await a.receiveOrEnd(), null);
    }
    assert.equal(rig.onMedium(0, 8), Buffer.alloc(4096));
  }),
);

test(
  'residuals: more room than data, more data than room, and nothing at all',
  withRig(async (rig) => {
    const a = await rig.login();
    const under = await a.run(read10(0, 1), { read: 1024 });
    assert.equal([under.status, under.flags & 6, under.residual, under.data.length], [GOOD, 2, 512, 512]);
    const over = await a.run(read10(0, 2), { read: 512 });
    assert.equal([over.flags & 6, over.residual, over.data.length], [4, 512, 512]);
    const writeUnder = await a.run(write10(0, 1), { write: 1024, data: pattern(1024, 2) });
    assert.equal([writeUnder.status, writeUnder.flags & 6, writeUnder.residual], [GOOD, 2, 512]);
    const failed = await a.run([0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 0], { read: 512 });
    assert.equal([failed.status, failed.flags & 6, failed.residual], [CHECK_CONDITION, 2, 512]);
    assert.is(failed.sense, 0x052100);
  }),
);

const registerOf = (listBytes: number): number[] => [
  0x5f,
  0,
  0,
  0,
  0,
  0,
  0,
  listBytes >> 8,
  listBytes & 255,
  0,
];

test(
  'a parameter list longer than the data that was announced: 1A/00, an overflow residual of what is missing, and nothing is done',
  withRig(async (rig) => {
    const a = await rig.login();
    const list = Buffer.alloc(24);
    list.writeBigUInt64BE(0x77n, 8);
    for (const [what, cdb, sent] of [
      ['PERSISTENT RESERVE OUT', registerOf(24), 20],
      ['with SPEC_I_PT data that does not come', registerOf(280), 24],
      ['MODE SELECT(10)', [0x55, 0x10, 0, 0, 0, 0, 0, 0, 24, 0], 12],
      ['EXTENDED COPY', [0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0], 8],
      ['SANITIZE', [0x48, 1, 0, 0, 0, 0, 0, 0, 8, 0], 5],
    ] as const) {
      const o = await a.run([...cdb], { write: sent, data: list.subarray(0, sent) });
      const wanted = (cdb as readonly number[])[0] === 0x83 ? 16 : (cdb[7] << 8) | cdb[8];
      assert.equal([o.status, o.sense], [CHECK_CONDITION, 0x051a00], what);
      assert.equal([o.flags & 6, o.residual], [4, wanted - sent], what);
    }
    const keys = await a.run([0x5e, 0, 0, 0, 0, 0, 0, 0, 64, 0], { read: 64 });
    assert.is(keys.data.readUInt32BE(4), 0);
    const short = await a.run([0x41, 0, 0, 0, 0, 0, 0, 0, 1, 0], { write: 500, data: Buffer.alloc(500) });
    assert.equal([short.sense, short.flags & 6, short.residual], [0x050e03, 4, 12]);
    const whole = await a.run(registerOf(24), { write: 64, data: Buffer.concat([list, Buffer.alloc(40)]) });
    assert.equal([whole.status, whole.flags & 6, whole.residual], [GOOD, 2, 40]);
  }),
);

test(
  'header and data digests protect both directions',
  withRig(async (rig) => {
    const a = await rig.login({ keys: { HeaderDigest: 'CRC32C,None', DataDigest: 'CRC32C' } });
    assert.is(a.agreed['HeaderDigest'], 'CRC32C');
    assert.is(a.agreed['DataDigest'], 'CRC32C');
    const data = pattern(66048, 4);
    assert.is((await a.run(write10(0, 129), { write: data.length, data })).status, GOOD);
    // The initiator of the test throws on a wrong digest.
    const back = await a.run(read10(0, 129), { read: data.length });
    assert.ok(back.data.equals(data));
  }),
);

test(
  'a damaged header ends the connection; damaged data is rejected and its command ends with 47/05',
  withRig(async (rig) => {
    const keys = { HeaderDigest: 'CRC32C', DataDigest: 'CRC32C', InitialR2T: 'Yes', ImmediateData: 'No' };
    const a = await rig.login({ keys });
    const itt = a.command(write10(0, 2), { write: 1024 });
    const r2t = await a.receive();
    const bytes = a.build({
      opcode: 5,
      itt,
      data: pattern(1024, 1),
      put: [[20, be32(r2t.header.readUInt32BE(20))]],
    });
    bytes[bytes.length - 10]! ^= 1;
    a.raw(bytes);
    const rejected = await a.receive();
    assert.equal([rejected.opcode, rejected.header[2]], [0x3f, 0x02]);
    assert.is(rejected.data.length, 48);
    const { status, sense } = await a.outcome(itt);
    assert.equal([status, sense], [CHECK_CONDITION, 0x0b4705]);
    assert.equal(rig.onMedium(0, 2), Buffer.alloc(1024));
    const nop = a.build({ opcode: 0, immediate: true, itt: 9 });
    nop[20]! ^= 1;
    a.raw(nop);
    assert.is(await a.receiveOrEnd(), null);
  }),
);

test(
  'a ping is answered with its data',
  withRig(async (rig) => {
    const a = await rig.login();
    a.send({ opcode: 0, immediate: true, itt: 77, data: Buffer.from('ping'), put: [[20, be32(NO_TAG)]] });
    const pong = await a.receive();
    assert.equal([pong.opcode, pong.header.readUInt32BE(16), pong.data.toString()], [0x20, 77, 'ping']);
  }),
);

test(
  'an initiator that says nothing is asked, and dropped when it does not answer',
  withRig(
    async (rig) => {
      const quiet = await rig.login();
      const alive = await rig.login({ name: 'iqn.2026-01.test:alive' });
      await until(() => rig.server.sessions().length === 2);
      rig.host.pass(1000e6);
      rig.host.pass(1000e6);
      const asked = await alive.receive();
      assert.is(asked.opcode, 0x20);
      alive.send({
        opcode: 0,
        immediate: true,
        itt: NO_TAG,
        put: [[20, asked.header.subarray(20, 24)]],
      });
      assert.is((await quiet.receive()).opcode, 0x20);
      await alive.ready();
      rig.host.pass(600e6);
      assert.is(await quiet.receiveOrEnd(), null);
      assert.is(rig.server.sessions().length, 1);
      await alive.ready();
    },
    { limits: { pingMs: 1000, pingAnswerMs: 500 } },
  ),
);

test(
  'commands below and above the window are ignored, a gap ends the connection',
  withRig(async (rig) => {
    const a = await rig.login();
    const sn = a.cmdSn;
    a.cmdSn = sn + 500;
    a.command([0, 0, 0, 0, 0, 0]);
    a.cmdSn = sn - 1;
    a.command([0, 0, 0, 0, 0, 0]);
    a.cmdSn = sn;
    await a.ready(); // throws at an answer to anything else
    a.cmdSn += 2;
    a.command([0, 0, 0, 0, 0, 0]);
    assert.is(await a.receiveOrEnd(), null);
  }),
);

test(
  'PDUs that the target does not know or do are rejected with their reason, and the session lives on',
  withRig(async (rig) => {
    const a = await rig.login();
    const reasons: [string, () => void, number][] = [
      ['SNACK', () => a.send({ opcode: 0x10, itt: 5 }), 0x03],
      ['an opcode that is none', () => a.send({ opcode: 0x1e, itt: 5 }), 0x05],
      ['a login request', () => a.send({ opcode: 0x03, immediate: true, itt: 5 }), 0x04],
      ['a bidirectional command', () => a.command([0x28], { read: 512, write: 512 }), 0x05],
      ['a reserved attribute', () => a.command([0], { attribute: 6 }), 0x09],
    ];
    for (const [what, send, reason] of reasons) {
      send();
      const pdu = await a.receive();
      assert.is(pdu.opcode, 0x3f, what);
      assert.is(pdu.header[2], reason, what);
    }
    await a.ready();
  }),
);

test(
  'a second connection of a session is refused; the same one again takes its place',
  withRig(async (rig) => {
    const a = await rig.login();
    const other = rig.connect();
    assert.is(await other.login({ target: TARGETS[0], tsih: a.tsih, cid: 2 }), 0x0206);
    const wrong = rig.connect();
    assert.is(await wrong.login({ target: TARGETS[0], tsih: a.tsih + 5 }), 0x020a);
    const again = rig.connect();
    again.cmdSn = a.cmdSn;
    assert.is(await again.login({ target: TARGETS[0], tsih: a.tsih }), 0);
    assert.is(await a.receiveOrEnd(), null);
    assert.is((await again.run([0, 0, 0, 0, 0, 0])).status, GOOD);
    assert.is(rig.server.sessions().length, 1);
  }),
);

test(
  'an initiator that logs in again takes the place of its old session, and keeps its registration',
  withRig(async (rig) => {
    const a = await rig.login();
    const register = [0x5f, 6, 0, 0, 0, 0, 0, 0, 24, 0];
    const list = Buffer.alloc(24);
    list.writeUInt32BE(0xabcd, 12);
    assert.is((await a.run(register, { write: 24, data: list })).status, GOOD);
    const again = rig.connect();
    assert.is(await again.login({ target: TARGETS[0] }), 0);
    assert.is(await a.receiveOrEnd(), null);
    const loss = await again.run([0, 0, 0, 0, 0, 0]);
    assert.equal([loss.status, loss.sense], [CHECK_CONDITION, 0x062907]);
    const reserve = Buffer.alloc(24);
    reserve.writeUInt32BE(0xabcd, 4);
    const reserved = await again.run([0x5f, 1, 3, 0, 0, 0, 0, 0, 24, 0], { write: 24, data: reserve });
    assert.is(reserved.status, GOOD);
    const stranger = await rig.login({ isid: [0x80, 0, 0, 2, 0, 0] });
    assert.is((await stranger.run(read10(0, 1), { read: 512 })).status, RESERVATION_CONFLICT);
  }),
);

test(
  'PREEMPT AND ABORT ends a write that waits for its data: it never lands',
  withRig(async (rig) => {
    const keys = { InitialR2T: 'Yes', ImmediateData: 'No' };
    const a = await rig.login({ keys });
    const b = await rig.login({ isid: [0x80, 0, 0, 2, 0, 0] });
    const register = (who: typeof a, key: number) => {
      const list = Buffer.alloc(24);
      list.writeUInt32BE(key, 12);
      return who.run([0x5f, 6, 0, 0, 0, 0, 0, 0, 24, 0], { write: 24, data: list });
    };
    const itt0 = a.command([0x5f, 6, 0, 0, 0, 0, 0, 0, 24, 0], { write: 24 });
    const ask = await a.receive();
    const list = Buffer.alloc(24);
    list.writeUInt32BE(0x11, 12);
    a.dataOut(itt0, ask.header.readUInt32BE(20), 0, 0, list, true);
    assert.is((await a.outcome(itt0)).status, GOOD);
    assert.is((await register(b, 0x22)).status, GOOD);
    const itt = a.command(write10(0, 8), { write: 4096 });
    const r2t = await a.receive();
    const preempt = Buffer.alloc(24);
    preempt.writeUInt32BE(0x22, 4);
    preempt.writeUInt32BE(0x11, 12);
    const done = await b.run([0x5f, 5, 1, 0, 0, 0, 0, 0, 24, 0], { write: 24, data: preempt });
    assert.is(done.status, GOOD);
    a.dataOut(itt, r2t.header.readUInt32BE(20), 0, 0, pattern(4096, 1), true);
    const told = await a.run([0, 0, 0, 0, 0, 0]); // throws at an answer to the write
    assert.equal([told.status, told.sense], [CHECK_CONDITION, 0x062a05]);
    assert.ok(rig.events.some((each) => each.event === 'reservation-lost' && each.code === '2A/05'));
    assert.equal(rig.onMedium(0, 8), Buffer.alloc(4096));
  }),
);

test(
  'a write whose session dies in the middle never lands in part',
  withRig(async (rig) => {
    const a = await rig.login({ keys: { FirstBurstLength: '4096', MaxBurstLength: '4096' } });
    const itt = a.command(write10(0, 32), { write: 16384, data: pattern(4096, 1) });
    const r2t = await a.receive();
    a.dataOut(itt, r2t.header.readUInt32BE(20), 0, 4096, pattern(4096, 1), true);
    assert.is((await a.receive()).opcode, 0x31);
    a.end();
    await until(() => rig.server.sessions().length === 0);
    assert.equal(rig.onMedium(0, 32), Buffer.alloc(16384));
    assert.not(rig.shelf.disks[0]!.hasTasks(4));
  }),
);

test(
  'task management: abort, query, clear, resets',
  withRig(async (rig) => {
    const a = await rig.login({ keys: { InitialR2T: 'Yes', ImmediateData: 'No' } });
    const b = await rig.login({ isid: [0x80, 0, 0, 2, 0, 0] });
    const hanging = async (): Promise<number> => {
      const itt = a.command(write10(0, 8), { write: 4096 });
      assert.is((await a.receive()).opcode, 0x31);
      return itt;
    };
    const first = await hanging();
    assert.is(await a.manage(9, { tag: first }), 7, 'QUERY TASK finds it');
    assert.is(await a.manage(10), 7, 'QUERY TASK SET');
    assert.is(await a.manage(1, { tag: first }), 0, 'ABORT TASK');
    assert.is(await a.manage(1, { tag: first }), 1, 'it is gone');
    assert.is(await a.manage(9, { tag: first }), 0);
    await hanging();
    assert.is(await a.manage(2), 0, 'ABORT TASK SET');
    assert.is(await a.manage(10), 0);
    await hanging();
    assert.is(await b.manage(4), 0, 'CLEAR TASK SET by another');
    const cleared = await a.run([0, 0, 0, 0, 0, 0]);
    assert.equal([cleared.status, cleared.sense], [CHECK_CONDITION, 0x062f00]);
    await hanging();
    assert.is(await b.manage(5), 0, 'LOGICAL UNIT RESET');
    for (const who of [a, b]) assert.is((await who.run([0, 0, 0, 0, 0, 0])).sense, 0x062903);
    assert.is(await a.manage(5, { lun: 99 }), 2, 'no such LUN');
    assert.is(await a.manage(3), 5, 'CLEAR ACA');
    assert.is(await a.manage(8, { tag: 1 }), 4, 'TASK REASSIGN');
    assert.is(await a.manage(11), 0, 'I_T NEXUS RESET');
    assert.is((await a.run([0, 0, 0, 0, 0, 0])).sense, 0x062907);
    await b.ready();
    assert.is(await a.manage(6), 0, 'TARGET WARM RESET');
    assert.is((await b.run([0, 0, 0, 0, 0, 0])).sense, 0x062902);
    assert.is(await a.manage(99), 255);
    assert.is(await a.manage(7), 0, 'TARGET COLD RESET');
    assert.is(await a.receiveOrEnd(), null);
    assert.is(await b.receiveOrEnd(), null);
    assert.equal(rig.onMedium(0, 8), Buffer.alloc(4096));
  }),
);

test(
  'a target reset ends the tasks of every nexus on both ports and is told to each; a cold one ends the sessions of its target: RFC 7143 11.5.1',
  withRig(async (rig) => {
    const keys = { InitialR2T: 'Yes', ImmediateData: 'No' };
    const a = await rig.login({ keys });
    const same = await rig.login({ keys, isid: [0x80, 0, 0, 2, 0, 0] });
    const other = await rig.login({ keys, portal: 1 });
    const everyone = [a, same, other];
    for (const who of everyone) await who.ready(1);
    for (const [reset, sense, ends] of [
      [6, 0x062902, []],
      [7, 0x062901, [a, same]],
    ] as const) {
      for (const who of everyone) {
        for (const lun of [0, 1]) who.command(write10(0, 1), { write: 512, lun });
        for (let n = 0; n < 2; n++) assert.is((await who.receive()).opcode, 0x31);
      }
      assert.is(await a.manage(reset), 0);
      for (const who of ends) assert.is(await who.receiveOrEnd(), null);
      for (const who of everyone) {
        if ((ends as readonly unknown[]).includes(who)) continue;
        assert.is(await who.manage(10), 0, 'QUERY TASK SET: nothing is left');
        for (const lun of [0, 1]) {
          assert.is((await who.run([0, 0, 0, 0, 0, 0], { lun })).sense, sense);
          assert.is((await who.run([0, 0, 0, 0, 0, 0], { lun })).status, GOOD);
        }
      }
    }
    assert.equal(rig.onMedium(0, 1), Buffer.alloc(512));
    await rig.login({ keys });
  }),
);

test(
  'a registration that the host cannot write to its file is an error to who asked for it, and all are served on',
  withRig(async (rig) => {
    const a = await rig.login();
    const b = await rig.login({ isid: [0x80, 0, 0, 2, 0, 0] });
    const list = Buffer.alloc(24);
    list.writeBigUInt64BE(0x77n, 8);
    list[20] = 1; // APTPL
    rig.shelf.disks[0]!.keepReservations = () => {
      throw new ImageError('/there', new Error('ENOSPC'));
    };
    const registers = [0x5f, 6, 0, 0, 0, 0, 0, 0, 24, 0];
    const failed = await a.run(registers, { write: 24, data: list });
    assert.equal([failed.status, failed.sense], [CHECK_CONDITION, 0x044400]);
    assert.is((await b.run(read10(0, 1), { read: 512 })).status, GOOD);
    rig.shelf.disks[0]!.keepReservations = () => {};
    assert.is((await a.run(registers, { write: 24, data: list })).status, GOOD);
  }),
);

test(
  'an ORDERED command waits for what is older, HEAD OF QUEUE does not, ACA is refused',
  withRig(async (rig) => {
    const a = await rig.login({ keys: { InitialR2T: 'Yes', ImmediateData: 'No' } });
    const slow = a.command(write10(0, 1), { write: 512 });
    const r2t = await a.receive();
    const ordered = a.command([0, 0, 0, 0, 0, 0], { attribute: 2 });
    const behind = a.command([0, 0, 0, 0, 0, 0]);
    const ahead = await a.run([0, 0, 0, 0, 0, 0], { attribute: 3 });
    assert.is(ahead.status, GOOD);
    a.dataOut(slow, r2t.header.readUInt32BE(20), 0, 0, pattern(512, 1), true);
    for (const itt of [slow, ordered, behind]) assert.is((await a.outcome(itt)).status, GOOD);
    const aca = await a.run([0, 0, 0, 0, 0, 0], { attribute: 4 });
    assert.equal([aca.status, aca.sense], [CHECK_CONDITION, 0x054900]);
  }),
);

test(
  'a LUN that does not exist: INQUIRY says so, REPORT LUNS lists the others, a write is refused when its data has come',
  withRig(async (rig) => {
    const a = await rig.login({ keys: { FirstBurstLength: '4096' } });
    assert.is((await a.run([0x12, 0, 0, 0, 36, 0], { lun: 9, read: 36 })).data[0], 0x7f);
    const luns = await a.run([0xa0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0], { lun: 9, read: 64 });
    assert.equal([luns.data.readUInt32BE(0), luns.data[9], luns.data[17]], [16, 0, 1]);
    const itt = a.command(write10(0, 8), { lun: 9, write: 4096, data: pattern(512, 1), final: false });
    await moment();
    assert.is(a.pending, 0, 'no answer before the last data');
    a.dataOut(itt, NO_TAG, 0, 512, pattern(512, 1), true);
    assert.is((await a.outcome(itt)).sense, 0x052500);
  }),
);

test(
  'discovery lists both targets, reached by the address that the initiator used',
  withRig(async (rig) => {
    const d = rig.connect(1);
    d.loginRequest({ target: '' }, 0x87, {
      InitiatorName: 'iqn.2026-01.test:d',
      SessionType: 'Discovery',
      MaxRecvDataSegmentLength: '512',
    });
    assert.is(d.loggedIn(await d.receive()), 0);
    const put: [number, Uint8Array][] = [
      [20, be32(NO_TAG)],
      [24, be32(d.cmdSn++)],
    ];
    d.send({ opcode: 4, itt: 3, data: text({ SendTargets: 'All' }), put });
    const answer = await d.receive();
    const [a, b] = rig.server.portals;
    assert.is(
      answer.data.toString(),
      `TargetName=${TARGETS[0]}\0TargetAddress=127.0.0.1:${a!.port},1\0TargetName=${TARGETS[1]}\0TargetAddress=127.0.0.1:${b!.port},2\0`,
    );
    d.command([0, 0, 0, 0, 0, 0]);
    const rejected = await d.receive();
    assert.equal([rejected.opcode, rejected.header[2]], [0x3f, 0x04], 'no commands in a discovery session');
  }),
);

test(
  'a text answer that is longer than a segment comes in pieces, and text in pieces is put together',
  withRig(async (rig) => {
    const a = await rig.login({ keys: { MaxRecvDataSegmentLength: '512' } });
    const sn = (): [number, Uint8Array] => [24, be32(a.cmdSn++)];
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`X-key.${i}`, 'x']));
    const whole = text(many);
    a.send({ opcode: 4, flags: 0x40, itt: 3, data: whole.subarray(0, 100), put: [[20, be32(NO_TAG)], sn()] });
    const ack = await a.receive();
    assert.equal([ack.opcode, ack.flags & 0xc0, ack.data.length], [0x24, 0, 0]);
    let ttt = ack.header.readUInt32BE(20);
    a.send({ opcode: 4, flags: 0x80, itt: 3, data: whole.subarray(100), put: [[20, be32(ttt)], sn()] });
    const parts: Buffer[] = [];
    for (;;) {
      const piece = await a.receive();
      assert.ok(piece.data.length <= 512);
      parts.push(piece.data);
      if (piece.flags & 0x80) break;
      assert.is(piece.flags & 0x40, 0x40);
      ttt = piece.header.readUInt32BE(20);
      a.send({ opcode: 4, flags: 0x80, itt: 3, put: [[20, be32(ttt)], sn()] });
    }
    const keys = keysOf(Buffer.concat(parts));
    assert.is(Object.keys(keys).length, 40);
    assert.is(keys['X-key.39'], 'NotUnderstood');
    a.send({ opcode: 4, itt: 4, data: text({ X: 'y' }), put: [[20, be32(12345)], sn()] });
    assert.is((await a.receive()).opcode, 0x3f, 'a transfer tag that is none');
  }),
);

test(
  'logout of the session, of the connection, of another connection, and for recovery',
  withRig(async (rig) => {
    const logout = async (reason: number, cid: number) => {
      const a = await rig.login({ cid: 3 });
      a.send({
        opcode: 6,
        immediate: true,
        flags: 0x80 | reason,
        itt: 5,
        put: [
          [20, [cid >> 8, cid & 255]],
          [24, be32(a.cmdSn)],
        ],
      });
      const response = await a.receive();
      assert.is(response.opcode, 0x26);
      return { a, response: response.header[2] };
    };
    for (const reason of [0, 1]) {
      const { a, response } = await logout(reason, 3);
      assert.is(response, 0);
      assert.is(await a.receiveOrEnd(), null);
    }
    assert.is((await logout(1, 9)).response, 1);
    const { a, response } = await logout(2, 3);
    assert.is(response, 2);
    await a.ready();
  }),
);

test(
  'a slow reader stops being read from, and gets everything once it reads again',
  withRig(
    async (rig) => {
      const a = await rig.login();
      const other = await rig.login({ isid: [0x80, 0, 0, 2, 0, 0] });
      const data = pattern(1 << 16, 8);
      rig.shelf.disks[0]!.medium.write(0, data, 0, data.length);
      a.socket.pause();
      const tags = Array.from({ length: 600 }, () => a.command(read10(0, 128), { read: 1 << 16 }));
      for (let i = 0; i < 50; i++) await other.ready();
      const served = rig.server.sessions().find(({ isid }) => isid === '800000010000')!.served;
      assert.ok(served < 300, `${served} of 600 were served while nobody read`);
      a.socket.resume();
      for (const itt of tags) assert.ok((await a.outcome(itt)).data.equals(data));
    },
    { limits: { commands: 1024 } },
  ),
);

test(
  'those who do not read what they asked for do not fill the memory together: BUSY, until the others have read',
  withRig(
    async (rig) => {
      const slow = await rig.login();
      const other = await rig.login({ isid: [0x80, 0, 0, 2, 0, 0] });
      const served = (): number => rig.server.sessions().find(({ isid }) => isid === '800000010000')!.served;
      const before = served();
      slow.socket.pause();
      const itt = slow.command(read10(0, 32768), { read: 16 << 20 });
      await until(() => served() > before);
      const refused = await other.run(read10(0, 32768), { read: 16 << 20 });
      assert.equal([refused.status, refused.residual], [0x08, 16 << 20]);
      assert.is((await other.run(read10(0, 128), { read: 1 << 16 })).status, GOOD, 'small reads go on');
      slow.socket.resume();
      assert.is((await slow.outcome(itt)).data.length, 16 << 20);
      assert.is((await other.run(read10(0, 32768), { read: 16 << 20 })).status, GOOD);
    },
    { limits: { bufferedBytes: 17 << 20 } },
  ),
);

test(
  'connections beyond the bound are closed at once, and make room when they end',
  withRig(
    async (rig) => {
      const first = await rig.login();
      const second = await rig.login({ isid: [0x80, 0, 0, 2, 0, 0] });
      const third = rig.connect();
      assert.is(await third.receiveOrEnd(), null);
      second.end();
      await first.ready();
      await until(() => rig.events.some(({ event }) => event === 'connection-refused'));
      await until(() => rig.server.sessions().length === 1);
      const fourth = await rig.login({ isid: [0x80, 0, 0, 3, 0, 0] });
      await fourth.ready();
    },
    { limits: { connections: 2 } },
  ),
);

test(
  'a flood of connections that say nothing keeps nobody out: the oldest of them makes room',
  withRig(
    async (rig) => {
      const held = await rig.login();
      const silent = Array.from({ length: 40 }, () => rig.connect());
      await until(() => silent.every(({ socket }) => socket.readyState !== 'opening'));
      const newcomer = await rig.login({ isid: [0x80, 0, 0, 2, 0, 0] });
      for (const who of [held, newcomer]) await who.ready();
      await until(() => silent.filter(({ closed }) => !closed).length <= 6);
      assert.not.ok(rig.events.some(({ event }) => event === 'connection-refused'));
    },
    { limits: { connections: 8 } },
  ),
);

test(
  'who does not log in in time is dropped',
  withRig(
    async (rig) => {
      const a = rig.connect();
      await until(() => a.socket.readyState === 'open');
      await rig.login(); // by now the target has accepted both
      rig.host.pass(1100e6);
      assert.is(await a.receiveOrEnd(), null);
    },
    { limits: { loginMs: 1000 } },
  ),
);

test(
  'when the server closes it asks for a logout',
  withRig(async (rig) => {
    const a = await rig.login();
    const closing = rig.server.close();
    const message = await a.receive();
    assert.equal([message.opcode, message.header[36]], [0x32, 1]);
    a.send({ opcode: 6, immediate: true, flags: 0x80, itt: 5, put: [[24, be32(a.cmdSn)]] });
    assert.is((await a.receive()).opcode, 0x26);
    assert.is(await a.receiveOrEnd(), null);
    await closing;
  }),
);

const read16 = (blocks: number): number[] => [0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...be32(blocks), 0, 0];

test(
  'the largest transfer of a disk of 4096-byte blocks is moved whole, and a larger one not at all',
  withRig(
    async (rig) => {
      const a = await rig.login();
      const whole = await a.run(read16(8192), { read: 32 << 20 });
      assert.equal([whole.status, whole.data.length, whole.flags & 6], [0, 32 << 20, 0]);
      const more = await a.run(read16(16384), { read: 64 << 20 });
      assert.equal([more.status, more.sense, more.data.length], [2, 0x052400, 0]);
    },
    { shelf: { disks: 1, sizeMib: 64, config: { blockBytes: 4096, physicalExponent: 0 } } },
  ),
);

test.run();
