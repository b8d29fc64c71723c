/** How the port of an attached board is read: seldom in the middle of bulk data, at once when somebody waits. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host } from '../host.ts';
import type { Binding, BindingPort } from '../serial/binding.ts';
import { Pace, paced } from './pace.ts';

const frame = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(7, 0, bytes - 1);

test('a call and its return are read without a wait, piece by piece', () => {
  const pace = new Pace();
  for (let n = 0; n < 10; n++) {
    for (const piece of [frame(50).subarray(0, 20), frame(50).subarray(20)]) {
      assert.not(pace.waits);
      pace.push(piece);
    }
  }
  assert.not(pace.waits);
});

test('in bulk data reads wait, up to the first short frame after it', () => {
  const pace = new Pace();
  const long = frame(1045);
  pace.push(long.subarray(0, 100));
  assert.not(pace.waits);
  pace.push(long.subarray(100, 200));
  assert.ok(pace.waits);
  pace.push(long.subarray(200));
  assert.not(pace.waits, 'nothing may follow');
  pace.push(long.subarray(0, 3));
  assert.ok(pace.waits, 'after a long frame, another');
  pace.push(Uint8Array.from([...long.subarray(3), ...frame(50)]));
  assert.not(pace.waits, 'frames of any number in one piece');
  pace.push(frame(50).subarray(0, 20));
  assert.not(pace.waits);
});

/** A port whose reads bring what is given, and a host whose timers are told. */
async function open(baudRate: number, reads: Uint8Array[]): Promise<{ port: BindingPort; waits: number[] }> {
  const waits: number[] = [];
  const host = {
    after: (ms: number, call: () => void) => {
      waits.push(ms);
      call();
      return { cancel: () => {} };
    },
  } as unknown as Host;
  const bare = {
    read: async (buffer: Buffer, offset: number) => {
      const bytes = reads.shift()!;
      buffer.set(bytes, offset);
      return { buffer, bytesRead: bytes.length };
    },
  } as unknown as BindingPort;
  const binding = { open: async () => bare, list: async () => [] } as unknown as Binding;
  return { port: await paced(binding, host).open({ path: '', baudRate }), waits };
}

test('a wait is so short that what a line discipline keeps is not exceeded, whatever the rate', async () => {
  for (const [baud, ms] of [
    [115_200, 4],
    [921_600, 4],
    [3_000_000, 4],
    [12_000_000, 1],
  ] as const) {
    const { port, waits } = await open(baud, [frame(300).subarray(0, 200), frame(100)]);
    const buffer = Buffer.alloc(1000);
    await port.read(buffer, 0, 1000);
    assert.equal(waits, []);
    await port.read(buffer, 200, 800);
    assert.equal(waits, [ms], String(baud));
    assert.equal([...buffer.subarray(0, 300)], [...frame(300)]);
  }
});

test.run();
