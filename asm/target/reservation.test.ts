import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  A,
  B,
  C,
  CHECK_CONDITION,
  GOOD,
  ID_A,
  ID_B,
  KEY_A,
  KEY_B,
  KEY_C,
  RESERVATION_CONFLICT,
  Testbed,
  be16,
  be32,
  iscsiId,
  read10,
  sasId,
  threeNexuses,
  write10,
} from './testbed.test-helper.ts';

const test = suite('persistent reservations');
const REGISTER = 0;
const RESERVE = 1;
const RELEASE = 2;
const CLEAR = 3;
const PREEMPT = 4;
const PREEMPT_AND_ABORT = 5;
const REGISTER_IGNORE = 6;
const MOVE = 7;
const TYPES = [1, 3, 5, 6, 7, 8];
const APTPL = 1;
const ALL_TG_PT = 4;
const SPEC_I_PT = 8;
const RESERVATIONS_PREEMPTED = 0x062a03;
const RESERVATIONS_RELEASED = 0x062a04;
const REGISTRATIONS_PREEMPTED = 0x062a05;
const INVALID_FIELD_IN_LIST = 0x052600;
const LIST_LENGTH = 0x051a00;

function registered(...nexuses: number[]): Testbed {
  const bed = threeNexuses();
  for (const nexus of nexuses) bed.prOut(nexus, REGISTER, { actionKey: [KEY_A, KEY_B, KEY_C][nexus]! });
  return bed;
}
/** Additional parameter data of SPEC_I_PT, [SPC-4] table 215. */
const idList = (ids: Uint8Array[]): number[] => [...be32(24 * ids.length), ...ids.flatMap((id) => [...id])];
const told = (bed: Testbed): number[][] => [A, B, C].map((nexus) => bed.drain(nexus));

// --- REGISTER, [SPC-4] table 67 -----------------------------------------------------------------------------------

for (const [name, was, key, actionKey, flags, status, sense, now] of [
  ['unregistered, 0 to 0: does nothing', 0n, 0n, 0n, 0, GOOD, 0, []],
  ['unregistered, 0 to a key: registers', 0n, 0n, 5n, 0, GOOD, 0, [5n]],
  ['unregistered, a key: conflicts', 0n, 7n, 5n, 0, RESERVATION_CONFLICT, 0, []],
  ['unregistered, a key to 0: conflicts', 0n, 7n, 0n, 0, RESERVATION_CONFLICT, 0, []],
  ['unregistered, SPEC_I_PT without a key: ignored', 0n, 0n, 0n, SPEC_I_PT, GOOD, 0, []],
  ['registered, wrong key: conflicts', 5n, 7n, 6n, 0, RESERVATION_CONFLICT, 0, [5n]],
  ['registered, key 0: conflicts', 5n, 0n, 6n, 0, RESERVATION_CONFLICT, 0, [5n]],
  ['registered, to 0: unregisters', 5n, 5n, 0n, 0, GOOD, 0, []],
  ['registered, to another key: changes it', 5n, 5n, 6n, 0, GOOD, 0, [6n]],
  [
    'registered, SPEC_I_PT: invalid field',
    5n,
    5n,
    6n,
    SPEC_I_PT,
    CHECK_CONDITION,
    INVALID_FIELD_IN_LIST,
    [5n],
  ],
  [
    'registered, SPEC_I_PT to 0: invalid field',
    5n,
    5n,
    0n,
    SPEC_I_PT,
    CHECK_CONDITION,
    INVALID_FIELD_IN_LIST,
    [5n],
  ],
] as const) {
  test(`test_prout_register: ${name} [SPC-4] 5.13.7 table 67`, () => {
    const bed = threeNexuses();
    if (was) bed.prOut(A, REGISTER, { actionKey: was });
    const before = bed.generation();
    const outcome = bed.prOut(A, REGISTER, { key, actionKey, flags, more: flags ? be32(0) : [] });
    const effect = status === GOOD && (was || actionKey) ? 1 : 0;
    // with nothing known and no key SPEC_I_PT is not looked at, and neither is its list
    assert.equal([outcome.status, outcome.sense, bed.keys()], [status, sense, [...now]]);
    assert.is(bed.generation() - before, effect);
  });
}

for (const [name, was, actionKey, flags, status, now] of [
  ['unregistered, 0: does nothing', 0n, 0n, 0, GOOD, []],
  ['unregistered, a key: registers', 0n, 5n, 0, GOOD, [5n]],
  ['registered, 0: unregisters', 7n, 0n, 0, GOOD, []],
  ['registered, a key: changes it', 7n, 5n, 0, GOOD, [5n]],
  ['SPEC_I_PT: invalid field', 7n, 5n, SPEC_I_PT, CHECK_CONDITION, [7n]],
] as const) {
  test(`test_prout_register_ignore: ${name}, whatever RESERVATION KEY says [SPC-4] table 68`, () => {
    const bed = threeNexuses();
    if (was) bed.prOut(A, REGISTER, { actionKey: was });
    const more = flags ? be32(0) : [];
    assert.is(bed.prOut(A, REGISTER_IGNORE, { key: 99n, actionKey, flags, more }).status, status);
    assert.equal(bed.keys(), [...now]);
  });
}

test('test_prout_register_all_tg_pt: registers the initiator port on both target ports [SPC-4] table 69', () => {
  const bed = threeNexuses();
  bed.prOut(A, REGISTER, { actionKey: KEY_A, flags: ALL_TG_PT });
  assert.equal(bed.keys(), [KEY_A, KEY_A]);
  assert.is(bed.prOut(C, RESERVE, { key: KEY_A, type: 1 }).status, GOOD, 'A through its other port');
  assert.is(
    bed.execute(A, write10(0, 1), { outBytes: 512 }).status,
    RESERVATION_CONFLICT,
    'ports are nexuses apart',
  );
});

test('test_prout_register_all_tg_pt_conflict: one port that does not agree, and nothing is done [SPC-4] 6.16.3', () => {
  const bed = registered(C);
  assert.is(bed.prOut(A, REGISTER, { actionKey: KEY_A, flags: ALL_TG_PT }).status, RESERVATION_CONFLICT);
  assert.equal(bed.keys(), [KEY_C]);
  assert.is(bed.prOut(A, REGISTER_IGNORE, { actionKey: KEY_A, flags: ALL_TG_PT }).status, GOOD);
  assert.equal(bed.keys(), [KEY_A, KEY_A]);
  assert.is(bed.prOut(A, REGISTER, { key: KEY_A, flags: ALL_TG_PT }).status, GOOD);
  assert.equal(bed.keys(), []);
});

test('test_prout_register_spec_i_pt: registers others by TransportID, who log in later [SPC-4] 6.16.3', () => {
  const bed = threeNexuses();
  const late = sasId(0x500605b00000ff00n);
  const more = [...be32(48), ...ID_B, ...late];
  assert.is(bed.prOut(A, REGISTER, { actionKey: 5n, flags: SPEC_I_PT, more }).status, GOOD);
  assert.equal(bed.keys(), [5n, 5n, 5n]);
  assert.is(bed.generation(), 1, 'one request, one count');
  assert.is(bed.prOut(B, RESERVE, { key: 5n, type: 1 }).status, GOOD);
  bed.attach(7, late);
  assert.is(bed.prOut(7, RELEASE, { key: 5n, type: 1 }).status, GOOD);
});

for (const [name, more, sense] of [
  ['one of them registered already', [...be32(24), ...ID_B], INVALID_FIELD_IN_LIST],
  ['a length beyond the list', [...be32(48), ...ID_A], LIST_LENGTH],
  ['a truncated TransportID', [...be32(20), ...ID_A.subarray(0, 20)], INVALID_FIELD_IN_LIST],
  ['no length at all', [], LIST_LENGTH],
  [
    'an iSCSI device, not a port',
    [...be32(24), 0x05, 0, 0, 20, ...Buffer.from('iqn.2004-10.com.a'), 0, 0, 0],
    INVALID_FIELD_IN_LIST,
  ],
] as const) {
  test(`test_prout_register_spec_i_pt_invalid: ${name}, and nothing is registered [SPC-4] 6.16.3, table 67 b`, () => {
    const bed = registered(B);
    const o = bed.prOut(A, REGISTER, { actionKey: 5n, flags: SPEC_I_PT, more: [...more] });
    assert.equal([o.status, o.sense], [CHECK_CONDITION, sense]);
    assert.equal(bed.keys(), [KEY_B]);
  });
}

test('test_prout_register_full: INSUFFICIENT REGISTRATION RESOURCES, all or none [SPC-4] 5.13.7', () => {
  const bed = threeNexuses();
  const ids = Array.from({ length: 63 }, (_, i) => sasId(0x5006_0000_0000_0000n + BigInt(i)));
  assert.is(
    bed.prOut(A, REGISTER, { actionKey: 5n, flags: SPEC_I_PT | ALL_TG_PT, more: idList(ids) }).sense,
    0x055504,
  );
  assert.equal(bed.keys(), []);
  assert.is(bed.prOut(A, REGISTER, { actionKey: 5n, flags: SPEC_I_PT, more: idList(ids) }).status, GOOD);
  assert.is(bed.keys().length, 64);
  assert.is(bed.prOut(B, REGISTER, { actionKey: 6n }).sense, 0x055504);
  assert.is(bed.prOut(A, REGISTER, { key: 5n, actionKey: 6n }).status, GOOD, 'a key can still be changed');
});

// --- RESERVE and RELEASE ------------------------------------------------------------------------------------------

for (const type of TYPES) {
  test(`test_prout_reserve_type_${type}: by its holder again GOOD, another type or nexus conflicts [SPC-4] 5.13.9`, () => {
    const bed = registered(A, B);
    assert.is(bed.prOut(A, RESERVE, { key: KEY_A, type }).status, GOOD);
    assert.is(bed.prOut(A, RESERVE, { key: KEY_A, type }).status, GOOD);
    assert.is(bed.prOut(A, RESERVE, { key: KEY_A, type: type === 1 ? 3 : 1 }).status, RESERVATION_CONFLICT);
    const all = type >= 7;
    assert.is(bed.prOut(B, RESERVE, { key: KEY_B, type }).status, all ? GOOD : RESERVATION_CONFLICT);
    assert.is(bed.prOut(C, RESERVE, { type }).status, RESERVATION_CONFLICT);
    assert.equal(bed.reservation(), { key: all ? 0n : KEY_A, type, nexus: all ? 0xffffffff : A });
  });

  test(`test_prout_release_type_${type}: the others are told only of types 5 to 8 [SPC-4] 5.13.11.2.2`, () => {
    const bed = registered(A, B);
    bed.prOut(A, RESERVE, { key: KEY_A, type });
    assert.is(
      bed.prOut(A, RELEASE, { key: KEY_A, type: type === 1 ? 3 : 1 }).sense,
      0x052604,
      'INVALID RELEASE',
    );
    assert.is(bed.prOut(A, RELEASE, { key: KEY_A, type, scope: 1 }).sense, 0x052604);
    assert.is(bed.reservation()?.type, type);
    assert.is(bed.prOut(A, RELEASE, { key: KEY_A, type }).status, GOOD);
    assert.is(bed.reservation(), null);
    assert.equal(bed.keys(), [KEY_A, KEY_B], 'registrations stay');
    assert.equal(told(bed), [[], type >= 5 ? [RESERVATIONS_RELEASED] : [], []]);
  });

  test(`test_prout_unregister_type_${type}: the holder's unregistering releases, and tells of types 5 and 6 [SPC-4] 5.13.11.2.3`, () => {
    for (const action of [REGISTER, REGISTER_IGNORE]) {
      const bed = registered(A, B);
      bed.prOut(A, RESERVE, { key: KEY_A, type });
      bed.prOut(A, action, { key: KEY_A });
      assert.is(bed.reservation()?.type, type >= 7 ? type : undefined);
      assert.equal(told(bed), [[], type === 5 || type === 6 ? [RESERVATIONS_RELEASED] : [], []]);
      bed.prOut(B, action, { key: KEY_B });
      assert.is(bed.reservation(), null, 'all registrants: with the last of them');
    }
  });
}

test('test_prout_reserve_invalid: types and scopes that are none, once the key is right [SPC-4] 6.16.3', () => {
  for (const [type, scope, bit] of [
    [0, 0, 3],
    [2, 0, 3],
    [4, 0, 3],
    [9, 0, 3],
    [15, 0, 3],
    [1, 1, 7],
    [1, 2, 7],
  ] as const) {
    const bed = registered(A);
    const o = bed.prOut(A, RESERVE, { key: KEY_A, type, scope });
    assert.equal([o.sense, o.field, o.bit], [0x052400, 2, bit]);
    assert.is(bed.prOut(A, RESERVE, { key: 9n, type, scope }).status, RESERVATION_CONFLICT);
    assert.is(bed.reservation(), null);
  }
});

test("test_prout_release_none: nothing to release, or nothing of one's own, is GOOD [SPC-4] 5.13.11.2.2", () => {
  const bed = registered(A, B);
  assert.is(bed.prOut(A, RELEASE, { key: KEY_A, type: 3 }).status, GOOD);
  bed.prOut(A, RESERVE, { key: KEY_A, type: 1 });
  assert.is(bed.prOut(B, RELEASE, { key: KEY_B, type: 1 }).status, GOOD);
  assert.is(bed.reservation()?.key, KEY_A);
});

test('test_prout_clear: all goes, the others are told RESERVATIONS PREEMPTED [SPC-4] 5.13.11.2.7', () => {
  for (const type of TYPES) {
    const bed = registered(A, B);
    bed.prOut(B, RESERVE, { key: KEY_B, type });
    assert.is(bed.prOut(A, CLEAR, { key: KEY_A }).status, GOOD);
    assert.equal([bed.keys(), bed.reservation()], [[], null]);
    assert.equal(told(bed), [[], [RESERVATIONS_PREEMPTED], []]);
  }
});

// --- PREEMPT, [SPC-4] table 72 ------------------------------------------------------------------------------------

for (const action of [PREEMPT, PREEMPT_AND_ABORT]) {
  const name = action === PREEMPT ? 'preempt' : 'preempt_and_abort';
  const mask = (...nexuses: number[]): bigint =>
    action === PREEMPT ? 0n : nexuses.reduce((m, n) => m | (1n << BigInt(n)), 0n);

  for (const from of TYPES.filter((t) => t < 7)) {
    for (const to of TYPES) {
      test(`test_prout_${name}_holder: of type ${from} by type ${to} [SPC-4] 5.13.11.2.4.3`, () => {
        const bed = registered(A, B, C);
        bed.prOut(A, RESERVE, { key: KEY_A, type: from });
        const o = bed.prOut(B, action, { key: KEY_B, actionKey: KEY_A, type: to });
        assert.equal([o.status, o.abort], [GOOD, mask(A)]);
        assert.equal(bed.keys(), [KEY_B, KEY_C]);
        assert.equal(bed.reservation(), {
          key: to >= 7 ? 0n : KEY_B,
          type: to,
          nexus: to >= 7 ? 0xffffffff : B,
        });
        assert.equal(told(bed), [[REGISTRATIONS_PREEMPTED], [], from === to ? [] : [RESERVATIONS_RELEASED]]);
        const again = bed.prOut(B, action, { key: KEY_B, actionKey: KEY_A, type: to });
        assert.is(again.status, RESERVATION_CONFLICT, 'a repeat finds nobody with that key');
      });
    }
  }

  for (const type of [0, ...TYPES]) {
    test(`test_prout_${name}_other: removing a registration leaves reservation ${type} alone [SPC-4] 5.13.11.2.5`, () => {
      const bed = registered(A, B, C);
      if (type) bed.prOut(A, RESERVE, { key: KEY_A, type });
      // TYPE and SCOPE are ignored: these are none
      const o = bed.prOut(B, action, { key: KEY_B, actionKey: KEY_C, type: 15, scope: 3 });
      assert.equal([o.status, o.abort], [GOOD, mask(C)]);
      assert.equal(bed.keys(), [KEY_A, KEY_B]);
      assert.is(bed.reservation()?.type ?? 0, type);
      assert.equal(told(bed), [[], [], [REGISTRATIONS_PREEMPTED]]);
    });
  }

  for (const type of [0, 1, 3, 5, 6]) {
    test(`test_prout_${name}_zero: key 0 is an invalid field with type ${type} [SPC-4] table 72`, () => {
      const bed = registered(A, B);
      if (type) bed.prOut(A, RESERVE, { key: KEY_A, type });
      const o = bed.prOut(B, action, { key: KEY_B, type: 1 });
      assert.equal([o.sense, o.field, o.inCdb], [INVALID_FIELD_IN_LIST, 8, false]);
      assert.equal(bed.keys(), [KEY_A, KEY_B]);
    });
  }

  for (const type of [7, 8]) {
    test(`test_prout_${name}_all_registrants: key 0 replaces reservation ${type}, all others go [SPC-4] 5.13.11.2.4.3`, () => {
      const bed = registered(A, B, C);
      bed.prOut(A, RESERVE, { key: KEY_A, type });
      const o = bed.prOut(B, action, { key: KEY_B, type: 1 });
      assert.equal([o.status, o.abort], [GOOD, mask(A, B, C)]);
      assert.equal([bed.keys(), bed.reservation()], [[KEY_B], { key: KEY_B, type: 1, nexus: B }]);
      assert.equal(told(bed), [[REGISTRATIONS_PREEMPTED], [], [REGISTRATIONS_PREEMPTED]]);
    });

    test(`test_prout_${name}_all_registrants_by_key: a key only removes; with the last one ${type} is released`, () => {
      const bed = registered(A, B);
      bed.prOut(A, RESERVE, { key: KEY_A, type });
      assert.is(bed.prOut(B, action, { key: KEY_B, actionKey: KEY_A, type: 1 }).status, GOOD);
      assert.is(bed.reservation()?.type, type, 'not replaced');
      assert.is(bed.prOut(B, action, { key: KEY_B, actionKey: KEY_B, type: 1 }).status, GOOD);
      assert.equal([bed.keys(), bed.reservation()], [[], null]);
      assert.equal(told(bed), [[REGISTRATIONS_PREEMPTED], [], []]);
    });
  }

  test(`test_prout_${name}_self: the holder may preempt itself and keeps its registration [SPC-4] 5.13.11.2.4.3`, () => {
    const bed = registered(A, B);
    bed.prOut(A, RESERVE, { key: KEY_A, type: 1 });
    const o = bed.prOut(A, action, { key: KEY_A, actionKey: KEY_A, type: 6 });
    assert.equal([o.status, o.abort], [GOOD, mask(A)]);
    assert.equal([bed.keys(), bed.reservation()], [[KEY_A, KEY_B], { key: KEY_A, type: 6, nexus: A }]);
    assert.equal(told(bed), [[], [RESERVATIONS_RELEASED], []]);
  });

  test(`test_prout_${name}_own_key: not the holder, it removes itself, untold [SPC-4] 5.13.11.2.5`, () => {
    const bed = registered(A, B);
    bed.prOut(A, RESERVE, { key: KEY_A, type: 1 });
    assert.is(bed.prOut(B, action, { key: KEY_B, actionKey: KEY_B, type: 1 }).status, GOOD);
    assert.equal([bed.keys(), bed.reservation()?.key], [[KEY_A], KEY_A]);
    assert.equal(told(bed), [[], [], []]);
  });

  test(`test_prout_${name}_shared_key: every nexus with the key goes, the preemptor stays [SPC-4] 5.13.11.2.4.3`, () => {
    const bed = threeNexuses();
    for (const nexus of [A, B, C]) bed.prOut(nexus, REGISTER, { actionKey: 5n });
    bed.prOut(A, RESERVE, { key: 5n, type: 1 });
    const o = bed.prOut(B, action, { key: 5n, actionKey: 5n, type: 1 });
    assert.equal([o.status, o.abort], [GOOD, mask(A, B, C)]);
    assert.equal([bed.keys(), bed.reservation()], [[5n], { key: 5n, type: 1, nexus: B }]);
    assert.equal(told(bed), [[REGISTRATIONS_PREEMPTED], [], [REGISTRATIONS_PREEMPTED]]);
  });

  test(`test_prout_${name}_invalid_type: a reservation that cannot be made changes nothing [SPC-4] 6.16.3`, () => {
    const bed = registered(A, B);
    bed.prOut(A, RESERVE, { key: KEY_A, type: 1 });
    assert.is(bed.prOut(B, action, { key: KEY_B, actionKey: KEY_A, type: 2 }).field, 2);
    assert.equal([bed.keys(), bed.reservation()?.key], [[KEY_A, KEY_B], KEY_A]);
  });
}

// --- REGISTER AND MOVE, [SPC-4] table 70 --------------------------------------------------------------------------

test('test_prout_register_and_move: registers the other nexus and makes it the holder [SPC-4] 5.13.8', () => {
  for (const type of [1, 3, 5, 6]) {
    const bed = registered(A);
    bed.prOut(A, RESERVE, { key: KEY_A, type });
    assert.is(bed.prMove(A, ID_B, { key: KEY_A, actionKey: 7n }).status, GOOD);
    assert.equal([bed.keys(), bed.reservation()], [[KEY_A, 7n], { key: 7n, type, nexus: B }]);
    assert.equal(told(bed), [[], [], []]);
  }
});

test('test_prout_register_and_move_unreg: UNREG removes the mover [SPC-4] 6.16.4', () => {
  const bed = registered(A, B);
  bed.prOut(A, RESERVE, { key: KEY_A, type: 5 });
  assert.is(bed.prMove(A, ID_B, { key: KEY_A, actionKey: 7n, flags: 2 }).status, GOOD);
  assert.equal([bed.keys(), bed.reservation()], [[7n], { key: 7n, type: 5, nexus: B }]);
});

for (const [name, make, options, expected] of [
  ['from an unregistered nexus', (bed: Testbed) => bed, { nexus: C }, RESERVATION_CONFLICT],
  [
    'from a registered nexus that does not hold it',
    (bed: Testbed) => bed,
    { nexus: B, key: KEY_B },
    RESERVATION_CONFLICT,
  ],
  ['with the wrong key', (bed: Testbed) => bed, { key: 9n }, RESERVATION_CONFLICT],
  ['with no key for the other', (bed: Testbed) => bed, { actionKey: 0n }, 0x052600],
  ['to a target port that is not there', (bed: Testbed) => bed, { port: 3 }, 0x052600],
  ['to target port 0', (bed: Testbed) => bed, { port: 0 }, 0x052600],
  ['to its own initiator port', (bed: Testbed) => bed, { id: ID_A, port: 2 }, 0x052600],
  [
    'to a TransportID that is none',
    (bed: Testbed) => bed,
    { id: new Uint8Array([0x46, ...Array<number>(23).fill(0)]) },
    0x052600,
  ],
  [
    'without a reservation',
    (bed: Testbed) => (bed.prOut(A, RELEASE, { key: KEY_A, type: 1 }), bed),
    {},
    0x052400,
  ],
  [
    'of an all registrants type',
    (bed: Testbed) => (bed.prOut(A, PREEMPT, { key: KEY_A, actionKey: KEY_A, type: 7 }), bed.drain(B), bed),
    {},
    RESERVATION_CONFLICT,
  ],
] as [
  string,
  (bed: Testbed) => Testbed,
  { nexus?: number; key?: bigint; actionKey?: bigint; port?: number; id?: Uint8Array },
  number,
][]) {
  test(`test_prout_register_and_move_invalid: ${name} [SPC-4] table 70, 6.16.4`, () => {
    const start = registered(A, B);
    start.prOut(A, RESERVE, { key: KEY_A, type: 1 });
    const bed = make(start);
    const before = [bed.keys(), bed.reservation(), bed.generation()];
    const { nexus = A, key = KEY_A, actionKey = 7n, port = 1, id = ID_B } = options;
    const o = bed.prMove(nexus, id, { key, actionKey, port });
    assert.is(expected === RESERVATION_CONFLICT ? o.status : o.sense, expected);
    assert.equal([bed.keys(), bed.reservation(), bed.generation()], before);
  });
}

// --- parameter list, keys, generation -----------------------------------------------------------------------------

test('test_prout_list_length: 24 bytes, neither more nor less [SPC-4] 6.16.1', () => {
  for (const action of [
    REGISTER,
    RESERVE,
    RELEASE,
    CLEAR,
    PREEMPT,
    PREEMPT_AND_ABORT,
    REGISTER_IGNORE,
    MOVE,
  ]) {
    const bed = registered(A);
    for (const length of [0, 8, 23])
      assert.is(bed.prOut(A, action, { key: KEY_A, length }).sense, LIST_LENGTH);
    if (action !== MOVE)
      assert.is(bed.prOut(A, action, { key: KEY_A, more: [0, 0, 0, 0] }).sense, LIST_LENGTH);
    assert.is(
      bed.prOut(A, action, { key: KEY_A, length: 64 }).sense,
      LIST_LENGTH,
      'more than the initiator sends',
    );
  }
});

test('test_prout_spec_i_pt_elsewhere: is an invalid field of every other service action [SPC-4] table 216', () => {
  for (const action of [RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_AND_ABORT]) {
    const bed = registered(A);
    const o = bed.prOut(A, action, { key: KEY_A, actionKey: KEY_A, type: 1, flags: SPEC_I_PT });
    assert.equal([o.sense, o.field, o.bit], [INVALID_FIELD_IN_LIST, 20, 3]);
  }
});

test('test_prout_service_action: a reserved one is an invalid field in the CDB [SPC-4] table 213', () => {
  for (const action of [8, 9, 0x1f]) {
    const o = registered(A).prOut(A, action, { key: KEY_A });
    assert.equal([o.sense, o.field], [0x052400, 1]);
  }
});

test('test_prin_read_keys: ADDITIONAL LENGTH says all, whatever the allocation length [SPC-4] 6.15.2', () => {
  const bed = registered(A, B, C);
  for (const allocation of [0, 4, 8, 12, 16, 24, 32, 100]) {
    const { data, residual } = bed.prIn(B, 0, allocation);
    assert.is(data.length, Math.min(allocation, 32));
    assert.is(residual, allocation - data.length);
    if (allocation >= 8) assert.equal([...data.subarray(0, 8)], [...be32(3), ...be32(24)]);
  }
});

test('test_prin_read_reservation: 8 bytes without one; the key is 0 for all registrants [SPC-4] 6.15.3', () => {
  for (const type of TYPES) {
    const bed = registered(A, B);
    assert.equal([...bed.prIn(C, 1).data], [...be32(2), ...be32(0)]);
    bed.prOut(B, RESERVE, { key: KEY_B, type });
    const { data } = bed.prIn(C, 1);
    assert.equal(
      [...data],
      [
        ...be32(2),
        ...be32(16),
        ...be32(0),
        ...be32(type >= 7 ? 0 : Number(KEY_B)),
        0,
        0,
        0,
        0,
        0,
        type,
        0,
        0,
      ],
    );
  }
});

test('test_prin_report_capabilities [SPC-4] 6.15.4 table 207', () => {
  const bed = registered(A);
  assert.equal([...bed.prIn(A, 2).data], [0, 8, 0x1d, 0xc0, 0xea, 0x01, 0, 0]);
  bed.prOut(A, REGISTER, { key: KEY_A, actionKey: KEY_A, flags: APTPL });
  assert.is(bed.prIn(A, 2).data[3], 0xc1, 'PTPL_A');
});

test('test_prin_read_full_status: key, holder, type, port and TransportID of each [SPC-4] 6.15.5 table 211', () => {
  for (const type of [1, 7]) {
    const bed = registered(A, B, C);
    bed.prOut(B, RESERVE, { key: KEY_B, type });
    const { data } = bed.prIn(A, 3);
    assert.equal([...data.subarray(0, 8)], [...be32(3), ...be32(3 * 48)]);
    for (const [i, key, port, id] of [
      [0, KEY_A, 1, ID_A],
      [1, KEY_B, 1, ID_B],
      [2, KEY_C, 2, ID_A],
    ] as const) {
      const d = data.subarray(8 + 48 * i, 56 + 48 * i);
      const holds = type === 7 || i === 1;
      assert.equal([...d.subarray(0, 8)], [0, 0, 0, 0, 0, 0, 0, Number(key)]);
      assert.equal([d[12], d[13]], holds ? [1, type] : [0, 0]);
      assert.equal([...d.subarray(18, 24)], [...be16(port), ...be32(24)]);
      assert.equal([...d.subarray(24)], [...id]);
    }
    for (const allocation of [8, 20, 32, 56, 70]) {
      const cut = bed.prIn(A, 3, allocation);
      assert.equal(cut.data, data.slice(0, allocation));
    }
  }
});

test('test_prin_invalid: a reserved service action [SPC-4] table 201', () => {
  assert.is(threeNexuses().prIn(A, 4).field, 1);
});

test('registrations are by whole identity: iSCSI names to the last character, in any case, padded or not', () => {
  const name = 'iqn.2004-10.com.example:host';
  const bed = new Testbed({ protocol: 5 });
  bed.attach(0, iscsiId(name, '0123456789ab'));
  bed.prOut(0, REGISTER, { actionKey: 5n });
  bed.logout(0);
  const padded = iscsiId(name, '0123456789AB');
  const longer = new Uint8Array([...padded, 0, 0, 0, 0]);
  longer.set(be16(longer.length - 4), 2);
  bed.attach(3, longer);
  assert.is(bed.prOut(3, RESERVE, { key: 5n, type: 1 }).status, GOOD);
  bed.attach(4, iscsiId(`${name}2`, '0123456789ab'));
  assert.is(bed.prOut(4, RELEASE, { key: 5n, type: 1 }).status, RESERVATION_CONFLICT);
  const full = bed.prIn(3, 3).data;
  assert.match(
    Buffer.from(full.subarray(36)).toString(),
    /^iqn\.2004-10\.com\.example:host,i,0x0123456789ab\0+$/,
  );
  assert.is(bed.execute(4, read10(0, 1), { room: 512 }).status, GOOD);
});

test.run();
