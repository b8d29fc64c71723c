/** From a program counter to function and source line, of the firmware that the build made. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Firmware } from '../emulated/firmware.ts';
import { firmwarePath } from '../machine.ts';
import { Dice } from './formats.test-helper.ts';
import { REGION_NAMES } from './regions.ts';
import { Symbols, parsePlace } from './symbols.ts';
import { codeOf } from './wasm-code.ts';

const test = suite('symbols');
const IMAGE = readFileSync(firmwarePath());
const symbols = Symbols.load(firmwarePath());

test('the functions of the module follow each other, each with its name', () => {
  const code = codeOf(IMAGE);
  assert.ok(code.length > 100);
  for (const [i, { from, to, index }] of code.entries()) {
    assert.ok(from < to && to <= IMAGE.length);
    assert.is(IMAGE[to - 1], 0x0b, 'a body ends with the instruction end');
    if (i > 0) assert.ok(from > code[i - 1]!.to - 1 && index === code[i - 1]!.index + 1);
  }
  assert.ok(code.some(({ name }) => name.startsWith('firmware/panic/')));
});

test('build id and places are those that the board notes', () => {
  const firmware = new Firmware(firmwarePath());
  assert.is(symbols.build, firmware.build);
  let known = 0;
  for (const { from, to } of codeOf(IMAGE)) {
    const pc = Math.floor((from + to) / 2);
    const place = symbols.place(pc);
    if (place === null) continue;
    known++;
    assert.is(`${place.file}:${place.line}:${place.column}`, firmware.place(pc));
  }
  assert.ok(known > 100);
});

test('a function that panics is found at the line that its source has', () => {
  const abort = codeOf(IMAGE).find(({ name }) => name === 'firmware/abort/abort')!;
  assert.is(symbols.function(abort.from)?.name, 'firmware/abort/abort');
  assert.is(symbols.function(abort.to)?.name === abort.name, false);
  assert.is(symbols.place(abort.to - 2)?.file, 'firmware/abort.ts');
  const source = symbols.source('firmware/abort.ts')!;
  assert.is(source.join('\n'), readFileSync(new URL('../../firmware/abort.ts', import.meta.url), 'utf8'));
});

test('nothing is known of a place outside of the code', () => {
  assert.is(symbols.function(0), null);
  assert.is(symbols.place(0), null);
  assert.is(symbols.function(IMAGE.length + 5), null);
  assert.is(symbols.source('firmware/none.ts'), null);
});

test('a place is a file, a line and perhaps a column', () => {
  assert.equal(parsePlace('firmware/a.ts:12:3'), { file: 'firmware/a.ts', line: 12, column: 3 });
  assert.equal(parsePlace('firmware/a.ts:12'), { file: 'firmware/a.ts', line: 12, column: 0 });
  for (const text of ['', 'between two cycles', 'firmware/a.ts', ':1', 'a:b:c'])
    assert.is(parsePlace(text), null);
});

test('a module that is cut or damaged anywhere has fewer functions, and ends', () => {
  const dice = new Dice(12);
  for (let round = 0; round < 60; round++) {
    const image = IMAGE.slice(0, 1 + dice.below(IMAGE.length));
    for (let n = dice.below(20); n > 0; n--)
      image[dice.below(Math.min(image.length, 4000))] = dice.below(256);
    for (const { from, to } of codeOf(image))
      assert.ok(Number.isSafeInteger(from) && Number.isSafeInteger(to));
  }
});

test('the regions have the numbers of the firmware', () => {
  const order = readFileSync(new URL('../../firmware/order.ts', import.meta.url), 'utf8');
  const numbers = Object.fromEntries(
    [...order.matchAll(/^export const REGION_(\w+): u32 = (\d+);/gm)].map(([, name, n]) => [name, Number(n)]),
  );
  assert.equal(Object.keys(REGION_NAMES).map(Number), [
    numbers['STATE'],
    numbers['LOG'],
    numbers['TRACE'],
    numbers['STATIC'],
    numbers['BUFFERS'],
    numbers['WORK'],
    numbers['INDEX'],
  ]);
});

test.run();
