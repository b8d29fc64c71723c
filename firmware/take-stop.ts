/**
 * The operator wants the partner's dump stopped: it is asked to, again and again, until it says that its dump has ended
 * or the bound has passed. It closes its header as aborted, and the disk is taken by that. A partner that does not
 * answer keeps the disk until its limit: a request is no reason to write to a disk that says dumping.
 */
import { nvram_read } from './board';
import { disk_of } from './discover';
import { EV_STOP, MSG_STOP, NV_STOP_MS } from './layout';
import { log, log_disk } from './log';
import { NO_DISK, core, disk_at } from './memory';
import { message_say } from './message';
import { wake_at } from './state';
import { D_BUSY, D_LEFT } from './take-state';
import { trace } from './trace';

const ASKED: u32 = 1;
const UNANSWERED: u32 = 3;
const AGAIN_US: u64 = 500000;

export function stop_ask(): void {
  const c = core();
  const d = dump_disk();
  if (!left(d)) return log('the partner has no dump that could be stopped');
  c.stop_disk = d;
  c.stop_until = c.now + <u64>nvram_read(NV_STOP_MS) * 1000;
  c.stop_again_at = c.now;
  c.stopping = 1;
  trace(EV_STOP, d, ASKED);
  log_disk(d, 'the partner is asked to stop its dump');
  stop_step();
}

/** The disk of the dump: by its header, or as long as that is not read by the panic message. */
function dump_disk(): u32 {
  const c = core();
  if (c.take_disk != NO_DISK) return c.take_disk;
  return c.take_hint ? disk_of(c.take_hint) : NO_DISK;
}

function left(d: u32): bool {
  if (d == NO_DISK) return false;
  const where = disk_at(d).take;
  return where == D_LEFT || where == D_BUSY;
}

/** What is due in this cycle. */
export function stop_step(): void {
  const c = core();
  if (!c.stopping) return;
  if (!left(c.stop_disk) || dump_disk() != c.stop_disk) {
    c.stopping = 0;
    return;
  }
  if (c.now >= c.stop_until) {
    c.stopping = 0;
    trace(EV_STOP, c.stop_disk, UNANSWERED);
    return log_disk(c.stop_disk, 'no answer to the request to stop: left to the dump until its limit');
  }
  if (c.now >= c.stop_again_at) {
    c.stop_again_at = c.now + AGAIN_US;
    message_say(MSG_STOP, disk_at(c.stop_disk).wwn);
  }
  wake_at(min<u64>(c.stop_again_at, c.stop_until));
}
