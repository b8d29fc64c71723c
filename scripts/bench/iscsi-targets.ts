/** The two targets that are compared, each a process of its own with a disk in memory. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Target {
  url: string;
  /** CPU time that the process has used so far. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

const PROGRAMS = ['tgtd', 'tgtadm', 'iscsi-perf', 'qemu-img'];
const SHARED_MEMORY = '/dev/shm';

/** What is missing to compare; null: nothing. */
export function available(): string | null {
  for (const program of PROGRAMS) {
    if (spawnSync('sh', ['-c', `command -v ${program}`], { env: withSbin() }).status !== 0) {
      return `${program} is not installed (Debian: tgt, libiscsi-bin, qemu-utils, qemu-block-extra)`;
    }
  }
  return existsSync(SHARED_MEMORY) ? null : `there is no ${SHARED_MEMORY}`;
}

const withSbin = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
});

/** User and system time, [proc(5)] stat fields 14 and 15; clock ticks are 10 ms. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });

export async function startSparecore(mib: number, extension: string): Promise<Target> {
  const script = join(import.meta.dirname, `iscsi-child${extension}`);
  const child = spawn(process.execPath, [...process.execArgv, script, String(mib), '1'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve);
    child.once('exit', () => reject(new Error('the target did not start')));
  });
  const [portal] = JSON.parse(line) as { address: string; port: number; target: string }[];
  return {
    url: `iscsi://${portal!.address}:${portal!.port}/${portal!.target}/0`,
    cpuSeconds: () => cpuSeconds(child.pid!),
    stop: async () => {
      child.stdin.end();
      await ended(child);
    },
  };
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

const TUNED = {
  MaxRecvDataSegmentLength: '262144',
  MaxXmitDataSegmentLength: '262144',
  FirstBurstLength: '262144',
  MaxBurstLength: '1048576',
  InitialR2T: 'No',
  ImmediateData: 'Yes',
};
const NAME = 'iqn.2026-01.example.tgt:t';

/** tgtd in the foreground, on a control port of its own, with an image in shared memory. */
export async function startTgt(mib: number): Promise<Target> {
  const port = await freePort();
  const control = String(process.pid % 30_000);
  const image = join(SHARED_MEMORY, `sparecore-bench-${process.pid}.img`);
  const file = openSync(image, 'w');
  ftruncateSync(file, mib * 2 ** 20);
  closeSync(file);
  const options = ['-f', '-C', control, '--iscsi', `portal=127.0.0.1:${port}`];
  const child = spawn('tgtd', options, { stdio: 'ignore', env: withSbin() });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended(child);
    rmSync(image, { force: true });
  };
  const admin = (...args: string[]): void => {
    execFileSync('tgtadm', ['-C', control, '--lld', 'iscsi', ...args], { stdio: 'pipe', env: withSbin() });
  };
  try {
    await untilReady(() => admin('--op', 'show', '--mode', 'sys'));
    admin('--op', 'new', '--mode', 'target', '--tid', '1', '-T', NAME);
    const unit = ['--mode', 'logicalunit', '--tid', '1', '--lun', '1'];
    admin('--op', 'new', ...unit, '--bstype', 'rdwr', '-b', image);
    for (const [name, value] of Object.entries(TUNED)) {
      admin('--op', 'update', '--mode', 'target', '--tid', '1', '--name', name, '--value', value);
    }
    admin('--op', 'bind', '--mode', 'target', '--tid', '1', '-I', 'ALL');
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `iscsi://127.0.0.1:${port}/${NAME}/1`, cpuSeconds: () => cpuSeconds(child.pid!), stop };
}

async function untilReady(look: () => void): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return look();
    } catch (error) {
      if (tries === 50) throw error;
      spawnSync('sleep', ['0.1']);
    }
  }
}
