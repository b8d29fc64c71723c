/**
 * The board end of an attached board: what stands between the line to the host and the firmware, so that the firmware
 * finds the devices of firmware/board.ts. The carrier calls `run` once, connects each export DEVICE_NAME to the import
 * DEVICE.NAME of the firmware, and gives what outside.ts declares.
 */
import { LINK_BOARD, LINK_OPEN } from '../../asm/link/layout';
import { link_close, link_init, link_lives, link_state } from '../../asm/link/link';
import { AGENT, LINK, agent } from './agent';
import { QUIET_US } from './layout';
import { wire_now } from './outside';
import { serve } from './serve';
import { pump, rest } from './stream';

export {
  ecc_next,
  interconnect_receive,
  interconnect_send,
  irq_mask,
  irq_unmask,
  nvram_read,
  nvram_write,
  port_claim,
  port_configure,
  port_fetch,
  port_poll,
  port_release,
  port_reply,
  random_word,
  reset_halt,
  reset_reboot,
  timer_now_hi,
  timer_now_lo,
  timer_utc,
  timer_work,
  trace_event,
  uart_read,
  uart_write,
  watchdog_feed,
} from './devices';
export { hba_configure, hba_doorbell, hba_poll, hba_reset } from './hba';

/** Serves one host after the other, for ever. `nonce` should not be that of the run before. */
export function run(nonce: u32): void {
  const a = agent();
  memory.fill(AGENT, 0, 512);
  const now = wire_now();
  a.heard_at = now - QUIET_US;
  link_init(<u32>LINK, LINK_BOARD, nonce, now);
  for (;;) {
    while (link_state(<u32>LINK) != LINK_OPEN) rest();
    a.life = link_lives(<u32>LINK);
    a.over = a.item_at = a.item_end = 0;
    // RAM stays as the last session left it, to be read; its firmware does not run on.
    a.ready = a.running = 0;
    while (serve()) {}
    // Over by a word that nobody knows: the host hears of it. A session that has begun meanwhile stays.
    if (link_lives(<u32>LINK) == a.life) link_close(<u32>LINK);
    pump();
  }
}
