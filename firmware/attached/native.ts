/** What a native CPU adds to the panic record: its registers and its stack. */
import {
  RECORD_AT,
  RECORD_MACHINE_AT,
  RECORD_RAM_AT,
  RECORD_REGISTERS_AT,
  RECORD_STACK_AT,
  RECORD_STACK_BYTES_AT,
  RECORD_STACK_ROOM,
} from '../layout';
import { REGISTERS, agent, inside } from './agent';
import { MACHINE_WASM } from './layout';
import { cpu_machine, cpu_ram_address, cpu_registers, ram_write } from './outside';

const REGISTERS_BYTES: u32 = RECORD_STACK_BYTES_AT - RECORD_REGISTERS_AT;

/** The first of a life: what traps in the panic handler does not hide why it runs. */
export function record_native(): void {
  const a = agent();
  const stack = RECORD_AT + RECORD_STACK_AT;
  if (a.recorded || cpu_machine() == MACHINE_WASM || !inside(stack, RECORD_STACK_ROOM)) return;
  a.recorded = 1;
  const bytes = cpu_registers(<u32>REGISTERS, RECORD_STACK_ROOM);
  ram_write(RECORD_AT + RECORD_REGISTERS_AT, <u32>REGISTERS, REGISTERS_BYTES);
  ram_write(stack, <u32>REGISTERS + REGISTERS_BYTES, bytes);
  word(RECORD_STACK_BYTES_AT, bytes);
  word(RECORD_RAM_AT, cpu_ram_address());
  word(RECORD_MACHINE_AT, cpu_machine());
}

function word(at: u32, value: u32): void {
  store<u32>(REGISTERS, value);
  ram_write(RECORD_AT + at, <u32>REGISTERS, 4);
}
