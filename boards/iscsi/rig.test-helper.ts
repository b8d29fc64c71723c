/** A server of a shelf of free disks on loopback, for tests. */
import { Clock } from '../clock.ts';
import { realHost } from '../host.ts';
import { FakeHost } from '../host.test-helper.ts';
import { type BareOptions, bareShelf } from '../shelf/bare.ts';
import type { Shelf } from '../shelf/shelf.ts';
import { Initiator, type LoginOptions } from './initiator.test-helper.ts';
import { type ChapSecrets, type IscsiEvent, type IscsiServer, type Limits, serveIscsi } from './server.ts';

export const TARGETS = ['iqn.2026-01.test:a', 'iqn.2026-01.test:b'] as const;

export interface Rig {
  server: IscsiServer;
  shelf: Shelf;
  host: FakeHost;
  clock: Clock;
  events: IscsiEvent[];
  /** Connected to portal a (0) or b (1). */
  connect(portal?: 0 | 1): Initiator;
  /** Logged in, and its unit attention taken. */
  login(options?: Partial<LoginOptions> & { portal?: 0 | 1 }): Promise<Initiator>;
  onMedium(lba: number, blocks: number, disk?: number): Buffer;
  close(): Promise<void>;
}

export interface RigOptions {
  shelf?: Partial<BareOptions>;
  chap?: ChapSecrets;
  limits?: Partial<Limits>;
}

export async function makeRig({ shelf: about = {}, chap, limits = {} }: RigOptions = {}): Promise<Rig> {
  const clock = new Clock();
  const shelf = bareShelf({ disks: 2, sizeMib: 16, clock, ...about });
  const host = new FakeHost();
  const events: IscsiEvent[] = [];
  const server = await serveIscsi({
    shelf,
    host,
    enter: (call) => call(),
    portals: [
      { address: '127.0.0.1', port: 0 },
      { address: '127.0.0.1', port: 0 },
    ],
    targets: TARGETS,
    chap: chap ?? null,
    onEvent: (event) => void events.push(event),
    limits,
  });
  const initiators: Initiator[] = [];
  const rig: Rig = {
    server,
    shelf,
    host,
    clock,
    events,
    connect(portal = 0) {
      const initiator = new Initiator(server.portals[portal]!.port);
      initiators.push(initiator);
      return initiator;
    },
    async login({ portal = 0, ...options } = {}) {
      const initiator = rig.connect(portal);
      const status = await initiator.login({ target: TARGETS[portal], ...options });
      if (status !== 0) throw new Error(`login: ${status.toString(16)}`);
      await initiator.ready();
      return initiator;
    },
    onMedium(lba, blocks, disk = 0) {
      const into = Buffer.alloc(blocks * 512);
      shelf.disks[disk]!.medium.read(lba * 512, into, 0, into.length);
      return into;
    },
    async close() {
      for (const initiator of initiators) initiator.end();
      await server.close();
    },
  };
  return rig;
}

/** Runs `use` with a rig of its own. */
export const withRig =
  (use: (rig: Rig) => Promise<void>, options: RigOptions = {}) =>
  async (): Promise<void> => {
    const rig = await makeRig(options);
    try {
      await use(rig);
    } finally {
      await rig.close();
    }
  };

const real = realHost();
/** Sockets are looked at once. */
const turn = (): Promise<void> => new Promise((resolve) => real.soon(resolve));
/** Long enough for an answer that should not come. */
export const moment = (): Promise<void> => new Promise((resolve) => void real.after(5, resolve));

/** Until `holds`, as long as sockets need. */
export async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (holds()) return;
    await turn();
  }
  throw new Error('it never came to that');
}
