// How a served pair stands, for people.
import type { Status } from '../../boards/status.ts';
import { count, plural, seconds, table } from './format.ts';

/** [SPC-4] 6.15.3.4 table 219, in the short form that people use. */
const TYPES: Readonly<Record<number, string>> = {
  1: 'WE',
  3: 'EA',
  5: 'WE-RO',
  6: 'EA-RO',
  7: 'WE-AR',
  8: 'EA-AR',
};

export function statusLines(status: Status): string[] {
  const { boards, dump, clients, sessions, violations } = status;
  return [
    ...boards.map(
      ({ name, state, serving, doing }) =>
        `board ${name}  ${state}, serves ${plural(serving, 'volume')}${doing === '' ? '' : `, ${doing}`}`,
    ),
    `interconnect ${status.interconnect}, board time ${seconds(status.board_s)}` +
      (status.slipped_s > 0.05 ? `, ${seconds(status.slipped_s)} behind the host` : ''),
    ...(dump === null ? [] : [`dump     ${dump.attribute} on ${dump.disk}`]),
    `clients  ${count(clients.writes_acked)} writes, ${count(clients.reads)} reads, ${count(clients.waiting)} waiting`,
    '',
    ...disksTable(status),
    '',
    ...(sessions.length === 0 ? ['no initiator is logged in'] : sessionsTable(status)),
    ...violations.map((text) => `VIOLATED ${text}`),
  ];
}

const disksTable = ({ disks }: Status): string[] =>
  table(
    [
      ['LUN', 'disk', 'held by', 'type', 'key', 'registered', 'coredump', ''],
      ...disks.map((disk) => [
        String(disk.lun),
        disk.name,
        disk.holder ?? '-',
        TYPES[disk.type] ?? '-',
        disk.key ?? '-',
        String(disk.registrations),
        disk.attribute ?? '-',
        disk.fault ?? '',
      ]),
    ],
    [0, 5],
  );

const sessionsTable = ({ sessions }: Status): string[] =>
  table([
    ['port', 'nexus', 'initiator', 'ISID', 'from', 'commands'],
    ...sessions.map(({ port, nexus, initiator, isid, from, served }) => [
      port === 1 ? 'a' : 'b',
      nexus === null ? 'discovery' : String(nexus),
      initiator,
      isid,
      from,
      count(served),
    ]),
  ]);
