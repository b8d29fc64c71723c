// Savecore is cut off at every one of its writes, and the core file is there all the same: once, whole, and read back.
import { createPublicKey } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { MS } from '../boards/clock.ts';
import { containedImage } from '../boards/core/container.ts';
import { CoreFile } from '../boards/core/core-file.ts';
import { crc32c } from '../boards/core/crc32c.ts';
import { Exfat } from '../boards/core/exfat.ts';
import { privateKeyOf, rawPublicKey } from '../boards/core/key.ts';
import { readHeaders } from '../boards/core/records.ts';
import { finalChecks } from '../boards/observer/end.ts';
import { reader } from '../boards/observer/observer.ts';
import * as F from './layout.ts';
import { Saving } from './savecore.test-helper.ts';

const test = suite('savecore');
const PRIVATE = privateKeyOf('7'.repeat(64))!;
const BASE = L.DATA_LBA * L.SECTOR_BYTES;

/** What must be so at the end, whatever was cut. */
function assertOneGoodCore({ pair }: Saving, what: string): void {
  const { machine } = pair;
  finalChecks(machine, true);
  assert.equal(machine.observer.invariants.violations, [], what);
  const { medium } = machine.shelf.disks[pair.disk('a.root')]!;
  const read = reader(medium);
  const volume = new Exfat(
    (at, bytes) => read(BASE + at, bytes),
    medium.bytes - BASE - L.TAIL_BLOCKS * L.SECTOR_BYTES,
  );
  const files = volume.list('/cores');
  assert.is(files.length, 1, what);
  const bytes = Buffer.concat([...volume.read(files[0]!.path)]);
  const core = new CoreFile((at, count) => bytes.subarray(at, at + count), bytes.length);
  const { memory, report } = machine.observer.dumps[0]!;
  const compared = memory.compareCore(core, (at, count) => bytes.subarray(at, at + count));
  assert.equal([compared.wrong, compared.present], [[], report.zero + report.stored], what);
  assert.equal(volume.check(), { problems: [], leaks: 0 }, what);
  assert.not(volume.geometry.dirty, what);
  const { newest } = readHeaders(reader(machine.shelf.disks[pair.disk('a.spare.0')]!.medium), L.COREDUMP_LBA);
  assert.is(newest!.attribute, L.ATTRIBUTE_INACTIVE, what);
}

const whole = new Saving().run();
const WRITES = whole.writes;

test('not cut, it counts its one try, reads back, and leaves one core, a clean volume and a spare that may be used', () => {
  assertOneGoodCore(whole, 'not cut');
  assert.ok(WRITES >= 8, `${WRITES} writes`);
  assert.is(whole.pair.events(F.EV_SAVE_TRY).length, 1);
  whole.pair.close();
});

for (const cut of ['torn', 'after'] as const) {
  test(`its board loses power at each of its writes, ${cut}: there is one good core in the end, and nothing leaks`, () => {
    for (let n = 1; n <= WRITES; n++) {
      const saving = new Saving(n, cut);
      try {
        saving.run();
        assertOneGoodCore(saving, `cut at write ${n} of ${WRITES}, ${cut}`);
        assert.ok(saving.pair.events(F.EV_SAVE_TRY).length <= 2);
      } finally {
        saving.pair.close();
      }
    }
  });
}

test('a saver of an encrypted dump is cut off at each of its writes: there is one container in the end, and the key opens it', () => {
  const boards = {
    dumpKey: rawPublicKey(createPublicKey(PRIVATE)).toString('hex'),
    dumpCodec: 'lz4',
  } as const;
  const uncut = new Saving(Infinity, 'after', boards).run();
  const { writes } = uncut;
  uncut.pair.close();
  for (let n = 1; n <= writes; n++) {
    const what = `cut at write ${n} of ${writes}`;
    const saving = new Saving(n, n % 2 ? 'torn' : 'after', boards);
    try {
      saving.run();
      const { machine } = saving.pair;
      finalChecks(machine, true);
      assert.equal(machine.observer.invariants.violations, [], what);
      const { medium } = machine.shelf.disks[saving.pair.disk('a.root')]!;
      const read = reader(medium);
      const region = medium.bytes - BASE - L.TAIL_BLOCKS * L.SECTOR_BYTES;
      const volume = new Exfat((at, bytes) => read(BASE + at, bytes), region);
      const files = volume.list('/cores');
      assert.equal([files.length, files[0]!.name.slice(-4)], [1, '.enc'], what);
      assert.equal([volume.check(), volume.geometry.dirty], [{ problems: [], leaks: 0 }, false], what);
      const file = Buffer.concat([...volume.read(files[0]!.path)]);
      const image = containedImage((at, count) => file.subarray(at, at + count), file.length, PRIVATE);
      const { sums, bytes } = machine.observer.dumps[0]!.memory;
      assert.is(image.chunks, bytes / L.CHUNK_BYTES);
      for (const { index, content } of image)
        assert.is(crc32c(content!), sums[index], `${what}: chunk ${index}`);
    } finally {
      saving.pair.close();
    }
  }
});

test('a saver that is cut off every time comes to an end: after three tries the dump stays where it is, and it is told', () => {
  const saving = new Saving();
  const { pair } = saving;
  try {
    for (let life = 0; life < 4; life++) {
      // Whoever saves loses power in the middle of it.
      const tries = pair.events(F.EV_SAVE_TRY).length;
      if (tries > 3) break;
      const saver = pair.events(F.EV_SAVE_TRY).at(-1)?.board === 0 ? pair.a : pair.b;
      pair.run(20);
      saver.powerOff();
      pair.run(500);
      saver.powerOn();
      const end = pair.machine.clock.now + 5000 * MS;
      while (pair.events(F.EV_SAVE_TRY).length === tries && pair.machine.clock.now < end) pair.run(10);
    }
    pair.run(3000);
    assert.equal(pair.events(F.EV_SAVE_TRY).map(({ b }) => b), [1, 2, 3]); // prettier-ignore
    const refusals = pair.events(F.EV_SAVE_END).map(({ a, b }) => [a, b]); // prettier-ignore
    assert.equal(refusals[0], [0, F.SAVE_OFTEN]);
    const { medium } = pair.machine.shelf.disks[pair.disk('a.spare.0')]!;
    const { newest } = readHeaders(reader(medium), L.COREDUMP_LBA);
    assert.equal([newest!.refused, newest!.attribute, newest!.saveTries], [true, L.ATTRIBUTE_COMPLETED, 3]);
    // Nothing was overwritten: the core is still to be had from the disk itself.
    assert.is(pair.events(F.EV_ELECTED, 0).filter(({ time }) => time > 5e8).length, 0);
    assert.equal(pair.machine.observer.invariants.violations, []);
  } finally {
    pair.close();
  }
});

test('a root disk that does not give back what it was given: no core file gets a name, and the dump is kept', () => {
  const saving = new Saving();
  const { pair } = saving;
  try {
    const { medium } = pair.machine.shelf.disks[pair.disk('a.root')]!;
    const write = medium.write.bind(medium);
    let done = false;
    medium.write = (offset, from, at, bytes) => {
      write(offset, from, at, bytes);
      if (done || bytes < L.CHUNK_BYTES) return;
      done = true;
      write(offset + 4096, new Uint8Array([0x5a, 0xa5]), 0, 2); // a bit rots, nobody is told
    };
    const end = pair.until(F.EV_SAVE_END, { board: 1 });
    assert.equal([end.a, end.b], [0, F.SAVE_BACK]);
    const read = reader(medium);
    const region = medium.bytes - BASE - L.TAIL_BLOCKS * L.SECTOR_BYTES;
    assert.equal(new Exfat((at, bytes) => read(BASE + at, bytes), region).list('/cores'), []);
    const { newest } = readHeaders(
      reader(pair.machine.shelf.disks[pair.disk('a.spare.0')]!.medium),
      L.COREDUMP_LBA,
    );
    assert.is(newest!.attribute, L.ATTRIBUTE_COMPLETED);
  } finally {
    pair.close();
  }
});

test.run();
