/**
 * A serial wire in this process: the host's end is a binding that @serialport/stream opens as it opens a real port, the
 * board's end is a SerialEnd. It paces both directions by the baud rate over the clock it is given, flips and loses
 * bytes by seed, and can be pulled out and put back.
 */
import type { Host } from '../host.ts';
import { RandomStream } from '../random.ts';
import type {
  Binding,
  BindingPort,
  OpenOptions,
  PortInfo,
  PortStatus,
  SetOptions,
  UpdateOptions,
} from './binding.ts';
import { type ModemLines, type SerialEnd, ignore } from './end.ts';
import { Lane, type LaneOptions } from './lane.ts';

export interface WireOptions {
  host: Host;
  path?: string;
  /** False: bytes go as fast as the process does, whatever the port's baud rate. */
  paced?: boolean;
  seed?: string;
  flipsPerMillion?: number;
  lossesPerMillion?: number;
  /** As a PTY does: opening with a parity fails. */
  refusesParity?: boolean;
}

/** What an operating system holds for a port: a write is done when no more than this is left of it. */
const OUTPUT_BUFFER_BYTES = 4096;
const DEFAULT_PATH = '/dev/wire0';

class Canceled extends Error {
  readonly canceled = true;
}

/** The host's end while it is open. */
class WirePort implements BindingPort {
  readonly openOptions: Required<OpenOptions>;
  isOpen = true;
  #wire: Wire;
  #arrived: Uint8Array[] = [];
  #reader: { resolve: () => void; reject: (error: Error) => void } | null = null;

  constructor(wire: Wire, openOptions: Required<OpenOptions>) {
    this.#wire = wire;
    this.openOptions = openOptions;
  }

  arrive(bytes: Uint8Array): void {
    this.#arrived.push(bytes);
    this.#settle()?.resolve();
  }

  /** The cable went: a read that fails like this makes the stream close as disconnected. */
  vanish(): void {
    this.#settle()?.reject(new Error('Reading from the port: Input/output error'));
  }

  #settle(): { resolve: () => void; reject: (error: Error) => void } | null {
    const reader = this.#reader;
    this.#reader = null;
    return reader;
  }

  async close(): Promise<void> {
    this.isOpen = false;
    this.#wire.closed(this);
    this.#settle()?.reject(new Canceled('Port is closed'));
  }

  async read(buffer: Buffer, offset: number, length: number): Promise<{ buffer: Buffer; bytesRead: number }> {
    if (!this.isOpen) throw new Canceled('Port is closed');
    if (this.#arrived.length === 0) {
      if (this.#wire.isPulled) throw new Error('Reading from the port: Input/output error');
      await new Promise<void>((resolve, reject) => (this.#reader = { resolve, reject }));
    }
    const first = this.#arrived[0]!;
    const part = first.subarray(0, length);
    if (part.length === first.length) this.#arrived.shift();
    else this.#arrived[0] = first.subarray(part.length);
    buffer.set(part, offset);
    return { buffer, bytesRead: part.length };
  }

  async write(buffer: Buffer): Promise<void> {
    if (this.#wire.isPulled) throw new Error('Writing to the port: Input/output error');
    this.#wire.toBoard.send(buffer);
    await this.#wire.toBoard.below(OUTPUT_BUFFER_BYTES);
  }

  async update({ baudRate }: UpdateOptions): Promise<void> {
    this.openOptions.baudRate = baudRate;
    this.#wire.setRate(this.openOptions);
  }

  async set({ dtr, rts }: SetOptions): Promise<void> {
    this.#wire.board.onLines({ dtr: dtr ?? true, rts: rts ?? true });
  }

  async get(): Promise<PortStatus> {
    return { cts: !this.#wire.isPulled, dsr: !this.#wire.isPulled, dcd: !this.#wire.isPulled };
  }

  async getBaudRate(): Promise<{ baudRate: number }> {
    return { baudRate: this.openOptions.baudRate };
  }

  async flush(): Promise<void> {
    this.#arrived = [];
    this.#wire.toBoard.clear();
  }

  drain(): Promise<void> {
    return this.#wire.toBoard.below(0);
  }
}

/** The board's end. It is there whether the host has its end open or not. */
export interface BoardEnd extends SerialEnd {
  onLines: (lines: ModemLines) => void;
}

export class Wire {
  readonly binding: Binding;
  readonly path: string;
  readonly toBoard: Lane;
  readonly toHost: Lane;
  readonly board: BoardEnd;
  isPulled = false;
  #options: WireOptions;
  #port: WirePort | null = null;

  constructor(options: WireOptions) {
    this.#options = options;
    this.path = options.path ?? DEFAULT_PATH;
    const random = (name: string): RandomStream => new RandomStream(options.seed ?? '0', name);
    const lane = (): LaneOptions => ({
      baud: null,
      bitsPerByte: 10,
      flipsPerMillion: options.flipsPerMillion ?? 0,
      lossesPerMillion: options.lossesPerMillion ?? 0,
    });
    this.toBoard = new Lane(options.host, random('wire.to-board'), lane(), (bytes) =>
      this.board.onData(bytes),
    );
    this.toHost = new Lane(options.host, random('wire.to-host'), lane(), (bytes) =>
      this.#port?.arrive(bytes),
    );
    const { toHost } = this;
    this.board = {
      onData: ignore,
      onClose: ignore,
      onLines: ignore,
      isOpen: true,
      get queued() {
        return toHost.queued;
      },
      write: (bytes) => {
        if (!this.isPulled) toHost.send(bytes);
      },
    };
    this.binding = { list: () => this.#list(), open: (open) => this.#open(open) };
  }

  /** Pulls the cable: what is on its way is lost, and the host's port is gone until it is opened anew. */
  pull(): void {
    this.isPulled = true;
    this.toBoard.clear();
    this.toHost.clear();
    this.#port?.vanish();
  }

  plug(): void {
    this.isPulled = false;
  }

  setRate({ baudRate, parity }: OpenOptions): void {
    for (const { options } of [this.toBoard, this.toHost]) {
      options.baud = this.#options.paced === false ? null : baudRate;
      options.bitsPerByte = parity === undefined || parity === 'none' ? 10 : 11;
    }
  }

  closed(port: WirePort): void {
    if (this.#port === port) this.#port = null;
  }

  async #list(): Promise<PortInfo[]> {
    if (this.isPulled) return [];
    return [
      {
        path: this.path,
        manufacturer: 'sparecore',
        serialNumber: undefined,
        pnpId: undefined,
        locationId: undefined,
        productId: undefined,
        vendorId: undefined,
      },
    ];
  }

  async #open(options: OpenOptions): Promise<WirePort> {
    // The words of bindings-cpp, which port-error.ts reads.
    if (options.path !== this.path || this.isPulled) {
      throw new Error(`Error: No such file or directory, cannot open ${options.path}`);
    }
    if (this.#port !== null) throw new Error('Error: Resource temporarily unavailable Cannot lock port');
    const parity = options.parity ?? 'none';
    if (this.#options.refusesParity === true && parity !== 'none') {
      throw new Error('Error: Invalid argument, cannot set port options');
    }
    const all: Required<OpenOptions> = {
      dataBits: 8,
      lock: true,
      stopBits: 1,
      rtscts: false,
      xon: false,
      xoff: false,
      xany: false,
      hupcl: true,
      ...options,
      parity,
    };
    this.setRate(all);
    this.#port = new WirePort(this, all);
    return this.#port;
  }
}
