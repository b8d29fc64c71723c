/** What a board that speaks SMP can be asked. [SMP] smp_groups/smp_group_0.rst, smp_group_1.rst */
import { SMP_GROUP_BOARD, SMP_GROUP_IMAGE, SMP_GROUP_OS } from '../../../firmware/bootloader/layout.ts';
import type { CborMap, CborValue } from './cbor.ts';
import type { SmpClient } from './client.ts';
import { OP_READ, OP_WRITE, type Reply } from './packet.ts';
import { Refused, checked, resultOf } from './refusal.ts';

const ECHO = { op: OP_WRITE, group: SMP_GROUP_OS, id: 0 };
const RESET = { op: OP_WRITE, group: SMP_GROUP_OS, id: 5 };
const PARAMETERS = { op: OP_READ, group: SMP_GROUP_OS, id: 6 };
const STATE = { op: OP_READ, group: SMP_GROUP_IMAGE, id: 0 };
const SET_STATE = { op: OP_WRITE, group: SMP_GROUP_IMAGE, id: 0 };
const ERASE = { op: OP_WRITE, group: SMP_GROUP_IMAGE, id: 5 };
const BOARD = { op: OP_READ, group: SMP_GROUP_BOARD, id: 0 };
const NOT_SUPPORTED = 8;

const ANSWER_MS = 1000;
/** Verifying images takes its time on a small CPU. */
const VERIFY_MS = 10_000;
/** A whole slot, sector by sector. */
const ERASE_MS = 60_000;
const TRIES = 5;

export interface Parameters {
  bufferBytes: number;
  buffers: number;
}

/** Of a server that does not tell: what Zephyr's console takes by default. */
const SMALLEST: Parameters = { bufferBytes: 384, buffers: 1 };
const BUFFER_LEAST = 96;
const BUFFER_MOST = 16_384;
const BUFFERS_MOST = 16;

export interface BoardInfo {
  kind: number | null;
  keyHash: Uint8Array | null;
  counter: number;
  room: number;
}

export interface ImageState {
  slot: number;
  version: string;
  hash: Uint8Array;
  pending: boolean;
  confirmed: boolean;
  active: boolean;
}

const isMap = (value: CborValue | undefined): value is CborMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
const within = (value: CborValue | undefined, least: number, most: number): number | null =>
  typeof value === 'number' && value >= least ? Math.min(value, most) : null;

/** True when the board says back what it is told. */
export async function echo(client: SmpClient, ms: number, tries: number): Promise<boolean> {
  const text = 'sparecore';
  const reply = await client.ask(ECHO, { d: text }, ms, tries);
  return reply.body['r'] === text;
}

export async function parameters(client: SmpClient): Promise<Parameters> {
  const { body } = await client.ask(PARAMETERS, {}, ANSWER_MS, TRIES);
  return {
    bufferBytes: within(body['buf_size'], BUFFER_LEAST, BUFFER_MOST) ?? SMALLEST.bufferBytes,
    buffers: within(body['buf_count'], 1, BUFFERS_MOST) ?? SMALLEST.buffers,
  };
}

/** Null: a board that is not ours and cannot say. */
export async function boardInfo(client: SmpClient): Promise<BoardInfo | null> {
  const reply = await client.ask(BOARD, {}, ANSWER_MS, TRIES);
  if (resultOf(reply) !== 0) return null;
  const { kind, key, counter, room } = reply.body;
  return {
    kind: typeof kind === 'number' ? kind : null,
    keyHash: key instanceof Uint8Array ? key : null,
    counter: typeof counter === 'number' ? counter : 0,
    room: typeof room === 'number' ? room : Number.POSITIVE_INFINITY,
  };
}

function statesIn({ body }: Reply): ImageState[] {
  const listed = body['images'];
  if (!Array.isArray(listed)) return [];
  return listed.filter(isMap).map((image) => ({
    slot: typeof image['slot'] === 'number' ? image['slot'] : 0,
    version: typeof image['version'] === 'string' ? image['version'].replaceAll(/[^\w.+-]/g, '?') : '?',
    hash: image['hash'] instanceof Uint8Array ? image['hash'] : new Uint8Array(),
    pending: image['pending'] === true,
    confirmed: image['confirmed'] === true,
    active: image['active'] === true,
  }));
}

export async function images(client: SmpClient): Promise<ImageState[]> {
  return statesIn(checked(await client.ask(STATE, {}, VERIFY_MS, TRIES), 'to list its images'));
}

/** The image of that digest boots next: on trial, or for good. */
export async function select(client: SmpClient, hash: Uint8Array, confirm: boolean): Promise<ImageState[]> {
  const reply = await client.ask(SET_STATE, { hash, confirm }, VERIFY_MS, TRIES);
  return statesIn(checked(reply, 'the image'));
}

/** Erases the slot that takes uploads. */
export async function erase(client: SmpClient): Promise<void> {
  checked(await client.ask(ERASE, {}, ERASE_MS, 2), 'to erase a slot');
}

/** It answers first, and then is gone for a moment; without an answer it may have reset already. */
export async function reset(client: SmpClient): Promise<void> {
  const reply = await client.ask(RESET, {}, ANSWER_MS, TRIES);
  if (resultOf(reply) === NOT_SUPPORTED) throw new Refused('to reset', NOT_SUPPORTED);
}
