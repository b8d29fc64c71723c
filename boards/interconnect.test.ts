import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Clock, US } from './clock.ts';
import { Interconnect } from './interconnect.ts';

const test = suite('interconnect');
const LATENCY = 5 * US;

function wired(): {
  clock: Clock;
  link: Interconnect;
  got: { end: number; at: number; text: string }[];
  say: (from: 0 | 1, text: string) => void;
} {
  const clock = new Clock();
  const link = new Interconnect(clock, LATENCY);
  const got: { end: number; at: number; text: string }[] = [];
  for (const end of [0, 1]) {
    link.ends[end] = {
      received: (message) => got.push({ end, at: clock.now, text: Buffer.from(message).toString() }),
    };
  }
  return { clock, link, got, say: (from, text) => link.send(from, Buffer.from(text)) };
}

test('a message reaches the other end, and only it, after the latency', () => {
  const { clock, got, say } = wired();
  say(0, 'from a');
  clock.runUntil(LATENCY - 1);
  assert.equal(got, []);
  clock.runUntil(LATENCY);
  assert.equal(got, [{ end: 1, at: LATENCY, text: 'from a' }]);
  say(1, 'from b');
  clock.runUntil(1e9);
  assert.equal(got[1], { end: 0, at: 2 * LATENCY, text: 'from b' });
});

test('messages arrive in the order in which they were sent, both ways at once', () => {
  const { clock, got, say } = wired();
  for (let n = 0; n < 50; n++) {
    say(0, `a${n}`);
    say(1, `b${n}`);
    if (n % 7 === 0) clock.runUntil(clock.now + 1 * US);
  }
  clock.runUntil(1e9);
  for (const end of [0, 1]) {
    const texts = got.filter((each) => each.end === end).map(({ text }) => text);
    assert.equal(
      texts,
      Array.from({ length: 50 }, (_, n) => `${'ba'[end]}${n}`),
    );
  }
});

test('a cut drops what is on its way and what is sent, without a word to the sender', () => {
  const { clock, link, got, say } = wired();
  say(0, 'on its way');
  clock.runUntil(LATENCY / 2);
  link.up = false;
  say(1, 'into the cut');
  clock.runUntil(10 * LATENCY);
  assert.equal(got, []);
  link.up = true;
  clock.runUntil(20 * LATENCY);
  assert.equal(got, []);
  say(1, 'mended');
  clock.runUntil(30 * LATENCY);
  assert.equal(
    got.map(({ text }) => text),
    ['mended'],
  );
});

test('what was sent into a cut does not arrive although the cut is mended at once', () => {
  const { clock, link, got, say } = wired();
  link.up = false;
  say(0, 'into the cut');
  link.up = true;
  clock.runUntil(1e9);
  assert.equal(got, []);
});

test('a message to an end with nobody there is lost', () => {
  const { clock, link, got, say } = wired();
  link.ends[1] = null;
  say(0, 'anybody?');
  clock.runUntil(1e9);
  assert.equal(got, []);
  assert.is(clock.next, Infinity);
});

test.run();
