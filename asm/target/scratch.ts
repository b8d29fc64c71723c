/**
 * One page of working memory for what is put together within a call: parameter data before it is cut, a TransportID
 * in its canonical form. Nothing in it lasts from call to call, so it is no part of any state.
 */
export const SCRATCH_BYTES: u32 = 1024;
export const SCRATCH = memory.data(1024, 16);
/** Two TransportIDs may be in hand at once. */
export const ID_SCRATCH = memory.data(256, 16);
export const OWN_ID_SCRATCH = memory.data(256, 16);
