/** A board that runs, read by the command line over the control socket of its pair. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { answerLive } from '../boards/core/live-board.ts';
import { EXIT_BAD_CORE } from '../boards/input-error.ts';
import { EXIT_UNAVAILABLE } from './exit-codes.ts';
import { makeMachine } from '../boards/machine.ts';
import { loadScenario } from '../boards/scenario-file.ts';
import { needsTool, testUnless } from './harness.ts';
import { ROOT } from './repository.ts';

const folder = mkdtempSync(join(tmpdir(), 'sparecore-live-'));
const SOCKET = join(folder, 'serve-1.sock');

/** Both boards of the small pair, 0.2 s after they have power; b then loses it. */
const machine = makeMachine({ scenario: loadScenario('small'), seed: '1', folder: null, firmware: null });
for (const board of machine.boards) board.powerOn();
machine.clock.runUntil(200e6);
machine.boards[1].powerOff();

const server: Server = createServer((socket) => {
  socket.once('data', (line: Buffer) => {
    const answer = answerLive(line.toString(), machine.boards) ?? { ok: false, text: 'unknown order' };
    socket.end(`${JSON.stringify(answer)}\n`);
  });
});
server.listen(SOCKET);
test.after(() => {
  server.close();
  machine.close();
  rmSync(folder, { recursive: true });
});

async function run(program: string, ...parameters: string[]): Promise<{ code: number; out: string }> {
  const child = spawn(program, parameters, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (out += part));
  const [code] = (await once(child, 'close')) as [number];
  return { code, out };
}

const core = (...parameters: string[]) =>
  run(process.execPath, 'build/js/scripts/sparecore.js', 'core', ...parameters);

test('info tells what a running board does', async () => {
  const { code, out } = await core('info', `live:a@${SOCKET}`);
  assert.is(code, 0, out);
  assert.match(out, /^no panic is recorded in this memory$/m);
  assert.match(out, /^board +system 1001, partner 1002, boot epoch 1, normal$/m);
  assert.match(out, /^when +0\.[12]\d\d s after power-on/m);
  assert.match(out, /^memory +16 MiB of RAM$/m);
  assert.match(out, /ready, volumes served: 1$/m);
});

test('every reading verb works on it as on a core', async () => {
  const source = `live:a@${SOCKET}`;
  assert.match((await core('print', source, 'core.state')).out, /^ {2}state +2 BOARD_NORMAL/m);
  assert.match((await core('log', source)).out, /boot epoch 1$/m);
  assert.match((await core('trace', source)).out, / ready +1 /);
  assert.match((await core('read', source, '0x40004', '4')).out, /^00040004 {2}e9 03 00 00 /m);
  assert.is((await core('verify', source)).code, 0);
  const image = join(folder, 'core');
  assert.is((await core('export', source, '--format', 'elf', '-o', image)).code, 0);
  assert.match((await core('diff', source, image)).out, /^the same /m);
});

test('a board without power, a pair that is not there, and a third board are refused in one line', async () => {
  for (const [source, says, exit] of [
    [`live:b@${SOCKET}`, /board b has no power/, EXIT_BAD_CORE],
    [`live:a@${SOCKET}x`, /no pair is served there/, EXIT_UNAVAILABLE],
    ['live:c', /a live board is live:a or live:b/, EXIT_BAD_CORE],
  ] as const) {
    const { code, out } = await core('info', source);
    assert.is(code, exit);
    assert.match(out, says);
    assert.is(out.trimEnd().split('\n').length, 1);
  }
});

testUnless([needsTool('gdb'), needsTool('gcc')], 'gdb attaches to a running board', async () => {
  const remote = `target remote | ${process.execPath} build/js/scripts/sparecore.js core gdb --stdio live:a@${SOCKET}`;
  const { out } = await run(
    'gdb',
    '-nx',
    '-batch',
    'build/debug/sparecore.elf',
    '-ex',
    remote,
    '-ex',
    'p core.state',
    '-ex',
    'p disks[1].owner',
    '-ex',
    'monitor info',
  );
  assert.match(out, /^\$1 = BOARD_NORMAL$/m);
  assert.match(out, /^\$2 = 1001$/m);
  assert.match(out, /^board +system 1001, partner 1002/m);
});

test.run();
