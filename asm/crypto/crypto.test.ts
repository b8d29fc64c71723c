import {
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Dice, Formats } from '../../boards/core/formats.test-helper.ts';
import { plain } from '../bytes/plain.test-helper.ts';

const test = suite('encryption');
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const LENGTHS = [...Array(300).keys(), 511, 512, 513, 4095, 65535, 65536];
const builds = async (): Promise<Formats[]> => [new Formats(), new Formats(await plain())];

function put(io: Formats, bytes: Uint8Array): number {
  const at = io.room(bytes.length + 64);
  io.bytes.set(bytes, at);
  return at;
}

test('X25519: the vectors of RFC 7748 5.2, and a thousand rounds of it', () => {
  const io = new Formats();
  const [out, scratch] = [io.room(32), io.room(2048)];
  for (const [scalar, point, result] of [
    [
      'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
      'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
      'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
    ],
    [
      '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
      'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
      '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
    ],
  ] as const) {
    io.call('x25519', out, put(io, hex(scalar)), put(io, hex(point)), scratch);
    assert.is(Buffer.from(io.part(out, 32)).toString('hex'), result);
  }
  const [k, u] = [put(io, hex(`09${'00'.repeat(31)}`)), put(io, hex(`09${'00'.repeat(31)}`))];
  for (let i = 1; i <= 1000; i++) {
    io.call('x25519', out, k, u, scratch);
    io.part(u, 32).set(io.part(k, 32));
    io.part(k, 32).set(io.part(out, 32));
    const now = Buffer.from(io.part(k, 32)).toString('hex');
    if (i === 1) assert.is(now, '422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079');
  }
  assert.is(
    Buffer.from(io.part(k, 32)).toString('hex'),
    '684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51',
  );
});

test('X25519: public keys and shared secrets are those of node:crypto, in both builds', async () => {
  for (const io of await builds()) {
    const [out, scratch] = [io.room(32), io.room(2048)];
    const dice = new Dice(31);
    for (let n = 0; n < 20; n++) {
      const [mine, theirs] = [dice.roll(new Uint8Array(32)), dice.roll(new Uint8Array(32))];
      const own = createPrivateKey({
        key: Buffer.concat([hex('302e020100300506032b656e04220420'), mine]),
        format: 'der',
        type: 'pkcs8',
      });
      const other = createPrivateKey({
        key: Buffer.concat([hex('302e020100300506032b656e04220420'), theirs]),
        format: 'der',
        type: 'pkcs8',
      });
      const spki = createPublicKey(other).export({ format: 'der', type: 'spki' });
      io.call('x25519_public', out, put(io, theirs), scratch);
      assert.is(Buffer.compare(io.part(out, 32), spki.subarray(12)), 0);
      io.call('x25519', out, put(io, mine), put(io, spki.subarray(12)), scratch);
      const shared = diffieHellman({ privateKey: own, publicKey: createPublicKey(other) });
      assert.is(Buffer.compare(io.part(out, 32), shared), 0);
    }
  }
});

test('X25519: a point of low order gives zeros, which no key may come of', () => {
  const io = new Formats();
  const [out, scratch] = [io.room(32), io.room(2048)];
  for (const point of [
    '00'.repeat(32),
    `01${'00'.repeat(31)}`,
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  ]) {
    io.call('x25519', out, put(io, new Dice(1).roll(new Uint8Array(32))), put(io, hex(point)), scratch);
    assert.ok(io.part(out, 32).every((byte) => byte === 0));
  }
});

test('SHA-256 is that of node:crypto at every length', () => {
  const io = new Formats();
  const [at, out, scratch] = [io.room(1024), io.room(32), io.room(1024)];
  new Dice(5).roll(io.part(at, 1024));
  for (let length = 0; length < 300; length++) {
    io.call('sha256', at, length, out, scratch);
    const expected = createHash('sha256').update(io.part(at, length)).digest();
    assert.is(Buffer.compare(io.part(out, 32), expected), 0, `${length} bytes`);
  }
});

test('HKDF-SHA256 is that of node:crypto', () => {
  const io = new Formats();
  const [out, scratch] = [io.room(32), io.room(1024)];
  const dice = new Dice(6);
  for (const [salt, secret, info] of [
    [64, 32, 16],
    [13, 22, 10],
    [0, 32, 0],
    [64, 160, 127],
    [1, 1, 1],
  ] as const) {
    const parts = [salt, secret, info].map((bytes) => dice.roll(new Uint8Array(bytes)));
    const at = parts.map((bytes) => put(io, bytes));
    io.call('hkdf_sha256', at[0]!, salt, at[1]!, secret, at[2]!, info, out, scratch);
    const expected = Buffer.from(hkdfSync('sha256', parts[1]!, parts[0]!, parts[2]!, 32));
    assert.is(Buffer.compare(io.part(out, 32), expected), 0, `${salt}, ${secret}, ${info}`);
  }
});

test('ChaCha20-Poly1305 is that of node:crypto at every length, in place and not, with SIMD and without', async () => {
  for (const io of await builds()) {
    const dice = new Dice(41);
    const [key, nonce, aad] = [32, 12, 16].map((bytes) => put(io, dice.roll(new Uint8Array(bytes))));
    const [from, to, scratch] = [io.room(65600), io.room(65700), io.room(1024)];
    dice.roll(io.part(from, 65536));
    const data = io.part(from, 65536).slice();
    for (const length of LENGTHS) {
      const cipher = createCipheriv('chacha20-poly1305', io.part(key!, 32), io.part(nonce!, 12), {
        authTagLength: 16,
      });
      cipher.setAAD(io.part(aad!, 16), { plaintextLength: length });
      const expected = Buffer.concat([
        cipher.update(data.subarray(0, length)),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      io.part(to, 65700).fill(0xa5);
      io.call('aead_seal', key!, nonce!, aad!, from, length, to, scratch);
      assert.is(Buffer.compare(io.part(to, length + 16), expected), 0, `${length} bytes`);
      assert.is(io.bytes[to + length + 16], 0xa5);
      io.part(to, length).set(data.subarray(0, length));
      io.call('aead_seal', key!, nonce!, aad!, to, length, to, scratch);
      assert.is(Buffer.compare(io.part(to, length + 16), expected), 0, `${length} bytes in place`);
    }
  }
});

test('ChaCha20-Poly1305: many keys over whole chunks, of noise and of ones, meet every carry of the authenticator', () => {
  const io = new Formats();
  const dice = new Dice(77);
  const [key, nonce, aad] = [32, 12, 16].map((bytes) => put(io, dice.roll(new Uint8Array(bytes))));
  const [from, to, scratch] = [io.room(65536), io.room(65600), io.room(1024)];
  for (let n = 0; n < 40; n++) {
    dice.roll(io.part(key!, 32));
    if (n % 2) io.part(from, 65536).fill(0xff);
    const data = io.part(from, 65536).slice();
    const cipher = createCipheriv('chacha20-poly1305', io.part(key!, 32), io.part(nonce!, 12), {
      authTagLength: 16,
    });
    cipher.setAAD(io.part(aad!, 16), { plaintextLength: 65536 });
    const expected = Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
    io.call('aead_seal', key!, nonce!, aad!, from, 65536, to, scratch);
    assert.is(Buffer.compare(io.part(to, 65552), expected), 0);
  }
});

test.run();
