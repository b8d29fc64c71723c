/**
 * A logical unit comes to be, is powered on, is reset.
 *
 * [SAM-5] 6.3.1 power on, 6.3.2 hard reset, 6.3.3 logical unit reset
 * [SPC-4] 5.13.5.1 what of a persistent reservation outlives which; 6.15.2 PRgeneration is 0 after power on
 */
import {
  LU_CONFIG_BLOCKS_LO_AT,
  LU_CONFIG_BLOCK_BYTES_AT,
  LU_CONFIG_BYTES,
  LU_CONFIG_FLAGS_AT,
  LU_CONFIG_MAX_TRANSFER_AT,
  LU_MAX_TRANSFER,
  LU_OK,
  NEXUS_MAX,
  RESET_HARD,
  RESET_LOGICAL_UNIT,
} from '../layout';
import {
  SENSE_BUS_RESET,
  SENSE_DEVICE_RESET_FUNCTION,
  SENSE_INTERNAL_RESET,
  SENSE_POWER_ON,
} from '../scsi/sense';
import { attention_post_all } from './attention';
import { config_check } from './config';
import { copy_forget } from './copy-results';
import { counters_reset } from './counters';
import { echo_forget } from './echo-buffer';
import { LOG_SUPPORTED } from './log-page';
import { mode_restore } from './mode-pages';
import { nv_load } from './nv';
import { LogicalUnit, NEXUS_REMEMBERED, NEXUS_UNUSED, UNIT_BYTES, config_at, nexus_at } from './unit';

/** The largest transfer whose bytes fit in 32 bits, in blocks of 4096 and their protection information. */
const MAX_TRANSFER_BLOCKS: u32 = 0xff800;

/** A new logical unit, powered on, with no nexus and an empty non-volatile image. LU_OK, or LU_BAD_*. */
export function create(unit: LogicalUnit, config: usize): u32 {
  const answer = config_check(config);
  if (answer != LU_OK) return answer;
  memory.fill(changetype<usize>(unit), 0, UNIT_BYTES);
  memory.copy(config_at(unit), config, LU_CONFIG_BYTES);
  const maxTransfer = load<u32>(config, LU_CONFIG_MAX_TRANSFER_AT);
  unit.blocks = load<u64>(config, LU_CONFIG_BLOCKS_LO_AT);
  unit.blockBytes = load<u32>(config, LU_CONFIG_BLOCK_BYTES_AT);
  unit.maxTransferBlocks = maxTransfer ? min(maxTransfer, MAX_TRANSFER_BLOCKS) : LU_MAX_TRANSFER;
  unit.flags = load<u32>(config, LU_CONFIG_FLAGS_AT);
  power_on(unit);
  return LU_OK;
}

/** What is volatile is gone; registrations and reservation are those of the non-volatile image. */
export function power_on(unit: LogicalUnit): void {
  unit.stopped = 0;
  unit.generation = 0;
  copy_forget(unit);
  unit.spc2Holder = 0;
  unit.powerCondition = 0;
  echo_forget(unit, NEXUS_MAX);
  unit.startStops++;
  counters_reset(unit, LOG_SUPPORTED);
  for (let i: u32 = 0; i < <u32>NEXUS_MAX; i++) {
    const nexus = nexus_at(unit, i);
    if (nexus.state == NEXUS_REMEMBERED) nexus.state = NEXUS_UNUSED;
    if (nexus.state == NEXUS_UNUSED) nexus.registration = 0;
  }
  nv_load(unit);
  mode_restore(unit);
  attention_post_all(unit, SENSE_POWER_ON);
}

/** Persistent reservations and registrations stay; a reservation of RESERVE goes, [SPC-2] 7.21. */
export function reset(unit: LogicalUnit, kind: u32): void {
  unit.stopped = 0;
  unit.spc2Holder = 0;
  copy_forget(unit);
  unit.powerCondition = 0;
  echo_forget(unit, NEXUS_MAX);
  mode_restore(unit);
  attention_post_all(
    unit,
    kind == RESET_HARD
      ? SENSE_BUS_RESET
      : kind == RESET_LOGICAL_UNIT
        ? SENSE_DEVICE_RESET_FUNCTION
        : SENSE_INTERNAL_RESET,
  );
}
