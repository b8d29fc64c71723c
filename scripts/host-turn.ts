/** Lets the host take signals and move output between two batches of board time. */
export function hostTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
