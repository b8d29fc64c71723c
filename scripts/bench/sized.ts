// The standard scenario with boards of another size, filled to the same share.
import type { Scenario } from '../../boards/scenario.ts';
import { LAYOUT_MIB, dumpMib, rootMib, roundUp } from '../../boards/scenario-shelf.ts';

const LINE_KIB = 64;
const FACTOR_MAX = 4; // requests do not grow beyond it, so clients send more of them
const SAVE_MS_PER_MIB = 100; // room for savecore, which the partner does beside its service

/** Clients' working sets, and the disks that hold a dump or a core, grow with the memory. */
export function sized(standard: Scenario, memoryMib: number): Scenario {
  const { boards, clients } = standard;
  const workingSetMib = Math.max(1, Math.floor((clients.workingSetMib * memoryMib) / boards.memoryMib));
  const factor = Math.max(1, workingSetMib / clients.workingSetMib);
  return {
    ...standard,
    name: `${standard.name}-${memoryMib}`,
    endMaxMs: standard.endMaxMs + memoryMib * SAVE_MS_PER_MIB,
    boards: { ...boards, memoryMib },
    clients: {
      ...clients,
      workingSetMib,
      thinkUs: factor > FACTOR_MAX ? clients.thinkUs / 2 : clients.thinkUs,
      ioKib: Math.min(LINE_KIB, clients.ioKib * 2 ** Math.round(Math.log2(factor))),
    },
    disks: standard.disks.map((disk) => {
      switch (disk.role) {
        case 'root':
          return { ...disk, sizeMib: roundUp(rootMib(memoryMib, boards.rootFloorMib)) };
        case 'data':
          return { ...disk, sizeMib: Math.max(disk.sizeMib, roundUp(workingSetMib + LAYOUT_MIB)) };
        case 'spare':
        case 'dump':
        case 'free':
          return { ...disk, sizeMib: roundUp(dumpMib(memoryMib)) };
        case 'mailbox':
          return disk;
      }
    }),
  };
}
