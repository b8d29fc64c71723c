/**
 * Which disk the dump goes to next when one fails. By then the partner may have taken the others: the next one is asked
 * for, and marked only with the partner's word, or when the arbiter says that no takeover has begun.
 */
import { ABORT_MEDIUM, ATTRIBUTE_ABORTED } from '../asm/layout';
import { trace_event } from './board';
import { announce, control_header, control_mail, mark, writer } from './dump-control';
import { DUMP_MESSAGE_OUT, dump } from './dump-state';
import { STEP_END, STEP_LEND, STEP_MAIL } from './dump-step';
import { EV_DUMP_ERROR, MSG_ELAPSED_US_AT, MSG_LEND, MSG_LIMIT_MS_AT } from './layout';
import { NO_DISK, core, disk_at } from './memory';
import { message_begin, message_send } from './message';
import { spare_pick } from './spare';

/** Attempts on different disks; the last goes past errors. */
export const ATTEMPTS: u32 = 2;
const LEND_US: u64 = 2000000;

/** The disk fails: its header says so if it still can, and the dump starts again on the next. */
export function drop_disk(): void {
  const d = dump();
  if (writer().in_flight || d.control_busy) return;
  trace_event(EV_DUMP_ERROR, d.disk, 0, 0);
  d.step = STEP_END;
  d.dropping = 1;
  control_header(ATTRIBUTE_ABORTED, ABORT_MEDIUM);
}

export function next_disk(): void {
  const d = dump();
  if (d.disk != NO_DISK) d.tried |= (<u64>1) << d.disk;
  d.disk = d.attempt >= ATTEMPTS ? NO_DISK : spare_pick(d.tried);
  d.path_tried = 0;
  d.sealed = 0;
  announce(); // the partner learns of the new disk, or that there is none
  if (d.disk == NO_DISK) return mark();
  // By now the partner may have taken it, or be about to: marking it unasked could cross its preemption.
  ask_for(d.disk);
}

/** No answer from the partner: the arbiter tells whether its takeover has begun. */
export function ask_arbiter(): void {
  const d = dump();
  const c = core();
  if (d.mailbox == NO_DISK || d.arbiter_asked) {
    d.disk = NO_DISK;
    return mark();
  }
  d.arbiter_asked = 1;
  d.step = STEP_MAIL;
  d.path = d.mailbox_path;
  control_mail();
}

/** The partner has taken the disk. It held no service data there: ask to have it back for the dump. */
export function ask_for(disk: u32): void {
  const d = dump();
  d.step = STEP_LEND;
  d.lend_until = d.now + LEND_US;
  message_begin(DUMP_MESSAGE_OUT, MSG_LEND, ++d.sequence, disk_at(disk).wwn);
  store<u32>(DUMP_MESSAGE_OUT + MSG_ELAPSED_US_AT, <u32>(d.now - d.failed_at));
  store<u32>(DUMP_MESSAGE_OUT + MSG_LIMIT_MS_AT, d.limit_ms);
  message_send(DUMP_MESSAGE_OUT);
}
