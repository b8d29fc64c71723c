// What initiators of the real world do at the ports, in one line.
import type { IscsiEvent } from '../../boards/iscsi/server.ts';

const portOf = (target: string): string => target.slice(-1);

export function initiatorText(event: IscsiEvent): string {
  switch (event.event) {
    case 'session-opened':
      return event.discovery
        ? `${event.initiator} looks for targets at port ${portOf(event.target)}`
        : `${event.initiator} logged in at port ${portOf(event.target)}, ISID ${event.isid}`;
    case 'session-closed':
      return `${event.initiator} left port ${portOf(event.target)} after ${event.commands} commands: ${event.why}`;
    case 'login-refused':
      return `login of ${event.initiator ?? event.from} at port ${portOf(event.target)} refused: ${event.why}`;
    case 'reservation-lost':
      return `${event.initiator} is told at port ${portOf(event.target)}, LUN ${event.lun}: ${event.code}`;
    case 'connection-refused':
    case 'connection-dropped':
      return `${event.event.replace('-', ' ')} at port ${portOf(event.target)}, from ${event.from}: ${event.why}`;
  }
}
