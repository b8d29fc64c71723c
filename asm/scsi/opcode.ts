/**
 * Operation codes and service actions of a direct access block device.
 *
 * [SPC-4] 6 "Commands for all device types", annex E.3 "Operation codes"
 * [SBC-3] 5 "Commands for direct access block devices"
 */
export const TEST_UNIT_READY = 0x00;
export const REQUEST_SENSE = 0x03;
export const FORMAT_UNIT = 0x04;
export const REASSIGN_BLOCKS = 0x07;
export const READ_6 = 0x08;
export const WRITE_6 = 0x0a;
export const INQUIRY = 0x12;
export const MODE_SELECT_6 = 0x15;
export const RESERVE_6 = 0x16;
export const RELEASE_6 = 0x17;
export const MODE_SENSE_6 = 0x1a;
export const START_STOP_UNIT = 0x1b;
export const RECEIVE_DIAGNOSTIC_RESULTS = 0x1c;
export const SEND_DIAGNOSTIC = 0x1d;
export const PREVENT_ALLOW_MEDIUM_REMOVAL = 0x1e;
export const READ_CAPACITY_10 = 0x25;
export const READ_10 = 0x28;
export const WRITE_10 = 0x2a;
export const WRITE_AND_VERIFY_10 = 0x2e;
export const VERIFY_10 = 0x2f;
export const PRE_FETCH_10 = 0x34;
export const SYNCHRONIZE_CACHE_10 = 0x35;
export const READ_DEFECT_DATA_10 = 0x37;
export const WRITE_BUFFER = 0x3b;
export const READ_BUFFER_10 = 0x3c;
export const WRITE_SAME_10 = 0x41;
export const UNMAP = 0x42;
export const SANITIZE = 0x48;
export const LOG_SELECT = 0x4c;
export const LOG_SENSE = 0x4d;
export const MODE_SELECT_10 = 0x55;
export const RESERVE_10 = 0x56;
export const RELEASE_10 = 0x57;
export const MODE_SENSE_10 = 0x5a;
export const PERSISTENT_RESERVE_IN = 0x5e;
export const PERSISTENT_RESERVE_OUT = 0x5f;
export const VARIABLE_LENGTH = 0x7f;
export const EXTENDED_COPY = 0x83;
export const RECEIVE_COPY_RESULTS = 0x84;
export const ACCESS_CONTROL_IN = 0x86;
export const ACCESS_CONTROL_OUT = 0x87;
export const READ_16 = 0x88;
export const COMPARE_AND_WRITE = 0x89;
export const WRITE_16 = 0x8a;
export const ORWRITE_16 = 0x8b;
export const READ_ATTRIBUTE = 0x8c;
export const WRITE_ATTRIBUTE = 0x8d;
export const WRITE_AND_VERIFY_16 = 0x8e;
export const VERIFY_16 = 0x8f;
export const PRE_FETCH_16 = 0x90;
export const SYNCHRONIZE_CACHE_16 = 0x91;
export const WRITE_SAME_16 = 0x93;
export const WRITE_ATOMIC_16 = 0x9c;
export const SERVICE_ACTION_IN_16 = 0x9e;
export const SERVICE_ACTION_OUT_16 = 0x9f;
export const REPORT_LUNS = 0xa0;
export const SECURITY_PROTOCOL_IN = 0xa2;
export const MAINTENANCE_IN = 0xa3;
export const MAINTENANCE_OUT = 0xa4;
export const READ_12 = 0xa8;
export const WRITE_12 = 0xaa;
export const READ_MEDIA_SERIAL_NUMBER = 0xab;
export const WRITE_AND_VERIFY_12 = 0xae;
export const VERIFY_12 = 0xaf;
export const SECURITY_PROTOCOL_OUT = 0xb5;
export const READ_DEFECT_DATA_12 = 0xb7;

/** Service actions of SERVICE ACTION IN(16), [SBC-3] 5. */
export const SA_READ_CAPACITY_16 = 0x10;
export const SA_READ_LONG_16 = 0x11;
export const SA_GET_LBA_STATUS = 0x12;
export const SA_REPORT_REFERRALS = 0x13;

/** Service actions of MAINTENANCE IN, [SPC-4] 6. */
export const SA_REPORT_IDENTIFYING_INFORMATION = 0x05;
export const SA_REPORT_TARGET_PORT_GROUPS = 0x0a;
export const SA_REPORT_ALIASES = 0x0b;
export const SA_REPORT_SUPPORTED_OPERATION_CODES = 0x0c;
export const SA_REPORT_SUPPORTED_TMFS = 0x0d;
export const SA_REPORT_PRIORITY = 0x0e;
export const SA_REPORT_TIMESTAMP = 0x0f;
export const SA_MANAGEMENT_PROTOCOL_IN = 0x10;

/** Service actions of EXTENDED COPY and RECEIVE COPY RESULTS (THIRD-PARTY COPY OUT and IN), [SPC-4] 6.4, 6.20 to 6.26. */
export const SA_EXTENDED_COPY_LID1 = 0x00;
export const SA_RECEIVE_COPY_STATUS_LID1 = 0x00;
export const SA_RECEIVE_COPY_OPERATING_PARAMETERS = 0x03;
export const SA_RECEIVE_COPY_FAILURE_DETAILS_LID1 = 0x04;

/** Service actions of SANITIZE, [SBC-3] 5.24. */
export const SA_SANITIZE_OVERWRITE = 0x01;
export const SA_SANITIZE_BLOCK_ERASE = 0x02;
export const SA_SANITIZE_EXIT_FAILURE_MODE = 0x1f;
