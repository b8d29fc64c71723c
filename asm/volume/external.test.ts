/** The disk formats before foreign tools: gdisk, exfatprogs, The Sleuth Kit. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { needsTool, testUnless } from '../../scripts/harness.ts';
import { Dice, Disk, Formats } from '../../boards/core/formats.test-helper.ts';
import { DATA_LBA, SECTOR_BYTES, TAIL_BLOCKS } from '../layout.ts';
import { OK, Volume } from '../../boards/core/volume.test-helper.ts';

/** Runs a tool; its output, of both kinds, when it exits with 0. */
function run(tool: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(tool, args, { encoding: 'buffer', maxBuffer: 1 << 28 });
  const text = `${stdout.toString('latin1')}${stderr.toString('latin1')}`;
  assert.is(status, 0, `${tool} ${args.join(' ')}: ${text}`);
  return text;
}

/** Lends `use` a file with blocks `lba` to `lba + blocks` of a disk. */
function withFile(disk: Disk, lba: number, blocks: number, use: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-'));
  try {
    const path = join(folder, 'disk.img');
    const file = openSync(path, 'w');
    ftruncateSync(file, blocks * SECTOR_BYTES);
    for (const [at, sector] of disk.sectors) {
      if (at >= lba && at < lba + blocks) writeSync(file, sector, 0, SECTOR_BYTES, (at - lba) * SECTOR_BYTES);
    }
    closeSync(file);
    use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function partitioned(blocks: number, data: number): Disk {
  const disk = new Disk(blocks);
  const io = new Formats();
  const at = io.room(34 * SECTOR_BYTES);
  io.call('gpt_primary', at, BigInt(blocks), 7n, data);
  disk.write(0, io.part(at, 34 * SECTOR_BYTES));
  io.call('gpt_backup', at, BigInt(blocks), 7n, data);
  disk.write((blocks - 33) * SECTOR_BYTES, io.part(at, 33 * SECTOR_BYTES));
  return disk;
}

testUnless(needsTool('sgdisk'), 'sgdisk finds no problem in the partition table of any disk', () => {
  for (const blocks of [16_384, 131_072, 2_097_152, 2 ** 32 + 2048]) {
    for (const data of [0, 1]) {
      withFile(partitioned(blocks, data), 0, blocks, (path) => {
        const said = run('sgdisk', '-v', path);
        assert.match(said, 'No problems found');
        assert.not.match(said, /caution|warning|error/i);
        const list = run('sgdisk', '-p', path);
        for (const name of ['label', 'coredump', 'data']) assert.match(list, name);
        assert.match(run('sgdisk', '-i', '3', path), data ? 'Microsoft basic data' : '27B04CF6-915E-49D8');
      });
    }
  }
});

const FILES: readonly [name: string, bytes: number][] = [
  ['core.1.1700000000', 3_000_001],
  ['core.2.1700000001.with-a-name-that-needs-five-entries-in-all', 512],
  ['core.1.1700000002', 0],
  ['core.2.1700000003', 1_000_000],
  ['core.1.1700000004.another-long-one-so-that-a-sector-ends', 65_536],
  ['core.2.1700000005', 1],
];

/** A root disk with files, and their checksums. */
function filled(blocks: number): { disk: Disk; volumeBlocks: number; sums: Map<string, string> } {
  const disk = partitioned(blocks, 1);
  const volumeBlocks = blocks - DATA_LBA - TAIL_BLOCKS;
  const volume = new Volume(disk, volumeBlocks);
  assert.is(volume.format('root-a'), OK);
  const sums = new Map<string, string>();
  for (const [i, [name, bytes]] of FILES.entries()) {
    const content = new Dice(i + 1).roll(new Uint8Array(bytes));
    assert.is(volume.mount(), OK);
    assert.is(volume.add(name, content).code, OK);
    sums.set(name, createHash('sha256').update(content).digest('hex'));
  }
  return { disk, volumeBlocks, sums };
}

testUnless(needsTool('fsck.exfat'), 'fsck.exfat finds a fresh volume clean, and one with files', () => {
  for (const blocks of [32_768, 131_072, 40_000_000]) {
    const empty = new Disk(blocks);
    assert.is(new Volume(empty, blocks, 0).format(), OK);
    withFile(empty, 0, blocks, (path) =>
      assert.match(run('fsck.exfat', '-n', path), /clean\. directories 2, files 0/),
    );
    const { disk, volumeBlocks } = filled(blocks);
    withFile(disk, DATA_LBA, volumeBlocks, (path) => {
      assert.match(run('fsck.exfat', '-n', path), `clean. directories 2, files ${FILES.length}`);
    });
  }
});

testUnless(
  [needsTool('fls'), needsTool('icat')],
  'The Sleuth Kit lists the files of a whole disk and extracts each bit for bit',
  () => {
    const blocks = 131_072;
    const { disk, sums } = filled(blocks);
    withFile(disk, 0, blocks, (path) => {
      const listed = run('fls', '-r', '-p', '-o', String(DATA_LBA), path);
      for (const [name, sum] of sums) {
        const inode = new RegExp(
          String.raw`r/r (\d+):\s+cores/${name.replaceAll('.', String.raw`\.`)}$`,
          'm',
        ).exec(listed)?.[1];
        assert.ok(inode, `${name} in ${listed}`);
        const { stdout } = spawnSync('icat', ['-o', String(DATA_LBA), path, inode], { maxBuffer: 1 << 28 });
        assert.is(createHash('sha256').update(stdout).digest('hex'), sum, name);
      }
    });
  },
);

testUnless(
  needsTool('fsck.exfat'),
  'fsck.exfat finds no fault but the dirty mark after a cut at any sector',
  () => {
    const blocks = 16_384;
    const before = new Disk(blocks);
    const volume = new Volume(before, blocks, 0);
    volume.format();
    volume.mount();
    volume.add('core.1.1700000000', new Uint8Array(40_000).fill(1));
    for (let cut = 0; ; cut++) {
      const disk = before.copy();
      const again = new Volume(disk, blocks, 0);
      again.mount();
      disk.cutAfter = cut;
      again.add('core.2.with-a-name-of-five-entries.1700000000-and-so-on', new Uint8Array(1500).fill(2));
      withFile(disk, 0, blocks, (path) => {
        const { stdout } = spawnSync('fsck.exfat', ['-n', path], { encoding: 'utf8' });
        assert.match(stdout, /directories 2, files [12]/, `cut after ${cut}: ${stdout}`);
        assert.not.match(stdout, /ERROR|corrupt|invalid/i, `cut after ${cut}: ${stdout}`);
      });
      if (disk.written <= cut) break;
    }
  },
);

test.run();
