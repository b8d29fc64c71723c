/** The link over lines that do to frames what lines do, and its ends before bytes that nobody sane would send. */
import { crc32c } from '@node-rs/crc32';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RandomStream } from '../../boards/random.ts';
import { type LineFaults, NO_FAULTS } from '../../boards/serial/line.ts';
import type { Chunk, LinkEnd } from '../../boards/serial/link-end.ts';
import { LinkPair } from '../../boards/serial/link-pair.ts';
import { instantiateSync } from '../pkg/index.js';
import * as K from './layout.ts';

const HARSH: LineFaults = {
  loss: 60_000,
  corruption: 60_000,
  cut: 30_000,
  duplication: 60_000,
  reordering: 120_000,
};

const bytesOf = (random: RandomStream, count: number): Uint8Array =>
  // Zeros are what COBS is about.
  Uint8Array.from({ length: count }, () => (random.chance(1, 4) ? 0 : random.next() & 255));

/** Channel and value of each byte, in order: frames may be cut anywhere, bytes not. */
const flat = (chunks: readonly Chunk[]): string =>
  chunks.map(({ channel, bytes }) => [...bytes].map((byte) => `${channel}:${byte}`).join(' ')).join(' ');

/** Both ends send what a seed draws; resolves to what each sent. */
function converse(pair: LinkPair, seed: string, writes: number): { down: Chunk[]; up: Chunk[] } {
  const random = new RandomStream(seed, 'conversation');
  const sent = { down: [] as Chunk[], up: [] as Chunk[] };
  const waiting: { end: LinkEnd; chunk: Chunk; log: Chunk[] }[] = [];
  for (let n = 0; n < writes; n++) {
    const chunk = { channel: random.below(K.CHANNELS), bytes: bytesOf(random, 1 + random.below(2500)) };
    const isDown = random.chance(1, 2);
    waiting.push({ end: isDown ? pair.host : pair.board, chunk, log: isDown ? sent.down : sent.up });
  }
  const done = pair.run(() => {
    while (waiting.length > 0) {
      const { end, chunk, log } = waiting[0]!;
      const went = end.write(chunk.channel, chunk.bytes);
      if (went > 0) log.push({ channel: chunk.channel, bytes: chunk.bytes.slice(0, went) });
      chunk.bytes = chunk.bytes.subarray(went);
      if (random.chance(1, 3)) end.flush();
      if (chunk.bytes.length > 0) break;
      waiting.shift();
    }
    if (waiting.length > 0) return false;
    pair.host.flush();
    pair.board.flush();
    return pair.host.idle && pair.board.idle;
  }, 600_000);
  assert.ok(done, `seed ${seed}: the conversation did not end`);
  pair.turn();
  return sent;
}

test('every byte arrives once and in order, across channels, whatever the line does to frames', () => {
  let again = 0;
  let bad = 0;
  let twice = 0;
  for (let seed = 1; seed <= 25; seed++) {
    const pair = new LinkPair({ faults: HARSH, seed: String(seed) }).open();
    const { down, up } = converse(pair, String(seed), 60);
    assert.is(flat(pair.atBoard), flat(down), `seed ${seed}, to the board`);
    assert.is(flat(pair.atHost), flat(up), `seed ${seed}, to the host`);
    again += pair.host.count(K.COUNT_AGAIN);
    bad += pair.board.count(K.COUNT_BAD);
    twice += pair.board.count(K.COUNT_DUPLICATE);
  }
  assert.ok(again > 100 && bad > 100 && twice > 20, `${again} again, ${bad} bad, ${twice} twice`);
});

test('the clock may wrap around in the middle, and so may the sequence numbers', () => {
  const pair = new LinkPair({ faults: { ...HARSH, loss: 20_000 }, startUs: 2 ** 32 - 2_000 }).open();
  const { down, up } = converse(pair, 'wrap', 60);
  assert.ok(pair.nowUs > 2 ** 32);
  assert.is(flat(pair.atBoard), flat(down));
  assert.is(flat(pair.atHost), flat(up));

  const small = new LinkPair().open();
  const frames = 70_000;
  let sent = 0;
  small.run(() => {
    for (; sent < frames; sent++) {
      if (small.host.write(K.CHANNEL_TIME, Uint8Array.of(sent & 255, (sent >> 8) & 255)) === 0) break;
      small.host.flush();
    }
    return sent === frames && small.host.idle;
  });
  assert.is(small.atBoard.length, frames);
  assert.ok(small.atBoard.every(({ bytes }, n) => (bytes[0]! | (bytes[1]! << 8)) === (n & 0xffff)));
});

/** As the layout says it, by another hand. */
function decode(line: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (let at = 0; at < line.length - 1;) {
    const code = line[at++]!;
    for (let i = 1; i < code; i++) out.push(line[at++]!);
    if (code < 255 && at < line.length - 1) out.push(0);
  }
  return Uint8Array.from(out);
}

test('a frame on the line is what the layout says: COBS, header, payload, CRC32C', () => {
  const pair = new LinkPair().open();
  const random = new RandomStream('1', 'payloads');
  for (const size of [1, 2, 236, 237, 238, 253, 254, 255, 508, 1000, 1023, 1024]) {
    const payload = size % 2 === 0 ? bytesOf(random, size) : new Uint8Array(size).fill(0x5a);
    assert.is(pair.host.write(K.CHANNEL_CONTROL, payload), size);
    pair.host.flush();
    let line = pair.host.transmit(pair.nowUs)!;
    while (decode(line)[0] !== K.FRAME_DATA) line = pair.host.transmit(pair.nowUs)!;
    assert.is(line.indexOf(0), line.length - 1, 'the only zero is the last byte');
    assert.ok(line.length <= K.LINE_BYTES_MAX);
    const frame = Buffer.from(decode(line));
    assert.is(frame.length, K.FRAME_HEADER_BYTES + size + K.FRAME_CRC_BYTES);
    assert.is(frame.readUInt16LE(K.FRAME_LENGTH_AT), size);
    assert.is(frame.readUInt32LE(frame.length - 4), crc32c(frame.subarray(0, -4)));
    assert.equal([...frame.subarray(K.FRAME_HEADER_BYTES, -4)], [...payload]);
    pair.board.receive(line, pair.nowUs);
    assert.equal([...pair.board.take()!.bytes], [...payload]);
    pair.run(() => pair.host.idle);
  }
});

test('who takes nothing gets no more than was granted, and other channels go on', () => {
  const pair = new LinkPair().open();
  pair.boardTakes = false;
  const data = new Uint8Array(20_000).fill(7);
  let console = 0;
  pair.run(() => {
    console += pair.host.write(K.CHANNEL_CONSOLE, data.subarray(console));
    return false;
  }, 50);
  const frames = Math.ceil(console / K.FRAME_PAYLOAD_MAX);
  assert.is(console + frames * K.FRAME_COST, K.CREDIT_BYTES);
  assert.is(pair.host.write(K.CHANNEL_TIME, Uint8Array.of(1)), 1);
  pair.host.flush();
  pair.run(() => pair.host.idle, 1000);
  assert.ok(pair.host.idle, 'all that was granted is taken off the line');
  pair.boardTakes = true;
  assert.ok(
    pair.run(() => {
      console += pair.host.write(K.CHANNEL_CONSOLE, data.subarray(console));
      pair.host.flush();
      return console === data.length && pair.host.idle;
    }, 5000),
  );
  assert.is(pair.atBoard.filter(({ channel }) => channel === K.CHANNEL_TIME).length, 1);
});

test('a grant that was lost is asked for again', () => {
  const pair = new LinkPair({ faults: { ...NO_FAULTS, loss: 400_000 }, seed: '3' }).open();
  let sent = 0;
  const data = new Uint8Array(60_000);
  const done = pair.run(() => {
    sent += pair.host.write(K.CHANNEL_CONSOLE, data.subarray(sent));
    pair.host.flush();
    return sent === data.length && pair.host.idle;
  }, 600_000);
  assert.ok(done);
});

test('nor does a lost grant hold up who fills frame after frame and never says that the last one is to go', () => {
  const faults = { ...NO_FAULTS, loss: 150_000, cut: 100_000 };
  const data = new Uint8Array(200_000);
  for (let seed = 1; seed <= 20; seed++) {
    const pair = new LinkPair({ faults, seed: String(seed) }).open();
    let sent = 0;
    const done = pair.run(() => {
      sent += pair.board.write(K.CHANNEL_PANIC, data.subarray(sent, sent + 4096));
      return sent === data.length;
    }, 600_000);
    assert.ok(done, `seed ${seed}: ${sent} bytes`);
  }
});

test('a board that was reset says so, and its session does not come back', () => {
  const pair = new LinkPair().open();
  const other = new LinkPair({ seed: 'after the reset' });
  pair.host.write(K.CHANNEL_TIME, Uint8Array.of(1, 2, 3));
  pair.host.flush();
  // The line leads to a board that knows nothing.
  const frame = pair.host.transmit(pair.nowUs)!;
  other.board.receive(frame, 0);
  const answer = other.board.transmit(0)!;
  assert.is(decode(answer)[0], K.FRAME_RESET);
  pair.host.receive(answer, pair.nowUs);
  assert.is(pair.host.state, K.LINK_LOST);
  assert.is(pair.host.write(K.CHANNEL_TIME, Uint8Array.of(1)), 0);
});

test('an OPEN, a CONFIRM or a RESET that comes late ends no session', () => {
  const lines: Uint8Array[] = [];
  const early = new LinkPair();
  early.host.open(7, 0);
  const open = early.host.transmit(0)!;
  early.board.receive(open, 0);
  const offer = early.board.transmit(0)!;
  early.host.receive(offer, 0);
  const confirm = early.host.transmit(0)!;
  early.board.receive(confirm, 0);
  assert.is(early.board.state, K.LINK_OPEN);
  lines.push(open, offer, confirm);
  // A new session with the same board; then the old handshake comes once more, and an old goodbye.
  early.host.close();
  const goodbye = early.host.transmit(0)!;
  lines.push(goodbye);
  early.board.receive(goodbye, 0);
  early.host.open(8, 0);
  early.run(() => early.host.state === K.LINK_OPEN && early.board.state === K.LINK_OPEN);
  const { lives } = early.board;
  for (const line of lines) {
    early.board.receive(line, early.nowUs);
    early.host.receive(line, early.nowUs);
  }
  early.run(() => false, 1000);
  assert.is(early.host.state, K.LINK_OPEN);
  assert.is(early.board.state, K.LINK_OPEN);
  assert.is(early.board.lives, lives);
  const { down } = converse(early, 'after all', 5);
  assert.is(flat(early.atBoard), flat(down));
});

test('a pulled cable is silence: the host asks, and hears nothing', () => {
  const pair = new LinkPair().open();
  pair.toBoard.pulled = true;
  const frames = pair.toBoard.frames;
  pair.run(() => false, 5000);
  assert.ok(pair.host.silent(pair.nowUs) >= 5_000_000);
  const probes = pair.toBoard.frames - frames;
  assert.ok(probes >= 8 && probes <= 12, `${probes} probes in five seconds`);
});

/** An end in the middle of memory that must not change. */
function guarded(role: number): {
  receive: (bytes: Uint8Array, now: number) => void;
  transmit: (now: number) => Uint8Array;
  open: () => void;
  untouched: () => boolean;
} {
  const io = instantiateSync();
  const size = io.link_size();
  const link = (io.heap_base() + 4096 + 15) & ~15;
  const room = 8192;
  const buffer = link + size + 4096;
  const memory = new Uint8Array(io.memory.buffer);
  memory.fill(0xa5, link - 4096, link);
  memory.fill(0xa5, link + size, buffer);
  io.link_init(link, role, 99, 0);
  return {
    receive: (bytes, now) => {
      for (let at = 0; at < bytes.length; at += room) {
        memory.set(bytes.subarray(at, at + room), buffer);
        io.link_receive(link, buffer, Math.min(room, bytes.length - at), now);
      }
      while (io.link_take(link, buffer) >>> 0 !== K.LINK_NOTHING);
    },
    transmit: (now) => {
      const bytes = io.link_transmit(link, buffer, now);
      return memory.slice(buffer, buffer + bytes);
    },
    open: () => io.link_open(link, 5, 0),
    untouched: () =>
      memory.subarray(link - 4096, link).every((byte) => byte === 0xa5) &&
      memory.subarray(link + size, buffer).every((byte) => byte === 0xa5),
  };
}

/** COBS and the zero, by another hand. */
function encode(frame: Uint8Array): Uint8Array {
  const out: number[] = [];
  let run: number[] = [];
  for (const byte of frame) {
    if (byte !== 0) run.push(byte);
    if (byte === 0 || run.length === 254) {
      out.push(run.length + 1, ...run);
      run = [];
      if (byte !== 0) continue;
    }
  }
  out.push(run.length + 1, ...run, 0);
  return Uint8Array.from(out);
}

/** A frame of session 5. */
function sealed(kind: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(K.FRAME_HEADER_BYTES + payload.length + 4);
  frame[K.FRAME_KIND_AT] = kind;
  frame.writeUInt16LE(payload.length, K.FRAME_LENGTH_AT);
  frame.writeUInt16LE(5, K.FRAME_SESSION_AT);
  frame.set(payload, K.FRAME_HEADER_BYTES);
  return seal(frame);
}

function seal(frame: Buffer): Buffer {
  frame.writeUInt32LE(crc32c(frame.subarray(0, -4)), frame.length - 4);
  return frame;
}

test('neither end writes beyond its block, whatever it is sent: noise, and frames with every field wrong', () => {
  for (const role of [K.LINK_HOST, K.LINK_BOARD]) {
    const random = new RandomStream(String(role), 'fuzz');
    const end = guarded(role);
    let answers = 0;
    for (let n = 0; n < 20_000; n++) {
      if (role === K.LINK_HOST && n % 100 === 0) {
        end.open();
        end.receive(encode(sealed(K.FRAME_OFFER, Uint8Array.of(1, 2, 3, 4))), n * 1000);
      }
      const kind = random.below(4);
      if (kind === 0) end.receive(bytesOf(random, random.below(3000)), n * 1000);
      else {
        const payload = bytesOf(random, random.chance(1, 8) ? random.below(1100) : random.below(40));
        const frame = Buffer.alloc(K.FRAME_HEADER_BYTES + payload.length + 4);
        // Seldom RESET, which ends the session.
        frame[K.FRAME_KIND_AT] = random.below(random.chance(1, 50) ? 256 : K.FRAME_RESET);
        frame[K.FRAME_CHANNEL_AT] = random.below(kind === 1 ? 256 : 8);
        frame.writeUInt16LE(kind === 1 ? random.below(65536) : payload.length, K.FRAME_LENGTH_AT);
        frame.writeUInt16LE(random.chance(1, 10) ? random.below(65536) : 5, K.FRAME_SESSION_AT);
        frame.writeUInt16LE(random.below(random.chance(1, 2) ? 40 : 65536), K.FRAME_SEQUENCE_AT);
        frame.writeUInt16LE(random.below(random.chance(1, 2) ? 20 : 65536), K.FRAME_ACK_AT);
        frame.writeUInt16LE(random.below(65536), K.FRAME_SACK_AT);
        frame.writeUInt32LE(random.next(), K.FRAME_CREDIT_AT);
        frame.set(payload, K.FRAME_HEADER_BYTES);
        end.receive(encode(seal(frame)), n * 1000);
      }
      if (end.transmit(n * 1000).length > 0) answers++;
    }
    assert.ok(end.untouched(), `role ${role}`);
    assert.ok(answers > 1000, `role ${role}: ${answers} answers`);
  }
});

test('after any noise a session begins and carries data', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new RandomStream(String(seed), 'noise');
    const pair = new LinkPair({ seed: String(seed) });
    for (let n = 0; n < 20; n++) {
      pair.board.receive(bytesOf(random, random.below(4000)), pair.nowUs);
      pair.host.receive(bytesOf(random, random.below(4000)), pair.nowUs);
    }
    pair.open(seed);
    const { down, up } = converse(pair, String(seed), 4);
    assert.is(flat(pair.atBoard), flat(down));
    assert.is(flat(pair.atHost), flat(up));
  }
});

test.run();
