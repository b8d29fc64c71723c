/**
 * Unit attention conditions, a queue for each I_T nexus.
 *
 * [SAM-5] 5.14 unit attention conditions; resets take precedence over all others
 * [SPC-4] annex E.2 codes 29h, 2Ah, 2Fh
 */
import { ATTENTION_MAX, LogicalUnit, NEXUS_ATTENTION_AT, NEXUS_UNUSED, Nexus, nexus_at } from './unit';
import { KEY_UNIT_ATTENTION, SENSE_POWER_ON } from '../scsi/sense';
import { NEXUS_MAX } from '../layout';

const KEY: u32 = (<u32>KEY_UNIT_ATTENTION) << 16;

// @ts-ignore: decorator
@inline
function entry(nexus: Nexus, index: u32): usize {
  return changetype<usize>(nexus) + NEXUS_ATTENTION_AT + ((<usize>index) << 1);
}

// @ts-ignore: decorator
@inline
function is_reset(code: u32): bool {
  return (code & 0xff00) == 0x2900;
}

/**
 * Establishes a unit attention condition for a nexus. A condition that is already pending is not queued twice. Power
 * on makes all others moot, and while it is pending no lesser reset need be told.
 */
export function attention_post(nexus: Nexus, code: u32): void {
  if (nexus.state == NEXUS_UNUSED) return;
  if (code == SENSE_POWER_ON) nexus.attentions = 0;
  let behind: u32 = 0;
  for (let i: u32 = 0; i < nexus.attentions; i++) {
    const pending = KEY | load<u16>(entry(nexus, i));
    if (pending == code || (pending == SENSE_POWER_ON && is_reset(code))) return;
    if (is_reset(pending)) behind = i + 1;
  }
  if (nexus.attentions == ATTENTION_MAX) return;
  const at = is_reset(code) ? behind : nexus.attentions;
  memory.copy(entry(nexus, at + 1), entry(nexus, at), (<usize>(nexus.attentions - at)) << 1);
  store<u16>(entry(nexus, at), <u16>code);
  nexus.attentions++;
}

/** For every nexus known, logged in or remembered. */
export function attention_post_all(unit: LogicalUnit, code: u32): void {
  for (let i: u32 = 0; i < <u32>NEXUS_MAX; i++) attention_post(nexus_at(unit, i), code);
}

/** For every nexus but one. */
export function attention_post_others(unit: LogicalUnit, code: u32, except: u32): void {
  for (let i: u32 = 0; i < <u32>NEXUS_MAX; i++) {
    if (i != except) attention_post(nexus_at(unit, i), code);
  }
}

/** The condition that a nexus would be told next, or 0. */
export function attention_peek(nexus: Nexus): u32 {
  return nexus.attentions ? KEY | load<u16>(entry(nexus, 0)) : 0;
}

/** Takes it off the queue: it is cleared by being reported, UA_INTLCK_CTRL 00b, [SPC-4] 7.5.8. */
export function attention_take(nexus: Nexus): u32 {
  const code = attention_peek(nexus);
  if (code) {
    nexus.attentions--;
    memory.copy(entry(nexus, 0), entry(nexus, 1), (<usize>nexus.attentions) << 1);
  }
  return code;
}
