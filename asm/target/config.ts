/**
 * The configuration of a logical unit, as lu_create took it.
 *
 * [layout] LU_CONFIG_*
 * [SPC-4] 4.3.1 ASCII data fields: printable, left-aligned, padded with blanks
 */
import {
  LU_BAD_BLOCKS,
  LU_BAD_BLOCK_BYTES,
  LU_BAD_EXPONENT,
  LU_CONFIG_BLOCKS_LO_AT,
  LU_CONFIG_BLOCK_BYTES_AT,
  LU_CONFIG_PHYSICAL_EXPONENT_AT,
  LU_CONFIG_PROTOCOL_AT,
  LU_OK,
} from '../layout';
import { LogicalUnit, NEXUS_ID_AT, Nexus, config_at } from './unit';

export const SERIAL_BYTES: u32 = 20;
export const ISCSI: u32 = 5;
const SAS: u32 = 6;

/** LU_OK, or what is wrong with a configuration. Byte addresses of the medium fit in 63 bits. */
export function config_check(config: usize): u32 {
  const blockBytes = load<u32>(config, LU_CONFIG_BLOCK_BYTES_AT);
  if (blockBytes != 512 && blockBytes != 4096) return LU_BAD_BLOCK_BYTES;
  const blocks = load<u64>(config, LU_CONFIG_BLOCKS_LO_AT);
  if (!blocks || blocks > (<u64>1) << 48) return LU_BAD_BLOCKS;
  return load<u32>(config, LU_CONFIG_PHYSICAL_EXPONENT_AT) > 15 ? LU_BAD_EXPONENT : LU_OK;
}

/** Copies a text field; what is not printable becomes a blank. */
export function config_text(out: usize, from: usize, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i++) {
    const c: u32 = load<u8>(from + i);
    store<u8>(out + i, c - 0x20 < 0x5f ? c : 0x20);
  }
}

/** Protocol identifier of the target ports by configuration, [SPC-4] 7.6.1. */
function protocol(unit: LogicalUnit): u32 {
  const identifier = load<u32>(config_at(unit), LU_CONFIG_PROTOCOL_AT) & 15;
  return identifier ? identifier : SAS;
}

/** Protocol identifier of the target port that a nexus uses: iSCSI where its TransportID says so. */
export function nexus_protocol(unit: LogicalUnit, nexus: Nexus): u32 {
  const own: u32 = load<u8>(changetype<usize>(nexus) + NEXUS_ID_AT) & 15;
  return own == ISCSI ? ISCSI : protocol(unit);
}
