import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { binaryOf, chapResponse, chooseAlgorithm } from './chap.ts';
import { numberOf } from './negotiate.ts';
import { formatText, parseText } from './text.ts';

const parse = (text: string) => parseText(Buffer.from(text));

test('pairs in order, empty ones skipped, values as they are', () => {
  assert.equal(parse('A=1\0\0Bc.d-e_f@g+h=x=y\0C=\0'), [
    ['A', '1'],
    ['Bc.d-e_f@g+h', 'x=y'],
    ['C', ''],
  ]);
  assert.equal(parse(''), []);
  const pairs = [
    ['TargetName', 'iqn.2026-01.test:ä'],
    ['X', ''],
  ] as const;
  assert.equal(parseText(formatText(pairs)), pairs);
});

for (const [what, text] of [
  ['no NUL at the end', 'A=1'],
  ['no equals sign', 'A\0'],
  ['no key', '=1\0'],
  ['a key that begins with a digit', '1A=1\0'],
  ['a key with a blank', 'A b=1\0'],
  ['a key of 64 bytes', `${'A'.repeat(64)}=1\0`],
  ['a value without end', `A=${'1'.repeat(3000)}\0`],
  ['more pairs than any negotiation has', 'A=1\0'.repeat(200)],
] as const) {
  test(`${what} is no text segment`, () => assert.is(parse(text), null));
}

test('numbers are decimal or hexadecimal, and nothing else', () => {
  assert.is(numberOf('1024'), 1024);
  assert.is(numberOf('0x400'), 1024);
  for (const text of ['', '-1', '+1', '1.5', '1e3', '0x', 'NaN', '0b11', '99999999999', ' 1']) {
    assert.ok(Number.isNaN(numberOf(text)), text);
  }
});

test('binary values are hexadecimal or base 64', () => {
  assert.equal(binaryOf('0x0aFF'), Buffer.from([10, 255]));
  assert.equal(binaryOf('0xaff'), Buffer.from([10, 255]));
  assert.equal(binaryOf('0bAAEC'), Buffer.from([0, 1, 2]));
  for (const text of ['', '0x', '0b', '0xzz', '0b****', '1234', `0x${'0'.repeat(2050)}`]) {
    assert.is(binaryOf(text), null, text);
  }
});

test('the response of RFC 1994 over identifier, secret and challenge, as other implementations have it', () => {
  // Of md5(01 "secret" 00 01 ... 0f), computed with coreutils
  const challenge = Uint8Array.from({ length: 16 }, (_, i) => i);
  const hex = (algorithm: string) =>
    Buffer.from(chapResponse(algorithm, 1, 'secret', challenge)).toString('hex');
  assert.is(hex('5'), '740e86463bda3a4d7017d6e0fba0699d');
  assert.is(hex('7'), '28b96c916cf784528bbfaa6ad7e012cab293437604aae8d66a3295b319132cef');
});

test('of the algorithms offered the first one known is chosen', () => {
  assert.is(chooseAlgorithm('5'), '5');
  assert.is(chooseAlgorithm('9,7,5'), '7');
  assert.is(chooseAlgorithm('1,2,toString'), null);
});

test.run();
