/** The modelled cost of a cycle: what the firmware says it has done, in nanoseconds of board time. */
import {
  WORK_CIPHER,
  WORK_COMMAND,
  WORK_COMPRESS,
  WORK_COPY,
  WORK_CRC,
  WORK_CURVE,
  WORK_SCAN,
} from '../firmware/layout.ts';

/** Nanoseconds of a cycle in itself, and of a command; bytes a nanosecond for the rest. */
export const CYCLE_NS = 2_000;
const COMMAND_NS = 400;
const SCAN_BYTES_NS = 12;
const CRC_BYTES_NS = 5;
const COPY_BYTES_NS = 10;
const COMPRESS_BYTES_NS = 0.8;
const CIPHER_BYTES_NS = 0.6;
/** Of a multiplication on the curve. */
const CURVE_NS = 1_000_000;

export function costOf(kind: number, amount: number): number {
  if (kind === WORK_COMMAND) return amount * COMMAND_NS;
  if (kind === WORK_SCAN) return amount / SCAN_BYTES_NS;
  if (kind === WORK_CRC) return amount / CRC_BYTES_NS;
  if (kind === WORK_COPY) return amount / COPY_BYTES_NS;
  if (kind === WORK_CIPHER) return amount / CIPHER_BYTES_NS;
  if (kind === WORK_CURVE) return amount * CURVE_NS;
  if (kind === WORK_COMPRESS) return amount / COMPRESS_BYTES_NS;
  return 0;
}
