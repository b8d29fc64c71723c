/**
 * Device Identification VPD page: names of the logical unit, of the target port that the command came through, and
 * of the target device.
 *
 * [SPC-4] 7.8.6 Device Identification VPD page; 7.8.6.4 T10 vendor ID, 7.8.6.6 NAA, 7.8.6.8 relative target port,
 *         7.8.6.11 SCSI name string; 7.8.14 SCSI Ports VPD page
 */
import {
  LU_CONFIG_DEVICE_LO_AT,
  LU_CONFIG_PORT1_LO_AT,
  LU_CONFIG_PORT2_LO_AT,
  LU_CONFIG_SERIAL_AT,
  LU_CONFIG_VENDOR_AT,
  LU_CONFIG_WWN_LO_AT,
} from '../layout';
import { store_be16, store_be64 } from '../bytes/endian';
import { ISCSI, SERIAL_BYTES, config_text, nexus_protocol } from './config';
import { device_name_bytes, port_name_bytes, port_name_put } from './target-name';
import { LogicalUnit, Nexus, config_at, name_at } from './unit';

const BINARY: u32 = 1;
const ASCII: u32 = 2;
const UTF_8: u32 = 3;
const OF_UNIT: u32 = 0x00;
const OF_PORT: u32 = 0x10;
const OF_DEVICE: u32 = 0x20;
const PIV: u32 = 0x80;
const T10_VENDOR_ID: u32 = 1;
const NAA: u32 = 3;
const RELATIVE_TARGET_PORT: u32 = 4;
const SCSI_NAME_STRING: u32 = 8;

/** Writes the designators at `body`; returns their bytes. */
export function device_identification(unit: LogicalUnit, nexus: Nexus, body: usize): u32 {
  const config = config_at(unit);
  let at = body;

  at = head(at, BINARY, OF_UNIT | NAA, 8);
  store_be64(at - 8, load<u64>(config, LU_CONFIG_WWN_LO_AT));

  at = head(at, ASCII, OF_UNIT | T10_VENDOR_ID, 8 + SERIAL_BYTES);
  config_text(at - 8 - SERIAL_BYTES, config + LU_CONFIG_VENDOR_AT, 8);
  config_text(at - SERIAL_BYTES, config + LU_CONFIG_SERIAL_AT, SERIAL_BYTES);

  const identifier = nexus_protocol(unit, nexus);
  at = head(at, (identifier << 4) | BINARY, PIV | OF_PORT | RELATIVE_TARGET_PORT, 4);
  store_be16(at - 2, nexus.port);
  at = port_designator(unit, identifier, nexus.port, at);
  at = identifier == ISCSI ? device_of_iscsi(unit, nexus.port, at) : device_of_sas(unit, identifier, at);
  return <u32>(at - body);
}

/** The name of a target port: NAA, or for iSCSI the name with its portal group tag. Nothing where there is none. */
export function port_designator(unit: LogicalUnit, identifier: u32, port: u32, at: usize): usize {
  if (identifier == ISCSI) {
    if (!port_name_bytes(unit, port)) return at;
    const bytes = padded(at + 4, port_name_put(unit, port, at + 4));
    return head(at, (identifier << 4) | UTF_8, PIV | OF_PORT | SCSI_NAME_STRING, bytes);
  }
  const naa = load<u64>(config_at(unit) + (port == 2 ? LU_CONFIG_PORT2_LO_AT : LU_CONFIG_PORT1_LO_AT));
  if (!naa) return at;
  const end = head(at, (identifier << 4) | BINARY, PIV | OF_PORT | NAA, 8);
  store_be64(end - 8, naa);
  return end;
}

/** SCSI Ports VPD page: both target ports, each with its names; [SPC-4] 7.8.14. No initiator port is among them. */
export function scsi_ports(unit: LogicalUnit, nexus: Nexus, body: usize): u32 {
  const identifier = nexus_protocol(unit, nexus);
  let at = body;
  for (let port: u32 = 1; port <= 2; port++) {
    store_be16(at + 2, port);
    const end = port_designator(unit, identifier, port, at + 12);
    store_be16(at + 10, <u32>(end - at - 12));
    at = end;
  }
  return <u32>(at - body);
}

function device_of_iscsi(unit: LogicalUnit, port: u32, at: usize): usize {
  const name = name_at(unit, port);
  const length = device_name_bytes(name, port_name_bytes(unit, port));
  if (!length) return at;
  memory.copy(at + 4, name, length);
  return head(at, (ISCSI << 4) | UTF_8, PIV | OF_DEVICE | SCSI_NAME_STRING, padded(at + 4, length));
}

function device_of_sas(unit: LogicalUnit, identifier: u32, at: usize): usize {
  const device = load<u64>(config_at(unit), LU_CONFIG_DEVICE_LO_AT);
  if (!device) return at;
  at = head(at, (identifier << 4) | BINARY, PIV | OF_DEVICE | NAA, 8);
  store_be64(at - 8, device);
  at = head(at, (identifier << 4) | UTF_8, PIV | OF_DEVICE | SCSI_NAME_STRING, 24);
  name_string(at - 24, device);
  return at;
}

/** Ends a string with NULs to a multiple of 4, one at least; returns its bytes with them. */
function padded(text: usize, bytes: u32): u32 {
  store<u32>(text + bytes, 0);
  return (bytes + 4) & ~3;
}

/** A designation descriptor's head of 4 bytes; returns the address behind the designator. */
function head(at: usize, codeSet: u32, kind: u32, bytes: u32): usize {
  store<u8>(at, codeSet);
  store<u8>(at, kind, 1);
  store<u8>(at, bytes, 3);
  return at + 4 + bytes;
}

/** "naa." and 16 hexadecimal digits, NULs to a multiple of 4. */
function name_string(at: usize, naa: u64): void {
  store<u32>(at, 0x2e61616e);
  for (let i: u32 = 0; i < 16; i++) {
    const digit = (<u32>(naa >> (60 - 4 * i))) & 15;
    store<u8>(at + 4 + i, digit < 10 ? 0x30 + digit : 0x37 + digit);
  }
}
