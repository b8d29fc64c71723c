import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import {
  A,
  CAPACITY,
  CHECK_CONDITION,
  GOOD,
  Testbed,
  be16,
  be32,
  be64,
  sasId,
  threeNexuses,
} from './testbed.test-helper.ts';

const test = suite('medium commands');
const LAST = Number(CAPACITY);

interface Command {
  name: string;
  cdb: (lba: number, blocks: number, flags?: number) => number[];
  action: number;
  lengthByte: number;
  moves: 'in' | 'out' | 'none';
}
const ten =
  (opcode: number) =>
  (lba: number, blocks: number, flags = 0) => [opcode, flags, ...be32(lba), 0, ...be16(blocks), 0];
const twelve =
  (opcode: number) =>
  (lba: number, blocks: number, flags = 0) => [opcode, flags, ...be32(lba), ...be32(blocks), 0, 0];
const sixteen =
  (opcode: number) =>
  (lba: number, blocks: number, flags = 0) => [opcode, flags, ...be64(BigInt(lba)), ...be32(blocks), 0, 0];

const READS: Command[] = [
  { name: 'READ(10)', cdb: ten(0x28), action: L.ACTION_READ, lengthByte: 7, moves: 'in' },
  { name: 'READ(12)', cdb: twelve(0xa8), action: L.ACTION_READ, lengthByte: 6, moves: 'in' },
  { name: 'READ(16)', cdb: sixteen(0x88), action: L.ACTION_READ, lengthByte: 10, moves: 'in' },
];
const WRITES: Command[] = [
  { name: 'WRITE(10)', cdb: ten(0x2a), action: L.ACTION_WRITE, lengthByte: 7, moves: 'out' },
  { name: 'WRITE(12)', cdb: twelve(0xaa), action: L.ACTION_WRITE, lengthByte: 6, moves: 'out' },
  { name: 'WRITE(16)', cdb: sixteen(0x8a), action: L.ACTION_WRITE, lengthByte: 10, moves: 'out' },
  {
    name: 'WRITE AND VERIFY(10)',
    cdb: ten(0x2e),
    action: L.ACTION_WRITE_VERIFY,
    lengthByte: 7,
    moves: 'out',
  },
  {
    name: 'WRITE AND VERIFY(12)',
    cdb: twelve(0xae),
    action: L.ACTION_WRITE_VERIFY,
    lengthByte: 6,
    moves: 'out',
  },
  {
    name: 'WRITE AND VERIFY(16)',
    cdb: sixteen(0x8e),
    action: L.ACTION_WRITE_VERIFY,
    lengthByte: 10,
    moves: 'out',
  },
];
const VERIFIES: Command[] = [
  { name: 'VERIFY(10)', cdb: ten(0x2f), action: L.ACTION_VERIFY, lengthByte: 7, moves: 'none' },
  { name: 'VERIFY(12)', cdb: twelve(0xaf), action: L.ACTION_VERIFY, lengthByte: 6, moves: 'none' },
  { name: 'VERIFY(16)', cdb: sixteen(0x8f), action: L.ACTION_VERIFY, lengthByte: 10, moves: 'none' },
];
const ALL = [...READS, ...WRITES, ...VERIFIES];

const bed = threeNexuses();
const small = new Testbed({ maxTransfer: 16 });
small.attach(A, sasId(1n));
const run = (command: Command, cdb: readonly number[], bytes: number, on = bed) =>
  on.execute(
    A,
    cdb,
    command.moves === 'in' ? { room: bytes } : { outBytes: command.moves === 'out' ? bytes : 0 },
  );

for (const command of ALL) {
  const { name, cdb, action, moves, lengthByte } = command;

  test(`test_${name}_simple: LBA and blocks reach the host [SBC-3] 5`, () => {
    for (const [lba, blocks] of [
      [0, 1],
      [1, 8],
      [LAST - 1, 1],
      [LAST - 256, 256],
      [0x1234, 0x100],
    ] as const) {
      const outcome = run(command, cdb(lba, blocks), blocks * 512);
      assert.equal(
        [
          outcome.status,
          outcome.action,
          outcome.lba,
          outcome.blocks,
          outcome.moved,
          outcome.residual,
          outcome.overflow,
        ],
        [GOOD, action, BigInt(lba), BigInt(blocks), moves === 'none' ? 0 : blocks * 512, 0, 0],
      );
    }
  });

  test(`test_${name}_0blocks: is no error and moves nothing [SBC-3] 5`, () => {
    const { status, action: done, moved } = run(command, cdb(5, 0), 0);
    assert.equal([status, done, moved], [GOOD, L.ACTION_NONE, 0]);
    assert.is(run(command, cdb(LAST, 0), 0).sense, 0x052100, 'the LBA itself must be there');
  });

  test(`test_${name}_beyondeol: LOGICAL BLOCK ADDRESS OUT OF RANGE [SBC-3] 4.5`, () => {
    for (const [lba, blocks] of [
      [LAST, 1],
      [LAST - 1, 2],
      [LAST - 10, 11],
      [0x7fffffff, 1],
      [0xffffffff, 1],
    ] as const) {
      const { status, sense, action: done, residual } = run(command, cdb(lba, blocks), blocks * 512);
      assert.equal([status, sense, done], [CHECK_CONDITION, 0x052100, L.ACTION_NONE]);
      assert.is(residual, moves === 'none' ? 0 : blocks * 512);
    }
  });

  test(`test_${name}_protect: RDPROTECT, WRPROTECT, VRPROTECT without protection information [SBC-3] 5`, () => {
    for (let protect = 1; protect < 8; protect++) {
      const { sense, field, bit } = run(command, cdb(0, 1, protect << 5), 512);
      assert.equal([sense, field, bit], [0x052400, 1, 7]);
    }
  });

  test(`test_${name}_transfer_limit: more than MAXIMUM TRANSFER LENGTH is an invalid field [SBC-3] 6.5.4`, () => {
    assert.is(run(command, cdb(0, 16), 16 * 512, small).status, GOOD);
    const { sense, field } = run(command, cdb(0, 17), 17 * 512, small);
    assert.equal([sense, field], [0x052400, lengthByte]);
  });
}

for (const command of [...READS, ...WRITES.slice(0, 3)]) {
  test(`test_${command.name}_dpofua: DPO, FUA, FUA_NV are taken, and passed on [SBC-3] 4.15`, () => {
    for (const [flags, passed] of [
      [0x10, L.TASK_FLAG_DPO],
      [0x08, L.TASK_FLAG_FUA],
      [0x18, L.TASK_FLAG_DPO | L.TASK_FLAG_FUA],
      [0x02, 0],
    ] as const) {
      const outcome = run(command, command.cdb(0, 1, flags), 512);
      assert.equal([outcome.status, outcome.flags], [GOOD, passed]);
    }
  });
}

for (const command of READS) {
  test(`test_${command.name}_residuals: over- and underflow are exact [SAM-5] 5.4.3`, () => {
    for (const [blocks, held, moved, residual, overflow, touched] of [
      [2, 1024, 1024, 0, 0, 2n],
      [2, 4096, 1024, 3072, 0, 2n],
      [2, 1000, 1000, 24, 1, 2n],
      [2, 512, 512, 512, 1, 1n],
      [2, 0, 0, 1024, 1, 0n],
    ] as const) {
      const o = run(command, command.cdb(0, blocks), held);
      assert.equal([o.moved, o.residual, o.overflow, o.blocks], [moved, residual, overflow, touched]);
    }
  });
}

for (const command of WRITES) {
  test(`test_${command.name}_residuals: a block that does not come whole is not written [SAM-5] 5.4.3`, () => {
    for (const [blocks, held, moved, residual, overflow, touched] of [
      [2, 1024, 1024, 0, 0, 2n],
      [2, 4096, 1024, 3072, 0, 2n],
      [2, 1000, 1000, 24, 1, 1n],
      [2, 0, 0, 1024, 1, 0n],
    ] as const) {
      const o = run(command, command.cdb(0, blocks), held);
      assert.equal([o.moved, o.residual, o.overflow, o.blocks], [moved, residual, overflow, touched]);
    }
  });

  test(`test_${command.name}_write_protected: DATA PROTECT, and reads still go [SBC-3] 4.12`, () => {
    const other = new Testbed({ flags: L.LU_FLAG_READ_ONLY });
    other.attach(A, sasId(1n));
    assert.equal(run(command, command.cdb(0, 1), 512, other).sense, 0x072700);
    assert.is(run(READS[0]!, READS[0]!.cdb(0, 1), 512, other).status, GOOD);
  });

  test(`test_${command.name}_write_through: without a write cache every write is FUA [SBC-3] 6.4.5`, () => {
    const other = new Testbed({ flags: 0 });
    other.attach(A, sasId(1n));
    assert.is(run(command, command.cdb(0, 1), 512, other).flags & L.TASK_FLAG_FUA, L.TASK_FLAG_FUA);
  });
}

for (const command of VERIFIES) {
  test(`test_${command.name}_bytchk: 01b sends every block, 11b one, 10b is reserved [SBC-3] 5.30`, () => {
    const sent = (bytchk: number, outBytes: number) =>
      bed.execute(A, command.cdb(8, 4, bytchk << 1), { outBytes });
    for (const [bytchk, bytes, flag] of [
      [1, 2048, L.TASK_FLAG_COMPARE],
      [3, 512, L.TASK_FLAG_COMPARE_ONE],
    ] as const) {
      const o = sent(bytchk, bytes);
      assert.equal(
        [o.action, o.lba, o.blocks, o.moved, o.residual, o.flags],
        [L.ACTION_VERIFY, 8n, 4n, bytes, 0, flag],
      );
      assert.is(sent(bytchk, bytes - 1).sense, 0x050e03, 'too little was sent');
      assert.equal([sent(bytchk, bytes + 7).residual, sent(bytchk, bytes + 7).overflow], [7, 0]);
    }
    const { sense, field, bit } = sent(2, 2048);
    assert.equal([sense, field, bit], [0x052400, 1, 2]);
    assert.is(bed.execute(A, command.cdb(8, 0, 2)).status, GOOD);
  });
}

test('test_read6_0blocks: a length of 0 is 256 blocks [SBC-3] 5.10', () => {
  const { blocks, moved } = bed.execute(A, [0x08, 0, 0, 9, 0, 0], { room: 131072 });
  assert.equal([blocks, moved], [256n, 131072]);
  const write = bed.execute(A, [0x0a, 0x1f, 0xff, 0xff, 1, 0], { outBytes: 512 });
  assert.is(write.sense, 0x052100, '21 bits of LBA');
});

test('test_read16_large: LBAs above 2^32 are whole, and sums do not wrap [SBC-3] 5.13', () => {
  const blocks = 1n << 40n;
  const large = new Testbed({ blocks });
  large.attach(A, sasId(1n));
  const read = (lba: bigint, count: number) =>
    large.execute(A, [0x88, 0, ...be64(lba), ...be32(count), 0, 0], { room: 1 << 20 });
  assert.is(read(blocks - 1n, 1).lba, blocks - 1n);
  assert.is(read(blocks - 1n, 2).sense, 0x052100);
  assert.is(read((1n << 64n) - 1n, 1).sense, 0x052100);
  assert.is(read((1n << 63n) + 5n, 1).sense, 0x052100);
});

test('test_read10_4kn: bytes follow the block length', () => {
  const other = new Testbed({ blockBytes: 4096, exponent: 0 });
  other.attach(A, sasId(1n));
  assert.is(run(READS[0]!, READS[0]!.cdb(0, 3), 12288, other).moved, 12288);
  const most = run(READS[2]!, READS[2]!.cdb(0, 65536), 0xffffffff, other);
  assert.equal([most.status, most.moved], [GOOD, 65536 * 4096]);
});

for (const [name, make] of [
  ['SYNCHRONIZE CACHE(10)', ten(0x35)],
  ['SYNCHRONIZE CACHE(16)', sixteen(0x91)],
] as const) {
  test(`test_${name}_simple: 0 blocks are all from the LBA on; IMMED is passed on [SBC-3] 5.27`, () => {
    for (const [lba, blocks, flags, expected, passed] of [
      [0, 0, 0, CAPACITY, 0],
      [100, 0, 0, CAPACITY - 100n, 0],
      [100, 50, 0, 50n, 0],
      [0, 0, 2, CAPACITY, L.TASK_FLAG_IMMEDIATE],
      [0, 0, 4, CAPACITY, 0],
    ] as const) {
      const o = bed.execute(A, make(lba, blocks, flags));
      assert.equal(
        [o.status, o.action, o.lba, o.blocks, o.flags],
        [GOOD, L.ACTION_SYNC, BigInt(lba), expected, passed],
      );
    }
    assert.is(bed.execute(A, make(LAST, 0)).sense, 0x052100);
    assert.is(bed.execute(A, make(LAST - 1, 2)).sense, 0x052100);
  });
}

for (const [kind, code, information] of [
  [L.MEDIUM_READ_ERROR, 0x031100, 0x1234n],
  [L.MEDIUM_WRITE_ERROR, 0x030c00, 0x1234n],
  [L.MEDIUM_MISCOMPARE, 0x0e1d00, 0x1234n],
  [L.MEDIUM_NOT_READY, 0x020400, null],
  [L.MEDIUM_HARDWARE, 0x044400, null],
  [L.MEDIUM_ABORTED, 0x0b4400, null],
] as const) {
  test(`lu_medium_error ${kind}: sense ${code.toString(16)}, INFORMATION where an LBA is to blame [SBC-3] 4.18`, () => {
    bed.execute(A, ten(0x28)(0x1230, 8), { room: 4096 });
    bed.call.lu_medium_error(bed.lu, bed.task, kind, 0x1234, 0);
    const o = bed.outcome();
    assert.equal(
      [o.status, o.sense, o.information, o.action],
      [CHECK_CONDITION, code, information, L.ACTION_NONE],
    );
  });
}

test('lu_medium_error above 2^32: fixed format cannot say the LBA, descriptor format can [SPC-4] 4.5.3, 4.5.2.2', () => {
  for (const [flags, information] of [
    [0, null],
    [L.LU_FLAG_DESCRIPTOR_SENSE, 0x1_0000_0002n],
  ] as const) {
    const large = new Testbed({ blocks: 1n << 40n, flags });
    large.attach(A, sasId(1n));
    large.execute(A, sixteen(0x88)(0, 8), { room: 4096 });
    large.call.lu_medium_error(large.lu, large.task, L.MEDIUM_READ_ERROR, 2, 1);
    assert.equal(large.outcome().information, information);
    assert.is(large.outcome().sense, 0x031100);
  }
});

test('with D_SENSE field pointers come in a descriptor [SPC-4] 4.5.2.4', () => {
  const other = new Testbed({ flags: L.LU_FLAG_DESCRIPTOR_SENSE });
  other.attach(A, sasId(1n));
  const o = other.execute(A, ten(0x28)(0, 1, 0x20), { room: 512 });
  assert.is(o.senseData[0], 0x72);
  assert.equal([o.sense, o.field, o.bit, o.inCdb], [0x052400, 1, 7, true]);
});

test.run();
