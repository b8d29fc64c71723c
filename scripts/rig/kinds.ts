// What a rig's board is made of: a program that takes one end of the line for its UART.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_BAD_FIRMWARE, EXIT_BAD_PORT, InputError } from '../../boards/input-error.ts';
import { firmwarePath } from '../../boards/machine.ts';
import type { RigRecord } from './records.ts';

export const RIG_KINDS = ['node', 'qemu'] as const;
export type RigKind = (typeof RIG_KINDS)[number];

export interface BoardProgram {
  program: string;
  parameters: string[];
}

const QEMU = 'qemu-system-arm';
/** RAM of the board that QEMU emulates: the linker script of boards/native says so. */
export const NATIVE_MIB = 32;
/** And where its program counts cycles: four words, at handler_stack_top. */
export const COUNTS_AT = 0x2000_ffe0;

const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

export function boardProgram({ kind, boardPort, memoryMib, firmware }: RigRecord): BoardProgram {
  switch (kind) {
    case 'node':
      return {
        program: process.execPath,
        parameters: [
          ...process.execArgv,
          join(import.meta.dirname, `node-peer${extension}`),
          boardPort,
          String(memoryMib),
          firmware ?? firmwarePath(),
        ],
      };
    case 'qemu':
      return {
        program: QEMU,
        parameters: qemuParameters(firmware ?? nativePath(), `serial,id=line,path=${comma(boardPort)}`),
      };
  }
}

/** QEMU's board with the image in its flash, and its UART at a character device. */
export function qemuParameters(image: string, line: string): string[] {
  if (spawnSync(QEMU, ['--version']).error !== undefined)
    throw new InputError(`${QEMU} is not installed; Debian has it in qemu-system-arm`, EXIT_BAD_PORT);
  return '-M emcraft-sf2 -nodefaults -display none -serial chardev:line'
    .split(' ')
    .concat('-kernel', image, '-chardev', line);
}

/** A comma in a value is written twice. */
const comma = (path: string): string => path.replaceAll(',', ',,');

/** What scripts/build-native.mjs makes. */
export function nativePath(): string {
  const candidates = [
    ['..', '..', 'build'],
    ['..', '..', '..', '..', 'build'],
  ].map((up) => join(import.meta.dirname, ...up, 'native', 'sparecore.elf'));
  const path = candidates.find((each) => existsSync(each));
  if (path === undefined)
    throw new InputError(`${candidates[0]!}: is not there; npm run build:native makes it`, EXIT_BAD_FIRMWARE);
  return path;
}
