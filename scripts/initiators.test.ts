/**
 * Initiators that nobody here wrote, at the ports of a served shelf: libiscsi's tools, QEMU, fio, and an unmodified
 * Linux kernel.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { needsExternal, needsTool, testUnless } from './harness.ts';
import { Served } from './served.test-helper.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sparecore-initiators-'));
let served: Served | null = null;

async function shelf(): Promise<Served> {
  return (served ??= await Served.start('shelf'));
}

test.after(async () => {
  const code = served === null ? 0 : await served.stop();
  rmSync(scratch, { recursive: true });
  assert.is(code, 0, 'the pair that was served ends well, without a violation');
});

interface Ran {
  code: number | null;
  out: string;
  err: string;
}

function tool(name: string, ...parameters: string[]): Ran {
  const child = spawnSync(name, parameters, { encoding: 'utf8', timeout: 120_000, maxBuffer: 1 << 28 });
  return { code: child.status, out: child.stdout, err: child.stderr };
}

function must(name: string, ...parameters: string[]): string {
  const { code, out, err } = tool(name, ...parameters);
  assert.is(code, 0, `${name} ${parameters.join(' ')}: ${out}${err}`);
  return out;
}

const needs = (name: string): (string | null)[] => [needsExternal(), needsTool(name)];

testUnless(
  needs('iscsi-ls'),
  'iscsi-ls finds both ports of the shelf, and every disk behind each',
  async () => {
    const pair = await shelf();
    for (const port of ['a', 'b'] as const) {
      const out = must('iscsi-ls', '-s', `iscsi://${pair.portal(port)}`);
      for (const each of pair.shelf) {
        assert.ok(out.includes(`Target:${each.target} Portal:${each.portal}`), out);
        for (const { lun } of each.luns)
          assert.match(out, new RegExp(`^Lun:${lun} +Type:DIRECT_ACCESS`, 'm'));
      }
    }
  },
);

testUnless(needs('iscsi-inq'), 'iscsi-inq reads the standard data and each page that is listed', async () => {
  const pair = await shelf();
  const url = pair.url('b', 'free.0');
  assert.match(must('iscsi-inq', url), /Vendor:SPARECOR/);
  for (const page of [0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2]) {
    must('iscsi-inq', '-e', '1', '-c', String(page), url);
  }
  const names = must('iscsi-inq', '-e', '1', '-c', String(0x83), url);
  assert.ok(names.includes(pair.shelf[1]!.target), names);
  assert.match(must('iscsi-inq', '-e', '1', '-c', String(0xb0), url), /maximum transfer length/i);
});

testUnless(needs('iscsi-readcapacity16'), 'iscsi-readcapacity16 sees the size of a disk', async () => {
  const pair = await shelf();
  const out = must('iscsi-readcapacity16', pair.url('a', 'free.0'));
  assert.match(out, /Total size:1073741824/);
});

testUnless(
  needs('iscsi-swp'),
  'iscsi-swp write-protects a disk by its mode page, for everybody',
  async () => {
    const pair = await shelf();
    must('iscsi-swp', '--swp', 'on', pair.url('a', 'free.2'));
    const refused = tool('qemu-io', '-f', 'raw', '-c', 'write -P 1 0 4096', pair.url('b', 'free.2'));
    assert.is.not(`${refused.code}${refused.out}`.includes('wrote 4096'), true, refused.out);
    must('iscsi-swp', '--swp', 'off', pair.url('a', 'free.2'));
    assert.match(
      must('qemu-io', '-f', 'raw', '-c', 'write -P 1 0 4096', pair.url('b', 'free.2')),
      /wrote 4096/,
    );
  },
);

testUnless(needs('iscsi-perf'), 'iscsi-perf reads for three seconds without an error', async () => {
  const pair = await shelf();
  const { out, err } = tool(
    'timeout',
    '10',
    'iscsi-perf',
    '-t',
    '3',
    '-m',
    '32',
    '-b',
    '8',
    pair.url('a', 'free.0'),
  );
  assert.match(`${out}${err}`, /iops average [1-9]/);
});

/** Bytes that do not compress, repeat or align with anything. */
function file(name: string, bytes: number): string {
  const path = join(scratch, name);
  const fd = openSync(path, 'w');
  for (let n = 0, left = bytes; left > 0; n++) {
    const part = Buffer.concat(
      Array.from({ length: 2048 }, (_, i) => createHash('sha256').update(`${name} ${n} ${i}`).digest()),
    ).subarray(0, left);
    writeSync(fd, part);
    left -= part.length;
  }
  closeSync(fd);
  return path;
}

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

testUnless(
  needs('qemu-img'),
  'qemu-img convert writes an image through one port and reads it back by the other',
  async () => {
    const pair = await shelf();
    const image = file('image', 48 << 20);
    must('qemu-img', 'convert', '-n', '-f', 'raw', '-O', 'raw', image, pair.url('a', 'free.1'));
    const back = join(scratch, 'back');
    must('qemu-img', 'convert', '-f', 'raw', '-O', 'raw', pair.url('b', 'free.1'), back);
    assert.is(
      sha256(image),
      createHash('sha256')
        .update(readFileSync(back).subarray(0, 48 << 20))
        .digest('hex'),
    );
    rmSync(back);
  },
);

testUnless(
  needs('qemu-io'),
  'qemu-io verifies its patterns, also those of the other port, zeroes and discards',
  async () => {
    const pair = await shelf();
    const io = (port: 'a' | 'b', ...commands: string[]): string =>
      must('qemu-io', '-f', 'raw', ...commands.flatMap((each) => ['-c', each]), pair.url(port, 'free.0'));
    const out = io(
      'a',
      'write -P 0xa5 1M 3M',
      'write -P 0x5a 1536k 4k',
      'write -z 2M 64k',
      'discard 3M 512k',
      'flush',
      'aio_write -P 0x77 8M 1M',
      'aio_flush',
      'read -P 0xa5 1M 512k',
    );
    assert.not.match(out, /Pattern verification failed|error/i);
    const other = io(
      'b',
      'read -P 0xa5 1M 512k',
      'read -P 0x5a 1536k 4k',
      'read -P 0 2M 64k',
      'read -P 0xa5 2112k 900k',
      'read -P 0x77 8M 1M',
      'write -P 1 1073741312 512',
      'read -P 1 1073741312 512',
    );
    assert.not.match(other, /Pattern verification failed|error/i);
  },
);

testUnless(
  [needsExternal(), needsTool('fio'), needsTool('qemu-nbd')],
  'fio writes random blocks through qemu-nbd and verifies the checksum of each',
  async () => {
    const pair = await shelf();
    const socket = join(scratch, 'nbd');
    const nbd = spawn('qemu-nbd', ['-f', 'raw', '-k', socket, '-t', '-e', '8', pair.url('a', 'free.2')], {
      stdio: 'inherit',
    });
    try {
      while (!existsSync(socket)) await change(scratch);
      const out = must(
        'fio',
        '--name=verify',
        '--ioengine=nbd',
        `--uri=nbd+unix:///?socket=${socket}`,
        '--rw=randrw',
        '--bsrange=4k-256k',
        '--size=64m',
        '--iodepth=16',
        '--verify=crc32c',
        '--verify_fatal=1',
        '--do_verify=1',
        '--verify_state_save=0', // else it leaves a file where it runs
        '--randseed=7',
        '--output-format=json',
      );
      const { jobs } = JSON.parse(out.slice(out.indexOf('{'))) as {
        jobs: { error: number; write: { total_ios: number }; read: { total_ios: number } }[];
      };
      assert.is(jobs[0]!.error, 0);
      assert.ok(jobs[0]!.write.total_ios > 100 && jobs[0]!.read.total_ios > 100, out);
    } finally {
      nbd.kill();
    }
  },
);

testUnless(
  needs('iscsi-ls'),
  'with --chap only who knows the secret comes in, and the target proves itself, too',
  async () => {
    const secrets = { in: 'initiators-secret-1', out: 'the-targets-secret-2' };
    const files = Object.entries(secrets).map(([name, secret]) => {
      const path = join(scratch, `secret-${name}`);
      writeFileSync(path, `${secret}\n`, { mode: 0o600 });
      return path;
    });
    const guarded = await Served.start(
      'small',
      '--chap',
      `me:${files[0]}`,
      '--chap-mutual',
      `shelf:${files[1]}`,
    );
    try {
      const ask = (who: string, ...more: string[]): Ran =>
        tool('iscsi-inq', ...more, guarded.url('a', 'a.root').replace('iscsi://', `iscsi://${who}`));
      assert.is(ask(`me%${secrets.in}@`).code, 0);
      assert.is.not(ask('').code, 0);
      assert.is.not(ask('me%initiators-secret-2@').code, 0);
      assert.is.not(ask(`you%${secrets.in}@`).code, 0);
      for (let n = 0, from = 0; n < 3; n++) {
        const told = await guarded.until('login-refused', null, from);
        from = guarded.events.indexOf(told) + 1;
      }
    } finally {
      assert.is(await guarded.stop(), 0);
    }
  },
);

/** Something in the folder has changed. */
function change(folder: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, () => {
      watcher.close();
      resolve();
    });
  });
}

test.run();
