// What a rig's board is made of: a program that takes one end of the line for its UART.
import { join } from 'node:path';
import { firmwarePath } from '../../boards/machine.ts';
import type { RigRecord } from './records.ts';

export const RIG_KINDS = ['node'] as const;
export type RigKind = (typeof RIG_KINDS)[number];

export interface BoardProgram {
  program: string;
  parameters: string[];
}

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
  }
}
