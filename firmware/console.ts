/**
 * The debug console on the uart: one letter a command, for those who want to see a board die in a certain way.
 * 't' traps (a load beyond all memory), 'a' fails an assert, 'g' gives back now, 's' has the partner's dump stopped.
 */
import { uart_read } from './board';
import { core } from './memory';
import { stop_ask } from './take-stop';

const BYTES_MAX = 16;

export function console(): void {
  for (let n = 0; n < BYTES_MAX; n++) {
    const byte = uart_read();
    if (byte < 0) return;
    switch (byte) {
      case 0x74:
        unreachable_address();
        break;
      case 0x61:
        assert(false, 'failed on request of the console');
        break;
      case 0x73:
        stop_ask();
        break;
      case 0x67:
        core().giveback_ms = 0;
        core().give_at = 0;
        break;
    }
  }
}

/** What a stray pointer does: a memory access out of bounds, which traps. */
function unreachable_address(): void {
  const stray = <usize>0xfffffff0;
  store<u64>(stray, load<u64>(stray, 0x10000), 0x10000);
}
