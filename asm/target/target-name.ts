/**
 * Names of the iSCSI target ports a logical unit is reached through, as its host gave them.
 *
 * [SAM-5] annex A: an iSCSI target port's name is the target's iSCSI name, ",t,0x" and the target portal group tag
 * [RFC 7143] 4.2.7.1 at most 223 bytes; names are lower case
 */
import { TARGET_NAME_BYTES } from '../layout';
import { LogicalUnit, name_at } from './unit';

const NAME_MAX: u32 = 223;
/** ",t,0x" and four hexadecimal digits. */
export const TAG_BYTES: u32 = 9;
const COMMA: u32 = 0x2c;

/** Bytes of the iSCSI name in a name of a port, which may have its tag behind it. */
export function device_name_bytes(name: usize, bytes: u32): u32 {
  let length: u32 = 0;
  while (length < bytes && load<u8>(name + length) != COMMA) length++;
  return length;
}

export function port_name_bytes(unit: LogicalUnit, port: u32): u32 {
  return port == 2 ? unit.name2Bytes : unit.name1Bytes;
}

/**
 * True if the bytes at `name` are now the name of relative target port 1 or 2 (none: it has no name again). Without a
 * tag behind it, its portal group tag is the number of the port.
 */
export function target_name(unit: LogicalUnit, port: u32, name: usize, bytes: u32): bool {
  if (!port || port > 2 || bytes > <u32>TARGET_NAME_BYTES) return false;
  const device = device_name_bytes(name, bytes);
  if (device > NAME_MAX || (bytes && !device)) return false;
  if (device != bytes && !is_tag(name + device, bytes - device)) return false;
  for (let i: u32 = 0; i < bytes; i++) {
    if (<u32>load<u8>(name + i) - 0x21 > 0xde) return false; // no blanks, no controls; UTF-8 above
  }
  memory.fill(name_at(unit, port), 0, TARGET_NAME_BYTES);
  memory.copy(name_at(unit, port), name, bytes);
  if (port == 2) unit.name2Bytes = bytes;
  else unit.name1Bytes = bytes;
  return true;
}

/** True for ",t,0x" and one to eight digits or letters more. */
function is_tag(at: usize, bytes: u32): bool {
  return (
    bytes > 5 &&
    bytes <= 13 &&
    load<u8>(at, 1) == 0x74 &&
    load<u8>(at, 2) == COMMA &&
    load<u8>(at, 3) == 0x30 &&
    (load<u8>(at, 4) | 0x20) == 0x78
  );
}

/** Writes the name of the port with its tag at `out`; returns its bytes. */
export function port_name_put(unit: LogicalUnit, port: u32, out: usize): u32 {
  const name = name_at(unit, port);
  const bytes = port_name_bytes(unit, port);
  memory.copy(out, name, bytes);
  if (device_name_bytes(name, bytes) != bytes) return bytes;
  store<u32>(out + bytes, 0x302c742c); // ",t,0"
  store<u32>(out + bytes, 0x30303078, 4); // "x000"
  store<u8>(out + bytes, 0x30 + port, 8);
  return bytes + TAG_BYTES;
}
