/** What a run looks like while it goes on. */
import * as L from '../../asm/layout.ts';
import * as F from '../../firmware/layout.ts';
import type { Machine } from '../machine.ts';
import type { Progress } from '../result.ts';
import { stepText } from './steps.ts';

const STATES: Readonly<Record<number, string>> = {
  [F.BOARD_OFF]: 'off',
  [F.BOARD_BOOTING]: 'booting',
  [F.BOARD_NORMAL]: 'normal',
  [F.BOARD_TAKING]: 'taking over',
  [F.BOARD_TAKEN]: 'taken over',
  [F.BOARD_WAITING]: 'waiting for giveback',
  [F.BOARD_PANIC]: 'panic',
  [F.BOARD_FENCED]: 'fenced',
};
const ATTRIBUTES: Readonly<Record<number, string>> = {
  [L.ATTRIBUTE_DUMPING]: 'dumping',
  [L.ATTRIBUTE_INACTIVE]: 'inactive',
  [L.ATTRIBUTE_COMPLETED]: 'completed',
  [L.ATTRIBUTE_ABORTED]: 'aborted',
};
export const attributeName = (attribute: number): 'dumping' | 'inactive' | 'completed' | 'aborted' | null =>
  (ATTRIBUTES[attribute] as 'dumping' | 'inactive' | 'completed' | 'aborted' | undefined) ?? null;

/** Lines for the events since event number `from`. */
export function stepsSince(machine: Machine, from: number): { next: number; log: string[] } {
  const { events } = machine.observer.trace;
  const log: string[] = [];
  for (let i = from; i < events.length; i++) {
    const text = stepText(machine.scenario, events[i]!);
    if (text !== null) log.push(`${(events[i]!.time / 1e9).toFixed(6)} ${'ab'[events[i]!.board]} ${text}`);
  }
  return { next: events.length, log };
}

export function progressOf(machine: Machine, log: string[]): Progress {
  const { clock, scenario, boards, observer, clients } = machine;
  const { events } = observer.trace;
  const last = (board: number, code: number): number | null =>
    events.findLast((event) => event.board === board && event.code === code)?.a ?? null;
  const states = boards.map((board) => {
    const state = observer.failedAt[board.index] !== null ? null : STATES[last(board.index, F.EV_STATE) ?? 0];
    return board.powered ? (state ?? 'panic') : 'off';
  });
  const begin = events.findLast(({ code }) => code === F.EV_DUMP_BEGIN);
  const end = events.findLast(({ code }) => code === F.EV_DUMP_END);
  const done = events.findLast(({ code }) => code === F.EV_DUMP_PROGRESS)?.b ?? 0;
  const total = (scenario.boards.memoryMib * 2 ** 20) / L.CHUNK_BYTES;
  return {
    now_s: clock.now / 1e9,
    end_s: scenario.endMs / 1000,
    boards: boards.map((board) => ({
      name: board.name,
      state: states[board.index]!,
      serving: scenario.disks.filter(
        (disk) => disk.volume !== null && machine.network.owner(disk.volume) === board.index,
      ).length,
      doing: states[board.index] === 'panic' && begin !== undefined && end === undefined ? 'dumping' : '',
    })),
    dump:
      begin === undefined
        ? null
        : {
            disk: scenario.disks[begin.a]!.name,
            done: Math.min(total, end?.b === L.ATTRIBUTE_COMPLETED ? total : done),
            total,
            attribute: end === undefined ? 'dumping' : (attributeName(end.b) ?? 'dumping'),
          },
    clients: {
      writes_acked: clients.reduce((n, client) => n + client.writesAcked, 0),
      reads: clients.reduce((n, client) => n + client.reads, 0),
      waiting: clients.filter((client) => client.waiting).length,
    },
    log,
  };
}
