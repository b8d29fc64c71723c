/** A board with bootloader and flash on an in-process wire, images for it, and a host whose time is virtual. */
import { type KeyObject, createPrivateKey } from 'node:crypto';
import { KIND_EMULATED } from '../../firmware/bootloader/layout.ts';
import { makeImage } from '../image/image.ts';
import { RandomStream } from '../random.ts';
import { type Port, openPort } from './port.ts';
import { provision } from './rig/factory.ts';
import { NorFlash } from './rig/flash.ts';
import { FlashRig, type RigOptions } from './rig/rig.ts';
import { SmpClient } from './smp/client.ts';
import { VirtualHost } from './virtual-host.ts';
import { Wire, type WireOptions } from './wire.ts';

export const keyOf = (byte: number): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, byte)]),
    format: 'der',
    type: 'pkcs8',
  });

export const KEY = keyOf(1);

export interface ImageChoice {
  bytes?: number;
  /** Of the version; it also makes the payload differ. */
  major?: number;
  counter?: number;
  board?: number;
  key?: KeyObject;
}

export function imageOf(choice: ImageChoice = {}): Buffer {
  const { bytes = 3000, major = 1, counter = 1, board = KIND_EMULATED, key = KEY } = choice;
  const random = new RandomStream(String(major), 'payload');
  const payload = Uint8Array.from({ length: bytes }, () => random.below(256));
  return makeImage(payload, { key, counter, board, version: { major, minor: 0, revision: 0, build: 0 } });
}

export interface Bench {
  host: VirtualHost;
  wire: Wire;
  flash: NorFlash;
  rig: FlashRig;
  open: () => Promise<Port>;
}

export interface BenchOptions {
  wire?: Partial<WireOptions>;
  rig?: Partial<RigOptions>;
  baud?: number;
  flash?: NorFlash;
}

export function bench(options: BenchOptions = {}): Bench {
  const host = new VirtualHost();
  const wire = new Wire({ host, ...options.wire });
  const flash = options.flash ?? new NorFlash();
  provision(flash, KIND_EMULATED, KEY);
  const rig = new FlashRig({ host, flash, line: wire.board, ...options.rig });
  rig.reset();
  const open = (): Promise<Port> =>
    openPort({ path: wire.path, baud: options.baud ?? 115200, binding: wire.binding });
  return { host, wire, flash, rig, open };
}

export const sleep = (host: VirtualHost, ms: number): Promise<void> =>
  new Promise((resolve) => void host.after(ms, resolve));

/** Runs `work` with a client on the bench's wire. */
export function withClient<T>(on: Bench, work: (client: SmpClient, port: Port) => Promise<T>): Promise<T> {
  return on.host.run(
    (async () => {
      const port = await on.open();
      try {
        return await work(new SmpClient(on.host, port), port);
      } finally {
        await port.close();
      }
    })(),
  );
}
