import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RandomStream } from '../random.ts';
import { crc32c } from './initiator.test-helper.ts';
import { PduReader } from './reader.ts';

interface Seen {
  opcode: number;
  ahs: number;
  data: string;
}

class Sink {
  readonly seen: Seen[] = [];
  readonly bad: number[] = [];
  why = '';
  full = false;
  /** Becomes full after so many PDUs. */
  room = Infinity;

  pdu(buf: Uint8Array, at: number, ahs: number, dataAt: number, dataBytes: number): void {
    const data = Buffer.from(buf.subarray(dataAt, dataAt + dataBytes)).toString();
    this.seen.push({ opcode: buf[at]!, ahs, data });
    if (--this.room === 0) this.full = true;
  }

  badData(buf: Uint8Array, at: number): void {
    this.bad.push(buf[at]!);
  }

  broken(why: string): void {
    this.why = why;
  }
}

const crc = (bytes: Uint8Array, from: number, to: number): number => crc32c(bytes.subarray(from, to));
const withDigest = (bytes: Buffer): Buffer => {
  const digest = Buffer.alloc(4);
  digest.writeUInt32LE(crc32c(bytes));
  return Buffer.concat([bytes, digest]);
};

function build(opcode: number, text: string, ahsWords = 0, digests = false): Buffer {
  const header = Buffer.alloc(48 + ahsWords * 4);
  header[0] = opcode;
  header[4] = ahsWords;
  header.writeUIntBE(text.length, 5, 3);
  const data = Buffer.concat([Buffer.from(text), Buffer.alloc(-text.length & 3)]);
  return digests
    ? Buffer.concat([withDigest(header), ...(data.length > 0 ? [withDigest(data)] : [])])
    : Buffer.concat([header, data]);
}

for (const digests of [false, true]) {
  test(`PDUs are the same however the stream is cut (${digests ? 'with' : 'without'} digests)`, () => {
    const stream = Buffer.concat(
      ['', 'a', 'four', 'fifth', 'x'.repeat(5000)].flatMap((text, i) => [
        build(i, text, 0, digests),
        build(i + 16, text, i, digests),
      ]),
    );
    const random = new RandomStream('1', 'cuts');
    let whole: Seen[] = [];
    for (let round = 0; round < 60; round++) {
      const sink = new Sink();
      const reader = new PduReader(sink, crc, 8192);
      reader.headerDigest = reader.dataDigest = digests;
      const most = round === 0 ? stream.length : round === 1 ? 1 : 1 + random.below(300);
      // One buffer for all, as a socket has it: what was in it is gone at the next piece.
      const buffer = Buffer.alloc(stream.length);
      for (let at = 0; at < stream.length;) {
        const bytes = Math.min(most, stream.length - at);
        buffer.fill(0xee);
        stream.copy(buffer, 0, at, at + bytes);
        reader.push(buffer, bytes);
        at += bytes;
      }
      if (round === 0) whole = sink.seen;
      assert.equal(sink.seen, whole);
      assert.is(sink.why, '');
    }
    assert.is(whole.length, 10);
    assert.equal(whole[3], { opcode: 17, ahs: 4, data: 'a' });
  });
}

test('a full sink stops it, and nothing is lost when it goes on', () => {
  const stream = Buffer.concat(['a', 'b', 'c', 'd'].map((text, i) => build(i, text)));
  const sink = new Sink();
  sink.room = 2;
  const reader = new PduReader(sink, crc, 8192);
  const buffer = Buffer.alloc(1000);
  stream.copy(buffer, 0, 0, 180);
  reader.push(buffer, 180);
  buffer.fill(0xee);
  stream.copy(buffer, 0, 180);
  reader.push(buffer, stream.length - 180);
  assert.is(sink.seen.length, 2);
  assert.is(reader.heldBack, 104);
  sink.full = false;
  reader.resume();
  assert.equal(
    sink.seen.map(({ data }) => data),
    ['a', 'b', 'c', 'd'],
  );
});

test('a data segment that is too long ends the stream before a byte of it is kept', () => {
  const sink = new Sink();
  const reader = new PduReader(sink, crc, 512);
  const bytes = build(1, 'x'.repeat(513));
  reader.push(bytes, 48);
  assert.match(sink.why, /513 bytes, 512 are allowed/);
  reader.push(bytes, bytes.length);
  assert.is(sink.seen.length, 0);
});

test('a wrong header digest ends the stream, a wrong data digest skips the PDU', () => {
  const sink = new Sink();
  const reader = new PduReader(sink, crc, 8192);
  reader.headerDigest = reader.dataDigest = true;
  const data = build(5, 'some data', 0, true);
  data[53]! ^= 4;
  const padding = build(6, 'some data', 0, true);
  padding[52 + 11]! ^= 4; // padding is under the digest, too
  const header = build(7, 'some data', 0, true);
  header[20]! ^= 1;
  for (const bytes of [data, padding, build(8, 'more', 0, true), header, build(9, '', 0, true)]) {
    reader.push(bytes, bytes.length);
  }
  assert.equal(sink.bad, [5, 6]);
  assert.equal(
    sink.seen.map(({ opcode }) => opcode),
    [8],
  );
  assert.is(sink.why, 'header digest error');
});

test.run();
