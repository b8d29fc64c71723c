import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import * as F from '../firmware/layout.ts';
import { SECOND } from './clock.ts';
import type { FirmwareExports } from './emulated/firmware.ts';
import { EXIT_BAD_FIRMWARE, InputError } from './input-error.ts';
import { makeMachine } from './machine.ts';
import { Pair, smallScenario, withPair, withWrappedFirmware } from './machine.test-helper.ts';
import { runPair } from './pair.ts';
import type { Scenario } from './scenario.ts';
import { loadScenario } from './scenario-file.ts';
import { SYSTEM_IDS } from './shelf/shelf.ts';

const test = suite('machine');

const BOARDS: Partial<Scenario['boards']> = {
  heartbeatMs: 11,
  heartbeatLossMs: 222,
  dumpLimitMs: 3333,
  watchdogMs: 444,
  givebackMs: 555,
  dumpRoomPercent: 66,
  rootFloorMib: 7,
  saveSharePercent: 88,
  dumpCodec: 'lz4',
  dumpOverwrite: 'always',
  stopBoundMs: 999,
  cpus: 2,
  dumpKey: '0102030405060708'.repeat(4),
};

test('what the scenario says of the boards stands in their NVRAM, where firmware reads it', () => {
  withPair({ boards: { ...BOARDS, rebootAfterPanic: true }, policy: 'sequential' }, ({ machine }) => {
    for (const { nvram, index } of machine.boards) {
      const words: [word: number, value: number][] = [
        [F.NV_SYSTEM, SYSTEM_IDS[index]],
        [F.NV_PARTNER, SYSTEM_IDS[index ^ 1]!],
        [F.NV_INDEX, index],
        [F.NV_HEARTBEAT_MS, 11],
        [F.NV_HEARTBEAT_LOSS_MS, 222],
        [F.NV_LIMIT_MS, 3333],
        [F.NV_WATCHDOG_MS, 444],
        [F.NV_POLICY, 1],
        [F.NV_GIVEBACK_MS, 555],
        [F.NV_REBOOT, 1],
        [F.NV_ROOM_PERCENT, 66],
        [F.NV_FLOOR_MIB, 7],
        [F.NV_SAVE_SHARE, 88],
        [F.NV_CODEC, L.CODEC_LZ4],
        [F.NV_OVERWRITE, 1],
        [F.NV_STOP_MS, 999],
        [F.NV_CPUS, 2],
        [F.NV_CIPHER, L.CIPHER_X25519],
        [F.NV_DUMP_KEY, 0x04030201],
        [F.NV_DUMP_KEY + 28, 0x08070605],
        [F.NV_EPOCH, 0],
      ];
      for (const [word, value] of words) assert.is(nvram.read(word), value, `word at ${word}`);
    }
  });
});

test('never, halt and parallel are said in NVRAM as well', () => {
  withPair({ boards: { givebackMs: null, rebootAfterPanic: false } }, ({ machine }) => {
    for (const { nvram } of machine.boards) {
      assert.equal(
        [F.NV_GIVEBACK_MS, F.NV_REBOOT, F.NV_POLICY].map((word) => nvram.read(word)),
        [F.NV_NEVER, 0, 0],
      );
    }
  });
});

test('a board never boots with an epoch that it had before: those of its leftover reservations count', () => {
  const leftover: Scenario['leftover'] = [
    { disks: ['a.data.0'], board: 'a', epoch: 4 },
    { disks: ['a.root'], board: 'a', epoch: 9 },
    { disks: ['b.root'], board: 'b', epoch: 2 },
  ];
  withPair({ leftover }, (pair) => {
    pair.started(100);
    assert.equal(
      pair.events(F.EV_BOOT).map(({ board, a }) => [board, a]),
      [
        [0, 10],
        [1, 3],
      ],
    );
  });
});

test('with a folder the boards count their boots from run to run, and find their disks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-machine-'));
  try {
    for (const epoch of [1, 2, 3]) {
      const pair = new Pair({}, folder).started();
      assert.equal(
        pair.events(F.EV_BOOT).map(({ a }) => a),
        [epoch, epoch],
      );
      assert.is(pair.events(F.EV_READY).length, 2);
      assert.equal(pair.machine.observer.invariants.violations, []);
      pair.close();
    }
    assert.is(readFileSync(join(folder, 'board-a.nvram')).length, F.NV_BYTES);
    assert.ok(existsSync(join(folder, 'board-b.nvram')));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the clients of a volume have parts of their own, aligned so that no request crosses a cache line', () => {
  withPair(
    { clients: { perVolume: 3, ioKib: 16, workingSetMib: 8, protocols: ['nfs', 'iscsi'] } },
    ({ machine }) => {
      assert.is(machine.clients.length, 6);
      assert.equal(
        machine.clients.map(({ options }) => options.protocol),
        ['nfs', 'iscsi', 'nfs', 'iscsi', 'nfs', 'iscsi'],
      );
      for (const volume of [0, 1]) {
        const parts = machine.clients
          .filter(({ options }) => options.volume === volume)
          .map(({ options }) => options);
        parts.forEach((part, n) => {
          const end = part.firstBlock + (part.slots * part.ioBytes) / 512;
          assert.ok(part.slots > 0);
          assert.ok(end <= (8 << 20) / 512);
          if (n > 0)
            assert.ok(
              part.firstBlock >= parts[n - 1]!.firstBlock + (parts[n - 1]!.slots * part.ioBytes) / 512,
            );
          for (let slot = 0; slot < part.slots; slot++) {
            const first = part.firstBlock * 512 + slot * part.ioBytes;
            assert.is(Math.floor(first / 65536), Math.floor((first + part.ioBytes - 1) / 65536));
          }
        });
      }
    },
  );
});

test('a firmware that is not there ends before anything is made', () => {
  const folder = join(tmpdir(), 'sparecore-that-nobody-made');
  assert.throws(
    () => makeMachine({ scenario: smallScenario(), seed: '1', folder, firmware: 'nowhere.wasm' }),
    (error: InputError) => error instanceof InputError && error.exitCode === EXIT_BAD_FIRMWARE,
  );
  assert.not(existsSync(folder));
});

function digestsOf(pairs: readonly Pair[]): string[] {
  for (const { machine } of pairs) for (const board of machine.boards) board.powerOn();
  for (let ms = 10; ms <= 600; ms += 10) for (const pair of pairs) pair.runTo(ms);
  return pairs.map(({ machine }) => machine.observer.trace.digest());
}

test('two machines in one process do not know of each other', () => {
  const pairs = [new Pair(), new Pair({ seed: '2' })];
  const together = digestsOf(pairs);
  const alone = pairs.map(({ machine }) => digestsOf([new Pair({ seed: machine.scenario.seed })])[0]);
  assert.equal(together, alone);
  assert.is.not(together[0], together[1]);
  for (const pair of pairs) pair.close();
});

test('a closed machine has given its RAM back', () => {
  const pair = new Pair().started(100);
  assert.is(pair.a.ram()?.length, 16 << 20);
  pair.close();
  assert.equal([pair.a.ram(), pair.b.ram()], [null, null]);
});

test('skipping idle cycles changes nothing: a run that simulates each of them has the same digest', async () => {
  const scenario = loadScenario('small');
  const skipping = await runPair({ scenario });
  const simulating = await withWrappedFirmware(
    (exports) => ({
      cycle: () => {
        exports.cycle();
        return 0;
      },
    }),
    () => runPair({ scenario }),
  );
  assert.ok(skipping.cycles.skipped > 10 * skipping.cycles.run);
  assert.is(simulating.cycles.skipped, 0);
  assert.is(simulating.outage_s, skipping.outage_s);
  assert.is(simulating.digest, skipping.digest);
});

test('in all of a run no interrupt reaches firmware that has masked them: from the panic on, none at all', async () => {
  const lives: { panicked: boolean; interrupts: number; after: number; inside: number }[] = [];
  const wrap = (exports: FirmwareExports, life: number): Partial<FirmwareExports> => {
    const seen: (typeof lives)[number] = { panicked: false, interrupts: 0, after: 0, inside: 0 };
    lives[life] = seen;
    let depth = 0;
    const within = <T>(call: () => T): T => {
      depth++;
      try {
        return call();
      } finally {
        depth--;
      }
    };
    return {
      cycle: () => within(() => exports.cycle()),
      nmi: (reason: number, pc: number, address: number) => {
        seen.panicked = true;
        within(() => exports.nmi(reason, pc, address));
      },
      interrupt: (lines: number) => {
        seen.interrupts++;
        if (seen.panicked) seen.after++;
        if (depth > 0) seen.inside++;
        exports.interrupt(lines);
      },
    };
  };
  const result = await withWrappedFirmware(wrap, () => runPair({ scenario: loadScenario('small') }));
  assert.equal(result.invariants.violations, []);
  assert.is(lives.length, 3); // A, B, and A again after its reboot
  assert.is(lives.filter(({ panicked }) => panicked).length, 1);
  for (const { interrupts, after, inside } of lives) {
    assert.ok(interrupts > 0);
    assert.equal([after, inside], [0, 0]);
  }
});

test('a run of the small scenario ends settled, and its clock stands where it ended', async () => {
  const result = await runPair({ scenario: loadScenario('small') });
  assert.ok(result.settled);
  assert.ok(result.virtual_s >= 1 && result.virtual_s * SECOND < 61 * SECOND);
});

test.run();
