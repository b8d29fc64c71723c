/**
 * What a device server must know of reservations, learnt from the commands that ended with GOOD and from nothing
 * else: a second opinion on who may do what. Nexuses are texts, initiator port and target port.
 *
 * [SPC-4] 5.13.7 to 5.13.11, 6.16.3 and 6.16.4 parameter lists, 7.6.4 TransportIDs; [SPC-2] 7.21
 */
export interface Identity {
  id: Uint8Array;
  port: number;
  text: string;
}

const RESERVE = 1;
const RELEASE = 2;
const CLEAR = 3;
const PREEMPT_AND_ABORT = 5;
const REGISTER_AND_MOVE = 7;
const ALL_REGISTRANTS = 7;
const REGISTRANTS_ONLY = 5;
const TARGET_PORTS = [1, 2];

/** An initiator port as one text, however its TransportID is padded or written. */
function portText(list: Uint8Array, at: number): { text: string; bytes: number } {
  const isIscsi = (list[at]! & 15) === 5;
  const bytes = isIscsi ? 4 + ((list[at + 2]! << 8) | list[at + 3]!) : 24;
  const id = Buffer.from(list.buffer, list.byteOffset + at, bytes);
  if (!isIscsi) return { text: id.toString('hex'), bytes };
  const end = id.indexOf(0, 4);
  return { text: id.toString('latin1', 4, end < 0 ? bytes : end).toLowerCase(), bytes };
}

export function identity(id: Uint8Array, port: number): Identity {
  return { id, port, text: `${portText(id, 0).text}/${port}` };
}

export class Reservation {
  readonly keys = new Map<string, bigint>();
  type = 0;
  holder: string | null = null;
  generation = 0;
  aptpl = false;
  /** The nexus with a reservation of RESERVE(6) or (10). */
  reserver: string | null = null;

  powerCycle(): void {
    this.generation = 0;
    this.reserver = null;
    if (this.aptpl) return;
    this.keys.clear();
    this.#release();
  }

  /** PERSISTENT RESERVE OUT ended with GOOD. */
  reserved(nexus: Identity, cdb: Uint8Array, list: Uint8Array): void {
    const action = cdb[1]! & 31;
    const type = cdb[2]! & 15;
    const view = new DataView(list.buffer, list.byteOffset, list.length);
    const key = view.getBigUint64(8);
    if (action === REGISTER_AND_MOVE) return this.#move(nexus, key, list, view);
    if (action === RESERVE) {
      if (this.type === 0) this.#establish(nexus.text, type);
    } else if (action === RELEASE) {
      if (this.holds(nexus.text)) this.#release();
    } else if (action === CLEAR) {
      this.keys.clear();
      this.#release();
      this.generation++;
    } else if (action > CLEAR && action <= PREEMPT_AND_ABORT) {
      this.#preempt(nexus.text, key, type);
    } else this.#register(nexus, key, list, view);
  }

  holds(nexus: string): boolean {
    if (this.type === 0) return false;
    return this.type >= ALL_REGISTRANTS ? this.keys.has(nexus) : this.holder === nexus;
  }

  /** True if the nexus may have blocks read or, where `writes`, changed. */
  allows(nexus: string, writes: boolean): boolean {
    if (this.reserver !== null && this.reserver !== nexus) return false;
    if (this.type === 0 || this.holds(nexus)) return true;
    if (this.type >= REGISTRANTS_ONLY && this.keys.has(nexus)) return true;
    return !writes && [1, 5, 7].includes(this.type);
  }

  /** RESERVE and RELEASE ended with GOOD: they do nothing while there is a persistent reservation. */
  reserve(nexus: string): void {
    if (this.type === 0) this.reserver = nexus;
  }
  release(nexus: string): void {
    if (this.type === 0) this.lost(nexus);
  }
  /** I_T nexus loss. */
  lost(nexus: string): void {
    if (this.reserver === nexus) this.reserver = null;
  }

  #establish(nexus: string, type: number): void {
    this.type = type;
    this.holder = type >= ALL_REGISTRANTS ? null : nexus;
  }
  #release(): void {
    this.type = 0;
    this.holder = null;
  }
  #remove(nexus: string): void {
    if (!this.keys.delete(nexus)) return;
    if (this.holder === nexus || this.keys.size === 0) this.#release();
  }

  #register(nexus: Identity, key: bigint, list: Uint8Array, view: DataView): void {
    const flags = list[20]!;
    const initiators = [nexus.text.slice(0, -2)];
    const ports = flags & 4 ? TARGET_PORTS : [nexus.port];
    // an unregistered nexus that gives no key has done nothing, [SPC-4] table 67
    if (key === 0n && !ports.some((port) => this.keys.has(`${initiators[0]}/${port}`))) return;
    if (flags & 8) {
      const end = 28 + view.getUint32(24);
      for (let at = 28; at < end;) {
        const { text, bytes } = portText(list, at);
        initiators.push(text);
        at += bytes;
      }
    }
    const all = ports.flatMap((port) => initiators.map((initiator) => `${initiator}/${port}`));
    for (const one of all) {
      if (key === 0n) this.#remove(one);
      else this.keys.set(one, key);
    }
    this.aptpl = (flags & 1) !== 0;
    this.generation++;
  }

  #preempt(nexus: string, key: bigint, type: number): void {
    const all = this.type >= ALL_REGISTRANTS;
    const replaces = all ? key === 0n : this.holder !== null && this.keys.get(this.holder) === key;
    for (const [victim, held] of this.keys) {
      if ((key !== 0n && held !== key) || (replaces && victim === nexus)) continue;
      this.#remove(victim);
    }
    if (replaces) this.#establish(nexus, type);
    this.generation++;
  }

  #move(nexus: Identity, key: bigint, list: Uint8Array, view: DataView): void {
    const to = `${portText(list, 24).text}/${view.getUint16(18)}`;
    this.keys.set(to, key);
    this.holder = to;
    if (list[17]! & 2) this.keys.delete(nexus.text);
    this.aptpl = (list[17]! & 1) !== 0;
    this.generation++;
  }
}
