/**
 * What a native CPU left of itself in the panic record: its registers and its stack, so that a core file is one of that
 * CPU. Whatever of it does not add up is as if it were not there: memory may be damaged.
 *
 * [layout] RECORD_MACHINE_AT in firmware/layout.ts
 * [core]   Linux include/uapi/linux/elfcore.h: struct elf_prstatus; arch/arm/include/asm/ptrace.h: r0-r15, cpsr, orig_r0
 */
import {
  RECORD_AT,
  RECORD_MACHINE_AT,
  RECORD_RAM_AT,
  RECORD_REGISTERS_AT,
  RECORD_STACK_AT,
  RECORD_STACK_BYTES_AT,
  RECORD_STACK_ROOM,
} from '../../firmware/layout.ts';

export const EM_ARM = 40;
/** ELF for the ARM architecture, EABI version 5. */
export const EF_ARM_EABI5 = 0x0500_0000;
/** Physical address of a segment that is no board RAM. */
export const NO_BOARD_ADDRESS = 0xffff_ffff;
const REGISTERS = 17; // r0-r15, xpsr
const STATUS_BYTES = 148;
const STATUS_REGISTERS_AT = 72;
/** In struct elf_prstatus. */
export const STATUS_PC_AT = STATUS_REGISTERS_AT + 15 * 4;

export interface NativeState {
  /** Where the CPU has board RAM. */
  ram: number;
  registers: Uint8Array;
  /** Where the stack was, and where in board RAM its copy lies. */
  stack: { address: number; bytes: number; copyAt: number } | null;
}

export function nativeState(record: Uint8Array, memoryBytes: number): NativeState | null {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const word = (at: number): number => view.getUint32(at, true);
  if (record.length < RECORD_STACK_AT || word(RECORD_MACHINE_AT) !== EM_ARM) return null;
  const ram = word(RECORD_RAM_AT);
  if (ram + memoryBytes > 2 ** 32) return null;
  const address = word(RECORD_REGISTERS_AT + 13 * 4);
  const bytes = word(RECORD_STACK_BYTES_AT);
  const fits = bytes > 0 && bytes <= RECORD_STACK_ROOM && address + bytes <= 2 ** 32;
  const apart = address + bytes <= ram || address >= ram + memoryBytes;
  return {
    ram,
    registers: record.subarray(RECORD_REGISTERS_AT, RECORD_REGISTERS_AT + REGISTERS * 4),
    stack: fits && apart ? { address, bytes, copyAt: RECORD_AT + RECORD_STACK_AT } : null,
  };
}

/** NT_PRSTATUS of it. */
export function armStatus({ registers }: NativeState, signal: number, pid: number): Uint8Array {
  const status = Buffer.alloc(STATUS_BYTES);
  status.writeUInt32LE(signal, 0);
  status.writeUInt16LE(signal, 12);
  status.writeUInt32LE(pid >>> 0, 24);
  status.set(registers, STATUS_REGISTERS_AT);
  return status;
}
