/**
 * Whatever comes over the line: the bootloader does not trap, writes flash only as flash can be written, never touches
 * what the factory wrote or the image that it would come back to, and answers the next host that makes sense.
 */
import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SLOT_AT, SLOT_BYTES, STM32_FLASH_AT, TRAILER_AT } from '../../../firmware/bootloader/layout.ts';
import { parseImage } from '../../image/image.ts';
import { RandomStream } from '../../random.ts';
import { imageOf } from '../rig.test-helper.ts';
import { frameOf } from '../smp/frame.ts';
import { requestOf } from '../smp/packet.ts';
import { ECHO, HandBoard, SET_STATE, UPLOAD } from './bench.test-helper.ts';

const test = suite('fuzzed bootloader');
const OLD = imageOf({ bytes: 300 });
const KEPT_BYTES = SLOT_AT + SLOT_BYTES; // the factory's sectors, and slot 0 behind them

/** A board that runs a confirmed image out of slot 0, and is asked to stay in its bootloader. */
function board(): HandBoard {
  const made = new HandBoard();
  assert.ok(made.upload(OLD, createHash('sha256').update(OLD).digest()));
  assert.ok(made.ask(SET_STATE, { hash: parseImage(OLD).digest, confirm: true }));
  made.boot();
  assert.ok(made.running);
  made.running.reboot(true);
  return made;
}

function survives(it: HandBoard, kept: string, at: string): void {
  assert.is(it.flash.violations, 0, at);
  assert.is(hashOf(it), kept, `${at}: what must stay has changed`);
  it.host.pass(3000);
  it.feed(Uint8Array.of(0x0a));
  assert.is(it.ask(ECHO, { d: 'well?' })?.['r'], 'well?', at);
}

const hashOf = (it: HandBoard): string =>
  createHash('sha256').update(it.flash.bytes.subarray(0, KEPT_BYTES)).digest('hex');

const drawn = (random: RandomStream, bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, () => random.below(256));

/** Bytes with some of them replaced, dropped or doubled. */
function spoiled(random: RandomStream, bytes: Uint8Array): Uint8Array {
  const out = [...bytes];
  for (let n = random.below(4); n >= 0 && out.length > 0; n--) {
    const at = random.below(out.length);
    const kind = random.below(4);
    if (kind === 0) out.splice(at, 1 + random.below(8));
    else if (kind === 1) out.splice(at, 0, ...drawn(random, random.below(8)));
    else out[at] = [0, 1, 0x7f, 0x80, 0xff, random.below(256)][random.below(6)]!;
  }
  return Uint8Array.from(out);
}

const header = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.of(2, 0, bytes.length >> 8, bytes.length & 255, 0, 1, 0, 1), bytes]);

const xor = (bytes: readonly number[]): number => bytes.reduce((sum, byte) => sum ^ byte, 0);

test('bytes that were drawn', () => {
  const random = new RandomStream('1', 'bytes');
  const it = board();
  const kept = hashOf(it);
  for (let n = 0; n < 300; n++) {
    it.feed(drawn(random, random.below(400)));
    if (random.chance(1, 4)) it.host.pass(random.below(1500));
    if (n % 20 === 0) survives(it, kept, `${n}`);
  }
});

test('SMP: frames with a good checksum around anything, commands with any fields, lines cut and mixed', () => {
  const random = new RandomStream('2', 'smp');
  const it = board();
  const kept = hashOf(it);
  let resets = 0;
  let answers = 0;
  for (let n = 0; n < 6000; n++) {
    const command = {
      op: random.below(4),
      group: [0, 1, 64, random.below(65536)][random.below(4)]!,
      id: random.below(8),
    };
    const number = (): number =>
      [0, 1, 255, 256, 65535, 0x17f800, 0xffffffff, random.below(4096)][random.below(8)]!;
    const body = {
      ...(random.chance(1, 2) ? { off: random.chance(1, 2) ? 0 : number() } : {}),
      ...(random.chance(1, 2) ? { len: number() } : {}),
      ...(random.chance(1, 2) ? { data: drawn(random, random.below(600)) } : {}),
      ...(random.chance(1, 3) ? { sha: drawn(random, random.chance(3, 4) ? 32 : random.below(64)) } : {}),
      ...(random.chance(1, 4) ? { hash: drawn(random, 32) } : {}),
      ...(random.chance(1, 4) ? { confirm: random.chance(1, 2) } : {}),
      ...(random.chance(1, 4) ? { image: number() } : {}),
      ...(random.chance(1, 4) ? { d: 'x'.repeat(random.below(2000)) } : {}),
    };
    // A whole erase takes the emulated flash a while; once in a while is enough.
    if (command.group === 1 && command.id === 5 && random.chance(19, 20)) command.id = 1;
    const packet = requestOf(command, random.below(256), body);
    const broken = random.chance(1, 2) ? spoiled(random, packet) : packet;
    const frame = frameOf(broken);
    const boots = it.rig.boots;
    it.sent = [];
    it.feed(random.chance(1, 4) ? spoiled(random, frame) : frame);
    if (it.sent.length > 0) answers++;
    if (it.rig.boots > boots) {
      // It was told to reset: back into recovery.
      resets++;
      it.rig.recovery = true;
      it.rig.reset();
    }
    if (n % 50 === 0) survives(it, kept, `${n}`);
  }
  assert.ok(answers > 1000, `${answers} answers`);
  assert.ok(resets > 0);
  survives(it, kept, 'in the end');
  it.boot();
  assert.equal(it.running?.payload, new Uint8Array(parseImage(OLD).payload));
});

test('SMP: CBOR that lies about its lengths, nests or never ends', () => {
  const it = board();
  const kept = hashOf(it);
  for (const hex of [
    'bf',
    'ff',
    'bfff',
    '9f',
    'a1',
    'a163',
    'a1636f6666',
    'a1636f66661bffffffffffffffff',
    'a164646174615affffffff',
    'a164646174615bffffffffffffffff',
    'baffffffff',
    'bbffffffffffffffff',
    'a161789affffffff',
    'a16178' + '9f'.repeat(500),
    'a16178' + '81'.repeat(900),
    'a16178' + 'c1'.repeat(900),
    'a16178dbffffffffffffffff00',
    'a16178ba7fffffff',
    'a161789affffffff00',
    '7affffffff',
    'a17b00000000ffffffff',
    'a15f',
    'a1fb',
    'a1f9',
    'a1636f6666f5',
    'a167636f6e6669726d00',
    'a1646461746110',
    '',
  ]) {
    it.feed(frameOf(header(Buffer.from(hex, 'hex'))));
    survives(it, kept, hex);
  }
});

test('AN3155: commands with any addresses, lengths, pages and checksums', () => {
  const random = new RandomStream('3', 'an3155');
  const it = board();
  const kept = hashOf(it);
  let acks = 0;
  for (let n = 0; n < 6000; n++) {
    if (random.chance(1, 20)) it.host.pass(1500);
    it.tell(0x7f);
    const code = [0x00, 0x01, 0x02, 0x11, 0x21, 0x31, 0x43, 0x44, random.below(256)][random.below(9)]!;
    const spoil = (bytes: number[]): number[] =>
      random.chance(1, 6) ? [...spoiled(random, Uint8Array.from(bytes))] : bytes;
    const said = it.tell(...spoil([code, 0xff ^ code]));
    if (said.includes(0x79)) acks++;
    const offset = [0, 8, 2048, TRAILER_AT - 8, TRAILER_AT, 0x180000, 0xffffffff, random.below(0x180000)][
      random.below(8)
    ]!;
    const address = (STM32_FLASH_AT + offset) >>> 0;
    const bytes = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255);
    it.tell(...spoil([...bytes, xor(bytes)]));
    const data = [...drawn(random, 1 + random.below(random.chance(1, 8) ? 256 : 16))];
    const block = [data.length - 1, ...data];
    const count = random.below(4);
    const pages = Array.from({ length: count + 1 }, () => [random.below(4), random.below(256)]).flat();
    const parts: Record<number, number[]> = {
      0x11: [data.length - 1, 0xff ^ (data.length - 1)],
      0x31: [...block, xor(block)],
      0x43: [count, ...pages.slice(0, count + 1), xor([count, ...pages.slice(0, count + 1)])],
      0x44: [0, count, ...pages, xor([0, count, ...pages])],
    };
    const part = parts[code];
    if (part !== undefined) it.tell(...spoil(part));
    if (n % 100 === 0) survives(it, kept, `${n}`);
  }
  assert.ok(acks > 1000, `${acks}`);
  assert.ok(it.flash.operations > 100, `${it.flash.operations}`);
  survives(it, kept, 'in the end');
});

test('both protocols one after the other, broken off anywhere', () => {
  const random = new RandomStream('4', 'both');
  const it = board();
  const kept = hashOf(it);
  const upload = frameOf(
    requestOf(UPLOAD, 1, { off: 0, len: 5000, sha: new Uint8Array(32), data: OLD.subarray(0, 300) }),
  );
  const write = [
    0x31,
    0xce,
    0x08,
    0,
    0,
    0,
    0x08,
    0x07,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    7 ^ 1 ^ 2 ^ 3 ^ 4 ^ 5 ^ 6 ^ 7 ^ 8,
  ];
  for (let n = 0; n < 400; n++) {
    const whole = random.chance(1, 2) ? [...upload] : [0x7f, ...write];
    it.feed(Uint8Array.from(whole.slice(0, random.below(whole.length + 1))));
    if (random.chance(1, 3)) it.host.pass(random.below(2500));
    if (n % 10 === 0) survives(it, kept, `${n}`);
  }
});

test.run();
