/**
 * TransportIDs in canonical form, so that equal initiator ports have equal bytes: always the whole name is compared,
 * for iSCSI with all six bytes of the ISID.
 *
 * [SPC-4] 7.6.4 TransportID identifiers: 7.6.4.1 general, 24 bytes; 7.6.4.6 iSCSI, format 01b: name, ",i,0x", ISID
 * [SAM-5] 4.7 an initiator port is known by its name where the protocol has one
 * [RFC 3720] 3.2.6.2 iSCSI names are lower case
 */
import { load_be16, store_be16 } from '../bytes/endian';
import { TRANSPORT_ID_BYTES } from '../layout';

const ISCSI: u32 = 0x05;
const FORMAT_PORT: u32 = 0x40;
/** Of every TransportID but iSCSI's. */
export const SHORT_ID_BYTES: u32 = 24;
/** The shortest TransportID that may be told apart: a header of 4 bytes. */
const HEAD_BYTES: u32 = 4;
/** ADDITIONAL LENGTH is at least 20 and a multiple of 4, [SPC-4] 7.6.4.6. */
const ADDITIONAL_MIN: u32 = 20;

/** Bytes that the TransportID at `id` says it has, or 0 when its header does not fit in `room`. */
export function transport_id_bytes(id: usize, room: u32): u32 {
  if (room < HEAD_BYTES) return 0;
  return (load<u8>(id) & 0x0f) == ISCSI ? HEAD_BYTES + load_be16(id + 2) : SHORT_ID_BYTES;
}

function lower(c: u32): u32 {
  return c - 0x41 < 26 ? c | 0x20 : c;
}

function is_hex(c: u32): bool {
  return c - 0x30 < 10 || lower(c) - 0x61 < 6;
}

/** True if the `bytes` characters at `name` end in ",i,0x" and twelve hexadecimal digits. */
function has_isid(name: usize, bytes: u32): bool {
  if (bytes < 18) return false;
  const tail = name + bytes - 17;
  if (load<u8>(tail) != 0x2c || lower(load<u8>(tail, 1)) != 0x69 || load<u8>(tail, 2) != 0x2c) return false;
  if (load<u8>(tail, 3) != 0x30 || lower(load<u8>(tail, 4)) != 0x78) return false;
  for (let i: usize = 5; i < 17; i++) {
    if (!is_hex(load<u8>(tail + i))) return false;
  }
  return true;
}

/**
 * Puts the TransportID at `id` into the TRANSPORT_ID_BYTES at `out`, NULs behind it, and returns its bytes; 0 if it
 * is none that names one initiator port. An iSCSI name without an ISID (format 00b) names a device, and is refused.
 */
export function transport_id_canonical(id: usize, bytes: u32, out: usize): u32 {
  memory.fill(out, 0, TRANSPORT_ID_BYTES);
  if (transport_id_bytes(id, bytes) != bytes || bytes > <u32>TRANSPORT_ID_BYTES) return 0;
  const head: u32 = load<u8>(id);
  if ((head & 0x0f) != ISCSI) {
    if (head > 0x0f) return 0;
    memory.copy(out, id, bytes);
    return bytes;
  }
  if (head != (ISCSI | FORMAT_PORT)) return 0;
  let length: u32 = 0;
  for (; length < bytes - HEAD_BYTES; length++) {
    const c: u32 = load<u8>(id + HEAD_BYTES + length);
    if (!c) break;
    store<u8>(out + HEAD_BYTES + length, lower(c));
  }
  // NUL-terminated, [SPC-4] 7.6.4.6; the bytes behind the NUL are padding
  if (length == bytes - HEAD_BYTES || !has_isid(out + HEAD_BYTES, length)) return 0;
  const additional = max(ADDITIONAL_MIN, (length + 4) & ~3);
  store<u8>(out, head);
  store_be16(out + 2, additional);
  return HEAD_BYTES + additional;
}

/** True if two canonical TransportIDs are of one initiator port. */
export function transport_id_equal(a: usize, aBytes: u32, b: usize, bBytes: u32): bool {
  return aBytes == bBytes && memory.compare(a, b, aBytes) == 0;
}
