import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../asm/layout.ts';
import * as F from '../../firmware/layout.ts';
import { CoreFile } from './core-file.ts';
import { CoreSource } from './core-source.ts';
import { writeCore } from './elf-writer.ts';
import { Dice } from './formats.test-helper.ts';
import { EPOCH, SYSTEM, raw } from './image.test-helper.ts';
import {
  Bytes,
  CHUNKS,
  chunkOf,
  imageOf,
  memoryOf,
  mended,
  placeOf,
  sourceOf,
  wholeOf,
} from './source.test-helper.ts';
import { verify } from './verify.ts';

const test = suite('verify');
const MEMORY = memoryOf();
const noise = (bytes: number): Uint8Array => new Dice(4).roll(new Uint8Array(bytes));

const problemsOf = async (source: Parameters<typeof verify>[0]): Promise<string[]> =>
  (await verify(source)).flatMap(({ problems }) => problems);

for (const [name, cut] of [
  ['a completed dump', {}],
  ['one that was cut at its limit', { reached: 5, attribute: L.ATTRIBUTE_ABORTED, abort: L.ABORT_LIMIT }],
  ['one with poisoned pages', { poisoned: { 10: 0x8421, 12: 0x0003, 3: L.CHUNK_POISONED } }],
  ['one that power loss cut', { reached: 11, attribute: L.ATTRIBUTE_DUMPING }],
] as const) {
  test(`${name} is in order, as an image and as a core file`, async () => {
    const source = sourceOf(imageOf(MEMORY, cut));
    assert.equal(await problemsOf(source), []);
    const file = new Bytes();
    const { bytes } = await writeCore(source, file.write);
    const checks = await verify(new CoreSource(new CoreFile(file.read, bytes), 'core', () => {}));
    assert.equal(
      checks.flatMap(({ problems }) => problems),
      [],
    );
    assert.equal(
      checks.map(({ what }) => what),
      [
        'ELF core',
        'coverage against segments',
        'content of the chunks',
        'panic record against the header',
        'notes against memory',
      ],
    );
  });
}

test('a header that counts other poisoned pages than the table is found, and a note that tells other ones', async () => {
  const writer = imageOf(MEMORY, { poisoned: { 10: 0x8421 } });
  writer.chunks(3, [{ ...raw(15, chunkOf(MEMORY, 10)), poison: 0 }]);
  writer.chunks(2, [{ ...raw(10, mended(chunkOf(MEMORY, 10), 0x8420)), poison: 0x8420 }]);
  assert.match((await problemsOf(sourceOf(writer))).join(), /says 4 pages poisoned, the table 3/);
  const file = new Bytes();
  const { bytes } = await writeCore(sourceOf(imageOf(MEMORY, { poisoned: { 10: 0x0006 } })), file.write);
  const all = Buffer.from(file.read(0, bytes));
  const range = Buffer.alloc(16);
  for (const [i, value] of [10, 1, L.MISSING_POISONED, 6].entries()) range.writeUInt32LE(value, i * 4);
  const at = all.indexOf(range);
  assert.ok(at > 0);
  for (const [pages, problem] of [
    [2, /chunk 10 is in no segment/],
    [14, /pages of chunk 10 are said to be missing/],
  ] as const) {
    all.writeUInt32LE(pages, at + 12);
    const core = new CoreFile((from, count) => all.subarray(from, from + count), bytes);
    assert.match((await problemsOf(new CoreSource(core, 'core', () => {}))).join(), problem);
  }
});

test('a header that was ahead of its table when the power went is in order', async () => {
  const writer = imageOf(MEMORY, { reached: 10, attribute: L.ATTRIBUTE_DUMPING });
  writer.header(L.ATTRIBUTE_ABORTED, CHUNKS, {
    [L.HEADER_STORED_AT]: 6,
    [L.HEADER_ZERO_AT]: 9,
  });
  const problems = await problemsOf(sourceOf(writer));
  assert.not.match(problems.join(), /the header says/);
});

test('a core that was made of a board without a panic is in order', async () => {
  const memory = memoryOf();
  memory.fill(0, F.RECORD_AT, F.RECORD_AT + F.RECORD_BYTES);
  const file = new Bytes();
  const { bytes } = await writeCore(wholeOf(memory), file.write);
  const core = new CoreSource(new CoreFile(file.read, bytes), 'core', () => {});
  assert.equal(await problemsOf(core), []);
});

test('regions that were cleared are told by every copy of a core', async () => {
  const scrubbed = [{ address: 0x6f000, bytes: 32, kind: 1 }];
  const file = new Bytes();
  const { bytes } = await writeCore({ ...wholeOf(MEMORY), scrubbed }, file.write);
  const core = new CoreSource(new CoreFile(file.read, bytes), 'core', () => {});
  assert.equal(core.scrubbed, scrubbed);
  const again = new Bytes();
  const copy = await writeCore(core, again.write);
  assert.equal(new CoreFile(again.read, copy.bytes).scrubbed, scrubbed);
});

test('a reason that is none, and a memory of more than 4 GiB, are refused: neither makes a gap look like memory', async () => {
  const file = new Bytes();
  const { bytes } = await writeCore(sourceOf(imageOf(MEMORY, { lost: [10] })), file.write);
  const all = Buffer.from(file.read(0, bytes));
  const read = (from: number, count: number): Uint8Array => all.subarray(from, from + count);
  const range = Buffer.alloc(16);
  range.writeUInt32LE(10, 0);
  range.writeUInt32LE(1, 4);
  const at = all.indexOf(range);
  assert.ok(at > 0);
  for (const reason of [1, 2, 0x7f, 0x86, 0x101]) {
    all.writeUInt32LE(reason, at + 8);
    assert.throws(() => new CoreFile(read, bytes), /missing for no reason/);
  }
  all.writeUInt32LE(L.CODEC_LOST, at + 8);
  const counts = at - L.COVERAGE_RANGE_AT;
  const stored = all.readUInt32LE(counts + L.COVERAGE_STORED_AT);
  all.writeUInt32LE(0x4000_0000, counts + L.COVERAGE_CHUNKS_AT);
  all.writeUInt32LE(0x4000_0000 - CHUNKS + stored, counts + L.COVERAGE_STORED_AT);
  assert.throws(() => new CoreFile(read, bytes), /a memory of 1073741824 chunks/);
});

const SPOILED: [string, (writer: ReturnType<typeof imageOf>) => void, RegExp][] = [
  [
    'a torn copy of the header',
    ({ disk }) => disk.write(L.COREDUMP_LBA * 512, noise(512)),
    /copy 0 of the coredump header is torn/,
  ],
  ['a torn label', ({ disk }) => disk.write(L.LABEL_LBA * 512, noise(512)), /copy 0 of the label is torn/],
  [
    'a torn block of the table',
    ({ disk }) => disk.write(L.DATA_LBA * 512 + 1024, noise(512)),
    /block 0 of the chunk table: torn/,
  ],
  [
    'a chunk that is not as it was',
    (writer) => writer.disk.write(placeOf(writer, 10) + 5120, noise(512)),
    /chunk 10 \(0x000a0000\): corrupt/,
  ],
  [
    'a header that says more than the table',
    (writer) =>
      writer.header(L.ATTRIBUTE_COMPLETED, CHUNKS, { [L.HEADER_STORED_AT]: 9, [L.HEADER_TABLE_COUNT_AT]: 4 }),
    /the header says 9 chunks stored, the table 5/,
  ],
  [
    'a header of another board than the record',
    (writer) =>
      writer.header(L.ATTRIBUTE_ABORTED, CHUNKS, {
        [L.HEADER_REASON_AT]: L.PANIC_TRAP,
        [L.HEADER_STORED_AT]: 5,
        [L.HEADER_ZERO_AT]: 11,
      }),
    /reason: 2 in the record, 1 in the header/,
  ],
];

for (const [what, spoil, says] of SPOILED) {
  test(`finds ${what}`, async () => {
    const writer = imageOf(MEMORY);
    spoil(writer);
    const problems = await problemsOf(sourceOf(writer));
    assert.ok(
      problems.some((problem) => says.test(problem)),
      problems.join('\n'),
    );
  });
}

test('says that a completed dump has chunks in no block of its table', async () => {
  const problems = await problemsOf(sourceOf(imageOf(MEMORY, { reached: 10 })));
  assert.match(problems.join('\n'), /the header says completed, and 6 chunks are in no block/);
});

test('says that a note of a core file is not what lies in its memory', async () => {
  const file = new Bytes();
  const { bytes } = await writeCore(sourceOf(imageOf(MEMORY)), file.write);
  const { segments } = new CoreFile(file.read, bytes);
  const segment = segments.find((each) => each.address <= F.LOG_AT && each.address + each.bytes > F.LOG_AT)!;
  file.write(segment.offset + F.LOG_AT - segment.address + 20, noise(4));
  assert.match(
    (await problemsOf(new CoreSource(new CoreFile(file.read, bytes), 'core', () => {}))).join(),
    /the note of the log is not what lies at 0x70000/,
  );
});

test('names the board that it was', async () => {
  const checks = await verify(sourceOf(imageOf(MEMORY)));
  assert.is(
    checks.find(({ what }) => what.startsWith('panic record'))?.found,
    `system ${SYSTEM}, epoch ${EPOCH}`,
  );
});

test.run();
