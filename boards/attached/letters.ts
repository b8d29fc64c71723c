/** What the run and the thread that has the line say to each other. */
import type { MessagePort } from 'node:worker_threads';
import type { Chunk } from '../serial/link-end.ts';
import type { BoardAddress } from './address.ts';

/** Something to send and then an answer to wait for, or the end. */
export type ToLine = { send: Chunk[] } | { close: true };

/** What came, or why nothing will come. */
export type ToRun = { came: Chunk[]; frames: number } | { lost: string };

/** The line is there; or why not, for the user. */
export interface Ready {
  bad: string | null;
}

export interface LineData {
  shared: SharedArrayBuffer;
  port: MessagePort;
  address: BoardAddress;
  /** Firmware of a board in the line's own thread. */
  firmware: string;
  roomBytes: number;
}
