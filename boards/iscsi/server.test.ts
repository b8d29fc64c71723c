import { createServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeHost } from '../host.test-helper.ts';
import { EXIT_BAD_PORTAL, EXIT_BAD_SECRET, InputError } from '../input-error.ts';
import { bareShelf } from '../shelf/bare.ts';
import { type ChapSecrets, type IscsiServer, serveIscsi } from './server.ts';

const loopback = { address: '127.0.0.1', port: 0 };
const secret = { user: 'u', secret: 'twelve bytes or more' };

const serve = (
  portals: [{ address: string; port: number }, { address: string; port: number }],
  chap: ChapSecrets | null = null,
): Promise<IscsiServer> =>
  serveIscsi({
    shelf: bareShelf({ disks: 1, sizeMib: 1 }),
    host: new FakeHost(),
    enter: (call) => call(),
    portals,
    targets: ['iqn.2026-01.test:a', 'iqn.2026-01.test:b'],
    chap,
  });

/** The user's mistake, in one line. */
async function mistake(serving: Promise<IscsiServer>): Promise<InputError> {
  try {
    await (await serving).close();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    assert.not.match(error.message, /\n/);
    return error;
  }
  throw new Error('it serves');
}

for (const address of ['0.0.0.0', '::', '192.0.2.1', 'example.invalid']) {
  test(`${address} is refused without CHAP, and nothing listens`, async () => {
    const { message, exitCode } = await mistake(serve([loopback, { address, port: 0 }]));
    assert.match(message, /loopback/);
    assert.is(exitCode, EXIT_BAD_PORTAL);
  });
}

test('with CHAP it listens on any address', async () => {
  const server = await serve([{ address: '0.0.0.0', port: 0 }, loopback], secret);
  assert.is(server.portals[0]!.address, '0.0.0.0');
  await server.close();
});

test('a port that is taken is said to be, and the other portal does not stay open', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const { message, exitCode } = await mistake(serve([loopback, { address: '127.0.0.1', port }]));
  assert.match(message, new RegExp(`127.0.0.1:${port}: something else listens there`));
  assert.is(exitCode, EXIT_BAD_PORTAL);
  await new Promise((resolve) => other.close(resolve));
});

test('an address of another machine is said to be none of this one', async () => {
  const { message } = await mistake(serve([loopback, { address: '192.0.2.1', port: 0 }], secret));
  assert.match(message, /no such address/);
});

test('short secrets, and one secret for both directions, are refused', async () => {
  for (const chap of [
    { user: 'u', secret: 'short' },
    { ...secret, mutual: { user: 'm', secret: 'short' } },
    { ...secret, mutual: { user: 'm', secret: secret.secret } },
  ]) {
    assert.is((await mistake(serve([loopback, loopback], chap))).exitCode, EXIT_BAD_SECRET);
  }
});

test.run();
