import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { portLines } from '../commands/ports.ts';
import { type Look, PLAIN } from './look.ts';
import { TransferView, timeLeft } from './transfer.ts';

const test = suite('progress of a transfer');
const TERMINAL: Look = { live: true, color: false, unicode: false, columns: () => 120, rows: () => 24 };

/** Ten steps of 100 bytes, a second each. */
function transfer(look: Look, until = 10): string[] {
  const written: string[] = [];
  let now = 0;
  const view = new TransferView(
    look,
    (text) => void written.push(text),
    () => now,
  );
  for (let n = 0; n <= until; n++) {
    now = n * 1000;
    view.show({ done: n * 1024, total: 10_240, chunkBytes: 512, repeats: n === 5 ? 2 : 0 });
  }
  view.end();
  return written;
}

test('on a terminal: a bar that is drawn over and over, with rate and time left', () => {
  const written = transfer(TERMINAL);
  assert.ok(written.slice(0, -1).every((text) => text.startsWith('\r\x1b[K')));
  assert.match(written[5]!, `${'#'.repeat(15)}${'.'.repeat(15)} `);
  assert.match(written[5]!, '50 %  5.0 KiB of 10.0 KiB  1.0 KiB/s  0:05 left  chunks of 512, 2 again');
  assert.is(written.at(-1), '\n');
});

test('in a pipe: a plain line for each tenth', () => {
  const written = transfer(PLAIN);
  assert.is(written.length, 10);
  assert.ok(written.every((text) => /^ *\d+ % .*\n$/.test(text) && !text.includes('\r')));
  assert.match(written.at(-1) ?? '', '100 %  10.0 KiB of 10.0 KiB');
});

test('a bar never runs over the width of the terminal', () => {
  const narrow = { ...TERMINAL, columns: () => 30 };
  // Erasing the line takes characters that nobody sees.
  assert.ok(transfer(narrow).every((text) => text.replace('\r\x1b[K', '').length <= 30));
});

test('time left in minutes and seconds, or not known', () => {
  assert.is(timeLeft(0), '0:00');
  assert.is(timeLeft(61.2), '1:02');
  assert.is(timeLeft(3600), '60:00');
  assert.is(timeLeft(Number.POSITIVE_INFINITY), '--:--');
});

test('ports as a table; what an adapter does not say is a dash', () => {
  const port = { path: '/dev/ttyACM0', vendor: '0483', product: '374b', maker: 'ST', serial: '0671' };
  assert.equal(
    portLines([
      port,
      { ...port, path: '/dev/ttyS0', vendor: null, product: null, maker: null, serial: null },
    ]),
    [
      'port          vendor  product  maker  serial number',
      '/dev/ttyACM0  0483    374b     ST     0671',
      '/dev/ttyS0    -       -        -      -',
    ],
  );
  assert.match(portLines([])[0]!, 'no serial port found');
});

test.run();
