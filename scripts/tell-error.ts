// How errors are told: a clear line and an exit code, never a stack trace unless it is asked for.
import { CommanderError } from 'commander';
import { EXIT_BAD_SCENARIO, InputError } from '../boards/input-error.ts';
import { EXIT_INTERNAL, EXIT_USAGE } from './exit-codes.ts';

/** Says what went wrong and returns the exit code for it. */
export function tellError(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE; // commander has said it
  const debug = process.env['SPARECORE_DEBUG'] === '1';
  if (debug) console.error(error);
  if (error instanceof InputError) {
    if (!debug)
      console.error(error.exitCode === EXIT_BAD_SCENARIO ? error.message : `sparecore: ${error.message}`);
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  if (!debug)
    console.error(`sparecore: internal error: ${message.split('\n')[0]} (SPARECORE_DEBUG=1 shows where)`);
  return EXIT_INTERNAL;
}
