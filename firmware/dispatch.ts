/** Who goes on with a completed command: the upper half of its kind names the file. */
import { KIND_PROBE, path_probed } from './path';
import { KIND_CLAIM, claim_done } from './claim';
import { KIND_DISCOVER, discover_done } from './discover';
import { KIND_HOLDER, holder_done } from './holder';
import { KIND_MAIL, mail_done } from './mailbox';
import { KIND_SAVE } from './save-state';
import { save_done } from './savecore';
import { KIND_SERVE, serve_done } from './serve';
import { KIND_SPARE, spare_done } from './spare';
import { KIND_TAKE } from './take-state';
import { take_done } from './takeover';
import { KIND_GIVE, give_done } from './giveback';
import { command_at } from './memory';

/** `i` is the slot, free again but with its fields still there; `outcome` is OUTCOME_*. */
export function command_done(i: u32, outcome: u32): void {
  switch (command_at(i).kind & 0xff00) {
    case KIND_DISCOVER:
      return discover_done(i, outcome);
    case KIND_CLAIM:
      return claim_done(i, outcome);
    case KIND_MAIL:
      return mail_done(i, outcome);
    case KIND_SERVE:
      return serve_done(i, outcome);
    case KIND_TAKE:
      return take_done(i, outcome);
    case KIND_SAVE:
      return save_done(i, outcome);
    case KIND_GIVE:
      return give_done(i, outcome);
    case KIND_SPARE:
      return spare_done(i, outcome);
    case KIND_HOLDER:
      return holder_done(i, outcome);
    case KIND_PROBE:
      return path_probed(i, outcome);
    default:
      assert(false, 'a command of no kind completed');
  }
}
