/**
 * Status codes and task attributes.
 *
 * [SAM-5] 5.3.1 "Status codes", 8.6 "Task attributes"
 */
export const GOOD = 0x00;
export const CHECK_CONDITION = 0x02;
export const CONDITION_MET = 0x04;
export const BUSY = 0x08;
export const RESERVATION_CONFLICT = 0x18;
export const TASK_SET_FULL = 0x28;
export const ACA_ACTIVE = 0x30;
export const TASK_ABORTED = 0x40;

export const SIMPLE = 0;
export const HEAD_OF_QUEUE = 1;
export const ORDERED = 2;
export const ACA = 4;
