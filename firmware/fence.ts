/**
 * A board that meets a reservation conflict on a disk it owned has been fenced: the partner took over. It stops serving
 * at once and reboots; then it waits for giveback.
 */
import { reset_reboot } from './board';
import { BOARD_FENCED, EV_FENCED, EV_HALT } from './layout';
import { log_disk } from './log';
import { core } from './memory';
import { serve_end_all } from './serve';
import { set_state } from './state';
import { trace } from './trace';

export function fence(disk: u32): void {
  if (core().state == BOARD_FENCED) return;
  serve_end_all();
  set_state(BOARD_FENCED);
  trace(EV_FENCED, disk);
  log_disk(disk, 'was taken by the partner: this board is fenced');
  trace(EV_HALT, 1);
  reset_reboot();
}
