/** What `sparecore core` shows: on any screen, in any alphabet. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../asm/layout.ts';
import { logOf, panicOf, stateOf } from '../../boards/core/epitaph.ts';
import { Symbols } from '../../boards/core/symbols.ts';
import { imageOf, memoryOf, sourceOf } from '../../boards/core/source.test-helper.ts';
import { firmwarePath } from '../../boards/machine.ts';
import { infoLines, utc } from './core-info.ts';
import { countLine, countsOf, mapLines } from './core-map.ts';
import { hexdump } from './hexdump.ts';
import { type Look, PLAIN } from './look.ts';

const MAP = Uint8Array.from({ length: 1024 }, (_, i) =>
  i < 300 ? L.CODEC_RAW : i < 500 ? L.CODEC_ZERO : i < 510 ? L.CODEC_LOST : L.MISSING_UNREACHED,
);
const screen = (columns: number, rows: number, unicode = false, color = false): Look => ({
  live: true,
  color,
  unicode,
  columns: () => columns,
  rows: () => rows,
});

test('the counts are those of the map, each missing chunk under its reason', () => {
  assert.equal(countsOf(MAP), { stored: 300, zero: 200, lost: 10, missing: 514 });
  assert.is(
    countLine(MAP),
    '64 MiB, 48.8 % of it here: 300 stored + 200 zero + 10 lost + 514 unreached chunks of 64 KiB',
  );
  assert.is(
    countLine(MAP.subarray(0, 500)),
    '31.3 MiB, all of it here: 300 stored + 200 zero chunks of 64 KiB',
  );
});

test('each cell shows the worst of its chunks: a gap is never hidden by what is there', () => {
  const lines = mapLines(PLAIN, MAP);
  const cells = lines
    .slice(0, -1)
    .map((line) => line.split(/ +/)[1])
    .join('');
  assert.is(cells.length, 512, 'two chunks a cell');
  for (let cell = 0; cell < 512; cell++) {
    const two = [...MAP.subarray(cell * 2, cell * 2 + 2)];
    const gone = two.filter((state) => state === L.CODEC_LOST || state >= 0x80).length;
    assert.is('%x-'.includes(cells[cell]!), gone > 0, `cell ${cell}`);
  }
  assert.match(lines.at(-1) ?? '', /# stored {3}\. zero {3}x lost {3}- missing/);
  assert.match(lines[1]!, /^0x00800000 /);
});

test('a single poisoned page shows: in its cell, in the count, and in what is not all there', () => {
  const map = new Uint8Array(4096).fill(L.CODEC_RAW);
  const poisoned = new Map([[17, 0x0100]]);
  assert.is(mapLines(PLAIN, map, poisoned)[0]!.split(/ +/)[1]!.indexOf('%'), 2);
  assert.is(
    countLine(map, poisoned),
    '256 MiB, 99.9 % of it here: 4,096 stored + 0 zero chunks of 64 KiB; in these 1 page of 4 KiB poisoned',
  );
});

test('the map fits the screen, in Unicode where that is there', () => {
  for (const [columns, rows] of [
    [80, 24],
    [60, 20],
    [200, 60],
  ] as const) {
    for (const chunks of [1, 16, 256, 4096, 65536]) {
      const lines = mapLines(screen(columns, rows, true), new Uint8Array(chunks).fill(L.CODEC_ZERO));
      assert.ok(lines.length <= (rows < 40 ? 5 : 9), `${chunks} chunks: ${lines.length} lines`);
      for (const line of lines.slice(0, -1)) assert.ok(line.length + 9 <= columns, line);
      assert.match(lines[0]!, /^0x0+ +·+$/);
    }
  }
  assert.ok(mapLines(screen(80, 24, true, true), MAP)[0]!.includes('\x1b[32m█'));
});

test('info of a cut dump fits a terminal of 80 by 24, and the source line is in it', async () => {
  const source = sourceOf(
    imageOf(memoryOf(), { reached: 6, attribute: L.ATTRIBUTE_ABORTED, abort: L.ABORT_LIMIT }),
  );
  const symbols = Symbols.load(firmwarePath());
  const findings = {
    source,
    panic: await panicOf(source),
    log: await logOf(source),
    state: await stateOf(source),
    symbols,
  };
  const lines = infoLines(screen(80, 24), findings);
  assert.ok(lines.length < 24, `${lines.length} lines`);
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.is(lines[0], 'PANIC: failed assert: "ring is full"');
  assert.is(lines[1], '  at firmware/serve.ts:42:7');
  assert.match(lines[2]!, /other build \(here [0-9a-f]{16}\): the source may differ/);
  assert.ok(
    lines.some((line) => line.startsWith('  > 42 |')),
    lines.join('\n'),
  );
  assert.match(lines.join('\n'), /^there +all of firmware state and panic record, log ring/m);
});

test('info of a dump without its record says so, and what the header knows', async () => {
  const source = sourceOf(
    imageOf(memoryOf(), { reached: 6, lost: [4], attribute: L.ATTRIBUTE_ABORTED, abort: L.ABORT_MEDIUM }),
  );
  const findings = {
    source,
    panic: await panicOf(source),
    log: await logOf(source),
    state: await stateOf(source),
    symbols: null,
  };
  const lines = infoLines(PLAIN, findings);
  assert.is(lines[0], 'PANIC: failed assert; its record is not in the dump');
  assert.match(lines.join('\n'), /^dump +aborted by write errors of the disk/m);
  assert.match(lines.join('\n'), /^board +system 11, boot epoch 5, firmware 0123456789abcdef$/m);
});

test('a time that no calendar has is told as it is', () => {
  assert.is(utc(1_700_000_000), '2023-11-14 22:13:20 UTC');
  assert.is(utc(1e18), '1000000000000000000 s after 1970');
});

test('a hex dump has 16 bytes a row, and one line for what is missing', () => {
  const content = Uint8Array.from({ length: 20 }, (_, i) => 0x40 + i);
  const lines = [
    ...hexdump([
      { address: 0x41000, bytes: 20, content, reason: 0 },
      { address: 0x41014, bytes: 12, content: null, reason: L.CODEC_LOST },
    ]),
  ];
  assert.equal(lines, [
    '00041000  40 41 42 43 44 45 46 47  48 49 4a 4b 4c 4d 4e 4f  |@ABCDEFGHIJKLMNO|',
    '00041010  50 51 52 53                                       |PQRS|',
    '00041014  12 bytes up to 00041020 are not there: lost: the dump tried and could not write it',
  ]);
});

test.run();
