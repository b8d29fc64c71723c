// The standard scenario with boards of another size, filled to the same share.
import type { Scenario } from '../../boards/scenario.ts';
import { dumpMib, rootMib } from '../../boards/scenario-shelf.ts';

const LINE_KIB = 64;

/** Clients' working sets, and the disks that hold a dump or a core, grow with the memory. */
export function sized(standard: Scenario, memoryMib: number): Scenario {
  const { boards, clients } = standard;
  const volumes = standard.disks.filter(({ role, owner }) => role === 'data' && owner === 'a').length;
  const workingSetMib = Math.max(1, Math.floor((clients.workingSetMib * memoryMib) / boards.memoryMib));
  const factor = Math.max(1, workingSetMib / clients.workingSetMib);
  return {
    ...standard,
    name: `${standard.name}-${memoryMib}`,
    boards: { ...boards, memoryMib },
    clients: {
      ...clients,
      workingSetMib,
      ioKib: Math.min(LINE_KIB, clients.ioKib * 2 ** Math.round(Math.log2(factor))),
    },
    disks: standard.disks.map((disk) => {
      const least = {
        root: rootMib(memoryMib, boards.rootFloorMib),
        data: (workingSetMib * volumes) / volumes + 16,
      };
      switch (disk.role) {
        case 'root':
          return { ...disk, sizeMib: Math.ceil(least.root / 16) * 16 };
        case 'data':
          return { ...disk, sizeMib: Math.max(disk.sizeMib, Math.ceil(least.data / 16) * 16) };
        case 'spare':
        case 'dump':
        case 'free':
          return { ...disk, sizeMib: Math.ceil(dumpMib(memoryMib) / 16) * 16 };
        case 'mailbox':
          return disk;
      }
    }),
  };
}
