// Memory that nobody here made up: the RAM of a Linux guest in QEMU, which has booted, read files, and runs processes.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostNanoseconds } from '../../host-clock.ts';
import { hostPause } from '../../host-turn.ts';
import { whyNot } from './program.ts';
import { Qemu } from './qemu.ts';

const BOOT_NS = 300e9;
const READY = 'GUEST READY';
const LIBRARIES = '/usr/lib/x86_64-linux-gnu';
/** Files that the guest reads: some are in its page cache, and in its initial file system. */
const FILES_BYTES = 96 << 20;
const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'];

/** Reads all that it has, keeps a tree of it, and leaves shells that sort and wait. */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs tmp /tmp
find /files -type f | while read -r file; do md5sum $file; done > /tmp/sums
cp -r /files /tmp/copy
for n in 1 2 3 4 5 6 7 8; do (strings /files/* | head -n 40000 | sort > /tmp/words.$n; sleep 100000) & done
sleep 5
echo ${READY} > /dev/ttyS0
sleep 100000
`;

/** Debian's kernel where CI unpacks it, or of this machine; null without one. */
function kernelPath(): string | null {
  const here = dirname(fileURLToPath(import.meta.url));
  const top = here.slice(0, here.indexOf(join('scripts', 'bench')));
  const folders = [process.env['SPARECORE_KERNEL'] ?? '', join(top, 'build/kernel'), join(top, '../kernel')];
  for (const folder of [...folders.map((each) => join(each, 'boot')), '/boot']) {
    const name = existsSync(folder) && readdirSync(folder).find((each) => each.startsWith('vmlinuz-'));
    if (name) return join(folder, name);
  }
  return null;
}

/** Why there can be no guest here; null when there can. */
export function whyNoGuest(): string | null {
  const missing = ['qemu-system-x86_64', 'cpio'].map(whyNot).find((reason) => reason !== null);
  if (missing !== undefined) return missing;
  if (!BUSYBOX.some((path) => existsSync(path))) return 'busybox-static is not installed';
  return kernelPath() === null ? 'there is no kernel: set SPARECORE_KERNEL to an unpacked linux-image' : null;
}

function makeInitramfs(folder: string): string {
  const root = join(folder, 'guest-root');
  for (const each of ['bin', 'proc', 'sys', 'dev', 'tmp', 'files'])
    mkdirSync(join(root, each), { recursive: true });
  copyFileSync(
    BUSYBOX.find((path) => existsSync(path))!,
    join(root, 'bin/busybox'),
  );
  let left = FILES_BYTES;
  for (const { name } of readdirSync(LIBRARIES, { withFileTypes: true }).filter((entry) => entry.isFile())) {
    const bytes = readFileSync(join(LIBRARIES, name));
    if (bytes.length > left) continue;
    writeFileSync(join(root, 'files', name), bytes);
    left -= bytes.length;
  }
  writeFileSync(join(root, 'init'), INIT);
  chmodSync(join(root, 'init'), 0o755);
  chmodSync(join(root, 'bin/busybox'), 0o755);
  const archive = join(folder, 'guest.cpio');
  const packed = spawnSync('sh', ['-c', `find . | cpio -o -H newc --quiet > '${archive}'`], { cwd: root });
  if (packed.status !== 0) throw new Error(`cpio: ${packed.stderr.toString().trim()}`);
  return archive;
}

/** The RAM of a guest of so many MiB, as a file in `folder`. */
export async function makeGuest(folder: string, memoryMib: number): Promise<string> {
  const image = join(folder, 'guest.ram');
  const serial = join(folder, 'guest.console');
  const archive = makeInitramfs(folder);
  const options = [
    '-kernel',
    kernelPath()!,
    '-initrd',
    archive,
    '-append',
    'console=ttyS0 quiet rdinit=/init',
  ];
  const qemu = new Qemu(folder, image, memoryMib * 2 ** 20, [...options, '-serial', `file:${serial}`], true);
  try {
    await qemu.started();
    const began = hostNanoseconds();
    while (!existsSync(serial) || !readFileSync(serial, 'latin1').includes(READY)) {
      if (Number(hostNanoseconds() - began) > BOOT_NS) throw new Error('the guest did not boot in time');
      await hostPause(500);
    }
    await qemu.command('stop', {});
  } finally {
    await qemu.quit();
  }
  return image;
}
