// The bench's pure parts: table, goals, chart, comparison.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { casesOf } from './cases.ts';
import { chartHtml, chartSvg, escapeXml } from './chart.ts';
import { type DumpBench, type DumpRow, VERSION, goal, median, rateOf, timeOf } from './result.ts';
import { rowGoals } from './goals.ts';
import { ELF, KDUMP, KEEP, PWRITE } from './references.ts';
import { comparison, dumpTable, goalTable } from './table.ts';

const row = (over: Partial<DumpRow> = {}): DumpRow => ({
  memoryMib: 1024,
  content: 'mixed',
  codec: 'sparse',
  medium: 'tmpfs',
  dma: 'in line',
  cpus: 1,
  rounds: 3,
  seconds: 0.5,
  wall_s: 0.9,
  board_s: 0.4,
  first_write_s: 0.0002,
  zero_chunks: 5000,
  stored_bytes: 700 << 20,
  commands: 1000,
  equal: true,
  references: [{ name: PWRITE, seconds: 0.6, ratio: 1.2 }],
  ...over,
});

const bench = (rows: DumpRow[]): DumpBench => ({
  version: VERSION,
  host: '2 cores',
  rows,
  goals: rowGoals(rows, 'mixed'),
  missing: [{ name: 'zstd -1', reason: 'zstd is not installed' }],
  ok: true,
});

test('a row says how fast the dump was by the host and by the board, and beside which reference', () => {
  const text = dumpTable(bench([row()])).join('\n');
  assert.match(
    text,
    /1 GiB +mixed +sparse +1 +tmpfs +in line +700 MiB +2\.15 +2\.68 +yes +1\.20 x pwrite of all/,
  );
});

test('a dump that is not equal to memory is seen at once', () => {
  assert.match(dumpTable(bench([row({ equal: false })])).join('\n'), / NO /);
});

test('what could not be measured is told with its reason', () => {
  assert.match(dumpTable(bench([row()])).join('\n'), /zstd -1: zstd is not installed/);
});

test('a goal is ok at its bound, short beyond it, and neither when it was not measured', () => {
  assert.is(goal('a', 'least', 1, 1).ok, true);
  assert.is(goal('a', 'least', 1, 0.99).ok, false);
  assert.is(goal('a', 'most', 3, 3.01).ok, false);
  assert.is(goal('a', 'most', 3, 2).ok, true);
  assert.is(goal('a', 'least', 1, null).ok, null);
  const text = goalTable([
    goal('a', 'least', 1, 0.99),
    goal('b', 'most', 5, 0.2, 'ms'),
    goal('c', 'least', 9, null),
  ]);
  assert.match(text[1]!, /at least 1\.00 +0\.99 +SHORT/);
  assert.match(text[2]!, /at most 5\.00 ms +0\.20 ms +ok/);
  assert.match(text[3]!, /not measured/);
});

test('goals take their ratio from the row of that medium, codec and DMA', () => {
  const goals = rowGoals(
    [
      row(),
      row({ cpus: 2, references: [{ name: PWRITE, seconds: 1, ratio: 0.9 }] }),
      row({
        dma: 'overlapped',
        references: [PWRITE, ELF].map((name, i) => ({ name, seconds: 1, ratio: 1.4 + i })),
      }),
      row({ medium: 'memory', references: [{ name: KEEP, seconds: 1, ratio: 0.5 }] }),
      row({ content: 'random', references: [{ name: PWRITE, seconds: 1, ratio: 9 }] }),
    ],
    'mixed',
  );
  assert.equal(
    goals.slice(0, 7).map(({ measured, ok }) => [measured, ok]),
    [
      [1.2, true],
      [0.9, false],
      [1.4, true],
      [0.5, false],
      [null, null],
      [2.4, true],
      [null, null],
    ],
  );
});

const inMemory = (cpus: 1 | 2, ratio: number): DumpRow =>
  row({ medium: 'memory', cpus, references: [{ name: KEEP, seconds: 1, ratio }] });
const byLz4 = (cpus: 1 | 2, ratio: number): DumpRow =>
  row({ codec: 'lz4', cpus, references: [{ name: KDUMP, seconds: 1, ratio }] });
const measuredOf = (rows: DumpRow[]): string[] =>
  rowGoals(rows, 'mixed').flatMap(({ name, measured }) =>
    measured !== null && /memory|kdump|two CPUs/.test(name) ? [`${name} ${measured}`] : [],
  );

test('the goals of two CPUs take the rows of such boards', () => {
  assert.equal(measuredOf([inMemory(1, 0.8), inMemory(2, 1.1)]), [
    `sparse to touched memory: ${KEEP}, read of the rest 0.8`,
    'the same by two CPUs 1.1',
  ]);
  assert.equal(measuredOf([byLz4(1, 5.5), byLz4(2, 9.5)]), [
    `LZ4 to tmpfs: ${KDUMP} 5.5`,
    'the same by two CPUs 9.5',
  ]);
});

test('two CPUs are timed by the clock, as what they are compared with; one by its CPU time, but to a disk', () => {
  const took = { wall: 3, cpu: 4, busy: 2, count: 0 };
  assert.is(timeOf(row({ cpus: 2 }), took), 3);
  assert.is(timeOf(row(), took), 2);
  assert.is(timeOf(row({ medium: 'disk' }), took), 3);
});

test('a result from before boards had two CPUs is compared with the rows of one', () => {
  const { cpus: _none, ...older } = row({ seconds: 1 });
  const old = bench([older as DumpRow]);
  const lines = comparison(bench([row(), row({ cpus: 2 })]), old);
  assert.is(lines.length, 2);
  assert.match(lines[1]!, /1024 MiB, mixed, sparse, tmpfs +x 2\.00/);
});

test('a comparison shows ratios of the rows that both results have, and of their references', () => {
  const old = bench([row({ seconds: 1, references: [{ name: PWRITE, seconds: 0.6, ratio: 0.6 }] })]);
  const lines = comparison(bench([row(), row({ memoryMib: 64 })]), old);
  assert.is(lines.length, 2);
  assert.match(lines[1]!, /1024 MiB, mixed, sparse, tmpfs +x 2\.00 +2\.00 of pwrite of all/);
  assert.match(comparison(bench([row()]), bench([row({ memoryMib: 64 })]))[0]!, /none of these rows/);
});

test('the chart needs nothing from outside, and has a bar for each dump and each reference', () => {
  const html = chartHtml(bench([row(), row({ codec: 'lz4' })]));
  assert.is([...html.matchAll(/<rect /g)].length, 4);
  assert.not.match(html, /(?:src|href)=/);
  const longest = /<rect [^>]*width="([\d.]+)"/.exec(chartSvg([row()]));
  assert.ok(Number(longest![1]) > 400 && Number(longest![1]) <= 900);
});

test('names are escaped in the chart', () => {
  assert.is(escapeXml('<a & "b">'), '&lt;a &amp; &quot;b&quot;&gt;');
});

test('the result survives JSON as it is', () => {
  const whole = bench([row()]);
  assert.equal(JSON.parse(JSON.stringify(whole)), whole);
});

test('a medium in memory has no DMA to overlap', () => {
  const cases = casesOf({
    memory: [64],
    contents: ['mixed'],
    codecs: ['sparse'],
    media: ['memory', 'tmpfs'],
  });
  assert.equal(
    cases.map(({ medium, dma, cpus }) => `${medium} ${dma} ${cpus}`),
    ['memory in line 1', 'memory in line 2', 'tmpfs in line 1', 'tmpfs in line 2', 'tmpfs overlapped 1'],
  );
});

test('the median of an even number is between the two in the middle, and rates count in 10^9', () => {
  assert.is(median([3, 1, 2, 9]), 2.5);
  assert.is(median([3, 1, 2]), 2);
  assert.ok(Number.isNaN(median([])));
  assert.is(rateOf(1024, 1).toFixed(3), '1.074');
});

test.run();
