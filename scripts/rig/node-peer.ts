// A board as a process of its own: the agent and the firmware on a terminal device, until it is ended.
import { Firmware } from '../../boards/emulated/firmware.ts';
import { firmwarePath } from '../../boards/machine.ts';
import { Peer } from '../../boards/serial/peer.ts';
import { TtyWire } from '../../boards/serial/tty-wire.ts';
import { tellError } from '../tell-error.ts';

const [path = '', memoryMib = '64', firmware = firmwarePath()] = process.argv.slice(2);
try {
  const wire = new TtyWire(path);
  new Peer(new Firmware(firmware), wire, Number(memoryMib) * 2 ** 20).run(process.pid);
} catch (error) {
  process.exitCode = (error as NodeJS.ErrnoException).code === 'EIO' ? 0 : tellError(error);
}
