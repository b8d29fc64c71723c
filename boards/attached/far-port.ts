/** A serial port in a process of its own, as if it were open here. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EXIT_BAD_PORT, InputError } from '../input-error.ts';
import type { Ready } from './letters.ts';

export interface FarPort {
  onData: (bytes: Uint8Array) => void;
  onGone: () => void;
  /** Calls back when the port's process has taken all of it; never, when it is gone meanwhile. */
  write(bytes: Uint8Array, taken: () => void): void;
  close(): void;
}

export async function openFarPort(path: string, baud: number): Promise<FarPort> {
  const script = fileURLToPath(new URL('./port-process.js', import.meta.url));
  const child = fork(script, [path, String(baud)], {
    execArgv: [],
    stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
  });
  const open: FarPort = {
    onData: () => {},
    onGone: () => {},
    write: (bytes, taken) =>
      void child.stdin!.write(bytes, (error) => {
        if (error === null || error === undefined) taken();
      }),
    close: () => void child.stdin!.end(),
  };
  child.stdin!.on('error', () => open.onGone());
  child.stdout!.on('data', (bytes: Uint8Array) => open.onData(bytes));
  const { bad } = await new Promise<Ready>((resolve) => {
    child.once('message', (message) => resolve(message as Ready));
    child.once('exit', () => resolve({ bad: `${path}: its process ended at once` }));
  });
  child.on('exit', () => open.onGone());
  child.disconnect();
  if (bad !== null) throw new InputError(bad, EXIT_BAD_PORT);
  return open;
}
