// All of it: every dump of the choice with its references, round by round, then the goals.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, freemem, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Choice, type DumpCase, casesOf, nameOf } from './cases.ts';
import { pathGoals, rowGoals } from './goals.ts';
import { makeGuest, whyNoGuest } from './guest.ts';
import { kernelGoals } from './kernel-goals.ts';
import { type Dumped, type Folders, dumpOnce } from './measure.ts';
import { type MemoryImage, dropImage, makeImage } from './memory-image.ts';
import { type Missing, Native } from './native.ts';
import { pinned } from './pinned.ts';
import { whyNot } from './program.ts';
import { Qemu } from './qemu.ts';
import { ELF, KDUMP, referencesOf } from './references.ts';
import { type DumpBench, type DumpRow, type Goal, VERSION, median, timeOf } from './result.ts';
import type { Timed } from './timed.ts';
import { useFiles } from './used-pages.ts';

export interface BenchChoice extends Choice {
  rounds: number;
  image: string | null;
  /** The image is the RAM of a guest that runs here. */
  guest?: boolean;
  /** The kernels, the way of a command, and what the rows say of the goals. */
  goals: boolean;
  qemu: boolean;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const EXIT_STOPPED = 130;

/** tmpfs where the system has one. */
const SHM = '/dev/shm';

export async function benchDump(choice: BenchChoice, say: (line: string) => void): Promise<DumpBench> {
  const folders: Folders = { tmpfs: folderIn(SHM), disk: folderIn(tmpdir()) };
  const clean = (): void => {
    for (const folder of Object.values(folders)) rmSync(folder, { recursive: true, force: true });
  };
  const stopped = (): void => {
    clean(); // gigabytes
    process.exit(EXIT_STOPPED);
  };
  for (const signal of SIGNALS) process.once(signal, stopped);
  const native = new Native(folders.tmpfs);
  const bench: DumpBench = {
    version: VERSION,
    host: `${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}, Node ${process.versions.node}`,
    rows: [],
    goals: [],
    missing: native.missing,
    ok: true,
  };
  try {
    for (const memoryMib of choice.memory) if (choice.guest === true) await ofGuest(memoryMib);
    for (const memoryMib of choice.memory)
      for (const content of choice.contents) await ofContent(memoryMib, content);
  } finally {
    clean();
    for (const signal of SIGNALS) process.off(signal, stopped);
  }
  bench.ok = bench.rows.every(({ equal }) => equal);
  return bench;

  async function ofGuest(memoryMib: number): Promise<void> {
    const reason = whyNoGuest();
    if (reason !== null)
      return void bench.missing.push({ name: `RAM of a guest of ${memoryMib} MiB`, reason });
    say(`a guest of ${memoryMib} MiB boots`);
    const guest = mkdtempSync(join(folders.tmpfs, 'guest-'));
    const image = await makeGuest(guest, memoryMib);
    await ofContent(memoryMib, 'image', image);
    rmSync(guest, { recursive: true });
  }

  async function ofContent(
    memoryMib: number,
    content: DumpCase['content'],
    given = choice.image,
  ): Promise<void> {
    if (memoryMib * 2 ** 20 * 4 > freemem()) {
      bench.missing.push({
        name: `${memoryMib} MiB`,
        reason: 'it takes four times as much of free memory here',
      });
      return;
    }
    for (const noZero of [false, true]) {
      const cases = casesOf({ ...choice, memory: [memoryMib], contents: [content] }).filter(
        ({ codec }) => (codec === 'raw') === noZero,
      );
      if (cases.length === 0) continue;
      say(`${memoryMib} MiB, ${content}: making the memory`);
      const image = makeImage(folders.tmpfs, memoryMib, content, noZero, given);
      try {
        const qemu = choice.qemu && !noZero ? await qemuDumps(image, folders, bench.missing, say) : new Map();
        for (const one of cases)
          bench.rows.push(await row(one, image, folders, native, qemu, choice.rounds, say));
        if (choice.goals && !noZero && content !== 'zero-heavy')
          bench.goals.push(...(await goalsOf(cases[0]!, image)));
      } finally {
        dropImage(image);
      }
    }
  }

  async function goalsOf(one: DumpCase, image: MemoryImage): Promise<Goal[]> {
    say('kernels and the way of a command');
    const rows = bench.rows.filter(({ memoryMib }) => memoryMib === one.memoryMib);
    const all = [
      ...rowGoals(rows, one.content),
      ...(await kernelGoals(image, native)),
      ...(await pathGoals({ ...one, codec: 'sparse' }, image, folders, choice.rounds)),
    ];
    return all.map((each) => ({ ...each, name: `${one.content}: ${each.name}` }));
  }
}

const folderIn = (place: string): string => {
  try {
    return mkdtempSync(join(place, 'sparecore-bench-'));
  } catch {
    return mkdtempSync(join(tmpdir(), 'sparecore-bench-'));
  }
};

/** Once a content: it takes long. */
async function qemuDumps(
  image: MemoryImage,
  { tmpfs }: Folders,
  missing: Missing[],
  say: (line: string) => void,
): Promise<Map<string, Timed>> {
  const found = new Map<string, Timed>();
  const absent = whyNot('qemu-system-x86_64');
  const tell = (reason: string): void => {
    if (!missing.some(({ name }) => name === 'QEMU dump-guest-memory'))
      missing.push({ name: 'QEMU dump-guest-memory', reason });
  };
  if (absent !== null) {
    tell(absent);
    return found;
  }
  const qemu = new Qemu(tmpfs, image.path, image.bytes);
  try {
    await qemu.started();
    for (const [name, format] of [
      [ELF, 'elf'],
      [KDUMP, 'kdump-zlib'],
    ] as const) {
      say(name);
      // Its kernel has not yet read its memory; for the other format it is QEMU that reads it.
      if (name === ELF) await qemu.dump(join(tmpfs, 'qemu.dump'), format);
      useFiles(tmpfs, image.path);
      found.set(name, await qemu.dump(join(tmpfs, 'qemu.dump'), format));
    }
  } catch (error) {
    tell((error as Error).message);
  } finally {
    await qemu.quit();
  }
  return found;
}

const note = (map: Map<string, number[]>, name: string, value: number): void =>
  void map.set(name, [...(map.get(name) ?? []), value]);

/**
 * Boards that dump unmeasured before: for the first ones the host's compiler has more work than the two CPUs, and lays
 * out the emulator's objects anew. Small, because it is their number that counts.
 */
const WARM = 7;
const WARM_MIB = 64;

async function warmUp(one: DumpCase, image: MemoryImage, folders: Folders): Promise<void> {
  const small = { ...one, memoryMib: Math.min(one.memoryMib, WARM_MIB) };
  for (let n = 0; n < WARM; n++) await dumpOnce(small, image, folders, { check: false, unmeasured: true });
}

/** All of the dump's time is one thread's. */
const isOneThread = (one: DumpCase): boolean =>
  one.dma === 'in line' && one.cpus === 1 && one.medium !== 'disk';

async function row(
  one: DumpCase,
  image: MemoryImage,
  folders: Folders,
  native: Native,
  qemu: ReadonlyMap<string, Timed>,
  rounds: number,
  say: (line: string) => void,
): Promise<DumpRow> {
  const time = (took: Timed): number => timeOf(one, took);
  const dumps: Dumped[] = [];
  const seconds = new Map<string, number[]>();
  const ratios = new Map<string, number[]>();
  // The first one is cold, and is the one that is read back.
  const { found, first, commands } = await dumpOnce(one, image, folders, { check: true, unmeasured: true });
  await warmUp(one, image, folders);
  const turns = async (): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      say(`${nameOf(one)}, round ${round + 1} of ${rounds}`);
      const dumped = await dumpOnce(one, image, folders, { check: false });
      dumps.push(dumped);
      const references = referencesOf(one, image, folders, native);
      const name = one.codec === 'lz4' ? KDUMP : ELF;
      const guest = one.medium === 'tmpfs' ? qemu.get(name) : undefined;
      if (guest !== undefined) references.set(name, guest);
      for (const [reference, took] of references) {
        note(seconds, reference, time(took));
        note(ratios, reference, time(took) / time(dumped.time));
      }
    }
  };
  await (isOneThread(one) ? pinned(turns) : turns());
  return {
    ...one,
    rounds,
    seconds: median(dumps.map(({ time: took }) => time(took))),
    wall_s: median(dumps.map(({ time: took }) => took.wall)),
    board_s: median(dumps.map(({ board }) => board)),
    first_write_s: first,
    zero_chunks: found!.zero,
    stored_bytes: found!.storedBytes,
    commands,
    equal: found!.wrong.length === 0,
    references: [...seconds].map(([name, values]) => ({
      name,
      seconds: median(values),
      ratio: median(ratios.get(name)!),
    })),
  };
}
