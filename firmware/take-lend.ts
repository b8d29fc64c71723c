/** The partner's spare failed in the middle of its dump: it asks for another one, which is released to it. */
import { PR_RELEASE, PR_WRITE_EXCLUSIVE, cdb_reserve_out } from '../asm/initiator/cdb';
import { ROLE_DATA } from '../asm/layout';
import { NO_COMMAND, command_new, command_send, entry_of } from './command';
import { disk_of } from './discover';
import { holder_busy } from './holder';
import { EV_LENT, MSG_LENT } from './layout';
import { log_disk } from './log';
import { Disk, HELD_ME, HELD_PARTNER, NO_DISK, core, disk_at, scratch } from './memory';
import { message_say } from './message';
import { wake_at } from './state';
import { D_BUSY, D_LEFT, LEND, LIST_AT, POLL_US, TAKE_DISKS, TAKE_DONE } from './take-state';
import { trace } from './trace';

/** The partner asks for one of its spares, to dump there. */
export function takeover_lend(wwn: u64): void {
  const c = core();
  c.take_lend = wwn;
  wake_at(c.now);
}

export function lend_step(): void {
  const c = core();
  const d = disk_of(c.take_lend);
  if (d == NO_DISK || disk_at(d).role == <u8>ROLE_DATA) {
    c.take_lend = 0;
    return;
  }
  const disk = disk_at(d);
  if (disk.take == D_BUSY || holder_busy(d)) return;
  c.take_hint = c.take_lend;
  c.take_hint_at = c.now;
  c.take_lend = 0;
  if (disk.held != <u8>HELD_ME) return lent(d, disk); // it was left, or not come to yet
  const i = command_new(LEND, d);
  if (i == NO_COMMAND) return;
  disk.take = D_BUSY;
  cdb_reserve_out(entry_of(i), PR_RELEASE, PR_WRITE_EXCLUSIVE, scratch(d) + LIST_AT, c.key, 0);
  command_send(i);
}

export function lent(d: u32, disk: Disk): void {
  const c = core();
  disk.held = <u8>HELD_PARTNER;
  disk.take = D_LEFT;
  if (c.take_step == TAKE_DONE) c.take_step = TAKE_DISKS; // there is a disk to take once more
  c.take_disk = d;
  c.take_limit_at = c.take_hint_limit;
  c.take_poll_at = c.now + POLL_US;
  trace(EV_LENT, d);
  log_disk(d, 'lent to the partner for its dump');
  message_say(MSG_LENT, disk.wwn);
}
