/** A controller board at the far end of a link: its CPU and its RAM are there, its devices are here. */
import { CHANNEL_CONTROL } from '../../asm/link/layout.ts';
import * as R from '../../firmware/attached/layout.ts';
import * as F from '../../firmware/layout.ts';
import type { Clock } from '../clock.ts';
import { type BoardOptions, type BoardWatcher, Controller } from '../controller.ts';
import type { Cpu, Devices, Socket } from '../cpu.ts';
import type { Firmware } from '../emulated/firmware.ts';
import { EXIT_BAD_PORT, InputError } from '../input-error.ts';
import type { Interconnect } from '../interconnect.ts';
import type { Fabric } from '../shelf/fabric.ts';
import { AttachedCpu } from './cpu.ts';
import { words } from './records.ts';
import { type Carrier, Rpc } from './rpc.ts';
import { Shadow } from './shadow.ts';

/** At these events the observer looks at RAM: the firmware waits meanwhile. */
const LOOKED_AT = (1n << BigInt(F.EV_FROZEN)) | (1n << BigInt(F.EV_DUMP_END));

export class AttachedBoard extends Controller {
  constructor(
    options: BoardOptions,
    clock: Clock,
    carrier: Carrier,
    firmware: Firmware,
    fabric: Fabric,
    interconnect: Interconnect,
    watcher: BoardWatcher,
  ) {
    super(options, clock, new AttachedSocket(carrier, firmware), fabric, interconnect, watcher);
  }
}

class AttachedSocket implements Socket {
  readonly onDma = (address: number, bytes: number): void => this.#shadow?.note(address, bytes);
  readonly #rpc: Rpc;
  /** For the symbols of what the board says that it runs. */
  readonly #firmware: Firmware;
  #shadow: Shadow | null = null;
  #build = '';

  constructor(carrier: Carrier, firmware: Firmware) {
    this.#rpc = new Rpc(carrier);
    this.#firmware = firmware;
  }

  reset(bytes: number): Uint8Array {
    this.#rpc.forget();
    this.#meet(bytes);
    this.#rpc.say(
      CHANNEL_CONTROL,
      R.RPC_RESET,
      0,
      bytes / R.RAM_UNIT_BYTES,
      words(Number(LOOKED_AT & 0xffffffffn), Number(LOOKED_AT >> 32n)),
    );
    if (this.#rpc.only(R.RPC_READY).a !== 1) throw refusal(`cannot have ${bytes / 2 ** 20} MiB of RAM`);
    this.#shadow = new Shadow(this.#rpc, bytes);
    return this.#shadow.bytes;
  }

  #meet(bytes: number): void {
    this.#rpc.say(CHANNEL_CONTROL, R.RPC_HELLO, 0, R.RPC_VERSION);
    const { a, b, body } = this.#rpc.only(R.RPC_WELCOME);
    if (a !== R.RPC_VERSION) throw refusal(`speaks version ${a} of the protocol, not ${R.RPC_VERSION}`);
    if (body.length !== 8 + R.BUILD_BYTES) throw refusal('does not say what it is');
    if (b * R.RAM_UNIT_BYTES < bytes) {
      const has = (b * R.RAM_UNIT_BYTES) / 2 ** 20;
      throw refusal(`has ${has} MiB of RAM, and the scenario wants ${bytes / 2 ** 20}`);
    }
    this.#build = Buffer.from(body.subarray(8)).toString('latin1');
  }

  boot(devices: Devices): Cpu {
    const placeOf = (pc: number): string | null =>
      this.#build === this.#firmware.build ? this.#firmware.place(pc) : null;
    return new AttachedCpu(this.#rpc, this.#shadow!, devices, placeOf);
  }

  ram(): Uint8Array {
    this.#shadow!.refresh();
    return this.#shadow!.bytes;
  }

  off(): void {
    this.#shadow?.give();
    this.#shadow = null;
  }

  close(): void {
    this.#rpc.close();
  }
}

const refusal = (why: string): InputError => new InputError(`the attached board ${why}`, EXIT_BAD_PORT);
