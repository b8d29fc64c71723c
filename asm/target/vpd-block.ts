/**
 * VPD pages of direct access block devices. What they promise is what the commands enforce.
 *
 * [SBC-3] 6.5.3 Block Device Characteristics, 6.5.4 Block Limits, 6.5.5 Logical Block Provisioning
 * [SBC-4] 6.6.4 Block Limits, bytes 44 to 63: atomic writes
 */
import {
  LU_CONFIG_PHYSICAL_EXPONENT_AT,
  LU_CONFIG_ROTATION_AT,
  LU_FLAG_THIN,
  LU_MAX_COMPARE_AND_WRITE,
  LU_MAX_UNMAP,
  LU_MAX_UNMAP_DESCRIPTORS,
  LU_MAX_WRITE_SAME,
} from '../layout';
import { store_be16, store_be32, store_be64 } from '../bytes/endian';
import { atomic_granularity, atomic_max } from './compound';
import { LogicalUnit, config_at } from './unit';

const UGAVALID: u32 = 0x80000000;

/** Block Limits, PAGE LENGTH 003Ch; offsets are from byte 4 of the page. */
export function block_limits(unit: LogicalUnit, body: usize): u32 {
  const physical: u32 = 1 << load<u32>(config_at(unit), LU_CONFIG_PHYSICAL_EXPONENT_AT);
  store<u8>(body, 0x01); // WSNZ: WRITE SAME of 0 blocks is refused
  store<u8>(body, LU_MAX_COMPARE_AND_WRITE, 1);
  store_be16(body + 2, physical); // OPTIMAL TRANSFER LENGTH GRANULARITY
  store_be32(body + 4, unit.maxTransferBlocks);
  store_be32(body + 8, min<u32>(unit.maxTransferBlocks, (1 << 20) >> (unit.blockBytes == 512 ? 9 : 12)));
  if (unit.flags & LU_FLAG_THIN) {
    store_be32(body + 16, LU_MAX_UNMAP);
    store_be32(body + 20, LU_MAX_UNMAP_DESCRIPTORS);
    store_be32(body + 24, physical); // OPTIMAL UNMAP GRANULARITY
    store_be32(body + 28, UGAVALID); // UNMAP GRANULARITY ALIGNMENT 0
  }
  store_be64(body + 32, LU_MAX_WRITE_SAME);
  store_be32(body + 40, atomic_max(unit));
  store_be32(body + 44, atomic_granularity(unit)); // ATOMIC ALIGNMENT
  store_be32(body + 48, atomic_granularity(unit)); // ATOMIC TRANSFER LENGTH GRANULARITY
  return 60; // no boundaries within an atomic write
}

export function block_characteristics(unit: LogicalUnit, body: usize): u32 {
  store_be16(body, load<u32>(config_at(unit), LU_CONFIG_ROTATION_AT));
  return 60;
}

/** Thin: LBPU, LBPWS, LBPWS10, LBPRZ 001b, PROVISIONING TYPE 2; else nothing. No threshold, no anchors. */
export function block_provisioning(unit: LogicalUnit, body: usize): u32 {
  if (unit.flags & LU_FLAG_THIN) {
    store<u8>(body, 0xe4, 1);
    store<u8>(body, 0x02, 2);
  }
  return 4;
}
