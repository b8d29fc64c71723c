/**
 * Persistent reservations as the tables of the standard have them, in as few words as possible: nexuses are numbers,
 * state is a map. [SPC-4] 5.13.7 tables 67 and 68, 5.13.8 table 70, 5.13.9, 5.13.11 tables 71 and 72, 5.13.1 tables
 * 65 and 66; 5.13.3 and [SPC-2] 5.5.1 for RESERVE(6) and RELEASE(6); [SAM-5] 6.3.4 I_T nexus loss.
 */
export type Verdict =
  'GOOD' | 'CONFLICT' | 'INVALID FIELD IN LIST' | 'INVALID FIELD IN CDB' | 'INVALID RELEASE';

export interface Step {
  nexus: number;
  action:
    | 'REGISTER'
    | 'REGISTER AND IGNORE EXISTING KEY'
    | 'RESERVE'
    | 'RELEASE'
    | 'CLEAR'
    | 'PREEMPT'
    | 'PREEMPT AND ABORT'
    | 'REGISTER AND MOVE'
    | 'READ'
    | 'WRITE'
    | 'TEST UNIT READY'
    | 'RESERVE(6)'
    | 'RELEASE(6)'
    | 'LOG IN'
    | 'LOG OUT'
    | 'POWER CYCLE'
    | 'RESET';
  /** RESERVATION KEY: 'own' is the right one. */
  key: bigint | 'own';
  actionKey: bigint;
  type: number;
  allPorts: boolean;
  aptpl: boolean;
  unreg: boolean;
  /** SPEC_I_PT, with the initiator port of `to` as the only TransportID. */
  specify: boolean;
  /** The nexus to move to, or whose initiator port is specified. */
  to: number;
}

export const PREEMPTED_REGISTRATION = 0x062a05;
export const PREEMPTED_RESERVATION = 0x062a03;
export const RELEASED = 0x062a04;
const VALID = [1, 3, 5, 6, 7, 8];
const REGISTRANTS_ONLY = [5, 6];
const ALL_REGISTRANTS = [7, 8];
const EXCLUDES_READS = [3, 6, 8];

export class Model {
  readonly keys = new Map<number, bigint>();
  holder: number | null = null;
  type = 0;
  generation = 0;
  aptpl = false;
  readonly told = new Map<number, number[]>();
  aborted: number[] = [];
  /** Who has a reservation of RESERVE(6). */
  reserver: number | null = null;
  /** Logged in; and known, which outlives a log-out, but not power loss after it. */
  readonly online: Set<number>;
  readonly known: Set<number>;
  private readonly nexuses: number;

  /** Nexuses 0 to `nexuses` - 1: the first half through one target port, the other through the other. */
  constructor(nexuses: number) {
    this.nexuses = nexuses;
    this.online = new Set(Array.from({ length: nexuses }, (_, n) => n));
    this.known = new Set(this.online);
  }

  /** The nexus of the same initiator port through the other target port. */
  private twin(nexus: number): number {
    return (nexus + this.nexuses / 2) % this.nexuses;
  }
  /** The nexus of the initiator port of `nexus` through the target port of `through`. */
  private through(nexus: number, through: number): number {
    const half = this.nexuses / 2;
    return (nexus % half) + (through < half ? 0 : half);
  }

  private tell(nexuses: Iterable<number>, code: number): void {
    for (const nexus of nexuses) {
      if (!this.known.has(nexus)) continue;
      const before = this.told.get(nexus) ?? [];
      if (!before.includes(code)) this.told.set(nexus, [...before, code]);
    }
  }
  private holds(nexus: number): boolean {
    return (
      this.type !== 0 && (ALL_REGISTRANTS.includes(this.type) ? this.keys.has(nexus) : this.holder === nexus)
    );
  }
  private others(nexus: number): number[] {
    return [...this.keys.keys()].filter((n) => n !== nexus);
  }
  private release(): void {
    this.type = 0;
    this.holder = null;
  }
  private remove(nexus: number): void {
    if (!this.keys.delete(nexus)) return;
    // table 71
    if (ALL_REGISTRANTS.includes(this.type) ? this.keys.size === 0 : this.holder === nexus) this.release();
  }
  private establish(nexus: number, type: number): void {
    this.type = type;
    this.holder = ALL_REGISTRANTS.includes(type) ? null : nexus;
  }

  step(s: Step): Verdict {
    this.aborted = [];
    this.#nothing = false;
    if (this.#happens(s)) return 'GOOD';
    const verdict = this.#conflicts(s)
      ? 'CONFLICT'
      : this.#perform(s, s.key === 'own' ? (this.keys.get(s.nexus) ?? 0n) : s.key);
    const counts = /REGISTER|CLEAR|PREEMPT/.test(s.action);
    if (verdict === 'GOOD' && counts && !this.#nothing) this.generation++;
    return verdict;
  }
  #nothing = false;

  /** What is no command of a nexus that is there. */
  #happens({ nexus, action }: Step): boolean {
    switch (action) {
      case 'LOG IN':
        this.online.add(nexus);
        this.known.add(nexus);
        if (this.reserver === nexus) this.reserver = null;
        return true;
      case 'LOG OUT':
        this.online.delete(nexus);
        if (this.reserver === nexus) this.reserver = null;
        return true;
      case 'RESET':
        this.reserver = null;
        return true;
      case 'POWER CYCLE':
        this.reserver = null;
        this.generation = 0;
        for (const n of this.known) if (!this.online.has(n)) this.forget(n);
        if (this.aptpl) return true;
        this.keys.clear();
        this.release();
        return true;
      default:
        return !this.online.has(nexus);
    }
  }
  private forget(nexus: number): void {
    this.known.delete(nexus);
    this.told.delete(nexus);
  }

  /** [SPC-2] table 9: what a reservation of RESERVE(6) keeps out, persistent reservations of its own nexus, too. */
  #keptOut({ nexus, action }: Step): boolean {
    if (this.reserver === null || action === 'RELEASE(6)') return false;
    const ordinary = ['READ', 'WRITE', 'TEST UNIT READY', 'RESERVE(6)'].includes(action);
    return ordinary ? this.reserver !== nexus : true;
  }

  /** Tables 65 and 66, without the rows that the service action decides by itself. */
  #conflicts(s: Step): boolean {
    const { nexus, action } = s;
    if (this.#keptOut(s)) return true;
    if (this.type === 0 || this.holds(nexus)) return false;
    const registered = this.keys.has(nexus);
    switch (action) {
      case 'READ':
        return !(registered && this.type >= 5) && EXCLUDES_READS.includes(this.type);
      case 'WRITE':
      case 'RESERVE(6)':
      case 'RELEASE(6)':
        return !(registered && this.type >= 5);
      case 'RESERVE':
      case 'REGISTER AND MOVE':
        return true;
      case 'RELEASE':
      case 'CLEAR':
      case 'PREEMPT':
      case 'PREEMPT AND ABORT':
        return !registered;
      default:
        return false;
    }
  }

  #perform(s: Step, key: bigint): Verdict {
    const { nexus, action } = s;
    if (action === 'RESERVE(6)' || action === 'RELEASE(6)') return this.#reserve6(s);
    if (action === 'READ' || action === 'WRITE' || action === 'TEST UNIT READY') return 'GOOD';
    if (action === 'REGISTER' || action === 'REGISTER AND IGNORE EXISTING KEY') return this.#register(s, key);
    if (this.keys.get(nexus) !== key) return 'CONFLICT'; // unregistered, or the wrong key
    if (s.specify && action !== 'REGISTER AND MOVE') return 'INVALID FIELD IN LIST';
    switch (action) {
      case 'RESERVE':
        if (this.type !== 0) return this.holds(nexus) && this.type === s.type ? 'GOOD' : 'CONFLICT';
        if (!VALID.includes(s.type)) return 'INVALID FIELD IN CDB';
        this.establish(nexus, s.type);
        return 'GOOD';
      case 'RELEASE':
        if (!this.holds(nexus)) return 'GOOD';
        if (this.type !== s.type) return 'INVALID RELEASE';
        if (this.type >= 5) this.tell(this.others(nexus), RELEASED);
        this.release();
        return 'GOOD';
      case 'CLEAR':
        this.tell(this.others(nexus), PREEMPTED_RESERVATION);
        this.keys.clear();
        this.release();
        return 'GOOD';
      case 'REGISTER AND MOVE':
        return this.#move(s);
      default:
        return this.#preempt(s);
    }
  }

  /** Who has access by a persistent reservation gets GOOD, and nothing is done; else registrations keep both out. */
  #reserve6({ nexus, action }: Step): Verdict {
    if (this.type !== 0) return 'GOOD'; // it did not conflict
    if (this.keys.size > 0) return 'CONFLICT';
    if (action === 'RESERVE(6)') this.reserver = nexus;
    else if (this.reserver === nexus) this.reserver = null;
    return 'GOOD';
  }

  #register({ nexus, action, actionKey, allPorts, aptpl, specify, to }: Step, key: bigint): Verdict {
    if (specify && action !== 'REGISTER') return 'INVALID FIELD IN LIST';
    // through each target port as if individually
    const nexuses = allPorts ? [nexus, this.twin(nexus)] : [nexus];
    if (action === 'REGISTER' && nexuses.some((n) => (this.keys.get(n) ?? 0n) !== key)) return 'CONFLICT';
    if (actionKey === 0n && !nexuses.some((n) => this.keys.has(n))) {
      this.#nothing = true;
      return 'GOOD';
    }
    if (specify) {
      const others = nexuses.map((n) => this.through(to, n));
      if (this.keys.has(nexus) || others.some((n) => this.keys.has(n))) return 'INVALID FIELD IN LIST';
      nexuses.push(...others);
    }
    const released =
      actionKey === 0n && nexuses.some((n) => this.holder === n) && REGISTRANTS_ONLY.includes(this.type);
    for (const n of nexuses) {
      if (actionKey !== 0n) this.keys.set(n, actionKey);
      else this.remove(n);
    }
    if (released) this.tell(this.others(nexus), RELEASED);
    this.aptpl = aptpl;
    return 'GOOD';
  }

  #preempt({ nexus, action, actionKey, type }: Step): Verdict {
    const all = ALL_REGISTRANTS.includes(this.type);
    const replaces = all
      ? actionKey === 0n
      : this.holder !== null && this.keys.get(this.holder) === actionKey;
    if (actionKey === 0n && !all) return 'INVALID FIELD IN LIST';
    const victims = [...this.keys].filter(([, k]) => actionKey === 0n || k === actionKey).map(([n]) => n);
    if (victims.length === 0) return 'CONFLICT';
    if (replaces && !VALID.includes(type)) return 'INVALID FIELD IN CDB';
    if (action === 'PREEMPT AND ABORT') this.aborted = victims.filter((n) => this.known.has(n));
    const before = this.type;
    for (const n of victims.filter((v) => !replaces || v !== nexus)) {
      if (n !== nexus) this.tell([n], PREEMPTED_REGISTRATION);
      this.remove(n);
    }
    if (replaces) {
      if (type !== before) this.tell(this.others(nexus), RELEASED);
      this.establish(nexus, type);
    }
    return 'GOOD';
  }

  #move({ nexus, actionKey, to, unreg, aptpl }: Step): Verdict {
    if (this.type === 0) return 'INVALID FIELD IN CDB';
    if (ALL_REGISTRANTS.includes(this.type)) return 'CONFLICT';
    if (actionKey === 0n) return 'INVALID FIELD IN LIST';
    if (to === nexus || to === this.twin(nexus)) return 'INVALID FIELD IN LIST'; // the same initiator port
    this.keys.set(to, actionKey);
    this.holder = to;
    if (unreg) this.remove(nexus);
    this.aptpl = aptpl;
    return 'GOOD';
  }
}
