import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../asm/layout.ts';
import { FrontEndPort, type Request } from './port.ts';

const test = suite('front-end port');
const RAM_BYTES = 65536;
const RING = 4096;
const COUNT = 4;

interface Reply {
  status: number;
  sense: number;
  data: number[] | null;
}

function made(count = COUNT, ring = RING): { port: FrontEndPort; ram: Uint8Array; interrupts: () => number } {
  const port = new FrontEndPort();
  const ram = new Uint8Array(RAM_BYTES);
  let interrupts = 0;
  port.onInterrupt = () => interrupts++;
  port.attach(ram);
  port.configure(ring, count);
  return { port, ram, interrupts: () => interrupts };
}

function request(replies: Reply[], options: Partial<Request> = {}): Request {
  return {
    volume: 3,
    cdb: Uint8Array.of(0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0),
    data: null,
    reply: (status, sense, data) => replies.push({ status, sense, data: data === null ? null : [...data] }),
    ...options,
  };
}

const entryAt = (ram: Uint8Array, n: number): DataView =>
  new DataView(ram.buffer, RING + n * L.REQUEST_BYTES, L.REQUEST_BYTES);

test('a request stands in the ring with its tag, volume, CDB and how many bytes come with it', () => {
  const { port, ram, interrupts } = made();
  ram.fill(0xff, RING, RING + COUNT * L.REQUEST_BYTES);
  const { cdb } = request([]);
  assert.ok(port.place(request([], { data: new Uint8Array(4096) })));
  const entry = entryAt(ram, 0);
  assert.is.not(entry.getUint32(L.REQUEST_TAG_AT, true), 0);
  assert.is(entry.getUint32(L.REQUEST_LUN_AT, true), 3);
  const at = RING + L.REQUEST_CDB_AT;
  assert.equal([...ram.subarray(at, at + 16)], [...cdb]);
  assert.is(entry.getUint32(L.REQUEST_DATA_BYTES_AT, true), 4096);
  const rest = ram.subarray(RING + L.REQUEST_DATA_BYTES_AT + 4, RING + L.REQUEST_BYTES);
  assert.ok(rest.every((byte) => byte === 0));
  assert.is(ram[RING + L.REQUEST_BYTES], 0xff);
  assert.is(port.poll(), 1);
  assert.is(interrupts(), 1);
});

test('a full ring takes no more, and nothing in it is overwritten, until firmware has released a place', () => {
  const { port, ram, interrupts } = made();
  for (let n = 0; n < COUNT; n++) assert.ok(port.place(request([], { volume: n })));
  const before = ram.slice();
  assert.not(port.place(request([], { volume: 99 })));
  assert.ok(Buffer.from(ram).equals(before));
  assert.is(port.poll(), COUNT);
  assert.is(interrupts(), COUNT);
  port.release(1);
  assert.ok(port.place(request([], { volume: 99 })));
  assert.is(entryAt(ram, 0).getUint32(L.REQUEST_LUN_AT, true), 99);
  assert.is(entryAt(ram, 1).getUint32(L.REQUEST_LUN_AT, true), 1);
  assert.not(port.place(request([])));
});

for (const [what, ring, count] of [
  ['of no entries', RING, 0],
  ['whose count is no power of two', RING, 3],
  ['that ends outside RAM', RAM_BYTES - 3 * L.REQUEST_BYTES, 4],
  ['that begins outside RAM', 2 ** 32 - 64, 1],
  ['larger than RAM', 0, 2 ** 31],
] as const) {
  test(`a ring ${what} is none: nothing is placed`, () => {
    const { port, ram, interrupts } = made(count, ring);
    assert.not(port.place(request([])));
    assert.is(port.poll(), 0);
    assert.is(interrupts(), 0);
    assert.ok(ram.every((byte) => byte === 0));
  });
}

test('a ring that ends with RAM is a good one', () => {
  const { port } = made(COUNT, RAM_BYTES - COUNT * L.REQUEST_BYTES);
  assert.ok(port.place(request([])));
});

test('firmware fetches the data of a write to where it wants it', () => {
  const { port, ram } = made();
  port.place(request([], { data: Uint8Array.of(1, 2, 3, 4) }));
  port.fetch(entryAt(ram, 0).getUint32(0, true), 8192, 4);
  assert.equal([...ram.subarray(8191, 8197)], [0, 1, 2, 3, 4, 0]);
});

for (const [what, tag, address, bytes] of [
  ['of an unknown tag', 99, 8192, 4],
  ['to an address outside RAM', 1, RAM_BYTES, 4],
  ['that ends outside RAM', 1, RAM_BYTES - 3, 4],
  ['at the top of the address space', 1, 2 ** 32 - 2, 4],
] as const) {
  test(`a fetch ${what} moves nothing`, () => {
    const { port, ram } = made();
    port.place(request([], { data: Uint8Array.of(1, 2, 3, 4) }));
    assert.is(entryAt(ram, 0).getUint32(0, true), 1);
    const before = ram.slice();
    port.fetch(tag, address, bytes);
    assert.ok(Buffer.from(ram).equals(before));
  });
}

test('a fetch of more than there is moves what there is; a read has nothing to fetch', () => {
  const { port, ram } = made();
  port.place(request([], { data: Uint8Array.of(1, 2) }));
  port.place(request([]));
  port.fetch(1, 8192, 100);
  port.fetch(2, 9000, 100);
  assert.equal([...ram.subarray(8192, 8195)], [1, 2, 0]);
  assert.ok(ram.subarray(9000, 9100).every((byte) => byte === 0));
});

test('a request is answered once, with status, sense and the data of a read', () => {
  const { port, ram } = made();
  const replies: Reply[] = [];
  port.place(request(replies));
  ram.set([5, 6, 7], 8192);
  port.reply(1, 0, 0, 8192, 3);
  port.reply(1, 2, 0x020400, 0, 0);
  assert.equal(replies, [{ status: 0, sense: 0, data: [5, 6, 7] }]);
});

test('a refusal carries its sense and no data', () => {
  const { port } = made();
  const replies: Reply[] = [];
  port.place(request(replies));
  port.reply(1, 2, 0x052100, 0, 0);
  assert.equal(replies, [{ status: 2, sense: 0x052100, data: null }]);
});

test('an answer to an unknown tag, or with data outside RAM, is none; the request can still be answered', () => {
  const { port } = made();
  const replies: Reply[] = [];
  port.place(request(replies));
  port.reply(77, 0, 0, 0, 0);
  port.reply(1, 0, 0, RAM_BYTES - 1, 2);
  port.reply(1, 0, 0, 2 ** 32 - 1, 2);
  assert.equal(replies, []);
  port.reply(1, 0, 0, RAM_BYTES - 2, 2);
  assert.is(replies.length, 1);
});

test('a new RAM forgets ring and requests: nobody is answered, and nothing is placed before firmware says where', () => {
  const { port } = made();
  const replies: Reply[] = [];
  port.place(request(replies));
  const ram = new Uint8Array(RAM_BYTES);
  port.attach(ram);
  port.reply(1, 0, 0, 0, 0);
  assert.equal(replies, []);
  assert.not(port.place(request(replies)));
  assert.is(port.poll(), 0);
  assert.ok(ram.every((byte) => byte === 0));
});

test.run();
