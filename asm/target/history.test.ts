/** Random histories of reservation commands from six nexuses against a model written from the standard's tables. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import { Model, type Step, type Verdict } from './reservation-model.test-helper.ts';
import {
  GOOD,
  ID_A,
  ID_B,
  type Outcome,
  RESERVATION_CONFLICT,
  TEST_UNIT_READY,
  Testbed,
  be32,
  iscsiId,
  read10,
  write10,
} from './testbed.test-helper.ts';

const test = suite('reservation histories');
const RUNS = Number(process.env['SPARECORE_HISTORIES'] ?? 4000);

/** Two boards and an iSCSI initiator, each through both target ports: TransportID, port. */
const ID_I = iscsiId('iqn.2026-01.com.example:host', '00023d000001');
const NEXUSES = [
  [ID_A, 1],
  [ID_B, 1],
  [ID_I, 1],
  [ID_A, 2],
  [ID_B, 2],
  [ID_I, 2],
] as const;
const SERVICE_ACTION: Partial<Record<Step['action'], number>> = {
  REGISTER: 0,
  RESERVE: 1,
  RELEASE: 2,
  CLEAR: 3,
  PREEMPT: 4,
  'PREEMPT AND ABORT': 5,
  'REGISTER AND IGNORE EXISTING KEY': 6,
};
const SENSE: Record<number, Verdict> = {
  0x052600: 'INVALID FIELD IN LIST',
  0x052400: 'INVALID FIELD IN CDB',
  0x052604: 'INVALID RELEASE',
};

const weighted = (action: Step['action'], weight: number) => ({ arbitrary: fc.constant(action), weight });
const step: fc.Arbitrary<Step> = fc.record({
  nexus: fc.nat(NEXUSES.length - 1),
  action: fc.oneof(
    weighted('REGISTER', 6),
    weighted('REGISTER AND IGNORE EXISTING KEY', 3),
    weighted('RESERVE', 5),
    weighted('RELEASE', 3),
    weighted('CLEAR', 1),
    weighted('PREEMPT', 4),
    weighted('PREEMPT AND ABORT', 4),
    weighted('REGISTER AND MOVE', 2),
    weighted('READ', 2),
    weighted('WRITE', 2),
    weighted('TEST UNIT READY', 1),
    weighted('RESERVE(6)', 1),
    weighted('RELEASE(6)', 1),
    weighted('LOG OUT', 1),
    weighted('LOG IN', 2),
    weighted('POWER CYCLE', 1),
    weighted('RESET', 1),
  ),
  key: fc.oneof(
    { arbitrary: fc.constant('own' as const), weight: 8 },
    { arbitrary: fc.bigInt(0n, 3n), weight: 2 },
  ),
  actionKey: fc.oneof({ arbitrary: fc.bigInt(1n, 3n), weight: 5 }, { arbitrary: fc.constant(0n), weight: 1 }),
  type: fc.oneof(
    { arbitrary: fc.constantFrom(1, 3, 5, 6, 7, 8), weight: 9 },
    { arbitrary: fc.nat(15), weight: 4 },
  ),
  allPorts: fc.boolean(),
  aptpl: fc.boolean(),
  unreg: fc.boolean(),
  specify: fc.nat(9).map((n) => n === 0),
  to: fc.nat(NEXUSES.length - 1),
});

function perform(bed: Testbed, model: Model, s: Step): Outcome | null {
  const [own, ownPort] = NEXUSES[s.nexus]!;
  if (s.action === 'LOG IN') assert.is(bed.login(s.nexus, own, ownPort), L.LOGIN_OK);
  else if (s.action === 'LOG OUT') bed.logout(s.nexus);
  else if (s.action === 'POWER CYCLE') bed.powerCycle();
  else if (s.action === 'RESET') bed.call.lu_reset(bed.lu, L.RESET_LOGICAL_UNIT);
  else if (model.online.has(s.nexus)) return command(bed, model, s);
  return null;
}

function command(bed: Testbed, model: Model, s: Step): Outcome {
  const key = s.key === 'own' ? (model.keys.get(s.nexus) ?? 0n) : s.key;
  const aptpl = s.aptpl ? 1 : 0;
  if (s.action === 'READ') return bed.execute(s.nexus, read10(0, 1), { room: 512 });
  if (s.action === 'WRITE') return bed.execute(s.nexus, write10(0, 1), { outBytes: 512 });
  if (s.action === 'TEST UNIT READY') return bed.execute(s.nexus, TEST_UNIT_READY);
  if (s.action === 'RESERVE(6)') return bed.execute(s.nexus, [0x16, 0, 0, 0, 0, 0]);
  if (s.action === 'RELEASE(6)') return bed.execute(s.nexus, [0x17, 0, 0, 0, 0, 0]);
  if (s.action === 'REGISTER AND MOVE') {
    const [id, port] = NEXUSES[s.to]!;
    return bed.prMove(s.nexus, id, { key, actionKey: s.actionKey, flags: (s.unreg ? 2 : 0) | aptpl, port });
  }
  const flags = (s.action.startsWith('REGISTER') ? (s.allPorts ? 4 : 0) | aptpl : 0) | (s.specify ? 8 : 0);
  const [specified] = NEXUSES[s.to]!;
  const more = s.specify ? [...be32(specified.length), ...specified] : [];
  return bed.prOut(s.nexus, SERVICE_ACTION[s.action]!, {
    key,
    actionKey: s.actionKey,
    type: s.type,
    flags,
    more,
  });
}

const verdictOf = ({ status, sense }: Outcome): Verdict =>
  status === GOOD ? 'GOOD' : status === RESERVATION_CONFLICT ? 'CONFLICT' : SENSE[sense]!;

/** The nexus of the initiator port and target port that a registration is for, logged in or not. */
function nexusOf(bed: Testbed, registration: number): number {
  const port = bed.view.getUint32(registration + L.LU_REGISTRATION_PORT_AT, true);
  const bytes = bed.view.getUint32(registration + L.LU_REGISTRATION_ID_BYTES_AT, true);
  const at = registration + L.LU_REGISTRATION_ID_AT;
  return NEXUSES.findIndex(
    ([id, through]) => through === port && Buffer.compare(id, bed.bytes.subarray(at, at + bytes)) === 0,
  );
}

/** Registrations as an observer sees them, by nexus. */
function registrations(bed: Testbed): Map<number, bigint> {
  const count = bed.call.lu_registrations(bed.lu, bed.out, 16384);
  return new Map(
    Array.from({ length: count }, (_, i): [number, bigint] => {
      const at = bed.out + i * L.LU_REGISTRATION_BYTES;
      return [nexusOf(bed, at), bed.view.getBigUint64(at, true)];
    }).sort(([a], [b]) => a - b),
  );
}

const bed = new Testbed();
const met = new Set<string>();

function check(steps: readonly Step[]): void {
  bed.create();
  const model = new Model(NEXUSES.length);
  NEXUSES.forEach(([id, port], n) => bed.attach(n, id, port));
  for (const s of steps) {
    const outcome = perform(bed, model, s);
    const wasThere = outcome !== null;
    const verdict = model.step(s);
    if (outcome !== null) {
      assert.is(verdictOf(outcome), verdict, s.action);
      assert.is(
        outcome.abort,
        model.aborted.reduce((mask, n) => mask | (1n << BigInt(n)), 0n),
        'abort mask',
      );
    }
    if (wasThere) met.add(`${s.action}: ${verdict}`);
    assert.equal(
      [...registrations(bed)],
      [...model.keys].sort(([a], [b]) => a - b),
      s.action,
    );
    assert.equal([bed.reservation()?.type ?? 0, bed.generation()], [model.type, model.generation], s.action);
    if (model.holder !== null)
      assert.is(bed.reservation()?.nexus, model.online.has(model.holder) ? model.holder : L.NO_NEXUS);
    for (const n of model.online) {
      const told = bed.drain(n).filter((code) => (code & 0xff00) === 0x2a00);
      assert.equal(told, model.told.get(n) ?? [], `unit attentions of nexus ${n} after ${s.action}`);
      model.told.delete(n);
    }
  }
}

test(`${RUNS} random histories do what the tables of the standard say, command by command`, () => {
  const seed = process.env['SPARECORE_SEED'];
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 50 }), check), {
    numRuns: RUNS,
    ...(seed === undefined ? { seed: 20_260_101 } : { seed: Number(seed) }),
  });
});

test('the histories met every outcome that every service action has', () => {
  const verdicts: Record<string, Verdict[]> = {
    REGISTER: ['GOOD', 'CONFLICT', 'INVALID FIELD IN LIST'],
    'REGISTER AND IGNORE EXISTING KEY': ['GOOD', 'CONFLICT', 'INVALID FIELD IN LIST'],
    RESERVE: ['GOOD', 'CONFLICT', 'INVALID FIELD IN CDB'],
    RELEASE: ['GOOD', 'CONFLICT', 'INVALID RELEASE'],
    CLEAR: ['GOOD', 'CONFLICT'],
    PREEMPT: ['GOOD', 'CONFLICT', 'INVALID FIELD IN LIST', 'INVALID FIELD IN CDB'],
    'PREEMPT AND ABORT': ['GOOD', 'CONFLICT', 'INVALID FIELD IN LIST', 'INVALID FIELD IN CDB'],
    'REGISTER AND MOVE': ['GOOD', 'CONFLICT', 'INVALID FIELD IN LIST', 'INVALID FIELD IN CDB'],
    READ: ['GOOD', 'CONFLICT'],
    WRITE: ['GOOD', 'CONFLICT'],
    'RESERVE(6)': ['GOOD', 'CONFLICT'],
    'RELEASE(6)': ['GOOD', 'CONFLICT'],
  };
  const wanted = Object.entries(verdicts).flatMap(([action, all]) =>
    all.map((verdict) => `${action}: ${verdict}`),
  );
  assert.equal(
    wanted.filter((pair) => !met.has(pair)),
    [],
  );
});

test.run();
