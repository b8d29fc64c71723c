/**
 * Tasks that end because of another one. The host keeps the task set and does the ending; here is said whose.
 *
 * [SAM-5] 5.6 aborting commands, table 36 unit attention conditions; [SPC-4] 7.5.8 QERR and TAS
 */
import {
  LU_CONTROL_QERR,
  LU_CONTROL_QERR_OWN,
  LU_CONTROL_TAS,
  NEXUS_MAX,
  TASK_ABORT_LO_AT,
  TASK_NEXUS_AT,
  TASK_PENDING_LO_AT,
} from '../layout';
import { SENSE_COMMANDS_CLEARED } from '../scsi/sense';
import { attention_post } from './attention';
import { LogicalUnit, nexus_at } from './unit';

/** Tasks of these nexuses were aborted by another one: with TAS 0 they hear of it by a unit attention. */
export function commands_cleared(unit: LogicalUnit, nexuses: u64): void {
  if (unit.control & LU_CONTROL_TAS) return;
  for (let i: u32 = 0; i < <u32>NEXUS_MAX; i++) {
    if ((nexuses >> i) & 1) attention_post(nexus_at(unit, i), SENSE_COMMANDS_CLEARED);
  }
}

/** A task ends with CHECK CONDITION: QERR 01b aborts all others of the task set, 11b those of its nexus. */
export function abort_on_check(unit: LogicalUnit, task: usize): void {
  if (!(unit.control & LU_CONTROL_QERR)) return;
  const index = load<u32>(task, TASK_NEXUS_AT);
  if (index >= <u32>NEXUS_MAX) return;
  const own = (<u64>1) << index;
  if (unit.control & LU_CONTROL_QERR_OWN) {
    store<u64>(task, own, TASK_ABORT_LO_AT);
    return;
  }
  store<u64>(task, u64.MAX_VALUE, TASK_ABORT_LO_AT);
  commands_cleared(unit, load<u64>(task, TASK_PENDING_LO_AT) & ~own);
}
