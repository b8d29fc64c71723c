/** What goes wrong in a run, as its scenario says: at a time, or when a named event happens for the first time. */
import * as L from '../asm/layout.ts';
import * as F from '../firmware/layout.ts';
import { MS } from './clock.ts';
import type { Machine } from './machine.ts';
import { nexusOf } from './shelf/fabric.ts';
import type { EventConfig } from './scenario.ts';

export class Script {
  #machine: Machine;
  #component: number;
  #events: readonly EventConfig[];
  #waiting: Map<string, number[]>;
  /** Events whose time is set and has not come. */
  pending = 0;
  /** What has happened, for the report. */
  readonly done: { at: number; event: EventConfig }[] = [];

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#events = machine.scenario.events;
    this.#waiting = new Map();
    this.#component = machine.clock.register((_kind, n) => {
      this.pending--;
      this.happen(this.#events[n]!);
    });
    this.#events.forEach((event, n) => {
      if (event.atMs !== null) {
        this.pending++;
        machine.clock.at((event.atMs + event.plusMs) * MS, this.#component, 0, n);
      }
      if (event.atMs === null && event.on !== null)
        this.#waiting.set(event.on, [...(this.#waiting.get(event.on) ?? []), n]);
    });
  }

  /** A trace event of this name has happened. */
  heard(name: string): void {
    const numbers = this.#waiting.get(name);
    if (numbers === undefined) return;
    this.#waiting.delete(name);
    for (const n of numbers) {
      this.pending++;
      this.#machine.clock.after(this.#events[n]!.plusMs * MS, this.#component, 0, n);
    }
  }

  /** Makes it happen now. */
  happen(event: EventConfig): void {
    const { boards, interconnect, shelf, observer, clients, clock } = this.#machine;
    const board = boards[event.board === 'b' ? 1 : 0];
    const number = event.disk === null ? -1 : this.#disk(event.disk);
    const disk = shelf.disks[number];
    observer.faults.push(clock.now);
    this.done.push({ at: clock.now, event });
    switch (event.do) {
      case 'nmi':
        return board.nmi(L.PANIC_OPERATOR, 0);
      case 'trap':
        return board.type('t');
      case 'assert':
        return board.type('a');
      case 'hang':
        observer.failed(board.index);
        return board.hang();
      case 'memory-error':
        // Somewhere in the cache, where nothing but clients' data lies.
        return board.memoryError(board.memoryBytes / 2);
      case 'stop-dump':
        return boards[board.index === 0 ? 1 : 0].type('s');
      case 'power-off':
        return board.powerOff();
      case 'power-on':
        return board.powerOn();
      case 'cut-interconnect':
        interconnect.up = false;
        return;
      case 'mend-interconnect':
        interconnect.up = true;
        return;
      case 'fail-disk':
        if (disk !== undefined) disk.writesFail = true;
        return;
      case 'kill-disk':
        if (disk !== undefined) disk.dead = true;
        return;
      case 'slow-disk':
        if (disk !== undefined) disk.slowness = event.factor ?? 10;
        return;
      case 'mend-disk':
        if (disk !== undefined) {
          disk.writesFail = false;
          disk.dead = false;
          disk.slowness = 1;
        }
        return;
      case 'cut-path':
      case 'mend-path':
        shelf.fabric.setPath(nexusOf(board.index, event.path ?? 0), number, event.do === 'mend-path');
        return;
      case 'quiet':
        for (const client of clients) client.quiet();
    }
  }

  /** A disk by name, or the coredump disk that a board elected or dumps to now; -1 if there is none. */
  #disk(name: string): number {
    const of = /^coredump-of-([ab])$/.exec(name)?.[1];
    if (of === undefined) return this.#machine.scenario.disks.findIndex((disk) => disk.name === name);
    const board = of === 'a' ? 0 : 1;
    const elected = this.#machine.observer.trace.events.findLast(
      ({ board: by, code }) => by === board && (code === F.EV_ELECTED || code === F.EV_DUMP_BEGIN),
    );
    return elected?.a ?? -1;
  }
}
