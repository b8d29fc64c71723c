/**
 * Paths that come back. A lost path is asked every so often; when it answers, this board registers on it again and may
 * use it when the other one is lost.
 */
import { PR_REGISTER_AND_IGNORE, cdb_reserve_out, cdb_test_unit_ready } from '../asm/initiator/cdb';
import { OUTCOME_GOOD } from '../asm/initiator/outcome';
import { NO_COMMAND, command_new, command_send_on, entry_of } from './command';
import { DISK_MAX, EV_PATH_BACK } from './layout';
import { command_at, core, disk_at, scratch } from './memory';
import { log_disk } from './log';
import { wake_at } from './state';
import { trace } from './trace';

export const KIND_PROBE: u32 = 0xa000;
const READY: u32 = KIND_PROBE;
const REGISTER: u32 = KIND_PROBE + 1;
const PROBE_US: u64 = 1000000;
const LIST_AT: usize = 0x3f40;

/** What is due in this cycle. */
export function paths(): void {
  const c = core();
  if (c.now < c.probe_at) return wake_at(c.probe_at);
  c.probe_at = c.now + PROBE_US;
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    const disk = disk_at(d);
    const lost = (<u32>disk.paths_known) & ~(<u32>disk.paths);
    if (!disk.present || !lost || disk.failing_over) continue;
    const i = command_new(READY, d, lost == 2 ? 1 : 0);
    if (i == NO_COMMAND) return;
    cdb_test_unit_ready(entry_of(i));
    command_send_on(i, command_at(i).arg);
  }
}

export function path_probed(i: u32, outcome: u32): void {
  const d = command_at(i).disk;
  const path = command_at(i).arg;
  if (outcome != OUTCOME_GOOD) return;
  if (command_at(i).kind == READY) {
    const next = command_new(REGISTER, d, path);
    if (next == NO_COMMAND) return;
    cdb_reserve_out(entry_of(next), PR_REGISTER_AND_IGNORE, 0, scratch(d) + LIST_AT, 0, core().key);
    return command_send_on(next, path);
  }
  const disk = disk_at(d);
  disk.paths |= <u8>((<u32>1) << path);
  disk.dead = 0;
  trace(EV_PATH_BACK, d, path);
  log_disk(d, path ? 'path 1 is back' : 'path 0 is back');
}
