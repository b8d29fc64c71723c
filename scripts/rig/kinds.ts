// What a rig's board is made of: a program that takes one end of the line for its UART.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KIND_CORTEX_M } from '../../firmware/bootloader/layout.ts';
import { readImage } from '../../boards/image/file.ts';
import { readPublicKey } from '../../boards/image/keys.ts';
import { EXIT_BAD_FIRMWARE, EXIT_BAD_PORT, InputError } from '../../boards/input-error.ts';
import { install, provision } from '../../boards/serial/rig/factory.ts';
import { NorFlash } from '../../boards/serial/rig/flash.ts';
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
/** And its SPI flash. */
const SPI_FLASH_BYTES = 16 * 2 ** 20;
/** And where its program counts cycles: four words, at handler_stack_top. */
export const COUNTS_AT = 0x2000_ffe0;

const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** The SPI flash of QEMU's board as the factory fills it. */
export function makeFlash(path: string, key: string, image: string | null): void {
  const flash = new NorFlash();
  provision(flash, KIND_CORTEX_M, readPublicKey(key));
  if (image !== null) install(flash, readImage(image).bytes);
  const bytes = Buffer.alloc(SPI_FLASH_BYTES, 0xff);
  bytes.set(flash.bytes);
  writeFileSync(path, bytes);
}

export function boardProgram({ kind, boardPort, memoryMib, flash, key, image }: RigRecord): BoardProgram {
  switch (kind) {
    case 'node':
      return {
        program: process.execPath,
        parameters: [
          ...process.execArgv,
          join(import.meta.dirname, `node-peer${extension}`),
          boardPort,
          String(memoryMib),
          flash,
          key,
          image ?? '',
        ],
      };
    case 'qemu':
      return {
        program: QEMU,
        parameters: qemuParameters(flash, `serial,id=line,path=${comma(boardPort)}`),
      };
  }
}

/** QEMU's board: the bootloader where its maker put it, a file for its SPI flash, and its UART at a character device. */
export function qemuParameters(flash: string, line: string): string[] {
  if (spawnSync(QEMU, ['--version']).error !== undefined)
    throw new InputError(`${QEMU} is not installed; Debian has it in qemu-system-arm`, EXIT_BAD_PORT);
  const parameters = {
    '-M': 'emcraft-sf2',
    '-display': 'none',
    '-kernel': nativePath('bootloader.elf'),
    '-drive': `if=mtd,format=raw,file=${comma(flash)}`,
    '-chardev': line,
    '-serial': 'chardev:line',
  };
  return ['-nodefaults', ...Object.entries(parameters).flat()];
}

/** A comma in a value is written twice. */
const comma = (path: string): string => path.replaceAll(',', ',,');

/** What scripts/build-native.mjs makes. */
export function nativePath(name: 'bootloader.elf' | 'sparecore.elf' | 'sparecore.bin'): string {
  const candidates = [
    ['..', '..', 'build'],
    ['..', '..', '..', '..', 'build'],
  ].map((up) => join(import.meta.dirname, ...up, 'native', name));
  const path = candidates.find((each) => existsSync(each));
  if (path === undefined)
    throw new InputError(`${candidates[0]!}: is not there; npm run build:native makes it`, EXIT_BAD_FIRMWARE);
  return path;
}
