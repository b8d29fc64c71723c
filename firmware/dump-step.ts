/** Steps of the panic handler. */

/** Steps of the handler. */
export const STEP_MAIL: u32 = 1; // our mailbox slot says that we dump, and where
export const STEP_MARK: u32 = 2; // the header says dumping
export const STEP_RUN: u32 = 3;
export const STEP_PROGRESS: u32 = 4; // a header with the progress is being written, the dump goes on
export const STEP_CLOSE: u32 = 5; // nothing more is sent; what is in flight comes back
export const STEP_END: u32 = 6; // the closing header
export const STEP_LEND: u32 = 7; // the partner has the disk: asked for it
export const STEP_REGISTER: u32 = 8;
export const STEP_RESERVE: u32 = 9;
export const STEP_MOVE: u32 = 10; // our reservation goes to the other path
export const STEP_LABEL: u32 = 12; // is it a spare of ours?
export const STEP_OVER: u32 = 11;
