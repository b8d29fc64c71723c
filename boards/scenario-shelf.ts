// From groups of disks to named disks.
import type { DiskConfig } from './scenario.ts';
import type { ScenarioInput } from './scenario-schema.ts';

type Group = ScenarioInput['disks'][number];

/** GPT, label, coredump region and backup GPT, which every disk has beside its data region. */
export const LAYOUT_MIB = 4;

/** To a size that the disks of a shelf come in. */
export const roundUp = (mib: number): number => Math.ceil(mib / 16) * 16;

/** Memory, and the coredump's table of chunks. */
export const dumpMib = (memoryMib: number): number => memoryMib + Math.ceil(memoryMib / 1024) + LAYOUT_MIB;

/** A core of all the memory, the file system's own tables, and what must stay free. */
export const rootMib = (memoryMib: number, floorMib: number): number =>
  memoryMib + floorMib + LAYOUT_MIB + Math.ceil(memoryMib / 64) + 8;

function defaultSize({ boards, workload }: ScenarioInput, role: Group['role']): number {
  switch (role) {
    case 'root':
      return roundUp(rootMib(boards.memory_mib, boards.root_floor_mib));
    case 'data':
      return roundUp(Math.max(1024, workload.working_set_mib + LAYOUT_MIB));
    case 'spare':
    case 'dump':
    case 'free':
      return roundUp(dumpMib(boards.memory_mib));
    case 'mailbox':
      return 16;
  }
}

export interface NamedDisk {
  disk: DiskConfig;
  /** Index of the group that it came from. */
  group: number;
}

/** Every disk of the shelf; volume numbers are dealt out in order. */
export function expandDisks(input: ScenarioInput): NamedDisk[] {
  const counts = new Map<string, number>();
  const disks: NamedDisk[] = [];
  let volumes = 0;
  for (const [group, it] of input.disks.entries()) {
    const { role } = it;
    const owner = it.owner ?? null;
    const prefix = owner === null ? role : `${owner}.${role}`;
    for (let n = 0; n < it.count; n++) {
      const number = counts.get(prefix) ?? 0;
      counts.set(prefix, number + 1);
      const single = (role === 'root' || role === 'mailbox') && number === 0;
      disks.push({
        group,
        disk: {
          name: it.name ?? (single ? prefix : `${prefix}.${number}`),
          role,
          owner,
          sizeMib: it.size_mib ?? defaultSize(input, role),
          volume: role === 'data' ? volumes++ : null,
          accessUs: it.access_us ?? input.disk_model.access_us,
          rateMbS: it.rate_mb_s ?? input.disk_model.rate_mb_s,
          reserveUs: it.reserve_us ?? input.disk_model.reserve_us,
          ...(it.max_transfer_kib === undefined ? {} : { maxTransferKib: it.max_transfer_kib }),
          immediate: role === 'free' && it.access_us === undefined && it.rate_mb_s === undefined,
          blockBytes: it.block_bytes ?? 512,
          physicalExponent: it.physical_exponent ?? (it.block_bytes === 4096 ? 0 : 3),
          thin: it.thin ?? false,
          protection: it.protection ?? 0,
          writeProtected: it.write_protected ?? false,
          writeCache: it.write_cache ?? false,
        },
      });
    }
  }
  return disks;
}
