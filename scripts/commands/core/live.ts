// A board of a pair that sparecore serve runs: live:a, live:b, or live:a@SOCKET where several pairs are served.
import { LiveSource } from '../../../boards/core/live-source.ts';
import { EXIT_BAD_CORE, InputError } from '../../../boards/input-error.ts';
import { giveOrder } from '../../control-socket.ts';

/** Null when `spec` names no live board. */
export async function openLive(spec: string): Promise<LiveSource | null> {
  const found = /^live:([ab])(?:@(.+))?$/.exec(spec);
  if (found !== null) {
    const path = found[2] ?? null;
    return LiveSource.open(found[1] as 'a' | 'b', (order) => giveOrder(order, path));
  }
  if (spec.startsWith('live:'))
    throw new InputError(`${spec}: a live board is live:a or live:b`, EXIT_BAD_CORE);
  return null;
}
