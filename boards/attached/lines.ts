/** The lines to those boards of a pair that are attached. */
import { EXIT_BAD_SCENARIO, InputError } from '../input-error.ts';
import { firmwarePath } from '../machine.ts';
import type { Scenario } from '../scenario.ts';
import type { BoardAddress } from './address.ts';
import type { Carrier } from './rpc.ts';
import { Transport } from './transport.ts';

/** Where boards a and b are attached, or what leads there; null: emulated. */
export type Attachment = readonly [BoardAddress | Carrier | null, BoardAddress | Carrier | null];

export type Lines = [Carrier | null, Carrier | null];

export interface LinesOptions {
  scenario: Scenario;
  firmware?: string | undefined;
  attached?: Attachment | undefined;
}

export async function openLines({ scenario, firmware, attached }: LinesOptions): Promise<Lines> {
  const lines: Lines = [null, null];
  if (scenario.boards.cpus > 1 && attached?.some((to) => to !== null) === true)
    throw new InputError('an attached board has one CPU, and boards.cpus is 2: make it 1', EXIT_BAD_SCENARIO);
  try {
    for (const [index, to] of (attached ?? []).entries()) {
      if (to === null || 'exchange' in to) lines[index] = to;
      else {
        const memoryBytes = scenario.boards.memoryMib * 2 ** 20;
        lines[index] = await Transport.open(to, firmware ?? firmwarePath(), memoryBytes);
      }
    }
  } catch (error) {
    for (const line of lines) line?.close();
    throw error;
  }
  return lines;
}
