/** sparecore serve and ctl as a user has them: processes, sockets, exit codes. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  EXIT_BAD_IMAGE,
  EXIT_BAD_PORTAL,
  EXIT_BAD_SCENARIO,
  EXIT_BAD_SECRET,
} from '../boards/input-error.ts';
import { Initiator, read10, write10 } from '../boards/iscsi/initiator.test-helper.ts';
import { EXIT_REFUSED, EXIT_UNAVAILABLE, EXIT_USAGE } from './exit-codes.ts';
import { ROOT } from './repository.ts';
import { Served } from './served.test-helper.ts';

const test = suite('serve');
const scratch = mkdtempSync(join(tmpdir(), 'sparecore-serve-'));
let shared: Served | null = null;

/** A pair that several tests use. */
const pair = async (): Promise<Served> => (shared ??= await Served.start('shelf'));

/** Those of single tests, for the case that one fails. */
const others: Served[] = [];

test.after(async () => {
  for (const each of others) await each.stop('SIGKILL');
  const code = shared === null ? 0 : await shared.stop();
  rmSync(scratch, { recursive: true });
  assert.is(code, 0);
});

function sparecore(
  parameters: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): { code: number | null; out: string; err: string } {
  const child = spawnSync(process.execPath, ['build/js/scripts/sparecore.js', ...parameters], {
    cwd: ROOT,
    encoding: 'utf8',
    env,
    input: '',
  });
  return { code: child.status, out: child.stdout, err: child.stderr };
}

function refused(parameters: readonly string[], code: number, why: RegExp, env?: NodeJS.ProcessEnv): void {
  const ran = sparecore(parameters, env);
  assert.is(ran.code, code, ran.err + ran.out);
  assert.match(ran.err, why);
  assert.is(ran.err.trimEnd().split('\n').length, 1, ran.err);
}

test('ready: one line of JSON with both portals, every LUN, and the control socket', async () => {
  const { shelf, control } = await pair();
  assert.equal(
    shelf.map(({ port }) => port),
    ['a', 'b'],
  );
  for (const { portal, target, luns } of shelf) {
    assert.match(portal, /^127\.0\.0\.1:[1-9]\d+$/);
    assert.match(target, /^iqn\.\d{4}-\d{2}\./);
    assert.equal(
      luns.map(({ lun }) => lun),
      luns.map((_, n) => n),
    );
    assert.ok(luns.some(({ disk, role }) => disk === 'free.0' && role === 'free'));
  }
  assert.is.not(shelf[0]!.target, shelf[1]!.target);
  assert.ok(statSync(control).isSocket());
});

test('without a place for its control socket it does not serve, and ends', () => {
  const env = { ...process.env, XDG_RUNTIME_DIR: join(scratch, 'not', 'there') };
  const any = ['--portal-a', '127.0.0.1:0', '--portal-b', '127.0.0.1:0'];
  refused(['serve', ...any], EXIT_UNAVAILABLE, /cannot be made \(ENOENT\); set XDG_RUNTIME_DIR/, env);
});

test('only its user may come near the control socket', async () => {
  const { control } = await pair();
  assert.is(lstatSync(control).mode & 0o777, 0o600);
  assert.is(lstatSync(dirname(control)).mode & 0o777, 0o700);
});

test('a panic by order: the partner serves, the dump completes, the core file is written', async () => {
  const served = await pair();
  const from = served.events.length;
  assert.is(served.ctl('panic b').code, 0);
  await served.until('panic', 'b', from);
  await served.until('service', 'a', from);
  await served.until('dump-end', 'b', from);
  await served.until('save-end', 'a', from);
  const { boards, disks, violations } = served.status();
  assert.equal(violations, []);
  assert.is(boards[0]!.serving, 4);
  for (const { name, holder } of disks.filter(({ home }) => home !== null)) assert.is(holder, 'a', name);
});

test('in real time with a board at the far end of a line: it panics by order, dumps over the line, is taken over', async () => {
  const served = await Served.start('shelf', '--board-a', 'inproc');
  others.push(served);
  assert.is(served.ctl('panic a').code, 0);
  await served.until('panic', 'a');
  await served.until('service', 'b');
  await served.until('dump-end', 'a');
  await served.until('save-end', 'b');
  const { boards, violations } = served.status();
  assert.equal(violations, []);
  assert.is(boards[1]!.serving, 4);
  assert.is(await served.stop(), 0);
});

test('status for people names boards, disks, reservations, and who is logged in', async () => {
  const { code, out } = (await pair()).ctl('status');
  assert.is(code, 0);
  assert.match(out, /^board a {2}/m);
  assert.match(out, /a\.root +a +WE +[0-9a-f]{16}/);
  assert.match(out, /no initiator is logged in/);
});

test('an order that is none is refused with one line, and harms nothing', async () => {
  const served = await pair();
  for (const [order, why] of [
    ['panik a', /did you mean panic/],
    ['fail disk 99', /no disk 99/],
    ['panic', /say: panic A/],
  ] as const) {
    const { code, err, out } = served.ctl(order);
    assert.is(code, EXIT_REFUSED, order);
    assert.is(out, '');
    assert.match(err, why);
  }
  assert.is(served.ctl('status').code, 0);
});

test('what is sent to the control socket is bounded, and junk gets an answer', async () => {
  const { control } = await pair();
  const ask = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let answer = '';
      const socket = createConnection(control, () => socket.write(text));
      socket.on('data', (part) => (answer += part.toString()));
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });
  assert.match(await ask('x'.repeat(100_000)), /"ok":false/);
  assert.match(await ask('\0\x01\xff\n'), /"ok":false/);
  assert.match(await ask('status\nstatus\n'), /"ok":true/);
});

test('the only pair that is served is found without --control', async () => {
  const folder = join(scratch, 'runtime');
  mkdirSync(folder, { mode: 0o700 });
  const env = { ...process.env, XDG_RUNTIME_DIR: folder };
  refused(['ctl', 'status'], EXIT_UNAVAILABLE, /no pair is served/, env);
  const before = process.env['XDG_RUNTIME_DIR'];
  process.env['XDG_RUNTIME_DIR'] = folder;
  const [one, other] = await Promise.all([Served.start('small'), Served.start('small')]);
  if (before === undefined) delete process.env['XDG_RUNTIME_DIR'];
  else process.env['XDG_RUNTIME_DIR'] = before;
  refused(['ctl', 'status'], EXIT_UNAVAILABLE, /2 pairs are served: choose one with --control/, env);
  await one.stop();
  assert.is(sparecore(['ctl', 'status'], env).code, 0);
  assert.is(sparecore(['ctl', 'quit'], env).code, 0);
  await other.stop();
  refused(['ctl', 'status'], EXIT_UNAVAILABLE, /no pair is served/, env);
});

test('a folder that others can enter is no place for the control socket', () => {
  const folder = join(scratch, 'open');
  mkdirSync(join(folder, 'sparecore'), { recursive: true });
  chmodSync(join(folder, 'sparecore'), 0o755);
  refused(['ctl', 'status'], EXIT_UNAVAILABLE, /chmod 700/, { ...process.env, XDG_RUNTIME_DIR: folder });
});

test('a portal that is taken, of another host, or open to the network without CHAP is refused', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const serve = ['serve', 'small', '--portal-b', '127.0.0.1:0', '--portal-a'];
  refused([...serve, `127.0.0.1:${port}`], EXIT_BAD_PORTAL, /something else listens there/);
  await new Promise((resolve) => server.close(resolve));
  refused([...serve, '203.0.113.9:0'], EXIT_BAD_PORTAL, /CHAP/);
  refused([...serve, '0.0.0.0:0'], EXIT_BAD_PORTAL, /CHAP/);
  for (const wrong of ['127.0.0.1', '127.0.0.1:99999', ':1', '127.0.0.1:x']) {
    const { code, err } = sparecore([...serve, wrong]);
    assert.is(code, EXIT_USAGE);
    assert.match(err, /ADDRESS:PORT/);
  }
});

test('a CHAP secret that is missing, short, or open to others is refused', () => {
  const secret = (name: string, text: string, mode: number): string => {
    const path = join(scratch, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  };
  const serve = ['serve', 'small', '--portal-a', '127.0.0.1:0', '--portal-b', '127.0.0.1:0'];
  refused([...serve, '--chap', `me:${join(scratch, 'nothing')}`], EXIT_BAD_SECRET, /no such file/);
  refused([...serve, '--chap', `me:${secret('short', 'tooshort\n', 0o600)}`], EXIT_BAD_SECRET, /at least 12/);
  refused(
    [...serve, '--chap', `me:${secret('open-secret', 'long enough secret\n', 0o644)}`],
    EXIT_BAD_SECRET,
    /600/,
  );
  refused([...serve, '--chap-mutual', `me:${join(scratch, 'short')}`], EXIT_BAD_SECRET, /goes with --chap/);
});

test('a bad scenario or a folder of foreign disks ends serve before it listens', () => {
  refused(['serve', 'no-such'], EXIT_BAD_SCENARIO, /no such scenario/);
  const folder = join(scratch, 'foreign');
  mkdirSync(folder);
  writeFileSync(join(folder, 'mailbox.img'), 'something of somebody');
  refused(
    ['serve', 'small', '--disks', folder, '--portal-a', '127.0.0.1:0', '--portal-b', '127.0.0.1:0'],
    EXIT_BAD_IMAGE,
    /mailbox\.img/,
  );
});

test('a signal before it is ready ends it as one after does, and it leaves the folder of its disks free', async () => {
  const folder = join(scratch, 'early');
  mkdirSync(folder);
  const watcher = watch(folder);
  const taken = once(watcher, 'change'); // the lock is the first file in it
  const any = ['--portal-a', '127.0.0.1:0', '--portal-b', '127.0.0.1:0', '--json'];
  const child = spawn(
    process.execPath,
    ['build/js/scripts/sparecore.js', 'serve', 'small', '--disks', folder, ...any],
    { cwd: ROOT, stdio: 'ignore' },
  );
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await Promise.race([taken, exited]);
  watcher.close();
  child.kill('SIGTERM');
  assert.is(await exited, 0);
  assert.not.ok(existsSync(join(folder, 'sparecore.lock')));
});

test('its disks stay in a folder, and a second serve goes on from there', async () => {
  const folder = join(scratch, 'disks');
  for (const epoch of [1, 2]) {
    const served = await Served.start('small', '--disks', folder);
    assert.is((await served.until('boot', 'a')).text, `boots, epoch ${epoch}`);
    assert.is(await served.stop(epoch === 1 ? 'SIGTERM' : 'SIGINT'), 0);
  }
});

/** Two disks for initiators: one as fast as can be, one that takes four seconds to be overwritten. */
const WITH_FREE = `title: Disks that outlive their server
end_s: 1
boards: { memory_mib: 16 }
disks:
  - { role: mailbox }
  - { role: root, owner: a }
  - { role: data, owner: a, size_mib: 64 }
  - { role: spare, owner: a }
  - { role: root, owner: b }
  - { role: data, owner: b, size_mib: 64 }
  - { role: free, size_mib: 16 }
  - { role: free, size_mib: 16, rate_mb_s: 4 }
`;

/** Logged in on port a, always as the same initiator port. */
async function initiatorOf(served: Served, lun: number, last = 1): Promise<Initiator> {
  const initiator = new Initiator(Number(served.portal('a').split(':').at(-1)));
  const isid = [0x80, 0, 0, 1, 0, last];
  assert.is(await initiator.login({ target: served.shelf[0]!.target, isid }), 0);
  const first = await initiator.run([0, 0, 0, 0, 0, 0], { lun });
  assert.is(first.sense, 0x062900, 'it is new to the disk');
  return initiator;
}

test('killed while an initiator holds a disk and another one is being sanitized: the next serve has both as they were', async () => {
  const scenario = join(scratch, 'free.yaml');
  const folder = join(scratch, 'killed');
  writeFileSync(scenario, WITH_FREE);
  const first = await Served.start(scenario, '--disks', folder);
  others.push(first);
  const [held, wiped] = first.shelf[0]!.luns.filter(({ role }) => role === 'free').map(({ lun }) => lun);
  const list = Buffer.alloc(24);
  list.writeBigUInt64BE(0x5ca1ab1en, 8);
  list[20] = 1; // APTPL
  const before = await initiatorOf(first, held!);
  const register = [0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0];
  assert.is((await before.run(register, { lun: held, write: 24, data: list })).status, 0);
  list.copyWithin(0, 8, 16);
  const reserve = [0x5f, 1, 3, 0, 0, 0, 0, 0, 24, 0]; // Exclusive Access
  assert.is((await before.run(reserve, { lun: held, write: 24, data: list })).status, 0);
  const data = Buffer.alloc(4096, 0x5a);
  for (const lun of [held, wiped]) {
    await before.ready(lun);
    assert.is((await before.run(write10(0, 8), { lun, write: 4096, data })).status, 0);
  }
  const erase = [0x48, 0x82, 0, 0, 0, 0, 0, 0, 0, 0];
  assert.is((await before.run(erase, { lun: wiped })).status, 0);
  await first.stop('SIGKILL');

  const second = await Served.start(scenario, '--disks', folder);
  others.push(second);
  const again = await initiatorOf(second, wiped!);
  assert.is((await again.run([0, 0, 0, 0, 0, 0], { lun: wiped })).sense, 0x02041b, 'still being sanitized');
  await again.ready(held);
  assert.equal((await again.run(read10(0, 8), { lun: held, read: 4096 })).data, data);
  const keys = await again.run([0x5e, 0, 0, 0, 0, 0, 0, 0, 64, 0], { lun: held, read: 64 });
  assert.equal([keys.data.readUInt32BE(4), keys.data.readBigUInt64BE(8)], [8, 0x5ca1ab1en]);
  const other = await initiatorOf(second, held!, 2);
  assert.is((await other.run(read10(0, 8), { lun: held, read: 4096 })).status, 0x18, 'RESERVATION CONFLICT');
  while ((await again.run([0, 0, 0, 0, 0, 0], { lun: wiped })).status !== 0);
  assert.equal((await again.run(read10(0, 8), { lun: wiped, read: 4096 })).data, Buffer.alloc(4096));
  again.end();
  other.end();
  assert.is(await second.stop(), 0);
});

test.run();
