import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT_BAD_IMAGE, InputError } from '../input-error.ts';
import { FileMedium, type Medium, MemoryMedium } from './medium.ts';

const test = suite('medium');
const MIB = 1 << 20;
const folder = mkdtempSync(join(tmpdir(), 'sparecore-medium-'));
let images = 0;
const newPath = (): string => join(folder, `${images++}.img`);
test.after(() => rmSync(folder, { recursive: true }));

function readAll(medium: Medium, offset: number, count: number): Uint8Array {
  const into = new Uint8Array(count).fill(0xee);
  medium.read(offset, into, 0, count);
  return into;
}

const kinds: readonly (readonly [name: string, make: (bytes: number) => Medium])[] = [
  ['memory', (bytes) => new MemoryMedium(bytes)],
  ['a file', (bytes) => new FileMedium(newPath(), bytes, true)],
];

for (const [name, make] of kinds) {
  test(`${name}: what was never written reads as zero, whatever lay in the buffer`, () => {
    const medium = make(3 * MIB);
    medium.write(MIB, new Uint8Array(512).fill(7), 0, 512);
    assert.ok(readAll(medium, 0, MIB).every((byte) => byte === 0));
    const around = readAll(medium, MIB - 512, 1536);
    assert.ok(around.subarray(0, 512).every((byte) => byte === 0));
    assert.ok(around.subarray(512, 1024).every((byte) => byte === 7));
    assert.ok(around.subarray(1024).every((byte) => byte === 0));
    medium.close();
  });

  test(`${name}: data that crosses pieces of 256 KiB comes back whole`, () => {
    const medium = make(2 * MIB);
    const data = Uint8Array.from({ length: MIB }, (_, i) => (i * 7 + (i >> 8)) & 255);
    medium.write(200_192, data, 0, data.length);
    medium.flush();
    assert.ok(Buffer.from(readAll(medium, 200_192, data.length)).equals(data));
    medium.close();
  });

  test(`${name}: only the part of the buffer that was asked for is read or written`, () => {
    const medium = make(MIB);
    medium.write(512, Uint8Array.of(1, 2, 3, 4, 5, 6), 2, 3);
    assert.equal([...readAll(medium, 511, 5)], [0, 3, 4, 5, 0]);
    const into = new Uint8Array(6).fill(9);
    medium.read(512, into, 2, 3);
    assert.equal([...into], [9, 9, 3, 4, 5, 9]);
    medium.close();
  });
}

test('memory and file give the same bytes, whatever is written and read', () => {
  const BYTES = 700_000; // not a multiple of a piece
  const access = fc.record({
    write: fc.boolean(),
    offset: fc.nat(BYTES - 1),
    count: fc.nat(300_000),
    fill: fc.nat(255),
  });
  fc.assert(
    fc.property(fc.array(access, { maxLength: 30 }), (accesses) => {
      const memory = new MemoryMedium(BYTES);
      const path = newPath();
      const file = new FileMedium(path, BYTES, true);
      for (const { write, offset, count, fill } of accesses) {
        const part = Math.min(count, BYTES - offset);
        if (write) {
          const data = Uint8Array.from({ length: part }, (_, i) => (fill + i) & 255);
          memory.write(offset, data, 0, part);
          file.write(offset, data, 0, part);
        } else assert.ok(Buffer.from(readAll(memory, offset, part)).equals(readAll(file, offset, part)));
      }
      assert.ok(Buffer.from(readAll(memory, 0, BYTES)).equals(readAll(file, 0, BYTES)));
      file.close();
      assert.ok(Buffer.from(readAll(memory, 0, BYTES)).equals(readFileSync(path)));
      rmSync(path);
    }),
    { seed: 20_260_103, numRuns: 40 },
  );
});

test('a file takes as much room as was written, not as the disk is large', () => {
  const path = newPath();
  const medium = new FileMedium(path, 4 * 2 ** 30, true);
  medium.write(3 * 2 ** 30, new Uint8Array(65536).fill(1), 0, 65536);
  medium.flush();
  assert.is(readAll(medium, 3 * 2 ** 30 + 65535, 1)[0], 1);
  medium.close();
  const { size, blocks } = statSync(path);
  assert.is(size, 4 * 2 ** 30);
  assert.ok(blocks * 512 < MIB, `${blocks * 512} bytes on the host`);
});

test('a file keeps what was written after it is closed and opened again', () => {
  const path = newPath();
  const first = new FileMedium(path, MIB, true);
  first.write(4096, Buffer.from('kept'), 0, 4);
  first.close();
  const again = new FileMedium(path, MIB, false);
  assert.is(Buffer.from(readAll(again, 4096, 4)).toString(), 'kept');
  again.close();
});

test('an image of another size is refused in one line, and is not touched', () => {
  const path = newPath();
  writeFileSync(path, 'a photo album');
  assert.throws(
    () => new FileMedium(path, MIB, false),
    (error: InputError) =>
      error instanceof InputError &&
      error.exitCode === EXIT_BAD_IMAGE &&
      error.message.startsWith(path) &&
      /13 bytes.*1048576/.test(error.message) &&
      !error.message.includes('\n'),
  );
  assert.is(readFileSync(path, 'utf8'), 'a photo album');
});

test('an image that is there is never made anew', () => {
  const path = newPath();
  writeFileSync(path, 'precious');
  assert.throws(() => new FileMedium(path, MIB, true), /EEXIST/);
  assert.is(readFileSync(path, 'utf8'), 'precious');
});

test('an image cut while it is in use ends the run with a clear line, not in an endless loop', () => {
  const path = newPath();
  const medium = new FileMedium(path, MIB, true);
  truncateSync(path, 4096);
  assert.throws(() => readAll(medium, 4096, 512), /was cut while in use/);
  medium.close();
});

test('a closed file is free for others', () => {
  const path = newPath();
  const medium = new FileMedium(path, MIB, true);
  medium.close();
  assert.throws(() => medium.write(0, new Uint8Array(1), 0, 1), /EBADF/);
  assert.ok(existsSync(path));
  closeSync(openSync(path, 'r+'));
});

test.run();
