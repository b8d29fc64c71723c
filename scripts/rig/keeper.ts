// Keeps one rig: the line, a descriptor at each end of it so that the line outlives whoever opens and closes it, and the
// board, which is started again when it ends. Ends with all of it on SIGTERM.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, rmSync } from 'node:fs';
import { hostPause } from '../host-pause.ts';
import { boardProgram } from './kinds.ts';
import { type RigRecord, type RigReady, forget, remember } from './records.ts';

const record = JSON.parse(process.argv[2] ?? '{}') as RigRecord;
const LINE_MS = 5_000;
const LOOK_MS = 20;
/** A board that ends at once is not started again and again. */
const RESTART_MS = 500;

let over = false;
let board: ChildProcess | null = null;
const held: number[] = [];

const say = (ready: RigReady): void => {
  process.send?.(ready);
  if (process.connected) process.disconnect();
};

const ends = [record.port, record.boardPort];
const line = spawn(
  'socat',
  ends.map((end) => `pty,raw,echo=0,link=${end}`),
  { stdio: 'ignore' },
);
line.on('error', (error) => {
  say({
    bad: `socat: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not installed' : error.message}`,
  });
  end();
});
line.on('exit', () => end());

function end(): void {
  if (over) return;
  over = true;
  for (const descriptor of held) closeSync(descriptor);
  void Promise.all([gone(board, 'SIGKILL'), gone(line, 'SIGTERM')]).then(() => {
    for (const each of ends) rmSync(each, { force: true });
    forget(record);
    process.exit();
  });
}

/** Ends a child, and waits until it has ended: nobody else will. */
function gone(child: ChildProcess | null, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

function startBoard(): void {
  if (over) return;
  const { program, parameters } = boardProgram(record);
  board = spawn(program, parameters, { stdio: 'ignore' });
  board.on('error', () => end());
  board.on('exit', () => void hostPause(RESTART_MS).then(startBoard));
  remember({ ...record, pid: process.pid, boardPid: board.pid ?? 0 });
}

async function start(): Promise<void> {
  for (let waited = 0; !ends.every((each) => existsSync(each)); waited += LOOK_MS) {
    if (waited > LINE_MS) throw new Error('socat made no line');
    await hostPause(LOOK_MS);
  }
  for (const each of ends)
    held.push(openSync(each, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK));
  startBoard();
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);
start().then(
  () => say({ bad: null }),
  (error: unknown) => {
    say({ bad: (error as Error).message });
    end();
  },
);
