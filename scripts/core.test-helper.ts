/** The disks of a run whose dump was cut at a third, and the command line that reads them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './repository.ts';
import { SMALL_PAIR } from './small-pair.test-helper.ts';

export interface Run {
  code: number | null;
  out: string;
  err: string;
  bytes: Buffer;
}

/** As it is installed; npm test builds it first. */
export function sparecore(...parameters: string[]): Run {
  const run = spawnSync(process.execPath, ['build/js/scripts/sparecore.js', ...parameters], {
    cwd: ROOT,
    maxBuffer: 1 << 28,
    env: { ...process.env, SPARECORE_DEBUG: undefined },
  });
  return { code: run.status, out: run.stdout.toString(), err: run.stderr.toString(), bytes: run.stdout };
}

export const core = (...parameters: string[]): Run => sparecore('core', ...parameters);

/** Board a dumps, and its partner saves what there is. */
const PAIR = {
  ...SMALL_PAIR,
  end_s: 1.6,
  boards: { ...SMALL_PAIR.boards, dump_limit_ms: 300 },
  workload: { working_set_mib: 8 },
};

/** An assert on board a; power loss cuts its dump at a third. */
const CUT = [
  { at_s: 0.8, do: 'assert', board: 'a' },
  { on: 'dump-begin', plus_ms: 20, do: 'power-off', board: 'a' },
];

export interface Disks {
  folder: string;
  image: (name: string) => string;
  /** Another file in the folder. */
  file: (name: string) => string;
  remove: () => void;
}

export const cutDump = (): Disks => dumpOf(CUT);

/** The disks after these events. */
export function dumpOf(events: readonly object[]): Disks {
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-core-'));
  const scenario = join(folder, 'cut.yaml');
  writeFileSync(scenario, JSON.stringify({ ...PAIR, events }));
  const { code, err } = sparecore('run', scenario, '--quiet', '--disks', join(folder, 'disks'));
  if (code !== 0) throw new Error(`the run ends with ${code}: ${err}`);
  return {
    folder,
    image: (name) => join(folder, 'disks', `${name}.img`),
    file: (name) => join(folder, name),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
