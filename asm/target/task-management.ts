/**
 * Task management functions that concern more than one task. The host keeps the task set: it is told which nexuses'
 * tasks to abort, and it tells which nexuses have any.
 *
 * [SAM-5] 7.1 task management functions, 7.3 ABORT TASK SET, 7.5 CLEAR TASK SET, 7.6 I_T NEXUS RESET, 7.7 LOGICAL
 *         UNIT RESET, 7.10 QUERY TASK SET, 7.11 QUERY ASYNCHRONOUS EVENT; 5.6 aborting commands: with TAS 0 the others learn of it by a unit attention
 */
import {
  RESET_LOGICAL_UNIT,
  TASK_ABORT_LO_AT,
  TASK_PENDING_LO_AT,
  TMF_ABORT_TASK_SET,
  TMF_CLEAR_TASK_SET,
  TMF_COMPLETE,
  TMF_I_T_NEXUS_RESET,
  TMF_LOGICAL_UNIT_RESET,
  TMF_NOT_SUPPORTED,
  TMF_QUERY_ASYNCHRONOUS_EVENT,
  TMF_QUERY_TASK_SET,
  TMF_SUCCEEDED,
} from '../layout';
import { SENSE_I_T_NEXUS_LOSS } from '../scsi/sense';
import { attention_post } from './attention';
import { commands_cleared } from './aborting';
import { reset } from './lifecycle';
import { nexus_of } from './nexus';
import { task_begin } from './task';
import { LogicalUnit } from './unit';

/** TMF_COMPLETE with TASK_ABORT set, TMF_SUCCEEDED, or TMF_NOT_SUPPORTED (ABORT TASK, QUERY TASK: the host's own). */
export function task_management(unit: LogicalUnit, index: u32, management: u32, task: usize): u32 {
  task_begin(task);
  const nexus = nexus_of(unit, index);
  if (nexus == null) return TMF_NOT_SUPPORTED;
  const own = (<u64>1) << index;
  switch (management) {
    case TMF_ABORT_TASK_SET:
      store<u64>(task, own, TASK_ABORT_LO_AT);
      return TMF_COMPLETE;
    case TMF_CLEAR_TASK_SET: // TST is 000b: one task set for all nexuses
      store<u64>(task, u64.MAX_VALUE, TASK_ABORT_LO_AT);
      commands_cleared(unit, load<u64>(task, TASK_PENDING_LO_AT) & ~own);
      return TMF_COMPLETE;
    case TMF_I_T_NEXUS_RESET:
      store<u64>(task, own, TASK_ABORT_LO_AT);
      if (unit.spc2Holder == index + 1) unit.spc2Holder = 0;
      attention_post(nexus, SENSE_I_T_NEXUS_LOSS);
      return TMF_COMPLETE;
    case TMF_LOGICAL_UNIT_RESET:
      store<u64>(task, u64.MAX_VALUE, TASK_ABORT_LO_AT);
      reset(unit, RESET_LOGICAL_UNIT);
      return TMF_COMPLETE;
    case TMF_QUERY_TASK_SET:
      return load<u64>(task, TASK_PENDING_LO_AT) & own ? TMF_SUCCEEDED : TMF_COMPLETE;
    case TMF_QUERY_ASYNCHRONOUS_EVENT:
      return nexus.attentions ? TMF_SUCCEEDED : TMF_COMPLETE;
    default:
      return TMF_NOT_SUPPORTED;
  }
}
