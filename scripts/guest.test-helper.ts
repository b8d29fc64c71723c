/**
 * A Linux machine that nobody here wrote: Debian's kernel, its own iSCSI initiator and SCSI tools, in QEMU. Commands go
 * to a shell in it over a second serial line.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { type Server, type Socket, createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';

/** Debian packages that the machine is made of, besides qemu-system-x86, cpio and the kernel. */
const PROGRAMS = [
  'iscsid',
  'iscsiadm',
  'mkfs.ext4',
  'e2fsck',
  'sg_persist',
  'sg_vpd',
  'sg_modes',
  'sg_opcodes',
]
  .concat(['sg_inq', 'sg_luns', 'sg_turs', 'sg_readcap', 'sg_reset', 'sg_logs', 'sg_requests', 'sg_raw'])
  .concat([
    'sg_unmap',
    'sg_write_same',
    'sg_get_lba_status',
    'sg_sanitize',
    'sg_senddiag',
    'sg_compare_and_write',
  ]);
/** In the order of their dependence. */
const MODULES = ['virtio_pci', 'virtio_net', 'scsi_mod', 'sd_mod', 'sg', 'iscsi_tcp', 'crc32c-intel'];

const FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

function program(name: string): string {
  const path = FOLDERS.map((folder) => join(folder, name)).find((each) => existsSync(each));
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

export interface Kernel {
  image: string;
  modules: string; // folder that holds `kernel`
  release: string;
}

/** The kernel as a folder into which Debian's package was unpacked: with boot/ and lib/modules/. */
export function kernelIn(folder: string): Kernel | null {
  const boot = join(folder, 'boot');
  if (!existsSync(boot)) return null;
  const image = readdirSync(boot).find((name) => name.startsWith('vmlinuz-'));
  if (image === undefined) return null;
  const release = image.slice('vmlinuz-'.length);
  return { image: join(boot, image), modules: join(folder, 'lib/modules', release), release };
}

const INIT = `#!/bin/busybox sh
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
mkdir -p /run/lock/iscsi /var/lib/iscsi /dev/pts
while read module; do insmod $module; done < /modules
ip link set lo up; ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2
iscsid
stty -F /dev/ttyS1 raw -echo
exec < /dev/ttyS1 > /dev/ttyS1
echo READY
while read -r line; do
  eval "$line" > /tmp/out 2>&1 < /dev/null
  code=$?
  cat /tmp/out; echo; echo "END $code"
done
poweroff -f
`;

/** Makes an initial file system in `folder` and packs it; returns the path of the archive. */
function makeInitramfs(folder: string, kernel: Kernel): string {
  const root = join(folder, 'root');
  for (const each of ['bin', 'sbin', 'etc/iscsi', 'proc', 'sys', 'dev', 'tmp', 'run', 'mnt', 'var/lib'])
    mkdirSync(join(root, each), { recursive: true });
  const put = (from: string, to = from): void => {
    const into = join(root, to);
    if (existsSync(into)) return;
    mkdirSync(dirname(into), { recursive: true });
    copyFileSync(realpathSync(from), into);
    chmodSync(into, 0o755);
  };
  put(program('busybox'), '/bin/busybox');
  for (const name of PROGRAMS) {
    const path = program(name);
    put(path, `/sbin/${basename(path)}`);
    for (const library of librariesOf(path)) put(library);
  }
  const modules = modulesOf(kernel);
  for (const file of modules) put(join(kernel.modules, file), `/modules.d/${basename(file)}`);
  writeFileSync(join(root, 'modules'), modules.map((file) => `/modules.d/${basename(file)}\n`).join(''));
  writeFileSync(join(root, 'etc/iscsi/iscsid.conf'), 'node.startup = manual\nnode.session.scan = auto\n');
  writeFileSync(
    join(root, 'etc/iscsi/initiatorname.iscsi'),
    'InitiatorName=iqn.2026-11.example.guest:linux\n',
  );
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  writeFileSync(
    join(root, 'init'),
    INIT.replace('mount -t proc', '/bin/busybox --install -s /bin\nmount -t proc'),
  );
  chmodSync(join(root, 'init'), 0o755);
  const archive = join(folder, 'initramfs');
  const packed = spawnSync('sh', ['-c', 'find . | cpio -o -H newc --quiet'], {
    cwd: root,
    maxBuffer: 1 << 28,
  });
  if (packed.status !== 0) throw new Error(`cpio: ${packed.stderr.toString()}`);
  writeFileSync(archive, packed.stdout);
  return archive;
}

/** What the dynamic linker loads for a program. */
function librariesOf(path: string): string[] {
  const { stdout } = spawnSync('ldd', [path], { encoding: 'utf8' });
  return [...stdout.matchAll(/(?:=> )?(\/[^\s]+) \(0x/g)].map((found) => found[1]!);
}

/** Files of the modules, each behind what it needs. */
function modulesOf({ modules, release }: Kernel): string[] {
  const base = join(modules, '../../..');
  if (!existsSync(join(modules, 'modules.dep'))) {
    execFileSync(program('depmod'), ['-b', base, release], { stdio: 'pipe' });
  }
  const needs = new Map(
    readFileSync(join(modules, 'modules.dep'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [file, rest] = line.split(':');
        return [file!, rest!.trim().split(/\s+/).filter(Boolean)] as const;
      }),
  );
  const files: string[] = [];
  for (const name of MODULES) {
    const file = [...needs.keys()].find((each) => basename(each) === `${name}.ko`);
    if (file === undefined) continue; // built in
    // modules.dep lists what is needed most directly first
    for (const each of [...needs.get(file)!.toReversed(), file]) if (!files.includes(each)) files.push(each);
  }
  return files;
}

export interface Ran {
  code: number;
  out: string;
}

/** A running machine. What listens on the host's loopback is at 10.0.2.2 for it. */
export class Guest {
  readonly #qemu: ChildProcess;
  readonly #server: Server;
  #line: Socket | null = null;
  #text = '';
  #console = '';
  #waiting: { until: RegExp; done: (text: string) => void; fail: (error: Error) => void } | null = null;

  private constructor(qemu: ChildProcess, server: Server) {
    this.#qemu = qemu;
    this.#server = server;
    const log = (part: Buffer): void =>
      void (this.#console = (this.#console + part.toString('latin1')).slice(-20_000));
    qemu.stdout!.on('data', log);
    qemu.stderr!.on('data', log);
    qemu.on('exit', (code) =>
      this.#fail(new Error(`QEMU ended with ${code}:\n${this.#console.slice(-3000)}`)),
    );
    process.once('exit', this.#kill);
  }

  #kill = (): void => void this.#qemu.kill('SIGKILL');

  #fail(error: Error): void {
    this.#waiting?.fail(error);
    this.#waiting = null;
  }

  /** `folder` is for what it is made of. */
  static async boot(kernel: Kernel, folder: string): Promise<Guest> {
    const initramfs = makeInitramfs(folder, kernel);
    const path = join(folder, 'line');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const qemu = spawn(
      program('qemu-system-x86_64'),
      ['-M', 'pc', '-cpu', 'max', '-m', '512', '-nodefaults', '-display', 'none', '-no-reboot']
        .concat(['-kernel', kernel.image, '-initrd', initramfs])
        .concat(['-append', 'console=ttyS0 panic=-1 mitigations=off'])
        .concat(['-serial', 'stdio', '-chardev', `socket,id=line,path=${path}`, '-serial', 'chardev:line'])
        .concat(['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net,romfile=']),
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const guest = new Guest(qemu, server);
    server.on('connection', (socket) => {
      guest.#line = socket;
      socket.on('data', (part) => guest.#heard(part.toString('latin1')));
      socket.on('error', (error) => guest.#fail(error));
    });
    await guest.#until(/READY\r?\n/);
    return guest;
  }

  #heard(part: string): void {
    this.#text += part;
    const found = this.#waiting?.until.exec(this.#text);
    if (!found) return;
    const text = this.#text.slice(0, found.index + found[0].length);
    this.#text = this.#text.slice(text.length);
    const { done } = this.#waiting!;
    this.#waiting = null;
    done(text);
  }

  #until(until: RegExp): Promise<string> {
    return new Promise((done, fail) => {
      if (this.#qemu.exitCode !== null) return fail(new Error('the machine is off'));
      this.#waiting = { until, done, fail };
      this.#heard('');
    });
  }

  /** Runs a command line in the machine's shell; what it prints on both outputs is returned. */
  async run(command: string): Promise<Ran> {
    this.#line!.write(`${command.replaceAll('\n', ' ')}\n`);
    const text = await this.#until(/END (\d+)\r?\n/);
    const end = text.lastIndexOf('END ');
    return { code: Number(text.slice(end + 4)), out: text.slice(0, end).trimEnd() };
  }

  /** The same, and it must end well. */
  async must(command: string): Promise<string> {
    const { code, out } = await this.run(command);
    if (code !== 0) throw new Error(`${command}: ended with ${code}:\n${out}\n${this.#console.slice(-2000)}`);
    return out;
  }

  get console(): string {
    return this.#console;
  }

  off(): void {
    process.removeListener('exit', this.#kill);
    this.#qemu.removeAllListeners('exit');
    this.#kill();
    this.#line?.destroy();
    this.#server.close();
  }
}
