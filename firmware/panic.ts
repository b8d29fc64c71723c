/**
 * The panic handler. Interrupts are masked for good; memory is frozen but for the handler's own work area, which was
 * zero. Then the same fixed cycle runs the dump, polled: announce it (message and mailbox slot), mark the disk, write
 * memory in order of importance, close the header before the limit, and end.
 *
 * A disk that fails is dropped and the dump starts again on the next; the last attempt goes past errors. A panic in
 * here only halts.
 */
import { spare_pick } from './spare';
import { seal, seal_good } from './seal';
import { fold_in } from '../asm/bytes/fold';
import { writer_done } from '../asm/dump/writer';
import { fold_area } from '../asm/dump/writer-state';
import { PR_REGISTER_AND_IGNORE, cdb_reserve_out } from '../asm/initiator/cdb';
import { outcome_of } from '../asm/initiator/outcome';
import {
  ABORT_FENCED,
  ATTRIBUTE_ABORTED,
  CHUNK_BYTES,
  CODEC_LZ4,
  CQE_BYTES,
  CQE_TAG_AT,
  PANIC_ASSERT,
  PANIC_TRAP,
} from '../asm/layout';
import {
  hba_configure,
  hba_doorbell,
  hba_poll,
  hba_reset,
  interconnect_receive,
  irq_mask,
  nvram_read,
  port_configure,
  reset_halt,
  reset_reboot,
  timer_utc,
  timer_work,
  trace_event,
  watchdog_feed,
} from './board';
import {
  announce,
  control,
  control_again,
  control_done,
  control_mail,
  mark,
  move_reservation,
  writer,
} from './dump-control';
import { ask_arbiter } from './dump-disk';
import { KEY_LOST, dump_key_forget, dump_key_put, dump_key_state, word } from './dump-key';
import { close, run } from './dump-run';
import {
  DUMP_CQ,
  DUMP_ENTRY,
  DUMP_LIST,
  DUMP_MESSAGE_IN,
  DUMP_MESSAGE_OUT,
  DUMP_RING,
  DUMP_SQ,
  DUMP_WRITER,
  dump,
} from './dump-state';
import {
  STEP_CLOSE,
  STEP_END,
  STEP_LEND,
  STEP_MAIL,
  STEP_OVER,
  STEP_PROGRESS,
  STEP_REGISTER,
  STEP_RUN,
} from './dump-step';
import {
  EV_DUMP_END,
  EV_DUMP_PROGRESS,
  EV_FROZEN,
  EV_HALT,
  EV_PANIC,
  MESSAGE_ROOM,
  MSG_DUMP_ENDED,
  MSG_KIND_AT,
  MSG_LENT,
  MSG_STOP,
  MSG_WWN_AT,
  NV_CODEC,
  NV_CPUS,
  NV_INDEX,
  NV_LIMIT_MS,
  NV_PARTNER,
  NV_REBOOT,
  NV_SYSTEM,
  NV_WATCHDOG_MS,
  RECORD_ADDRESS_AT,
  RECORD_AT,
  RECORD_EPOCH_AT,
  RECORD_LINE_AT,
  RECORD_MAGIC,
  RECORD_MAGIC_AT,
  RECORD_MEMORY_AT,
  RECORD_PC_AT,
  RECORD_PHASE_AT,
  RECORD_REASON_AT,
  RECORD_SYSTEM_AT,
  RECORD_TIME_AT,
  RECORD_UTC_AT,
  WORK_COMMAND,
} from './layout';
import { NO_DISK, core, disk_at } from './memory';
import { message_begin, message_good, message_send } from './message';
import { now_us } from './now';
import { secrets_scrub } from './secrets';

export function panicking(): bool {
  return load<u32>(RECORD_AT + RECORD_MAGIC_AT) == RECORD_MAGIC;
}

/** Entry: the board calls it with PANIC_*, the code offset if it knows it, and the address of a memory error. */
export function panic_enter(reason: u32, pc: u32, address: u32): void {
  irq_mask(0xffffffff);
  hba_reset();
  port_configure(0, 0); // no request is put into RAM any more
  if (panicking()) {
    trace_event(EV_HALT, 0, 2, 0);
    return reset_halt();
  }
  const c = core();
  const at = <usize>RECORD_AT;
  const asserted = reason == PANIC_TRAP && load<u32>(at + RECORD_LINE_AT) != 0;
  const why: u32 = asserted ? PANIC_ASSERT : reason;
  store<u32>(at + RECORD_REASON_AT, why);
  store<u64>(at + RECORD_TIME_AT, now_us());
  store<u32>(at + RECORD_PC_AT, pc);
  store<u32>(at + RECORD_ADDRESS_AT, address);
  store<u32>(at + RECORD_EPOCH_AT, c.epoch);
  store<u32>(at + RECORD_SYSTEM_AT, nvram_read(NV_SYSTEM));
  store<u32>(at + RECORD_UTC_AT, timer_utc());
  store<u32>(at + RECORD_PHASE_AT, c.phase);
  store<u64>(at + RECORD_MEMORY_AT, <u64>memory.size() * CHUNK_BYTES);
  // A panic before boot has read its NVRAM: the partner must know the message for ours all the same.
  if (!c.system) {
    c.system = nvram_read(NV_SYSTEM);
    c.partner = nvram_read(NV_PARTNER);
    c.index = nvram_read(NV_INDEX);
    c.mailbox = NO_DISK;
    c.coredump = NO_DISK;
  }
  store<u32>(at + RECORD_MAGIC_AT, RECORD_MAGIC);
  trace_event(EV_PANIC, why, c.phase, 0);
  const cipher = dump_key_state();
  const k0 = word(0);
  const k1 = word(1);
  const k2 = word(2);
  const k3 = word(3);
  secrets_scrub();
  trace_event(EV_FROZEN, 0, 0, 0);
  dump().cipher = cipher;
  dump_key_put(0, k0);
  dump_key_put(1, k1);
  dump_key_put(2, k2);
  dump_key_put(3, k3);
  begin();
}

function begin(): void {
  const d = dump();
  const c = core();
  d.active = 1;
  fold_in(fold_area(DUMP_WRITER));
  d.reason = load<u32>(RECORD_AT + RECORD_REASON_AT);
  d.failed_at = load<u64>(RECORD_AT + RECORD_TIME_AT);
  // Configuration comes from the NVRAM, and the disks to write to from the seal: memory may be damaged.
  d.limit_ms = nvram_read(NV_LIMIT_MS);
  d.watchdog_ms = nvram_read(NV_WATCHDOG_MS);
  d.reboot = nvram_read(NV_REBOOT);
  d.codec = nvram_read(NV_CODEC) == CODEC_LZ4 ? CODEC_LZ4 : 0;
  if (ASC_FEATURE_THREADS) d.cpus = nvram_read(NV_CPUS);
  d.limit_at = d.failed_at + <u64>d.limit_ms * 1000;
  hba_configure(<u32>DUMP_SQ, DUMP_RING, <u32>DUMP_CQ, DUMP_RING);
  const sealed = seal_good();
  d.sealed = sealed && seal().coredump != NO_DISK ? 1 : 0;
  d.mailbox = sealed ? seal().mailbox : NO_DISK;
  d.mailbox_path = sealed ? seal().mailbox_path : 0;
  // Without a good seal the best spare by the table of disks, after a look at its label.
  d.disk = sealed ? seal().coredump : spare_pick(0);
  // What should be encrypted and cannot be is not written at all.
  if (d.cipher == KEY_LOST) d.disk = NO_DISK;
  announce();
  if (d.mailbox == NO_DISK) return mark();
  d.step = STEP_MAIL;
  d.path = d.mailbox_path;
  control_mail();
}

/** So long after its limit nothing is waited for any more, not even for the closing header. */
const LATE_US: u64 = 5000000;

function give_in(): u32 {
  over();
  return 1000;
}

/** One cycle of the panic handler. Returns the cycles that may be skipped: none, it polls. */
export function panic_cycle(): u32 {
  const d = dump();
  if (d.step == STEP_OVER) return 1000;
  d.now = writer().now = now_us();
  reap();
  control_again();
  receive();
  if (d.step == STEP_RUN || d.step == STEP_PROGRESS) run();
  else if (d.step == STEP_CLOSE) close();
  else if (d.step == STEP_LEND && d.now > d.lend_until) ask_arbiter();
  // An HBA that answers nothing any more leaves every step waiting.
  if (d.now > d.limit_at + LATE_US && d.step != STEP_OVER) return give_in();
  // Whatever is waited for has a time limit of its own, and the whole of it the dump's.
  watchdog_feed(d.watchdog_ms);
  if (d.moving && !writer().in_flight && !d.control_busy) move_reservation();
  flush();
  return 0;
}

/** Rings the doorbell once for all that this cycle sent. */
function flush(): void {
  const d = dump();
  const w = writer();
  if (w.sq_tail == d.sq_rung) return;
  timer_work(WORK_COMMAND, w.sq_tail - d.sq_rung);
  d.sq_rung = w.sq_tail;
  hba_doorbell(w.sq_tail);
}

function reap(): void {
  const d = dump();
  const posted = min<u32>(hba_poll() - d.cq_head, DUMP_RING) + d.cq_head; // the HBA may be what has failed
  while (d.cq_head != posted) {
    const cqe = DUMP_CQ + <usize>(d.cq_head & (DUMP_RING - 1)) * CQE_BYTES;
    d.cq_head++;
    const tag = load<u32>(cqe + CQE_TAG_AT);
    const outcome = outcome_of(cqe);
    if (!writer_done(DUMP_WRITER, tag, outcome)) control_done(outcome);
  }
  const w = writer();
  if (w.path_dead && !d.path_tried && d.step != STEP_END) d.moving = 1;
  w.path_dead = 0;
  w.hold = d.moving;
  if (w.tables_written == d.tables_told) return;
  d.tables_told = w.tables_written;
  trace_event(EV_DUMP_PROGRESS, d.disk, w.zero + w.stored + w.lost + w.poisoned, 0);
}

function receive(): void {
  const d = dump();
  const bytes = interconnect_receive(<u32>DUMP_MESSAGE_IN, MESSAGE_ROOM);
  if (!bytes || !message_good(DUMP_MESSAGE_IN, bytes)) return;
  const kind = load<u32>(DUMP_MESSAGE_IN + MSG_KIND_AT);
  if (d.disk == NO_DISK || load<u64>(DUMP_MESSAGE_IN + MSG_WWN_AT) != disk_at(d.disk).wwn) return;
  if (kind == MSG_STOP) d.stop = 1;
  if (kind != MSG_LENT || d.step != STEP_LEND) return;
  d.step = STEP_REGISTER;
  d.path = disk_at(d.disk).path;
  cdb_reserve_out(DUMP_ENTRY, PR_REGISTER_AND_IGNORE, 0, DUMP_LIST, 0, core().key);
  control(d.disk);
}

export function over(): void {
  const d = dump();
  if (writer().fenced) trace_event(EV_DUMP_END, d.disk, ATTRIBUTE_ABORTED, ABORT_FENCED);
  d.step = STEP_OVER;
  dump_key_forget();
  message_begin(DUMP_MESSAGE_OUT, MSG_DUMP_ENDED, ++d.sequence, d.disk == NO_DISK ? 0 : disk_at(d.disk).wwn);
  message_send(DUMP_MESSAGE_OUT);
  trace_event(EV_HALT, d.reboot, 1, 0);
  if (d.reboot) reset_reboot();
  else reset_halt();
}
