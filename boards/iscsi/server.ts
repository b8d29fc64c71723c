/**
 * The shelf as two iSCSI targets: portal a has target port 1 of every disk, portal b target port 2; the LUN is the
 * disk's number. An initiator stands where a board stands.
 *
 * RFC 7143 4.4.1 (target, portal group, port), 9.2 (who may come in)
 */
import { isIP } from 'node:net';
import type { Host, Timer } from '../host.ts';
import { EXIT_BAD_PORTAL, EXIT_BAD_SECRET, InputError } from '../input-error.ts';
import type { Shelf } from '../shelf/shelf.ts';
import { Buffers } from './buffers.ts';
import type { ChapSecrets } from './chap.ts';
import { moduleCrc } from './crc.ts';
import type { IscsiEvent, SessionInfo } from './event.ts';
import { Budget, LIMITS, type Limits } from './limits.ts';
import type { Entrance } from './entrance.ts';
import { Portal } from './portal.ts';
import { Sessions } from './sessions.ts';
import type { Pair } from './text.ts';

export type { ChapSecrets } from './chap.ts';
export type { IscsiEvent, SessionInfo } from './event.ts';
export type { Limits } from './limits.ts';

export interface PortalAddress {
  address: string;
  port: number;
}

export interface IscsiOptions {
  shelf: Shelf;
  host: Host;
  /** Brings board time up to the host's and then calls; every entry from the network goes through it. */
  enter: (call: () => void) => void;
  portals: readonly [PortalAddress, PortalAddress];
  /** iSCSI names; the first is target port 1 of every disk, the second target port 2. */
  targets: readonly [string, string];
  /** Who may come in; null: anybody, but only on loopback. */
  chap: ChapSecrets | null;
  onEvent?: (event: IscsiEvent) => void;
  limits?: Partial<Limits>;
}

export interface IscsiServer {
  readonly portals: readonly { address: string; port: number; target: string }[];
  sessions(): SessionInfo[];
  /** Asks all initiators to log out, waits a little for them, and ends. */
  close(): Promise<void>;
}

const PORTS = [1, 2] as const;
const SECRET_MIN = 12;

export async function serveIscsi(options: IscsiOptions): Promise<IscsiServer> {
  for (const { address } of options.portals) refuseOpenPortal(address, options.chap);
  if (options.chap !== null) refuseBadSecrets(options.chap);
  const { shelf, host } = options;
  shelf.servers.nameTargets(options.targets);
  const limits = { ...LIMITS, ...options.limits };
  const tell = options.onEvent ?? ((): void => {});
  const sessions = new Sessions({
    shelf,
    limits,
    budget: new Budget(limits.bufferedBytes),
    buffers: new Buffers(),
    tell,
  });
  const portals: Portal[] = [];
  for (const entrance of makeEntrances(options, sessions, (i) => portals[i]!)) {
    portals.push(new Portal(entrance, limits.connections));
  }
  await listen(portals, options.portals);
  return {
    portals: portals.map(({ address, tcpPort }, i) => ({
      address,
      port: tcpPort,
      target: options.targets[i]!,
    })),
    sessions: () => sessions.list(),
    close: () => close(portals, host, options.enter, limits.logoutMs),
  };
}

/** What connections at each portal are given. */
export function makeEntrances(
  { shelf, host, enter, targets, chap, onEvent }: Omit<IscsiOptions, 'portals'>,
  sessions: Sessions,
  portal: (index: number) => { address: string; tcpPort: number },
): Entrance[] {
  const crc = moduleCrc(shelf.servers.call, shelf.servers.dataIn);
  const tell = onEvent ?? ((): void => {});
  const sendTargets = (own: number, all: boolean, localAddress: string): Pair[] =>
    PORTS.flatMap((port, i) => {
      if (!all && i !== own) return [];
      const { address, tcpPort } = portal(i);
      // The address that the initiator came to is one that it can reach, even through NAT.
      const reachable = i === own || isUnspecified(address) ? localAddress : address;
      return [
        ['TargetName', targets[i]!],
        ['TargetAddress', `${bracketed(reachable)}:${tcpPort},${port}`],
      ] as Pair[];
    });
  return PORTS.map((port, i) => ({
    target: targets[i]!,
    port,
    chap,
    host,
    crc,
    sessions,
    enter,
    tell,
    sendTargets: (all, localAddress) => sendTargets(i, all, localAddress),
  }));
}

/** Both or none. */
async function listen(portals: readonly Portal[], where: readonly PortalAddress[]): Promise<void> {
  const results = await Promise.allSettled(
    portals.map((portal, i) => portal.listen(where[i]!.address, where[i]!.port)),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return;
  const open = portals.filter((_portal, i) => results[i]!.status === 'fulfilled');
  await Promise.all(open.map((portal) => portal.stopListening()));
  throw failed.reason;
}

async function close(
  portals: readonly Portal[],
  host: Host,
  enter: (call: () => void) => void,
  logoutMs: number,
): Promise<void> {
  const stopped = Promise.all(portals.map((portal) => portal.stopListening()));
  enter(() => portals.forEach((portal) => portal.askForLogout()));
  let timer: Timer | null = null;
  const late = new Promise<void>((resolve) => {
    timer = host.after(logoutMs, resolve);
  });
  await Promise.race([stopped, late]);
  (timer as Timer | null)?.cancel();
  for (const portal of portals) portal.closeAll('the server closes');
  await stopped;
}

const isLoopback = (address: string): boolean =>
  address === 'localhost' ||
  address === '::1' ||
  (isIP(address) === 4 && address.startsWith('127.')) ||
  address.startsWith('::ffff:127.');

const isUnspecified = (address: string): boolean => address === '0.0.0.0' || address === '::';

const bracketed = (address: string): string => {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  return isIP(plain) === 6 ? `[${plain}]` : plain;
};

function refuseOpenPortal(address: string, chap: ChapSecrets | null): void {
  if (chap !== null || isLoopback(address)) return;
  throw new InputError(
    `portal ${address}: is not loopback, so anybody could write to the disks; give a CHAP secret (--chap USER:FILE)`,
    EXIT_BAD_PORTAL,
  );
}

/** RFC 7143 9.2.1: at least 96 bits, and not the same in both directions. */
function refuseBadSecrets({ secret, mutual }: ChapSecrets): void {
  for (const each of mutual === undefined ? [secret] : [secret, mutual.secret]) {
    if (Buffer.byteLength(each) < SECRET_MIN) {
      throw new InputError(`CHAP: a secret has at least ${SECRET_MIN} bytes`, EXIT_BAD_SECRET);
    }
  }
  if (mutual !== undefined && mutual.secret === secret) {
    throw new InputError('CHAP: both directions have the same secret; each needs its own', EXIT_BAD_SECRET);
  }
}
