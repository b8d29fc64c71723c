/** Nobody answered in time. */
export class NoAnswer extends Error {}
/** The line is gone. */
export class LineLost extends Error {}
