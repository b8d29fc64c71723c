/** Load on an iSCSI disk from clients of others. */
import { execFile } from 'node:child_process';
import { openSync, closeSync, writeSync, rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hostNanoseconds } from '../host-clock.ts';
import { RandomStream } from '../../boards/random.ts';

const run = promisify(execFile);

export interface LoadResult {
  operations: number;
  seconds: number;
}

const RANDOM_READ_SECONDS = 2;

/** `iscsi-perf` reads at random; it never ends after a reconnect, so it has a time-out. */
export async function randomReads(url: string, depth: number, blocks: number): Promise<LoadResult> {
  const options = ['-m', String(depth), '-b', String(blocks), '-r', '-t', String(RANDOM_READ_SECONDS), url];
  const { stdout } = await run('timeout', [
    '-s',
    'INT',
    String(RANDOM_READ_SECONDS * 4),
    'iscsi-perf',
    ...options,
  ]);
  const averages = [...stdout.matchAll(/iops average (\d+)/g)];
  const last = averages.at(-1);
  if (last === undefined) throw new Error(`iscsi-perf said no rate:\n${stdout}`);
  return { operations: Number(last[1]) * RANDOM_READ_SECONDS, seconds: RANDOM_READ_SECONDS };
}

export interface Stride {
  write: boolean;
  depth: number;
  bytes: number;
  /** From one access to the next, around the disk. */
  step: number;
  count: number;
}

export async function stride(url: string, { write, depth, bytes, step, count }: Stride): Promise<LoadResult> {
  const options = ['-c', String(count), '-d', String(depth), '-s', String(bytes), '-S', String(step)];
  const args = ['bench', '-f', 'raw', '-t', 'none', ...(write ? ['-w'] : []), ...options, url];
  const { stdout } = await run('qemu-img', args);
  const seconds = /completed in ([0-9.]+) seconds/.exec(stdout);
  if (seconds === null) throw new Error(`qemu-img bench said no time:\n${stdout}`);
  return { operations: count, seconds: Number(seconds[1]) };
}

async function timed(command: string, args: readonly string[]): Promise<LoadResult> {
  const start = hostNanoseconds();
  await run(command, args);
  return { operations: 1, seconds: Number(hostNanoseconds() - start) / 1e9 };
}

/** A disk full of bytes that nothing can shorten. */
export async function convertTo(url: string, mib: number): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-'));
  const image = join(folder, 'image');
  try {
    const random = new RandomStream('image', 'bytes');
    const piece = Buffer.from(Uint32Array.from({ length: 2 ** 18 }, () => random.next()).buffer);
    const file = openSync(image, 'w');
    for (let i = 0; i < mib; i++) writeSync(file, piece);
    closeSync(file);
    return await timed('qemu-img', ['convert', '-n', '-f', 'raw', '-O', 'raw', image, url]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function convertFrom(url: string): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-'));
  try {
    return await timed('qemu-img', ['convert', '-f', 'raw', '-O', 'raw', url, join(folder, 'image')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
