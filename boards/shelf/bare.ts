/** A shelf of free disks in memory and nothing else: no boards, no format, no time of their own. For measuring and tests. */
import { SECTOR_BYTES } from '../../asm/layout.ts';
import { Clock } from '../clock.ts';
import type { DiskConfig } from '../scenario.ts';
import type { DiskWatcher } from './disk.ts';
import { Fabric } from './fabric.ts';
import { emptyMedia } from './images.ts';
import { DeviceServers } from './server.ts';
import { type Shelf, makeDisk } from './shelf.ts';
import { TargetPorts } from './target-port.ts';

const NOBODY: DiskWatcher = { wrote: () => {}, ended: () => {}, reserved: () => {} };

export interface BareOptions {
  disks: number;
  sizeMib: number;
  config?: Partial<DiskConfig>;
  clock?: Clock;
  watcher?: DiskWatcher;
}

export function bareShelf({ disks: count, sizeMib, config = {}, ...rest }: BareOptions): Shelf {
  const clock = rest.clock ?? new Clock();
  const watcher = rest.watcher ?? NOBODY;
  const servers = new DeviceServers(count);
  const disks = Array.from({ length: count }, (_, number) => {
    const whole: DiskConfig = {
      name: `free.${number}`,
      role: 'free',
      owner: null,
      sizeMib,
      volume: null,
      accessUs: 0,
      rateMbS: 1000,
      reserveUs: 0,
      immediate: true,
      blockBytes: SECTOR_BYTES,
      physicalExponent: 3,
      thin: false,
      protection: 0,
      writeProtected: false,
      writeCache: false,
      ...config,
    };
    return makeDisk(number, whole, emptyMedia(whole), servers, clock, watcher);
  });
  for (const disk of disks) disk.peers = disks;
  const fabric = new Fabric(clock, disks);
  return { disks, fabric, servers, ports: new TargetPorts(disks, servers), close: () => {} };
}
