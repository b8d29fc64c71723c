import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InputError } from '../../input-error.ts';
import { RandomStream } from '../../random.ts';
import { type SerialEnd, ignore } from '../end.ts';
import { LineLost, NoAnswer } from '../line-error.ts';
import { VirtualHost } from '../virtual-host.ts';
import { boardInfo, echo, images, parameters, select } from './board.ts';
import { cborDecode, cborEncode } from './cbor.ts';
import { SmpClient } from './client.ts';
import { FrameReader, LINE_BYTES, crc16, frameBytes, frameOf } from './frame.ts';
import { HEADER_BYTES, replyOf } from './packet.ts';
import { Refused } from './refusal.ts';
import { upload } from './upload.ts';

const test = suite('SMP on the host');
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

test('CRC-16/XMODEM of the digits 1 to 9 is 31C3h', () => {
  assert.is(crc16(Buffer.from('123456789')), 0x31c3);
});

test('a frame is that of the transport document: marks, lines of at most 127 bytes, base64, checksum', () => {
  const short = frameOf(hex('0000000100000006a0'));
  assert.is(short.subarray(0, 2).toString('hex'), '0609');
  assert.is(short.at(-1), 0x0a);
  const whole = Buffer.from(short.subarray(2, -1).toString('latin1'), 'base64');
  assert.is(whole.subarray(0, -2).toString('hex'), '000b0000000100000006a0'); // length with checksum
  assert.is(whole.readUInt16BE(11), crc16(hex('0000000100000006a0')));
  const lines = frameOf(Buffer.alloc(1000, 7)).toString('latin1').split('\n');
  assert.is(lines.pop(), '');
  assert.ok(lines.length > 10);
  for (const [at, line] of lines.entries()) {
    assert.ok(line.length + 1 <= LINE_BYTES);
    assert.is(line.slice(0, 2), at === 0 ? '\x06\x09' : '\x04\x14');
    assert.match(line.slice(2), /^[A-Za-z0-9+/]+=*$/);
  }
});

test('frames of every length come back as they went, however they are cut', () => {
  const random = new RandomStream('1', 'frames');
  const got: Buffer[] = [];
  const reader = new FrameReader((packet) => got.push(Buffer.from(packet)));
  for (let bytes = 0; bytes < 700; bytes++) {
    const packet = Uint8Array.from({ length: bytes }, () => random.below(256));
    const frame = frameOf(packet);
    assert.is(frame.length, frameBytes(bytes));
    for (let at = 0; at < frame.length;) {
      const part = 1 + random.below(60);
      reader.feed(frame.subarray(at, at + part));
      at += part;
    }
    assert.is(got.length, bytes + 1);
    assert.equal(new Uint8Array(got[bytes]!), packet);
  }
  assert.is(reader.dropped, 0);
});

test('no frame with a wrong byte comes through, and the next one does', () => {
  const random = new RandomStream('2', 'noise');
  let got: Buffer[] = [];
  const reader = new FrameReader((packet) => got.push(packet));
  for (let n = 0; n < 3000; n++) {
    const packet = Uint8Array.from({ length: 8 + random.below(300) }, () => random.below(256));
    const frame = frameOf(packet);
    frame[random.below(frame.length)]! ^= 1 << random.below(8);
    reader.feed(frame);
    for (const each of got) assert.equal(new Uint8Array(each), packet); // padding bits of base64 say nothing
    got = [];
    reader.feed(Buffer.from('\n'));
    reader.feed(frameOf(packet));
    assert.is(got.length, 1, `${n}`);
    got = [];
  }
  assert.ok(reader.dropped > 2000);
});

test('console text around a frame does not matter', () => {
  const got: Buffer[] = [];
  const reader = new FrameReader((packet) => got.push(packet));
  const packet = Buffer.alloc(200, 9);
  reader.feed(
    Buffer.concat([Buffer.from(`${'uart:~$ '.repeat(100)}`), frameOf(packet), Buffer.from('hello\n')]),
  );
  assert.is(got.length, 1);
});

/** [RFC 8949] appendix A, of what SMP needs */
const EXAMPLES: readonly (readonly [string, unknown])[] = [
  ['00', 0],
  ['17', 23],
  ['1818', 24],
  ['1903e8', 1000],
  ['1a000f4240', 1_000_000],
  ['1b000000e8d4a51000', 1_000_000_000_000],
  ['20', -1],
  ['3863', -100],
  ['f4', false],
  ['f5', true],
  ['f6', null],
  ['60', ''],
  ['6449455446', 'IETF'],
  ['62c3bc', 'ü'],
  ['83010203', [1, 2, 3]],
  ['9f01820203ff', [1, [2, 3]]],
  ['7f657374726561646d696e67ff', 'streaming'],
  ['c11a514b67b0', 1_363_896_240],
];

test('CBOR: the examples of RFC 8949', () => {
  for (const [text, value] of EXAMPLES) assert.equal(cborDecode(hex(text)), value, text);
  assert.equal({ ...(cborDecode(hex('bf61610161629f0203ffff')) as object) }, { a: 1, b: [2, 3] });
  assert.equal([...(cborDecode(hex('4401020304')) as Uint8Array)], [1, 2, 3, 4]);
  assert.is(
    Buffer.from(cborEncode({ a: 1, b: true, c: 'IETF', d: hex('0102') })).toString('hex'),
    'a46161016162f5616364494554466164420102',
  );
});

test('CBOR that lies, nests, is cut or goes on is an error, never more', () => {
  const random = new RandomStream('3', 'cbor');
  for (const text of [
    '',
    '18',
    '1bffffffffffffffff',
    '5a7fffffff',
    '9affffffff',
    'bb7fffffffffffffff',
    '1c',
    'ff',
    '81'.repeat(20),
    'a10102',
    '62ffff',
    'f97c00',
    '5f00ff',
    '0000',
  ]) {
    assert.throws(() => cborDecode(hex(text)), undefined, text);
  }
  const good = cborEncode({ off: 1234, match: true, sha: new Uint8Array(32), text: 'hello' });
  for (let n = 0; n < 30_000; n++) {
    const bytes = n % 3 === 0 ? new Uint8Array(random.below(60)) : good.slice();
    if (n % 3 === 0) for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256);
    else bytes[random.below(bytes.length)] = random.below(256);
    try {
      cborDecode(bytes.subarray(0, random.below(bytes.length + 1)));
    } catch (error) {
      assert.ok(error instanceof RangeError || error instanceof TypeError, String(error));
    }
  }
});

test('a key of a map cannot reach into the program', () => {
  const map = cborDecode(hex('a1695f5f70726f746f5f5fa1616101')) as Record<string, unknown>; // {"__proto__": {"a": 1}}
  assert.is(Object.getPrototypeOf(map), null);
  assert.is(({} as Record<string, unknown>)['a'], undefined);
});

// -------------------------------------------------------------------------------------- boards that are not well

type Answer = (request: {
  op: number;
  group: number;
  id: number;
  sequence: number;
  body: Record<string, unknown>;
}) => Uint8Array[];

function reply(
  of: { op: number; group: number; id: number; sequence: number },
  body: Parameters<typeof cborEncode>[0],
): Buffer {
  const map = cborEncode(body);
  return Buffer.concat([
    Uint8Array.of(
      of.op + 1,
      0,
      map.length >> 8,
      map.length & 255,
      of.group >> 8,
      of.group & 255,
      of.sequence,
      of.id,
    ),
    map,
  ]);
}

/** A board that answers as `answer` says, at once. */
function clientOf(answer: Answer): { host: VirtualHost; client: SmpClient; line: SerialEnd } {
  const host = new VirtualHost();
  const line: SerialEnd = {
    onData: ignore,
    onClose: ignore,
    isOpen: true,
    queued: 0,
    write: (bytes) => reader.feed(bytes),
  };
  const reader = new FrameReader((packet) => {
    const request = {
      op: packet[0]! & 7,
      group: packet.readUInt16BE(4),
      sequence: packet[6]!,
      id: packet[7]!,
      body: cborDecode(packet.subarray(HEADER_BYTES)) as Record<string, unknown>,
    };
    for (const each of answer(request)) host.after(1, () => line.onData(frameOf(each)));
  });
  return { host, client: new SmpClient(host, line), line };
}

const IMAGE = new Uint8Array(5000);
const sendImage = (client: SmpClient): Promise<boolean | null> =>
  upload(client, { image: IMAGE, parameters: { bufferBytes: 512, buffers: 4 }, baud: 115200 });

async function failure(host: VirtualHost, work: Promise<unknown>): Promise<Error> {
  try {
    await host.run(work);
  } catch (error) {
    return error as Error;
  }
  return assert.unreachable('it did not fail') as never;
}

test('a board that never answers, one that stands still, and one that answers nonsense: each upload ends', async () => {
  const random = new RandomStream('4', 'nonsense');
  const boards: readonly (readonly [string, Answer])[] = [
    ['silent', () => []],
    ['stands still', (request) => [reply(request, { off: 0 })]],
    ['nonsense', (request) => [reply(request, { off: random.below(4000) })]],
    ['beyond the end', (request) => [reply(request, { off: 99_999 })]],
    ['no offset', (request) => [reply(request, { rc: 0 })]],
    ['text for an offset', (request) => [reply(request, { off: 'here' })]],
    ['another sequence', (request) => [reply({ ...request, sequence: request.sequence ^ 1 }, { off: 1 })]],
    ['another command', (request) => [reply({ ...request, id: 2 }, { off: 1 })]],
    ['refuses', (request) => [reply(request, { rc: 6 })]],
    [
      'no CBOR',
      (request) => [
        Buffer.concat([
          reply(request, {}).subarray(0, 3),
          Uint8Array.of(2),
          reply(request, {}).subarray(4, 8),
          hex('ffff'),
        ]),
      ],
    ],
  ];
  for (const [name, answer] of boards) {
    const { host, client } = clientOf(answer);
    const error = await failure(host, sendImage(client));
    assert.ok(error instanceof NoAnswer || error instanceof InputError, `${name}: ${error.stack}`);
  }
});

test('a board that answers twice, late or out of order still gets the image', async () => {
  for (const kind of ['twice', 'old first'] as const) {
    let off = 0;
    let last: Buffer | null = null;
    const { host, client } = clientOf((request) => {
      const { body } = request;
      if (body['off'] === off) off += (body['data'] as Uint8Array).length;
      const now = reply(request, { off });
      const before = last;
      last = now;
      return kind === 'twice' ? [now, now] : before === null ? [now] : [before, now];
    });
    await host.run(sendImage(client));
    assert.is(off, IMAGE.length);
  }
});

test('a line that goes away ends what waits for it', async () => {
  const { host, client, line } = clientOf(() => []);
  host.after(100, () => line.onClose('the port is gone'));
  assert.instance(await failure(host, sendImage(client)), LineLost);
});

test('what a board says of itself is taken within bounds', async () => {
  const { host, client } = clientOf((request) => [
    reply(
      request,
      request.group === 0 && request.id === 6
        ? { buf_size: 4_000_000, buf_count: 1_000_000 }
        : { r: 'sparecore' },
    ),
  ]);
  assert.ok(await host.run(echo(client, 100, 1)));
  assert.equal(await host.run(parameters(client)), { bufferBytes: 16_384, buffers: 16 });
  const mute = clientOf((request) => [reply(request, { rc: 8 })]);
  assert.equal(await mute.host.run(parameters(mute.client)), { bufferBytes: 384, buffers: 1 });
  assert.is(await mute.host.run(boardInfo(mute.client)), null);
});

test('a refusal is told in words, for old and new result codes', async () => {
  const { host, client } = clientOf((request) => [reply(request, { rc: 256 + 4 })]);
  const error = await failure(host, select(client, new Uint8Array(32), false));
  assert.instance(error, Refused);
  assert.match(error.message, 'signed by another key than the board trusts');
  const newer = clientOf((request) => [
    Buffer.concat([
      Uint8Array.of(request.op + 1, 0, 0, 17, 0, 1, request.sequence, request.id),
      hex('a163657272a26567726f7570016272630a'),
    ]),
  ]);
  const body = await failure(newer.host, images(newer.client));
  assert.instance(body, Refused);
  assert.match(body.message, 'busy');
});

test('bytes that were drawn are no replies', () => {
  const random = new RandomStream('5', 'replies');
  for (let n = 0; n < 20_000; n++) {
    const bytes = Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256)));
    if (bytes.length >= 8 && random.chance(1, 2)) {
      bytes[0] = 3;
      bytes.writeUInt16BE(bytes.length - 8, 2);
    }
    replyOf(bytes);
  }
});

test.run();
