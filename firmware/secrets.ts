/**
 * Memory that no dump may show: whoever keeps a secret registers where it lies, and the panic handler makes it zero
 * before it freezes memory. The header and the core file say which regions these were.
 */
import { CORE_AT, CACHE_AT, EV_SCRUBBED, KEYS_AT, KEYS_BYTES, LOG_AT, WORK_AT } from './layout';
import { HEADER_SCRUB_AT, HEADER_SCRUB_COUNT_AT, SCRUB_BYTES, SCRUB_MAX } from '../asm/layout';
import { random_word, trace_event } from './board';

const SECRETS_AT: usize = CORE_AT + 0xd00; // count u32, then SCRUB_BYTES each: address, bytes, SECRET_*, 0
const LIST_AT: usize = SECRETS_AT + 16;
const BYTES_MAX: u32 = 65536;

export const SECRET_SESSION: u32 = 1;
export const SECRET_DUMP_KEY: u32 = 2;

/** The key of this life, with which a product would sign or encrypt what it tells others. */
const SESSION_AT: u32 = KEYS_AT;
const SESSION_WORDS: u32 = 8;

/** At boot. */
export function secrets_init(): void {
  for (let i: u32 = 0; i < SESSION_WORDS; i++) store<u32>(SESSION_AT + i * 4, random_word());
  secret_add(SESSION_AT, SESSION_WORDS * 4, SECRET_SESSION);
}

export function secret_add(address: u32, bytes: u32, kind: u32): void {
  const count = load<u32>(SECRETS_AT);
  assert(
    count < <u32>SCRUB_MAX && allowed(address, bytes),
    'a secret lies where the panic handler may clear it',
  );
  const entry = LIST_AT + count * SCRUB_BYTES;
  store<u32>(entry, address);
  store<u32>(entry + 4, bytes);
  store<u32>(entry + 8, kind);
  store<u32>(SECRETS_AT, count + 1);
}

/**
 * The panic handler takes the table as it is, from a memory that may be damaged: what is cleared must not be anything
 * that it needs. The firmware's state and the panic record are out of reach.
 */
function allowed(address: u32, bytes: u32): bool {
  const end = <u64>address + bytes;
  if (bytes > BYTES_MAX || end > (<u64>memory.size()) << 16) return false;
  const inKeys = address >= KEYS_AT && end <= KEYS_AT + KEYS_BYTES;
  const inBuffers = address >= LOG_AT && end <= <u64>WORK_AT;
  return inKeys || inBuffers || address >= CACHE_AT;
}

/** Clears them all, and the region of keys whatever the table says. */
export function secrets_scrub(): void {
  const count = min<u32>(load<u32>(SECRETS_AT), SCRUB_MAX);
  let bytes: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const entry = LIST_AT + i * SCRUB_BYTES;
    if (!allowed(load<u32>(entry), load<u32>(entry + 4))) {
      store<u32>(entry + 4, 0); // nothing there was cleared, and the header will say so
      continue;
    }
    memory.fill(<usize>load<u32>(entry), 0, load<u32>(entry + 4));
    bytes += load<u32>(entry + 4);
  }
  store<u32>(SECRETS_AT, count);
  memory.fill(<usize>KEYS_AT, 0, KEYS_BYTES);
  trace_event(EV_SCRUBBED, count, bytes, 0);
}

/** Puts the regions into a header. */
export function secrets_list(header: usize): void {
  const count = min<u32>(load<u32>(SECRETS_AT), SCRUB_MAX);
  store<u32>(header + HEADER_SCRUB_COUNT_AT, count);
  memory.copy(header + HEADER_SCRUB_AT, LIST_AT, count * SCRUB_BYTES);
}
