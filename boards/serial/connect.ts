/**
 * Who is there? Opens a port at one speed after the other and tries the protocols: first the one that harms nobody
 * (7Fh, which a ROM bootloader measures the speed by, and everybody else drops), then SMP. Where nobody answers the
 * modem lines are pulsed, which on many boards is a reset into the bootloader.
 */
import { STM32_VERSION } from '../../firmware/bootloader/layout.ts';
import type { Host } from '../host.ts';
import { EXIT_BAD_BOARD, InputError } from '../input-error.ts';
import { LineLost, NoAnswer } from './line-error.ts';
import type { Port } from './port.ts';
import { echo } from './smp/board.ts';
import { SmpClient } from './smp/client.ts';
import { type Identity, Nack, Stm32Client } from './stm32/client.ts';

export type Protocol = 'smp' | 'stm32';
export type Wanted = Protocol | 'auto';
export type OpenPort = (baud: number, parity: 'none' | 'even') => Promise<Port>;

export interface ConnectOptions {
  host: Host;
  open: OpenPort;
  path: string;
  bauds: readonly number[];
  wanted: Wanted;
}

export type Connection =
  | { protocol: 'smp'; baud: number; port: Port; client: SmpClient }
  | { protocol: 'stm32'; baud: number; port: Port; client: Stm32Client; identity: Identity };

const SYNC_MS = 250;
const ECHO_MS = 400;
const ECHO_TRIES = 2;
const PULSE_MS = 100;
const AFTER_RESET_MS = 60;

const sleep = (host: Host, ms: number): Promise<void> =>
  new Promise((resolve) => void host.after(ms, resolve));

async function trySmp({ host, open }: ConnectOptions, baud: number): Promise<Connection | null> {
  const port = await open(baud, 'none');
  const client = new SmpClient(host, port);
  client.sendNewline();
  try {
    if (await echo(client, ECHO_MS, ECHO_TRIES)) return { protocol: 'smp', baud, port, client };
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
  }
  await port.close();
  return null;
}

async function tryStm32({ host, open, wanted }: ConnectOptions, baud: number): Promise<Connection | null> {
  const port = await open(baud, 'even');
  const client = new Stm32Client(host, port);
  try {
    if (await client.sync(SYNC_MS)) {
      const identity = await client.identity();
      const isOurs = identity.version === STM32_VERSION;
      if (wanted === 'stm32' || !isOurs) return { protocol: 'stm32', baud, port, client, identity };
    }
  } catch (error) {
    if (!(error instanceof NoAnswer || error instanceof Nack)) throw error;
  }
  await port.close();
  return null;
}

async function tryAll(options: ConnectOptions): Promise<Connection | null> {
  for (const baud of options.bauds) {
    const found =
      (options.wanted === 'smp' ? null : await tryStm32(options, baud)) ??
      (options.wanted === 'stm32' ? null : await trySmp(options, baud));
    if (found !== null) return found;
  }
  return null;
}

/** RTS off holds many boards in reset, DTR off at its end straps them to their bootloader. */
async function pulse({ host, open, bauds }: ConnectOptions): Promise<void> {
  const port = await open(bauds[0]!, 'none');
  try {
    if (!(await port.setLines({ dtr: false, rts: false }))) return; // as a PTY: there are no lines
    await sleep(host, PULSE_MS);
    await port.setLines({ dtr: false, rts: true });
    await sleep(host, AFTER_RESET_MS);
    await port.setLines({ dtr: true, rts: true });
  } finally {
    await port.close();
  }
}

function nobody({ path, bauds, wanted }: ConnectOptions): InputError {
  const speeds = `${bauds.join(' and ')} baud`;
  const tried = [
    ...(wanted === 'stm32' ? [] : [`SMP at ${speeds}, 8N1`]),
    ...(wanted === 'smp' ? [] : [`AN3155 (stm32) at ${speeds}, 8E1`]),
  ];
  return new InputError(
    `${path}: no answer; tried ${tried.join(', and ')}. Is the board powered and in its bootloader (reset it now), and ` +
      'are its RX and TX crossed?',
    EXIT_BAD_BOARD,
  );
}

export async function connect(options: ConnectOptions): Promise<Connection> {
  const found = await tryAll(options);
  if (found !== null) return found;
  // Without modem lines the second round is for a board that was starting, or checking an image, in the first.
  await pulse(options);
  const later = await tryAll(options);
  if (later === null) throw nobody(options);
  return later;
}

/** The line is gone: waits for the port to come back, as an adapter does when its cable is put in again. */
export async function reconnect(options: ConnectOptions, ms: number): Promise<Connection> {
  const { host } = options;
  const end = host.now() + ms * 1e6;
  for (;;) {
    try {
      return await connect(options);
    } catch (error) {
      if (!(error instanceof InputError || error instanceof LineLost) || host.now() >= end) throw error;
      await sleep(host, 250);
    }
  }
}
