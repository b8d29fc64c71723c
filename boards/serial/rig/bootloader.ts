/** The bootloader as it is built for every board, and the devices that an emulated board gives it. */
import { readFileSync } from 'node:fs';
import { EXIT_BAD_FIRMWARE, InputError } from '../../input-error.ts';
import type { NorFlash } from './flash.ts';

export interface Bootloader {
  start(): void;
  /** BOOT_* */
  boot(): number;
  poll(): number;
}

export interface BootDevices {
  memory: WebAssembly.Memory;
  flash: NorFlash;
  /** Next byte of the line, -1 without one. */
  next: () => number;
  write: (bytes: Uint8Array) => void;
  nowMs: () => number;
  recovery: () => boolean;
  reboot: () => void;
  jump: (offset: number) => void;
}

const path = new URL(
  import.meta.url.includes('/build/js/') ? '../../../../bootloader.wasm' : '../../../build/bootloader.wasm',
  import.meta.url,
);

let compiled: WebAssembly.Module | null = null;

function bootloaderModule(): WebAssembly.Module {
  if (compiled !== null) return compiled;
  try {
    compiled = new WebAssembly.Module(readFileSync(path));
  } catch (error) {
    throw new InputError(
      `the bootloader cannot be loaded (${(error as Error).message}); npm run build makes it`,
      EXIT_BAD_FIRMWARE,
    );
  }
  return compiled;
}

/** A new life of it, in this memory. */
export function startBootloader({ memory, flash, ...devices }: BootDevices): Bootloader {
  const part = (at: number, bytes: number): Uint8Array => new Uint8Array(memory.buffer, at >>> 0, bytes);
  const instance = new WebAssembly.Instance(bootloaderModule(), {
    env: { memory },
    uart: {
      read: devices.next,
      write: (at: number, bytes: number) => devices.write(part(at, bytes).slice()),
    },
    flash: {
      erase: (offset: number, bytes: number) => flash.erase(offset >>> 0, bytes >>> 0),
      write: (offset: number, at: number, bytes: number) => flash.write(offset >>> 0, part(at, bytes)),
      read: (offset: number, at: number, bytes: number) =>
        part(at, bytes).set(flash.read(offset >>> 0, bytes)),
    },
    timer: { now_ms: () => devices.nowMs() | 0 },
    reset: {
      reboot: devices.reboot,
      recovery: () => (devices.recovery() ? 1 : 0),
      jump: (offset: number) => devices.jump(offset >>> 0),
    },
  });
  return instance.exports as unknown as Bootloader;
}
