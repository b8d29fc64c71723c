/** The host's monotonic clock: for measuring sparecore itself, never for anything a run depends on. */
export function hostNanoseconds(): bigint {
  return process.hrtime.bigint();
}

/** CPU time that this process has used: what a core does in a second, however many others want it. */
export function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
