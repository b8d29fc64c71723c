import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Dice, Formats } from '../../boards/core/formats.test-helper.ts';
import { plain } from '../bytes/plain.test-helper.ts';

const test = suite('signatures');
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** [RFC 8032] 7.1: secret key, public key, message, signature */
const VECTORS = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
  [
    '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  ],
] as const;

class Signatures {
  readonly io: Formats;
  #at: number;

  constructor(io: Formats) {
    this.io = io;
    this.#at = io.room(16384);
  }

  verify(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean {
    const [s, k, m, scratch] = [this.#at, this.#at + 64, this.#at + 128, this.#at + 512];
    this.io.bytes.set(signature, s);
    this.io.bytes.set(key, k);
    this.io.bytes.set(message, m);
    return this.io.call('ed25519_verify', s, m, message.length, k, scratch) === 1;
  }
}

const privateKey = (seed: Uint8Array): ReturnType<typeof createPrivateKey> =>
  createPrivateKey({
    key: Buffer.concat([hex('302e020100300506032b657004220420'), seed]),
    format: 'der',
    type: 'pkcs8',
  });
const publicKey = (raw: Uint8Array): ReturnType<typeof createPublicKey> =>
  createPublicKey({
    key: Buffer.concat([hex('302a300506032b6570032100'), raw]),
    format: 'der',
    type: 'spki',
  });
const rawOf = (key: ReturnType<typeof createPrivateKey>): Buffer =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(12);

const number = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
const bytesOf = (value: bigint): Buffer => hex(value.toString(16).padStart(64, '0')).reverse();

test('Ed25519: the vectors of RFC 8032 7.1 are valid, and no longer when a bit of anything differs', () => {
  const it = new Signatures(new Formats());
  for (const [, key, message, signature] of VECTORS) {
    const parts = [hex(signature), hex(message), hex(key)] as const;
    assert.ok(it.verify(...parts));
    for (const part of parts) {
      for (let bit = 0; bit < part.length * 8; bit += 7) {
        part[bit >> 3]! ^= 1 << (bit & 7);
        assert.not(it.verify(...parts), `bit ${bit}`);
        part[bit >> 3]! ^= 1 << (bit & 7);
      }
    }
  }
});

test('Ed25519: random signatures of node:crypto are valid, in both builds', async () => {
  for (const io of [new Formats(), new Formats(await plain())]) {
    const it = new Signatures(io);
    const dice = new Dice(8032);
    for (let n = 0; n < 60; n++) {
      const key = privateKey(dice.roll(new Uint8Array(32)));
      const message = dice.roll(new Uint8Array(n % 65));
      const signature = sign(null, message, key);
      assert.ok(it.verify(signature, message, rawOf(key)), `${n}`);
      const other = rawOf(privateKey(dice.roll(new Uint8Array(32))));
      assert.not(it.verify(signature, message, other));
    }
  }
});

test('Ed25519: on random keys, most of them points that do not exist, it says what node:crypto says', () => {
  const it = new Signatures(new Formats());
  const dice = new Dice(11);
  for (let n = 0; n < 200; n++) {
    const [key, message] = [dice.roll(new Uint8Array(32)), dice.roll(new Uint8Array(32))];
    const signature = dice.roll(new Uint8Array(64));
    signature[63]! &= 0x0f;
    assert.is(it.verify(signature, message, key), verify(null, message, publicKey(key), signature));
  }
});

test('Ed25519: S plus the order of the group would verify, and is refused', () => {
  const it = new Signatures(new Formats());
  for (const [, key, message, signature] of VECTORS) {
    const s = number(hex(signature).subarray(32));
    for (const more of [L, 2n * L, 8n * L]) {
      if (s + more >= 2n ** 256n) continue;
      const forged = Buffer.concat([hex(signature).subarray(0, 32), bytesOf(s + more)]);
      assert.not(it.verify(forged, hex(message), hex(key)));
    }
  }
});

test('Ed25519: a key whose y is p or more, or whose x is minus zero, is refused', () => {
  const it = new Signatures(new Formats());
  // With the neutral point as the key, R = S B verifies any message: the signature below is valid for y = 1 alone.
  const [one, signature] = [
    bytesOf(1n),
    Buffer.concat([hex(`58${'66'.repeat(31)}`), bytesOf(1n)]), // R = B, S = 1
  ];
  assert.ok(it.verify(signature, hex('00'), one));
  assert.not(it.verify(signature, hex('00'), bytesOf(1n + P)));
  const minus = bytesOf(1n);
  minus[31]! |= 0x80;
  assert.not(it.verify(signature, hex('00'), minus));
  for (let more = 0n; more < 19n; more++) assert.not(it.verify(signature, hex('00'), bytesOf(P + more)));
});

test('Ed25519: a message longer than a digest is refused', () => {
  const it = new Signatures(new Formats());
  const key = privateKey(new Dice(3).roll(new Uint8Array(32)));
  const message = new Uint8Array(65);
  assert.not(it.verify(sign(null, message, key), message, rawOf(key)));
});

test('SHA-512 is that of node:crypto at every length', async () => {
  for (const io of [new Formats(), new Formats(await plain())]) {
    const dice = new Dice(512);
    const [from, out, scratch] = [io.room(70_000), io.room(64), io.room(1024)];
    for (const bytes of [...Array(400).keys(), 1023, 1024, 4095, 65536]) {
      const part = dice.roll(io.part(from, bytes));
      io.call('sha512', from, bytes, out, scratch);
      assert.is(Buffer.compare(io.part(out, 64), createHash('sha512').update(part).digest()), 0, `${bytes}`);
    }
  }
});

test.run();
