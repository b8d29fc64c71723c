/**
 * PERSISTENT RESERVE IN and OUT: codes and the parameter list.
 *
 * [SPC-4] 6.15.1 table 201, 6.15.3.3 scope, 6.15.3.4 type, 6.16.2 table 213, 6.16.3 table 214, 6.16.4 table 217
 */
export const PR_IN_READ_KEYS = 0x00;
export const PR_IN_READ_RESERVATION = 0x01;
export const PR_IN_REPORT_CAPABILITIES = 0x02;
export const PR_IN_READ_FULL_STATUS = 0x03;

export const PR_OUT_REGISTER = 0x00;
export const PR_OUT_RESERVE = 0x01;
export const PR_OUT_RELEASE = 0x02;
export const PR_OUT_CLEAR = 0x03;
export const PR_OUT_PREEMPT = 0x04;
export const PR_OUT_PREEMPT_AND_ABORT = 0x05;
export const PR_OUT_REGISTER_AND_IGNORE_EXISTING_KEY = 0x06;
export const PR_OUT_REGISTER_AND_MOVE = 0x07;

export const LU_SCOPE = 0;

export const NO_RESERVATION = 0;
export const WRITE_EXCLUSIVE = 1;
export const EXCLUSIVE_ACCESS = 3;
export const WRITE_EXCLUSIVE_REGISTRANTS_ONLY = 5;
export const EXCLUSIVE_ACCESS_REGISTRANTS_ONLY = 6;
export const WRITE_EXCLUSIVE_ALL_REGISTRANTS = 7;
export const EXCLUSIVE_ACCESS_ALL_REGISTRANTS = 8;

/** Offsets in the parameter list of PERSISTENT RESERVE OUT. */
export const PR_LIST_BYTES = 24;
export const PR_LIST_KEY_AT = 0; // u64
export const PR_LIST_ACTION_KEY_AT = 8; // u64
export const PR_LIST_FLAGS_AT = 20; // u8, PR_FLAG_*
export const PR_LIST_IDS_BYTES_AT = 24; // u32, with SPEC_I_PT
export const PR_LIST_IDS_AT = 28;
export const PR_FLAG_APTPL = 0x01;
export const PR_FLAG_ALL_TG_PT = 0x04;
export const PR_FLAG_SPEC_I_PT = 0x08;

/** Offsets in the parameter list of REGISTER AND MOVE. */
export const PR_MOVE_FLAGS_AT = 17; // u8, PR_FLAG_APTPL, PR_MOVE_UNREG
export const PR_MOVE_PORT_AT = 18; // u16
export const PR_MOVE_ID_BYTES_AT = 20; // u32
export const PR_MOVE_ID_AT = 24;
export const PR_MOVE_UNREG = 0x02;
