/** Messages and mailbox slots as a board makes them, and as none would. */
import * as L from '../asm/layout.ts';
import { crc32cWithout } from '../boards/core/crc32c.ts';
import type { Pair } from '../boards/machine.test-helper.ts';
import { SYSTEM_IDS } from '../boards/shelf/shelf.ts';
import * as F from './layout.ts';

export interface Message {
  from: 0 | 1;
  kind: number;
  epoch: number;
  state: number;
  wwn: bigint;
  system: number;
}

function sealed(bytes: Uint8Array, crcAt: number): Uint8Array {
  new DataView(bytes.buffer).setUint32(crcAt, crc32cWithout(bytes, crcAt), true);
  return bytes;
}

/** A whole message; `spoil` changes it before it is checksummed. */
export function message(
  {
    from,
    kind,
    epoch = 1,
    state = F.BOARD_NORMAL,
    wwn = 0n,
    system = SYSTEM_IDS[from],
  }: Pick<Message, 'from' | 'kind'> & Partial<Message>,
  spoil: (view: DataView) => void = () => {},
): Uint8Array {
  const bytes = new Uint8Array(F.MSG_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(F.MSG_MAGIC_AT, F.MSG_MAGIC, true);
  view.setUint16(F.MSG_VERSION_AT, F.MSG_VERSION, true);
  view.setUint16(F.MSG_BYTES_AT, F.MSG_BYTES, true);
  view.setUint32(F.MSG_KIND_AT, kind, true);
  view.setUint32(F.MSG_SYSTEM_AT, system, true);
  view.setUint32(F.MSG_EPOCH_AT, epoch, true);
  view.setUint32(F.MSG_SEQUENCE_AT, 1, true);
  view.setUint32(F.MSG_STATE_AT, state, true);
  view.setBigUint64(F.MSG_WWN_AT, wwn, true);
  view.setUint32(F.MSG_LIMIT_MS_AT, 25_000, true);
  spoil(view);
  return sealed(bytes, F.MSG_CRC_AT);
}

/** A whole mailbox slot. */
export function slot(
  from: 0 | 1,
  { state = F.BOARD_NORMAL, epoch = 1, beat = 1_000_000, system = SYSTEM_IDS[from] as number, wwn = 0n } = {},
): Uint8Array {
  const bytes = new Uint8Array(L.MAIL_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(L.MAIL_MAGIC_AT, L.MAIL_MAGIC, true);
  view.setUint32(L.MAIL_SYSTEM_AT, system, true);
  view.setUint32(L.MAIL_EPOCH_AT, epoch, true);
  view.setUint32(L.MAIL_BEAT_AT, beat, true);
  view.setUint32(L.MAIL_STATE_AT, state, true);
  view.setBigUint64(L.MAIL_WWN_AT, wwn, true);
  return sealed(bytes, L.MAIL_CRC_AT);
}

/** Writes to the medium itself: no command, no reservation, nobody is told. */
export function putOnMedium(pair: Pair, disk: number, lba: number, bytes: Uint8Array): void {
  pair.machine.shelf.disks[disk]!.medium.write(lba * L.SECTOR_BYTES, bytes, 0, bytes.length);
}

export function onMedium(pair: Pair, disk: number, lba: number, bytes: number): Uint8Array {
  const into = new Uint8Array(bytes);
  pair.machine.shelf.disks[disk]!.medium.read(lba * L.SECTOR_BYTES, into, 0, bytes);
  return into;
}

export const slotLba = (board: 0 | 1): number => L.DATA_LBA + board * L.MAIL_BLOCKS;

/** Nothing has gone wrong: no board has failed, been fenced or taken over, and no invariant is violated. */
export function troubles(pair: Pair): string[] {
  const found = [F.EV_PANIC, F.EV_LOST, F.EV_TAKEOVER_BEGIN, F.EV_FENCED, F.EV_HALT].flatMap((code) =>
    pair.events(code).map(({ board }) => `event ${code} of board ${'ab'[board]}`),
  );
  return [...found, ...pair.machine.observer.invariants.violations];
}

/** Requests that clients have had answered, in all. */
export const answered = ({ machine }: Pair): number =>
  machine.clients.reduce((sum, { reads, writesAcked }) => sum + reads + writesAcked, 0);
