/** Who has lost a reservation is told by a unit attention, and so is whoever watches the server. */
import type { Command } from './command.ts';

/** Tells of what this unit attention says, in either format of sense data, [SPC-4] 4.5. */
export function reservationLost({ session, disk }: Command, sense: Uint8Array): void {
  const isFixed = (sense[0]! & 0x7f) === 0x70;
  const code = isFixed ? sense[12]! : sense[2]!;
  const qualifier = isFixed ? sense[13]! : sense[3]!;
  if (code !== 0x2a || qualifier < 3 || qualifier > 5) return;
  const { initiator, isid, target } = session.identity;
  const event = 'reservation-lost';
  session.around.tell({ event, initiator, isid, target, lun: disk, code: `2A/0${qualifier}` });
}
