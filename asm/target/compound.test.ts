import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import { A, GOOD, Testbed, be16, be32, be64, sasId } from './testbed.test-helper.ts';

const test = suite('COMPARE AND WRITE, ORWRITE, WRITE ATOMIC, and what VPD pages say of them');
const made = (config: ConstructorParameters<typeof Testbed>[0]): Testbed => {
  const bed = new Testbed(config);
  bed.attach(A, sasId(1n));
  return bed;
};
const atomic = (lba: number, blocks: number, boundary = 0): number[] => [
  0x9c,
  0,
  ...be64(BigInt(lba)),
  ...be16(boundary),
  ...be16(blocks),
  0,
  0,
];
const vpd = (bed: Testbed, page: number): DataView => {
  const { data } = bed.execute(A, [0x12, 1, page, 0, 255, 0], { room: 255 });
  return new DataView(data.buffer, data.byteOffset, data.length);
};

for (const [name, config] of [
  ['512e', { exponent: 3 }],
  ['512n', { exponent: 0 }],
  ['4Kn', { exponent: 0, blockBytes: 4096 }],
  ['512e, small transfers', { exponent: 3, maxTransfer: 64 }],
] as const) {
  const bed = made(config);
  const size = 'blockBytes' in config ? config.blockBytes : 512;
  const limits = vpd(bed, 0xb0);
  const most = limits.getUint32(44);
  const alignment = limits.getUint32(48);
  const granularity = limits.getUint32(52);

  const ask = (lba: number, blocks: number, boundary = 0) =>
    bed.execute(A, atomic(lba, blocks, boundary), { outBytes: blocks * size });
  const compare = (blocks: number) =>
    bed.execute(A, [0x89, 0, ...be64(0n), 0, 0, 0, blocks, 0, 0], { outBytes: 2 * blocks * size });
  const read = (blocks: number) =>
    bed.execute(A, [0x88, 0, ...be64(0n), ...be32(blocks), 0, 0], { room: 1 << 30 }).sense;
  const same = (blocks: number) =>
    bed.execute(A, [0x93, 0, ...be64(0n), ...be32(blocks), 0, 0], { outBytes: size });

  test(`test_writeatomic16_${name}: Block Limits promise what is enforced [SBC-4] 6.6.4, 5.48`, () => {
    assert.is(limits.getUint16(2), 60, 'PAGE LENGTH');
    assert.equal([alignment, granularity], [1 << config.exponent, 1 << config.exponent]);
    const good = ask(alignment, most);
    assert.equal([good.status, good.action, good.blocks], [GOOD, L.ACTION_WRITE, BigInt(most)]);
    assert.is(good.flags & L.TASK_FLAG_ATOMIC, L.TASK_FLAG_ATOMIC);
    const larger = ask(0, most + granularity);
    assert.equal([larger.sense, larger.field], [0x052400, 12]);
    if (alignment > 1) {
      assert.equal([ask(1, granularity).sense, ask(1, granularity).field], [0x052400, 2]);
      assert.equal([ask(0, granularity + 1).sense, ask(0, granularity + 1).field], [0x052400, 12]);
    }
    assert.equal([limits.getUint32(56), limits.getUint32(60)], [0, 0], 'no boundaries');
    assert.equal([ask(0, granularity, 8).sense, ask(0, granularity, 8).field], [0x052400, 10]);
  });

  test(`test_vpd_b0_${name}: transfers, COMPARE AND WRITE and WRITE SAME as promised [SBC-3] 6.5.4`, () => {
    const compares = limits.getUint8(5);
    assert.equal([compare(compares).status, compare(compares + 1).sense], [GOOD, 0x052400]);
    const transfers = limits.getUint32(8);
    assert.equal([read(transfers), read(transfers + 1)], [0, 0x052400]);
    assert.is(limits.getUint8(4), 1, 'WSNZ');
    assert.is(same(0).sense, 0x052400);
    const sames = Number(limits.getBigUint64(36));
    assert.equal([same(sames).sense, same(sames + 1).sense], [0x052100, 0x052400], 'larger than this medium');
    assert.is(limits.getUint16(6), 1 << config.exponent, 'OPTIMAL TRANSFER LENGTH GRANULARITY');
  });
}

test('test_vpd_b2, test_readcapacity16_thin: provisioning is told in all three places, and UNMAP is there [SBC-3] 6.5.5, 5.16', () => {
  for (const [flags, byte5, type, byte14, unmaps] of [
    [L.LU_FLAG_WRITE_CACHE, 0, 0, 0, 0],
    [L.LU_FLAG_THIN, 0xe4, 2, 0xc0, L.LU_MAX_UNMAP],
  ] as const) {
    const bed = made({ flags });
    const page = vpd(bed, 0xb2);
    assert.equal([page.getUint16(2), page.getUint8(5), page.getUint8(6)], [4, byte5, type]);
    const { data } = bed.execute(A, [0x9e, 0x10, ...be64(0n), ...be32(32), 0, 0], { room: 32 });
    assert.is(data[14], byte14);
    assert.is(vpd(bed, 0xb0).getUint32(20), unmaps);
    assert.is(vpd(bed, 0xb0).getUint32(24), unmaps ? L.LU_MAX_UNMAP_DESCRIPTORS : 0);
    assert.is(bed.execute(A, [0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0]).sense, unmaps ? 0 : 0x052000);
  }
});

test('test_inquiry_protect: PROTECT, SPT, GRD_CHK, REF_CHK, PROT_EN and P_TYPE agree [SPC-4] 6.6.2, 7.8.7, [SBC-3] 5.16', () => {
  for (const [flags, protect, byte4, byte12] of [
    [L.LU_FLAG_WRITE_CACHE, 0, 0, 0],
    [L.LU_FLAG_PROTECTED, 1, 0x05, 0x01],
  ] as const) {
    const bed = made({ flags });
    assert.is(bed.execute(A, [0x12, 0, 0, 0, 96, 0], { room: 96 }).data[5]! & 1, protect);
    assert.is(vpd(bed, 0x86).getUint8(4), byte4);
    const { data } = bed.execute(A, [0x9e, 0x10, ...be64(0n), ...be32(32), 0, 0], { room: 32 });
    assert.is(data[12], byte12);
    assert.equal([...data.subarray(8, 12)], [0, 0, 2, 0], 'the block length is that of user data');
  }
});

test('test_protect_flags: what is moved and checked by value of RDPROTECT and WRPROTECT, type 1 [SBC-3] tables 53, 131', () => {
  const bed = made({ flags: L.LU_FLAG_PROTECTED });
  const { TASK_FLAG_PI: PI, TASK_FLAG_PI_MOVED: M, TASK_FLAG_PI_GUARD: G, TASK_FLAG_PI_REF: R } = L;
  for (const [protect, flags] of [
    [0, PI | G | R],
    [1, PI | M | G | R],
    [2, PI | M | R],
    [3, PI | M],
    [4, PI | M | G],
    [5, PI | M | G | R],
    [6, null],
    [7, null],
  ] as const) {
    for (const opcode of [0x28, 0x2a]) {
      const cdb = [opcode, protect << 5, ...be32(0), 0, ...be16(2), 0];
      const o = bed.execute(A, cdb, opcode === 0x28 ? { room: 2000 } : { outBytes: 2000 });
      if (flags === null) assert.equal([o.sense, o.field, o.bit], [0x052400, 1, 7]);
      else {
        const moved = 2 * (flags & M ? 520 : 512);
        assert.equal([o.flags & ~L.TASK_FLAG_FUA, o.moved, o.residual], [flags, moved, 2000 - moved]);
      }
    }
  }
});

test('test_prevent_allow: the medium cannot be removed; 10b and 11b are obsolete [SBC-3] 5.9', () => {
  const bed = made({});
  for (const [prevent, sense] of [
    [0, 0],
    [1, 0],
    [2, 0x052400],
    [3, 0x052400],
  ] as const) {
    const o = bed.execute(A, [0x1e, 0, 0, 0, prevent, 0]);
    assert.equal([o.sense, o.field], [sense, sense ? 4 : -1]);
  }
});

test('test_readdefectdata: empty lists in every format; in another, long block format with RECOVERED ERROR [SBC-3] 5.17, 5.18', () => {
  for (const [blocks, formats] of [
    [1n << 20n, [0, 3, 4, 5]],
    [1n << 33n, [3, 4, 5]], // short block format cannot say these LBAs
  ] as const) {
    const bed = made({ blocks });
    for (let format = 0; format < 8; format++) {
      for (const lists of [0, 0x08, 0x10, 0x18]) {
        const ten = bed.execute(A, [0x37, 0, lists | format, 0, 0, 0, 0, 0, 64, 0], { room: 64 });
        const twelve = bed.execute(A, [0xb7, lists | format, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0], { room: 64 });
        const isKnown = (formats as readonly number[]).includes(format);
        assert.equal([ten.sense, twelve.sense], isKnown ? [0, 0] : [0x011c00, 0x011c00]);
        const given = lists | (isKnown ? format : 3);
        assert.equal([...ten.data], [0, given, 0, 0]);
        assert.equal([...twelve.data], [0, given, 0, 0, 0, 0, 0, 0]);
        assert.equal([ten.residual, twelve.residual], [60, 56]);
      }
    }
  }
});

test.run();
