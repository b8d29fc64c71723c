/**
 * Persistent reservations as the tables of the standard have them, in as few words as possible: nexuses are numbers,
 * state is a map. [SPC-4] 5.13.7 tables 67 and 68, 5.13.8 table 70, 5.13.9, 5.13.11 tables 71 and 72, 5.13.1 tables
 * 65 and 66.
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
    | 'POWER CYCLE'
    | 'RESET';
  /** RESERVATION KEY: 'own' is the right one. */
  key: bigint | 'own';
  actionKey: bigint;
  type: number;
  allPorts: boolean;
  aptpl: boolean;
  unreg: boolean;
  /** Of REGISTER AND MOVE. */
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

  /** `twin` is the nexus of the same initiator port through the other target port, or null. */
  private readonly twin: (nexus: number) => number | null;

  constructor(twin: (nexus: number) => number | null) {
    this.twin = twin;
  }

  private tell(nexuses: Iterable<number>, code: number): void {
    for (const nexus of nexuses) {
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
    const verdict = this.#conflicts(s)
      ? 'CONFLICT'
      : this.#perform(s, s.key === 'own' ? (this.keys.get(s.nexus) ?? 0n) : s.key);
    const counts = /REGISTER|CLEAR|PREEMPT/.test(s.action);
    if (verdict === 'GOOD' && counts && !this.#nothing) this.generation++;
    return verdict;
  }
  #nothing = false;

  /** Tables 65 and 66, without the rows that the service action decides by itself. */
  #conflicts({ nexus, action }: Step): boolean {
    if (this.type === 0 || this.holds(nexus)) return false;
    const registered = this.keys.has(nexus);
    switch (action) {
      case 'READ':
        return !(registered && this.type >= 5) && EXCLUDES_READS.includes(this.type);
      case 'WRITE':
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
    this.#nothing = false;
    const { nexus, action } = s;
    if (action === 'READ' || action === 'WRITE' || action === 'TEST UNIT READY') return 'GOOD';
    if (action === 'RESET') return 'GOOD';
    if (action === 'POWER CYCLE') {
      this.generation = 0;
      if (!this.aptpl) {
        this.keys.clear();
        this.release();
      }
      return 'GOOD';
    }
    if (action === 'REGISTER' || action === 'REGISTER AND IGNORE EXISTING KEY') return this.#register(s, key);
    if (this.keys.get(nexus) !== key) return 'CONFLICT'; // unregistered, or the wrong key
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

  #register({ nexus, action, actionKey, allPorts, aptpl }: Step, key: bigint): Verdict {
    const twin = this.twin(nexus);
    // through each target port as if individually; the model has no nexus for a port nobody uses
    const nexuses = allPorts && twin !== null ? [nexus, twin] : [nexus];
    if (action === 'REGISTER' && nexuses.some((n) => (this.keys.get(n) ?? 0n) !== key)) return 'CONFLICT';
    if (actionKey === 0n && !nexuses.some((n) => this.keys.has(n))) {
      this.#nothing = true;
      return 'GOOD';
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
    if (action === 'PREEMPT AND ABORT') this.aborted = victims;
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
