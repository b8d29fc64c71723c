// Where a served pair tells what happens, and where an operator's orders come from: a terminal, or lines of JSON.
import { createInterface, type Interface } from 'node:readline';
import type { ServeEvent, ShelfPort } from '../boards/serving.ts';
import type { Status } from '../boards/status.ts';
import type { Answer } from './control-socket.ts';
import { seconds } from './render/format.ts';
import { initiatorText } from './render/initiators.ts';
import { lookOf, paint } from './render/look.ts';
import { statusLines } from './render/status.ts';

interface Ready {
  ready: true;
  shelf: readonly ShelfPort[];
  control: string;
}

/** Where events are told and orders come from. */
export interface OrderConsole {
  ready(ready: Ready): void;
  event(event: ServeEvent): void;
  listen(obey: (line: string) => Answer, quit: () => void): void;
  close(): void;
}

const putJson = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

export function jsonConsole(): OrderConsole {
  let lines: Interface | null = null;
  let early: ServeEvent[] | null = [];
  return {
    ready: (ready) => {
      // The first line is the one that says ready.
      putJson(ready);
      for (const event of early ?? []) putJson(event);
      early = null;
    },
    event: (event) => {
      if (early === null) putJson(event);
      else early.push(event);
    },
    listen: (obey) => {
      lines = createInterface({ input: process.stdin });
      lines.on('line', (line) => putJson({ event: 'answer', order: line, ...obey(line) }));
    },
    close: () => {
      lines?.close();
      process.stdin.unref?.();
    },
  };
}

export function lineConsole(): OrderConsole {
  const look = lookOf(process.stdout, process.env);
  const terminal = look.live && process.stdin.isTTY;
  let lines: Interface | null = null;
  const put = (text: string): void => {
    if (terminal && lines !== null) process.stdout.write('\r\x1b[K');
    process.stdout.write(`${text}\n`);
    if (terminal) lines?.prompt(true);
  };
  return {
    ready: ({ shelf, control }) => {
      for (const { port, portal, target } of shelf) put(`port ${port}  ${portal}  ${target}`);
      put(`${shelf[0]!.luns.map(({ lun, disk }) => `${lun} ${disk}`).join('  ')}`);
      put(`control  ${control}`);
      put(paint(look, 'bold', 'ready; help lists the orders'));
    },
    event: (event) => put(eventLine(event)),
    listen: (obey, quit) => {
      lines = createInterface({
        input: process.stdin,
        output: process.stdout,
        terminal,
        prompt: 'sparecore> ',
      });
      lines.on('line', (line) => {
        if (line.trim() !== '') for (const each of answerLines(obey(line))) put(each);
        else if (terminal) lines?.prompt();
      });
      lines.on('SIGINT', quit);
      if (terminal) lines.prompt();
    },
    close: () => {
      if (terminal) process.stdout.write('\r\x1b[K');
      lines?.close();
      process.stdin.unref?.();
    },
  };
}

export function answerLines({ ok, text, status }: Answer): string[] {
  if (status !== undefined) return statusLines(status as Status);
  if (text === undefined) return [];
  return [ok ? text : `refused: ${text}`];
}

function eventLine(event: ServeEvent): string {
  const at = seconds(event.at_s).padStart(10);
  switch (event.event) {
    case 'step':
      return `${at}  ${event.board}  ${event.text}`;
    case 'order':
      return `${at}  -  ${event.text}`;
    case 'violation':
      return `${at}  VIOLATED ${event.text}`;
    case 'session-opened':
    case 'session-closed':
    case 'login-refused':
    case 'reservation-lost':
    case 'connection-refused':
    case 'connection-dropped':
      return `${at}  *  ${initiatorText(event)}`;
  }
}
