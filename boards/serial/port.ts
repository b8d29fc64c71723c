/** A serial port that is open: @serialport/stream over a binding, as a SerialEnd. */
import { readFileSync } from 'node:fs';
import { SerialPortStream } from '@serialport/stream';
import { EXIT_BAD_PORT, InputError } from '../input-error.ts';
import { type Binding, realBinding } from './binding.ts';
import { type ModemLines, type SerialEnd, ignore } from './end.ts';
import { groupIn, portError } from './port-error.ts';

export interface PortOptions {
  path: string;
  baud: number;
  /** Even parity where the port can; `parity` of the open port says what it came to. */
  parity?: 'none' | 'even';
  /** Default: the ports of this machine. */
  binding?: Binding;
}

/** As fast as any adapter goes. */
const BAUD_MAX = 12_000_000;
const BAUD_MIN = 110;

export class Port implements SerialEnd {
  onData: (bytes: Uint8Array) => void = ignore;
  onClose: (reason: string | null) => void = ignore;
  readonly path: string;
  readonly parity: 'none' | 'even';
  #stream: SerialPortStream;
  #wasClosed = false;

  constructor(path: string, parity: 'none' | 'even', stream: SerialPortStream) {
    this.path = path;
    this.parity = parity;
    this.#stream = stream;
    stream.on('data', (bytes: Buffer) => this.onData(bytes));
    stream.on('error', (error: Error) => this.#ended(error.message));
    stream.on('close', (error: Error | null) =>
      this.#ended(error === null || error === undefined ? null : 'the port is gone'),
    );
  }

  get isOpen(): boolean {
    return this.#stream.isOpen && !this.#wasClosed;
  }

  get baud(): number {
    return this.#stream.baudRate;
  }

  get queued(): number {
    return this.#stream.writableLength;
  }

  /** `taken` is called when the port has taken all of it; never, when it is gone meanwhile. */
  write(bytes: Uint8Array, taken: () => void = ignore): void {
    if (!this.isOpen) return;
    this.#stream.write(bytes, (error) => {
      if (error === null || error === undefined) taken();
    });
  }

  /** Resolves when all that was written has left, or the port is gone: a write to a port that is gone never ends. */
  drain(): Promise<void> {
    if (!this.isOpen) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stream.once('close', resolve);
      this.#stream.drain(() => {
        this.#stream.off('close', resolve);
        resolve();
      });
    });
  }

  /** Sets DTR and RTS; false where the port has none, as a PTY. */
  setLines(lines: ModemLines): Promise<boolean> {
    return new Promise((resolve) => this.#stream.set({ ...lines }, (error) => resolve(error === null)));
  }

  close(): Promise<void> {
    if (!this.isOpen) return Promise.resolve();
    return new Promise((resolve) => this.#stream.close(() => resolve()));
  }

  #ended(reason: string | null): void {
    if (this.#wasClosed) return;
    this.#wasClosed = true;
    if (this.#stream.isOpen) this.#stream.close(ignore);
    this.onClose(reason);
  }
}

function hostGroup(gid: number): string | null {
  try {
    return groupIn(readFileSync('/etc/group', 'utf8'), gid);
  } catch {
    return null;
  }
}

/** Opens a port, or says why not in an InputError. */
export async function openPort(options: PortOptions): Promise<Port> {
  const { path, baud, parity = 'none' } = options;
  if (!Number.isInteger(baud) || baud < BAUD_MIN || baud > BAUD_MAX) {
    throw new InputError(
      `${baud}: no rate of a serial port, ${BAUD_MIN} to ${BAUD_MAX} bits a second`,
      EXIT_BAD_PORT,
    );
  }
  const binding = options.binding ?? (await realBinding());
  try {
    return await open(binding, path, baud, parity);
  } catch (error) {
    const refused = portError(path, error as Error, hostGroup);
    if (parity === 'none' || !/cannot be opened/.test(refused.message)) throw refused;
  }
  try {
    return await open(binding, path, baud, 'none'); // a port that has no parity
  } catch (error) {
    throw portError(path, error as Error, hostGroup);
  }
}

function open(binding: Binding, path: string, baudRate: number, parity: 'none' | 'even'): Promise<Port> {
  return new Promise((resolve, reject) => {
    const stream = new SerialPortStream({ binding, path, baudRate, parity, autoOpen: false });
    stream.open((error) => {
      if (error !== null && error !== undefined) reject(error);
      else resolve(new Port(path, parity, stream));
    });
  });
}
