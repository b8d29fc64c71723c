/** What the server tells whoever watches it. Plain data. */
export type IscsiEvent =
  | {
      event: 'session-opened';
      initiator: string;
      isid: string;
      target: string;
      from: string;
      discovery: boolean;
    }
  | {
      event: 'session-closed';
      initiator: string;
      isid: string;
      target: string;
      why: string;
      commands: number;
    }
  | {
      event: 'reservation-lost';
      initiator: string;
      isid: string;
      target: string;
      lun: number;
      /** 2A/03 reservations preempted, 2A/04 reservations released, 2A/05 registrations preempted. */
      code: string;
    }
  | {
      event: 'login-refused';
      initiator: string | null;
      target: string;
      from: string;
      status: number;
      why: string;
    }
  | { event: 'connection-refused'; target: string; from: string; why: string }
  | { event: 'connection-dropped'; target: string; from: string; why: string };

export interface SessionInfo {
  initiator: string;
  isid: string;
  tsih: number;
  target: string;
  /** Target port of the disks. */
  port: 1 | 2;
  /** Number of the I_T nexus; null of a discovery session. */
  nexus: number | null;
  from: string;
  /** SCSI commands that have been answered, and those under way. */
  served: number;
  commands: number;
}
