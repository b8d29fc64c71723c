// A process that has nothing but one serial port: bytes from standard input go out, bytes that come go to standard
// output. The native part of the serial library works in the main thread of a process only, and in that of a run board
// time is waited for.
import { realHost } from '../host.ts';
import { realBinding } from '../serial/binding.ts';
import { openPort } from '../serial/port.ts';
import type { Ready } from './letters.ts';
import { paced } from './pace.ts';

const [path = '', baud = ''] = process.argv.slice(2);

async function serve(): Promise<void> {
  const binding = paced(await realBinding(), realHost());
  const port = await openPort({ path, baud: Number(baud), binding });
  const end = (): void => {
    void port.close().then(() => process.exit(0));
  };
  port.onClose = end;
  port.onData = (bytes) => void process.stdout.write(bytes);
  process.stdout.on('error', end);
  process.stdin.on('error', end);
  process.stdin.on('end', end);
  process.stdin.on('data', (bytes: Uint8Array) => {
    process.stdin.pause();
    port.write(bytes, () => process.stdin.resume());
  });
}

const say = (bad: string | null): void => void process.send?.({ bad } satisfies Ready);

// Signals of the terminal are for the run, which ends this process by closing its input.
process.on('SIGINT', () => {});
serve().then(
  () => say(null),
  (error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  },
);
