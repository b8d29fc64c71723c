/**
 * Random histories of medium commands against a model that keeps a record a block: data, protection information, and
 * what is mapped. SPARECORE_SEED: another stream; SPARECORE_HISTORY: more commands.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MediumModel } from './medium-model.test-helper.ts';
import { CHECK_CONDITION, GOOD, Rig, be16, be32, be64 } from './rig.test-helper.ts';

const test = suite('medium against a model');
const SEED = Number(process.env['SPARECORE_SEED'] ?? 1);
const COUNT = Number(process.env['SPARECORE_HISTORY'] ?? 1500);
/** Blocks that are used, around a border of pieces of the medium in memory. */
const SPAN = 96;

class Stream {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed * 2654435761) >>> 0 || 1;
  }
  below(n: number): number {
    this.#state ^= this.#state << 13;
    this.#state >>>= 0;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    this.#state >>>= 0;
    return this.#state % n;
  }
}

interface History {
  disk: Rig;
  model: MediumModel;
  random: Stream;
  isProtected: boolean;
  size: number;
  first: number;
}

/** Few values, so that data repeats: zeros, and bytes of a block of one value or another. */
function someData(h: History, blocks: number): Uint8Array {
  const data = new Uint8Array(blocks * h.size);
  for (let n = 0; n < blocks; n++) {
    const value = h.random.below(4) * 0x3b;
    data.fill(value, n * h.size, (n + 1) * h.size);
    if (h.random.below(3) === 0) data[n * h.size + h.random.below(h.size)] = h.random.below(256);
  }
  return data;
}

const offsetOfDifference = (one: Uint8Array, other: Uint8Array): number =>
  one.findIndex((b, i) => b !== other[i]);

type Command = (h: History, lba: number, blocks: number) => string;
const expectGood = ({ status, sense }: { status: number; sense: number }): void =>
  assert.equal([status, sense], [GOOD, 0]);

const COMMANDS: Command[] = [
  function write(h, lba, blocks) {
    const data = someData(h, blocks);
    expectGood(h.disk.write(h.first + lba, data, blocks));
    h.model.put(lba, data);
    return 'WRITE';
  },
  function writeAtomic(h, lba, blocks) {
    const data = someData(h, blocks);
    expectGood(h.disk.run([0x9c, 0, ...be64(h.first + lba), 0, 0, ...be16(blocks), 0, 0], { out: data }));
    h.model.put(lba, data);
    return 'WRITE ATOMIC';
  },
  function writeSame(h, lba, blocks) {
    const flags = h.random.below(2) * 8;
    const data = someData(h, 1);
    expectGood(h.disk.run([0x93, flags, ...be64(h.first + lba), ...be32(blocks), 0, 0], { out: data }));
    if (flags !== 0 && data.every((byte) => byte === 0)) h.model.unmap(lba, blocks);
    else for (let n = 0; n < blocks; n++) h.model.put(lba + n, data);
    return 'WRITE SAME';
  },
  function writeSameNothing(h, lba, blocks) {
    const flags = h.random.below(2) * 8;
    expectGood(h.disk.run([0x93, flags | 1, ...be64(h.first + lba), ...be32(blocks), 0, 0]));
    if (flags === 0) h.model.zero(lba, blocks);
    else h.model.unmap(lba, blocks);
    return 'WRITE SAME, NDOB';
  },
  function unmap(h, lba, blocks) {
    const list = [
      0,
      38,
      0,
      32,
      0,
      0,
      0,
      0,
      ...be64(h.first + lba),
      ...be32(blocks),
      0,
      0,
      0,
      0,
      ...be64(h.first + lba),
      ...be32(0),
      0,
      0,
      0,
      0,
    ];
    expectGood(h.disk.run([0x42, 0, 0, 0, 0, 0, 0, 0, 40, 0], { out: list }));
    h.model.unmap(lba, blocks);
    return 'UNMAP';
  },
  function compareAndWrite(h, lba, blocks) {
    const stored = h.model.data(lba, blocks);
    const expected = h.random.below(2) === 0 ? stored : someData(h, blocks);
    const data = someData(h, blocks);
    const out = new Uint8Array(2 * data.length);
    out.set(expected);
    out.set(data, data.length);
    const answer = h.disk.run([0x89, 0, ...be64(h.first + lba), 0, 0, 0, blocks, 0, 0], { out });
    const at = offsetOfDifference(stored, expected);
    if (at >= 0)
      assert.equal([answer.status, answer.sense, answer.information], [CHECK_CONDITION, 0x0e1d00, at]);
    else {
      expectGood(answer);
      h.model.put(lba, data);
    }
    return 'COMPARE AND WRITE';
  },
  function orWrite(h, lba, blocks) {
    const data = someData(h, blocks);
    expectGood(h.disk.run([0x8b, 0, ...be64(h.first + lba), ...be32(blocks), 0, 0], { out: data }));
    h.model.put(
      lba,
      h.model.data(lba, blocks).map((byte, i) => byte | data[i]!),
    );
    return 'ORWRITE';
  },
  function verify(h, lba, blocks) {
    const stored = h.model.data(lba, blocks);
    const out = h.random.below(2) === 0 ? stored : someData(h, blocks);
    const answer = h.disk.run([0x8f, 2, ...be64(h.first + lba), ...be32(blocks), 0, 0], { out });
    const at = offsetOfDifference(stored, out);
    if (at < 0) expectGood(answer);
    else
      assert.equal([answer.sense, answer.information], [0x0e1d00, h.first + lba + Math.floor(at / h.size)]);
    return 'VERIFY';
  },
  function copy(h, lba, blocks) {
    const to = h.random.below(SPAN - blocks + 1);
    expectGood(h.disk.run(...copyCommand(h, lba, to, blocks)));
    h.model.put(to, h.model.data(lba, blocks));
    return 'EXTENDED COPY';
  },
  function read(h, lba, blocks) {
    const protect = h.isProtected && h.random.below(2) === 0 ? 1 : 0;
    const answer = h.disk.read(h.first + lba, blocks, protect);
    expectGood(answer);
    const expected = protect === 0 ? h.model.data(lba, blocks) : h.model.wire(lba, blocks);
    if (protect !== 0) moveReferenceTags(h, expected);
    assert.ok(Buffer.from(answer.data).equals(expected));
    return 'READ';
  },
];

/** The model counts blocks from the beginning of the span. */
function moveReferenceTags(h: History, wire: Uint8Array): void {
  const view = new DataView(wire.buffer);
  for (let at = h.size; at < wire.length; at += h.size + 8) {
    if (view.getUint32(at + 4) !== 0xffff_ffff) view.setUint32(at + 4, view.getUint32(at + 4) + h.first);
  }
}

function copyCommand(h: History, from: number, to: number, blocks: number): [number[], { out: number[] }] {
  const page = h.disk.run([0x12, 1, 0x83, 0, 255, 0], { room: 255 }).data;
  const cscd = [0xe4, 0, 0, 0, 1, 3, 0, 8, ...page.subarray(8, 16), ...Array<number>(13).fill(0)];
  cscd.push(...be32(h.size).slice(1));
  const segment = [2, 0, 0, 24, 0, 0, 0, 0, 0, 0, ...be16(blocks)];
  segment.push(...be64(h.first + from), ...be64(h.first + to));
  const out = [0, 0x18, 0, 32, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 0, ...cscd, ...segment];
  return [[0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...be32(out.length), 0, 0], { out }];
}

/** What GET LBA STATUS says of the span is what the model has mapped. */
function checkMap(h: History): void {
  const room = 8 + 16 * (SPAN + 2);
  const { data } = h.disk.run([0x9e, 0x12, ...be64(h.first), ...be32(room), 0, 0], { room });
  const view = new DataView(data.buffer);
  let lba = h.first;
  for (let at = 8; at < data.length && lba < h.first + SPAN; at += 16) {
    assert.is(Number(view.getBigUint64(at)), lba);
    for (let left = view.getUint32(at + 8); left > 0 && lba < h.first + SPAN; left--, lba++) {
      assert.is(data[at + 12] === 0, h.model.blocks[lba - h.first]!.mapped, `block ${lba}`);
    }
  }
  assert.is(lba, h.first + SPAN);
}

for (const [name, config] of [
  ['thin', { thin: true, physicalExponent: 0 }],
  ['thin and protected', { thin: true, protection: 1, physicalExponent: 0 }],
  ['thin, blocks of 4096', { thin: true, blockBytes: 4096, physicalExponent: 0 }],
  [
    'thin and protected, blocks of 4096',
    { thin: true, protection: 1, blockBytes: 4096, physicalExponent: 0 },
  ],
] as const) {
  test(`a ${name} disk is its model after ${COUNT} commands (SPARECORE_SEED=${SEED})`, () => {
    const size = 'blockBytes' in config ? config.blockBytes : 512;
    const h: History = {
      disk: new Rig(config),
      model: new MediumModel(SPAN, size),
      random: new Stream(SEED),
      isProtected: 'protection' in config,
      size,
      first: (1 << 18) / size - 40,
    };
    const met = new Map<string, number>();
    for (let i = 0; i < COUNT; i++) {
      const lba = h.random.below(SPAN);
      const blocks = 1 + h.random.below(Math.min(12, SPAN - lba));
      const command = COMMANDS[h.random.below(COMMANDS.length)]!;
      try {
        const done = command(h, lba, blocks);
        met.set(done, (met.get(done) ?? 0) + 1);
        if (i % 16 === 0) checkMap(h);
      } catch (error) {
        throw new Error(`command ${i}, ${command.name} of ${blocks} at ${lba}`, { cause: error });
      }
    }
    assert.is(met.size, COMMANDS.length);
    const { data } = h.disk.read(h.first, SPAN);
    assert.ok(Buffer.from(data).equals(h.model.data(0, SPAN)));
    checkMap(h);
  });
}

test.run();
