/** Waits, of the host's time: for a process or a device of the real world. */
export const hostPause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
