/** Waits, of the host's time: for a process or a device of the real world. */
export const hostPause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

const LONGEST_MS = 2 ** 31 - 1;

/** Keeps the process alive for `ms`, or until it is let go. */
export function hostHold(ms: number = LONGEST_MS): { over: Promise<void>; letGo: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.min(ms, LONGEST_MS))));
  return { over, letGo: () => clearTimeout(timer) };
}
