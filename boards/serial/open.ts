/** A serial port, opened: bytes in and out, and the news that it is gone. */
import { SerialPortStream } from '@serialport/stream';
import { EXIT_BAD_PORT, InputError } from '../input-error.ts';

export interface OpenPort {
  onData: (bytes: Uint8Array) => void;
  onGone: () => void;
  /** Calls back when the port has taken all of it; never, when it is gone meanwhile. */
  write(bytes: Uint8Array, taken: () => void): void;
  close(): void;
}

type BindingInterface = ConstructorParameters<typeof SerialPortStream>[0]['binding'];

/** The binding of this machine; it has a native part, and so is optional. */
async function nativeBinding(): Promise<BindingInterface> {
  try {
    const { autoDetect } = (await import('@serialport/bindings-cpp')) as unknown as {
      autoDetect: () => BindingInterface;
    };
    return autoDetect();
  } catch (error) {
    throw new InputError(
      `serial ports need the package @serialport/bindings-cpp, which is not there for this machine: ${(error as Error).message.split('\n', 1)[0]}`,
      EXIT_BAD_PORT,
    );
  }
}

export async function openPort(path: string, baudRate: number): Promise<OpenPort> {
  const binding = await nativeBinding();
  const stream = new SerialPortStream({ binding, path, baudRate, autoOpen: false });
  await new Promise<void>((resolve, reject) =>
    stream.open((error) => (error === null || error === undefined ? resolve() : reject(why(path, error)))),
  );
  const open: OpenPort = {
    onData: () => {},
    onGone: () => {},
    write: (bytes, taken) => {
      if (!stream.isOpen) return;
      stream.write(bytes, (error) => {
        if (error === null || error === undefined) taken();
      });
    },
    close: () => {
      if (stream.isOpen) stream.close(() => {});
    },
  };
  stream.on('data', (bytes: Uint8Array) => open.onData(bytes));
  stream.on('close', () => open.onGone());
  stream.on('error', () => open.onGone());
  return open;
}

/** What the host says when a port does not open, for the user. */
function why(path: string, error: Error): InputError {
  const text = error.message;
  const told = /No such file|ENOENT|cannot find/i.test(text)
    ? 'there is no such port'
    : /Permission|EACCES/i.test(text)
      ? 'no permission; on Linux be in the group of the device (often dialout)'
      : /lock|busy|EBUSY|temporarily/i.test(text)
        ? 'another program has it open'
        : `cannot be opened: ${text}`;
  return new InputError(`${path}: ${told}`, EXIT_BAD_PORT);
}
