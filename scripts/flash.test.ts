/** Flashing as a person does it: the command line on a real port, with the emulated board on the other end of a PTY pair. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IMAGE_MAX, KIND_CORTEX_M } from '../firmware/bootloader/layout.ts';
import { parseImage } from '../boards/image/image.ts';
import { EXIT_BAD_BOARD, EXIT_BAD_FLASH_IMAGE, EXIT_BAD_PORT } from '../boards/input-error.ts';
import { imageOf, keyOf } from '../boards/serial/rig.test-helper.ts';
import { slotAt } from '../boards/serial/rig/slot.ts';
import { EXIT_USAGE } from './exit-codes.ts';
import { needsExternal, needsTool, testUnless } from './harness.ts';
import { type Ended, PtyBoard, program, sparecore, until } from './pty.test-helper.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sparecore-flash-'));
test.after(() => rmSync(scratch, { recursive: true }));

function file(name: string, bytes: Uint8Array): string {
  const path = join(scratch, name);
  writeFileSync(path, bytes);
  return path;
}

const FIRST = imageOf({ bytes: 30_000 });
const SECOND = imageOf({ major: 2, bytes: 130_000 });
const first = file('first.img', FIRST);
const second = file('second.img', SECOND);
const payload = (image: Buffer): Uint8Array => new Uint8Array(parseImage(image).payload);

const PTY = [needsExternal(), needsTool('socat')];

async function withBoard(work: (board: PtyBoard) => Promise<void>, recovery = true): Promise<void> {
  const board = await PtyBoard.start(recovery);
  try {
    await work(board);
  } finally {
    await board.end();
  }
}

testUnless(PTY, 'an image goes over a real port, boots on trial, and another replaces it', () =>
  withBoard(async (board) => {
    const flashed = await sparecore(['flash', board.path, first, '--yes']);
    assert.is(flashed.code, 0, flashed.err);
    assert.match(flashed.out, 'SMP at 115200 baud');
    assert.match(flashed.out, /100 %/);
    assert.match(flashed.out, 'on trial');
    assert.not.match(flashed.out, '\r');
    board.rig.recovery = false;
    board.rig.reset();
    await until(() => board.running !== null);
    assert.equal(board.running!.payload, payload(FIRST));
    board.running!.reboot(true);
    const again = await sparecore([
      'flash',
      board.path,
      second,
      '--yes',
      '--confirm',
      '--protocol',
      'smp',
      '--baud',
      '921600',
    ]);
    assert.is(again.code, 0, again.err);
    board.rig.recovery = false;
    board.rig.reset();
    await until(() => board.running !== null);
    assert.equal(board.running!.payload, payload(SECOND));
    assert.is(board.flash.violations, 0);
  }),
);

testUnless(PTY, 'a cable pulled half way is waited for, and the upload goes on', () =>
  withBoard(async (board) => {
    const pulled: Promise<void>[] = [];
    const flashed = await sparecore(['flash', board.path, second, '--yes', '--protocol', 'smp'], (out) => {
      if (!/ [5-9]\d %/.test(out)) return;
      if (pulled.length === 0) pulled.push(board.pull().then(() => board.plug()));
    });
    assert.is(pulled.length, 1);
    await pulled[0];
    assert.is(flashed.code, 0, flashed.err + flashed.out);
    assert.match(flashed.out, 'waiting for it to come back');
    assert.match(flashed.out, 'lost and found');
  }),
);

testUnless(PTY, 'a board reset half way goes on where it was', () =>
  withBoard(async (board) => {
    let before = 0;
    const flashed = await sparecore(['flash', board.path, second, '--yes', '--protocol', 'smp'], (out) => {
      if (!/ [7-9]\d %/.test(out) || before > 0) return;
      before = board.received;
      board.rig.reset();
    });
    assert.is(flashed.code, 0, flashed.err + flashed.out);
    assert.ok(before > 0);
    assert.ok(board.received - before < 130_000, `${board.received - before} bytes again`);
  }),
);

testUnless(PTY, 'AN3155 over a real port', () =>
  withBoard(async (board) => {
    const flashed = await sparecore(['flash', board.path, first, '--yes', '--protocol', 'stm32']);
    assert.is(flashed.code, 0, flashed.err + flashed.out);
    assert.match(flashed.out, 'written and read back');
  }),
);

testUnless(
  [...PTY, needsTool('stm32flash')],
  "stm32flash, which nobody here wrote, identifies, erases, writes, verifies, reads and starts the board's bootloader",
  () =>
    withBoard(async (board) => {
      const common = ['-m', '8n1', '-b', '115200', board.path];
      const told = await program('stm32flash', common);
      assert.is(told.code, 0, told.err + told.out);
      assert.match(told.out, /Device ID +: 0x0415/);
      const raw = file('first.bin', FIRST);
      const written = await program('stm32flash', ['-w', raw, '-v', '-g', '0x08000000', ...common]);
      assert.is(written.code, 0, written.err + written.out);
      assert.match(written.out, /verified address.*100\.00%/i);
      assert.equal(new Uint8Array(board.flash.read(slotAt(0), FIRST.length)), new Uint8Array(FIRST));
      // It was started: on trial, once the strap is off.
      board.rig.recovery = false;
      board.rig.reset();
      await until(() => board.running !== null);
      assert.equal(board.running!.payload, payload(FIRST));
      board.running!.confirm();
      board.running!.reboot(true);
      // The next one lands in the other slot, and what runs stays.
      const next = await program('stm32flash', ['-w', file('second.bin', SECOND), '-v', ...common]);
      assert.is(next.code, 0, next.err + next.out);
      assert.equal(new Uint8Array(board.flash.read(slotAt(1), SECOND.length)), new Uint8Array(SECOND));
      const back = join(scratch, 'back.bin');
      const read = await program('stm32flash', ['-r', back, '-S', `0x08000000:${SECOND.length}`, ...common]);
      assert.is(read.code, 0, read.err + read.out);
      assert.ok(readFileSync(back).subarray(0, SECOND.length).equals(SECOND));
      const erased = await program('stm32flash', ['-o', ...common]);
      assert.is(erased.code, 0, erased.err + erased.out);
      assert.ok(board.flash.read(slotAt(1), IMAGE_MAX).every((byte) => byte === 0xff));
      assert.equal(new Uint8Array(board.flash.read(slotAt(0), FIRST.length)), new Uint8Array(FIRST));
      assert.is(board.flash.violations, 0);
    }),
);

testUnless(PTY, 'what the board would refuse is refused in one line, and nothing is erased', () =>
  withBoard(async (board) => {
    const operations = board.flash.operations;
    for (const [bytes, why] of [
      [imageOf({ key: keyOf(2) }), 'wrong key'],
      [imageOf({ board: KIND_CORTEX_M }), 'the image is for cortex-m, the board is emulated'],
    ] as const) {
      const flashed = await sparecore(['flash', board.path, file('bad.img', bytes), '--yes']);
      assert.is(flashed.code, EXIT_BAD_FLASH_IMAGE);
      assert.match(flashed.err, why);
      assert.is(flashed.err.trim().split('\n').length, 1);
    }
    const unasked = await sparecore(['flash', board.path, first]);
    assert.is(unasked.code, EXIT_BAD_BOARD);
    assert.match(unasked.err, '--yes');
    assert.is(board.flash.operations, operations);
  }),
);

testUnless(PTY, 'on a terminal it asks before it erases, and draws a bar', () =>
  withBoard(async (board) => {
    const operations = board.flash.operations;
    // socat gives the command line a terminal.
    const command = `${process.execPath} build/js/scripts/sparecore.js flash ${board.path} ${first}`;
    const env = { ...process.env, CI: '', TERM: 'xterm' };
    const answer = (text: string): Promise<Ended> => {
      let typed = false;
      const type = (out: string, write: (keys: string) => void): void => {
        if (typed || !out.includes('[y/N]')) return;
        typed = true;
        write(text);
      };
      return program('socat', ['-t', '60', '-', `EXEC:${command},pty,setsid,ctty,stderr`], type, env);
    };
    const no = await answer('n\n');
    assert.match(no.out, 'erase a slot and write 1.0.0');
    assert.match(no.out, 'Go on? [y/N]');
    assert.match(no.out, 'nothing was erased');
    assert.is(board.flash.operations, operations);
    const yes = await answer('y\n');
    assert.match(yes.out, '\r\x1b[K');
    assert.match(yes.out, /\d+ %/);
    assert.match(yes.out, 'on trial');
    assert.ok(board.flash.operations > operations);
  }),
);

testUnless(PTY, 'a port in use, and a board that does not answer', () =>
  withBoard(async (board) => {
    board.rig.powerOff();
    const silent = await sparecore(['flash', board.path, first, '--yes', '--baud', '115200']);
    assert.is(silent.code, EXIT_BAD_BOARD, silent.err);
    assert.match(
      silent.err,
      'no answer; tried SMP at 115200 baud, 8N1, and AN3155 (stm32) at 115200 baud, 8E1',
    );
    const { openPort } = await import('../boards/serial/port.ts');
    const taken = await openPort({ path: board.path, baud: 115200 });
    const busy = await sparecore(['flash', board.path, first, '--yes']);
    await taken.close();
    assert.is(busy.code, EXIT_BAD_PORT, busy.err);
    assert.match(busy.err, 'in use by another program');
  }),
);

test('what is no port and what is no image is said in one line', async () => {
  const nowhere = await sparecore(['flash', join(scratch, 'nowhere'), first, '--yes']);
  assert.is(nowhere.code, EXIT_BAD_PORT, nowhere.err);
  assert.match(nowhere.err, 'no such port; sparecore ports lists');
  const none = await sparecore(['flash', first, first, '--yes']);
  assert.is(none.code, EXIT_BAD_PORT, none.err);
  assert.match(none.err, 'is not a serial port');
  for (const [bytes, why] of [
    [Buffer.alloc(100), 'no MCUboot image header'],
    [FIRST.subarray(0, 1000), 'it is cut off'],
  ] as const) {
    const refused = await sparecore(['flash', 'nowhere', file('bad.img', bytes)]);
    assert.is(refused.code, EXIT_BAD_FLASH_IMAGE);
    assert.match(refused.err, why);
    assert.is(refused.err.trim().split('\n').length, 1);
  }
  assert.is((await sparecore(['flash', 'nowhere', first, '--baud', 'fast'])).code, EXIT_USAGE);
  assert.is((await sparecore(['flash', 'nowhere', first, '--test', '--confirm'])).code, EXIT_USAGE);
});

test('a key pair signs an image that its public half verifies, twice the same bytes', async () => {
  const key = join(scratch, 'rig.pem');
  const made = await sparecore(['image', 'keygen', key]);
  assert.is(made.code, 0, made.err);
  assert.is(statSync(key).mode & 0o777, 0o600);
  const build = file('build.wasm', Buffer.alloc(5000, 3));
  const [one, two] = [join(scratch, 'one.img'), join(scratch, 'two.img')];
  for (const out of [one, two]) {
    const choices = ['--key', key, '--version', '3.2.1+9', '--counter', '4', '--out', out];
    const signed = await sparecore(['image', 'sign', build, ...choices]);
    assert.is(signed.code, 0, signed.err);
  }
  assert.ok(readFileSync(one).equals(readFileSync(two)));
  const info = await sparecore(['image', 'info', one, '--json']);
  const { version, security_counter, board } = JSON.parse(info.out) as Record<string, unknown>;
  assert.equal([version, security_counter, board], ['3.2.1+9', 4, 'emulated']);
  const good = await sparecore(['image', 'verify', one, '--key', join(scratch, 'rig.pub.pem')]);
  assert.is(good.code, 0, good.err);
  await sparecore(['image', 'keygen', join(scratch, 'other.pem')]);
  const bad = await sparecore(['image', 'verify', one, '--key', join(scratch, 'other.pub.pem')]);
  assert.is(bad.code, EXIT_BAD_FLASH_IMAGE);
  assert.match(bad.err, 'not signed by the key');
});

test('a private key that others can read does not sign, and a key is not replaced by mistake', async () => {
  const key = join(scratch, 'open.pem');
  await sparecore(['image', 'keygen', key]);
  chmodSync(key, 0o644);
  const signed = await sparecore(['image', 'sign', first, '--key', key]);
  assert.is(signed.code, EXIT_BAD_FLASH_IMAGE);
  assert.match(signed.err, 'can be read by others; chmod 600 it');
  const again = await sparecore(['image', 'keygen', key]);
  assert.is(again.code, EXIT_BAD_FLASH_IMAGE);
  assert.match(again.err, 'is there already');
});

test('ports are listed, for people and for programs', async () => {
  const listed = await sparecore(['ports', '--json']);
  assert.is(listed.code, 0, listed.err);
  assert.ok(Array.isArray(JSON.parse(listed.out)));
  assert.is((await sparecore(['ports'])).code, 0);
});

test.run();
