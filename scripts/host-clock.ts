/** The host's monotonic clock: for measuring sparecore itself, never for anything a run depends on. */
export function hostNanoseconds(): bigint {
  return process.hrtime.bigint();
}
