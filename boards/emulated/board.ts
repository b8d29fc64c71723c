/** An emulated controller board: its CPU is an instance of the firmware in this process, on a memory that is its RAM. */
import type { Clock } from '../clock.ts';
import { type BoardOptions, type BoardWatcher, Controller } from '../controller.ts';
import type { Interconnect } from '../interconnect.ts';
import type { Fabric } from '../shelf/fabric.ts';
import { EmulatedSocket } from './cpu.ts';
import type { Firmware } from './firmware.ts';

export class EmulatedBoard extends Controller {
  readonly socket: EmulatedSocket;

  constructor(
    options: BoardOptions,
    clock: Clock,
    firmware: Firmware,
    fabric: Fabric,
    interconnect: Interconnect,
    watcher: BoardWatcher,
  ) {
    const socket = new EmulatedSocket(firmware);
    super(options, clock, socket, fabric, interconnect, watcher);
    this.socket = socket;
  }
}
