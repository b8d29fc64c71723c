/**
 * VPD pages of direct access block devices.
 *
 * [SBC-3] 6.5.3 Block Device Characteristics, 6.5.4 Block Limits, 6.5.5 Logical Block Provisioning
 */
import { LU_CONFIG_PHYSICAL_EXPONENT_AT, LU_CONFIG_ROTATION_AT } from '../layout';
import { store_be16, store_be32 } from '../bytes/endian';
import { LogicalUnit, config_at } from './unit';

/** Block Limits, PAGE LENGTH 003Ch. COMPARE AND WRITE, UNMAP and WRITE SAME are not built in: their fields are 0. */
export function block_limits(unit: LogicalUnit, body: usize): u32 {
  store<u8>(body, 0x01); // WSNZ: WRITE SAME of 0 blocks is refused
  store_be16(body + 2, 1 << load<u32>(config_at(unit), LU_CONFIG_PHYSICAL_EXPONENT_AT)); // OPTIMAL GRANULARITY
  store_be32(body + 4, unit.maxTransferBlocks);
  store_be32(body + 8, min<u32>(unit.maxTransferBlocks, (1 << 20) >> (unit.blockBytes == 512 ? 9 : 12)));
  return 60;
}

export function block_characteristics(unit: LogicalUnit, body: usize): u32 {
  store_be16(body, load<u32>(config_at(unit), LU_CONFIG_ROTATION_AT));
  return 60;
}

/** No provisioning: LBPU, LBPWS, LBPWS10 0, PROVISIONING TYPE 0. */
export function block_provisioning(body: usize): u32 {
  return 4;
}
