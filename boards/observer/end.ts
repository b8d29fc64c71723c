/** The end of a run: is everything as it must be, and is every acknowledged write where it must be? */
import * as L from '../../asm/layout.ts';
import * as F from '../../firmware/layout.ts';
import { MS } from '../clock.ts';
import { NEVER_WRITTEN } from '../clients/history.ts';
import { readHeaders } from '../core/records.ts';
import type { Machine } from '../machine.ts';
import { SYSTEM_IDS } from '../shelf/shelf.ts';
import { reader } from './observer.ts';

/** A request that takes so long is not being served. */
const STUCK_S = 5;

const alive = (machine: Machine, board: number): boolean => {
  const { boards, observer } = machine;
  return boards[board]!.running && observer.failedAt[board] === null;
};

/** What is not yet as it must be once faults stop; empty when all is well. */
export function unsettled(machine: Machine): string[] {
  const { scenario, observer, boards, network } = machine;
  const { invariants } = observer;
  const open: string[] = [];
  if (!boards.some((_, board) => alive(machine, board))) return ['no board is alive'];
  for (const disk of scenario.disks) {
    if (disk.volume !== null && network.owner(disk.volume) === null)
      open.push(`volume ${disk.volume} is served by nobody`);
    if (disk.volume !== null && !alive(machine, network.owner(disk.volume) ?? 0)) {
      open.push(`volume ${disk.volume} is not served by a live board`);
    }
  }
  scenario.disks.forEach((config, disk) => {
    if (config.owner === null || machine.shelf.disks[disk]!.dead) return;
    if (invariants.heldBy(disk) === null) open.push(`${config.name} is held by nobody`);
    const key = machine.shelf.servers.holderKey(disk);
    const holder = SYSTEM_IDS.indexOf(Number(key >> 32n));
    if (holder !== invariants.heldBy(disk))
      open.push(`${config.name}: the reservation's key is ${key.toString(16)}`);
  });
  for (const disk of invariants.dumping) {
    if (!machine.shelf.disks[disk]!.writesFail && !machine.shelf.disks[disk]!.dead) {
      open.push(`${scenario.disks[disk]!.name} still says dumping`);
    }
  }
  for (const client of machine.clients) {
    const waited = client.waitedNs(machine.clock.now) / 1e9;
    if (waited > STUCK_S)
      open.push(`a client of volume ${client.options.volume} has waited for ${waited.toFixed(1)} s`);
  }
  for (const board of [0, 1])
    if (coreIsDue(machine, board)) open.push(`the core of board ${'ab'[board]} is not made yet`);
  for (const board of boards) if (board.booting) open.push(`board ${board.name} is booting`);
  if (alive(machine, 0) && alive(machine, 1)) open.push(...notGivenBack(machine));
  return open;
}

export const settled = (machine: Machine): boolean => unsettled(machine).length === 0;

/** The board's last dump holds something, and nobody has tried to save it since. */
function coreIsDue({ observer, shelf, scenario }: Machine, board: number): boolean {
  const dump = observer.dumps.findLast((each) => each.board === board);
  if (dump === undefined || dump.report.stored === 0) return false;
  const root = scenario.disks.findIndex(({ role, owner }) => role === 'root' && owner === 'ab'[board]);
  if (shelf.disks[dump.disk]!.dead || shelf.disks[root]!.dead) return false;
  // A saver that was cut off right after its last write has told nobody; and the next election makes a new header.
  const { newest } = readHeaders(reader(shelf.disks[dump.disk]!.medium), L.COREDUMP_LBA);
  if (newest?.saved === true || newest?.refused === true || newest?.failedUs === 0n) return false;
  const { events } = observer.trace;
  const began = events.findLast(
    ({ code, a, time }) => code === F.EV_SAVE_BEGIN && a === dump.disk && time >= dump.at,
  );
  return (
    began === undefined ||
    !events.some((e) => e.code === F.EV_SAVE_END && e.board === began.board && e.time >= began.time)
  );
}

/** Both boards are up and giveback is automatic: each disk must come back to its owner. */
function notGivenBack({ scenario, observer, shelf }: Machine): string[] {
  if (scenario.boards.givebackMs === null) return [];
  return scenario.disks.flatMap((disk, number) => {
    const holder = observer.invariants.heldBy(number);
    if (disk.owner === null || holder === null || 'ab'[holder] === disk.owner || shelf.disks[number]!.dead)
      return [];
    return [`${disk.name} is not given back`];
  });
}

/**
 * The bound of service, which does not depend on memory: the loss of heartbeats, the watchdog that finds a hang, and a
 * second for the takeover itself. Counted from the failure or from what went wrong after it, whichever is later; the
 * sequential policy waits for the dump, too.
 */
function serviceChecks({ scenario, observer }: Machine): void {
  const { boards, policy } = scenario;
  const failure = observer.firstFailure;
  const service = observer.trace.events.find(
    (e) => e.code === F.EV_SERVICE && failure !== null && e.time >= failure.at,
  );
  if (failure === null || service === undefined) return;
  const from = observer.faults
    .filter((at) => at <= service.time)
    .reduce((latest, at) => Math.max(latest, at), failure.at);
  const dumpMs = policy === 'sequential' ? boards.dumpLimitMs + 1000 : 0;
  const boundMs = boards.heartbeatLossMs + boards.watchdogMs + 1000 + dumpMs;
  const tookMs = (service.time - from) / MS;
  observer.invariants.check(
    7,
    tookMs <= boundMs,
    () => `service was back after ${tookMs} ms, and the bound is ${boundMs} ms`,
  );
}

/** A completed dump ends as a core file, unless the root file system has no room or its disk is broken. */
function coreChecks({ scenario, observer, shelf }: Machine): void {
  const ends = observer.trace.events.filter(({ code }) => code === F.EV_SAVE_END);
  const refused = ends.filter(({ a, b }) => a === 0 && b !== F.SAVE_ROOM);
  const broken = shelf.disks.some(
    ({ config, dead, writesFail }) => config.role !== 'data' && (dead || writesFail),
  );
  const done = ends.some(({ a }) => a === 1);
  const excused = done || broken || refused.length === 0;
  const completed = observer.dumps.some(({ report }) => report.attribute === L.ATTRIBUTE_COMPLETED);
  if (!completed) return;
  observer.invariants.check(
    7,
    excused,
    () => `a completed dump was not saved: cause ${refused[0]?.b} (${scenario.name})`,
  );
}

export function finalChecks(machine: Machine, isSettled: boolean): void {
  const { observer, clients, shelf, scenario } = machine;
  const { invariants } = observer;
  invariants.check(7, isSettled, () => `at the end: ${unsettled(machine).slice(0, 4).join('; ')}`);
  serviceChecks(machine);
  coreChecks(machine);
  const buffer = new Uint8Array(scenario.clients.ioKib * 1024);
  for (const client of clients) {
    const { volume, firstBlock, ioBytes } = client.options;
    const disk = scenario.disks.findIndex((config) => config.volume === volume);
    const medium = shelf.disks[disk]!.medium;
    const base = (L.DATA_LBA + firstBlock) * L.SECTOR_BYTES;
    client.abandon();
    for (let slot = 0; slot < client.history.acked.length; slot++) {
      if (client.history.acked[slot] === NEVER_WRITTEN) continue;
      medium.read(base + slot * ioBytes, buffer, 0, ioBytes);
      const kept = client.history.allows(slot, buffer);
      if (!kept) client.writesLost++;
      invariants.check(
        5,
        kept,
        () => `an acknowledged write to volume ${volume}, slot ${slot}, is not on the disk`,
      );
    }
  }
}
