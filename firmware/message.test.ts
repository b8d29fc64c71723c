import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Pair, eventOf, withPair } from '../boards/machine.test-helper.ts';
import { RandomStream } from '../boards/random.ts';
import * as F from './layout.ts';
import { fieldOf } from './memory.test-helper.ts';
import { answered, message, troubles } from './talk.test-helper.ts';

const test = suite('messages between boards');
const FROM_B = { from: 1, kind: F.MSG_HEARTBEAT } as const;
const core = (pair: Pair, board: 0 | 1, field: string): number =>
  fieldOf(pair.machine.boards[board].ram()!, F.CORE_AT, 'Core', field);
const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
  const copy = bytes.slice();
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
};

/** What reaches board A as if B had sent it; A counts it as bad. */
const BAD: readonly (readonly [what: string, bytes: Uint8Array])[] = [
  ['with another magic number', message(FROM_B, (v) => v.setUint32(F.MSG_MAGIC_AT, 0x12345678, true))],
  ['of version 0', message(FROM_B, (v) => v.setUint16(F.MSG_VERSION_AT, 0, true))],
  ['of a later version', message(FROM_B, (v) => v.setUint16(F.MSG_VERSION_AT, F.MSG_VERSION + 1, true))],
  ['that says it is shorter', message(FROM_B, (v) => v.setUint16(F.MSG_BYTES_AT, F.MSG_BYTES - 4, true))],
  ['that says it is longer', message(FROM_B, (v) => v.setUint16(F.MSG_BYTES_AT, F.MSG_BYTES + 4, true))],
  ['cut by a byte', message(FROM_B).subarray(0, F.MSG_BYTES - 1)],
  ['of one byte', Uint8Array.of(0x53)],
  ['with a byte too many', Uint8Array.of(...message(FROM_B), 0)],
  ['of 256 bytes', Uint8Array.of(...message(FROM_B), ...new Uint8Array(256 - F.MSG_BYTES))],
  ['without a checksum', message(FROM_B).fill(0, F.MSG_CRC_AT, F.MSG_CRC_AT + 4)],
  ['of a system that is not the partner', message({ ...FROM_B, system: 4711 })],
  ['of its own system', message({ ...FROM_B, system: 1001 })],
  ['of zeros', new Uint8Array(F.MSG_BYTES)],
  ['that says panic and has one wrong bit', flipped(message({ from: 1, kind: F.MSG_PANIC }), 300)],
];

for (const [what, bytes] of BAD) {
  test(`a message ${what} is dropped and counted, and nothing comes of it`, () => {
    withPair({}, (pair) => {
      pair.started();
      const before = core(pair, 0, 'dropped_messages');
      pair.machine.interconnect.send(1, bytes);
      pair.run(20);
      assert.is(core(pair, 0, 'dropped_messages'), before + 1);
      assert.is(pair.events(F.EV_MESSAGE_BAD, 0).length, 1);
      pair.run(2000);
      assert.equal(troubles(pair), []);
    });
  });
}

test('a good message is not counted as bad, of any kind and also of one that nobody knows', () => {
  withPair({}, (pair) => {
    pair.started();
    for (const kind of [F.MSG_HEARTBEAT, F.MSG_TAKEN, 0, 99, 0xffffffff]) {
      pair.machine.interconnect.send(1, message({ from: 1, kind }));
      pair.run(20);
    }
    assert.is(core(pair, 0, 'dropped_messages'), 0);
    assert.equal(troubles(pair), []);
  });
});

test('any single wrong bit of a panic message is found: no takeover comes of it', () => {
  withPair({}, (pair) => {
    pair.started();
    const bytes = message({ from: 1, kind: F.MSG_PANIC });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      pair.machine.interconnect.send(1, flipped(bytes, bit));
      pair.run(1);
    }
    pair.run(20);
    assert.is(core(pair, 0, 'dropped_messages'), bytes.length * 8);
    assert.equal(troubles(pair), []);
  });
});

test('the same message without a wrong bit is believed: the takeover begins at once', () => {
  withPair({}, (pair) => {
    pair.started();
    pair.machine.interconnect.send(1, message({ from: 1, kind: F.MSG_PANIC }));
    pair.run(2);
    assert.equal(
      pair.events(F.EV_LOST, 0).map(({ a }) => a),
      [1],
    );
  });
});

test('bad messages are no sign of life: a dead partner is found although they keep coming', () => {
  withPair({ events: [eventOf({ atMs: 300, do: 'power-off', board: 'b' })] }, (pair) => {
    pair.started();
    const { heartbeatLossMs } = pair.machine.scenario.boards;
    for (let ms = 0; ms < 2 * heartbeatLossMs + 200; ms += 5) {
      pair.machine.interconnect.send(1, BAD[ms % BAD.length]![1]);
      pair.run(5);
    }
    assert.equal(
      pair.events(F.EV_LOST, 0).map(({ a }) => a),
      [2],
    );
  });
});

/** Every message that a pair exchanged in a run with a panic, takeover and giveback. */
function recordedRun(use: (pair: Pair, messages: { from: number; bytes: Uint8Array }[]) => void): void {
  withPair({ events: [eventOf({ atMs: 400, do: 'nmi', board: 'a' })] }, (pair) => {
    const { interconnect } = pair.machine;
    const messages: { from: number; bytes: Uint8Array }[] = [];
    const send = interconnect.send.bind(interconnect);
    interconnect.send = (from, bytes) => {
      messages.push({ from, bytes: bytes.slice() });
      send(from, bytes);
    };
    pair.started();
    pair.until(F.EV_GIVEBACK_END);
    pair.run(500);
    interconnect.send = send;
    use(pair, messages);
  });
}

const epochOf = (bytes: Uint8Array): number => new DataView(bytes.buffer).getUint32(F.MSG_EPOCH_AT, true);
const kindOf = (bytes: Uint8Array): number => new DataView(bytes.buffer).getUint32(F.MSG_KIND_AT, true);

test('messages of an earlier life change nothing, a panic message least of all, however often they are replayed', () => {
  recordedRun((pair, messages) => {
    const old = messages.filter(({ from, bytes }) => from === 0 && epochOf(bytes) === 1);
    const kinds = new Set(old.map(({ bytes }) => kindOf(bytes)));
    assert.ok(kinds.has(F.MSG_HEARTBEAT) && kinds.has(F.MSG_PANIC) && kinds.has(F.MSG_DUMP_ENDED));
    const before = pair.machine.observer.trace.events.length;
    const served = answered(pair);
    for (const { from, bytes } of [...old, ...old]) {
      pair.machine.interconnect.send(from, bytes);
      pair.run(1);
    }
    pair.run(3000);
    const after = pair.machine.observer.trace.events.slice(before);
    assert.equal(
      after.filter(({ code }) => [F.EV_LOST, F.EV_TAKEOVER_BEGIN, F.EV_STATE, F.EV_FENCED].includes(code)),
      [],
    );
    assert.equal(pair.machine.observer.invariants.violations, []);
    assert.ok(answered(pair) > served);
  });
});

for (const [what, epoch, lost] of [
  ['an earlier life, which nobody had to deal with,', 4, 0],
  ['this life', 5, 1],
] as const) {
  test(`a panic message of ${what} ${lost === 0 ? 'changes nothing' : 'begins the takeover'}`, () => {
    withPair({ leftover: [{ disks: ['a.data.0'], board: 'a', epoch: 4 }] }, (pair) => {
      pair.started();
      assert.is(pair.events(F.EV_BOOT, 0)[0]!.a, 5);
      pair.machine.interconnect.send(0, message({ from: 0, kind: F.MSG_PANIC, epoch }));
      pair.run(1000);
      assert.is(pair.events(F.EV_LOST, 1).length, lost);
      assert.is(pair.events(F.EV_MESSAGE_BAD, 1).length, 0);
    });
  });
}

test('heartbeats that come twice, late or out of order do no harm', () => {
  withPair({}, (pair) => {
    pair.started();
    for (let n = 0; n < 500; n++) {
      pair.machine.interconnect.send(1, message({ from: 1, kind: F.MSG_HEARTBEAT, state: F.BOARD_BOOTING }));
      pair.machine.interconnect.send(0, message({ from: 0, kind: F.MSG_HEARTBEAT }));
      pair.run(3);
    }
    assert.equal(troubles(pair), []);
  });
});

// ------------------------------------------------------------------------------------------------------------ fuzz

const FUZZ = Number(process.env['SPARECORE_FUZZ'] ?? 20_000);
const SEED = process.env['SPARECORE_SEED'] ?? '1';

test(`${FUZZ} random messages to a running pair: no panic, no takeover, and clients are served as before`, () => {
  withPair({ clients: { thinkUs: 5000 } }, (pair) => {
    const random = new RandomStream(SEED, 'message fuzz');
    const { interconnect } = pair.machine;
    pair.started();
    const before = answered(pair);
    const kinds = Array.from({ length: 8 }, (_, kind) => kind);
    const make = (from: 0 | 1): Uint8Array => {
      const kind = kinds[random.below(kinds.length)]!;
      const whole = message({
        from,
        kind,
        epoch: random.below(3),
        state: random.below(9),
        wwn: BigInt(random.next()),
      });
      switch (random.below(5)) {
        case 0: // bytes
          return Uint8Array.from({ length: random.below(257) }, () => random.below(256));
        case 1: // some wrong bits
          for (let n = 1 + random.below(4); n > 0; n--)
            whole[random.below(whole.length)]! ^= 1 << random.below(8);
          return whole[0] === message({ from, kind })[0]
            ? flipped(whole, F.MSG_CRC_AT * 8 + random.below(32))
            : whole;
        case 2: // another length
          return Uint8Array.of(...whole, ...whole).subarray(0, random.below(F.MSG_BYTES));
        case 3: // somebody else's
          return message({ from, kind, system: random.next() | 0x8000 });
        default: // an unknown kind, whole
          return message({ from, kind: 8 + random.below(2 ** 31) });
      }
    };
    for (let n = 0; n < FUZZ; n += 20) {
      for (let i = 0; i < 10; i++) for (const from of [0, 1] as const) interconnect.send(from, make(from));
      pair.run(2);
    }
    pair.run(100);
    assert.equal(troubles(pair), [], `seed ${SEED}`);
    for (const board of [0, 1] as const) {
      assert.is(core(pair, board, 'state'), F.BOARD_NORMAL);
      assert.ok(core(pair, board, 'dropped_messages') > FUZZ / 5, 'bad ones were met');
    }
    assert.ok(answered(pair) > before + 100, 'clients were served');
  });
});

test.run();
