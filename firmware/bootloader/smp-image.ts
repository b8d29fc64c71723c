/** SMP: the image group. [SMP] smp_group_1.rst */
import { CBOR_BYTES, put_array, put_end, put_flag, put_map, put_string, put_text, put_uint } from './cbor';
import { NO_SLOT, slot_to_boot, slot_to_write } from './choose';
import { image_check, image_digest } from './image';
import {
  HEADER_BYTES,
  HEADER_VERSION_AT,
  IMAGE_DOWNGRADE,
  IMAGE_GOOD,
  IMAGE_MAGIC,
  IMAGE_MAX,
  IMAGE_NONE,
  SLOTS,
  SMP_BAD_STATE,
  SMP_IMAGE,
  SMP_INVALID,
  SMP_NO_ENTRY,
  SMP_OK,
  SMP_UNKNOWN,
} from './layout';
import { COPY_AT, HEADER_AT, request, state } from './memory';
import { HAS_CONFIRM, HAS_DATA, HAS_HASH, HAS_LENGTH, HAS_OFFSET, HAS_SHA } from './request';
import { install, is_confirmed, is_installed, is_rejected, is_tried, set_confirmed } from './trailer';
import { slot_erase, upload_append, upload_begin, upload_matches } from './upload';

const HASH_BYTES: u32 = 32;

/** Image state: what lies in each slot. A slot without a good image is not listed. */
export function image_read(): u32 {
  const boots = slot_to_boot();
  put_text('images');
  put_array();
  for (let slot: u32 = 0; slot < SLOTS; slot++) {
    const check = image_check(slot);
    if (check != IMAGE_GOOD && check != IMAGE_DOWNGRADE) continue;
    put_map();
    put_text('image');
    put_uint(0);
    put_text('slot');
    put_uint(slot);
    put_text('version');
    put_version();
    put_text('hash');
    put_string(CBOR_BYTES, image_digest(), HASH_BYTES);
    put_flag('bootable', check == IMAGE_GOOD && !is_rejected(slot));
    put_flag('pending', slot == boots && !is_confirmed(slot));
    put_flag('confirmed', is_installed(slot) && is_confirmed(slot));
    put_flag('active', slot == boots);
    put_flag('permanent', false);
    put_end();
  }
  put_end();
  put_text('splitStatus');
  put_uint(0);
  return SMP_OK;
}

/** "major.minor.revision.build", as Zephyr writes it; the header was just read. */
function put_version(): void {
  let at = COPY_AT;
  at = put_decimal(at, load<u8>(HEADER_AT + HEADER_VERSION_AT));
  store<u8>(at++, 0x2e);
  at = put_decimal(at, load<u8>(HEADER_AT + HEADER_VERSION_AT + 1));
  store<u8>(at++, 0x2e);
  at = put_decimal(at, load<u16>(HEADER_AT + HEADER_VERSION_AT + 2));
  const build = load<u32>(HEADER_AT + HEADER_VERSION_AT + 4);
  if (build != 0) {
    store<u8>(at++, 0x2e);
    at = put_decimal(at, build);
  }
  put_string(3, COPY_AT, <u32>(at - COPY_AT));
}

function put_decimal(at: usize, value: u32): usize {
  let digits: u32 = 1;
  for (let rest = value / 10; rest > 0; rest /= 10) digits++;
  for (let i = digits; i > 0; i--) {
    store<u8>(at + i - 1, <u8>(0x30 + (value % 10)));
    value /= 10;
  }
  return at + digits;
}

/** Test or confirm: the image of that hash is the next to boot, on trial or for good. */
export function image_write(): u32 {
  const r = request();
  const confirm = (r.has & HAS_CONFIRM) != 0 && r.confirm == 1;
  if ((r.has & HAS_HASH) == 0) {
    if (!confirm) return SMP_INVALID;
    const boots = slot_to_boot();
    if (boots == NO_SLOT) return SMP_NO_ENTRY;
    return set_confirmed(boots) ? image_read() : SMP_UNKNOWN;
  }
  if (r.hash_bytes != HASH_BYTES) return SMP_INVALID;
  const slot = slot_of_hash();
  if (slot == NO_SLOT) return SMP_NO_ENTRY;
  const check = image_check(slot);
  if (check != IMAGE_GOOD) return SMP_IMAGE + check;
  const stands = slot == slot_to_boot();
  if (!stands && !install(slot)) return SMP_UNKNOWN;
  if (confirm && !set_confirmed(slot)) return SMP_UNKNOWN;
  return image_read();
}

/** The slot whose image has the request's hash in its TLVs; whether it is good is another question. */
function slot_of_hash(): u32 {
  // The one that is not kept first: it may be a copy of the other.
  const first = slot_to_write();
  for (let n: u32 = 0; n < SLOTS; n++) {
    const slot = n == 0 ? first : 1 - first;
    memory.fill(image_digest(), 0, HASH_BYTES);
    image_check(slot);
    if (memory.compare(image_digest(), request().hash, HASH_BYTES) == 0) return slot;
  }
  return NO_SLOT;
}

/** A chunk of an image. The reply says where the next one begins, whatever came: so a host finds its way back. */
export function image_upload(): u32 {
  const r = request();
  const s = state();
  if ((r.has & HAS_OFFSET) == 0 || (r.has & HAS_DATA) == 0 || r.image != 0) return SMP_INVALID;
  if (r.offset == 0) {
    const rc = begin();
    if (rc != SMP_OK) return rc;
  }
  if (s.uploading == 0) return put_offset(0);
  if (r.offset != s.offset) return put_offset(s.offset);
  if (r.data_bytes > s.length - s.offset) return SMP_INVALID;
  if (r.data_bytes > 0 && !upload_append(r.data, r.data_bytes)) {
    s.uploading = 0;
    return SMP_UNKNOWN;
  }
  return put_offset(s.offset);
}

function begin(): u32 {
  const r = request();
  if ((r.has & HAS_LENGTH) == 0 || r.length == 0 || r.length > IMAGE_MAX) return SMP_INVALID;
  if ((r.has & HAS_SHA) != 0 && r.sha_bytes != HASH_BYTES) return SMP_INVALID;
  if (r.data_bytes >= HEADER_BYTES && load<u32>(r.data) != IMAGE_MAGIC) return SMP_IMAGE + IMAGE_NONE;
  const sha: usize = (r.has & HAS_SHA) != 0 ? <usize>r.sha : 0;
  return upload_begin(slot_to_write(), r.length, sha) ? SMP_OK : SMP_UNKNOWN;
}

function put_offset(offset: u32): u32 {
  const s = state();
  put_text('off');
  put_uint(offset);
  if (s.uploading == 1 && s.offset == s.length) put_flag('match', upload_matches());
  return SMP_OK;
}

/** Erases the slot that takes uploads. */
export function image_erase(): u32 {
  return slot_erase(slot_to_write()) ? SMP_OK : SMP_BAD_STATE;
}
