import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT_BAD_FIRMWARE, InputError } from '../input-error.ts';
import { firmwarePath } from '../machine.ts';
import { Firmware, faultOffset } from './firmware.ts';
import { BoardBench, POST } from './probe.test-helper.ts';

const test = suite('firmware image');
const folder = mkdtempSync(join(tmpdir(), 'sparecore-firmware-'));
test.after(() => rmSync(folder, { recursive: true }));

// A WebAssembly module by hand: [WebAssembly] 5.5
const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
const section = (id: number, entries: readonly number[][]): number[] => {
  const bytes = [entries.length, ...entries.flat()];
  return entries.length === 0 ? [] : [id, (bytes.length & 127) | 128, bytes.length >> 7, ...bytes];
};
type Import = readonly [module: string, name: string, kind?: 'memory' | 'function', pages?: number];

const ALL = ['start', 'boot_board', 'cycle', 'interrupt', 'nmi', 'place_address', 'build_address'];
const RAM: Import = ['env', 'memory', 'memory', 1];

/** All functions take and give nothing; `body` is what they do. */
function moduleOf(
  imports: readonly Import[],
  exports: readonly string[],
  body: readonly number[] = [],
): Uint8Array {
  const functions = imports.filter(([, , kind]) => kind !== 'memory').length;
  return Uint8Array.of(
    ...Buffer.from('\0asm\x01\0\0\0', 'latin1'),
    ...section(1, [[0x60, 0, 0]]),
    ...section(
      2,
      imports.map(([module, item, kind, pages = 1]) => [
        ...name(module),
        ...name(item),
        ...(kind === 'memory' ? [2, 0, (pages & 127) | 128, pages >> 7] : [0, 0]),
      ]),
    ),
    ...section(3, [[0]]),
    ...section(
      7,
      exports.map((each) => [...name(each), 0, functions]),
    ),
    ...section(10, [[body.length + 2, 0, ...body, 0x0b]]),
  );
}

let files = 0;
function imageOf(bytes: Uint8Array | string): string {
  const path = join(folder, `${files++}.wasm`);
  writeFileSync(path, bytes);
  return path;
}

function assertRefused(path: string, said: RegExp): void {
  assert.throws(
    () => new Firmware(path),
    (error: InputError) =>
      error instanceof InputError &&
      error.exitCode === EXIT_BAD_FIRMWARE &&
      EXIT_BAD_FIRMWARE === 5 &&
      error.message.startsWith(`${path}: `) &&
      !error.message.includes('\n') &&
      said.test(error.message),
  );
}

const REFUSED: readonly (readonly [what: string, bytes: Uint8Array | string, said: RegExp])[] = [
  ['that is a text', 'hello, I am no firmware', /is no WebAssembly module/],
  ['that is empty', '', /is no WebAssembly module/],
  ['cut in the middle', moduleOf([RAM], ALL).subarray(0, 60), /is no WebAssembly module/],
  ['that imports a device no board has', moduleOf([RAM, ['gpu', 'draw']], ALL), /imports function gpu\.draw, which no board has/],
  ['that imports a function a device has not', moduleOf([RAM, ['hba', 'explode']], ALL), /hba\.explode/],
  ['that wants abort of its host', moduleOf([RAM, ['env', 'abort']], ALL), /env\.abort/],
  ['that wants a memory where a device is', moduleOf([['hba', 'poll', 'memory']], ALL), /memory hba\.poll/],
  ['that wants a function where RAM is', moduleOf([['env', 'memory']], ALL), /function env\.memory/],
  ['with a memory of its own', moduleOf([], ALL), /has a memory of its own/],
  ['without exports', moduleOf([RAM], []), /does not export start, boot_board, .*; it is no firmware/],
]; // prettier-ignore

for (const [what, bytes, said] of REFUSED) {
  test(`an image ${what} is refused in one line`, () => assertRefused(imageOf(bytes), said));
}

for (const missing of ALL) {
  test(`an image without ${missing} is refused, and the line names it`, () => {
    const path = imageOf(
      moduleOf(
        [RAM],
        ALL.filter((each) => each !== missing),
      ),
    );
    assertRefused(path, new RegExp(`does not export ${missing};`));
  });
}

test('an image that is not there, or a folder, is refused, and the line says what to do', () => {
  assertRefused(join(folder, 'nowhere.wasm'), /cannot be read; build it with npm run build/);
  assertRefused(folder, /cannot be read/);
});

test('an image with nothing wrong is taken, even one that does nothing', () => {
  const path = imageOf(moduleOf([RAM, ['hba', 'poll'], ['trace', 'event']], ALL));
  const firmware = new Firmware(path);
  assert.is(firmware.build, createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16));
  assert.is(firmware.place(10), null); // it has no symbols
});

test('an image that needs more RAM than the board has is refused when the board boots, in one line', () => {
  const path = imageOf(moduleOf([['env', 'memory', 'memory', 300]], ALL));
  const bench = new BoardBench(new Firmware(path));
  bench.board.powerOn();
  assert.throws(
    () => bench.clock.runUntil(POST),
    (error: InputError) =>
      error instanceof InputError && error.exitCode === EXIT_BAD_FIRMWARE && error.message.startsWith(path),
  );
});

test('an image that traps wherever it is entered halts its board, and nothing else', () => {
  const bench = new BoardBench(new Firmware(imageOf(moduleOf([RAM], ALL, [0x00]))));
  bench.started(100);
  assert.not(bench.board.running);
  assert.is.not(bench.board.ram(), null);
});

test('the image that the build made is taken, and knows its own source', () => {
  const firmware = new Firmware(firmwarePath());
  const places = new Set<string>();
  for (let offset = 0; offset < 60_000; offset += 37) places.add(firmware.place(offset)?.split(':')[0] ?? '');
  assert.ok(places.has('firmware/panic.ts'), [...places].join(' '));
  assert.ok(places.has('firmware/serve.ts'));
  assert.ok(
    [...places].every((file) => /^(?:(?:firmware|asm|~lib)\/.*\.ts)?$/.test(file)),
    [...places].join(' '),
  );
});

for (const [what, error, stack, offset] of [
  ['a trap', WebAssembly.RuntimeError, 'at a (wasm://wasm/0:wasm-function[7]:0x1f3)\n at b (wasm://x:wasm-function[9]:0x2)', 0x1f3],
  ['a stack that overflowed', RangeError, 'at a (wasm://wasm/0:wasm-function[7]:0x10)\n at b (wasm://x:wasm-function[9]:0x2ab)', 0x2ab],
  ['an overflow of one frame', RangeError, 'at a (wasm://wasm/0:wasm-function[7]:0x10)', 0x10],
  ['an error with no frame of firmware', WebAssembly.RuntimeError, 'at Object.<anonymous> (index.js:1:1)', 0],
] as const) {
  test(`the place of ${what} is read from its stack`, () => {
    const thrown = new error('x');
    thrown.stack = `Error: x\n    ${stack}`;
    assert.is(faultOffset(thrown), offset);
  });
} // prettier-ignore

test.run();
