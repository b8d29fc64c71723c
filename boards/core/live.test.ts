import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InputError } from '../input-error.ts';
import { LIVE_ORDERS, answerLive } from './live-board.ts';
import { LiveSource } from './live-source.ts';
import { MISSING_NO_RAM } from './memory-source.ts';

const test = suite('live board');
const ram = Uint8Array.from({ length: 3 * 65536 }, (_, i) => i * 7 + (i >> 8));
const boards = [{ ram: () => ram }, { ram: () => null }];
/** As over the socket: the answer is a line of JSON. */
const ask = async (order: string) => JSON.parse(JSON.stringify(answerLive(order, boards)));

test('the memory of a running board is read through the same interface as a core', async () => {
  const source = await LiveSource.open('a', ask);
  assert.is(source.memoryBytes, ram.length);
  assert.equal(
    (await source.read(65530, 20)).map(({ content }) => [...content!]),
    [[...ram.subarray(65530, 65550)]],
  );
  const [inside, past] = await source.read(ram.length - 4, 10);
  assert.is(inside!.bytes, 4);
  assert.equal(
    [past!.address, past!.bytes, past!.content, past!.reason],
    [ram.length, 6, null, MISSING_NO_RAM],
  );
});

test('a board without power has no memory, and says so', async () => {
  try {
    await LiveSource.open('b', ask);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, InputError);
    assert.match((error as Error).message, /board b has no power/);
  }
});

for (const order of [
  'memory',
  'memory c 0 1',
  'memory a',
  'memory a -1 4',
  'memory a 0 0x7fffffff',
  'memory a 1e9 1',
  `memory a ${ram.length} 1`,
  'registers z',
  'memory a 0 4 4',
]) {
  test(`'${order}' is refused with a reason`, () => {
    const answer = answerLive(order, boards);
    assert.is(answer?.ok, false);
    assert.ok(answer?.text);
  });
}

test('orders of other kinds are left to whoever knows them', () => {
  assert.is(answerLive('panic a', boards), null);
  assert.is(answerLive('', boards), null);
  assert.equal(
    LIVE_ORDERS.map(({ words }) => words.split(' ')[0]),
    ['memory', 'registers'],
  );
});

test.run();
