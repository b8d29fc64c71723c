import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { be32, read10, write10 } from './initiator.test-helper.ts';
import { until, withRig } from './rig.test-helper.ts';

const NO_TAG = 0xffffffff;

test(
  'a command whose immediate data is damaged counts as not received; whatever follows it ends the session',
  withRig(async (rig) => {
    const a = await rig.login({ keys: { DataDigest: 'CRC32C' } });
    const bytes = a.build({
      opcode: 1,
      flags: 0xa1,
      itt: 5,
      data: Buffer.alloc(512, 9),
      put: [
        [20, be32(512)],
        [24, be32(a.cmdSn++)],
        [32, write10(0, 1)],
      ],
    });
    bytes[100]! ^= 1;
    a.raw(bytes);
    const rejected = await a.receive();
    assert.equal([rejected.opcode, rejected.header[2]], [0x3f, 0x02]);
    a.command([0, 0, 0, 0, 0, 0]);
    assert.is(await a.receiveOrEnd(), null);
    assert.equal(rig.onMedium(0, 1), Buffer.alloc(512));
  }),
);

test(
  'an extended CDB is taken from its additional header; any other additional header is rejected',
  withRig(async (rig) => {
    const a = await rig.login();
    const send = (type: number, length: number, words: number): void => {
      const bytes = a.build({
        opcode: 1,
        flags: 0x81,
        itt: 6,
        put: [
          [4, [words]],
          [24, be32(a.cmdSn++)],
          [32, [0x7f, 0, 0, 0, 0, 0, 0, 24]],
        ],
      });
      const ahs = Buffer.alloc(words * 4);
      ahs.writeUInt16BE(length, 0);
      ahs[2] = type;
      a.raw(Buffer.concat([bytes, ahs]));
    };
    send(1, 17, 5);
    assert.equal(await a.outcome(6).then(({ status, sense }) => [status, sense]), [2, 0x052000]);
    for (const [type, length, words] of [
      [2, 5, 2],
      [1, 17, 4],
      [1, 200, 51],
      [9, 1, 1],
    ] as const) {
      send(type, length, words);
      const pdu = await a.receive();
      assert.equal([pdu.opcode, pdu.header[2]], [0x3f, 0x05]);
    }
    await a.ready();
  }),
);

test(
  'a tag that is in use is rejected, and the command that has it goes on',
  withRig(async (rig) => {
    const a = await rig.login({ keys: { InitialR2T: 'Yes', ImmediateData: 'No' } });
    a.command(write10(0, 1), { write: 512, itt: 7 });
    const r2t = await a.receive();
    a.command(write10(0, 1), { write: 512, itt: 7 });
    const pdu = await a.receive();
    assert.equal([pdu.opcode, pdu.header[2]], [0x3f, 0x07]);
    a.dataOut(7, r2t.header.readUInt32BE(20), 0, 0, Buffer.alloc(512, 3), true);
    assert.is((await a.outcome(7)).status, 0);
    assert.equal(rig.onMedium(0, 1), Buffer.alloc(512, 3));
  }),
);

test(
  'immediate commands pass the window, but only so many',
  withRig(
    async (rig) => {
      const a = await rig.login({ keys: { InitialR2T: 'Yes', ImmediateData: 'No' } });
      for (let i = 0; i < 3; i++) {
        a.command(write10(0, 1), { write: 512, immediate: true });
        assert.is((await a.receive()).opcode, 0x31);
      }
      a.command(write10(0, 1), { write: 512, immediate: true });
      const pdu = await a.receive();
      assert.equal([pdu.opcode, pdu.header[2]], [0x3f, 0x06]);
    },
    { limits: { immediates: 3 } },
  ),
);

test(
  'when another initiator ends the commands that fill the window, a NOP-In opens it again',
  withRig(
    async (rig) => {
      const a = await rig.login({ keys: { InitialR2T: 'Yes', ImmediateData: 'No' } });
      const b = await rig.login({ isid: [0x80, 0, 0, 2, 0, 0] });
      for (let i = 0; i < 4; i++) {
        a.command(write10(0, 1), { write: 512 });
        const r2t = await a.receive();
        assert.is(r2t.header.readUInt32BE(32) - r2t.header.readUInt32BE(28), 2 - i, 'MaxCmdSN - ExpCmdSN');
      }
      assert.is(await b.manage(4), 0);
      const nop = await a.receive();
      assert.equal([nop.opcode, nop.header.readUInt32BE(16)], [0x20, NO_TAG]);
      await a.ready();
    },
    { limits: { commands: 4 } },
  ),
);

test(
  'data that does not fit into memory is refused with TASK SET FULL or BUSY; a session has its share, and others go on',
  withRig(
    async (rig) => {
      const keys = { InitialR2T: 'Yes', ImmediateData: 'No' };
      const a = await rig.login({ keys });
      assert.is((await a.run(write10(0, 256), { write: 131072 })).status, 0x08, 'alone: BUSY');
      a.command(write10(0, 16), { write: 8192 });
      a.command(write10(0, 16), { write: 8192 });
      for (let i = 0; i < 2; i++) assert.is((await a.receive()).opcode, 0x31);
      assert.is((await a.run(write10(0, 1), { write: 512 })).status, 0x28, 'beyond a quarter: TASK SET FULL');
      const b = await rig.login({ keys, isid: [0x80, 0, 0, 2, 0, 0] });
      b.command(write10(0, 64), { write: 32768 });
      assert.is((await b.receive()).opcode, 0x31);
      assert.is((await a.run(read10(0, 64), { read: 32768 })).status, 0);
      a.end();
      await until(() => rig.server.sessions().length === 1);
      const c = await rig.login({ keys, isid: [0x80, 0, 0, 3, 0, 0] });
      c.command(write10(0, 64), { write: 32768 });
      assert.is((await c.receive()).opcode, 0x31, 'what the dead session held is free again');
    },
    { limits: { bufferedBytes: 65536 } },
  ),
);

test(
  'a dead disk answers that it does not respond, and the other disk goes on',
  withRig(async (rig) => {
    const a = await rig.login({ keys: { InitialR2T: 'Yes', ImmediateData: 'No' } });
    await a.ready(1);
    const itt = a.command(write10(0, 1), { write: 512 });
    const r2t = await a.receive();
    rig.shelf.disks[0]!.dead = true;
    assert.is((await a.run(read10(0, 1), { read: 512 })).sense, 0x040500);
    a.dataOut(itt, r2t.header.readUInt32BE(20), 0, 0, Buffer.alloc(512, 3), true);
    assert.is((await a.outcome(itt)).sense, 0x040500);
    assert.is((await a.run(read10(0, 1), { lun: 1, read: 512 })).status, 0);
  }),
);

test(
  'a data segment that is longer than the target declared ends the connection',
  withRig(async (rig) => {
    const a = await rig.login();
    a.raw(a.build({ opcode: 0, immediate: true, itt: 1, put: [[5, [4, 0, 1]]] }));
    assert.is(await a.receiveOrEnd(), null);
    assert.ok(rig.events.some((each) => each.event === 'connection-dropped' && /262145/.test(each.why)));
  }),
);

test.run();
