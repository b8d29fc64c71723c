import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT_BAD_PORT, InputError } from '../input-error.ts';
import { groupIn, portError } from './port-error.ts';
import { type Port, openPort } from './port.ts';
import { listPorts } from './ports.ts';
import { VirtualHost } from './virtual-host.ts';
import { Wire, type WireOptions } from './wire.ts';

const test = suite('serial port');

interface Bench {
  host: VirtualHost;
  wire: Wire;
  open: (baud?: number, parity?: 'none' | 'even') => Promise<Port>;
}

function bench(options: Partial<WireOptions> = {}): Bench {
  const host = new VirtualHost();
  const wire = new Wire({ host, ...options });
  return {
    host,
    wire,
    open: (baud = 115200, parity = 'none') =>
      openPort({ path: wire.path, baud, parity, binding: wire.binding }),
  };
}

const sleep = (host: VirtualHost, ms: number): Promise<void> =>
  new Promise((resolve) => void host.after(ms, resolve));
const pattern = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, i) => (i * 7) & 255);

test('a wire paces both ways by the baud rate, within a byte', async () => {
  for (const [parity, bits] of [
    ['none', 10],
    ['even', 11],
  ] as const) {
    for (const baud of [9600, 115200, 921600]) {
      const { host, wire, open } = bench();
      await host.run(
        (async () => {
          const port = await open(baud, parity);
          const bytes = pattern(10_000);
          let arrived: number[] = [];
          let last = 0;
          const note = (part: Uint8Array): void => {
            arrived.push(...part);
            last = host.now();
          };
          wire.board.onData = note;
          port.onData = note;
          for (const end of [port, wire.board]) {
            arrived = [];
            const start = host.now();
            end.write(bytes);
            while (arrived.length < bytes.length) await sleep(host, 100);
            assert.equal(Uint8Array.from(arrived), bytes);
            const wantNs = (bytes.length * bits * 1e9) / baud;
            assert.ok(
              Math.abs(last - start - wantNs) < (bits * 1e9) / baud,
              `${baud} ${last - start} ${wantNs}`,
            );
          }
          await port.close();
        })(),
      );
    }
  }
});

async function noisy(seed: string): Promise<[string, number, number]> {
  const { host, wire, open } = bench({ seed, flipsPerMillion: 1000, lossesPerMillion: 500 });
  return host.run(
    (async () => {
      const port = await open(921600);
      const got: Uint8Array[] = [];
      wire.board.onData = (part) => got.push(part);
      port.write(pattern(100_000));
      await port.drain();
      const all = Buffer.concat(got);
      assert.is(all.length, 100_000 - wire.toBoard.lost);
      return [all.toString('base64'), wire.toBoard.flipped, wire.toBoard.lost] as [string, number, number];
    })(),
  );
}

test('a noisy wire flips and loses the share of bytes it was told to, the same ones for the same seed', async () => {
  const [first, flipped, lost] = await noisy('1');
  assert.ok(flipped > 60 && flipped < 150, `${flipped}`);
  assert.ok(lost > 20 && lost < 90, `${lost}`);
  assert.equal(await noisy('1'), [first, flipped, lost]);
  assert.is.not((await noisy('2'))[0], first);
});

test('a pulled cable closes the port with a reason, is not there to be opened, and opens again when it is back', async () => {
  const { host, wire, open } = bench();
  await host.run(
    (async () => {
      const port = await open();
      let reason: string | null = '';
      port.onClose = (why) => (reason = why);
      port.write(pattern(50_000));
      await sleep(host, 10);
      wire.pull();
      await sleep(host, 10);
      assert.is(reason, 'the port is gone');
      assert.is(port.isOpen, false);
      await port.drain(); // does not hang
      port.write(pattern(10)); // is lost without a word
      assert.equal(await listPorts(wire.binding), []);
      try {
        await open();
        assert.unreachable();
      } catch (error) {
        assert.match((error as Error).message, 'no such port');
      }
      wire.plug();
      const again = await open();
      let got = 0;
      wire.board.onData = (part) => (got += part.length);
      again.write(pattern(100));
      await again.drain();
      assert.is(got, 100);
    })(),
  );
});

test('a second program finds the port in use', async () => {
  const { host, open } = bench();
  await host.run(
    (async () => {
      await open();
      try {
        await open();
        assert.unreachable();
      } catch (error) {
        assert.is((error as InputError).exitCode, EXIT_BAD_PORT);
        assert.match((error as Error).message, 'in use by another program');
      }
    })(),
  );
});

test('a port that refuses parity is opened without', async () => {
  const { host, open } = bench({ refusesParity: true });
  await host.run(
    (async () => {
      const port = await open(115200, 'even');
      assert.is(port.parity, 'none');
    })(),
  );
});

test('the modem lines reach the board', async () => {
  const { host, wire, open } = bench();
  await host.run(
    (async () => {
      const port = await open();
      const seen: unknown[] = [];
      wire.board.onLines = (lines) => seen.push(lines);
      assert.ok(await port.setLines({ dtr: false, rts: true }));
      assert.equal(seen, [{ dtr: false, rts: true }]);
    })(),
  );
});

const why = (text: string, path = '/dev/nowhere'): string =>
  portError(path, new Error(text), (gid) => (gid === 0 ? 'root' : null)).message;

test('why a port cannot be opened, and what to do', () => {
  assert.match(
    why('Error: No such file or directory, cannot open /dev/nowhere'),
    'no such port; sparecore ports',
  );
  assert.match(
    why('Error: Permission denied, cannot open', '/'),
    'no permission to open it; only its owner may (group root',
  );
  assert.match(why('Error Resource temporarily unavailable Cannot lock port'), 'in use by another program');
  assert.match(why('Error: Inappropriate ioctl for device setting custom baud rate'), 'is not a serial port');
  assert.match(why('Error: something new\nand a stack'), /cannot be opened: something new$/);
  assert.is(groupIn('root:x:0:\ndialout:x:20:me,you\n', 20), 'dialout');
  assert.is(groupIn('root:x:0:\nbroken\n:::', 21), null);
});

test('a rate that no port has is refused before anything is opened', async () => {
  for (const baud of [0, -1, 9600.5, Number.NaN, 1e9]) {
    try {
      await openPort({ path: '/dev/nowhere', baud });
      assert.unreachable();
    } catch (error) {
      assert.instance(error, InputError);
      assert.match((error as Error).message, 'no rate of a serial port');
    }
  }
});

test.run();
