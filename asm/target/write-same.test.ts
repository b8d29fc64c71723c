import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import { A, GOOD, Testbed, be16, be32, be64, sasId } from './testbed.test-helper.ts';

const test = suite('WRITE SAME');
const made = (flags: number): Testbed => {
  const bed = new Testbed({ flags });
  bed.attach(A, sasId(1n));
  return bed;
};
const thick = made(L.LU_FLAG_WRITE_CACHE);
const thin = made(L.LU_FLAG_WRITE_CACHE | L.LU_FLAG_THIN);
const COMMANDS = [
  ['WRITE SAME(10)', (byte1: number) => [0x41, byte1, ...be32(8), 0, ...be16(4), 0]],
  ['WRITE SAME(16)', (byte1: number) => [0x93, byte1, ...be64(8n), ...be32(4), 0, 0]],
] as const;
const UNMAP = 0x08;
const ANCHOR = 0x10;

for (const [name, cdb] of COMMANDS) {
  test(`test_${name}_unmap: only where Logical Block Provisioning says LBPWS [SBC-3] table 144, 6.5.5`, () => {
    const o = thin.execute(A, cdb(UNMAP), { outBytes: 512 });
    assert.equal([o.status, o.action, o.flags], [GOOD, L.ACTION_WRITE_SAME, L.TASK_FLAG_UNMAP]);
    const no = thick.execute(A, cdb(UNMAP), { outBytes: 512 });
    assert.equal([no.sense, no.field, no.bit], [0x052400, 1, 3]);
  });

  test(`test_${name}_anchor: ANC_SUP is 0, with UNMAP and without [SBC-3] table 144`, () => {
    for (const bed of [thick, thin]) {
      for (const byte1 of [ANCHOR, ANCHOR | UNMAP]) {
        const o = bed.execute(A, cdb(byte1), { outBytes: 512 });
        assert.equal([o.sense, o.field, o.bit], [0x052400, 1, 4]);
      }
    }
  });

  test(`test_${name}_pbdata_lbdata: obsolete, and refused`, () => {
    for (const [byte1, bit] of [
      [2, 1],
      [4, 2],
    ] as const) {
      const o = thin.execute(A, cdb(byte1), { outBytes: 512 });
      assert.equal([o.sense, o.field, o.bit], [0x052400, 1, bit]);
    }
  });

  test(`test_${name}_data: one block is moved, however many are written`, () => {
    const o = thin.execute(A, cdb(0), { outBytes: 4 * 512 });
    assert.equal([o.moved, o.residual, o.overflow], [512, 3 * 512, 0]);
  });
}

test('test_WRITE SAME(16)_ndob: without data there is none to be short of; WRITE SAME(10) has no such bit [SBC-3] 5.43', () => {
  const [ten, sixteen] = [COMMANDS[0][1], COMMANDS[1][1]];
  const o = thick.execute(A, sixteen(1), { outBytes: 0 });
  assert.equal([o.status, o.flags, o.moved], [GOOD, L.TASK_FLAG_NO_DATA, 0]);
  assert.is(thick.execute(A, sixteen(1), { outBytes: 512 }).residual, 512);
  assert.equal([thick.execute(A, ten(1), { outBytes: 512 }).sense], [0x052400]);
  const both = thin.execute(A, sixteen(UNMAP | 1));
  assert.is(both.flags, L.TASK_FLAG_NO_DATA | L.TASK_FLAG_UNMAP);
});

test('test_WRITE SAME(16)_length: up to MAXIMUM WRITE SAME LENGTH, which is beyond a transfer [SBC-3] 6.5.4', () => {
  const large = new Testbed({ blocks: 1n << 30n });
  large.attach(A, sasId(1n));
  const ask = (blocks: number) =>
    large.execute(A, [0x93, 0, ...be64(0n), ...be32(blocks), 0, 0], { outBytes: 512 });
  assert.equal(
    [ask(L.LU_MAX_WRITE_SAME).status, ask(L.LU_MAX_WRITE_SAME).blocks],
    [GOOD, BigInt(L.LU_MAX_WRITE_SAME)],
  );
  assert.equal([ask(L.LU_MAX_WRITE_SAME + 1).sense, ask(L.LU_MAX_WRITE_SAME + 1).field], [0x052400, 10]);
});

test.run();
