/** Commands and steps of the takeover, and where a disk is in it. */

export const KIND_TAKE: u32 = 0x5000;

// The arbiter.
export const ANNOUNCE: u32 = KIND_TAKE; // our slot says that we are taking over

export const KEYS: u32 = KIND_TAKE + 1;
export const ARBITRATE: u32 = KIND_TAKE + 2;
export const VERDICT: u32 = KIND_TAKE + 3;
export const SLOT: u32 = KIND_TAKE + 4; // the partner's last word

// A disk.
export const HEADER: u32 = KIND_TAKE + 5;

export const HOLDER: u32 = KIND_TAKE + 6;
export const PREEMPT: u32 = KIND_TAKE + 7;
export const VERIFY: u32 = KIND_TAKE + 8;
export const REGISTER: u32 = KIND_TAKE + 9;
export const CLOSE: u32 = KIND_TAKE + 10; // the attribute leaves dumping
export const LEND: u32 = KIND_TAKE + 11;

/** Steps of the takeover. */
export const TAKE_NONE: u32 = 0;
export const TAKE_ARBITER: u32 = 1;
export const TAKE_DISKS: u32 = 2;
export const TAKE_DONE: u32 = 3;
export const TAKE_RETRY: u32 = 4; // the mailbox disk does not answer

/** Where a disk is in it. */
export const D_NONE: u32 = 0;
export const D_BUSY: u32 = 1;
export const D_LEFT: u32 = 2; // to the dump
export const D_BACK: u32 = 3; // decided, held back by the sequential policy
export const D_TAKEN: u32 = 4;
export const D_FAILED: u32 = 5;
export const OUT_AT: usize = 0x3000;
export const LIST_AT: usize = 0x3f00;
export const POLL_US: u64 = 100000;
export const RETRY_US: u64 = 1000000;

/** How the partner's failure was seen, EV_LOST. */
export const SEEN_MESSAGE: u32 = 1;
export const SEEN_SILENCE: u32 = 2;
export const SEEN_MAILBOX: u32 = 3;
