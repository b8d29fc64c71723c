/**
 * Initiators from outside at the two target ports of every disk: their I_T nexuses take the numbers behind the boards'.
 * An initiator port is known by its name and ISID, so that it is the same nexus again after a logout: what it
 * registered is still its own.
 *
 * [SPC-4] 7.6.4.6 TransportID of an iSCSI initiator port · [SAM-5] 4.7, 6.3.4 I_T nexus loss
 * RFC 7143 4.4.1 (nexus), 4.4.3 (a nexus is one session)
 */
import { NEXUS_MAX } from '../../asm/layout.ts';
import type { Disk } from './disk.ts';
import type { DeviceServers } from './server.ts';

/** 0 to 3 are the boards'. */
export const FIRST_NEXUS = 4;
const FORMAT_PORT = 0x40;
const ISCSI = 0x05;
const HEAD_BYTES = 4;
const ADDITIONAL_MIN = 20;

/** TransportID of the port `isid` (12 hexadecimal digits) of the initiator `name`. */
export function iscsiTransportId(name: string, isid: string): Uint8Array {
  const text = Buffer.from(`${name.toLowerCase()},i,0x${isid}\0`, 'latin1');
  const additional = Math.max(ADDITIONAL_MIN, (text.length + 3) & ~3);
  const id = new Uint8Array(HEAD_BYTES + additional);
  id[0] = FORMAT_PORT | ISCSI;
  id[2] = additional >> 8;
  id[3] = additional & 255;
  id.set(text, HEAD_BYTES);
  return id;
}

interface Known {
  identity: string;
  loggedIn: boolean;
  /** The order of logouts: who has been gone longest makes room first. */
  goneAt: number;
}

export class TargetPorts {
  readonly #disks: readonly Disk[];
  readonly #servers: DeviceServers;
  readonly #known: (Known | undefined)[] = Array.from({ length: NEXUS_MAX });
  #gone = 0;

  constructor(disks: readonly Disk[], servers: DeviceServers) {
    this.#disks = disks;
    this.#servers = servers;
  }

  /** The nexus of this initiator port with target port 1 or 2 of every disk; null when all are taken. */
  login(name: string, isid: string, port: 1 | 2): number | null {
    const identity = `${port} ${isid} ${name.toLowerCase()}`;
    const nexus = this.#slotOf(identity);
    if (nexus === null) return null;
    const id = iscsiTransportId(name, isid);
    for (const { number } of this.#disks) {
      if (!this.#servers.loginPort(number, nexus, id, port)) {
        for (const disk of this.#disks) this.#servers.logout(disk.number, nexus);
        return null;
      }
    }
    this.#known[nexus] = { identity, loggedIn: true, goneAt: 0 };
    return nexus;
  }

  /** I_T nexus loss: its tasks end, its registrations stay. */
  logout(nexus: number): void {
    const known = this.#known[nexus];
    if (known?.loggedIn !== true) return;
    known.loggedIn = false;
    known.goneAt = ++this.#gone;
    for (const disk of this.#disks) {
      disk.abort((task) => task.nexus === nexus);
      this.#servers.logout(disk.number, nexus);
    }
  }

  #slotOf(identity: string): number | null {
    let best: number | null = null;
    let bestRank = Infinity;
    for (let nexus = FIRST_NEXUS; nexus < NEXUS_MAX; nexus++) {
      const known = this.#known[nexus];
      if (known?.identity === identity) return nexus;
      if (known?.loggedIn === true) continue;
      const rank = known === undefined ? 0 : known.goneAt;
      if (rank >= bestRank) continue;
      best = nexus;
      bestRank = rank;
    }
    return best;
  }
}
