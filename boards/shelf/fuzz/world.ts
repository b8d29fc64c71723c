/** The units, who is logged in to them, and what happens to them between commands. */
import * as L from '../../../asm/layout.ts';
import type { RandomStream } from '../../random.ts';
import type { Arena } from './arena.ts';
import { type Identity, identity } from './reservation.ts';
import { UNITS, type Unit, createUnit, iscsiId, resetUnit, sasId, wwnOf } from './unit.ts';

export const NEXUSES = 6;
/** TMF_*, one that is the host's own, and one that is none. */
const MANAGEMENT = [0x01, 0x02, 0x04, 0x08, 0x10, 0x80, 0x81, 0x82, 0xff];
const MEDIUM_KINDS = 14;

export class World {
  readonly units: Unit[] = [];
  readonly identities: Identity[];
  readonly #random: RandomStream;
  readonly #arena: Arena;
  readonly #task: number;
  readonly #id: number;

  /** `task` is a task block, `scratch` room for configurations and TransportIDs. */
  constructor(random: RandomStream, arena: Arena, task: number, scratch: number) {
    this.#random = random;
    this.#arena = arena;
    this.#task = task;
    this.#id = scratch + 2048;
    const ids = [
      sasId(0x5000_0000_0000_0001n),
      sasId(0x5000_0000_0000_0002n),
      iscsiId('iqn.2026-01.a:host', '00023d000001'),
      iscsiId(`iqn.${'b'.repeat(200)}`, '80123456abcd'),
    ];
    this.identities = ids.flatMap((id) => [identity(id, 1), identity(id, 2)]);
    const { call, view } = arena;
    for (const [i, config] of UNITS.entries()) {
      const unit = createUnit(call, view, scratch, arena.place(call.lu_size()), config, wwnOf(i));
      this.units.push(unit);
      for (let n = 0; n < NEXUSES; n++) this.#login(unit, n, this.identities[n % this.identities.length]!);
    }
  }

  #login(unit: Unit, nexus: number, who: Identity): void {
    this.#arena.bytes.set(who.id, this.#id);
    const answer = this.#arena.call.nexus_login(unit.lu, nexus, this.#id, who.id.length, who.port);
    if (answer !== L.LOGIN_OK) throw new Error(`nexus ${nexus} can not log in: ${answer}`);
    const before = unit.nexuses[nexus];
    if (before) unit.model.lost(before.text);
    unit.model.lost(who.text);
    const other = unit.nexuses.findIndex((one, n) => n !== nexus && one?.text === who.text);
    if (other >= 0) unit.nexuses[other] = null;
    unit.nexuses[nexus] = who;
  }

  /** The first identity that no nexus has, from a random one on. */
  #loginNew(unit: Unit, nexus: number): void {
    const first = this.#random.below(this.identities.length);
    for (let i = 0; i < this.identities.length; i++) {
      const who = this.identities[(first + i) % this.identities.length]!;
      if (!unit.nexuses.some((one) => one?.text === who.text)) return this.#login(unit, nexus, who);
    }
  }

  #logout(unit: Unit, n: number): void {
    const who = unit.nexuses[n];
    this.#arena.call.nexus_logout(unit.lu, n);
    if (who) unit.model.lost(who.text);
    unit.nexuses[n] = null;
  }

  #powerCycle(unit: Unit): void {
    this.#arena.call.lu_power_on(unit.lu);
    unit.model.powerCycle();
    resetUnit(unit);
  }

  #manage(unit: Unit, n: number): void {
    const management = MANAGEMENT[this.#random.below(MANAGEMENT.length)]!;
    this.#arena.call.lu_task_management(unit.lu, n, management, this.#task);
    const who = unit.nexuses[n];
    if (who && management === L.TMF_LOGICAL_UNIT_RESET) resetUnit(unit);
    if (who && management === L.TMF_I_T_NEXUS_RESET) unit.model.lost(who.text);
  }

  /** What happens between commands. */
  event(unit: Unit): void {
    const random = this.#random;
    const { call, words } = this.#arena;
    const n = random.below(NEXUSES);
    switch (random.below(9)) {
      case 0:
        this.#logout(unit, n);
        break;
      case 1:
        if (random.below(4) === 0) this.#powerCycle(unit);
        break;
      case 2:
        call.lu_reset(unit.lu, 1 + random.below(3));
        resetUnit(unit);
        break;
      case 3:
        this.#manage(unit, n);
        break;
      case 4:
        words[(this.#task + L.TASK_NEXUS_AT) >> 2] = n;
        call.lu_medium_error(unit.lu, this.#task, random.below(MEDIUM_KINDS), random.next() | 0, 0);
        break;
      case 5:
        this.#login(unit, n, this.identities[random.below(this.identities.length)]!);
        break;
      default:
    }
    // most of the time all are there
    for (let k = 0; k < NEXUSES; k++) if (!unit.nexuses[k] && random.below(4) > 0) this.#loginNew(unit, k);
  }
}
