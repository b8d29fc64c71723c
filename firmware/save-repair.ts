/**
 * What an earlier try to save this dump left in the root file system is taken back before the next one: the header says
 * which clusters it had chosen. They may be taken by no file, or by the core that was made and not marked as saved.
 */
import { SECTOR_BYTES } from '../asm/layout';
import {
  exfat_lookup,
  exfat_step_blocks,
  exfat_step_boot,
  exfat_step_lba,
  exfat_step_offset,
} from '../asm/volume/exfat/add';
import { exfat_bitmap } from '../asm/volume/exfat/mount';
import {
  exfat_is_dirty,
  exfat_owner,
  exfat_run_sound,
  exfat_undo,
  exfat_was_clean,
} from '../asm/volume/exfat/undo';
import { core_name } from './core-name';
import { EV_SAVE_REPAIR } from './layout';
import { log } from './log';
import { plan } from './save-file';
import { BITMAP, BOOT, DIRECTORY, NAME, NAMES_MAX, SAVE_REPAIR, VOLUME, save } from './save-state';
import { write } from './savecore';
import { trace } from './trace';

// Steps of exfat/add, in the order of exfat/undo.
const STEP_DIRTY: u32 = 0;
const STEP_BITMAP: u32 = 2;
const STEP_DIRECTORY: u32 = 3;
const STEP_CLEAN: u32 = 4;
const STEP_DONE: u32 = 5;

/** Directory and bitmap are read: takes back what is left of an earlier try, and goes on with the plan. */
export function repair(): void {
  const s = save();
  if (!s.old_clusters) {
    s.was_clean = exfat_is_dirty(VOLUME) ? 0 : 1;
    return plan();
  }
  const entry = exfat_owner(VOLUME, DIRECTORY, s.old_cluster, s.old_clusters);
  const sound = exfat_run_sound(VOLUME, s.old_cluster, s.old_clusters);
  if (s.was_clean) exfat_was_clean(VOLUME);
  // Another dump's core may lie there by now, because this one never got so far as to take the clusters.
  if (!sound || (entry >= 0 && !is_ours(entry))) return plan();
  trace(EV_SAVE_REPAIR, s.old_cluster, s.old_clusters, entry >= 0 ? 1 : 0);
  log(
    entry >= 0
      ? 'savecore: makes a core anew that was not marked as saved'
      : 'savecore: frees what a cut try took',
  );
  exfat_undo(VOLUME, BITMAP, DIRECTORY, entry, s.old_cluster, s.old_clusters);
  exfat_bitmap(VOLUME, BITMAP);
  s.removes = entry >= 0 ? 1 : 0;
  s.step = STEP_DIRTY;
  send();
}

/** The file's name is one that this dump's core can have. */
function is_ours(entry: i32): bool {
  const s = save();
  for (let again: u32 = 0; again < NAMES_MAX; again++) {
    const bytes = core_name(NAME, s.system, s.utc, again, s.sealed != 0);
    if (exfat_lookup(DIRECTORY, NAME, bytes) == entry) return true;
  }
  return false;
}

export function repair_done(): void {
  const s = save();
  switch (s.step) {
    case STEP_DIRTY:
      s.step = s.removes ? STEP_DIRECTORY : STEP_BITMAP;
      break;
    case STEP_DIRECTORY:
      s.step = STEP_BITMAP;
      break;
    case STEP_BITMAP:
      s.step = STEP_CLEAN;
      break;
    default:
      s.step = STEP_DONE;
  }
  if (s.step != STEP_DONE) return send();
  s.old_clusters = 0;
  plan();
}

function send(): void {
  const s = save();
  const lba = exfat_step_lba(VOLUME, s.step);
  const offset = <usize>exfat_step_offset(VOLUME, s.step);
  const blocks = exfat_step_blocks(VOLUME, s.step);
  if (s.step == STEP_BITMAP) return write(SAVE_REPAIR, s.root, lba, blocks, BITMAP + offset);
  if (s.step == STEP_DIRECTORY) return write(SAVE_REPAIR, s.root, lba, blocks, DIRECTORY + offset);
  exfat_step_boot(VOLUME, s.step, BOOT);
  write(SAVE_REPAIR, s.root, lba, 1, BOOT);
}
