// How many 4 KiB READ(10) a second the device server decides, with the copy from a medium in memory, on one core:
// by CPU time, since others may want the same core.
import { pathToFileURL } from 'node:url';
import { bareShelf } from '../../boards/shelf/bare.ts';
import type { Task } from '../../boards/shelf/task.ts';
import { cpuMicroseconds } from '../host-clock.ts';

const BLOCKS = 8;
const BYTES = 4096;
const SIZE_MIB = 16;
const COUNT = 1_000_000;
const RUNS = 5;
const LEAST = 2_000_000;
const NEXUS = 0;
const SAS = 0x5000_c500_0000_0001n;

export interface DeviceServerBench {
  name: string;
  runs: number;
  median_per_s: number;
  best_per_s: number;
  worst_per_s: number;
  /** 0: no bound. */
  limit_per_s: number;
  ok: boolean;
}

/** LBAs all over the medium, the same each time. */
function someLbas(): Uint32Array {
  const lbas = new Uint32Array(4096);
  let state = 1;
  for (let i = 0; i < lbas.length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    lbas[i] = Math.floor((state / 2 ** 32) * ((SIZE_MIB * 2 ** 20) / BYTES)) * BLOCKS;
  }
  return lbas;
}

function setLba(cdb: Uint8Array, lba: number): void {
  cdb[2] = lba >>> 24;
  cdb[3] = lba >>> 16;
  cdb[4] = lba >>> 8;
  cdb[5] = lba;
}

function measure(name: string, limit: number, once: (lba: number) => void): DeviceServerBench {
  const lbas = someLbas();
  const rates: number[] = [];
  for (let run = -1; run < RUNS; run++) {
    const began = cpuMicroseconds();
    for (let i = 0; i < COUNT; i++) once(lbas[i & 4095]!);
    const rate = Math.round((COUNT * 1e6) / (cpuMicroseconds() - began));
    if (run >= 0) rates.push(rate); // the first is cold
  }
  rates.sort((one, other) => one - other);
  const median = rates[rates.length >> 1]!;
  return {
    name,
    runs: RUNS,
    median_per_s: median,
    best_per_s: rates[RUNS - 1]!,
    worst_per_s: rates[0]!,
    limit_per_s: limit,
    ok: median >= limit,
  };
}

/** The device server with the copy, and each of the two alone; and a whole disk, task and all. */
export function benchDeviceServer(): DeviceServerBench[] {
  const { servers, disks } = bareShelf({ disks: 1, sizeMib: SIZE_MIB });
  const disk = disks[0]!;
  servers.login(0, NEXUS, SAS, 1);
  servers.execute(0, NEXUS, new Uint8Array(6), null, 0); // the power-on is told once
  const piece = new Uint8Array(1 << 18).fill(1);
  for (let at = 0; at < disk.medium.bytes; at += piece.length) disk.medium.write(at, piece, 0, piece.length);
  const cdb = Uint8Array.of(0x28, 0, 0, 0, 0, 0, 0, 0, BLOCKS, 0);
  const into = new Uint8Array(BYTES);
  let ended = 0;
  const copy = measure('copy alone', 0, (lba) =>
    disk.medium.read(lba * disk.config.blockBytes, into, 0, BYTES),
  );
  const server = measure('device server alone', 0, (lba) => {
    setLba(cdb, lba);
    servers.execute(0, NEXUS, cdb, null, BYTES);
  });
  const both = measure('device server and medium', LEAST, (lba) => {
    setLba(cdb, lba);
    const { status, lba: from, moved } = servers.execute(0, NEXUS, cdb, null, BYTES);
    if (status !== 0) throw new Error(`READ(10) ended with status ${status}`);
    disk.medium.read(from * disk.config.blockBytes, into, 0, moved);
  });
  const whole = measure('disk', 0, (lba) => {
    setLba(cdb, lba);
    const task: Task = {
      nexus: NEXUS,
      disk: 0,
      cdb,
      memory: into,
      list: [0, BYTES],
      bytes: BYTES,
      tag: 0,
      initiator: { completed: (one) => (ended += one.status === 0 ? 1 : 0), lost: () => {} },
      orphan: false,
      state: 'queued',
      action: 0,
      lba: 0,
      blocks: 0,
      flags: 0,
      extents: [],
      moved: 0,
      status: 0,
      residual: 0,
      sense: null,
      reply: null,
    };
    disk.submit(task);
  });
  if (ended !== COUNT * (RUNS + 1)) throw new Error(`${ended} commands ended well`);
  return [copy, server, both, whole];
}

export const deviceServerLines = (rows: readonly DeviceServerBench[]): string[] => [
  '4 KiB READ(10) from a medium in memory, one core',
  ...rows.map(({ name, median_per_s: median, best_per_s: best, worst_per_s: worst, limit_per_s: limit }) => {
    const bound = limit === 0 ? '' : `, at least ${limit}`;
    return `  ${name.padEnd(26)} ${median} a second (${worst} to ${best}${bound})`;
  }),
];

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const rows = benchDeviceServer();
  process.stdout.write(`${deviceServerLines(rows).join('\n')}\n`);
  process.exitCode = rows.every(({ ok }) => ok) ? 0 : 1;
}
