// Faults on top of faults: each of these once lost a core, a volume or a disk.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MS, SECOND } from '../boards/clock.ts';
import { makeMachine } from '../boards/machine.ts';
import { finalChecks, settled } from '../boards/observer/end.ts';
import { runPair } from '../boards/pair.ts';
import type { RunResult } from '../boards/result.ts';
import type { EventConfig, Scenario } from '../boards/scenario.ts';
import { loadScenario } from '../boards/scenario-file.ts';
import { CORE_AT } from '../firmware/layout.ts';
import { coreOf, recordRun } from './recorder.test-helper.ts';

const SEAL_AT = CORE_AT + 0xc00; // firmware/seal.ts

const event = (given: Partial<EventConfig>): EventConfig => ({
  atMs: null,
  on: null,
  plusMs: 0,
  do: 'nmi',
  board: null,
  disk: null,
  path: null,
  factor: null,
  ...given,
});

/** The small pair with a second spare for board a. */
function pair(events: Partial<EventConfig>[], change: (scenario: Scenario) => void = () => {}): Scenario {
  const scenario = structuredClone(loadScenario('small'));
  const spare = scenario.disks.findIndex(({ role }) => role === 'spare');
  scenario.disks.splice(spare + 1, 0, { ...scenario.disks[spare]!, name: 'a.spare.1' });
  scenario.boards.heartbeatLossMs = 2000;
  scenario.events = events.map(event);
  scenario.endMs = 8000;
  scenario.endMaxMs = 40_000;
  change(scenario);
  return scenario;
}

function assertHeld(result: RunResult): void {
  assert.equal(result.invariants.violations, []);
  assert.ok(result.settled);
  assert.is(result.clients.writes_lost + result.clients.wrong_reads + result.clients.timed_out, 0);
}

test('a dump disk that dies in the middle of the dump: the dump is completed on the next spare, and saved', async () => {
  const result = await runPair({
    scenario: pair([
      { atMs: 600, do: 'nmi', board: 'a' },
      { on: 'dump-begin', plusMs: 10, do: 'kill-disk', disk: 'a.spare.0' },
    ]),
  });
  assert.equal(result.invariants.violations, []);
  assert.is(result.dump.disk, 'a.spare.1');
  assert.is(result.dump.attribute, 'completed');
  assert.ok(result.core !== null);
});

test('of two dumps of one panic that were both cut none is given up for the other: both are saved', () => {
  const record = recordRun(
    pair(
      [
        { atMs: 600, do: 'nmi', board: 'a' },
        { on: 'dump-begin', plusMs: 2, do: 'fail-disk', disk: 'a.spare.0' },
        { on: 'dump-begin', plusMs: 19, do: 'mend-disk', disk: 'a.spare.0' },
      ],
      (scenario) => {
        scenario.boards.dumpLimitMs = 62;
        scenario.endMs = 20_000;
      },
    ),
  );
  assert.equal(record.result.invariants.violations, []);
  assert.equal([record.result.dump.disk, record.result.dump.attribute], ['a.spare.1', 'aborted']);
  assert.is(record.events.filter(({ name }) => name === 'dump-begin').length, 2);
  assert.is(record.events.filter(({ name }) => name === 'save-end').length, 2);
});

test('a dump disk that dies while it is saved: what is in the core is exact, all else is missing in it', async () => {
  const result = await runPair({
    scenario: pair(
      [
        { atMs: 1500, do: 'nmi', board: 'a' },
        { on: 'save-begin', plusMs: 250, do: 'kill-disk', disk: 'a.spare.0' },
      ],
      (scenario) => {
        scenario.boards.memoryMib = 64;
        scenario.clients.workingSetMib = 48;
        scenario.clients.thinkUs = 200;
        for (const disk of scenario.disks)
          if (disk.role !== 'mailbox' && disk.role !== 'data') disk.sizeMib = 128;
      },
    ),
  });
  assert.equal(result.invariants.violations, []); // the fourth compares each chunk of the core with memory
});

test('an older core that nobody could save is overwritten by the next panic where the scenario says so', () => {
  const scenario = structuredClone(loadScenario('unsaved-core'));
  scenario.boards.dumpOverwrite = 'always';
  const record = recordRun(scenario);
  assert.equal(record.result.invariants.violations, []);
  const begun = record.events.filter(({ name }) => name === 'dump-begin');
  assert.equal(
    begun.map(({ at }) => Math.floor(at / SECOND)),
    [5, 20],
  );
  assert.is(coreOf(record, 'a').panic?.epoch, 2, 'of the second crash');
});

test('both boards lose power in the middle of a dump: what there is of it is saved after they are back', async () => {
  const result = await runPair({
    scenario: pair([
      { atMs: 600, do: 'nmi', board: 'a' },
      { on: 'dump-begin', plusMs: 30, do: 'power-off', board: 'a' },
      { on: 'dump-begin', plusMs: 30, do: 'power-off', board: 'b' },
      { atMs: 3000, do: 'power-on', board: 'a' },
      { atMs: 3000, do: 'power-on', board: 'b' },
    ]),
  });
  assertHeld(result);
});

test('a path that comes back carries the disk when the other one is lost', async () => {
  const result = await runPair({
    scenario: pair([
      { atMs: 600, do: 'cut-path', board: 'a', disk: 'a.data.0', path: 0 },
      { atMs: 1600, do: 'mend-path', board: 'a', disk: 'a.data.0', path: 0 },
      { atMs: 4600, do: 'cut-path', board: 'a', disk: 'a.data.0', path: 1 },
    ]),
  });
  assertHeld(result);
  assert.ok(result.clients.longest_wait_s < 1);
});

const cut = (path: 0 | 1): Partial<EventConfig> => ({
  atMs: 3000,
  do: 'cut-path',
  board: 'b',
  disk: 'mailbox',
  path,
});

test('a survivor that can no longer be heard stops serving before its partner does: never two servers', async () => {
  const result = await runPair({
    scenario: pair(
      [{ atMs: 400, do: 'nmi', board: 'a' }, { atMs: 3000, do: 'cut-interconnect' }, cut(0), cut(1)],
      (scenario) => {
        scenario.boards.givebackMs = 60_000;
        scenario.endMaxMs = 9000;
      },
    ),
  });
  assert.equal(
    result.invariants.violations.filter((text) => !text.startsWith('7')),
    [],
  );
});

test('damaged memory does not turn a dump against a data disk: it goes to a spare by its label', () => {
  const machine = makeMachine({
    scenario: pair([{ atMs: 600, do: 'nmi', board: 'a' }]),
    seed: '1',
    folder: null,
    firmware: null,
  });
  try {
    const data = machine.scenario.disks.findIndex(({ name }) => name === 'a.data.0');
    for (const board of machine.boards) board.powerOn();
    machine.clock.runUntil(599 * MS);
    const ram = machine.boards[0].ram()!;
    const seal = new DataView(ram.buffer, SEAL_AT, 44);
    const before = seal.getUint32(0, true);
    assert.is(machine.scenario.disks[before]?.role, 'mailbox'); // this is the seal, and its first word the mailbox disk
    seal.setUint32(0, data, true); // the mailbox slot would go there
    seal.setUint32(8, data, true); // and the dump
    machine.boards[0].nmi(5, 0);
    machine.clock.runUntil(6000 * MS);
    finalChecks(machine, settled(machine));
    assert.equal(machine.observer.invariants.violations, []);
    assert.is(machine.observer.dump?.report.attribute, 3);
    assert.match(machine.scenario.disks[machine.observer.dump!.disk]!.name, /^a\.spare/);
  } finally {
    machine.close();
  }
});

test.run();
