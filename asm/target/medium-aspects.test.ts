/**
 * Every command that touches the medium, by every aspect that all of them have. What only one of them has is in the
 * test of its family.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import {
  A,
  B,
  C,
  CAPACITY,
  CHECK_CONDITION,
  GOOD,
  KEY_A,
  KEY_B,
  RESERVATION_CONFLICT,
  type Testbed,
  be16,
  be32,
  be64,
  threeNexuses,
} from './testbed.test-helper.ts';

const test = suite('medium commands by aspect');
const END = Number(CAPACITY);
const CONDITION_MET = 0x04;

interface Command {
  name: string;
  clause: string;
  cdb: (lba: number, blocks: number, byte1?: number) => number[];
  action: number;
  /** Bytes that are sent for so many blocks; null: none are. */
  out: ((lba: number, blocks: number) => number[] | number) | null;
  writes: boolean;
  /** Byte of the number of blocks, and how many blocks are too many; null: there is no bound. */
  tooMany: { blocks: number; byte: number } | null;
  /** What 0 blocks are: nothing, an error, all to the end. */
  zero: 'nothing' | 'refused' | 'the rest';
  /** Blocks of one use. */
  unit: number;
  protects: boolean;
  /** A byte, and bits of it that are reserved. */
  reserved: [byte: number, bits: number];
  good?: number;
}

const ten =
  (opcode: number) =>
  (lba: number, blocks: number, byte1 = 0) => [opcode, byte1, ...be32(lba), 0, ...be16(blocks), 0];
const twelve =
  (opcode: number) =>
  (lba: number, blocks: number, byte1 = 0) => [opcode, byte1, ...be32(lba), ...be32(blocks), 0, 0];
const sixteen =
  (opcode: number) =>
  (lba: number, blocks: number, byte1 = 0) => [opcode, byte1, ...be64(BigInt(lba)), ...be32(blocks), 0, 0];
const bytes = (times: number) => (_lba: number, blocks: number) => blocks * times * 512;
const one = (): number => 512;
const descriptors = (lba: number, blocks: number): number[] => [
  0,
  22,
  0,
  16,
  0,
  0,
  0,
  0,
  ...be64(BigInt(lba)),
  ...be32(blocks),
  0,
  0,
  0,
  0,
];

const read = {
  action: L.ACTION_READ,
  out: null,
  writes: false,
  zero: 'nothing',
  unit: 1,
  protects: true,
} as const;
const write = {
  action: L.ACTION_WRITE,
  out: bytes(1),
  writes: true,
  zero: 'nothing',
  unit: 1,
  protects: true,
} as const;
const check = { ...write, action: L.ACTION_WRITE_VERIFY };
const verify = { ...read, action: L.ACTION_VERIFY };
const same = { ...write, action: L.ACTION_WRITE_SAME, out: one, zero: 'refused' } as const;
const sync = { ...read, action: L.ACTION_SYNC, zero: 'the rest', protects: false, tooMany: null } as const;
const fetch = { ...sync, action: L.ACTION_VERIFY, good: CONDITION_MET } as const;
const transfer = (byte: number) => ({ blocks: L.LU_MAX_TRANSFER + 1, byte });

const COMMANDS: Command[] = [
  { ...read, name: 'READ(10)', clause: '5.11', cdb: ten(0x28), tooMany: null, reserved: [6, 0xe0] },
  {
    ...read,
    name: 'READ(12)',
    clause: '5.12',
    cdb: twelve(0xa8),
    tooMany: transfer(6),
    reserved: [10, 0xe0],
  },
  {
    ...read,
    name: 'READ(16)',
    clause: '5.13',
    cdb: sixteen(0x88),
    tooMany: transfer(10),
    reserved: [14, 0xe0],
  },
  { ...write, name: 'WRITE(10)', clause: '5.36', cdb: ten(0x2a), tooMany: null, reserved: [1, 0x05] },
  {
    ...write,
    name: 'WRITE(12)',
    clause: '5.37',
    cdb: twelve(0xaa),
    tooMany: transfer(6),
    reserved: [1, 0x05],
  },
  {
    ...write,
    name: 'WRITE(16)',
    clause: '5.38',
    cdb: sixteen(0x8a),
    tooMany: transfer(10),
    reserved: [1, 0x05],
  },
  {
    ...check,
    name: 'WRITE AND VERIFY(10)',
    clause: '5.40',
    cdb: ten(0x2e),
    tooMany: null,
    reserved: [1, 0x09],
  },
  {
    ...check,
    name: 'WRITE AND VERIFY(12)',
    clause: '5.41',
    cdb: twelve(0xae),
    tooMany: transfer(6),
    reserved: [1, 9],
  },
  {
    ...check,
    name: 'WRITE AND VERIFY(16)',
    clause: '5.42',
    cdb: sixteen(0x8e),
    tooMany: transfer(10),
    reserved: [1, 9],
  },
  { ...verify, name: 'VERIFY(10)', clause: '5.30', cdb: ten(0x2f), tooMany: null, reserved: [1, 0x09] },
  {
    ...verify,
    name: 'VERIFY(12)',
    clause: '5.31',
    cdb: twelve(0xaf),
    tooMany: transfer(6),
    reserved: [1, 0x09],
  },
  {
    ...verify,
    name: 'VERIFY(16)',
    clause: '5.32',
    cdb: sixteen(0x8f),
    tooMany: transfer(10),
    reserved: [1, 0x09],
  },
  { ...same, name: 'WRITE SAME(10)', clause: '5.43', cdb: ten(0x41), tooMany: null, reserved: [1, 0x07] },
  {
    ...same,
    name: 'WRITE SAME(16)',
    clause: '5.44',
    cdb: sixteen(0x93),
    tooMany: { blocks: L.LU_MAX_WRITE_SAME + 1, byte: 10 },
    reserved: [1, 0x06],
  },
  {
    ...write,
    name: 'COMPARE AND WRITE',
    clause: '5.2',
    cdb: (lba, blocks, byte1 = 0) => [0x89, byte1, ...be64(BigInt(lba)), 0, 0, 0, blocks, 0, 0],
    action: L.ACTION_COMPARE_WRITE,
    out: bytes(2),
    tooMany: { blocks: L.LU_MAX_COMPARE_AND_WRITE + 1, byte: 13 },
    reserved: [10, 0xff],
  },
  {
    ...write,
    name: 'ORWRITE(16)',
    clause: '5.9',
    cdb: sixteen(0x8b),
    action: L.ACTION_OR_WRITE,
    tooMany: transfer(10),
    reserved: [1, 0x05],
  },
  {
    ...write,
    name: 'WRITE ATOMIC(16)',
    clause: '[SBC-4] 5.48',
    cdb: (lba, blocks, byte1 = 0) => [0x9c, byte1, ...be64(BigInt(lba)), 0, 0, ...be16(blocks), 0, 0],
    tooMany: { blocks: 2056, byte: 12 },
    unit: 8, // a physical block
    reserved: [1, 0x07],
  },
  {
    ...sync,
    name: 'SYNCHRONIZE CACHE(10)',
    clause: '5.27',
    cdb: ten(0x35),
    writes: false,
    reserved: [1, 0xf9],
  },
  {
    ...sync,
    name: 'SYNCHRONIZE CACHE(16)',
    clause: '5.28',
    cdb: sixteen(0x91),
    writes: false,
    reserved: [1, 0xf9],
  },
  { ...fetch, name: 'PRE-FETCH(10)', clause: '5.7', cdb: ten(0x34), reserved: [1, 0xfd] },
  { ...fetch, name: 'PRE-FETCH(16)', clause: '5.8', cdb: sixteen(0x90), reserved: [1, 0xfd] },
  {
    ...write,
    name: 'UNMAP',
    clause: '5.28',
    cdb: (_lba, _blocks, byte1 = 0) => [0x42, byte1, 0, 0, 0, 0, 0, 0, 24, 0],
    action: L.ACTION_UNMAP,
    out: descriptors,
    tooMany: null,
    protects: false,
    reserved: [2, 0xff],
  },
];

const THIN = L.LU_FLAG_WRITE_CACHE | L.LU_FLAG_THIN;
const bed = threeNexuses({ flags: THIN });
const locked = threeNexuses({ flags: THIN | L.LU_FLAG_READ_ONLY });
const stopped = threeNexuses({ flags: THIN });
stopped.execute(A, [0x1b, 0, 0, 0, 0, 0]);

function send(
  command: Command,
  lba: number,
  blocks: number,
  { byte1 = 0, on = bed, nexus = A }: { byte1?: number; on?: Testbed; nexus?: number } = {},
) {
  const cdb = command.cdb(lba, blocks, byte1);
  const out = command.out?.(lba, blocks) ?? 0;
  if (typeof out !== 'number') return on.execute(nexus, cdb, { out });
  return on.execute(
    nexus,
    cdb,
    command.action === L.ACTION_READ ? { room: blocks * 512 } : { outBytes: out },
  );
}
/** [SPC-4] table 65, [SBC-3] 4.17: reads are let through by write exclusive types. */
const isRead = ({ action }: Command): boolean => action === L.ACTION_READ || action === L.ACTION_VERIFY;

for (const command of COMMANDS) {
  const { name, clause, unit: blocks } = command;
  const isUnmap = command.action === L.ACTION_UNMAP;

  test(`test_${name}_simple: the host is told what to do [SBC-3] ${clause}`, () => {
    for (const lba of [0, 800, END - blocks]) {
      const o = send(command, lba, blocks);
      assert.equal([o.status, o.action], [command.good ?? GOOD, command.action]);
      if (!isUnmap) assert.equal([o.lba, o.blocks], [BigInt(lba), BigInt(blocks)]);
      assert.equal([o.residual, o.overflow], [0, 0]);
    }
  });

  test(`test_${name}_beyondeol: INFORMATION is the first block that is not there [SBC-3] 4.5`, () => {
    for (const [lba, first] of [
      [END, END],
      [END + 800, END + 800],
      [0xfffffff8, 0xfffffff8],
    ] as const) {
      const o = send(command, lba, blocks);
      assert.equal([o.status, o.sense, o.action], [CHECK_CONDITION, 0x052100, L.ACTION_NONE]);
      assert.is(o.information, BigInt(first));
    }
    const across = send(command, END - blocks, 2 * blocks);
    assert.equal([across.sense, across.information], [0x052100, CAPACITY]);
  });

  if (!isUnmap) {
    test(`test_${name}_0blocks: ${command.zero} [SBC-3] ${clause}`, () => {
      const o = send(command, 800, 0);
      if (command.zero === 'refused') assert.equal([o.sense, o.bit], [0x052400, 7], 'WSNZ is 1');
      else if (command.zero === 'nothing') assert.equal([o.status, o.action], [GOOD, L.ACTION_NONE]);
      else assert.ok(o.blocks === CAPACITY - 800n || o.blocks === BigInt(L.LU_CACHE_BYTES / 512));
      if (command.zero !== 'refused')
        assert.is(send(command, END, 0).sense, 0x052100, 'the LBA itself must be there');
    });
  }

  if (command.tooMany !== null)
    test(`test_${name}_too_many: the field of the length is told [SBC-3] 6.5.4`, () => {
      const { blocks: many, byte } = command.tooMany!;
      const o = bed.execute(A, command.cdb(0, many), { outBytes: 1 << 30, room: 1 << 30 });
      assert.equal([o.sense, o.field, o.bit, o.inCdb], [0x052400, byte, 7, true]);
      const most = many - command.unit;
      const least = bed.execute(A, command.cdb(0, most), { outBytes: 1 << 30, room: 1 << 30 });
      assert.is(least.sense, most > END ? 0x052100 : 0);
    });

  test(`test_${name}_reserved: a reserved bit is told by byte and bit [SPC-4] 4.2.5`, () => {
    const [byte, bits] = command.reserved;
    for (let bit = 0; bit < 8; bit++) {
      if (!((bits >> bit) & 1)) continue;
      const cdb = command.cdb(0, blocks);
      cdb[byte]! |= 1 << bit;
      const o = bed.execute(A, cdb, { outBytes: 4096, room: 4096 });
      assert.equal([o.sense, o.field, o.bit], [0x052400, byte, bit]);
    }
    const naca = command.cdb(0, blocks);
    naca[naca.length - 1] = 4; // NORMACA is 0
    assert.equal(
      [bed.execute(A, naca).sense, bed.execute(A, naca).field, bed.execute(A, naca).bit],
      [0x052400, naca.length - 1, 2],
    );
  });

  if (command.protects) {
    test(`test_${name}_protect: without protection information only 000b [SBC-3] ${clause}`, () => {
      for (let protect = 1; protect < 8; protect++) {
        const o = send(command, 0, blocks, { byte1: protect << 5 });
        assert.equal([o.sense, o.field, o.bit], [0x052400, 1, 7]);
      }
    });
  }

  test(`test_${name}_write_protected: ${command.writes ? 'DATA PROTECT' : 'goes on'} [SBC-3] 4.12`, () => {
    assert.is(send(command, 0, blocks, { on: locked }).sense, command.writes ? 0x072700 : 0);
  });

  test(`test_${name}_stopped: INITIALIZING COMMAND REQUIRED [SBC-3] 5.25`, () => {
    assert.is(send(command, 0, blocks, { on: stopped }).sense, 0x020402);
  });

  for (const type of [1, 3, 5, 6, 7, 8]) {
    test(`test_${name}_reservation_${type}: of another nexus, registered or not [SPC-4] table 65, [SBC-3] 4.17`, () => {
      const held = threeNexuses({ flags: THIN });
      held.prOut(A, 0, { actionKey: KEY_A });
      held.prOut(B, 0, { actionKey: KEY_B });
      held.prOut(A, 1, { key: KEY_A, type });
      const isLet = isRead(command) && [1, 5, 7].includes(type); // write exclusive
      const registrantsAreLet = type >= 5;
      assert.is(send(command, 0, blocks, { on: held }).action, command.action, 'the holder');
      for (const [nexus, allowed] of [
        [B, isLet || registrantsAreLet],
        [C, isLet],
      ] as const) {
        const o = send(command, 0, blocks, { on: held, nexus });
        assert.is(o.status === RESERVATION_CONFLICT, !allowed, `nexus ${nexus}`);
        assert.is(o.action, allowed ? command.action : L.ACTION_NONE);
      }
    });
  }

  if (
    typeof command.out?.(0, blocks) === 'number' &&
    command.action !== L.ACTION_WRITE &&
    command.action !== L.ACTION_WRITE_VERIFY
  ) {
    test(`test_${name}_short_data: what cannot be done in part is not done [SAM-5] 5.4.3`, () => {
      const whole = command.out!(0, blocks) as number;
      const short = bed.execute(A, command.cdb(0, blocks), { outBytes: whole - 1 });
      assert.equal([short.sense, short.action, short.moved], [0x050e03, L.ACTION_NONE, 0]);
      assert.equal([short.residual, short.overflow], [1, 1], '[RFC 7143] 11.4.5.1');
      const more = bed.execute(A, command.cdb(0, blocks), { outBytes: whole + 9 });
      assert.equal([more.status, more.moved, more.residual, more.overflow], [GOOD, whole, 9, 0]);
    });
  }
}

test.run();
