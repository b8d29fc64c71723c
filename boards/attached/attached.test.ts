/** Boards at the far end of a line do what emulated boards do, at the same moments; and a line that dies is a dead board. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventOf, smallScenario } from '../machine.test-helper.ts';
import { runPair } from '../pair.ts';
import type { Attachment } from './lines.ts';
import { RandomStream } from '../random.ts';
import type { RunResult } from '../result.ts';
import type { Scenario } from '../scenario.ts';
import { loadScenario } from '../scenario-file.ts';
import type { Chunk } from '../serial/link-end.ts';
import { inProcess } from './address.ts';
import { compareRuns } from './compare.ts';
import type { Carrier } from './rpc.ts';
import { Transport } from './transport.ts';
import { firmwarePath } from '../machine.ts';

const SMALL = loadScenario('small');
const HERE = inProcess();

async function run(attached?: Attachment, scenario: Scenario = SMALL): Promise<RunResult> {
  const result = await runPair({ scenario, ...(attached === undefined ? {} : { attached }) });
  return { ...result, host_s: 0 };
}

const emulated = await run();

for (const [name, attached] of [
  ['board a', [HERE, null]],
  ['board b', [null, HERE]],
  ['both boards', [HERE, HERE]],
] satisfies [string, Attachment][]) {
  test(`with ${name} attached a run has the same result to the last field: panic, dump and core file`, async () => {
    const result = await run(attached);
    assert.equal(result, emulated);
    assert.is(result.dump.verified, true);
    assert.is.not(result.core, null);
  });
}

test('a line that loses, changes, cuts, doubles and reorders frames changes nothing in the run', async () => {
  const faults = { loss: 20_000, corruption: 20_000, cut: 10_000, duplication: 20_000, reordering: 50_000 };
  assert.equal(await run([inProcess({ faults, seed: '5' }), inProcess({ faults, seed: '6' })]), emulated);
});

test('nor does a slow one', async () => {
  assert.equal(await run([inProcess({ baud: 115_200 }), inProcess({ baud: 921_600 })]), emulated);
});

const panics: Readonly<Record<string, Partial<Scenario>>> = {
  'a trap': { events: [eventOf({ atMs: 400, do: 'trap', board: 'a' })] },
  'a failed assert': { events: [eventOf({ atMs: 400, do: 'assert', board: 'a' })] },
  'a hang that the watchdog ends': { events: [eventOf({ atMs: 400, do: 'hang', board: 'a' })] },
  'a memory error': { events: [eventOf({ atMs: 400, do: 'memory-error', board: 'a' })] },
  'a power loss, and power again': {
    events: [
      eventOf({ atMs: 400, do: 'power-off', board: 'a' }),
      eventOf({ atMs: 700, do: 'power-on', board: 'a' }),
    ],
  },
  'a panic while the interconnect is cut': {
    events: [eventOf({ atMs: 300, do: 'cut-interconnect' }), eventOf({ atMs: 400, do: 'nmi', board: 'a' })],
  },
};

for (const [what, change] of Object.entries(panics)) {
  test(`${what} is the same on attached boards`, async () => {
    const scenario = { ...SMALL, ...change };
    const [here, there] = [await run(undefined, scenario), await run([HERE, HERE], scenario)];
    assert.equal(there, here);
    assert.is(there.invariants.violations.length, 0);
  });
}

test('a dump that is compressed and one that is encrypted are the same on attached boards', async () => {
  for (const boards of [
    { ...SMALL.boards, dumpCodec: 'lz4' as const },
    { ...SMALL.boards, dumpKey: '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a' },
  ]) {
    const scenario = { ...SMALL, boards };
    assert.equal(await run([HERE, null], scenario), await run(undefined, scenario));
  }
});

/** What must hold whatever happens to a line. */
function isClean(result: RunResult, when: string): void {
  assert.equal(result.invariants.violations, [], when);
  assert.ok(result.settled, `${when}: the run did not settle`);
  assert.is(result.clients.writes_lost, 0, when);
}

/** Frames that the board's line carries in the whole run. */
async function framesOf(): Promise<number> {
  const line = await Transport.open(HERE, firmwarePath(), SMALL.boards.memoryMib * 2 ** 20);
  await run([line, null]);
  return line.frames;
}

const SWEEP = 16;

for (const kind of ['pullAt', 'resetAt'] as const) {
  const what = kind === 'pullAt' ? 'a cable that is pulled' : 'a reset of the board';
  test(`${what} at any frame is a dead board, and every invariant holds`, async () => {
    const frames = await framesOf();
    const digests = new Set<string>();
    const outcomes = new Set<string>();
    for (let n = 0; n < SWEEP; n++) {
      const at = 7 + Math.floor((frames * n) / SWEEP);
      const result = await run([inProcess({ [kind]: at }), null]);
      isClean(result, `${kind} ${at} of ${frames}`);
      const told = result.steps.find(({ what: step }) => step.startsWith('is lost: '));
      assert.match(told?.what ?? '', kind === 'pullAt' ? /does not answer/ : /was reset/, `${kind} ${at}`);
      digests.add(result.digest);
      outcomes.add(`${result.failure_s === 0.4 ? 'panic' : 'dead'} ${result.dump.attribute}`);
    }
    assert.ok(digests.size >= SWEEP / 2, `${digests.size} different runs`);
    // Before the panic, in the middle of the dump, and after it.
    assert.ok(outcomes.has('dead null') && outcomes.has('panic completed'), [...outcomes].join(', '));
  });
}

test('a board that was reset comes back when it is switched on again', async () => {
  const scenario = smallScenario({
    endMs: 2000,
    events: [
      eventOf({ atMs: 600, do: 'power-off', board: 'a' }),
      eventOf({ atMs: 700, do: 'power-on', board: 'a' }),
    ],
  });
  const result = await run([inProcess({ resetAt: 2000 }), null], scenario);
  isClean(result, 'after a reset');
  assert.is(result.failed_board, 'a');
  assert.ok(result.failure_s! < 0.6, 'it was the reset that failed it');
  const told = result.steps.filter(({ board }) => board === 'a').map(({ what }) => what);
  assert.ok(told.includes('boots, epoch 2') && told.includes('ready, serves 1 volumes'), told.join('; '));
});

test('a comparison says that they did the same, or at which event of the firmware they part', async () => {
  const same = await compareRuns({ scenario: SMALL, attached: [HERE, null] });
  assert.ok(same.same && same.difference === null && same.events > 50);
  const parted = await compareRuns({ scenario: SMALL, attached: [inProcess({ pullAt: 5000 }), null] });
  assert.is(parted.same, false);
  const { before, emulated: here, attached: there } = parted.difference!;
  assert.ok(before !== null && here !== null && there !== null);
  assert.ok(here.time !== there.time || here.code !== there.code);
});

/** A line to a board that is out of its mind: now and then what it says is changed. */
class Mad implements Carrier {
  changed = 0;
  readonly #line: Carrier;
  readonly #random: RandomStream;
  readonly #from: number;
  #count = 0;

  constructor(line: Carrier, seed: string, from: number) {
    this.#line = line;
    this.#random = new RandomStream(seed, 'madness');
    this.#from = from;
  }

  exchange(send: Chunk[]): Chunk[] {
    const came = this.#line.exchange(send);
    if (++this.#count < this.#from) return came;
    for (const { bytes } of came) {
      if (!this.#random.chance(1, 20)) continue;
      // The heads of records are where it hurts.
      const at = this.#random.below(this.#random.chance(1, 2) ? Math.min(8, bytes.length) : bytes.length);
      bytes[at] = this.#random.next() & 255;
      this.changed++;
    }
    return came;
  }

  close(): void {
    this.#line.close();
  }
}

test('whatever a board says, the run goes on to its end without it', async () => {
  let changed = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const line = await Transport.open(HERE, firmwarePath(), SMALL.boards.memoryMib * 2 ** 20);
    const mad = new Mad(line, String(seed), seed * 150);
    const result = await run([mad, null], { ...SMALL, endMaxMs: 20_000 });
    assert.match(result.digest, /^[0-9a-f]{32}$/);
    changed += mad.changed;
  }
  assert.ok(changed >= 12, `${changed} changes`);
});

test.run();
