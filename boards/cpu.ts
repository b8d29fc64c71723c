/** The seam between a controller board and the CPU that runs its firmware: here in the process, or far away. */
import type { Ecc } from './emulated/ecc.ts';
import type { Hba } from './emulated/hba.ts';
import type { Nvram } from './emulated/nvram.ts';
import type { FrontEndPort } from './emulated/port.ts';

/** A life of the firmware. Each function may throw: a fault of the CPU, or CpuLost. */
export interface Cpu {
  boot(periodUs: number): void;
  /** Returns how many of the following cycles have nothing to do. */
  cycle(): number;
  interrupt(lines: number): void;
  /** `place` goes to where firmware wants the place of a fault, unless one stands there. */
  nmi(reason: number, pc: number, address: number, place: string | null): void;
  /** What happened, if `error` is a fault of this CPU. */
  fault(error: unknown): CpuFault | null;
}

export interface CpuFault {
  /** Offset in the code, 0 if not known. */
  pc: number;
  /** "file:line:column", null without symbols. */
  place: string | null;
}

/** Where a CPU and its RAM sit. */
export interface Socket {
  /** DMA is about to put so many bytes into RAM; null where RAM is one and the same for all. */
  readonly onDma: ((address: number, bytes: number) => void) | null;
  /** RAM, tested and cleared, as devices see it. */
  reset(bytes: number): Uint8Array;
  /** A new life of the firmware, which finds these devices. */
  boot(devices: Devices): Cpu;
  /** RAM as the CPU sees it now. */
  ram(): Uint8Array;
  /** RAM is gone. */
  off(): void;
  /** Nobody needs the socket any more. */
  close(): void;
}

/** Nobody answers any more where the CPU was. */
export class CpuLost extends Error {}

/** What a board's CPU finds around it; firmware/board.ts says what each does. Numbers are unsigned. */
export interface Devices {
  readonly hba: Hba;
  readonly port: FrontEndPort;
  readonly ecc: Ecc;
  readonly nvram: Nvram;
  /** From the partner, oldest first; who takes one removes it. */
  readonly messages: Uint8Array[];
  /** Bytes typed at the console, likewise. */
  readonly typed: number[];
  mask(lines: number): void;
  unmask(lines: number): void;
  random(): number;
  nowUs(): number;
  utc(): number;
  work(kind: number, amount: number): void;
  feed(ms: number): void;
  send(message: Uint8Array): void;
  console(text: string): void;
  halt(): void;
  reboot(): void;
  event(code: number, a: number, b: number, c: number): void;
}
