/**
 * An attached board that runs by itself, in real time: no disks, no partner, its uart and its clock. For seeing whether
 * firmware comes up, and for talking to its console.
 */
import * as F from '../../firmware/layout.ts';
import { Clock } from '../clock.ts';
import type { Host } from '../host.ts';
import { Interconnect } from '../interconnect.ts';
import { firmwarePath, loadFirmware } from '../machine.ts';
import { RealTime } from '../real-time.ts';
import { Fabric } from '../shelf/fabric.ts';
import { SYSTEM_IDS } from '../shelf/images.ts';
import { AttachedBoard } from './board.ts';
import type { Carrier } from './rpc.ts';

export interface AloneOptions {
  carrier: Carrier;
  host: Host;
  memoryBytes: number;
  onText: (text: string) => void;
}

const PERIOD_US = 1000;
const LOSS_MS = 15_000;
/** It is looked at so often whether the board still runs. */
const LOOK_NS = 100e6;

export class Alone {
  /** Resolves to why it has stopped, when it has: it halted, or it is lost. */
  readonly ended: Promise<string>;
  readonly #pace: RealTime;
  readonly #board: AttachedBoard;
  #ended = false;
  #tell: (why: string) => void = () => {};

  constructor({ carrier, host, memoryBytes, onText }: AloneOptions) {
    const clock = new Clock();
    this.#pace = new RealTime(clock, host);
    this.#board = new AttachedBoard(
      {
        index: 0,
        memoryBytes,
        periodUs: PERIOD_US,
        postMs: 1,
        startUtc: host.utc(),
        random: () => new DataView(host.random(4).slice().buffer).getUint32(0),
      },
      clock,
      carrier,
      loadFirmware(firmwarePath()),
      new Fabric(clock, []),
      new Interconnect(clock, 1000),
      { event: () => {}, console: (_board, text) => onText(text), power: () => {} },
    );
    const { nvram } = this.#board;
    nvram.write(F.NV_SYSTEM, SYSTEM_IDS[0]);
    nvram.write(F.NV_PARTNER, SYSTEM_IDS[1]);
    nvram.write(F.NV_HEARTBEAT_MS, 1000);
    nvram.write(F.NV_HEARTBEAT_LOSS_MS, LOSS_MS);
    nvram.write(F.NV_LIMIT_MS, LOSS_MS);
    nvram.write(F.NV_WATCHDOG_MS, LOSS_MS);
    nvram.write(F.NV_GIVEBACK_MS, F.NV_NEVER);
    nvram.write(F.NV_ROOM_PERCENT, 100);
    this.ended = new Promise((resolve) => (this.#tell = resolve));
    const look = clock.register(() => {
      const why = !this.#board.powered
        ? 'the board does not answer any more'
        : !this.#board.running && !this.#board.booting
          ? 'the firmware has halted'
          : null;
      if (why === null) return clock.after(LOOK_NS, look, 0);
      this.#end();
      return this.#tell(why);
    }, 9);
    clock.at(LOOK_NS, look, 0);
  }

  start(): void {
    this.#board.powerOn();
    this.#pace.start();
  }

  type(text: string): void {
    this.#pace.enter(() => this.#board.type(text));
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pace.stop();
    this.#board.release();
  }

  stop(): void {
    this.#end();
  }
}
