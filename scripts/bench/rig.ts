/**
 * The native board in QEMU: how much of what its UART can do a dump over the link gets, in the same run of the same
 * board, and how many instructions a cycle of the firmware takes. QEMU's UART has no baud rate: what a byte costs is the
 * emulation of the UART, so only the ratio of the two rates says something.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { BAUD_DEFAULT, type SerialAddress } from '../../boards/attached/address.ts';
import { paced } from '../../boards/attached/pace.ts';
import { realHost } from '../../boards/host.ts';
import { EXIT_BAD_PORT, InputError } from '../../boards/input-error.ts';
import { runPair } from '../../boards/pair.ts';
import type { Scenario } from '../../boards/scenario.ts';
import { realBinding } from '../../boards/serial/binding.ts';
import { openPort } from '../../boards/serial/port.ts';
import { CHUNK_BYTES } from '../../asm/layout.ts';
import { RAW_BYTES, RAW_START } from '../../firmware/attached/layout.ts';
import { EV_DUMP_BEGIN, EV_DUMP_PROGRESS } from '../../firmware/layout.ts';
import { signedBuild } from '../commands/rig.ts';
import { hostNanoseconds } from '../host-clock.ts';
import { hostPause } from '../host-pause.ts';
import { developmentKey } from '../image-keys.ts';
import { table } from '../render/format.ts';
import { COUNTS_AT, makeFlash, qemuParameters } from '../rig/kinds.ts';
import { rigs } from '../rig/records.ts';
import { startRig, stopRig } from '../rig/rigs.ts';

export const RATIO_MIN = 0.85;
const RAW_WORD = Buffer.alloc(4);
RAW_WORD.writeUInt32LE(RAW_START);
const ROUNDS = 3;
const LOOK_MS = 10;
/** In a second, and in half a minute. */
const LOOKS_A_WORD = 100;
const LOOKS_MAX = 3000;
/** Of the emulated SysTick: with `-icount shift=0` an instruction takes a nanosecond. */
const CLOCK_MHZ = 142;

export interface RigBench {
  /** Bytes a second, in turn: of the UART alone, and of the memory dumped over the link. */
  raw: Rate[];
  dump: Rate[];
  /** Of the best of each: what else the host does only takes away. */
  ratio: number;
  cpuRatio: number;
  sameDigest: boolean;
  cycles: { counted: number; least: number; mean: number; most: number };
  ok: boolean;
}

interface Rig {
  path: string;
  pid: number;
}

/** Bytes a second, and bytes for a tick of QEMU's CPU time, which others on the machine do not change. */
interface Rate {
  wall: number;
  cpu: number;
}

/** [proc] proc(5), /proc/PID/stat: utime and stime. */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

const secondsSince = (from: bigint): number => Number(hostNanoseconds() - from) / 1e9;

/** By a board that nobody has spoken to. */
async function rawRate({ path, pid }: Rig): Promise<Rate> {
  // No frames here: each read brings as much as one that waits can, and so costs the machine least.
  const binding = paced(await realBinding(), realHost(true), { push: () => {}, waits: true });
  const port = await openPort({ path, baud: BAUD_DEFAULT, binding });
  let bytes = 0;
  let from = 0n;
  let cpu = 0;
  let first = 0;
  let gone = false;
  port.onClose = () => void (gone = true);
  port.onData = (came) => {
    bytes += came.length;
    if (from !== 0n) return;
    from = hostNanoseconds();
    cpu = cpuTicks(pid);
    first = bytes;
  };
  // QEMU may not have its end of the line yet, so the word is said until it answers.
  const isOver = (): boolean => bytes >= RAW_BYTES;
  for (let looks = 0, seen = 0; !isOver(); looks++) {
    if (seen !== bytes) looks = 0;
    seen = bytes;
    if (gone || looks === LOOKS_MAX) throw new InputError(`${path}: ${bytes} bytes came`, EXIT_BAD_PORT);
    if (bytes === 0 && looks % LOOKS_A_WORD === 0) port.write(RAW_WORD);
    await hostPause(LOOK_MS);
  }
  const rate = { wall: (bytes - first) / secondsSince(from), cpu: (bytes - first) / (cpuTicks(pid) - cpu) };
  await port.close();
  return rate;
}

async function dumpRate({ path, pid }: Rig, scenario: Scenario): Promise<{ rate: Rate; digest: string }> {
  let from = 0n;
  let cpu = 0;
  let ticks = 0;
  let seconds = 0;
  const address: SerialAddress = { kind: 'serial', path, baud: BAUD_DEFAULT };
  const result = await runPair({
    scenario,
    attached: [address, null],
    onEvent: ({ board, code }) => {
      if (board !== 0) return;
      if (code === EV_DUMP_BEGIN) {
        from = hostNanoseconds();
        cpu = cpuTicks(pid);
      } else if (code === EV_DUMP_PROGRESS) {
        seconds = secondsSince(from);
        ticks = cpuTicks(pid) - cpu;
      }
    },
  });
  const bytes = result.dump.chunks.stored * CHUNK_BYTES;
  return { rate: { wall: bytes / seconds, cpu: bytes / ticks }, digest: result.digest };
}

/** With its terminal on a pseudo-terminal of QEMU's own, and time that counts instructions. */
async function countCycles(scenario: Scenario): Promise<RigBench['cycles']> {
  const counting = ['-icount', 'shift=0,sleep=off', '-monitor', 'stdio'];
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-rig-'));
  const flash = join(folder, 'flash');
  makeFlash(flash, developmentKey(), signedBuild('qemu'));
  const qemu = spawn('qemu-system-arm', [...qemuParameters(flash, 'pty,id=line'), ...counting]);
  let said = '';
  qemu.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  qemu.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const heard = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(said);
      if (found !== null) return found;
      if (qemu.exitCode !== null) throw new InputError(`QEMU ended: ${inspect(said)}`, EXIT_BAD_PORT);
      await Promise.race([once(qemu.stdout, 'data'), once(qemu.stderr, 'data'), once(qemu, 'exit')]);
    }
  };
  const end = (): void => void qemu.kill();
  process.once('exit', end);
  try {
    const [, path = ''] = await heard(/redirected to (\S+)/);
    await runPair({ scenario, attached: [{ kind: 'serial', path, baud: BAUD_DEFAULT }, null] });
    qemu.stdin.write(`xp /4wx 0x${COUNTS_AT.toString(16)}\n`);
    const [, ...words] = await heard(/: 0x(\w+) 0x(\w+) 0x(\w+) 0x(\w+)/);
    const [counted = 0, least = 0, most = 0, total = 0] = words.map((each) => parseInt(each, 16));
    const instructions = (clocks: number): number => Math.round((clocks * 1000) / CLOCK_MHZ);
    return {
      counted,
      least: instructions(least),
      mean: instructions(total / Math.max(1, counted)),
      most: instructions(most),
    };
  } finally {
    process.off('exit', end);
    end();
    rmSync(folder, { recursive: true });
  }
}

/** Each time on a line that nobody has spoken on: the word must come first. */
async function onRig<T>(use: (rig: Rig) => Promise<T>): Promise<T> {
  const name = `bench-${process.pid}`;
  const { port, pid: keeper } = await startRig({
    name,
    kind: 'qemu',
    memoryMib: 0,
    key: developmentKey(),
    image: signedBuild('qemu'),
  });
  const stop = (): void => void process.kill(keeper, 'SIGTERM');
  process.once('exit', stop);
  try {
    return await use({ path: port, pid: rigs().find((rig) => rig.name === name)?.boardPid ?? 0 });
  } finally {
    process.off('exit', stop);
    await stopRig(name);
  }
}

export async function benchRig(scenario: Scenario, say: (line: string) => void): Promise<RigBench> {
  // Rigs and QEMU end with this process, however it ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  say('the dump over the link, and the UART alone');
  const raw: Rate[] = [];
  const dump: Rate[] = [];
  const digests = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    raw.push(await onRig(rawRate));
    const { rate, digest } = await onRig((rig) => dumpRate(rig, scenario));
    dump.push(rate);
    digests.add(digest);
  }
  say('instructions a cycle');
  const cycles = await countCycles(scenario);
  digests.add((await runPair({ scenario })).digest);
  const best = (rates: readonly Rate[], key: keyof Rate): number =>
    Math.max(...rates.map((rate) => rate[key]));
  const ratio = best(dump, 'wall') / best(raw, 'wall');
  const cpuRatio = best(dump, 'cpu') / best(raw, 'cpu');
  const sameDigest = digests.size === 1;
  return { raw, dump, ratio, cpuRatio, sameDigest, cycles, ok: sameDigest && ratio >= RATIO_MIN };
}

const kilobytes = ({ wall }: Rate): string => `${(wall / 1000).toFixed(1)} kB/s`;

export function rigLines({ raw, dump, ratio, cpuRatio, sameDigest, cycles, ok }: RigBench): string[] {
  return [
    ...table(
      [
        ['native board in QEMU', ''],
        ['UART alone', raw.map(kilobytes).join(', ')],
        ['memory dumped over the link', dump.map(kilobytes).join(', ')],
        ['share', `${ratio.toFixed(3)}, at least ${RATIO_MIN}: ${ratio >= RATIO_MIN ? 'ok' : 'missed'}`],
        ['share by CPU time of QEMU', cpuRatio.toFixed(3)],
        ['digest', sameDigest ? 'as emulated' : 'another than emulated'],
      ],
      [],
    ),
    ...table(
      [
        ['instructions a cycle', 'least', 'mean', 'most', 'cycles counted'],
        ['', ...[cycles.least, cycles.mean, cycles.most, cycles.counted].map((n) => n.toLocaleString('en'))],
      ],
      [1, 2, 3, 4],
    ),
    ok ? 'ok' : 'not within its limits',
  ];
}
