// A board as a process of its own: bootloader, flash in a file, and what boots from there, until it is ended.
import { KIND_EMULATED } from '../../firmware/bootloader/layout.ts';
import { readImage } from '../../boards/image/file.ts';
import { readPublicKey } from '../../boards/image/keys.ts';
import { BootBoard } from '../../boards/serial/rig/boot-board.ts';
import { install, provision } from '../../boards/serial/rig/factory.ts';
import { flashInFile } from '../../boards/serial/rig/flash-file.ts';
import { TtyWire } from '../../boards/serial/tty-wire.ts';
import { tellError } from '../tell-error.ts';

const [path = '', memoryMib = '64', flashPath = '', key = '', image = ''] = process.argv.slice(2);
try {
  const flash = flashInFile(flashPath);
  provision(flash, KIND_EMULATED, readPublicKey(key));
  if (image !== '') install(flash, readImage(image).bytes);
  new BootBoard(new TtyWire(path), flash, Number(memoryMib) * 2 ** 20).run(process.pid);
} catch (error) {
  process.exitCode = (error as NodeJS.ErrnoException).code === 'EIO' ? 0 : tellError(error);
}
