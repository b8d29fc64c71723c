/**
 * What @serialport/stream asks of whoever gives it a port, by the names of its interface; and the binding of this
 * machine's ports, which is native code and loaded only when a real port is wanted.
 */
import type { SerialPortStream } from '@serialport/stream';
import { EXIT_BAD_PORT, InputError } from '../input-error.ts';

type StreamOptions = ConstructorParameters<typeof SerialPortStream>[0];

export type Binding = StreamOptions['binding'];
export type BindingPort = Awaited<ReturnType<Binding['open']>>;
export type OpenOptions = Parameters<Binding['open']>[0];
export type PortInfo = Awaited<ReturnType<Binding['list']>>[number];
export type PortStatus = Awaited<ReturnType<BindingPort['get']>>;
export type SetOptions = Parameters<BindingPort['set']>[0];
export type UpdateOptions = Parameters<BindingPort['update']>[0];

/** The ports of this machine. */
export async function realBinding(): Promise<Binding> {
  try {
    const { autoDetect } = await import('@serialport/bindings-cpp');
    return autoDetect();
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new InputError(
      `serial ports need the optional package @serialport/bindings-cpp, which does not load here: ${reason}`,
      EXIT_BAD_PORT,
    );
  }
}
