/** How a pair stands at this moment, as plain data: for the console, for scripts, and for tests. */
import * as L from '../asm/layout.ts';
import { readHeaders } from './core/records.ts';
import type { SessionInfo } from './iscsi/server.ts';
import type { Machine } from './machine.ts';
import { reader } from './observer/observer.ts';
import { attributeName, progressOf } from './observer/progress.ts';
import type { Progress } from './result.ts';
import type { DiskRole } from './scenario.ts';
import { SYSTEM_IDS } from './shelf/shelf.ts';

export interface DiskStatus {
  lun: number;
  name: string;
  role: DiskRole;
  home: 'a' | 'b' | null;
  /** Who holds the persistent reservation: a board, or an initiator of the real world. */
  holder: 'a' | 'b' | 'initiator' | null;
  key: string | null; // 16 hexadecimal digits
  type: number; // [SPC-4] 6.15.3.4; 0 without a reservation
  registrations: number;
  /** The coredump attribute; null where a disk has no coredump region. */
  attribute: 'dumping' | 'inactive' | 'completed' | 'aborted' | null;
  fault: string | null;
}

export interface Status {
  board_s: number; // board time since power-on
  slipped_s: number; // by which the host could not keep up
  boards: Progress['boards'];
  interconnect: 'up' | 'cut';
  disks: DiskStatus[];
  dump: Progress['dump'];
  clients: Progress['clients'];
  sessions: readonly SessionInfo[];
  violations: readonly string[];
}

export function statusOf(machine: Machine, slippedNs: number, sessions: readonly SessionInfo[]): Status {
  const { now_s, boards, dump, clients } = progressOf(machine, []);
  return {
    board_s: now_s,
    slipped_s: slippedNs / 1e9,
    boards,
    interconnect: machine.interconnect.up ? 'up' : 'cut',
    disks: machine.shelf.disks.map((_, lun) => diskStatus(machine, lun)),
    dump,
    clients,
    sessions,
    violations: machine.observer.invariants.violations,
  };
}

function diskStatus({ shelf }: Machine, lun: number): DiskStatus {
  const disk = shelf.disks[lun]!;
  const { name, role, owner } = disk.config;
  const { key, type, registrations } = shelf.servers.reservation(lun);
  return {
    lun,
    name,
    role,
    home: owner,
    holder: type === 0 ? null : holderOf(key),
    key: key === 0n ? null : key.toString(16).padStart(16, '0'),
    type,
    registrations,
    attribute:
      owner === null
        ? null
        : attributeName(readHeaders(reader(disk.medium), L.COREDUMP_LBA).newest?.attribute ?? 0),
    fault: disk.dead
      ? 'does not answer'
      : disk.writesFail
        ? 'every write fails'
        : disk.slowness > 1
          ? `${disk.slowness} times slower`
          : null,
  };
}

/** A board's key is its system id and its boot epoch. */
function holderOf(key: bigint): DiskStatus['holder'] {
  const board = SYSTEM_IDS.indexOf(Number(key >> 32n));
  return board < 0 ? 'initiator' : board === 0 ? 'a' : 'b';
}
