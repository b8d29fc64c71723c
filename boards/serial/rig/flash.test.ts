import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FLASH_BYTES, SECTOR_BYTES, SLOT_AT, UNIT_BYTES } from '../../../firmware/bootloader/layout.ts';
import { flashInFile } from './flash-file.ts';
import { type CutPlace, NorFlash, PowerCut } from './flash.ts';

const test = suite('NOR flash');
const UNIT = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
const scratch = mkdtempSync(join(tmpdir(), 'sparecore-nor-'));
test.after(() => rmSync(scratch, { recursive: true }));

test('a unit is written once, whole, and where it was erased', () => {
  const flash = new NorFlash();
  assert.is(flash.write(SLOT_AT, UNIT), 0);
  assert.is(flash.write(SLOT_AT, UNIT), 1);
  assert.is(flash.write(SLOT_AT + 4, UNIT), 1);
  assert.is(flash.write(SLOT_AT + 8, UNIT.subarray(0, 4)), 1);
  assert.is(flash.erase(SLOT_AT + 8, SECTOR_BYTES), 1);
  assert.is(flash.erase(FLASH_BYTES, SECTOR_BYTES), 1);
  assert.is(flash.violations, 5);
  assert.is(flash.erase(SLOT_AT, SECTOR_BYTES), 0);
  assert.is(flash.write(SLOT_AT, UNIT), 0);
  assert.is(flash.violations, 5);
});

test('a cut comes at the operation it was planned for, before, inside or after it', () => {
  const at = (place: CutPlace): Uint8Array => {
    const flash = new NorFlash({ seed: '3' });
    flash.plan = { operation: 1, place };
    assert.throws(
      () => flash.write(SLOT_AT, Uint8Array.from([...UNIT, ...UNIT, ...UNIT])),
      (error: Error) => error instanceof PowerCut,
    );
    assert.equal(new Uint8Array(flash.read(SLOT_AT, UNIT_BYTES)), UNIT);
    assert.ok(flash.read(SLOT_AT + 2 * UNIT_BYTES, UNIT_BYTES).every((byte) => byte === 0xff));
    return new Uint8Array(flash.read(SLOT_AT + UNIT_BYTES, UNIT_BYTES));
  };
  assert.ok(at('before').every((byte) => byte === 0xff));
  assert.equal(at('after'), UNIT);
  const torn = at('inside');
  assert.not.equal(torn, UNIT);
  assert.ok(torn.some((byte) => byte !== 0xff));
  // Writing clears bits alone.
  assert.ok(torn.every((byte, i) => (byte & UNIT[i]!) === UNIT[i]));
});

test('flash in a file is there again', () => {
  const path = join(scratch, 'flash.bin');
  const first = flashInFile(path);
  first.write(SLOT_AT, UNIT);
  first.write(SLOT_AT + SECTOR_BYTES, UNIT);
  first.erase(SLOT_AT + SECTOR_BYTES, SECTOR_BYTES);
  assert.equal(new Uint8Array(flashInFile(path).bytes), new Uint8Array(first.bytes));
  assert.is(readFileSync(path).length, FLASH_BYTES);
  writeFileSync(path, 'not a flash');
  assert.throws(() => flashInFile(path), 'are no flash of such a board');
});

test.run();
