import { createPrivateKey } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HEADER_BYTES, IMAGE_MAX, KIND_CORTEX_M, KIND_EMULATED } from '../../firmware/bootloader/layout.ts';
import { InputError } from '../input-error.ts';
import { RandomStream } from '../random.ts';
import { type ImageOptions, isSignedBy, makeImage, parseImage } from './image.ts';
import { versionOf, versionText } from './version.ts';

const test = suite('firmware image');

const keyOf = (byte: number): ReturnType<typeof createPrivateKey> =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, byte)]),
    format: 'der',
    type: 'pkcs8',
  });

const OPTIONS: ImageOptions = {
  key: keyOf(1),
  version: { major: 1, minor: 2, revision: 300, build: 70000 },
  counter: 5,
  board: KIND_EMULATED,
};
const PAYLOAD = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);

function refusal(bytes: Uint8Array): string | null {
  try {
    parseImage(bytes);
    return null;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    assert.not.match(error.message, '\n');
    return error.message;
  }
}

test('an image says what it was made of, and who signed it', () => {
  for (const headerBytes of [HEADER_BYTES, 512]) {
    const image = parseImage(makeImage(PAYLOAD, { ...OPTIONS, headerBytes, board: KIND_CORTEX_M }));
    assert.equal(new Uint8Array(image.payload), PAYLOAD);
    assert.equal(image.version, OPTIONS.version);
    assert.is(image.counter, 5);
    assert.is(image.board, KIND_CORTEX_M);
    assert.ok(isSignedBy(image, keyOf(1)));
    assert.not(isSignedBy(image, keyOf(2)));
  }
});

test('the same payload and key make the same bytes', () => {
  assert.equal(makeImage(PAYLOAD, OPTIONS), makeImage(PAYLOAD, OPTIONS));
});

test('no bit of an image can change and nobody notices', () => {
  const bytes = makeImage(PAYLOAD.subarray(0, 64), OPTIONS);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    if (refusal(bytes) === null) assert.not(isSignedBy(parseImage(bytes), keyOf(1)), `bit ${bit}`);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
});

test('an image that is cut anywhere, or has more behind it, is refused', () => {
  const bytes = makeImage(PAYLOAD.subarray(0, 64), OPTIONS);
  for (let end = 0; end < bytes.length; end++) assert.is.not(refusal(bytes.subarray(0, end)), null);
  assert.match(refusal(Buffer.concat([bytes, Buffer.alloc(1)]))!, 'behind its end');
});

test('one that does not fit a slot is refused when it is made and when it is read', () => {
  assert.throws(() => makeImage(Buffer.alloc(IMAGE_MAX), OPTIONS), 'more than a slot holds');
  const header = makeImage(PAYLOAD, OPTIONS).subarray(0, 32);
  assert.match(refusal(Buffer.concat([header, Buffer.alloc(IMAGE_MAX)]))!, 'more than a slot holds');
});

test('bytes that were drawn, and images with bytes drawn over them, are refused in one line', () => {
  const random = new RandomStream('1', 'image-fuzz');
  const good = makeImage(PAYLOAD.subarray(0, 40), OPTIONS);
  let passed = 0;
  for (let n = 0; n < 20_000; n++) {
    const bytes = n % 4 === 0 ? Buffer.alloc(random.below(400)) : Buffer.from(good);
    if (n % 4 === 0) for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256);
    // Header and TLVs, where lengths are.
    for (let change = 1 + random.below(4); change > 0 && bytes.length > 0; change--) {
      const at = random.chance(1, 2) ? random.below(Math.min(32, bytes.length)) : random.below(bytes.length);
      bytes[at] = random.chance(1, 2) ? [0, 1, 0x7f, 0x80, 0xff][random.below(5)]! : random.below(256);
    }
    const cut = random.chance(1, 4) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
    if (refusal(cut) === null) passed++;
  }
  assert.ok(passed < 3000, `${passed}`); // what changed nothing, or only the signature
});

test('versions are read within the fields that hold them', () => {
  for (const text of ['0.0.0', '1.2.3', '255.255.65535+4294967295'])
    assert.is(versionText(versionOf(text)!), text);
  assert.is(versionText(versionOf('7.1')!), '7.1.0');
  for (const text of ['', '1', '256.0.0', '1.2.70000', '1.2.3+4294967296', '1.2.3-rc1', ' 1.2.3', '1.2.3\n'])
    assert.is(versionOf(text), null, text);
});

test.run();
