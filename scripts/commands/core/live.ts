// A board of a pair that sparecore serve runs: live:a, live:b, or live:a@SOCKET where several pairs are served.
import { readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LiveSource } from '../../../boards/core/live-source.ts';
import type { LiveAnswer } from '../../../boards/core/live-board.ts';
import { EXIT_BAD_CORE, InputError } from '../../../boards/input-error.ts';

/** Base64 of the largest read, and the rest of the answer. */
const ANSWER_MAX = 1 << 22;

/** Null when `spec` names no live board. */
export async function openLive(spec: string): Promise<LiveSource | null> {
  const found = /^live:([ab])(?:@(.+))?$/.exec(spec);
  if (found === null) {
    if (spec.startsWith('live:'))
      throw new InputError(`${spec}: a live board is live:a or live:b`, EXIT_BAD_CORE);
    return null;
  }
  const path = found[2] ?? onlySocket(spec);
  return LiveSource.open(found[1] as 'a' | 'b', (order) => ask(path, order));
}

/** [XDG Base Directory] $XDG_RUNTIME_DIR, else a folder of the user's own. */
function onlySocket(spec: string): string {
  const runtime = process.env['XDG_RUNTIME_DIR'];
  const folder = runtime
    ? join(runtime, 'sparecore')
    : join(tmpdir(), `sparecore-${process.getuid?.() ?? 0}`);
  const sockets = socketsIn(folder);
  if (sockets.length === 1) return join(folder, sockets[0]!);
  const why =
    sockets.length === 0
      ? 'no pair is served'
      : `${sockets.length} pairs are served: name one as ${spec}@SOCKET`;
  throw new InputError(`${spec}: ${why}`, EXIT_BAD_CORE);
}

function socketsIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^serve-\d+\.sock$/.test(name));
  } catch {
    return [];
  }
}

/** One line there, one line of JSON back. */
function ask(path: string, order: string): Promise<LiveAnswer> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string): void => reject(new InputError(`${path}: ${why}`, EXIT_BAD_CORE));
    let text = '';
    const socket = createConnection(path, () => socket.write(`${order}\n`));
    socket.setEncoding('utf8');
    socket.on('error', (error: NodeJS.ErrnoException) => refuse(`no pair is served there (${error.code})`));
    socket.on('data', (part: string) => {
      text += part;
      if (text.length > ANSWER_MAX) socket.destroy();
    });
    socket.on('close', () => {
      const answer = answerOf(text);
      if (answer === null) refuse('gives no answer that can be read');
      else resolve(answer);
    });
  });
}

function answerOf(text: string): LiveAnswer | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'ok' in value ? (value as LiveAnswer) : null;
  } catch {
    return null;
  }
}
