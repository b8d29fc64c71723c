/** Lets the host take signals and move output between two batches of board time. */
export function hostTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Comes back after so many milliseconds of the host. */
export function hostPause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
