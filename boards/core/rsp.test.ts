/** The GDB remote protocol as gdb speaks it, and as nobody should. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../asm/layout.ts';
import * as F from '../../firmware/layout.ts';
import { Dice } from './formats.test-helper.ts';
import { PACKET_MAX, PacketReader, packetOf } from './rsp-packet.ts';
import type { Received } from './rsp-packet.ts';
import { RspSession } from './rsp-session.ts';
import { RspTarget } from './rsp-target.ts';
import { imageOf, memoryOf, sourceOf } from './source.test-helper.ts';

const test = suite('GDB remote protocol');
const MEMORY = memoryOf();
const source = sourceOf(imageOf(MEMORY, { reached: 9, attribute: L.ATTRIBUTE_ABORTED }));
const target = (): RspTarget =>
  new RspTarget(source, async (command) => (command === 'log' ? 'a line\n' : null));

async function answer(data: string): Promise<string> {
  return (await target().answer(data)).packets.join('|');
}

function received(bytes: Uint8Array): Received[] {
  return [...new PacketReader().push(bytes)];
}

class Gdb {
  sent = '';
  ended = false;
  readonly session = new RspSession(
    target(),
    (bytes) => (this.sent += Buffer.from(bytes).toString('latin1')),
    () => (this.ended = true),
  );

  async push(text: string | Uint8Array): Promise<string> {
    this.sent = '';
    await this.session.push(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    return this.sent;
  }
}

test('a packet comes through whatever bytes are in it, and in any pieces', () => {
  const data = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
  const bytes = packetOf(data);
  assert.equal(received(bytes), [{ kind: 'packet', data, bad: false }]);
  const reader = new PacketReader();
  assert.equal(
    [...bytes].flatMap((byte) => [...reader.push(Uint8Array.of(byte))]),
    [{ kind: 'packet', data, bad: false }],
  );
});

test('a packet with a wrong sum is told as bad, an interrupt between packets is one', () => {
  assert.equal(received(Buffer.from('+$g#68\x03-$m0,4#zz')), [
    { kind: 'packet', data: 'g', bad: true },
    { kind: 'interrupt' },
    { kind: 'nack' },
    { kind: 'packet', data: 'm0,4', bad: true },
  ]);
});

test('memory is read as gdb asks for it, and ends where it is missing', async () => {
  assert.is(await answer(`m${F.RECORD_AT.toString(16)},4`), '53435052');
  const last = 10 * L.CHUNK_BYTES; // chunk 9 was not reached
  assert.is(await answer(`m${(9 * L.CHUNK_BYTES - 2).toString(16)},8`), '0000');
  assert.is(await answer(`m${(last - 4).toString(16)},4`), 'E14');
  assert.is(await answer('mffffffff,1'), 'E14');
  assert.is(await answer('m100000000,1'), 'E14');
});

/** Address of a page of chunk 10. */
const page = (n: number): string => (10 * L.CHUNK_BYTES + n * L.PAGE_BYTES).toString(16);

test('gdb reads up to a poisoned page and behind it, never in it, and is told why', async () => {
  const poisoned = sourceOf(imageOf(MEMORY, { poisoned: { 10: 0x0006 } }));
  const gdb = new RspTarget(poisoned, async () => null);
  const read = async (at: string, bytes: number): Promise<string> =>
    (await gdb.answer(`m${at},${bytes.toString(16)}`)).packets.join('|');
  const hex = (at: number, bytes: number): string =>
    Buffer.from(MEMORY.subarray(at, at + bytes)).toString('hex');
  const from = 10 * L.CHUNK_BYTES + L.PAGE_BYTES - 8;
  assert.is(await read(from.toString(16), 64), hex(from, 8));
  assert.is(await read(page(1), 4), 'E14');
  assert.is(await read(page(3), 4), hex(10 * L.CHUNK_BYTES + 3 * L.PAGE_BYTES, 4));
  const why = (await gdb.answer(`qRcmd,${Buffer.from(`why 0x${page(2)}`).toString('hex')}`)).packets[0]!;
  assert.match(Buffer.from(why.slice(1), 'hex').toString(), /poisoned: uncorrectable in RAM/);
});

test('the program counter is known, and no other register pretends to be', async () => {
  const registers = await answer('g');
  assert.is(registers.length, (16 * 4 + 8 * 10 + 8 * 4) * 2);
  assert.is(registers.slice(64, 72), '34120000');
  assert.match(registers.slice(0, 64) + registers.slice(72), /^x+$/);
  assert.is(await answer('p8'), '34120000');
  assert.is(await answer('p4'), 'xxxxxxxx');
  assert.is(await answer('p10'), 'x'.repeat(20));
});

test('nothing can be written, stepped or continued', async () => {
  for (const data of ['M41000,1:00', 'X41000,1:a', 'G00', 'P8=00000000', 'c', 's', 'C06', 'S06']) {
    assert.is(await answer(data), 'E01', data);
  }
  for (const data of ['vCont?', 'vCont;c', 'Z0,41000,1', 'vRun;', 'R00', 'A', '!', 'vMustReplyEmpty']) {
    assert.is(await answer(data), '', data);
  }
});

test('the target description arrives in pieces and is the same', async () => {
  let xml = '';
  for (let from = 0; ; from += 0x80) {
    const part = await answer(`qXfer:features:read:target.xml:${from.toString(16)},80`);
    xml += part.slice(1);
    if (part[0] === 'l') break;
    assert.is(part[0], 'm');
  }
  assert.match(xml, /<architecture>i386<\/architecture><feature name="org\.gnu\.gdb\.i386\.core">/);
  assert.is(xml.match(/<reg /g)?.length, 32);
  assert.is(await answer('qXfer:features:read:other.xml:0,80'), 'E00');
  assert.is(await answer('qXfer:auxv:read::0,80'), '');
});

/** What `monitor` prints. */
async function ask(command: string): Promise<string> {
  const packets = (await target().answer(`qRcmd,${Buffer.from(command).toString('hex')}`)).packets;
  assert.is(packets.at(-1), 'OK');
  return packets
    .slice(0, -1)
    .map((packet) => Buffer.from(packet.slice(1), 'hex').toString())
    .join('');
}

test('monitor why says why memory is missing', async () => {
  assert.is(await ask('why 0x90000'), '0x00090000: unreached: the dump did not get there\n');
  assert.is(await ask('why 0x41000'), '0x00041000: is there\n');
  assert.is(await ask('log'), 'a line\n');
  assert.match(await ask('reboot'), /^monitor knows: /);
});

test('a session acknowledges, answers, repeats what did not arrive, and ends', async () => {
  const gdb = new Gdb();
  assert.is(await gdb.push('+'), '');
  assert.is(await gdb.push('$?#3f'), '+$T06thread:1;#d8');
  assert.is(await gdb.push('-'), '$T06thread:1;#d8');
  assert.is(await gdb.push('$?#00'), '-');
  assert.is(await gdb.push(packetOf('QStartNoAckMode')), '+$OK#9a');
  assert.is(await gdb.push(packetOf('qC')), '$QC1#c5');
  assert.is(await gdb.push(packetOf('D')), '$OK#9a');
  assert.ok(gdb.ended);
  assert.is(await gdb.push(packetOf('g')), '');
});

test('a packet that gdb repeats because it was late is answered once', async () => {
  const gdb = new Gdb();
  const packet = packetOf('qC').toString('latin1');
  assert.is(await gdb.push(packet + packet + packet), '+$QC1#c5');
});

test('a packet without an end ends the session before it fills the memory', async () => {
  const gdb = new Gdb();
  await gdb.push(`$${'m'.repeat(PACKET_MAX + 1)}`);
  assert.ok(gdb.ended);
});

test('no bytes break it: each answer is a packet, none larger than agreed', async () => {
  const dice = new Dice(7);
  const words = [
    'g',
    'm0,',
    'm',
    'p',
    'qXfer:features:read:target.xml:',
    'qRcmd,',
    'qSupported:',
    'H',
    'vCont;',
    'ffffffff',
    ',',
    ':',
    '-1',
    '#',
    '}',
    '$',
    '\x03',
  ];
  for (let round = 0; round < 600; round++) {
    const gdb = new Gdb();
    let data = '';
    for (let n = dice.below(6); n >= 0; n--)
      data += dice.below(3) ? words[dice.below(words.length)]! : String.fromCharCode(dice.below(256));
    const text = dice.below(2)
      ? packetOf(data).toString('latin1')
      : `$${data}#${dice.below(256).toString(16)}`;
    const sent = await gdb.push(text);
    const left = sent.replace(/[+-]/g, (sign, at: number) => (/^[+-]*$/.test(sent.slice(0, at)) ? '' : sign));
    assert.ok(left.length <= 4 * PACKET_MAX, data);
    for (const got of received(Buffer.from(sent, 'latin1'))) {
      if (got.kind === 'packet') assert.not.ok(got.bad, data);
    }
    await gdb.push(packetOf('qC'));
    assert.ok(
      gdb.ended || gdb.sent.includes('$QC1#c5') || gdb.sent.startsWith('-') || gdb.sent === '',
      `${data}: ${gdb.sent}`,
    );
  }
});

test.run();
