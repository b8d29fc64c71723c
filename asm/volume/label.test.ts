import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import { Formats } from '../../boards/core/formats.test-helper.ts';

const test = suite('label');
const WWN = 0x5000c500a1b2c3d4n;

function build(io: Formats, at: number, sequence: number): void {
  io.call('label_begin', at, L.ROLE_ROOT, 1, 4, WWN);
  io.call('label_name', at, ...io.text('root-a'));
  io.call('label_seal', at, sequence);
}

test('a label gives back what it was made of', () => {
  const io = new Formats();
  const at = io.room(L.COPY_BYTES);
  build(io, at, 9);
  const field = (offset: number): number => io.view.getUint32(at + offset, true);
  assert.is(io.call('label_valid', at), 1);
  assert.equal(
    [L.LABEL_ROLE_AT, L.LABEL_OWNER_AT, L.LABEL_HOLDER_AT, L.LABEL_STATE_AT, L.LABEL_VOLUME_AT].map(field),
    [L.ROLE_ROOT, 1, 1, L.LABEL_FORMATTED, 4],
  );
  assert.is(io.view.getBigUint64(at + L.LABEL_WWN_LO_AT, true), WWN);
  assert.is(Buffer.from(io.part(at + L.LABEL_NAME_AT, 16)).toString(), 'root-a'.padEnd(16, '\0'));
});

test('a name longer than its field is cut', () => {
  const io = new Formats();
  const at = io.room(L.COPY_BYTES);
  build(io, at, 1);
  io.call('label_name', at, ...io.text('a-name-longer-than-its-field'));
  assert.is(Buffer.from(io.part(at + L.LABEL_NAME_AT, 20)).toString(), 'a-name-longer-th\0\0\0\0');
});

test('a label write cut after any sector leaves the older label, or the new one whole', () => {
  const io = new Formats();
  const copies = io.room(2 * L.COPY_BYTES);
  const next = io.room(L.COPY_BYTES);
  build(io, copies, 1);
  build(io, copies + L.COPY_BYTES, 2);
  build(io, next, 3);
  io.view.setUint32(next + L.LABEL_HOLDER_AT, 2, true);
  io.part(next + 512, L.COPY_BYTES - 512).fill(0xa5); // so that every sector differs
  io.call('label_seal', next, io.call('label_next_sequence', copies));
  const victim = io.call('label_victim', copies);
  assert.is(victim, 0);
  for (let sectors = 0; sectors <= L.COPY_BLOCKS; sectors++) {
    build(io, copies, 1);
    io.part(copies, sectors * 512).set(io.part(next, sectors * 512));
    assert.is(io.call('label_newest', copies), sectors === L.COPY_BLOCKS ? 0 : 1, `${sectors} sectors`);
  }
});

test('a sealed label with a role, state or volume that there is not does not count', () => {
  for (const [at, bad] of [
    [L.LABEL_ROLE_AT, 6],
    [L.LABEL_STATE_AT, 0],
    [L.LABEL_STATE_AT, 3],
    [L.LABEL_VOLUME_AT, L.NO_VOLUME + 1],
  ] as const) {
    const io = new Formats();
    const copy = io.room(L.COPY_BYTES);
    build(io, copy, 1);
    io.view.setUint32(copy + at, bad, true);
    io.call('label_seal', copy, 1);
    assert.is(io.call('label_valid', copy), 0, `${bad} at ${at}`);
  }
});

test('copies are neighbours, one read apart', () => {
  const io = new Formats();
  assert.equal(
    [io.call('label_lba', 0), io.call('label_lba', 1)],
    [L.LABEL_LBA, L.LABEL_LBA + L.COPY_BLOCKS],
  );
  assert.equal(
    [io.call('header_lba', 0), io.call('header_lba', 1)],
    [L.COREDUMP_LBA, L.COREDUMP_LBA + L.COPY_BLOCKS],
  );
});

test.run();
