// The thread that has the line of one attached board.
import { parentPort, workerData } from 'node:worker_threads';
import { CpuLost } from '../cpu.ts';
import { Firmware } from '../emulated/firmware.ts';
import { InProcess } from '../serial/in-process.ts';
import type { InProcessAddress } from './address.ts';
import type { LineData, Ready, ToLine, ToRun } from './letters.ts';
import { Letters } from './mailbox.ts';
import { DEAD_US, serveSerial } from './serial-line.ts';

const data = workerData as LineData;
const letters = new Letters<ToRun, ToLine>(data, 'line');

function serveInProcess(address: InProcessAddress): void {
  const line = new InProcess(
    {
      firmware: new Firmware(data.firmware),
      roomBytes: data.roomBytes,
      seed: address.seed,
      baud: address.baud,
      faults: address.faults,
      pullAt: address.pullAt,
      resetAt: address.resetAt,
      deadUs: DEAD_US,
    },
    {
      next: () => {
        const letter = letters.wait();
        return letter === null || 'close' in letter ? null : letter.send;
      },
      answer: (came) =>
        letters.post(
          came instanceof CpuLost
            ? { lost: came.message }
            : { came, frames: line.toBoard.frames + line.toHost.frames },
        ),
    },
  );
  line.run();
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- this port is none of a window
const ready = (bad: string | null): void => parentPort!.postMessage({ bad } satisfies Ready);

if (data.address.kind === 'in-process') {
  ready(null);
  serveInProcess(data.address);
} else {
  serveSerial(letters, data.address).then(
    () => ready(null),
    (error: unknown) => ready(error instanceof Error ? error.message : String(error)),
  );
}
