// The socket that a served pair takes orders on: in a folder that only its user may enter, one line in, one line out.
import { chmodSync, lstatSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LiveAnswer } from '../boards/core/live-board.ts';
import { InputError } from '../boards/input-error.ts';
import { ORDER_MAX } from '../boards/operator.ts';
import { EXIT_UNAVAILABLE } from './exit-codes.ts';

/** What an order came to. */
export interface Answer extends LiveAnswer {
  ok: boolean;
  /** What was done, or why it was not. */
  text?: string;
  status?: unknown;
}

const CONNECTIONS_MAX = 16;
/** An answer is a status at most: some hundred bytes a disk and a session. */
const ANSWER_MAX = 1 << 22;

/** [XDG Base Directory] $XDG_RUNTIME_DIR is the user's alone; without one, a folder of that kind is made. */
export function controlFolder(env: NodeJS.ProcessEnv = process.env): string {
  const uid = process.getuid?.();
  if (uid === undefined) throw new InputError('the control socket needs a Unix system', EXIT_UNAVAILABLE);
  const runtime = env['XDG_RUNTIME_DIR'];
  const folder = runtime ? join(runtime, 'sparecore') : join(tmpdir(), `sparecore-${uid}`);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') {
      throw new InputError(`${folder}: cannot be made (${code}); set XDG_RUNTIME_DIR`, EXIT_UNAVAILABLE);
    }
  }
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o077) !== 0) {
    throw new InputError(
      `${folder}: is not a folder that only you can enter; remove it, or chmod 700 it`,
      EXIT_UNAVAILABLE,
    );
  }
  return folder;
}

/** Listens; `answer` is given each order. */
export async function listenForOrders(answer: (order: string) => Answer): Promise<{
  path: string;
  close: () => void;
}> {
  const folder = controlFolder();
  const path = join(folder, `serve-${process.pid}.sock`);
  const server = createServer((socket) => serveOne(socket, answer));
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, path);
  chmodSync(path, 0o600);
  return { path, close: () => void server.close() };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        unlinkSync(path); // of a process that had this number before
        server.listen(path);
        return;
      }
      reject(new InputError(`${path}: cannot listen (${error.code})`, EXIT_UNAVAILABLE));
    });
    server.listen(path, resolve);
  });
}

function serveOne(socket: Socket, answer: (order: string) => Answer): void {
  let text = '';
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('data', (part: string) => {
    text += part;
    const end = text.indexOf('\n');
    if (end < 0 && text.length <= ORDER_MAX) return;
    socket.removeAllListeners('data');
    socket.resume();
    const told =
      end < 0
        ? { ok: false, text: `an order has at most ${ORDER_MAX} characters` }
        : answer(text.slice(0, end));
    socket.end(`${JSON.stringify(told)}\n`);
  });
}

/** Gives an order to the pair that is served on `path`, or to the only one there is. */
export async function giveOrder(order: string, path: string | null): Promise<Answer> {
  if (path !== null) {
    const answer = await ask(path, order);
    if (answer !== null) return answer;
    throw new InputError(
      `${path}: no pair is served there; sparecore serve prints its path`,
      EXIT_UNAVAILABLE,
    );
  }
  const folder = controlFolder();
  const alive: string[] = [];
  for (const name of readdirSync(folder).toSorted()) {
    if (!/^serve-\d+\.sock$/.test(name)) continue;
    const each = join(folder, name);
    if (await isAlive(each)) alive.push(each);
    else unlinkSync(each);
  }
  if (alive.length > 1) {
    throw new InputError(
      `${alive.length} pairs are served: choose one with --control: ${alive.join(' ')}`,
      EXIT_UNAVAILABLE,
    );
  }
  const answer = alive[0] === undefined ? null : await ask(alive[0], order);
  if (answer === null) throw new InputError('no pair is served: start sparecore serve', EXIT_UNAVAILABLE);
  return answer;
}

const isAlive = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

/** Null when nobody answers. */
function ask(path: string, order: string): Promise<Answer | null> {
  return new Promise((resolve) => {
    let text = '';
    const socket = createConnection(path, () => socket.write(`${order.replaceAll('\n', ' ')}\n`));
    socket.setEncoding('utf8');
    socket.on('error', () => resolve(null));
    socket.on('data', (part: string) => {
      text += part;
      if (text.length > ANSWER_MAX) socket.destroy();
    });
    socket.on('close', () => resolve(answerOf(text)));
  });
}

function answerOf(text: string): Answer | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'ok' in value ? (value as Answer) : null;
  } catch {
    return null;
  }
}
