import { openSync, readFileSync, writeSync } from 'node:fs';
import { FLASH_BYTES } from '../../../firmware/bootloader/layout.ts';
import { EXIT_CANNOT_WRITE, InputError } from '../../input-error.ts';
import { NorFlash } from './flash.ts';

/** Flash that lies in a file; what is written lasts. */
export function flashInFile(path: string): NorFlash {
  let contents: Uint8Array | undefined;
  try {
    contents = readFileSync(path);
  } catch {
    contents = undefined;
  }
  if (contents !== undefined && contents.length !== FLASH_BYTES) {
    throw new InputError(
      `${path}: ${contents.length} bytes are no flash of such a board (${FLASH_BYTES})`,
      EXIT_CANNOT_WRITE,
    );
  }
  let file: number;
  try {
    file = openSync(path, contents === undefined ? 'w+' : 'r+');
  } catch (error) {
    throw new InputError(
      `${path}: cannot be written: ${(error as NodeJS.ErrnoException).code}`,
      EXIT_CANNOT_WRITE,
    );
  }
  const flash = new NorFlash({
    ...(contents === undefined ? {} : { contents }),
    store: (at, bytes) => void writeSync(file, bytes, 0, bytes.length, at),
  });
  if (contents === undefined) writeSync(file, flash.bytes);
  return flash;
}
