// What a measurement gives.
/** Seconds. `cpu`: of all its threads; `busy`: of that thread which had most to do. */
export interface Timed {
  wall: number;
  cpu: number;
  busy: number;
  /** What the operation counted: bytes stored, chunks, a checksum. */
  count: number;
}

/** From a line of the helper: wall and CPU nanoseconds, and a count. */
export function timedOf(line: string): Timed {
  const [wall, cpu, count] = line.split(/\s/).map(Number);
  return { wall: wall! / 1e9, cpu: cpu! / 1e9, busy: cpu! / 1e9, count: count! };
}
