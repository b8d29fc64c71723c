import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT_BAD_SCENARIO, InputError } from './input-error.ts';
import { loadScenario, parseScenario, shippedScenarios } from './scenario-file.ts';
import { EVENT_NAMES } from './observer/events.ts';
import { scenarioJsonSchema } from './scenario-schema.ts';

const SHELF = `
disks:
  - { role: mailbox }
  - { role: root, owner: a }
  - { role: data, owner: a, count: 2 }
  - { role: spare, owner: a }
  - { role: root, owner: b }
  - { role: data, owner: b }
  - { role: free }
`;
const GOOD = `title: t${SHELF}`;

/** The lines that a bad scenario is answered with. */
function errorsOf(text: string): string[] {
  try {
    parseScenario(text, 'x.yaml');
  } catch (error) {
    assert.instance(error, InputError);
    assert.is((error as InputError).exitCode, EXIT_BAD_SCENARIO);
    return (error as InputError).message.split('\n');
  }
  return [];
}

for (const name of shippedScenarios()) {
  test(`ships the scenario ${name}, which loads and says what happens`, () => {
    const scenario = loadScenario(name);
    assert.is(scenario.name, name);
    assert.ok(scenario.title.length > 30);
    assert.ok(scenario.disks.length >= 6);
  });
}

test('ships every scenario that the manual names', () => {
  for (const name of [
    'standard',
    'small',
    'panic-interconnect-cut',
    'power-loss',
    'hang-watchdog',
    'interconnect-loss',
    'dump-limit',
    'no-spare',
    'dedicated-dump-disk',
    'spare-fails',
    'leftover-reservations',
  ]) {
    assert.ok(shippedScenarios().includes(name), name);
  }
});

test('the standard scenario is 24 disks, 256 MiB boards and at least 60 s', () => {
  const { disks, boards, endMs } = loadScenario('standard');
  const count = (role: string, owner: string | null): number =>
    disks.filter((disk) => disk.role === role && disk.owner === owner).length;
  assert.is(disks.length, 24);
  assert.is(boards.memoryMib, 256);
  assert.ok(endMs >= 60_000);
  for (const board of ['a', 'b']) {
    assert.equal([count('root', board), count('data', board), count('spare', board)], [1, 8, 2]);
  }
  assert.equal([count('mailbox', null), count('free', null)], [1, 1]);
});

test('the small scenario is 6 disks and 16 MiB boards', () => {
  const { disks, boards } = loadScenario('small');
  assert.is(disks.length, 6);
  assert.is(boards.memoryMib, 16);
});

test('the JSON Schema in the repository is the one that files are checked against', () => {
  const published: unknown = JSON.parse(
    readFileSync(new URL('scenarios/schema.json', import.meta.url), 'utf8'),
  );
  assert.equal(published, JSON.parse(JSON.stringify(scenarioJsonSchema())));
});

test('a short scenario gets disks with names, sizes and volumes, and the defaults', () => {
  const scenario = parseScenario(GOOD, 'dir/my-own.yaml');
  assert.is(scenario.name, 'my-own');
  assert.is(scenario.seed, '1');
  assert.is(scenario.policy, 'parallel');
  assert.is(scenario.boards.givebackMs, null);
  assert.is(scenario.boards.dumpLimitMs, 25_000);
  assert.is(scenario.clients.source, null);
  assert.equal(
    scenario.disks.map(({ name, owner, volume }) => [name, owner, volume]),
    [
      ['mailbox', null, null],
      ['a.root', 'a', null],
      ['a.data.0', 'a', 0],
      ['a.data.1', 'a', 1],
      ['a.spare.0', 'a', null],
      ['b.root', 'b', null],
      ['b.data.0', 'b', 2],
      ['free.0', null, null],
    ],
  );
  for (const { role, sizeMib } of scenario.disks) {
    if (role === 'spare' || role === 'root') assert.ok(sizeMib > scenario.boards.memoryMib);
  }
});

test('disk_model is the default of each group of disks', () => {
  const { disks } = parseScenario(
    `title: t\ndisk_model: { rate_mb_s: 200 }${SHELF}  - { role: spare, owner: b, rate_mb_s: 50 }\n`,
    'x',
  );
  assert.equal(
    disks.slice(-2).map(({ rateMbS, accessUs, reserveUs }) => [rateMbS, accessUs, reserveUs]),
    [
      [200, 2000, 1000],
      [50, 2000, 1000],
    ],
  );
});

test('groups of the same role go on counting', () => {
  const { disks } = parseScenario(`${GOOD}  - { role: data, owner: a, count: 2, size_mib: 64 }\n`, 'x');
  assert.equal(
    disks.slice(-2).map(({ name, sizeMib, volume }) => [name, sizeMib, volume]),
    [
      ['a.data.2', 64, 3],
      ['a.data.3', 64, 4],
    ],
  );
});

test('events happen at a time, or after a trace event', () => {
  const { events } = parseScenario(
    `${GOOD}events:\n  - { at_s: 1.5, do: nmi, board: a }\n  - { on: dump-begin, plus_ms: 20, do: fail-disk, disk: coredump-of-a }\n`,
    'x',
  );
  const none = { board: null, disk: null, path: null, factor: null };
  assert.equal(events, [
    { ...none, atMs: 1500, on: null, plusMs: 0, do: 'nmi', board: 'a' },
    { ...none, atMs: null, on: 'dump-begin', plusMs: 20, do: 'fail-disk', disk: 'coredump-of-a' },
  ]);
});

test('trace events have the names that the trace prints', () => {
  for (const name of ['dump-begin', 'takeover-begin', 'save-end', 'giveback-end']) {
    assert.ok(EVENT_NAMES.includes(name), name);
  }
});

test('a seed keeps all its digits', () => {
  for (const seed of ['0', '9007199254740993', '18446744073709551615']) {
    assert.is(parseScenario(`seed: ${seed}\n${GOOD}`, 'x').seed, seed);
    assert.is(parseScenario(`seed: '${seed}'\n${GOOD}`, 'x').seed, seed);
  }
});

test('boards.dump_key is a public key, in hexadecimal digits or in a file beside the scenario', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-'));
  try {
    const { publicKey } = generateKeyPairSync('x25519');
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(12).toString('hex');
    writeFileSync(join(folder, 'key.pem'), publicKey.export({ format: 'pem', type: 'spki' }));
    writeFileSync(join(folder, 'key.hex'), `${raw}\n`);
    const path = join(folder, 's.yaml');
    for (const key of [raw, 'key.pem', 'key.hex']) {
      writeFileSync(path, `${GOOD}boards: { dump_key: '${key}' }\n`);
      assert.is(loadScenario(path).boards.dumpKey, raw, key);
    }
    writeFileSync(path, GOOD);
    assert.is(loadScenario(path).boards.dumpKey, null);
    for (const [key, what] of [
      ['gone.pem', /boards\.dump_key: gone\.pem is neither 64 hexadecimal digits nor a file/],
      ['s.yaml', /boards\.dump_key: s\.yaml holds no X25519 public key/],
      [raw.slice(1), /boards\.dump_key: .* is neither/],
    ] as const) {
      writeFileSync(path, `${GOOD}boards: { dump_key: '${key}' }\n`);
      assert.throws(() => loadScenario(path), what);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('workload.source is found from the folder of the scenario', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-scenario-'));
  try {
    writeFileSync(join(folder, 's.yaml'), `${GOOD}workload: { source: . }\n`);
    assert.is(loadScenario(join(folder, 's.yaml')).clients.source, folder);
    writeFileSync(join(folder, 's.yaml'), `${GOOD}workload: { source: gone }\n`);
    assert.throws(() => loadScenario(join(folder, 's.yaml')), /workload\.source: .*gone is not a folder/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the example of the README is a scenario', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
  assert.is(parseScenario(example, 'x').events.length, 3);
});

test('a name that nobody knows is answered with the nearest one', () => {
  assert.throws(
    () => loadScenario('standrad'),
    /standrad: no such scenario or file: did you mean standard\?/,
  );
  assert.throws(() => loadScenario('qqqqqqqqqqqqqqqqqqqqqqqq/x.yaml'), /sparecore scenarios lists/);
  assert.throws(() => loadScenario('..'), /\.\.: is not a file/);
});

const BAD: [why: string, text: string, ...lines: string[]][] = [
  ['an empty file', '', 'x.yaml:1:1: is empty: a scenario needs title and disks'],
  ['a list', '- 1', 'x.yaml:1:1: must be keys and values, not [1]'],
  [
    'what is no YAML',
    'a: [',
    'x.yaml:1:5: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  ['a key that is there twice', `title: a\n${GOOD}`, 'x.yaml:2:1: Map keys must be unique'],
  [
    'a title of two lines',
    `title: "a\\nb"${SHELF}`,
    String.raw`x.yaml:1:8: title: must be one line of text, not a\nb`,
  ],
  ['no title', SHELF, 'x.yaml:1:1: title: is missing'],
  [
    'an unknown key',
    `${GOOD}boards: { memory_mb: 64 }`,
    'x.yaml:10:11: boards.memory_mb: unknown key: did you mean memory_mib?',
  ],
  [
    'an unknown key with no neighbour',
    `${GOOD}disk_model: { zzzzzzzzzz: 64 }`,
    'x.yaml:10:15: disk_model.zzzzzzzzzz: unknown key: known: access_us, rate_mb_s, reserve_us',
  ],
  [
    'too little memory',
    `${GOOD}boards: { memory_mib: 15 }`,
    'x.yaml:10:23: boards.memory_mib: must be at least 16, not 15',
  ],
  [
    'too much memory',
    `${GOOD}boards: { memory_mib: 4097 }`,
    'x.yaml:10:23: boards.memory_mib: must be at most 4096, not 4097',
  ],
  [
    'half a MiB',
    `${GOOD}boards: { memory_mib: 16.5 }`,
    'x.yaml:10:23: boards.memory_mib: must be a whole number, not 16.5',
  ],
  [
    'a number as text',
    `${GOOD}boards: { memory_mib: lots }`,
    'x.yaml:10:23: boards.memory_mib: must be a number, not lots',
  ],
  [
    'an unknown word',
    `${GOOD}takeover: paralel`,
    'x.yaml:10:11: takeover: must be one of parallel, sequential, not paralel: did you mean parallel?',
  ],
  [
    'a bad giveback',
    `${GOOD}boards: { giveback_ms: nver }`,
    'x.yaml:10:24: boards.giveback_ms: must be a whole number from 0 to 3600000, or never, not nver',
  ],
  [
    'a seed over 2^64 - 1',
    `seed: 18446744073709551616\n${GOOD}`,
    'x.yaml:1:7: seed: must be a whole decimal number from 0 to 18446744073709551615',
  ],
  [
    'a seed under 0',
    `seed: -1\n${GOOD}`,
    'x.yaml:1:7: seed: must be a whole decimal number from 0 to 18446744073709551615',
  ],
  ['a seed of words', `seed: [1]\n${GOOD}`, 'x.yaml:1:1: seed: must be a decimal number, not [1]'],
  [
    'requests of 6 KiB',
    `${GOOD}workload: { io_kib: 6 }`,
    'x.yaml:10:21: workload.io_kib: must be one of 4, 8, 16, 32, 64, not 6',
  ],
  [
    'requests of 68 KiB',
    `${GOOD}workload: { io_kib: 68 }`,
    'x.yaml:10:21: workload.io_kib: must be one of 4, 8, 16, 32, 64, not 68',
  ],
  [
    'a dump limit that outlasts the clients',
    `${GOOD}boards: { dump_limit_ms: 30000 }`,
    'x.yaml:10:26: boards.dump_limit_ms: 30000 is not shorter than the patience of linux-scsi clients, 30000 ms',
  ],
  [
    'an event after the end',
    `${GOOD}end_s: 5\nevents: [{ at_s: 5, do: nmi, board: a }]`,
    'x.yaml:11:18: events[0].at_s: 5 is not before end_s 5',
  ],
  [
    'an event of no time',
    `${GOOD}events: [{ do: nmi, board: a }]`,
    'x.yaml:10:10: events[0]: needs either at_s or on',
  ],
  [
    'an event without its board',
    `${GOOD}events: [{ at_s: 1, do: nmi }]`,
    'x.yaml:10:10: events[0]: nmi needs board',
  ],
  [
    'an event with more than it takes',
    `${GOOD}events: [{ at_s: 1, do: quiet, board: a }]`,
    'x.yaml:10:39: events[0].board: quiet takes no board',
  ],
  [
    'an unknown trace event',
    `${GOOD}events: [{ on: dump-start, do: quiet }]`,
    'x.yaml:10:16: events[0].on: no trace event has the name dump-start: did you mean dump-begin?',
  ],
  [
    'an unknown disk',
    `${GOOD}events: [{ at_s: 1, do: kill-disk, disk: a.dta.0 }]`,
    'x.yaml:10:42: events[0].disk: no disk has the name a.dta.0: did you mean a.data.0?',
  ],
  [
    'a reservation on an unknown disk',
    `${GOOD}leftover: [{ board: a, disks: [a.rot] }]`,
    'x.yaml:10:32: leftover[0].disks[0]: no disk has the name a.rot: did you mean a.root?',
  ],
  [
    'two reservations of one disk',
    `${GOOD}leftover: [{ board: a, disks: [a.root] }, { board: b, disks: all }]`,
    'x.yaml:10:62: leftover[1].disks: a.root is reserved twice: a disk holds one reservation',
  ],
  [
    'a second mailbox',
    `${GOOD}  - { role: mailbox }`,
    'x.yaml:2:1: disks: needs exactly one mailbox disk, has 2',
  ],
  [
    'a second root',
    `${GOOD}  - { role: root, owner: a }`,
    'x.yaml:2:1: disks: board a needs exactly one root disk, has 2',
  ],
  [
    '65 disks',
    `${GOOD}  - { role: free, count: 57 }`,
    'x.yaml:2:1: disks: the shelf holds at most 64 disks, not 65',
  ],
  [
    'an owner of the mailbox',
    GOOD.replace('role: mailbox', 'role: mailbox, owner: a'),
    'x.yaml:3:29: disks[0].owner: a mailbox disk belongs to no board: remove it',
  ],
  [
    'a spare of nobody',
    `${GOOD}  - { role: spare }`,
    'x.yaml:10:5: disks[7]: owner is missing: a spare disk belongs to board a or b',
  ],
  [
    'a tiny disk',
    `${GOOD}  - { role: free, size_mib: 15 }`,
    'x.yaml:10:29: disks[7].size_mib: must be at least 16, not 15',
  ],
  [
    'a root disk that holds no core',
    GOOD.replace('root, owner: a', 'root, owner: a, size_mib: 128'),
    'x.yaml:4:39: disks[1].size_mib: 128 is too small for a root disk: a core of 256 MiB and 16 MiB left free need 288',
  ],
  [
    'a data disk smaller than its working set',
    `${GOOD}  - { role: data, owner: a, size_mib: 16 }`,
    'x.yaml:10:39: disks[7].size_mib: 16 is too small for a data disk: workload.working_set_mib 16 needs 20',
  ],
  [
    'two disks of one name',
    `${GOOD}  - { role: free, name: a.root }`,
    'x.yaml:10:5: disks[7]: two disks have the name a.root',
  ],
  [
    'many disks of one name',
    `${GOOD}  - { role: free, name: x, count: 2 }`,
    'x.yaml:10:25: disks[7].name: 2 disks cannot have one name',
  ],
  [
    'a long name',
    `${GOOD}  - { role: free, name: abcdefghijklmnop }`,
    'x.yaml:10:25: disks[7].name: must be 1 to 15 of a-z 0-9 . _ - and begin with a letter or digit, not abcdefghijklmnop',
  ],
];
for (const [why, text, ...lines] of BAD) {
  test(`refuses ${why}, with the place and what is wrong`, () => {
    assert.equal(errorsOf(text), lines);
  });
}

test('tells everything that is wrong at once, in the order of the file', () => {
  const lines = errorsOf(
    `title: 5\nseed: 1\nboards: { memory_mib: 8, cyle_us: 5 }\ndisks: [{ role: sprae }, 5]\n`,
  );
  assert.equal(
    lines.map((line) => line.split(' ')[0]),
    ['x.yaml:1:8:', 'x.yaml:3:23:', 'x.yaml:3:26:', 'x.yaml:4:17:', 'x.yaml:4:26:'],
  );
});

test('a spare may be too small: it is not elected then', () => {
  assert.equal(errorsOf(`${GOOD}  - { role: spare, owner: b, size_mib: 16 }`), []);
});

test('a limit longer than any patience is fine without clients', () => {
  assert.equal(errorsOf(`${GOOD}boards: { dump_limit_ms: 300000 }\nworkload: { per_volume: 0 }`), []);
});

test('aliases that multiply without end are refused', () => {
  let text = 'a0: &a0 [x]\n';
  for (let n = 1; n < 9; n++)
    text += `a${n}: &a${n} [${Array(9)
      .fill(`*a${n - 1}`)
      .join(', ')}]\n`;
  assert.match(errorsOf(text)[0] ?? '', /x\.yaml:1:1: .*alias/i);
});

test.run();
