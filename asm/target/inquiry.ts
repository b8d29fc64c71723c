/**
 * INQUIRY: standard data and the vital product data pages.
 *
 * [SPC-4] 6.6 INQUIRY, 6.6.2 standard INQUIRY data, 7.8 vital product data parameters
 * [SBC-3] 6.5 vital product data parameters for direct access block devices
 */
import {
  LU_CONFIG_PRODUCT_AT,
  LU_CONFIG_REVISION_AT,
  LU_CONFIG_SERIAL_AT,
  LU_CONFIG_VENDOR_AT,
  LU_FLAG_PROTECTED,
} from '../layout';
import { load_be16, store_be16 } from '../bytes/endian';
import { SCRATCH, SCRATCH_BYTES } from './scratch';
import { finish_bad_cdb, finish_data_in_from, task_cdb } from './task';
import { LogicalUnit, Nexus, config_at } from './unit';
import { block_characteristics, block_limits, block_provisioning } from './vpd-block';
import { device_identification, scsi_ports } from './vpd-identification';
import { ISCSI, SERIAL_BYTES, config_text, nexus_protocol } from './config';

const EVPD: u32 = 1;
const STANDARD_BYTES: u32 = 96;
const VPD_PAGES: u32 = 0x00;
const VPD_SERIAL: u32 = 0x80;
const VPD_IDENTIFICATION: u32 = 0x83;
const VPD_EXTENDED: u32 = 0x86;
const VPD_PORTS: u32 = 0x88;
const VPD_BLOCK_LIMITS: u32 = 0xb0;
const VPD_BLOCK_CHARACTERISTICS: u32 = 0xb1;
const VPD_BLOCK_PROVISIONING: u32 = 0xb2;
const PAGES = memory.data<u8>([0x00, 0x80, 0x83, 0x86, 0x88, 0xb0, 0xb1, 0xb2]);
const PAGES_COUNT: u32 = 8;

export function inquiry(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const allocation = load_be16(cdb + 3);
  const page: u32 = load<u8>(cdb, 2);
  if (load<u8>(cdb, 1) & EVPD) {
    memory.fill(SCRATCH, 0, SCRATCH_BYTES);
    const total = vpd_page(unit, nexus, page);
    if (!total) return finish_bad_cdb(unit, task, 2, 7);
    return finish_data_in_from(task, allocation, SCRATCH, total);
  }
  if (page) return finish_bad_cdb(unit, task, 2, 7); // [SPC-4] 6.6.1: PAGE CODE without EVPD
  memory.fill(SCRATCH, 0, STANDARD_BYTES);
  return finish_data_in_from(task, allocation, SCRATCH, standard(unit, nexus));
}

/** [SPC-4] 6.6.2 table 175. */
function standard(unit: LogicalUnit, nexus: Nexus): u32 {
  const config = config_at(unit);
  store<u8>(SCRATCH, 0x06, 2); // VERSION: SPC-4
  store<u8>(SCRATCH, 0x12, 3); // HISUP, RESPONSE DATA FORMAT 2
  store<u8>(SCRATCH, STANDARD_BYTES - 5, 4);
  if (unit.flags & LU_FLAG_PROTECTED) store<u8>(SCRATCH, 0x01, 5); // PROTECT
  store<u8>(SCRATCH, 0x10, 6); // MULTIP: more than one target port
  store<u8>(SCRATCH, 0x02, 7); // CMDQUE
  config_text(SCRATCH + 8, config + LU_CONFIG_VENDOR_AT, 8);
  config_text(SCRATCH + 16, config + LU_CONFIG_PRODUCT_AT, 16);
  config_text(SCRATCH + 32, config + LU_CONFIG_REVISION_AT, 4);
  store_be16(SCRATCH + 58, 0x00a0); // version descriptors, [SPC-4] annex E.9: SAM-5
  store_be16(SCRATCH + 60, 0x0460); // SPC-4
  store_be16(SCRATCH + 62, 0x04c0); // SBC-3
  store_be16(SCRATCH + 64, nexus_protocol(unit, nexus) == ISCSI ? 0x0960 : 0x0c20); // iSCSI, SAS-2
  return STANDARD_BYTES;
}

/** Builds a page in the (cleared) scratch memory; returns its bytes, 0 for a page that is not supported. */
function vpd_page(unit: LogicalUnit, nexus: Nexus, page: u32): u32 {
  const body = SCRATCH + 4;
  let length: u32 = 0;
  switch (page) {
    case VPD_PAGES: // [SPC-4] 7.8.17
      memory.copy(body, PAGES, PAGES_COUNT);
      length = PAGES_COUNT;
      break;
    case VPD_SERIAL: // [SPC-4] 7.8.18
      config_text(body, config_at(unit) + LU_CONFIG_SERIAL_AT, SERIAL_BYTES);
      length = SERIAL_BYTES;
      break;
    case VPD_IDENTIFICATION:
      length = device_identification(unit, nexus, body);
      break;
    case VPD_PORTS:
      length = scsi_ports(unit, nexus, body);
      break;
    case VPD_EXTENDED:
      length = extended_inquiry(unit, body);
      break;
    case VPD_BLOCK_LIMITS:
      length = block_limits(unit, body);
      break;
    case VPD_BLOCK_CHARACTERISTICS:
      length = block_characteristics(unit, body);
      break;
    case VPD_BLOCK_PROVISIONING:
      length = block_provisioning(unit, body);
      break;
    default:
      return 0;
  }
  store<u8>(SCRATCH, page, 1);
  store_be16(SCRATCH + 2, length);
  return length + 4;
}

/** [SPC-4] 7.8.7 table 498. */
function extended_inquiry(unit: LogicalUnit, body: usize): u32 {
  // SPT 000b: type 1; GRD_CHK, REF_CHK; the contents of application tags are not known here
  if (unit.flags & LU_FLAG_PROTECTED) store<u8>(body, 0x05);
  store<u8>(body, 0x07, 1); // HEADSUP, ORDSUP, SIMPSUP
  store<u8>(body, 0x01, 2); // V_SUP: there is a volatile cache
  store<u8>(body, 0x01, 3); // LUICLR: unit attention conditions are cleared as [SPC-4] says
  return 60;
}
