// The iSCSI target against tgt, tuned, on the same machine at the same time: the same load from clients that nobody here
// wrote (iscsi-perf of libiscsi, qemu-img of QEMU), alternating, medians. Alone: node --import tsx scripts/bench/iscsi.ts
import { extname } from 'node:path';
import { type LoadResult, convertFrom, convertTo, randomReads, stride } from './iscsi-load.ts';
import { type Target, available, startSparecore, startTgt } from './iscsi-targets.ts';

const MIB = 256;
const ROUNDS = 3;
const KIB = 1024;

interface Case {
  name: string;
  sessions: number;
  run: (url: string) => Promise<LoadResult>;
}

/** Per second; a convert counts whole disks. */
export interface IscsiRow {
  name: string;
  sessions: number;
  ours: number;
  tgt: number;
  ratio: number;
  /** CPU time of the target per operation, in microseconds. */
  ours_cpu_us: number;
  tgt_cpu_us: number;
}

export interface IscsiBench {
  rows: IscsiRow[];
  geometric_mean: number;
  ok: boolean;
  /** Why there are no numbers. */
  missing: string | null;
}

/** A step that is no power of two, so that neighbours in time are far apart on the disk. */
const far = (bytes: number): number => bytes * 257;

function cases(): Case[] {
  const all: Case[] = [];
  const add = (name: string, run: Case['run'], sessions = 1): void => void all.push({ name, sessions, run });
  for (const [depth, sessions] of [
    [1, 1],
    [32, 1],
    [32, 4],
  ] as const) {
    const count = depth === 1 ? 10_000 : 40_000;
    add(`4 KiB random read, depth ${depth}`, (url) => randomReads(url, depth, 8), sessions);
    add(
      `4 KiB random write, depth ${depth}`,
      (url) => stride(url, { write: true, depth, bytes: 4 * KIB, step: far(4 * KIB), count }),
      sessions,
    );
  }
  for (const kib of [64, 256]) {
    const bytes = kib * KIB;
    const count = kib === 64 ? 8000 : 3000;
    for (const sessions of [1, 4]) {
      const depth = sessions === 1 ? 16 : 8;
      add(`${kib} KiB random read, depth ${depth}`, (url) => randomReads(url, depth, bytes / 512), sessions);
      for (const write of [false, true]) {
        for (const step of [bytes, far(bytes)]) {
          if (!write && step !== bytes) continue;
          const how = step === bytes ? 'sequential' : 'random';
          const what = write ? 'write' : 'read';
          add(
            `${kib} KiB ${how} ${what}, depth ${depth}`,
            (url) => stride(url, { write, depth, bytes, step, count: count / sessions }),
            sessions,
          );
        }
      }
    }
  }
  add(`qemu-img convert to the disk, ${MIB} MiB`, (url) => convertTo(url, MIB));
  add(`qemu-img convert from the disk, ${MIB} MiB`, (url) => convertFrom(url));
  return all;
}

interface Sample {
  rate: number;
  cpuUs: number;
}

async function sample(target: Target, { sessions, run }: Case): Promise<Sample> {
  const cpuBefore = target.cpuSeconds();
  const results = await Promise.all(Array.from({ length: sessions }, () => run(target.url)));
  const cpu = target.cpuSeconds() - cpuBefore;
  const operations = results.reduce((sum, { operations: n }) => sum + n, 0);
  const rate = results.reduce((sum, { operations: n, seconds }) => sum + n / seconds, 0);
  return { rate, cpuUs: (cpu * 1e6) / operations };
}

const median = (numbers: number[]): number => numbers.toSorted((x, y) => x - y)[numbers.length >> 1]!;

export async function benchIscsi(say: (line: string) => void = () => {}): Promise<IscsiBench> {
  const missing = available();
  if (missing !== null) return { rows: [], geometric_mean: 0, ok: true, missing };
  const ours = await startSparecore(MIB, extname(import.meta.filename));
  const tgt = await startTgt(MIB).catch(async (error: unknown) => {
    await ours.stop();
    throw error;
  });
  try {
    const rows: IscsiRow[] = [];
    for (const target of [ours, tgt]) await convertTo(target.url, MIB); // so that no block reads as never written
    for (const each of cases()) {
      const samples: [Sample[], Sample[]] = [[], []];
      for (let round = 0; round < ROUNDS; round++) {
        for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
          samples[i]!.push(await sample(i === 0 ? ours : tgt, each));
        }
      }
      const [mine, theirs] = samples.map((list) => ({
        rate: median(list.map(({ rate }) => rate)),
        cpuUs: median(list.map(({ cpuUs }) => cpuUs)),
      })) as [Sample, Sample];
      const row = {
        name: each.name,
        sessions: each.sessions,
        ours: mine.rate,
        tgt: theirs.rate,
        ratio: mine.rate / theirs.rate,
        ours_cpu_us: mine.cpuUs,
        tgt_cpu_us: theirs.cpuUs,
      };
      rows.push(row);
      say(rowLine(row));
    }
    const mean = Math.exp(rows.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / rows.length);
    return { rows, geometric_mean: mean, ok: mean >= 1, missing: null };
  } finally {
    await ours.stop();
    await tgt.stop();
  }
}

const number = (n: number): string => (n < 100 ? n.toFixed(2) : String(Math.round(n)));

export const rowLine = (row: IscsiRow): string =>
  [
    row.name.padEnd(40),
    `${row.sessions} x`.padStart(4),
    number(row.ours).padStart(8),
    number(row.tgt).padStart(8),
    row.ratio.toFixed(2).padStart(6),
    row.ours_cpu_us.toFixed(0).padStart(8),
    row.tgt_cpu_us.toFixed(0).padStart(8),
  ].join(' ');

const HEAD = [
  ''.padEnd(40),
  'from'.padStart(4),
  'ours/s'.padStart(8),
  'tgt/s'.padStart(8),
  'ratio'.padStart(6),
  'CPU us'.padStart(8),
  'tgt us'.padStart(8),
].join(' ');

export const iscsiLines = (bench: IscsiBench): string[] =>
  bench.missing === null
    ? [
        'The iSCSI target against tgt: operations a second, and CPU time of the target for one',
        HEAD,
        ...bench.rows.map(rowLine),
        `Geometric mean of the ratios: ${bench.geometric_mean.toFixed(2)}`,
      ]
    : [`The iSCSI target against tgt: not measured, ${bench.missing}`];

if (import.meta.filename === process.argv[1]) {
  console.error(HEAD);
  const bench = await benchIscsi((line) => console.error(line));
  console.log(iscsiLines(bench).join('\n'));
  if (!bench.ok) process.exitCode = 1;
}
