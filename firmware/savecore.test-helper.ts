/** A pair in which a dump is being saved, and a saver that is cut off at a write of one's choice. */
import * as L from '../asm/layout.ts';
import { MS } from '../boards/clock.ts';
import { readHeaders } from '../boards/core/records.ts';
import { Pair, eventOf } from '../boards/machine.test-helper.ts';
import { unsettled } from '../boards/observer/end.ts';
import { reader } from '../boards/observer/observer.ts';
import type { Scenario } from '../boards/scenario.ts';
import * as F from './layout.ts';

export type Cut = 'torn' | 'after';

/** A pair of which board A has dumped, at the moment when B begins to save. Each write of B's from there on is counted. */
export class Saving {
  readonly pair: Pair;
  writes = 0;
  #cutAt = Infinity;
  #cut: Cut = 'after';
  #isCut = false;

  constructor(cutAt = Infinity, cut: Cut = 'after', boards: Partial<Scenario['boards']> = {}) {
    this.#cutAt = cutAt;
    this.#cut = cut;
    this.pair = new Pair({
      boards: { heartbeatLossMs: 1500, givebackMs: 300, ...boards },
      clients: { perVolume: 0 },
      events: [eventOf({ atMs: 400, do: 'nmi', board: 'a' })],
    });
    this.pair.started();
    this.pair.until(F.EV_SAVE_BEGIN, { board: 1 });
    for (const name of ['a.root', 'a.spare.0']) this.#count(name);
  }

  #count(name: string): void {
    const { medium } = this.pair.machine.shelf.disks[this.pair.disk(name)]!;
    const write = medium.write.bind(medium);
    let last = -1;
    medium.write = (offset, from, at, bytes) => {
      // A write comes in pieces of memory: those of one moment are one.
      const { now } = this.pair.machine.clock;
      if (now !== last) this.writes++;
      last = now;
      const isCut = this.writes === this.#cutAt && !this.#isCut;
      const sectors = bytes / L.SECTOR_BYTES;
      const part = isCut && this.#cut === 'torn' ? Math.floor(sectors / 2) * L.SECTOR_BYTES : bytes;
      write(offset, from, at, part);
      if (isCut) this.#isCut = true;
    };
  }

  /** Until B has saved, or until the cut, at which B loses power and comes back half a second later. */
  run(): this {
    const { machine } = this.pair;
    while (!this.#isCut && !this.#saved()) machine.clock.step();
    if (this.#isCut) {
      this.pair.b.powerOff();
      this.pair.run(500);
      this.pair.b.powerOn();
    }
    const end = machine.clock.now + 30_000 * MS;
    while (unsettled(machine).length > 0 || !this.#saved()) {
      if (machine.clock.now > end) throw new Error(`not settled: ${unsettled(machine).join('; ')}`);
      this.pair.run(50);
    }
    return this;
  }

  /** The header of the dump says so. */
  #saved(): boolean {
    const { medium } = this.pair.machine.shelf.disks[this.pair.disk('a.spare.0')]!;
    const { newest } = readHeaders(reader(medium), L.COREDUMP_LBA);
    // A new election writes a new header, that of no dump.
    return newest!.saved || newest!.failedUs === 0n;
  }
}
