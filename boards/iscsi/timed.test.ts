import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { read10, write10 } from './initiator.test-helper.ts';
import { type Rig, moment, withRig } from './rig.test-helper.ts';

const TIMED = { shelf: { config: { immediate: false, accessUs: 5000, rateMbS: 100, reserveUs: 700 } } };
const MS = 1_000_000;
const filled = (byte: number): Buffer => Buffer.alloc(4096, byte);

/** A disk of these tests answers nothing by itself: a moment later its clock goes on. */
const timed = (use: (rig: Rig) => Promise<void>): (() => Promise<void>) =>
  withRig(
    async (rig) => {
      const stop = { stopped: false };
      // Board time goes on by itself while initiators log in.
      const pump = async (): Promise<void> => {
        while (!stop.stopped) {
          if (running) rig.clock.runUntil(rig.clock.now + 10 * MS);
          await moment();
        }
      };
      running = true;
      const pumping = pump();
      try {
        await use(rig);
      } finally {
        stop.stopped = true;
        await pumping;
      }
    },
    { ...TIMED, limits: { commands: 512 } },
  );
let running = true;

test(
  'a disk with a time of its own answers when its time has come',
  timed(async (rig) => {
    const a = await rig.login();
    running = false;
    await moment();
    const itt = a.command(write10(0, 8), { write: 4096, data: filled(7) });
    await moment();
    assert.is(a.pending, 0);
    assert.equal(rig.onMedium(0, 8), filled(0), 'nothing lands before its time');
    rig.clock.runUntil(rig.clock.now + 6 * MS);
    assert.is((await a.outcome(itt)).status, 0);
    assert.equal(rig.onMedium(0, 8), filled(7));
  }),
);

test(
  'a write that is being served is aborted: by ABORT TASK, by the end of its session, by a reset',
  timed(async (rig) => {
    const a = await rig.login();
    const b = await rig.login({ isid: [0x80, 0, 0, 2, 0, 0] });
    running = false;
    await moment();
    const itt = a.command(write10(0, 8), { write: 4096, data: filled(7) });
    await moment();
    assert.is(await a.manage(1, { tag: itt }), 0);
    a.command(write10(0, 8), { write: 4096, data: filled(8) });
    await moment();
    assert.is(await b.manage(5), 0);
    running = true;
    await b.ready();
    running = false;
    await moment();
    a.command([0, 0, 0, 0, 0, 0]);
    a.command(write10(0, 8), { write: 4096, data: filled(9) });
    await moment();
    a.end();
    running = true;
    await b.ready();
    const back = await b.run(read10(0, 8), { read: 4096 });
    assert.equal(back.data, filled(0));
  }),
);

test(
  'with TAS a task that another initiator aborts ends with TASK ABORTED, and so do those that wait for data',
  timed(async (rig) => {
    const keys = { InitialR2T: 'Yes' };
    const a = await rig.login({ keys });
    const b = await rig.login({ isid: [0x80, 0, 0, 2, 0, 0] });
    // Control mode page: TAS is bit 6 of byte 5
    const sensed = await b.run([0x1a, 8, 0x0a, 0, 32, 0], { read: 32 });
    const page = Buffer.from(sensed.data.subarray(0, 16));
    page[0] = 0;
    page[2] = 0;
    page[4]! &= 0x3f;
    page[9]! |= 0x40;
    assert.is((await b.run([0x15, 0x10, 0, 0, 16, 0], { write: 16, data: page })).status, 0);
    await a.ready();
    running = false;
    await moment();
    const served = a.command(write10(0, 8), { write: 4096, data: filled(7) });
    const waiting = a.command(write10(8, 8), { write: 4096, data: filled(7) });
    const short = a.command(write10(16, 16), { write: 8192, data: filled(7) });
    assert.is((await a.receive()).opcode, 0x31);
    assert.is(await b.manage(4), 0);
    for (const itt of [served, waiting]) assert.is((await a.outcome(itt)).status, 0x40);
    running = true;
    await moment();
    assert.is(a.pending, 0, 'the third one waits for the end of its data');
    void short;
    assert.equal(rig.onMedium(0, 32), Buffer.alloc(16384));
  }),
);

test(
  'a queue that is full says so, and empties in order',
  timed(async (rig) => {
    const a = await rig.login();
    running = false;
    await moment();
    const tags = Array.from({ length: 300 }, () => a.command(read10(0, 1), { read: 512 }));
    for (let i = 0; i < 10; i++) await moment();
    assert.is(a.pending, 44, 'those beyond the bound are answered at once');
    const full: number[] = [];
    for (let i = 0; i < 44; i++) full.push((await a.receive()).header[3]!);
    assert.equal(new Set(full), new Set([0x28]));
    running = true;
    for (const itt of tags.slice(0, 256)) assert.is((await a.outcome(itt)).status, 0);
  }),
);

test.run();
