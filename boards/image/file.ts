/** Files of images and of what images are made of; a file is never larger than a slot. */
import { readFileSync, statSync } from 'node:fs';
import { FLASH_BYTES } from '../../firmware/bootloader/layout.ts';
import { EXIT_BAD_FLASH_IMAGE, InputError } from '../input-error.ts';
import { type Image, parseImage } from './image.ts';

export function readPayload(path: string): Buffer {
  const stat = statSync(path, { throwIfNoEntry: false });
  const no = (what: string): never => {
    throw new InputError(`${path}: ${what}`, EXIT_BAD_FLASH_IMAGE);
  };
  if (stat === undefined) return no('no such file');
  if (!stat.isFile()) return no('is not a file');
  if (stat.size > FLASH_BYTES) return no(`${stat.size} bytes are more than any board's flash holds`);
  try {
    return readFileSync(path);
  } catch (error) {
    return no(`cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

export function readImage(path: string): Image {
  try {
    return parseImage(readPayload(path));
  } catch (error) {
    if (!(error instanceof InputError) || error.message.startsWith(path)) throw error;
    throw new InputError(`${path}: ${error.message}`, error.exitCode);
  }
}
