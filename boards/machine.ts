/**
 * The whole machine of a scenario: two boards on a shelf, an interconnect, clients on a network, and the observer, all
 * on one clock. What is wired to what is read here from top to bottom.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as L from '../asm/layout.ts';
import * as F from '../firmware/layout.ts';
import { AttachedBoard } from './attached/board.ts';
import type { Carrier } from './attached/rpc.ts';
import { Client } from './clients/client.ts';
import { Network } from './clients/network.ts';
import { type Source, loadSource } from './clients/source.ts';
import { Clock, US } from './clock.ts';
import type { Controller } from './controller.ts';
import { EmulatedBoard } from './emulated/board.ts';
import { Firmware } from './emulated/firmware.ts';
import { EXIT_BAD_FIRMWARE, InputError } from './input-error.ts';
import { Interconnect } from './interconnect.ts';
import { Observer } from './observer/observer.ts';
import { RandomStream } from './random.ts';
import type { Scenario } from './scenario.ts';
import { type Shelf, SYSTEM_IDS, makeShelf } from './shelf/shelf.ts';

export interface Machine {
  scenario: Scenario;
  clock: Clock;
  observer: Observer;
  shelf: Shelf;
  boards: readonly [Controller, Controller];
  interconnect: Interconnect;
  network: Network;
  clients: readonly Client[];
  source: Source;
  close(): void;
}

const MIB = 2 ** 20;
/** The firmware that the build made, from the sources as from the compiled boards. */
export function firmwarePath(cpus: 1 | 2 = 1): string {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const name = cpus === 2 ? 'firmware-smp.wasm' : 'firmware.wasm';
  const candidates = [join(here, '..', 'build', name), join(here, '..', '..', name)];
  return candidates.find((path) => existsSync(path)) ?? candidates[0]!;
}

const loaded = new Map<string, Firmware>();

export function loadFirmware(path: string): Firmware {
  const known = loaded.get(path) ?? new Firmware(path);
  loaded.set(path, known);
  return known;
}

/** The firmware of a board with so many CPUs; `path` null: the one that the build made. */
export function loadFirmwareFor(cpus: 1 | 2, path: string | null): Firmware {
  const image = loadFirmware(path ?? firmwarePath(cpus));
  if (image.cpus === cpus) return image;
  throw new InputError(
    `${path ?? firmwarePath(cpus)}: is firmware of a board with ${image.cpus === 1 ? 'one CPU' : 'two CPUs'}, and boards.cpus is ${cpus}: make it ${image.cpus}, or give other firmware`,
    EXIT_BAD_FIRMWARE,
  );
}

export interface MachineOptions {
  scenario: Scenario;
  seed: string;
  folder: string | null;
  firmware: string | null;
  /** What leads to boards a and b where they are attached; null, or left out: emulated. */
  attached?: readonly [Carrier | null, Carrier | null];
}

export function makeMachine({ scenario, seed, folder, firmware, attached }: MachineOptions): Machine {
  const image = loadFirmwareFor(scenario.boards.cpus, firmware);
  const source = loadSource(scenario.clients.source);
  const clock = new Clock();
  const observer = new Observer(scenario, clock);
  const shelf = makeShelf(scenario, clock, observer, folder);
  const interconnect = new Interconnect(clock, scenario.interconnectUs * US);
  const board = (index: 0 | 1): Controller => {
    const random = new RandomStream(seed, `board ${'ab'[index]}`);
    const options = {
      index,
      memoryBytes: scenario.boards.memoryMib * MIB,
      periodUs: scenario.boards.cycleUs,
      postMs: scenario.boards.postMs,
      startUtc: scenario.startUtc,
      random: () => random.next(),
    };
    const carrier = attached?.[index] ?? null;
    const made =
      carrier === null
        ? new EmulatedBoard(options, clock, image, shelf.fabric, interconnect, observer)
        : new AttachedBoard(options, clock, carrier, image, shelf.fabric, interconnect, observer);
    configure(made, scenario, folder);
    return made;
  };
  const boards = [board(0), board(1)] as const;
  const network = new Network(clock, scenario.networkUs * US, [boards[0].port, boards[1].port]);
  const clients = makeClients(scenario, seed, clock, network, source, observer);
  observer.watch(boards, shelf, network);
  return {
    scenario,
    clock,
    observer,
    shelf,
    boards,
    interconnect,
    network,
    clients,
    source,
    close: () => {
      for (const each of boards) {
        if (folder !== null) writeFileSync(nvramPath(folder, each), new Uint8Array(each.nvram.words.buffer));
        each.release();
      }
      shelf.close();
    },
  };
}

const nvramPath = (folder: string, board: Controller): string => join(folder, `board-${board.name}.nvram`);

/** The boards' NVRAM: configuration of the scenario, and the boot epoch of earlier runs on the same disks. */
function configure(board: Controller, { boards, policy, leftover }: Scenario, folder: string | null): void {
  const { nvram, index } = board;
  if (folder !== null && existsSync(nvramPath(folder, board))) {
    const words = new Uint32Array(F.NV_BYTES / 4);
    new Uint8Array(words.buffer).set(readFileSync(nvramPath(folder, board)).subarray(0, F.NV_BYTES));
    nvram.words.set(words);
  }
  // A board counts its boots: none of its earlier lives had a higher epoch than the next.
  const epochs = leftover.filter((each) => each.board === board.name).map(({ epoch }) => epoch);
  nvram.write(F.NV_EPOCH, Math.max(nvram.read(F.NV_EPOCH), ...epochs, 0));
  nvram.write(F.NV_SYSTEM, SYSTEM_IDS[index]);
  nvram.write(F.NV_PARTNER, SYSTEM_IDS[index ^ 1]!);
  nvram.write(F.NV_INDEX, index);
  nvram.write(F.NV_HEARTBEAT_MS, boards.heartbeatMs);
  nvram.write(F.NV_HEARTBEAT_LOSS_MS, boards.heartbeatLossMs);
  nvram.write(F.NV_LIMIT_MS, boards.dumpLimitMs);
  nvram.write(F.NV_WATCHDOG_MS, boards.watchdogMs);
  nvram.write(F.NV_POLICY, policy === 'sequential' ? 1 : 0);
  nvram.write(F.NV_GIVEBACK_MS, boards.givebackMs ?? F.NV_NEVER);
  nvram.write(F.NV_REBOOT, boards.rebootAfterPanic ? 1 : 0);
  nvram.write(F.NV_ROOM_PERCENT, boards.dumpRoomPercent);
  nvram.write(F.NV_FLOOR_MIB, boards.rootFloorMib);
  nvram.write(F.NV_SAVE_SHARE, boards.saveSharePercent);
  nvram.write(F.NV_CODEC, boards.dumpCodec === 'lz4' ? L.CODEC_LZ4 : 0);
  const key = Buffer.from(boards.dumpKey ?? '', 'hex');
  nvram.write(F.NV_CIPHER, boards.dumpKey === null ? L.CIPHER_NONE : L.CIPHER_X25519);
  for (let at = 0; at < key.length; at += 4) nvram.write(F.NV_DUMP_KEY + at, key.readUInt32LE(at));
  nvram.write(F.NV_OVERWRITE, boards.dumpOverwrite === 'always' ? 1 : 0);
  nvram.write(F.NV_STOP_MS, boards.stopBoundMs);
  nvram.write(F.NV_CPUS, boards.cpus);
}

function makeClients(
  { disks, clients }: Scenario,
  seed: string,
  clock: Clock,
  network: Network,
  source: Source,
  observer: Observer,
): Client[] {
  const made: Client[] = [];
  const ioBytes = clients.ioKib * 1024;
  for (const disk of disks) {
    if (disk.volume === null) continue;
    const slots = Math.floor((clients.workingSetMib * MIB) / Math.max(1, clients.perVolume) / ioBytes);
    const count = slots > 0 ? clients.perVolume : 0;
    for (let n = 0; n < count; n++) {
      const options = {
        volume: disk.volume,
        protocol: clients.protocols[made.length % clients.protocols.length]!,
        // Lines of the boards' caches are 64 KiB: a request must not cross one.
        firstBlock: (n * slots * ioBytes) / 512,
        slots,
        ioBytes,
        writePercent: clients.writePercent,
        thinkUs: clients.thinkUs,
      };
      const random = new RandomStream(seed, `client ${disk.volume}.${n}`);
      made.push(new Client(options, clock, network, random, source.pool, observer));
    }
  }
  return made;
}
